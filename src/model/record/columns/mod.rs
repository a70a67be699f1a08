//! Records as columns that lie elsewhere: what a decoder can show without making rows.
//!
//! Invariants: the columns of a view are equally long, nothing in them is absent but for what none of
//! its records has, and no size is negative. Absent on purpose: memory. Whoever decoded the columns
//! keeps them, or shares them with a table.

mod bars;
mod quotes;

use std::fmt;
use std::sync::Arc;

pub use bars::{BarCells, BarColumns, BarStep, SharedBars};
pub use quotes::{QuoteCells, QuoteColumns, SharedQuotes};

use super::{Batch, Kind, Record, View};
use crate::ids::InstrumentId;
use crate::instrument::Instruments;

/// A column that several read, wherever it lies.
pub type SharedColumn<T> = Arc<dyn AsRef<[T]> + Send + Sync>;

/// What a table is made of.
#[derive(Clone, Debug)]
pub enum SharedColumns {
    Quotes(SharedQuotes),
    Bars(SharedBars),
}

/// What a table shows.
#[derive(Clone, Copy, Debug)]
pub enum ColumnView<'a> {
    Quotes(QuoteColumns<'a>),
    Bars(BarColumns<'a>),
}

/// Records of one kind and one instrument whose columns are kept for as long as somebody reads them. A
/// copy shares them.
#[derive(Clone)]
pub struct ColumnTable {
    instruments: Arc<Instruments>,
    instrument: InstrumentId,
    columns: SharedColumns,
    len: usize,
}

impl From<SharedQuotes> for SharedColumns {
    fn from(quotes: SharedQuotes) -> Self {
        Self::Quotes(quotes)
    }
}

impl From<SharedBars> for SharedColumns {
    fn from(bars: SharedBars) -> Self {
        Self::Bars(bars)
    }
}

impl ColumnTable {
    /// A table, if its columns are those of a view, such as [of quotes](QuoteColumns::new).
    pub fn new(
        instruments: Arc<Instruments>,
        instrument: InstrumentId,
        columns: impl Into<SharedColumns>,
    ) -> Option<Self> {
        let columns = columns.into();
        let len = match &columns {
            SharedColumns::Quotes(it) => QuoteColumns::new(instrument, it.cells())?.len(),
            SharedColumns::Bars(it) => BarColumns::new(instrument, it.of, it.cells())?.len(),
        };
        Some(Self { instruments, instrument, columns, len })
    }

    pub fn instruments(&self) -> &Arc<Instruments> {
        &self.instruments
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn instrument(&self) -> InstrumentId {
        self.instrument
    }

    #[inline]
    pub fn kind(&self) -> Kind {
        match &self.columns {
            SharedColumns::Quotes(_) => Kind::Quote,
            SharedColumns::Bars(_) => Kind::Bar,
        }
    }

    /// Whether another table goes on with the same: quotes of the instrument, or bars of it that are as
    /// long.
    pub fn is_like(&self, other: &Self) -> bool {
        let are_alike = match (&self.columns, &other.columns) {
            (SharedColumns::Quotes(_), SharedColumns::Quotes(_)) => true,
            (SharedColumns::Bars(one), SharedColumns::Bars(two)) => one.of == two.of,
            (SharedColumns::Quotes(_) | SharedColumns::Bars(_), _) => false,
        };
        are_alike && self.instrument == other.instrument
    }

    /// When each happened, in nanoseconds.
    #[inline]
    pub fn ts_event(&self) -> &[i64] {
        match &self.columns {
            SharedColumns::Quotes(quotes) => (*quotes.ts_event).as_ref(),
            SharedColumns::Bars(bars) => (*bars.ts_event).as_ref(),
        }
    }

    /// When each was received.
    #[inline]
    pub fn ts_recv(&self) -> &[i64] {
        match &self.columns {
            SharedColumns::Quotes(quotes) => (*quotes.ts_recv).as_ref(),
            SharedColumns::Bars(bars) => (*bars.ts_recv).as_ref(),
        }
    }

    /// Between which prices each lies: bids and asks; of bars both are the close.
    #[inline]
    pub fn prices(&self) -> (&[i64], &[i64]) {
        match &self.columns {
            SharedColumns::Quotes(it) => ((*it.bid_px).as_ref(), (*it.ask_px).as_ref()),
            SharedColumns::Bars(it) => ((*it.close).as_ref(), (*it.close).as_ref()),
        }
    }

    /// All of them. What was checked once is not checked again.
    #[inline]
    pub fn view(&self) -> ColumnView<'_> {
        let id = self.instrument;
        match &self.columns {
            SharedColumns::Quotes(it) => ColumnView::Quotes(QuoteColumns::checked(id, it.cells())),
            SharedColumns::Bars(it) => ColumnView::Bars(BarColumns::checked(id, it.of, it.cells())),
        }
    }

    /// Shows one of them as a record.
    #[inline]
    pub fn with<R>(&self, at: usize, look: impl FnOnce(&Record<'_>) -> R) -> R {
        match self.view() {
            ColumnView::Quotes(quotes) => {
                let row = quotes.row(at);
                look(&Record::Quote(View { row: &row, levels: &[] }))
            }
            ColumnView::Bars(bars) => {
                let row = bars.row(at);
                look(&Record::Bar(View { row: &row, levels: &[] }))
            }
        }
    }

    /// The records as rows.
    pub fn to_batch(&self) -> Batch {
        let mut batch = Batch::new(Arc::clone(&self.instruments));
        match self.view() {
            ColumnView::Quotes(it) => batch.extend_rows((0..self.len).map(|at| it.row(at))),
            ColumnView::Bars(it) => batch.extend_rows((0..self.len).map(|at| it.row(at))),
        }
        batch.place_all(self.kind());
        batch
    }
}

impl fmt::Debug for ColumnTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, Self { instrument, len, .. }) = (self.kind(), self);
        let mut table = f.debug_struct("ColumnTable");
        table.field("kind", &kind).field("instrument", instrument).field("len", len).finish()
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::*;
    use crate::instrument::{Instrument, Symbol};
    use crate::units::Scale;
    use crate::words::BarClock;

    fn column(values: [i64; 2]) -> SharedColumn<i64> {
        Arc::new(values)
    }

    fn quotes(sizes: [i64; 2]) -> SharedQuotes {
        SharedQuotes {
            ts_event: column([1, 2]),
            ts_recv: column([1, 3]),
            seq: Arc::new([7, 8]),
            bid_px: column([-3, 4]),
            bid_qty: column(sizes),
            ask_px: column([5, 6]),
            ask_qty: column([0, 9]),
            id: None,
        }
    }

    fn bars(volume: [i64; 2], step: i64) -> SharedBars {
        SharedBars {
            of: BarStep { clock: BarClock::Time, step: Decimal::from(step) },
            ts_event: column([1, 2]),
            ts_recv: column([1, 3]),
            seq: Arc::new([7, 8]),
            open_ts: column([0, 1]),
            open: column([4, 5]),
            high: column([6, 6]),
            low: column([3, 4]),
            close: column([5, 5]),
            volume: column(volume),
        }
    }

    #[test]
    fn a_table_shares_its_columns_and_takes_what_a_view_takes() {
        let mut table = Instruments::default();
        let symbol = Symbol::new("x:A").unwrap();
        let id = table.declare(Instrument::new(symbol, Scale::ZERO, Scale::ZERO)).unwrap();
        let instruments = Arc::new(table);
        let table =
            |columns: SharedColumns| ColumnTable::new(Arc::clone(&instruments), id, columns);
        for columns in [quotes([0, 2]).into(), bars([0, 2], 60).into()] {
            let found = table(columns).unwrap();
            let copy = found.clone();
            assert_eq!((copy.len(), copy.ts_recv()), (2, &[1, 3][..]));
            assert_eq!(copy.ts_event().as_ptr(), found.ts_event().as_ptr());
            let prices: [&[i64]; 2] =
                if found.kind() == Kind::Bar { [&[5, 5]; 2] } else { [&[-3, 4], &[5, 6]] };
            assert_eq!(found.prices(), prices.into());
            let batch = found.to_batch();
            assert_eq!(batch.only_kind(), Some(found.kind()));
            for at in 0..2 {
                found.with(at, |record| assert_eq!(*record, batch.get(at)));
            }
        }
        assert!(table(quotes([0, -2]).into()).is_none());
        assert!(table(bars([0, -2], 60).into()).is_none());
        let [minutes, hours] = [60, 3600].map(|step| table(bars([0, 2], step).into()).unwrap());
        let quotes = table(quotes([0, 2]).into()).unwrap();
        assert!(minutes.is_like(&minutes.clone()) && quotes.is_like(&quotes.clone()));
        assert!(!minutes.is_like(&hours) && !minutes.is_like(&quotes));
    }
}
