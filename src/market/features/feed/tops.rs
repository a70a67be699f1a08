//! Runs of events that have a best bid and ask, not crossed: their columns, one after the other.
//!
//! Such events wait here until there are some of them, or until an event of another kind comes. A
//! column is then one loop in which nothing is asked.

use qt_model::record::Quote;
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};

use super::columns::{Columns, bits};
use crate::features::base::Base;
use crate::features::value::{NONE, double};
use crate::features::wide::wide;

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
    px: Scale,
    qty: Scale,
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

/// Events as columns: prices and sizes in units of their scales, and times.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run<'a> {
    pub(super) bid: &'a [i64],
    pub(super) ask: &'a [i64],
    pub(super) bid_qty: &'a [i64],
    pub(super) ask_qty: &'a [i64],
    pub(super) ts: &'a [i64],
    pub(super) now: &'a [i64],
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

    fn run(&self, count: usize) -> Run<'_> {
        Run {
            bid: &self.bid[..count],
            ask: &self.ask[..count],
            bid_qty: &self.bid_qty[..count],
            ask_qty: &self.ask_qty[..count],
            ts: &self.ts[..count],
            now: &self.now[..count],
        }
    }
}

impl Run<'_> {
    fn len(&self) -> usize {
        self.bid.len()
    }

    fn best(&self, at: usize) -> Best {
        let qty = |mantissa| Qty::new(mantissa).expect("it was a size before");
        Best {
            bid: (Px::new(self.bid[at]), qty(self.bid_qty[at])),
            ask: (Px::new(self.ask[at]), qty(self.ask_qty[at])),
        }
    }
}

impl Tops {
    pub(super) fn new(px: Scale, qty: Scale) -> Self {
        Self { px, qty, first: 0, count: 0, waiting: None, before: None }
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
        let last = self.take(&waiting.run(count), self.first, columns);
        self.waiting = Some(waiting);
        Some(last)
    }

    /// Gives at least one and at most `RUN` events from a row on their columns, while none waits; the
    /// last of them.
    pub(super) fn take(&mut self, run: &Run<'_>, first: usize, columns: &mut Columns) -> Best {
        assert_eq!(self.count, 0, "events that came before have their columns");
        wide(
            #[inline(always)]
            || self.prices(run, first, columns),
        );
        let nanos = |now: &i64| *now as f64;
        columns.extend(Base::Now, first, run.now.iter().map(nanos));
        columns.extend(Base::BookTime, first, run.now.iter().map(nanos));
        self.changes(run, first, columns);
        let last = run.best(run.len() - 1);
        self.before = Some((last, Ts::from_nanos(run.ts[run.len() - 1])));
        last
    }

    /// Columns of what single events say.
    #[inline(always)]
    fn prices(&self, run: &Run<'_>, first: usize, columns: &mut Columns) {
        let count = run.len();
        let (px, qty) = (self.px.unit() as f64, self.qty.unit() as f64);
        let mut doubles = [[0.0; RUN]; 4];
        let mut are_short = true;
        let parts = [run.bid, run.ask, run.bid_qty, run.ask_qty];
        for (part, doubles) in parts.into_iter().zip(&mut doubles) {
            are_short &= to_doubles(part, &mut doubles[..count]);
        }
        let [bid, ask, bid_qty, ask_qty] = doubles.each_ref().map(|it| &it[..count]);
        let mut fill = |base, values: &[f64], unit: f64| {
            columns.extend(base, first, values.iter().map(|value| value / unit));
        };
        fill(Base::Bid, bid, px);
        fill(Base::Ask, ask, px);
        fill(Base::BidQty, bid_qty, qty);
        fill(Base::AskQty, ask_qty, qty);
        let sides = || bid.iter().zip(ask);
        let mid_unit = 2.0 * px;
        if are_short {
            // Sums and differences are exact in doubles, and rounded once by the division.
            columns.extend(Base::Mid, first, sides().map(|(bid, ask)| (bid + ask) / mid_unit));
            columns.extend(Base::Spread, first, sides().map(|(bid, ask)| (ask - bid) / px));
        } else {
            let bests = || (0..count).map(|at| run.best(at));
            columns.extend(Base::Mid, first, bests().map(|best| best.mid_x2() / mid_unit));
            columns.extend(Base::Spread, first, bests().map(|best| best.spread() as f64 / px));
        }
        let all = || sides().zip(bid_qty.iter().zip(ask_qty));
        let micro = |((bid, ask), (bid_qty, ask_qty)): ((&f64, &f64), (&f64, &f64))| {
            let both = bid_qty + ask_qty;
            let (above, below) = (bid * ask_qty + ask * bid_qty, both * px);
            let (mid, is_empty) = (bid + ask, both == 0.0);
            (if is_empty { mid } else { above }) / (if is_empty { mid_unit } else { below })
        };
        columns.extend(Base::Microprice, first, all().map(micro));
        let imbalance = |(bid_qty, ask_qty): (&f64, &f64)| {
            let both = bid_qty + ask_qty;
            let imbalance = (bid_qty - ask_qty) / both;
            if both > 0.0 { imbalance } else { NONE }
        };
        columns.extend(Base::Imbalance, first, bid_qty.iter().zip(ask_qty).map(imbalance));
    }

    /// Columns of what changed from one event to the next.
    fn changes(&self, run: &Run<'_>, first: usize, columns: &mut Columns) {
        if !columns.wants(CHANGES) {
            return;
        }
        let at = |place: usize| (run.best(place), Ts::from_nanos(run.ts[place]));
        // The first event of all has nothing before it.
        let (alone, count) = (usize::from(self.before.is_none()), run.len());
        if alone == 1 {
            columns.extend(Base::Ofi, first, std::iter::once(0.0));
            columns.extend(Base::BookGap, first, std::iter::once(NONE));
        }
        let first = first + alone;
        let pairs =
            || self.before.into_iter().chain((0..count).map(at)).zip((alone..count).map(at));
        let unit = self.qty.unit() as f64;
        let flow = pairs().map(|((before, _), (now, _))| order_flow(&before, &now) as f64 / unit);
        columns.extend(Base::Ofi, first, flow);
        columns.extend(
            Base::BookGap,
            first,
            pairs().map(|((_, then), (_, now))| seconds(then, now)),
        );
    }
}

const CHANGES: u64 = bits(&[Base::Ofi, Base::BookGap]);

/// Integers as the nearest doubles. Whether all are so short that their sums are exact as well: then
/// adding them to a double of one size puts their bits where they belong, several at once.
#[inline(always)]
fn to_doubles(values: &[i64], out: &mut [f64]) -> bool {
    const HALF: i64 = 1 << 51;
    const BASE: f64 = 6_755_399_441_055_744.0; // 1.5 · 2^52
    let beyond = |value: &i64| value.wrapping_add(HALF).cast_unsigned() >> 52;
    let are_short = values.iter().fold(0, |all, value| all | beyond(value)) == 0;
    if are_short {
        for (value, out) in values.iter().zip(out) {
            *out = f64::from_bits(BASE.to_bits().wrapping_add_signed(*value)) - BASE;
        }
    } else {
        for (value, out) in values.iter().zip(out) {
            *out = *value as f64;
        }
    }
    are_short
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
