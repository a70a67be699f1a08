//! What goes wrong with runs.

use std::path::{Path, PathBuf};

use crate::error::{ReadError, WriteError};

/// Messages say their causes, which are therefore no `source`: a chain would print them twice.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("{}: {cause}", path.display())]
    Io { path: PathBuf, cause: std::io::Error },
    #[error("{}: {cause}", path.display())]
    Write { path: PathBuf, cause: WriteError },
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The folder of a new run is there already.
    #[error("{} exists", path.display())]
    Exists { path: PathBuf },
    /// A file of ours does not say what it should.
    #[error("{}: {message}", path.display())]
    Damaged { path: PathBuf, message: String },
    #[error("no run in {} is called `{name}`", root.display())]
    NotFound { root: PathBuf, name: String },
    #[error("`{name}` fits {count} runs in {}", root.display())]
    Ambiguous { root: PathBuf, name: String, count: usize },
}

impl RunError {
    /// What the user can do about it, where there is something.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Exists { .. } => Some("a run is never written over; name another folder"),
            Self::NotFound { .. } => Some("`qt runs ls` lists the runs"),
            Self::Ambiguous { .. } => Some("give more of its name"),
            Self::Read(source) => source.hint(),
            Self::Io { .. } | Self::Write { .. } | Self::Damaged { .. } => None,
        }
    }

    pub(super) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        |cause| Self::Io { path: path.to_owned(), cause }
    }

    pub(super) fn write(path: &Path) -> impl FnOnce(WriteError) -> Self + '_ {
        |cause| Self::Write { path: path.to_owned(), cause }
    }

    pub(super) fn damaged(path: &Path, message: impl std::fmt::Display) -> Self {
        Self::Damaged { path: path.to_owned(), message: message.to_string() }
    }
}
