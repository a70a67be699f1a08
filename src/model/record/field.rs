//! What a record is made of: fields with a name, a type and a value of that type.
//!
//! One table of fields per kind drives every codec, the JSON Schemas and the Arrow schemas.
//! Hot kinds have quicker codecs beside this general road; tests hold the two together.

use std::borrow::Cow;
use std::sync::Arc;

use rust_decimal::Decimal;

use crate::ids::{
    AccountId, ClientOrderId, DecisionId, FillId, IntentId, OrderId, RunId, StrategyId, TraceId,
    VenueOrderId,
};
use crate::time::Ts;
use crate::units::{Px, Qty};
use crate::words::Word;

/// The type of a field, as all encodings know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    Bool,
    U64,
    F64,
    Ts,
    /// A price at the scale of the record's instrument.
    Px,
    /// A size at the scale of the record's instrument.
    Qty,
    /// Money and rates: exact, up to 28 digits.
    Decimal,
    Text,
    /// One of a closed list of words.
    Word(&'static [&'static str]),
    /// Features: finite numbers, or nothing where there is no value yet.
    F64List,
}

/// One field of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: &'static str,
    pub doc: &'static str,
    pub ty: FieldType,
    pub required: bool,
}

/// The value of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    Absent,
    Bool(bool),
    U64(u64),
    F64(f64),
    Ts(Ts),
    Px(Px),
    Qty(Qty),
    Decimal(Decimal),
    Text(Cow<'a, str>),
    /// The position in the list of the field's type.
    Word(usize),
    F64List(Cow<'a, [Option<f64>]>),
}

/// A Rust type that can stand in a field.
pub trait FieldValue: Sized {
    const TYPE: FieldType;
    const REQUIRED: bool = true;

    fn value(&self) -> Value<'_>;

    /// The inverse of `value`; `None` where the value is of another type or absent.
    fn take(value: Value<'_>) -> Option<Self>;
}

macro_rules! plain_fields {
    ($($rust:ty => $variant:ident,)*) => {$(
        impl FieldValue for $rust {
            const TYPE: FieldType = FieldType::$variant;

            #[inline]
            fn value(&self) -> Value<'_> {
                Value::$variant(*self)
            }

            #[inline]
            fn take(value: Value<'_>) -> Option<Self> {
                if let Value::$variant(value) = value { Some(value) } else { None }
            }
        }
    )*};
}

plain_fields! {
    bool => Bool,
    u64 => U64,
    f64 => F64,
    Ts => Ts,
    Px => Px,
    Qty => Qty,
    Decimal => Decimal,
}

macro_rules! text_fields {
    ($($rust:ty,)*) => {$(
        impl FieldValue for $rust {
            const TYPE: FieldType = FieldType::Text;

            fn value(&self) -> Value<'_> {
                Value::Text(Cow::Borrowed(self.as_str()))
            }

            fn take(value: Value<'_>) -> Option<Self> {
                if let Value::Text(text) = value { Some(Self::from(&*text)) } else { None }
            }
        }
    )*};
}

text_fields! {
    String, AccountId, ClientOrderId, DecisionId, FillId, IntentId, OrderId, RunId, StrategyId,
    TraceId, VenueOrderId,
}

/// A text that many rows share.
impl FieldValue for Arc<str> {
    const TYPE: FieldType = FieldType::Text;

    fn value(&self) -> Value<'_> {
        Value::Text(Cow::Borrowed(self))
    }

    fn take(value: Value<'_>) -> Option<Self> {
        if let Value::Text(text) = value { Some(Self::from(&*text)) } else { None }
    }
}

impl<W: Word> FieldValue for W {
    const TYPE: FieldType = FieldType::Word(W::WORDS);

    #[inline]
    fn value(&self) -> Value<'_> {
        Value::Word(self.index())
    }

    #[inline]
    fn take(value: Value<'_>) -> Option<Self> {
        if let Value::Word(index) = value { Self::from_index(index) } else { None }
    }
}

impl FieldValue for Vec<Option<f64>> {
    const TYPE: FieldType = FieldType::F64List;

    fn value(&self) -> Value<'_> {
        Value::F64List(Cow::Borrowed(self))
    }

    fn take(value: Value<'_>) -> Option<Self> {
        if let Value::F64List(list) = value { Some(list.into_owned()) } else { None }
    }
}

impl<T: FieldValue> FieldValue for Option<T> {
    const TYPE: FieldType = T::TYPE;
    const REQUIRED: bool = false;

    #[inline]
    fn value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Absent, T::value)
    }

    #[inline]
    fn take(value: Value<'_>) -> Option<Self> {
        if value == Value::Absent { Some(None) } else { T::take(value).map(Some) }
    }
}

impl FieldType {
    /// What a reader expected, for messages.
    pub fn expected(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Bool => "true or false",
            Self::U64 => "a whole number from 0 to 18446744073709551615",
            Self::F64 => "a finite number",
            Self::Ts => "a time such as 2024-08-08T00:00:00.123456789Z, or integer nanoseconds",
            Self::Px => "a decimal number, or the same as a string",
            Self::Qty => "a decimal number of zero or more, or the same as a string",
            Self::Decimal => "a decimal number of at most 28 digits, or the same as a string",
            Self::Text => "a string",
            Self::Word(words) => return Cow::Owned(format!("one of {}", words.join(", "))),
            Self::F64List => "a list of finite numbers and nulls",
        })
    }
}
