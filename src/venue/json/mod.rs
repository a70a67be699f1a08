//! JSON of any shape, with every number left as the text that was sent.
//!
//! Prices and sizes go from this text to mantissas, and checksums are taken over it, so nothing here
//! passes through a float. A message is read once, onto a tape; an object, a list and a value are
//! views of it. Errors name the field.

mod tape;

use std::borrow::Cow;

use qt_model::decimal;
use qt_model::time::Ts;
use rust_decimal::Decimal;

use crate::epoch;
use crate::frame::DecodeError;

pub(crate) use tape::Tape;
use tape::{Node, Tree};

/// A value, with the name to use in errors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value<'a, 'n> {
    name: &'n str,
    tree: Tree<'a>,
    at: u32,
}

/// A value that has members.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Object<'a> {
    tree: Tree<'a>,
    at: u32,
}

/// The elements of a list, under the name of the list.
#[derive(Clone, Debug)]
pub(crate) struct Elements<'a, 'n> {
    next: Value<'a, 'n>,
    end: u32,
}

impl<'a> Tree<'a> {
    #[inline]
    fn node(&self, at: u32) -> &'a Node {
        &self.nodes[at as usize]
    }

    #[inline]
    fn raw(&self, at: u32) -> &'a str {
        let node = self.node(at);
        &self.text[node.start as usize..node.end as usize]
    }

    /// A text without its quotes and escapes.
    fn plain(&self, at: u32) -> Result<Cow<'a, str>, DecodeError> {
        let raw = self.raw(at);
        if !self.node(at).is_escaped {
            return Ok(Cow::Borrowed(&raw[1..raw.len() - 1]));
        }
        serde_json::from_str(raw).map(Cow::Owned).map_err(|_| DecodeError::Json {
            byte: self.node(at).start as usize,
            message: "expected a text of whole characters".to_owned(),
        })
    }
}

impl<'a> Object<'a> {
    /// A member that may be missing; `null` counts as missing. The last of two counts.
    #[inline]
    pub(crate) fn get<'n>(&self, name: &'n str) -> Option<Value<'a, 'n>> {
        let found = self.places().filter(|key| self.is_key(*key, name)).last()?;
        let value = Value { name, tree: self.tree, at: found + 1 };
        (value.raw() != "null").then_some(value)
    }

    pub(crate) fn need<'n>(&self, name: &'n str) -> Result<Value<'a, 'n>, DecodeError> {
        self.get(name).ok_or_else(|| DecodeError::Field {
            field: name.to_owned(),
            expected: "a value",
            found: "nothing".to_owned(),
        })
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Keys and what they name, in the order sent.
    pub(crate) fn members(&self) -> impl Iterator<Item = (Cow<'a, str>, Value<'a, 'a>)> {
        let tree = self.tree;
        self.places().map(move |key| {
            let name = tree.plain(key).expect("a key on the tape stands for a text");
            (name, Value { name: tree.raw(key).trim_matches('"'), tree, at: key + 1 })
        })
    }

    /// Where the keys lie; what each names lies behind it.
    #[inline]
    fn places(&self) -> impl Iterator<Item = u32> + use<'a> {
        let (tree, end) = (self.tree, self.tree.node(self.at).past);
        let mut next = self.at + 1;
        std::iter::from_fn(move || {
            let key = (next < end).then_some(next)?;
            next = tree.node(key + 1).past;
            Some(key)
        })
    }

    #[inline]
    fn is_key(&self, key: u32, name: &str) -> bool {
        if self.tree.node(key).is_escaped {
            return self.tree.plain(key).is_ok_and(|key| key == name);
        }
        // Most keys differ in their length or their first byte, which saves a call for the rest.
        let (raw, name) = (self.tree.raw(key).as_bytes(), name.as_bytes());
        raw.len() == name.len() + 2
            && name.first().is_none_or(|first| raw[1] == *first)
            && raw[1..raw.len() - 1] == *name
    }
}

impl<'a, 'n> Value<'a, 'n> {
    fn new(name: &'n str, tree: Tree<'a>, at: u32) -> Self {
        Self { name, tree, at }
    }

    /// The same, under another name.
    pub(crate) fn named(self, name: &'n str) -> Self {
        Self { name, ..self }
    }

