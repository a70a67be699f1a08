//! One configuration file: TOML text to values and problems, with lines and columns.
//!
//! Invariant: reading never stops at the first problem. A line that is not TOML gets one problem, not
//! a second one about what the parser made of it.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Place, Problem};
use super::substitute::substitute;
use super::table::{self, SETTINGS, Setting};
use super::value::{Found, Origin, Value};

/// Reads a file into `found` and `problems`.
pub(super) fn read(file: &Path, found: &mut Vec<Found>, problems: &mut Vec<Problem>) {
    match fs::read_to_string(file) {
        Ok(text) => Reader { file: file.to_owned(), text: &text, found, problems }.document(),
        Err(error) => problems.push(Problem {
            place: Place::Whole(file.to_owned()),
            key: String::new(),
            message: format!("cannot read it: {error}"),
        }),
    }
}

struct Reader<'a> {
    file: PathBuf,
    text: &'a str,
    found: &'a mut Vec<Found>,
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    fn document(&mut self) {
        let text = self.text;
        let (document, errors) = DeTable::parse_recoverable(text);
        let mut mine = Vec::new();
        for error in &errors {
            let span = error.span().unwrap_or(0..0);
            mine.push((span.start, String::new(), error.message().to_owned()));
        }
        let broken: Vec<usize> = mine.iter().map(|(at, ..)| self.position(*at).0).collect();
        self.table(document.get_ref(), "", &mut mine);
        // The parser sorts keys by name; people read by line.
        mine.sort_by_key(|(at, ..)| *at);
        for (at, key, message) in mine {
            let (line, column) = self.position(at);
            if !key.is_empty() && broken.contains(&line) {
                continue;
            }
            let place = Place::File { file: self.file.clone(), line, column };
            self.problems.push(Problem { place, key, message });
        }
    }

    fn table(&mut self, table: &DeTable<'_>, prefix: &str, problems: &mut Vec<Raw>) {
        for (key, value) in table {
            let name = format!("{prefix}{}", key.get_ref());
            if let Some(setting) = table::find(&name) {
                match self.value(&SETTINGS[setting], value) {
                    Ok(read) => self.push(setting, read, value.span()),
                    Err(message) => problems.push((value.span().start, name, message)),
                }
            } else if !table::is_section(&name) {
                problems.push((key.span().start, name.clone(), unknown(&name)));
            } else if let Some(inner) = value.get_ref().as_table() {
                self.table(inner, &format!("{name}."), problems);
            } else {
                let message = format!("expected a table, found {}", describe(value.get_ref()));
                problems.push((value.span().start, name, message));
            }
        }
    }

    fn push(&mut self, setting: usize, value: Value, span: Range<usize>) {
        let origin = Origin::File { file: self.file.clone(), line: self.position(span.start).0 };
        self.found.push(Found { setting, value, origin });
    }

    fn value(&self, setting: &Setting, value: &Spanned<DeValue<'_>>) -> Result<Value, String> {
        let kind = setting.kind;
        let wrong = |found: &str| Problem::message_for(kind, found);
        match value.get_ref() {
            DeValue::String(text) => {
                let plain = substitute(text, |name| std::env::var(name).ok())?;
                let was_substituted = plain != *text;
                let read =
                    if kind.takes_text() || was_substituted { kind.parse(&plain) } else { None };
                read.ok_or_else(|| wrong(&Value::Text(plain).to_string()))
            }
            DeValue::Integer(digits) if kind.takes_numbers() => {
                let number = u32::from_str_radix(digits.as_str(), digits.radix()).ok();
                let read = number.and_then(|number| kind.parse(&number.to_string()));
                read.ok_or_else(|| wrong(&digits.to_string()))
            }
            other @ (DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_)) => Err(wrong(&describe(other))),
        }
    }

    /// Line and column of a byte, both from 1.
    fn position(&self, at: usize) -> (usize, usize) {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        (line, before[line_start..].chars().count() + 1)
    }
}

/// Where (a byte), which key, what.
type Raw = (usize, String, String);

fn unknown(name: &str) -> String {
    match table::nearest(name) {
        Some(near) => format!("unknown key; did you mean `{near}`?"),
        None => "unknown key".to_owned(),
    }
}

fn describe(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => Value::Text(text.to_string()).to_string(),
        DeValue::Integer(digits) => digits.to_string(),
        DeValue::Float(digits) => digits.to_string(),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(_) => "an array".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}
