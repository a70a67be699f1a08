//! How a command ends: what it answers, and the exit code that says so.
//!
//! Invariant: the table in [`Exit::ALL`] is the interface. The man pages, `docs/cli.md` and the
//! tests read it from here, so a code cannot change in one place only.
//! Absent on purpose: severities and counts, which belong into a command's output.

use std::process::ExitCode;

/// What a command that ran to its end has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Everything asked for is done.
    Done,
    /// Everything is done and the answer is no: a gate violated, a mismatch, a difference.
    No,
    /// The command ended in order, but part of the work could not be done.
    Incomplete,
}

/// The exit codes of every command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Done,
    No,
    Usage,
    Input,
    Outside,
    Incomplete,
    Bug,
    Interrupted,
    Terminated,
}

impl Exit {
    pub(crate) const ALL: [Self; 9] = [
        Self::Done,
        Self::No,
        Self::Usage,
        Self::Input,
        Self::Outside,
        Self::Incomplete,
        Self::Bug,
        Self::Interrupted,
        Self::Terminated,
    ];

    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::No => 1,
            Self::Usage => 2,
            Self::Input => 3,
            Self::Outside => 4,
            Self::Incomplete => 5,
            Self::Bug => 70,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// The line for the manual.
    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::Done => "Done, or the reader of standard output has seen enough.",
            Self::No => "Done, and the answer is no: gate violated, breach, mismatch, not ready.",
            Self::Usage => "Wrong usage or configuration; nothing was started.",
            Self::Input => "Input data is corrupt, truncated or of the wrong schema.",
            Self::Outside => {
                "The outside failed: disk, network, venue or database out of reach or forbidden."
            }
            Self::Incomplete => "Finished, but incomplete; standard error says what is missing.",
            Self::Bug => "A bug in qt; please report it.",
            Self::Interrupted => "Stopped in order after SIGINT.",
            Self::Terminated => "Stopped in order after SIGTERM.",
        }
    }
}

impl From<Outcome> for Exit {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::Done,
            Outcome::No => Self::No,
            Outcome::Incomplete => Self::Incomplete,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
