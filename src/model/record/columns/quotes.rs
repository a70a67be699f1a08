//! Quotes as columns.

use std::fmt;
use std::ops::Range;

use super::SharedColumn;
use crate::ids::InstrumentId;
use crate::record::{Head, Quote};
use crate::time::Ts;
use crate::units::{Px, Qty};

/// Quotes of one instrument, one behind the other: times in nanoseconds, prices and sizes as
/// mantissas at the scales of the instrument.
#[derive(Clone, Copy, Debug)]
pub struct QuoteColumns<'a> {
    instrument: InstrumentId,
    cells: QuoteCells<'a>,
}

/// What a view of quotes is made of.
#[derive(Clone, Copy, Debug)]
pub struct QuoteCells<'a> {
    pub ts_event: &'a [i64],
    pub ts_recv: &'a [i64],
    pub seq: &'a [u64],
    pub bid_px: &'a [i64],
    pub bid_qty: &'a [i64],
    pub ask_px: &'a [i64],
    pub ask_qty: &'a [i64],
    pub id: Option<&'a [u64]>,
}

impl<'a> QuoteColumns<'a> {
    /// A view, if its columns are equally long and no size is negative.
    pub fn new(instrument: InstrumentId, cells: QuoteCells<'a>) -> Option<Self> {
        let QuoteCells { ts_event, ts_recv, seq, bid_px, bid_qty, ask_px, ask_qty, id } = cells;
        let lengths = [seq.len(), bid_px.len(), bid_qty.len(), ask_px.len(), ask_qty.len()];
        let count = ts_recv.len();
        let are_equal = ts_event.len() == count
            && lengths.iter().all(|length| *length == count)
            && id.is_none_or(|id| id.len() == count);
        // All signs at once: a loop without a branch.
        let signs = |sizes: &[i64]| sizes.iter().fold(0, |any, size| any | size);
        let is_sound = are_equal && signs(bid_qty) >= 0 && signs(ask_qty) >= 0;
        is_sound.then_some(Self { instrument, cells })
    }

    /// A view of columns that were checked before.
    #[inline]
    pub(super) fn checked(instrument: InstrumentId, cells: QuoteCells<'a>) -> Self {
        Self { instrument, cells }
    }

    pub fn instrument(&self) -> InstrumentId {
        self.instrument
    }

    pub fn cells(&self) -> &QuoteCells<'a> {
        &self.cells
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.cells.ts_recv.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Some of them.
    #[inline]
    #[must_use]
    pub fn slice(&self, rows: Range<usize>) -> Self {
        let cells = &self.cells;
        Self {
            instrument: self.instrument,
            cells: QuoteCells {
                ts_event: &cells.ts_event[rows.clone()],
                ts_recv: &cells.ts_recv[rows.clone()],
                seq: &cells.seq[rows.clone()],
                bid_px: &cells.bid_px[rows.clone()],
                bid_qty: &cells.bid_qty[rows.clone()],
                ask_px: &cells.ask_px[rows.clone()],
                ask_qty: &cells.ask_qty[rows.clone()],
                id: cells.id.map(|id| &id[rows]),
            },
        }
    }

    /// One of them as a row.
    pub fn row(&self, at: usize) -> Quote {
        let cells = &self.cells;
        let (event, recv) = (Ts::from_nanos(cells.ts_event[at]), Ts::from_nanos(cells.ts_recv[at]));
        let qty = |mantissa| Qty::new(mantissa).expect("no size of a view is negative");
        Quote {
            head: Head::new(event, recv, cells.seq[at], Some(self.instrument)),
            bid_px: Some(Px::new(cells.bid_px[at])),
            bid_qty: Some(qty(cells.bid_qty[at])),
            ask_px: Some(Px::new(cells.ask_px[at])),
            ask_qty: Some(qty(cells.ask_qty[at])),
            id: cells.id.map(|id| id[at]),
        }
    }
}

/// What a table of quotes is made of; see [`QuoteCells`].
#[derive(Clone)]
pub struct SharedQuotes {
    pub ts_event: SharedColumn<i64>,
    pub ts_recv: SharedColumn<i64>,
    pub seq: SharedColumn<u64>,
    pub bid_px: SharedColumn<i64>,
    pub bid_qty: SharedColumn<i64>,
    pub ask_px: SharedColumn<i64>,
    pub ask_qty: SharedColumn<i64>,
    pub id: Option<SharedColumn<u64>>,
}

impl SharedQuotes {
    pub(super) fn cells(&self) -> QuoteCells<'_> {
        QuoteCells {
            ts_event: (*self.ts_event).as_ref(),
            ts_recv: (*self.ts_recv).as_ref(),
            seq: (*self.seq).as_ref(),
            bid_px: (*self.bid_px).as_ref(),
            bid_qty: (*self.bid_qty).as_ref(),
            ask_px: (*self.ask_px).as_ref(),
            ask_qty: (*self.ask_qty).as_ref(),
            id: self.id.as_ref().map(|id| (**id).as_ref()),
        }
    }
}

impl fmt::Debug for SharedQuotes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cells().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instrument::{Instrument, Instruments, Symbol};
    use crate::units::Scale;

    #[test]
    fn a_view_has_columns_of_one_length_and_no_negative_size() {
        let mut table = Instruments::default();
        let symbol = Symbol::new("x:A").unwrap();
        let id = table.declare(Instrument::new(symbol, Scale::ZERO, Scale::ZERO)).unwrap();
        let (times, seq, bids, asks, sizes) = ([1, 2], [7, 8], [-3, 4], [5, 6], [0, 9]);
        let cells = QuoteCells {
            ts_event: &times,
            ts_recv: &times,
            seq: &seq,
            bid_px: &bids,
            bid_qty: &sizes,
            ask_px: &asks,
            ask_qty: &sizes,
            id: None,
        };
        let view = QuoteColumns::new(id, cells).unwrap();
        let row = view.slice(1..2).row(0);
        assert_eq!(
            (row.head.seq, row.bid_px, row.ask_qty),
            (8, Some(Px::new(4)), Qty::new(9).ok())
        );
        let refused = |cells| QuoteColumns::new(id, cells).is_none();
        assert!(refused(QuoteCells { bid_qty: &[0, -1], ..cells }));
        assert!(refused(QuoteCells { ask_qty: &[i64::MIN, 1], ..cells }));
        assert!(refused(QuoteCells { seq: &[7], ..cells }));
        assert!(refused(QuoteCells { id: Some(&[7]), ..cells }));
    }
}
