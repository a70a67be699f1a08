//! From an error to what the user sees: one line, perhaps a hint, and an exit code.
//!
//! A command attaches a [`Failure`] where it knows the code or a next step; [`classify`] decides for
//! all other errors, in one place. The message is the chain of contexts, outermost first:
//!
//! ```text
//! qt: replaying book.ndjson: line 812443: sequence jumped from 99 to 104
//! hint: `qt check` lists every gap in the file
//! ```
//!
//! Invariant: attaching a code or a hint never changes the message.

use std::error::Error as StdError;
use std::fmt::{self, Display};
use std::io;

use qt_market::merge::MergeError;
use qt_store::StoreError;
use qt_stream::error::{ReadError, WriteError};
use qt_stream::runs::RunError;

use crate::outcome::Exit;
use crate::problem::Problems;

/// An error with its exit code, a hint, or both.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Option<Exit>,
    hint: Option<String>,
    error: anyhow::Error,
}

impl Failure {
    /// The user asked for something that cannot be: exit 2.
    pub(crate) fn usage(message: impl Display + fmt::Debug + Send + Sync + 'static) -> Self {
        Self { exit: Some(Exit::Usage), hint: None, error: anyhow::Error::msg(message) }
    }

    /// What was asked for can be done, and the answer is no: exit 1.
    pub(crate) fn no(message: impl Display + fmt::Debug + Send + Sync + 'static) -> Self {
        Self { exit: Some(Exit::No), hint: None, error: anyhow::Error::msg(message) }
    }

    /// Adds a next step.
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

// Stands in the chain for the error it wraps, so that contexts below it print once.
impl StdError for Failure {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.error.chain().nth(1)
    }
}

/// Attaches exit codes and hints to results.
pub(crate) trait FailureExt<T> {
    /// Ends with this exit code if the error reaches the edge.
    fn exit(self, exit: Exit) -> anyhow::Result<T>;
    /// Prints a next step under the error.
    fn hint(self, hint: impl Into<String>) -> anyhow::Result<T>;
}

impl<T, E: Into<anyhow::Error>> FailureExt<T> for Result<T, E> {
    fn exit(self, exit: Exit) -> anyhow::Result<T> {
        self.map_err(|error| Failure { exit: Some(exit), hint: None, error: error.into() }.into())
    }

    fn hint(self, hint: impl Into<String>) -> anyhow::Result<T> {
        self.map_err(|error| {
            Failure { exit: None, hint: Some(hint.into()), error: error.into() }.into()
        })
    }
}

/// The exit code of an error. New typed errors get their code here and nowhere else.
///
/// An error that nobody classified came from the outside: wrong usage is typed, and our own broken
/// invariants are panics.
pub(crate) fn classify(error: &anyhow::Error) -> Exit {
    for cause in error.chain() {
        if let Some(failure) = cause.downcast_ref::<Failure>() {
            return failure.exit.unwrap_or_else(|| classify(&failure.error));
        }
        if cause.is::<Problems>() {
            return Exit::Usage;
        }
        if let Some(error) = store_error(cause) {
            return classify_store(error);
        }
        if let Some(error) = cause.downcast_ref::<ReadError>() {
            return classify_read(error);
        }
        if let Some(error) = cause.downcast_ref::<WriteError>() {
            return classify_write(error);
        }
        if let Some(error) = cause.downcast_ref::<RunError>() {
            return classify_run(error);
        }
        if let Some(MergeError::Order { .. }) = cause.downcast_ref::<MergeError<ReadError>>() {
            return Exit::Input;
        }
        if let Some(error) = cause.downcast_ref::<io::Error>() {
            return classify_io(error.kind());
        }
    }
    Exit::Outside
}

