//! A setting's value, and where it came from.

use std::fmt::{self, Display};
use std::path::PathBuf;

use serde_json::json;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    Count(u32),
}

impl Value {
    pub(crate) fn json(&self) -> serde_json::Value {
        match self {
            Self::Text(text) => json!(text),
            Self::Count(count) => json!(count),
        }
    }
}

/// As TOML.
impl Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => toml::Value::String(text.clone()).fmt(f),
            Self::Count(count) => count.fmt(f),
        }
    }
}

/// Which layer had the last word. Later variants win over earlier ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Default,
    File { file: PathBuf, line: usize },
    Env(&'static str),
    Flag(&'static str),
}

impl Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => write!(f, "default"),
            Self::File { file, line } => write!(f, "{}:{line}", file.display()),
            Self::Env(name) => write!(f, "environment {name}"),
            Self::Flag(flag) => write!(f, "flag {flag}"),
        }
    }
}

/// One layer's word on one setting, by its place in the table.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) setting: usize,
    pub(super) value: Value,
    pub(super) origin: Origin,
}
