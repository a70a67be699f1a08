//! What the terminal can and should show: colour, and a place for talk beside the data.
//!
//! Invariant: nothing here writes to standard output. Failures to write to standard error are
//! ignored, because there is nobody left to tell.

use std::env;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use indicatif::MultiProgress;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// A choice that a terminal can make for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    /// On a terminal only
    Auto,
    /// Even into files and pipes
    Always,
    /// Not at all
    Never,
}

impl When {
    /// Colour on a stream. `NO_COLOR` and `CLICOLOR_FORCE` decide what was left to us.
    fn colours(self, stream_is_terminal: bool) -> bool {
        let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) => false,
            Self::Auto if set("CLICOLOR_FORCE") => true,
            Self::Auto => stream_is_terminal && env::var_os("TERM").is_none_or(|it| it != "dumb"),
        }
    }
}

/// Adds colour to text, or does not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint(bool);

impl Paint {
    pub(crate) fn stdout(when: When) -> Self {
        Self(when.colours(io::stdout().is_terminal()))
    }

    pub(crate) fn stderr(when: When) -> Self {
        Self(when.colours(io::stderr().is_terminal()))
    }

    pub(crate) fn is_on(self) -> bool {
        self.0
    }

    pub(crate) fn dim(self, text: impl Display) -> String {
        self.code("2", text)
    }

    pub(crate) fn bold(self, text: impl Display) -> String {
        self.code("1", text)
    }

    pub(crate) fn bad(self, text: impl Display) -> String {
        self.code("1;31", text)
    }

    pub(crate) fn doubtful(self, text: impl Display) -> String {
        self.code("1;33", text)
    }

    fn code(self, code: &str, text: impl Display) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }
}

/// Standard error, shared by notes, the log and the progress line so that none tears another.
#[derive(Clone, Debug)]
pub(crate) struct Talk {
    pub(crate) paint: Paint,
    pub(crate) lines: MultiProgress,
}

impl Talk {
    pub(crate) fn new(colour: When) -> Self {
        Self { paint: Paint::stderr(colour), lines: MultiProgress::new() }
    }

    /// Prints one line, above the progress line if there is one.
    pub(crate) fn line(&self, line: impl Display) {
        self.lines.suspend(|| {
            let _ = writeln!(io::stderr().lock(), "{line}");
        });
    }

    /// Sends `tracing` events here from now on.
    pub(crate) fn start_log(&self, filter: &str) {
        let filter = EnvFilter::try_new(filter).expect("settings only hold valid filters");
        let log = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_ansi(self.paint.is_on())
            .without_time()
            .with_writer(self.clone());
        // Refused only if a log is running, and then that one keeps running.
        let _ = log.try_init();
    }
}

impl<'a> MakeWriter<'a> for Talk {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Write for Talk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lines.suspend(|| io::stderr().lock().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
