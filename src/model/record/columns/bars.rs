//! Bars as columns: those of one clock and one step, without what only some bars tell.

use std::fmt;
use std::ops::Range;

use rust_decimal::Decimal;

use super::SharedColumn;
use crate::ids::InstrumentId;
use crate::record::{Bar, Head};
use crate::time::Ts;
use crate::units::{Px, Qty};
use crate::words::BarClock;

/// What bars have in common that lie in the same columns: what ended each, and how much of that
/// clock it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BarStep {
    pub clock: BarClock,
    pub step: Decimal,
}

/// Bars of one instrument and one length, one behind the other: times in nanoseconds, prices and sizes
/// as mantissas at the scales of the instrument.
#[derive(Clone, Copy, Debug)]
pub struct BarColumns<'a> {
    instrument: InstrumentId,
    of: BarStep,
    cells: BarCells<'a>,
}

/// What a view of bars is made of.
#[derive(Clone, Copy, Debug)]
pub struct BarCells<'a> {
    pub ts_event: &'a [i64],
    pub ts_recv: &'a [i64],
    pub seq: &'a [u64],
    pub open_ts: &'a [i64],
    pub open: &'a [i64],
    pub high: &'a [i64],
    pub low: &'a [i64],
    pub close: &'a [i64],
    pub volume: &'a [i64],
}

impl<'a> BarColumns<'a> {
    /// A view, if its columns are equally long and no size is negative.
    pub fn new(instrument: InstrumentId, of: BarStep, cells: BarCells<'a>) -> Option<Self> {
        let BarCells { ts_event, ts_recv, seq, open_ts, open, high, low, close, volume } = cells;
        let others = [ts_event, open_ts, open, high, low, close, volume];
        let count = ts_recv.len();
        let are_equal = seq.len() == count && others.iter().all(|column| column.len() == count);
        // All signs at once: a loop without a branch.
        let is_sound = are_equal && volume.iter().fold(0, |any, size| any | size) >= 0;
        is_sound.then_some(Self { instrument, of, cells })
    }

    /// A view of columns that were checked before.
    #[inline]
    pub(super) fn checked(instrument: InstrumentId, of: BarStep, cells: BarCells<'a>) -> Self {
        Self { instrument, of, cells }
    }

    pub fn instrument(&self) -> InstrumentId {
        self.instrument
    }

    pub fn cells(&self) -> &BarCells<'a> {
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
        let cells = BarCells {
            ts_event: &cells.ts_event[rows.clone()],
            ts_recv: &cells.ts_recv[rows.clone()],
            seq: &cells.seq[rows.clone()],
            open_ts: &cells.open_ts[rows.clone()],
            open: &cells.open[rows.clone()],
            high: &cells.high[rows.clone()],
            low: &cells.low[rows.clone()],
            close: &cells.close[rows.clone()],
            volume: &cells.volume[rows],
        };
        Self { cells, ..*self }
    }

    /// One of them as a row.
    pub fn row(&self, at: usize) -> Bar {
        let cells = &self.cells;
        let (event, recv) = (Ts::from_nanos(cells.ts_event[at]), Ts::from_nanos(cells.ts_recv[at]));
        Bar {
            head: Head::new(event, recv, cells.seq[at], Some(self.instrument)),
            clock: self.of.clock,
            step: self.of.step,
            open_ts: Ts::from_nanos(cells.open_ts[at]),
            open: Px::new(cells.open[at]),
            high: Px::new(cells.high[at]),
            low: Px::new(cells.low[at]),
            close: Px::new(cells.close[at]),
            volume: Qty::new(cells.volume[at]).expect("no size of a view is negative"),
            buy_volume: None,
            notional: None,
            trades: None,
        }
    }
}

/// What a table of bars is made of; see [`BarCells`].
#[derive(Clone)]
pub struct SharedBars {
    pub of: BarStep,
    pub ts_event: SharedColumn<i64>,
    pub ts_recv: SharedColumn<i64>,
    pub seq: SharedColumn<u64>,
    pub open_ts: SharedColumn<i64>,
    pub open: SharedColumn<i64>,
    pub high: SharedColumn<i64>,
    pub low: SharedColumn<i64>,
    pub close: SharedColumn<i64>,
    pub volume: SharedColumn<i64>,
}

impl SharedBars {
    pub(super) fn cells(&self) -> BarCells<'_> {
        BarCells {
            ts_event: (*self.ts_event).as_ref(),
            ts_recv: (*self.ts_recv).as_ref(),
            seq: (*self.seq).as_ref(),
            open_ts: (*self.open_ts).as_ref(),
            open: (*self.open).as_ref(),
            high: (*self.high).as_ref(),
            low: (*self.low).as_ref(),
            close: (*self.close).as_ref(),
            volume: (*self.volume).as_ref(),
        }
    }
}

impl fmt::Debug for SharedBars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedBars").field("of", &self.of).field("cells", &self.cells()).finish()
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
        let of = BarStep { clock: BarClock::Time, step: Decimal::from(60) };
        let (times, seq, low, high, volume) = ([1, 2], [7, 8], [-3, 4], [5, 6], [0, 9]);
        let cells = BarCells {
            ts_event: &times,
            ts_recv: &times,
            seq: &seq,
            open_ts: &times,
            open: &low,
            high: &high,
            low: &low,
            close: &high,
            volume: &volume,
        };
        let view = BarColumns::new(id, of, cells).unwrap();
        let head = Head::new(Ts::from_nanos(2), Ts::from_nanos(2), 8, Some(id));
        let [low, high] = [4, 6].map(Px::new);
        let px = [low, high, low, high];
        let row = Bar::timed(head, 60, Ts::from_nanos(2), px, Qty::new(9).unwrap());
        assert_eq!(view.slice(1..2).row(0), row);
        let refused = |cells| BarColumns::new(id, of, cells).is_none();
        assert!(refused(BarCells { volume: &[0, -1], ..cells }));
        assert!(refused(BarCells { seq: &[7], ..cells }));
        assert!(refused(BarCells { close: &[7], ..cells }));
    }
}
