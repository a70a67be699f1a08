//! The rows of a table at hand: their heads, and the columns that every kind asks for.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, UInt64Array};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::{DataType, Int32Type, TimestampNanosecondType, UInt32Type, UInt64Type};
use qt_model::ids::InstrumentId;
use qt_model::record::{Head, Kind, SymbolRule};
use qt_model::time::Ts;
use qt_model::units::Scale;

use super::cells::{DecimalCells, Numbers, WordCells};
use super::convert::column;
use super::schema::{symbol_type, word_type};
use crate::error::Problem;
use crate::symbols::Symbols;

/// What the texts of a dictionary of symbols came to.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    pub(super) ids: Vec<Option<InstrumentId>>,
    /// By key, why a text names no instrument: blamed on the rows that use it.
    pub(super) refused: BTreeMap<usize, Problem>,
}

/// The instruments of the rows of a table.
#[derive(Clone, Debug)]
pub(super) enum OfRows {
    /// All rows have this one.
    One(Option<InstrumentId>),
    Many(Vec<Option<InstrumentId>>),
}

impl Default for OfRows {
    fn default() -> Self {
        Self::One(None)
    }
}

/// `ts_event`, `ts_recv` and `seq` of rows that lack nothing, and the scales of price and size.
pub(super) type PlainHeads =
    (ScalarBuffer<i64>, ScalarBuffer<i64>, ScalarBuffer<u64>, (Scale, Scale));

/// The clocks, symbols and numbers of the rows of a table.
pub(super) struct Heads {
    pub(super) event: Option<Numbers<TimestampNanosecondType>>,
    pub(super) recv: Option<Numbers<TimestampNanosecondType>>,
    pub(super) ids: Ids,
    pub(super) seq: Option<Numbers<UInt64Type>>,
    pub(super) ordinal: Option<Numbers<UInt64Type>>,
    pub(super) feed_latency_ns: i64,
    pub(super) first_row: u64,
}

/// The instruments of the rows, and the keys from which they come.
#[derive(Debug, Default)]
pub(super) struct Ids {
    pub(super) of_rows: OfRows,
    pub(super) keys: Option<Numbers<Int32Type>>,
    pub(super) resolved: Arc<Resolved>,
}

impl OfRows {
    #[inline]
    pub(super) fn get(&self, row: usize) -> Option<InstrumentId> {
        match self {
            Self::One(id) => *id,
            Self::Many(ids) => ids[row],
        }
    }
}

/// A table at hand.
pub(super) struct Rows<'t> {
    pub(super) table: &'t RecordBatch,
    pub(super) heads: Heads,
    pub(super) symbols: &'t Symbols,
    pub(super) kind: Kind,
}

