//! What is wrong with a configuration: everything, at once, each with its place.

use std::error::Error;
use std::fmt::{self, Display};
use std::path::{Path, PathBuf};

/// One error. Printed as editors and terminals expect it, so that a click leads to the place.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) place: Place,
    /// Empty where the text is no TOML and there is no key to speak of.
    pub(crate) key: String,
    pub(crate) message: String,
}

#[derive(Clone, Debug)]
pub(crate) enum Place {
    File { file: PathBuf, line: usize, column: usize },
    Whole(PathBuf),
    Env(&'static str),
    Flag(&'static str),
}

impl Problem {
    pub(crate) fn in_file(
        file: &Path,
        (line, column): (usize, usize),
        key: String,
        message: String,
    ) -> Self {
        Self { place: Place::File { file: file.to_owned(), line, column }, key, message }
    }
}

impl Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::File { file, line, column } => {
                write!(f, "{}:{line}:{column}: ", file.display())?;
            }
            Place::Whole(file) => write!(f, "{}: ", file.display())?,
            Place::Env(name) => write!(f, "environment {name}: ")?,
            Place::Flag(flag) => write!(f, "flag {flag}: ")?,
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        write!(f, "{}", self.message)
    }
}

/// At least one problem, in the order of the layers and within a file by line.
#[derive(Clone, Debug)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    pub(crate) fn some(problems: Vec<Problem>) -> Option<Self> {
        if problems.is_empty() { None } else { Some(Self(problems)) }
    }
}

impl Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => write!(f, "the configuration has an error")?,
            count => write!(f, "the configuration has {count} errors")?,
        }
        self.0.iter().try_for_each(|problem| write!(f, "\n{problem}"))
    }
}

impl Error for Problems {}
