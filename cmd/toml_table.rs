//! One table of a TOML text, read key by key.
//!
//! Each getter takes a key, what it may be, and complains where the value is something else. What
//! nobody asked for is unknown: `finish` says so, with the nearest key that would have been known.

use std::str::FromStr;

use clap::ValueEnum;
use qt_market::features::unknown;
use qt_model::words::Word;
use rust_decimal::Decimal;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::toml_text::{TomlText, describe};
use qt_model::time::duration_ns;

/// See the module.
pub(crate) struct TomlTable<'t, 'a> {
    text: &'t mut TomlText<'a>,
    prefix: String,
    table: DeTable<'a>,
    asked: Vec<String>,
}

impl<'t, 'a> TomlTable<'t, 'a> {
    /// `prefix` is the way to the table, with a dot at its end, or nothing.
    pub(crate) fn new(text: &'t mut TomlText<'a>, prefix: &str, table: DeTable<'a>) -> Self {
        Self { text, prefix: prefix.to_owned(), table, asked: Vec::new() }
    }

    pub(crate) fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    pub(crate) fn complain(&mut self, at: usize, key: &str, message: impl Into<String>) {
        let key = self.key(key);
        self.text.complain(at, &key, message);
    }

    /// The byte at which a key begins, if it is there.
    pub(crate) fn place(&self, key: &str) -> Option<usize> {
        self.table.get_key_value(key).map(|(key, _)| key.span().start)
    }

    /// Says that a key is read elsewhere.
    pub(crate) fn know(&mut self, key: &str) {
        self.asked.push(key.to_owned());
    }

    fn get(&mut self, key: &str) -> Option<Spanned<DeValue<'a>>> {
        self.asked.push(key.to_owned());
        self.table.get(key).cloned()
    }

    /// What `read` makes of the value, or a complaint that says what was expected.
    pub(crate) fn value<T>(
        &mut self,
        key: &str,
        expected: &str,
        read: impl FnOnce(&DeValue<'a>) -> Option<T>,
    ) -> Option<T> {
        let value = self.get(key)?;
        let taken = read(value.get_ref());
        if taken.is_none() {
            let found = describe(value.get_ref());
            self.complain(value.span().start, key, format!("expected {expected}, found {found}"));
        }
        taken
    }

    /// A text, with the byte at which it begins.
    pub(crate) fn text(&mut self, key: &str, expected: &str) -> Option<(String, usize)> {
        let at = self.table.get(key).map_or(0, |value| value.span().start);
        let text = |value: &DeValue<'a>| value.as_str().map(str::to_owned);
        Some((self.value(key, expected, text)?, at))
    }

    /// A text that stands for something; its own error says why it does not.
    pub(crate) fn parsed<T, E: std::fmt::Display>(
        &mut self,
        key: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let (text, at) = self.text(key, expected)?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.complain(at, key, error.to_string());
                None
            }
        }
    }

    pub(crate) fn duration(&mut self, key: &str) -> Option<i64> {
        self.value(key, "a duration such as \"100ms\"", |value| {
            duration_ns(value.as_str()?).filter(|ns| *ns > 0)
        })
    }

    pub(crate) fn flag(&mut self, key: &str) -> Option<bool> {
        self.value(key, "true or false", |value| value.as_bool())
    }

    pub(crate) fn word<T: Word>(&mut self, key: &str) -> Option<T> {
        let expected = format!("one of {}", T::WORDS.join(", "));
        self.value(key, &expected, |value| T::from_word(value.as_str()?))
    }

    /// One of the words that a flag takes.
    pub(crate) fn choice<T: ValueEnum>(&mut self, key: &str) -> Option<T> {
        let words: Vec<String> = T::value_variants().iter().filter_map(name_of).collect();
        let expected = format!("one of {}", words.join(", "));
        self.value(key, &expected, |value| T::from_str(value.as_str()?, false).ok())
    }

    /// Several of the words that a flag takes, or one.
    pub(crate) fn choices<T: ValueEnum>(&mut self, key: &str) -> Option<Vec<T>> {
        let words: Vec<String> = T::value_variants().iter().filter_map(name_of).collect();
        let expected = format!("a list of {}", words.join(", "));
        let word = |value: &DeValue<'a>| T::from_str(value.as_str()?, false).ok();
        self.value(key, &expected, |value| match value.as_array() {
            Some(list) => list.iter().map(|value| word(value.get_ref())).collect(),
            None => word(value).map(|word| vec![word]),
        })
    }

    pub(crate) fn whole(&mut self, key: &str) -> Option<u32> {
        self.value(key, "a whole number", |value| value.as_integer()?.as_str().parse().ok())
    }

    /// A decimal, exactly as it is written: a number, or a text for more digits than people read.
    pub(crate) fn decimal(&mut self, key: &str) -> Option<Decimal> {
        self.value(key, "a decimal number", decimal)
    }

    pub(crate) fn number(&mut self, key: &str) -> Option<f64> {
        self.value(key, "a number", number)
    }

    /// A table inside, to be read on its own.
    pub(crate) fn table(&mut self, key: &str) -> Option<DeTable<'a>> {
        self.value(key, "a table", |value| value.as_table().cloned())
    }

    /// A list of texts, or one text.
    pub(crate) fn texts(&mut self, key: &str, expected: &str) -> Option<Vec<String>> {
        let text = |value: &DeValue<'a>| value.as_str().map(str::to_owned);
        self.value(key, expected, |value| match value.as_array() {
            Some(list) => list.iter().map(|value| text(value.get_ref())).collect(),
            None => text(value).map(|text| vec![text]),
        })
    }

    /// Complains about what nobody asked for.
    pub(crate) fn finish(self) {
        let Self { text, prefix, table, asked } = self;
        for (key, _) in &table {
            let name = key.get_ref().as_ref();
            if !asked.iter().any(|asked| asked == name) {
                let message = unknown("key", name, asked.iter().map(String::as_str));
                text.complain(key.span().start, &format!("{prefix}{name}"), message);
            }
        }
    }
}

fn name_of<T: ValueEnum>(choice: &T) -> Option<String> {
    Some(choice.to_possible_value()?.get_name().to_owned())
}

/// A number or a text, as a decimal.
pub(crate) fn decimal(value: &DeValue<'_>) -> Option<Decimal> {
    let parse = |text: &str| {
        let text = text.replace('_', "");
        Decimal::from_str(&text).or_else(|_| Decimal::from_scientific(&text)).ok()
    };
    parse(value.as_str().or_else(|| digits(value))?)
}

/// A number of a parameter.
pub(crate) fn number(value: &DeValue<'_>) -> Option<f64> {
    let text = digits(value)?;
    text.replace('_', "").parse().ok().filter(|number: &f64| number.is_finite())
}

/// The digits of a number as they were written.
pub(crate) fn digits<'v>(value: &'v DeValue<'_>) -> Option<&'v str> {
    let whole = value.as_integer().filter(|digits| digits.radix() == 10);
    whole.map(|digits| digits.as_str()).or_else(|| Some(value.as_float()?.as_str()))
}
