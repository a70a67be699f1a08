//! Numbers that go on where the catalog or the database ends.

use std::collections::BTreeMap;

use qt_model::ids::InstrumentId;
use qt_model::instrument::Instruments;
use qt_model::record::{Batch, Kind, Source};
use qt_model::time::Ts;
use qt_store::Ends;
use qt_stream::catalog::{Catalog, Part, Selection, SymbolPattern};
use qt_stream::error::ReadError;
use qt_stream::parquet_file::{ParquetReader, Span};
use qt_stream::read::Options;

/// The next number of each source of a venue.
#[derive(Debug, Default)]
pub struct Numbers {
    /// What the catalog has, by kind and symbol.
    known: BTreeMap<(Kind, String), u64>,
    next: BTreeMap<(Kind, Option<InstrumentId>), u64>,
    /// The last record of the venue: the clock goes on behind it.
    pub last: Option<Ts>,
}

impl Numbers {
    /// Reads the ends of what the catalog has of a venue: the last file of each source.
    pub fn of_catalog(catalog: &Catalog, venue: &str) -> Result<Self, ReadError> {
        let options = Options::default();
        let kinds = Kind::ALL.iter().copied().filter(|kind| kind.is_market()).collect();
        let symbols = vec![SymbolPattern::new(&format!("{venue}:*"))];
        let selection = Selection { span: Span::ALL, kinds: Some(kinds), symbols };
        let mut ends: BTreeMap<(Kind, String), Part> = BTreeMap::new();
        for part in catalog.parts(&selection, &options)? {
            let Some(symbol) = part.partition.symbol.as_ref() else { continue };
            let key = (part.partition.kind, symbol.to_string());
            let last = |part: &Part| part.description.span.map(|(_, last)| last);
            if ends.get(&key).is_none_or(|known| last(known) < last(&part)) {
                ends.insert(key, part);
            }
        }
        let mut numbers = Self::default();
        for (key, part) in ends {
            let Some((_, last)) = part.description.span else { continue };
            let to = last.checked_add_nanos(1).unwrap_or(Ts::MAX);
            let span = Span { from: last, to };
            let mut reader = ParquetReader::new(&part.path, span, options.clone());
            let mut batch = Batch::default();
            while reader.next(&mut batch)? {
                for record in batch.iter() {
                    let next = numbers.known.entry(key.clone()).or_default();
                    *next = (*next).max(record.head().seq + 1);
                }
            }
            numbers.last = numbers.last.max(Some(last));
        }
        Ok(numbers)
    }

    /// The same of a database.
    pub(super) fn of_ends(ends: Ends) -> Self {
        Self { known: ends.next, last: ends.last, next: BTreeMap::new() }
    }

    /// The number of the next record of a source.
    pub(super) fn next(
        &mut self,
        kind: Kind,
        instrument: Option<InstrumentId>,
        table: &Instruments,
    ) -> u64 {
        let known = &self.known;
        let next = self.next.entry((kind, instrument)).or_insert_with(|| {
            let symbol = instrument.map(|id| table.get(id).symbol.to_string());
            symbol.and_then(|symbol| known.get(&(kind, symbol)).copied()).unwrap_or(0)
        });
        let number = *next;
        *next += 1;
        number
    }
}