    /// The JSON as it was sent.
    #[inline]
    pub(crate) fn raw(&self) -> &'a str {
        self.tree.raw(self.at)
    }

    #[inline]
    fn starts_with(&self, byte: u8) -> bool {
        self.tree.text.as_bytes()[self.tree.node(self.at).start as usize] == byte
    }

    pub(crate) fn is_array(&self) -> bool {
        self.starts_with(b'[')
    }

    pub(crate) fn is_text(&self) -> bool {
        self.starts_with(b'"')
    }

    pub(crate) fn refuse(&self, expected: &'static str) -> DecodeError {
        let limit = 60;
        let mut found: String = self.raw().chars().take(limit).collect();
        if found.len() < self.raw().len() {
            found.push('…');
        }
        DecodeError::Field { field: self.name.to_owned(), expected, found }
    }

    pub(crate) fn object(&self) -> Result<Object<'a>, DecodeError> {
        if !self.starts_with(b'{') {
            return Err(self.refuse("an object"));
        }
        Ok(Object { tree: self.tree, at: self.at })
    }

    #[inline]
    pub(crate) fn array(&self) -> Result<Elements<'a, 'n>, DecodeError> {
        if !self.is_array() {
            return Err(self.refuse("a list"));
        }
        let end = self.tree.node(self.at).past;
        Ok(Elements { next: Value { at: self.at + 1, ..*self }, end })
    }

    pub(crate) fn text(&self) -> Result<Cow<'a, str>, DecodeError> {
        if !self.is_text() {
            return Err(self.refuse("a text"));
        }
        self.tree.plain(self.at)
    }

    /// The text of a number, sent as a number or as a text.
    #[inline]
    pub(crate) fn digits(&self) -> Result<&'a str, DecodeError> {
        let raw = self.raw();
        let inner = if self.is_text() { &raw[1..raw.len() - 1] } else { raw };
        match inner.as_bytes() {
            [b'0'..=b'9' | b'-', ..] => Ok(inner),
            _ => Err(self.refuse("a number")),
        }
    }

    pub(crate) fn u64(&self) -> Result<u64, DecodeError> {
        self.digits()?.parse().map_err(|_| self.refuse("a whole number"))
    }

    /// A count of milliseconds or finer since 1970.
    pub(crate) fn time(&self) -> Result<Ts, DecodeError> {
        epoch::from_count(self.u64()?).ok_or_else(|| self.refuse("milliseconds since 1970"))
    }

    /// Seconds since 1970 with a fraction.
    pub(crate) fn seconds(&self) -> Result<Ts, DecodeError> {
        epoch::from_seconds(self.digits()?).ok_or_else(|| self.refuse("seconds since 1970"))
    }

    /// A time as RFC 3339 writes it.
    pub(crate) fn instant(&self) -> Result<Ts, DecodeError> {
        let text = self.text()?;
        Ts::parse(text.as_bytes()).map_err(|_| self.refuse("a time such as 2024-08-08T00:00:00Z"))
    }

    pub(crate) fn money(&self) -> Result<Decimal, DecodeError> {
        let money = decimal::parse_money(self.digits()?.as_bytes());
        money.ok_or_else(|| self.refuse("a number of 28 digits at most"))
    }

    pub(crate) fn bool(&self) -> Result<bool, DecodeError> {
        match self.raw() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(self.refuse("true or false")),
        }
    }
}

impl<'a, 'n> Elements<'a, 'n> {
    /// Those before a place in the list, and the rest.
    pub(crate) fn split_at(self, count: usize) -> (Self, Self) {
        let mut rest = self.clone();
        rest.by_ref().take(count).for_each(drop);
        (Self { end: rest.next.at, ..self }, rest)
    }

    /// The first so many, where there are as many, and what follows them.
    #[inline]
    pub(crate) fn first<const N: usize>(mut self) -> Option<([Value<'a, 'n>; N], Self)> {
        let mut parts = [self.next()?; N];
        for part in parts.iter_mut().skip(1) {
            *part = self.next()?;
        }
        Some((parts, self))
    }

    /// All, where there are exactly so many.
    #[inline]
    pub(crate) fn exactly<const N: usize>(self) -> Option<[Value<'a, 'n>; N]> {
        let (parts, mut rest) = self.first()?;
        rest.next().is_none().then_some(parts)
    }
}

impl<'a, 'n> Iterator for Elements<'a, 'n> {
    type Item = Value<'a, 'n>;

    #[inline]
    fn next(&mut self) -> Option<Value<'a, 'n>> {
        let value = (self.next.at < self.end).then_some(self.next)?;
        self.next.at = value.tree.node(value.at).past;
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_by_name_and_keep_their_text() {
        let text = r#" {"a" :1.50,"b":"2e-7","c":null,"d\u0041":[1,"x\u00e9", {}],"a": 3 }"#;
        let mut tape = Tape::default();
        let object = tape.read(text.as_bytes()).unwrap().object().unwrap();
        assert_eq!(object.get("a").unwrap().digits(), Ok("3"));
        assert_eq!(object.get("b").unwrap().digits(), Ok("2e-7"));
        assert!(!object.has("c") && !object.has("e"));
        let list = object.get("dA").unwrap().array().unwrap();
        assert_eq!(list.clone().count(), 3);
        let ([one, text], rest) = list.clone().first().unwrap();
        assert_eq!((one.u64(), text.text().unwrap().as_ref()), (Ok(1), "xé"));
        assert_eq!(rest.map(|value| value.raw()).collect::<Vec<_>>(), ["{}"]);
        let (before, behind) = list.clone().split_at(1);
        assert_eq!((before.count(), behind.count()), (1, 2));
        assert_eq!(list.clone().split_at(9).0.count(), 3);
        assert!(list.clone().exactly::<2>().is_none() && list.first::<4>().is_none());
        let keys: Vec<_> = object.members().map(|(key, value)| (key, value.raw())).collect();
        assert_eq!(keys[3], ("dA".into(), r#"[1,"x\u00e9", {}]"#));
        assert_eq!((keys.len(), &keys[4]), (5, &("a".into(), "3")));
    }

    #[test]
    fn misfits_name_the_field_and_what_was_found() {
        let mut tape = Tape::default();
        let text = br#"{"p":"NaN","q":[1],"t":"x","u":1.5,"h":"\ud800"}"#;
        let object = tape.read(text).unwrap().object().unwrap();
        let found = object.need("p").unwrap().digits().unwrap_err().to_string();
        assert_eq!(found, "field `p`: expected a number, found \"NaN\"");
        assert!(object.need("q").unwrap().text().is_err());
        assert!(object.need("u").unwrap().u64().is_err());
        assert!(object.need("u").unwrap().array().is_err());
        let half = object.need("h").unwrap().text().unwrap_err().to_string();
        assert!(half.starts_with("not JSON: expected a text of whole characters"), "{half}");
        let missing = object.need("z").unwrap_err().to_string();
        assert_eq!(missing, "field `z`: expected a value, found nothing");
    }
}
