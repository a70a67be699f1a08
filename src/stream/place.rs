//! Where in which input something stands, for messages.

use std::fmt;
use std::sync::Arc;

/// An input as the user named it, and a position in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub input: Arc<str>,
    pub at: At,
}

/// A position, in the unit that the encoding counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// The input as a whole.
    Whole,
    /// Lines count from one.
    Line(u64),
    Byte(u64),
    /// Rows count from zero, as the tools that open such files do.
    Row(u64),
}

impl Place {
    pub fn whole(input: &Arc<str>) -> Self {
        Self { input: Arc::clone(input), at: At::Whole }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { input, at } = self;
        match at {
            At::Whole => write!(f, "{input}"),
            At::Line(line) => write!(f, "{input}: line {line}"),
            At::Byte(byte) => write!(f, "{input}: byte {byte}"),
            At::Row(row) => write!(f, "{input}: row {row}"),
        }
    }
}
