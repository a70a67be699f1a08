//! One JSON object as its keys and the exact text of their values.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::Problem;

/// The members of an object, in the order of the text.
#[derive(Debug, Default)]
pub(crate) struct Object<'a> {
    members: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> Object<'a> {
    /// Parses a text that is one object and nothing else.
    pub(crate) fn parse(text: &'a [u8]) -> Result<Self, Problem> {
        let text = std::str::from_utf8(text)
            .map_err(|error| Problem::NotUtf8 { byte: error.valid_up_to() })?;
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let object = (&mut deserializer).deserialize_map(Members).map_err(|error| json(&error))?;
        deserializer.end().map_err(|error| json(&error))?;
        object.refuse_duplicates()?;
        Ok(object)
    }

    fn refuse_duplicates(&self) -> Result<(), Problem> {
        // Objects are small, where a set would cost more than the pairs; hostile ones are not.
        const FEW: usize = 40;
        if self.members.len() > FEW {
            let mut seen = BTreeSet::new();
            let twice = self.members.iter().find(|(key, _)| !seen.insert(key));
            return twice.map_or(Ok(()), |(key, _)| {
                Err(Problem::DuplicateKey { key: key.clone().into_owned() })
            });
        }
        for (at, (key, _)) in self.members.iter().enumerate() {
            if self.members[..at].iter().any(|(earlier, _)| earlier == key) {
                return Err(Problem::DuplicateKey { key: key.clone().into_owned() });
            }
        }
        Ok(())
    }

    /// The exact text of a member's value; `null` counts as absent.
    pub(crate) fn get(&self, key: &str) -> Option<&'a str> {
        let (_, value) = self.members.iter().find(|(name, _)| name == key)?;
        Some(value.get()).filter(|text| *text != "null")
    }
}

fn json(error: &serde_json::Error) -> Problem {
    Problem::Json { column: error.column(), message: message(error) }
}

/// What the library says, without the position that it appends and that our places say.
pub(crate) fn message(error: &serde_json::Error) -> String {
    let message = error.to_string();
    message.rsplit_once(" at line ").map_or(message.as_str(), |(text, _)| text).to_owned()
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Object<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Object<'de>, M::Error> {
        let mut members = Vec::with_capacity(16);
        while let Some(key) = map.next_key_seed(Key)? {
            members.push((key, map.next_value()?));
        }
        Ok(Object { members })
    }
}

/// A key, borrowed where it has no escapes.
struct Key;

impl<'de> serde::de::DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// The value of a JSON string literal; `None` for any other value.
pub(crate) fn string(text: &str) -> Option<Cow<'_, str>> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        return serde_json::from_str(text).ok().map(Cow::Owned);
    }
    Some(Cow::Borrowed(inner))
}
