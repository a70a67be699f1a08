//! Reading TOML that people wrote: every problem at once, each with its line and column.
//!
//! Invariant: a line that is not TOML gets one problem, not a second one about what the parser made
//! of it.

use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::problem::Problem;

/// A TOML document, and what is wrong with it so far.
pub(crate) struct TomlText<'a> {
    file: PathBuf,
    text: &'a str,
    document: Spanned<DeTable<'a>>,
    /// Where (a byte), which key, what.
    problems: Vec<(usize, String, String)>,
    broken_lines: Vec<usize>,
}

impl<'a> TomlText<'a> {
    pub(crate) fn parse(file: &Path, text: &'a str) -> Self {
        let (document, errors) = DeTable::parse_recoverable(text);
        let file = file.to_owned();
        let mut parsed = Self { file, text, document, problems: Vec::new(), broken_lines: vec![] };
        for error in &errors {
            let span = error.span().unwrap_or(0..0);
            parsed.complain(span.start, "", error.message());
        }
        parsed.broken_lines = parsed.problems.iter().map(|it| parsed.position(it.0).0).collect();
        parsed
    }

    /// The folder that the file lies in: what paths in it begin at.
    pub(crate) fn folder(&self) -> PathBuf {
        self.file.parent().map(Path::to_owned).unwrap_or_default()
    }

    /// The document, for a walk during which complaints can be made.
    pub(crate) fn document(&self) -> DeTable<'a> {
        self.document.get_ref().clone()
    }

    pub(crate) fn complain(&mut self, at: usize, key: &str, message: impl Into<String>) {
        self.problems.push((at, key.to_owned(), message.into()));
    }

    /// The problems in the order of lines: the parser sorts keys by name, people read by line.
    pub(crate) fn problems(mut self) -> Vec<Problem> {
        let mut problems = std::mem::take(&mut self.problems);
        problems.sort_by_key(|(at, ..)| *at);
        let mut placed = Vec::new();
        for (at, key, message) in problems {
            let position = self.position(at);
            if key.is_empty() || !self.broken_lines.contains(&position.0) {
                placed.push(Problem::in_file(&self.file, position, key, message));
            }
        }
        placed
    }

    /// Line and column of a byte, both from 1.
    pub(crate) fn position(&self, at: usize) -> (usize, usize) {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        (line, before[line_start..].chars().count() + 1)
    }
}

/// A value as its writer would recognise it.
pub(crate) fn describe(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("{text:?}"),
        DeValue::Integer(digits) => digits.to_string(),
        DeValue::Float(digits) => digits.to_string(),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(_) => "an array".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}
