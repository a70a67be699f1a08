//! Runs of events that have a best bid and ask, not crossed: their columns, one after the other.
//!
//! Such events wait here until there are some of them, or until an event of another kind comes.

use qt_model::record::Quote;
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};

use super::columns::Columns;
use super::quotes::{Cells, Quotes, Units};
use crate::features::base::Base;
use crate::features::value::double;

/// How many events wait at most.
pub(super) const RUN: usize = 256;

/// The best prices and sizes of an event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Best {
    pub(super) bid: (Px, Qty),
    pub(super) ask: (Px, Qty),
}

/// An event: what was best, when by the venue's clock, and how long after the first event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Top {
    pub(super) best: Best,
    pub(super) ts: Ts,
    pub(super) now: i64,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Tops {
    units: Units,
    /// The row of the first that waits.
    first: usize,
    count: usize,
    /// Those that wait. A symbol without an event has no room for them.
    waiting: Option<Box<Waiting>>,
    /// The event before those.
    before: Option<(Best, Ts)>,
}

/// Room for events.
#[derive(Debug)]
struct Waiting {
    bid: [i64; RUN],
    ask: [i64; RUN],
    bid_qty: [i64; RUN],
    ask_qty: [i64; RUN],
    ts: [i64; RUN],
    now: [i64; RUN],
}

impl Waiting {
    fn new() -> Box<Self> {
        let none = [0; RUN];
        Box::new(Self { bid: none, ask: none, bid_qty: none, ask_qty: none, ts: none, now: none })
    }

    #[inline]
    fn set(&mut self, at: usize, top: &Top) {
        let Best { bid, ask } = top.best;
        (self.bid[at], self.bid_qty[at]) = (bid.0.mantissa(), bid.1.mantissa());
        (self.ask[at], self.ask_qty[at]) = (ask.0.mantissa(), ask.1.mantissa());
        (self.ts[at], self.now[at]) = (top.ts.nanos(), top.now);
    }

    fn cells(&self, count: usize) -> Cells<'_> {
        Cells {
            bid: &self.bid[..count],
            ask: &self.ask[..count],
            bid_qty: &self.bid_qty[..count],
            ask_qty: &self.ask_qty[..count],
            ts: &self.ts[..count],
            now: &self.now[..count],
        }
    }
}

impl Tops {
    pub(super) fn new(px: Scale, qty: Scale) -> Self {
        let units = Units::new(px, qty);
        Self { units, first: 0, count: 0, waiting: None, before: None }
    }

    /// What comes next has nothing to do with what was before.
    pub(super) fn begin_anew(&mut self) {
        assert_eq!(self.count, 0, "events before a new beginning have their columns");
        self.before = None;
    }

    /// Takes events from a row on, as long as there are some and there is room; how many, and
    /// whether there are so many now that they want their columns.
    #[inline]
    pub(super) fn extend(
        &mut self,
        row: usize,
        mut next: impl FnMut(usize) -> Option<Top>,
    ) -> (usize, bool) {
        if self.count == 0 {
            self.first = row;
        }
        debug_assert_eq!(self.first + self.count, row, "a run has no hole");
        let waiting = self.waiting.get_or_insert_with(Waiting::new);
        let begun = self.count;
        let mut at = begun;
        while at < RUN
            && let Some(top) = next(at - begun)
        {
            waiting.set(at, &top);
            at += 1;
        }
        self.count = at;
        (at - begun, at == RUN)
    }

    /// Gives the events that wait their columns; the last of them, if there were any.
    pub(super) fn flush(&mut self, columns: &mut Columns) -> Option<Best> {
        let count = std::mem::take(&mut self.count);
        if count == 0 {
            return None;
        }
        let waiting = self.waiting.take()?;
        let quotes = self.quotes(waiting.cells(count));
        for base in SAID {
            let rows = self.first..self.first + count;
            columns.fill(*base, rows, |out| quotes.say(*base, 0..count, out));
        }
        self.before = quotes.last();
        self.waiting = Some(waiting);
        self.before.map(|(best, _)| best)
    }

    /// Some events as quotes, behind those before.
    pub(super) fn quotes<'a>(&self, cells: Cells<'a>) -> Quotes<'a> {
        Quotes::new(cells, self.units, self.before)
    }

    /// What comes next has this before it.
    pub(super) fn pass(&mut self, last: (Best, Ts)) {
        assert_eq!(self.count, 0, "events that came before have their columns");
        self.before = Some(last);
    }
}

/// The columns that such events have something to say in.
const SAID: &[Base] = &[
    Base::Bid,
    Base::Ask,
    Base::BidQty,
    Base::AskQty,
    Base::Mid,
    Base::Spread,
    Base::Microprice,
    Base::Imbalance,
    Base::Now,
    Base::BookTime,
    Base::Ofi,
    Base::BookGap,
];

impl Best {
    pub(super) fn of_quote(row: &Quote) -> Option<Self> {
        let qty = Option::unwrap_or_default;
        let (bid, ask) = row.bid_px.zip(row.ask_px)?;
        Some(Self { bid: (bid, qty(row.bid_qty)), ask: (ask, qty(row.ask_qty)) })
    }

    /// Whether the bid is at most the ask.
    #[inline]
    pub(super) fn is_sound(&self) -> bool {
        self.bid.0 <= self.ask.0
    }

    #[inline]
    pub(super) fn spread(&self) -> i64 {
        // A spread beyond 63 bits is that of no market.
        self.ask.0.checked_sub(self.bid.0).unwrap_or_default().mantissa()
    }

    /// The sum is exact and rounded once: middles that are equal are equal to the bit.
    #[inline]
    pub(super) fn mid_x2(&self) -> f64 {
        let (bid, ask) = (self.bid.0.mantissa(), self.ask.0.mantissa());
        match bid.checked_add(ask) {
            Some(sum) => sum as f64,
            None => double(i128::from(bid) + i128::from(ask)),
        }
    }

    /// Order flow imbalance of the best levels from one event to the next, in units of size.
    pub(super) fn flow_to(&self, now: &Self) -> i64 {
        let flow =
            |(old_px, old_qty): (Px, Qty), (px, qty): (Px, Qty), is_better: fn(Px, Px) -> bool| {
                let (old, new) = (old_qty.mantissa(), qty.mantissa());
                if px == old_px {
                    new - old
                } else if is_better(px, old_px) {
                    new
                } else {
                    -old
                }
            };
        let bid = flow(self.bid, now.bid, |px, old| px > old);
        let ask = flow(self.ask, now.ask, |px, old| px < old);
        bid.saturating_sub(ask)
    }
}

pub(super) fn seconds(before: Ts, now: Ts) -> f64 {
    now.nanos().saturating_sub(before.nanos()).max(0) as f64 / 1e9
}
