//! One configuration file: TOML text to values and problems, with lines and columns.
//!
//! Invariant: reading never stops at the first problem.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::substitute::substitute;
use super::table::{self, SETTINGS, Setting};
use super::value::{Found, Origin, Value};
use crate::problem::{Place, Problem};
use crate::toml_text::{TomlText, describe};

/// Reads a file into `found` and `problems`.
pub(super) fn read(file: &Path, found: &mut Vec<Found>, problems: &mut Vec<Problem>) {
    match fs::read_to_string(file) {
        Ok(text) => {
            let text = TomlText::parse(file, &text);
            let document = text.document();
            let mut reader = Reader { file: file.to_owned(), text, found };
            reader.table(&document, "");
            problems.extend(reader.text.problems());
        }
        Err(error) => problems.push(Problem {
            place: Place::Whole(file.to_owned()),
            key: String::new(),
            message: format!("cannot read it: {error}"),
        }),
    }
}

struct Reader<'a> {
    file: PathBuf,
    text: TomlText<'a>,
    found: &'a mut Vec<Found>,
}

impl Reader<'_> {
    fn table(&mut self, table: &DeTable<'_>, prefix: &str) {
        for (key, value) in table {
            let name = format!("{prefix}{}", key.get_ref());
            if let Some(setting) = table::find(&name) {
                match self.value(&SETTINGS[setting], value) {
                    Ok(read) => self.push(setting, read, value.span()),
                    Err(message) => self.text.complain(value.span().start, &name, message),
                }
            } else if !table::is_section(&name) {
                self.text.complain(key.span().start, &name, unknown(&name));
            } else if let Some(inner) = value.get_ref().as_table() {
                self.table(inner, &format!("{name}."));
            } else {
                let message = format!("expected a table, found {}", describe(value.get_ref()));
                self.text.complain(value.span().start, &name, message);
            }
        }
    }

    fn push(&mut self, setting: usize, value: Value, span: Range<usize>) {
        let origin =
            Origin::File { file: self.file.clone(), line: self.text.position(span.start).0 };
        self.found.push(Found { setting, value, origin });
    }

    fn value(&self, setting: &Setting, value: &Spanned<DeValue<'_>>) -> Result<Value, String> {
        let kind = setting.kind;
        let wrong = |found: &str| kind.misfit(found);
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
}

fn unknown(name: &str) -> String {
    match table::nearest(name) {
        Some(near) => format!("unknown key; did you mean `{near}`?"),
        None => "unknown key".to_owned(),
    }
}
