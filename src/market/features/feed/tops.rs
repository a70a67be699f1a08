//! Runs of events that have a best bid and ask, not crossed: their columns, one after the other.
//!
//! Such events wait here until there are some of them, or until an event of another kind comes. A
//! column is then one loop in which nothing is asked.

use qt_model::record::Quote;
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};

use super::columns::{Columns, bit, bits};
use crate::features::base::Base;
use crate::features::value::{NONE, double, finite};

/// How many events wait at most.
const RUN: usize = 128;

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
    px: Scale,
    qty: Scale,
    /// The row of the first that waits.
    first: usize,
    run: Vec<Top>,
    /// The event before those.
    before: Option<(Best, Ts)>,
}

impl Tops {
    pub(super) fn new(px: Scale, qty: Scale) -> Self {
        Self { px, qty, first: 0, run: Vec::new(), before: None }
    }

    /// What comes next has nothing to do with what was before.
    pub(super) fn begin_anew(&mut self) {
        assert!(self.run.is_empty(), "events before a new beginning have their columns");
        self.before = None;
    }

    /// Takes an event, with its row; whether there are so many now that they want their columns.
    #[inline]
    pub(super) fn push(&mut self, top: Top, row: usize) -> bool {
        if self.run.is_empty() {
            self.first = row;
        }
        debug_assert_eq!(self.first + self.run.len(), row, "a run has no hole");
        self.run.push(top);
        self.run.len() == RUN
    }

    /// Gives the events that wait their columns; the last of them, if there were any.
    pub(super) fn flush(&mut self, columns: &mut Columns) -> Option<Best> {
        let last = *self.run.last()?;
        let Self { px, qty, first, .. } = *self;
        let run = &self.run;
        let mut fill = |base, of: fn(&Top) -> i64, scale: Scale| {
            let unit = scale.unit() as f64;
            columns.extend(base, first, run.iter().map(|top| of(top) as f64 / unit));
        };
        fill(Base::Bid, |top| top.best.bid.0.mantissa(), px);
        fill(Base::Ask, |top| top.best.ask.0.mantissa(), px);
        fill(Base::BidQty, |top| top.best.bid.1.mantissa(), qty);
        fill(Base::AskQty, |top| top.best.ask.1.mantissa(), qty);
        fill(Base::Spread, |top| top.best.spread(), px);
        fill(Base::Now, |top| top.now, Scale::ZERO);
        fill(Base::BookTime, |top| top.now, Scale::ZERO);
        let unit = 2.0 * px.unit() as f64;
        columns.extend(Base::Mid, first, run.iter().map(|top| top.best.mid_x2() / unit));
        columns.derive(Base::Microprice, first, MICROPRICE, |parts, out| {
            let [bid, ask, bid_qty, ask_qty, mid] = parts;
            let sides = bid.iter().zip(ask).zip(bid_qty.iter().zip(ask_qty));
            out.extend(sides.zip(mid).map(|(((bid, ask), (bid_qty, ask_qty)), mid)| {
                let both = bid_qty + ask_qty;
                let micro = finite((bid * ask_qty + ask * bid_qty) / both);
                if both > 0.0 { micro } else { *mid }
            }));
        });
        columns.derive(Base::Imbalance, first, IMBALANCE, |[bid_qty, ask_qty], out| {
            out.extend(bid_qty.iter().zip(ask_qty).map(|(bid_qty, ask_qty)| {
                let both = bid_qty + ask_qty;
                let imbalance = (bid_qty - ask_qty) / both;
                if both > 0.0 { imbalance } else { NONE }
            }));
        });
        let before = self.before.map(|(best, ts)| Top { best, ts, now: 0 });
        // The first event of all has nothing before it.
        let alone = usize::from(before.is_none());
        if before.is_none() {
            columns.extend(Base::Ofi, first, std::iter::once(0.0));
            columns.extend(Base::BookGap, first, std::iter::once(NONE));
        }
        let pairs = || before.iter().chain(run).zip(&run[alone..]);
        let unit = qty.unit() as f64;
        let flow = |(before, now): (&Top, &Top)| order_flow(&before.best, &now.best) as f64 / unit;
        columns.extend(Base::Ofi, first + alone, pairs().map(flow));
        let gap = |(before, now): (&Top, &Top)| seconds(before.ts, now.ts);
        columns.extend(Base::BookGap, first + alone, pairs().map(gap));
        self.before = Some((last.best, last.ts));
        self.run.clear();
        Some(last.best)
    }
}

const MICROPRICE: [Base; 5] = [Base::Bid, Base::Ask, Base::BidQty, Base::AskQty, Base::Mid];
const IMBALANCE: [Base; 2] = [Base::BidQty, Base::AskQty];

/// What has to be there for the columns of a mask: some are made of others.
pub(super) fn with_parts(mask: u64) -> u64 {
    let parts = |base, of: &[Base]| if mask & bit(base) == 0 { 0 } else { bits(of) };
    mask | parts(Base::Microprice, &MICROPRICE) | parts(Base::Imbalance, &IMBALANCE)
}

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
    fn spread(&self) -> i64 {
        // A spread beyond 63 bits is that of no market.
        self.ask.0.checked_sub(self.bid.0).unwrap_or_default().mantissa()
    }

    /// The sum is exact and rounded once: middles that are equal are equal to the bit.
    #[inline]
    fn mid_x2(&self) -> f64 {
        let (bid, ask) = (self.bid.0.mantissa(), self.ask.0.mantissa());
        match bid.checked_add(ask) {
            Some(sum) => sum as f64,
            None => double(i128::from(bid) + i128::from(ask)),
        }
    }
}

/// Order flow imbalance of the best levels, in units of size.
fn order_flow(before: &Best, now: &Best) -> i64 {
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
    let bid = flow(before.bid, now.bid, |px, old| px > old);
    let ask = flow(before.ask, now.ask, |px, old| px < old);
    bid.saturating_sub(ask)
}

pub(super) fn seconds(before: Ts, now: Ts) -> f64 {
    now.nanos().saturating_sub(before.nanos()).max(0) as f64 / 1e9
}
