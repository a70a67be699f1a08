//! What a command gets from the frame: settings, standard streams, talk, progress, shutdown.
//!
//! Invariant: a broken configuration stops only the commands that ask for [`Context::settings`], so
//! that `qt man` and `qt config check` work when it is broken.
//! Absent on purpose: records. How to open and merge streams is a matter of `stream_args` and the
//! `stream` room.

use std::env;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use qt_trade::native::Registration;

use crate::failure::{self, FailureExt};
use crate::global::GlobalArgs;
use crate::outcome::{Exit, Outcome};
use crate::output::{FirstFailure, Stdout};
use crate::problem::Problems;
use crate::progress::Progress;
use crate::settings::{Settings, misspelt_variables};
use crate::shutdown::Shutdown;
use crate::terminal::{Paint, Talk, When};

#[derive(Debug)]
pub(crate) struct Context {
    settings: Settings,
    problems: Option<Problems>,
    natives: &'static [Registration],
    json: bool,
    quiet: bool,
    talk: Talk,
    shutdown: Shutdown,
    stdout_failure: FirstFailure,
    /// Standard output is a terminal and in use, so the progress line keeps away.
    data_on_terminal: Arc<AtomicBool>,
}

impl Context {
    pub(crate) fn new(
        global: &GlobalArgs,
        natives: &'static [Registration],
    ) -> anyhow::Result<Self> {
        if let Some(directory) = &global.directory {
            env::set_current_dir(directory)
                .with_context(|| format!("-C {}", directory.display()))
                .exit(Exit::Usage)?;
        }
        let shutdown = Shutdown::install().context("installing signal handlers")?;
        let (settings, problems) = Settings::load(global);
        let talk = Talk::new(settings.color());
        talk.start_log(settings.log());
        let context = Self {
            settings,
            problems,
            natives,
            json: global.json,
            quiet: global.quiet,
            talk,
            shutdown,
            stdout_failure: Arc::default(),
            data_on_terminal: Arc::default(),
        };
        for (name, known) in misspelt_variables() {
            context.warn(format_args!("{name} is not a variable of qt; did you mean {known}?"));
        }
        Ok(context)
    }

    /// The effective configuration, or all that is wrong with it.
    pub(crate) fn settings(&self) -> anyhow::Result<&Settings> {
        match &self.problems {
            None => Ok(&self.settings),
            Some(problems) => Err(problems.clone()).hint("`qt man config` explains every setting"),
        }
    }

    /// Strategies that are part of this program.
    pub(crate) fn natives(&self) -> &'static [Registration] {
        self.natives
    }

    /// Whether to print JSON in place of text.
    pub(crate) fn json(&self) -> bool {
        self.json
    }

    /// Colours for text on standard output.
    pub(crate) fn paint(&self) -> Paint {
        Paint::stdout(self.settings.color())
    }

    /// Standard output, for data. Flush it before returning.
    pub(crate) fn stdout(&self) -> anyhow::Result<Stdout> {
        self.data_on_terminal.store(io::stdout().is_terminal(), Ordering::Relaxed);
        Stdout::open(Arc::clone(&self.stdout_failure)).context("opening standard output")
    }

    /// Prints a whole text to standard output.
    pub(crate) fn print(&self, text: impl AsRef<[u8]>) -> anyhow::Result<()> {
        let mut stdout = self.stdout()?;
        stdout
            .write_all(text.as_ref())
            .and_then(|()| stdout.flush())
            .context("writing to standard output")
    }

    /// Standard input, which ends early when a signal asks us to stop.
    pub(crate) fn stdin(&self) -> anyhow::Result<impl io::Read + Send + use<>> {
        self.shutdown.stdin().context("opening standard input")
    }

    /// Loops check `shutdown().requested()` between records.
    pub(crate) fn shutdown(&self) -> &Shutdown {
        &self.shutdown
    }

    /// Says what happens; hushed by `--quiet`.
    pub(crate) fn note(&self, message: impl Display) {
        if !self.quiet {
            self.talk.line(format_args!("qt: {message}"));
        }
    }

    /// Says what the user has to know though the work goes on.
    pub(crate) fn warn(&self, message: impl Display) {
        let label = self.talk.paint.doubtful("warning:");
        self.talk.line(format_args!("qt: {label} {message}"));
    }

    /// A progress line, if one is wanted; `total` gives it an end.
    pub(crate) fn progress(&self, label: &'static str, total: Option<u64>) -> Progress {
        let shown = match self.settings.progress() {
            When::Auto => !self.quiet && io::stderr().is_terminal(),
            When::Always => true,
            When::Never => false,
        };
        if !shown {
            return Progress::silent();
        }
        Progress::shown(&self.talk, label, total, Arc::clone(&self.data_on_terminal))
    }

    /// Turns what the command returned into the exit code, and says why if there is a why.
    pub(crate) fn conclude(&self, result: anyhow::Result<Outcome>) -> Exit {
        let unread = (self.stdout_failure.get())
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe);
        let exit = match (result, self.stdout_failure.get()) {
            // A pipe to a venue can break too, so the error alone does not tell.
            (Err(error), _) if unread && failure::is_broken_pipe(&error) => Exit::Done,
            (Err(error), _) => report(&error, &self.talk),
            (Ok(_), Some(error)) if !unread => {
                let error = anyhow::anyhow!("writing to standard output: {error}");
                report(&error, &self.talk)
            }
            (Ok(outcome), _) => outcome.into(),
        };
        self.shutdown.exit().unwrap_or(exit)
    }
}

/// Prints an error and its hint, and names its exit code.
pub(crate) fn report(error: &anyhow::Error, talk: &Talk) -> Exit {
    talk.line(format_args!("{} {error:#}", talk.paint.bad("qt:")));
    if let Some(hint) = failure::hint(error) {
        talk.line(format_args!("{} {hint}", talk.paint.bold("hint:")));
    }
    failure::classify(error)
}
