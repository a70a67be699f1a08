//! The vocabulary: every kind of record that a stream carries, as Rust types.
//!
//! Each record has a [`Head`] (two clocks, sequence, instrument) and fields of its own, listed once
//! in the struct and read by every codec through [`Row`]. Records live in a [`Batch`] and are seen
//! as [`Record`]. `stream` and `end`, which frame a stream, belong to the codecs.

mod batch;
mod columns;
mod derived;
mod field;
mod key;
mod kinds;
mod market;
mod runs;
mod source;
mod terms;
mod trading;

pub use batch::{Batch, Slot};
pub use columns::{
    BarCells, BarColumns, BarStep, ColumnTable, ColumnView, QuoteCells, QuoteColumns, SharedBars,
    SharedColumn, SharedColumns, SharedQuotes,
};
pub use derived::{Feature, Label};
pub use field::{Field, FieldType, FieldValue, Value};
pub use key::Key;
pub use kinds::{Kind, Record, Table, View};
pub use market::{
    Bar, Depth, Funding, Gap, InstrumentRow, Level, Mark, Mbo, Other, Quote, Status, Trade,
};
pub use runs::{Audit, Diff, Equity, Finding, Health, Metric, Run};
pub use source::{Sequence, Source};
pub use trading::{
    Account, Breach, Decision, Enforcement, Fill, FillQuality, InputRow, Intent, Lockout, Order,
    Position, RoundTrip, Verdict,
};

use crate::ids::InstrumentId;
use crate::time::Ts;

/// What every record begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The venue's clock; equal to `ts_recv` where the venue gave none.
    pub ts_event: Ts,
    /// Our clock: the one that orders a stream.
    pub ts_recv: Ts,
    /// The place within one source: a venue, kind and symbol.
    pub seq: u64,
    pub instrument: Option<InstrumentId>,
    /// Whether `ts_event` came from the venue.
    pub has_event_time: bool,
}

impl Head {
    pub fn new(ts_event: Ts, ts_recv: Ts, seq: u64, instrument: Option<InstrumentId>) -> Self {
        Self { ts_event, ts_recv, seq, instrument, has_event_time: true }
    }
}

/// Whether records of a kind name an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SymbolRule {
    Required,
    Optional,
}

/// A kind of record: its name, its fields, and the road between values and struct.
pub trait Row: Clone {
    const NAME: &'static str;
    const DOC: &'static str;
    const SYMBOL: SymbolRule;
    const FIELDS: &'static [Field];

    fn head(&self) -> &Head;

    fn head_mut(&mut self) -> &mut Head;

    /// The value of the field at that position of `FIELDS`.
    fn value(&self, field: usize) -> Value<'_>;

    /// Builds a row; on a misfit, the position of the field that does not take its value.
    fn from_values(head: Head, values: &mut [Value<'_>]) -> Result<Self, usize>;
}

/// Declares row types: `/// doc`, `Name "kind" symbol-rule { fields }`.
macro_rules! rows {
    ($($(#[doc = $doc:literal])+ $(#[derive($($derive:ident),*)])? $name:ident $kind:literal $rule:ident {
        $($(#[doc = $fdoc:literal])+ $field:ident: $ty:ty,)*
    })*) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Debug $(, $($derive),*)?)]
        pub struct $name {
            pub head: crate::record::Head,
            $($(#[doc = $fdoc])+ pub $field: $ty,)*
        }

        impl crate::record::Row for $name {
            const NAME: &'static str = $kind;
            const DOC: &'static str = concat!($($doc),+);
            const SYMBOL: crate::record::SymbolRule = crate::record::SymbolRule::$rule;
            const FIELDS: &'static [crate::record::Field] = &[$(crate::record::Field {
                name: stringify!($field),
                doc: concat!($($fdoc),+),
                ty: <$ty as crate::record::FieldValue>::TYPE,
                required: <$ty as crate::record::FieldValue>::REQUIRED,
            }),*];

            #[inline]
            fn head(&self) -> &crate::record::Head {
                &self.head
            }

            #[inline]
            fn head_mut(&mut self) -> &mut crate::record::Head {
                &mut self.head
            }

            fn value(&self, field: usize) -> crate::record::Value<'_> {
                let mut at = 0;
                $(
                    if field == at {
                        return crate::record::FieldValue::value(&self.$field);
                    }
                    at += 1;
                )*
                panic!("{} has {at} fields and no field {field}", $kind)
            }

            fn from_values(
                head: crate::record::Head,
                values: &mut [crate::record::Value<'_>],
            ) -> Result<Self, usize> {
                assert_eq!(values.len(), Self::FIELDS.len(), "values of a {}", $kind);
                let mut at = 0;
                $(
                    let value = std::mem::replace(&mut values[at], crate::record::Value::Absent);
                    let $field: $ty = crate::record::FieldValue::take(value).ok_or(at)?;
                    at += 1;
                )*
                debug_assert_eq!(at, values.len(), "every value is taken");
                Ok(Self { head, $($field),* })
            }
        }
    )*};
}
pub(crate) use rows;