impl Rows<'_> {
    pub(super) fn len(&self) -> usize {
        self.table.num_rows()
    }

    /// The clocks, the numbers and the one pair of scales, where nothing is missing and all
    /// instruments have the scales of the columns.
    pub(super) fn plain_heads(&self) -> Option<PlainHeads> {
        let event = self.heads.event.as_ref()?.plain()?;
        let recv = self.heads.recv.as_ref()?.plain()?;
        let seq = self.heads.seq.as_ref()?.plain()?;
        let scales = |id: Option<InstrumentId>| id.map(|id| self.symbols.scales(id));
        let scales = match &self.heads.ids.of_rows {
            OfRows::One(id) => scales(*id)?,
            OfRows::Many(ids) => {
                let first = scales(*ids.first()?)?;
                ids.iter().all(|id| scales(*id) == Some(first)).then_some(first)?
            }
        };
        Some((event.clone(), recv.clone(), seq.clone(), scales))
    }

    pub(super) fn ordinals(&self) -> Option<&[u64]> {
        self.heads.ordinal.as_ref().and_then(Numbers::plain).map(|ordinals| &ordinals[..])
    }

    #[inline]
    pub(super) fn ordinal(&self, row: usize) -> Option<u64> {
        self.heads.ordinal.as_ref().and_then(|ordinals| ordinals.get(row))
    }

    #[inline]
    pub(super) fn head(&self, row: usize) -> Result<Head, Problem> {
        let heads = &self.heads;
        let event = heads.event.as_ref().and_then(|event| event.get(row));
        let recv = heads.recv.as_ref().and_then(|recv| recv.get(row));
        let ts_recv = match (recv, event) {
            (Some(recv), _) => Ts::from_nanos(recv),
            (None, Some(event)) => Ts::from_nanos(event)
                .checked_add_nanos(heads.feed_latency_ns)
                .ok_or_else(|| self.missing("ts_recv", "a time within range"))?,
            (None, None) => return Err(self.missing("ts_recv", "a time here or in `ts_event`")),
        };
        let instrument = heads.ids.of_rows.get(row);
        if instrument.is_none() {
            self.refuse_symbol(row)?;
        }
        let seq = heads.seq.as_ref().and_then(|seq| seq.get(row));
        let seq = seq.unwrap_or(heads.first_row + row as u64);
        let ts_event = event.map_or(ts_recv, Ts::from_nanos);
        Ok(Head { ts_event, ts_recv, seq, instrument, has_event_time: event.is_some() })
    }

    /// Refuses a row whose text names no instrument, or that needs one and has none.
    #[cold]
    fn refuse_symbol(&self, row: usize) -> Result<(), Problem> {
        let key = self.heads.ids.keys.as_ref().and_then(|keys| keys.get(row));
        let key = key.and_then(|key| usize::try_from(key).ok());
        match key.and_then(|key| self.heads.ids.resolved.refused.get(&key)) {
            Some(Problem::Symbol { source }) => Err(Problem::Symbol { source: source.clone() }),
            Some(Problem::Table { source }) => Err(Problem::Table { source: source.clone() }),
            Some(other) => Err(Problem::Row { message: other.to_string() }),
            None if self.kind.symbol_rule() == SymbolRule::Required => {
                Err(self.missing("sym", "a symbol such as binance:BTCUSDT"))
            }
            None => Ok(()),
        }
    }

    pub(super) fn missing(&self, field: &'static str, expected: &str) -> Problem {
        Problem::Missing { kind: self.kind.name(), field, expected: expected.to_owned() }
    }

    #[inline]
    pub(super) fn scales(&self, head: &Head) -> (Scale, Scale) {
        head.instrument.map_or((Scale::ZERO, Scale::ZERO), |id| self.symbols.scales(id))
    }

    pub(super) fn decimals(&self, name: &'static str) -> Result<Option<DecimalCells>, Problem> {
        DecimalCells::of(self.table, name)
    }

    pub(super) fn words(
        &self,
        name: &'static str,
        words: &'static [&'static str],
    ) -> Result<Option<WordCells>, Problem> {
        // Strangers may know more strings than our narrow keys can name.
        let narrow = word_type();
        let is_ours = |array: &ArrayRef| *array.data_type() == narrow;
        let array = match self.table.column_by_name(name) {
            Some(array) if is_ours(array) => Some(Arc::clone(array)),
            Some(_) | None => column(self.table, name, &symbol_type())?,
        };
        Ok(array.map(|array| WordCells::new(name, &array, words)))
    }

    pub(super) fn whole(&self, name: &'static str) -> Result<Option<UInt64Array>, Problem> {
        let array = column(self.table, name, &DataType::UInt64)?;
        Ok(array.map(|array| array.as_primitive::<UInt64Type>().clone()))
    }

    pub(super) fn numbers(
        &self,
        name: &'static str,
    ) -> Result<Option<Numbers<UInt32Type>>, Problem> {
        let array = column(self.table, name, &DataType::UInt32)?;
        Ok(array.map(|array| Numbers::new(array.as_primitive::<UInt32Type>())))
    }
}
