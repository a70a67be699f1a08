//! Fills that wait until their horizons have passed.
//!
//! Invariant: each horizon has a front of its own that only moves ahead, so a mid costs as many steps as
//! horizons pass by it. Memory is bounded by the fills within the longest horizon. A mid that is unknown
//! at a horizon leaves the fill out of its sums, and is counted. Absent on purpose: money.

use std::collections::VecDeque;

use qt_model::order::{FillNo, OrderNo};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty};
use qt_model::words::{Liquidity, Side};

use super::contract::Grains;
use super::market::Touch;
use super::orders::Queue;
use super::tally::{Fill, Quotient};
use crate::ledger::DoublePx;

/// Everything that was known of a fill when it happened: for a record of it.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) ts: Ts,
    pub(super) fill: FillNo,
    pub(super) order: OrderNo,
    pub(super) side: Side,
    pub(super) px: Px,
    pub(super) qty: Qty,
    pub(super) liquidity: Liquidity,
    pub(super) decided: Option<Ts>,
    pub(super) accepted: Option<Ts>,
    pub(super) mid_decision: Option<DoublePx>,
    pub(super) mid_arrival: Option<DoublePx>,
    pub(super) touch_arrival: Option<Touch>,
    pub(super) mid_before: Option<DoublePx>,
    pub(super) queue: Option<Queue>,
    pub(super) queue_ahead_fill: Option<Qty>,
    pub(super) queue_traded: Option<Qty>,
    pub(super) queue_cancelled: Option<Qty>,
    /// The mids at the horizons that have passed.
    pub(super) mids: Vec<Option<DoublePx>>,
}

/// Sums of one horizon.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Passed {
    pub(super) markout: Quotient,
    pub(super) adverse: Quotient,
    pub(super) excluded: u64,
}

impl Passed {
    #[inline]
    fn add(&mut self, fill: &Fill, mid: Option<DoublePx>) {
        let Some(mid) = mid else {
            self.excluded += 1;
            return;
        };
        let size = fill.signed.abs();
        let there = Grains::product(fill.signed, mid);
        let gain = there - Grains::product(fill.signed, fill.px);
        self.markout.add(gain, Grains::product(size, fill.px));
        if let Some(before) = fill.before {
            let loss = Grains::product(fill.signed, before) - there;
            self.adverse.add(loss, Grains::product(size, before));
        }
    }
}

/// Fills of one instrument, oldest first. See the module.
#[derive(Clone, Debug)]
pub(super) struct Horizons {
    waiting: VecDeque<Fill>,
    /// The same fills, where records are made of them.
    known: VecDeque<Known>,
    /// By horizon, the place of the first fill for which it has not passed.
    fronts: Vec<usize>,
    pub(super) passed: Vec<Passed>,
    /// The earliest instant at which a horizon of a waiting fill passes.
    due: Option<Ts>,
}

impl Horizons {
    pub(super) fn new(horizons: usize) -> Self {
        Self {
            waiting: VecDeque::new(),
            known: VecDeque::new(),
            fronts: vec![0; horizons],
            passed: vec![Passed::default(); horizons],
            due: None,
        }
    }

    pub(super) fn push(&mut self, fill: Fill, horizons: &[i64]) {
        let first = horizon_end(fill.ts, horizons[0]);
        self.due = Some(self.due.map_or(first, |due| due.min(first)));
        self.waiting.push_back(fill);
    }

    /// Keeps what a record of the next fill will say; either of all fills or of none.
    pub(super) fn keep(&mut self, known: Known) {
        self.known.push_back(known);
    }

    /// Whether the mid in force is the last one of some horizon, given that a new one comes at `ts`.
    #[inline]
    pub(super) fn is_due(&self, ts: Ts) -> bool {
        self.due.is_some_and(|due| due < ts)
    }

    /// The earliest instant at which a horizon of a waiting fill passes.
    pub(super) fn due(&self) -> Option<Ts> {
        self.due
    }

    /// The mid in force ends at `ts`: horizons before it have their mid. `attribution` is the place of
    /// the one at which the mid is kept.
    pub(super) fn settle(
        &mut self,
        ts: Ts,
        mid: Option<DoublePx>,
        horizons: &[i64],
        attribution: usize,
    ) {
        let Self { waiting, known, fronts, passed, due } = self;
        // Looked up here: most runs keep none.
        let has_known = !known.is_empty();
        *due = None;
        for (at, (front, sums)) in fronts.iter_mut().zip(passed).enumerate() {
            while let Some(fill) = waiting.get_mut(*front) {
                let end = horizon_end(fill.ts, horizons[at]);
                if end >= ts {
                    *due = Some(due.map_or(end, |due| due.min(end)));
                    break;
                }
                sums.add(fill, mid);
                if at == attribution {
                    fill.there = mid;
                }
                if has_known {
                    // Nearer horizons have passed before, or just now: mids stand in their order.
                    known[*front].mids.push(mid);
                }
                *front += 1;
            }
        }
    }

    /// How many of the oldest fills wait for nothing more: to be taken out next.
    pub(super) fn over(&mut self) -> usize {
        // The longest horizon passes last.
        let count = self.fronts.last().copied().unwrap_or_default();
        self.fronts.iter_mut().for_each(|front| *front -= count);
        count
    }

    /// The same at the end of the data: all of them, and horizons past it leave them out.
    pub(super) fn all(&mut self) -> usize {
        let count = self.waiting.len();
        for (front, sums) in self.fronts.iter_mut().zip(&mut self.passed) {
            sums.excluded += (count - std::mem::take(front)) as u64;
        }
        count
    }

    /// Takes out the oldest fill.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<Fill> {
        self.waiting.pop_front()
    }

    /// Takes out what is known of the oldest fill, where records are made.
    pub(super) fn pop_known(&mut self) -> Option<Known> {
        self.known.pop_front()
    }

    /// Whether records are made of fills that wait.
    #[inline]
    pub(super) fn has_known(&self) -> bool {
        !self.known.is_empty()
    }
}

fn horizon_end(ts: Ts, horizon: i64) -> Ts {
    Ts::from_nanos(ts.nanos().saturating_add(horizon))
}

/// How far a mid moved for us against the price of a fill, in basis points.
pub(super) fn markout_bps(fill: &Known, mid: DoublePx) -> Option<f64> {
    let (paid, mid) = (DoublePx::of(fill.px).units(), mid.units());
    let gain = match fill.side {
        Side::Buy => mid - paid,
        Side::Sell => paid - mid,
    };
    (paid != 0).then(|| gain as f64 / paid as f64 * 1e4)
}