/// The error of a store, as it is or inside of those that carry it.
fn store_error<'a>(cause: &'a (dyn StdError + 'static)) -> Option<&'a StoreError> {
    if let Some(error) = cause.downcast_ref::<StoreError>() {
        return Some(error);
    }
    let io = match cause.downcast_ref::<ReadError>() {
        Some(ReadError::Io { cause, .. }) => Some(cause),
        Some(_) => None,
        None => cause.downcast_ref::<io::Error>(),
    };
    io?.get_ref()?.downcast_ref()
}

fn classify_store(error: &StoreError) -> Exit {
    match error {
        StoreError::Schema { .. } => Exit::Input,
        StoreError::Exists { .. } => Exit::Usage,
        StoreError::Unreachable { .. }
        | StoreError::Late { .. }
        | StoreError::Refused { .. }
        | StoreError::Missing { .. }
        | StoreError::Full { .. }
        | StoreError::Answer { .. }
        | StoreError::Server { .. } => Exit::Outside,
    }
}

fn classify_read(error: &ReadError) -> Exit {
    match error {
        ReadError::Io { cause, .. } => classify_io(cause.kind()),
        ReadError::Told { .. } => Exit::Usage,
        ReadError::Record { .. }
        | ReadError::Corrupt { .. }
        | ReadError::Truncated { .. }
        | ReadError::Schema { .. }
        | ReadError::Unreadable { .. }
        | ReadError::Mismatch { .. } => Exit::Input,
    }
}

fn classify_write(error: &WriteError) -> Exit {
    match error {
        WriteError::Io(_) => Exit::Outside,
        // What was asked for cannot be done with these records.
        WriteError::Unfit(_) | WriteError::Exists { .. } | WriteError::Busy { .. } => Exit::Usage,
    }
}

fn classify_run(error: &RunError) -> Exit {
    match error {
        RunError::Io { cause, .. } => classify_io(cause.kind()),
        RunError::Write { cause, .. } => classify_write(cause),
        RunError::Read(source) => classify_read(source),
        RunError::Damaged { .. } => Exit::Input,
        RunError::Exists { .. } | RunError::NotFound { .. } | RunError::Ambiguous { .. } => {
            Exit::Usage
        }
    }
}

fn classify_io(kind: io::ErrorKind) -> Exit {
    // Decompressors report damaged bytes as errors of these two kinds.
    if matches!(kind, io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) {
        Exit::Input
    } else {
        Exit::Outside
    }
}

/// True if the error is a write to a pipe that nobody reads any more.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        if let Some(failure) = cause.downcast_ref::<Failure>() {
            return is_broken_pipe(&failure.error);
        }
        let kind = cause
            .downcast_ref::<io::Error>()
            .map(io::Error::kind)
            .or_else(|| cause.downcast_ref::<serde_json::Error>()?.io_error_kind());
        kind == Some(io::ErrorKind::BrokenPipe)
    })
}

/// The outermost hint: the one closest to what the user did.
pub(crate) fn hint(error: &anyhow::Error) -> Option<&str> {
    error.chain().find_map(|cause| {
        if let Some(error) = store_error(cause) {
            return error.hint();
        }
        if let Some(error) = cause.downcast_ref::<ReadError>() {
            return error.hint();
        }
        if let Some(MergeError::Order { .. }) = cause.downcast_ref::<MergeError<ReadError>>() {
            return Some("`--ordering warn` counts such records and lets them pass");
        }
        if let Some(error) = cause.downcast_ref::<RunError>() {
            return error.hint();
        }
        let failure = cause.downcast_ref::<Failure>()?;
        failure.hint.as_deref().or_else(|| hint(&failure.error))
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use anyhow::{Context, anyhow};

    use super::*;

    fn check(error: anyhow::Error, message: &str, exit: Exit, expected_hint: Option<&str>) {
        assert_eq!(format!("{error:#}"), message);
        assert_eq!((classify(&error), hint(&error)), (exit, expected_hint), "{message}");
    }

    fn fails<T>(result: anyhow::Result<T>) -> anyhow::Error {
        result.err().expect("the test made an error")
    }

    #[test]
    fn codes_and_hints_survive_contexts_and_leave_the_message_alone() {
        let deep = || Err::<(), _>(anyhow!("c").context("b"));
        check(fails(deep().context("a")), "a: b: c", Exit::Outside, None);
        check(fails(deep().exit(Exit::Input).context("a")), "a: b: c", Exit::Input, None);
        check(fails(deep().hint("h").context("a")), "a: b: c", Exit::Outside, Some("h"));
        let both = deep().exit(Exit::Input).hint("h");
        check(fails(both.context("a")), "a: b: c", Exit::Input, Some("h"));
        let outer_wins = deep().exit(Exit::Input).hint("in").context("a").exit(Exit::Usage);
        check(fails(outer_wins.hint("out")), "a: b: c", Exit::Usage, Some("out"));
        check(Failure::usage("u").with_hint("h").into(), "u", Exit::Usage, Some("h"));
    }

    #[test]
    fn io_errors_are_outside_unless_the_bytes_are_bad() {
        let io = |kind| fails(Err::<(), _>(Error::new(kind, "x")).context("reading"));
        check(io(ErrorKind::NotFound), "reading: x", Exit::Outside, None);
        check(io(ErrorKind::PermissionDenied), "reading: x", Exit::Outside, None);
        check(io(ErrorKind::InvalidData), "reading: x", Exit::Input, None);
        check(io(ErrorKind::UnexpectedEof), "reading: x", Exit::Input, None);
    }

    #[test]
    fn a_broken_pipe_is_seen_through_every_wrapper() {
        let broken = || Err::<(), _>(Error::from(ErrorKind::BrokenPipe));
        assert!(is_broken_pipe(&fails(broken().context("a"))));
        assert!(is_broken_pipe(&fails(broken().hint("h").exit(Exit::Outside).context("a"))));
        assert!(!is_broken_pipe(&anyhow!("broken pipe")));
    }
}
