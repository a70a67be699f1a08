//! JSON of any shape, with every number left as the text that was sent.
//!
//! Prices and sizes go from this text to mantissas, and checksums are taken over it, so nothing here
//! passes through a float. Errors name the field. What is hot has a road of its own (`scan`).

use std::borrow::Cow;
use std::fmt;

use qt_model::decimal;
use qt_model::time::Ts;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::epoch;
use crate::frame::DecodeError;

/// The members of an object, in the order sent.
#[derive(Debug)]
pub(crate) struct Object<'a> {
    members: Vec<(Cow<'a, str>, &'a RawValue)>,
}

/// A value, with the name to use in errors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value<'a, 'n> {
    name: &'n str,
    raw: &'a RawValue,
}

/// The message as a whole.
pub(crate) fn root(bytes: &[u8]) -> Result<Value<'_, 'static>, DecodeError> {
    let raw = serde_json::from_slice::<&RawValue>(bytes).map_err(|error| not_json(&error))?;
    Ok(Value { name: "the message", raw })
}

/// The message, where it has to be an object.
pub(crate) fn object(bytes: &[u8]) -> Result<Object<'_>, DecodeError> {
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return root(bytes)?.object();
    }
    serde_json::from_slice(bytes).map_err(|error| not_json(&error))
}

/// The elements of a message that is a list.
pub(crate) fn array<'a>(
    bytes: &'a [u8],
    name: &'static str,
) -> Result<Vec<Value<'a, 'static>>, DecodeError> {
    let raw: Vec<&RawValue> = serde_json::from_slice(bytes).map_err(|error| not_json(&error))?;
    Ok(raw.into_iter().map(|raw| Value { name, raw }).collect())
}

fn not_json(error: &serde_json::Error) -> DecodeError {
    // The message is one line, so the column is the byte, counted from one.
    let byte = error.column().saturating_sub(1);
    let text = error.to_string();
    let message = text.split(" at line ").next().unwrap_or(&text).to_owned();
    DecodeError::Json { byte, message }
}

impl<'a> Object<'a> {
    /// A member that may be missing; `null` counts as missing. The last of two counts.
    pub(crate) fn get<'n>(&self, name: &'n str) -> Option<Value<'a, 'n>> {
        let found = self.members.iter().rev().find(|(key, _)| key == name);
        let raw = found.map(|(_, raw)| *raw).filter(|raw| raw.get() != "null")?;
        Some(Value { name, raw })
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

    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, Value<'a, '_>)> {
        self.members.iter().map(|(key, raw)| (&**key, Value { name: key, raw }))
    }
}

impl<'a, 'n> Value<'a, 'n> {
    /// The JSON as it was sent.
    pub(crate) fn raw(&self) -> &'a str {
        self.raw.get()
    }

    pub(crate) fn is_object(&self) -> bool {
        self.raw().starts_with('{')
    }

    pub(crate) fn is_array(&self) -> bool {
        self.raw().starts_with('[')
    }

    pub(crate) fn is_text(&self) -> bool {
        self.raw().starts_with('"')
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
        if !self.is_object() {
            return Err(self.refuse("an object"));
        }
        serde_json::from_str(self.raw()).map_err(|error| not_json(&error))
    }

    /// The elements, under the name of the list.
    pub(crate) fn array(&self) -> Result<Vec<Value<'a, 'n>>, DecodeError> {
        if !self.is_array() {
            return Err(self.refuse("a list"));
        }
        let raw: Vec<&'a RawValue> =
            serde_json::from_str(self.raw()).map_err(|error| not_json(&error))?;
        Ok(raw.into_iter().map(|raw| Value { name: self.name, raw }).collect())
    }

    pub(crate) fn text(&self) -> Result<Cow<'a, str>, DecodeError> {
        if !self.is_text() {
            return Err(self.refuse("a text"));
        }
        let plain = &self.raw()[1..self.raw().len() - 1];
        if !plain.contains('\\') {
            return Ok(Cow::Borrowed(plain));
        }
        serde_json::from_str(self.raw()).map(Cow::Owned).map_err(|error| not_json(&error))
    }

    /// The text of a number, sent as a number or as a text.
    pub(crate) fn digits(&self) -> Result<&'a str, DecodeError> {
        let raw = self.raw();
        let inner = raw.strip_prefix('"').map_or(raw, |rest| &rest[..rest.len() - 1]);
        let is_number = inner.starts_with(|first: char| first.is_ascii_digit() || first == '-');
        if is_number { Ok(inner) } else { Err(self.refuse("a number")) }
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

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(key) = map.next_key::<Key<'de>>()? {
                    members.push((key.0, map.next_value::<&'de RawValue>()?));
                }
                Ok(Object { members })
            }
        }

        deserializer.deserialize_map(Members)
    }
}

/// A key, borrowed where it holds no escape.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_by_name_and_keep_their_text() {
        let text = r#"{"a":1.50,"b":"2e-7","c":null,"d\u0041":[1,"x"],"a":3}"#;
        let object = root(text.as_bytes()).unwrap().object().unwrap();
        assert_eq!(object.get("a").unwrap().digits(), Ok("3"));
        assert_eq!(object.get("b").unwrap().digits(), Ok("2e-7"));
        assert!(!object.has("c") && !object.has("e"));
        assert_eq!(object.get("dA").unwrap().array().unwrap().len(), 2);
    }

    #[test]
    fn misfits_name_the_field_and_what_was_found() {
        let object = root(br#"{"p":"NaN","q":[1],"t":"x","u":1.5}"#).unwrap().object().unwrap();
        let found = object.need("p").unwrap().digits().unwrap_err().to_string();
        assert_eq!(found, "field `p`: expected a number, found \"NaN\"");
        assert!(object.need("q").unwrap().text().is_err());
        assert!(object.need("u").unwrap().u64().is_err());
        let missing = object.need("z").unwrap_err().to_string();
        assert_eq!(missing, "field `z`: expected a value, found nothing");
        assert!(matches!(root(b"{\"a\":}"), Err(DecodeError::Json { byte: 5, .. })));
        assert!(root(b"{} {}").is_err());
    }
}
