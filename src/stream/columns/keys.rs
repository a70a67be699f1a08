//! Symbols as keys of a dictionary.
//!
//! A writer meets few instruments of a table that may have thousands, so it keeps the ones it met
//! and no more: a catalog has a writer per partition.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use qt_model::ids::InstrumentId;
use qt_model::instrument::Instruments;

/// The dictionary of one column of symbols. It only grows.
#[derive(Debug, Default)]
pub(super) struct SymbolKeys {
    /// Sorted by instrument.
    known: Vec<(InstrumentId, i32)>,
    symbols: Vec<String>,
    last: Option<(InstrumentId, i32)>,
    array: Option<ArrayRef>,
}

impl SymbolKeys {
    /// The key of an instrument, which joins the dictionary if it is new.
    #[inline]
    pub(super) fn key(&mut self, id: InstrumentId, instruments: &Instruments) -> i32 {
        if let Some((last, key)) = self.last
            && last == id
        {
            return key;
        }
        let key = match self.known.binary_search_by_key(&id, |(known, _)| *known) {
            Ok(at) => self.known[at].1,
            Err(at) => {
                let key =
                    i32::try_from(self.symbols.len()).expect("fewer symbols than two billion");
                self.symbols.push(instruments.get(id).symbol.as_str().to_owned());
                self.known.insert(at, (id, key));
                self.array = None;
                key
            }
        };
        self.last = Some((id, key));
        key
    }

    /// The values of the dictionary: the same array until a symbol joins, so that a stream need
    /// not repeat it.
    pub(super) fn values(&mut self) -> ArrayRef {
        // Keys that are masked out still point at a value.
        let or_empty = || if self.symbols.is_empty() { vec![""] } else { Vec::new() };
        let symbols = self.symbols.iter().map(String::as_str);
        let make =
            || Arc::new(StringArray::from_iter_values(symbols.chain(or_empty()))) as ArrayRef;
        Arc::clone(self.array.get_or_insert_with(make))
    }
}
