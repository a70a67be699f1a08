//! How good fills were: against the decision, the arrival, the mid before and the mids after.
//!
//! Sums are exact money; a ratio of two becomes a double once. A fill waits until its longest
//! horizon has passed: memory is bounded by the fills within it. A mid that is unknown at a horizon
//! leaves the fill out of that figure, and is counted.

use std::collections::VecDeque;

use qt_model::order::{FillNo, OrderNo};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::{Liquidity, Side};

use super::contract::Contract;
use super::market::Touch;
use super::orders::Queue;
use super::value::{Absent, Figure};
use crate::ledger::DoublePx;
use crate::ledger::Money;

/// A quotient of two sums of money, in basis points.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Weighted {
    above: Money,
    below: Money,
    pub(super) count: u64,
}

impl Weighted {
    /// `above` and `below` are worths of one size.
    fn add(&mut self, above: Money, below: Money) {
        self.above += above;
        self.below += below;
        self.count += 1;
    }

    pub(super) fn bps(&self, otherwise: Absent) -> Figure {
        if self.below.is_zero() { Err(otherwise) } else { Ok(self.above.per(self.below) * 1e4) }
    }
}

/// Sums of one horizon.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct AtHorizon {
    pub(super) markout: Weighted,
    pub(super) adverse: Weighted,
    pub(super) excluded: u64,
}

/// A fill with what was known of it when it happened.
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
}

impl Known {
    /// The size with the sign of its side, in units.
    pub(super) fn signed(&self) -> i64 {
        match self.side {
            Side::Buy => self.qty.mantissa(),
            Side::Sell => -self.qty.mantissa(),
        }
    }
}

/// A fill whose horizons have not all passed.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) known: Known,
    /// The mids at the horizons that have passed.
    pub(super) mids: Vec<Option<DoublePx>>,
}

/// Fills of one instrument that wait, oldest first. Each horizon has a front of its own that only
/// moves ahead, so a mid costs as many steps as horizons pass by it.
#[derive(Clone, Debug)]
pub(super) struct Horizons {
    waiting: VecDeque<Waiting>,
    /// By horizon, the place of the first fill for which it has not passed.
    fronts: Vec<usize>,
    /// The earliest instant at which a horizon of a waiting fill passes.
    due: Option<Ts>,
    spare: Vec<Vec<Option<DoublePx>>>,
}

impl Horizons {
    pub(super) fn new(horizons: usize) -> Self {
        Self { waiting: VecDeque::new(), fronts: vec![0; horizons], due: None, spare: Vec::new() }
    }

    pub(super) fn push(&mut self, known: Known, horizons: &[i64]) {
        let mids = self.spare.pop().unwrap_or_default();
        let first = horizon_end(known.ts, horizons[0]);
        self.due = Some(self.due.map_or(first, |due| due.min(first)));
        self.waiting.push_back(Waiting { known, mids });
    }

    /// Whether the mid in force is the last one of some horizon, given that a new one comes at `ts`.
    #[inline]
    pub(super) fn is_due(&self, ts: Ts) -> bool {
        self.due.is_some_and(|due| due < ts)
    }

    /// The mid in force ends at `ts`: horizons before it have their mid.
    pub(super) fn settle(&mut self, ts: Ts, mid: Option<DoublePx>, horizons: &[i64]) {
        self.due = None;
        for (front, horizon) in self.fronts.iter_mut().zip(horizons) {
            while let Some(fill) = self.waiting.get_mut(*front) {
                let end = horizon_end(fill.known.ts, *horizon);
                if end >= ts {
                    self.due = Some(self.due.map_or(end, |due| due.min(end)));
                    break;
                }
                // Nearer horizons have passed before, or just now: mids stand in their order.
                fill.mids.push(mid);
                *front += 1;
            }
        }
    }

    /// The oldest fill, if all its horizons have passed.
    pub(super) fn pop(&mut self) -> Option<Waiting> {
        let is_done = self.fronts.iter().all(|front| *front > 0);
        if is_done { self.pop_last() } else { None }
    }

    /// The oldest fill, whatever has passed: for the end of the data.
    pub(super) fn pop_last(&mut self) -> Option<Waiting> {
        self.fronts.iter_mut().for_each(|front| *front = front.saturating_sub(1));
        self.waiting.pop_front()
    }

    /// Takes a list back to use again.
    pub(super) fn recycle(&mut self, mut mids: Vec<Option<DoublePx>>) {
        mids.clear();
        self.spare.push(mids);
    }
}

fn horizon_end(ts: Ts, horizon: i64) -> Ts {
    Ts::from_nanos(ts.nanos().saturating_add(horizon))
}

/// Sums over the fills of all instruments.
#[derive(Clone, Debug)]
pub(super) struct Fills {
    pub(super) count: u64,
    pub(super) makers: u64,
    pub(super) notional: Money,
    pub(super) maker_notional: Money,
    pub(super) paid: Money,
    pub(super) rebates: Money,
    pub(super) decision: Weighted,
    pub(super) arrival: Weighted,
    pub(super) touch: Weighted,
    pub(super) effective: Weighted,
    pub(super) horizons: Vec<AtHorizon>,
    /// Queue ahead that left by trades, and by cancels, where a model said.
    pub(super) queue_traded: f64,
    pub(super) queue_cancelled: f64,
    pub(super) queue_ahead_fill: (f64, u64),
}

impl Fills {
    pub(super) fn new(horizons: usize) -> Self {
        Self {
            count: 0,
            makers: 0,
            notional: Money::ZERO,
            maker_notional: Money::ZERO,
            paid: Money::ZERO,
            rebates: Money::ZERO,
            decision: Weighted::default(),
            arrival: Weighted::default(),
            touch: Weighted::default(),
            effective: Weighted::default(),
            horizons: vec![AtHorizon::default(); horizons],
            queue_traded: 0.0,
            queue_cancelled: 0.0,
            queue_ahead_fill: (0.0, 0),
        }
    }

    pub(super) fn fee(&mut self, fee: Money) {
        if fee > Money::ZERO { self.paid += fee } else { self.rebates -= fee }
    }

    /// What is known at once. `scale` is that of sizes.
    pub(super) fn add(&mut self, contract: &Contract, fill: &Known, scale: Scale) {
        let (signed, qty) = (fill.signed(), fill.qty.mantissa());
        let at = |px| contract.notional(signed, px);
        let paid = at(DoublePx::of(fill.px));
        let notional = paid.abs();
        self.count += 1;
        self.notional += notional;
        if fill.liquidity == Liquidity::Maker {
            self.makers += 1;
            self.maker_notional += notional;
        }
        let touch = fill.touch_arrival.map(|touch| match fill.side {
            Side::Buy => DoublePx::of(touch.ask),
            Side::Sell => DoublePx::of(touch.bid),
        });
        let against = [
            (&mut self.decision, fill.mid_decision),
            (&mut self.arrival, fill.mid_arrival),
            (&mut self.touch, touch),
        ];
        for (weighted, reference) in against {
            if let Some(px) = reference {
                weighted.add(paid - at(px), contract.notional(qty, px));
            }
        }
        if let Some(px) = fill.mid_before {
            self.effective.add(at(px) - paid, contract.notional(qty, px));
        }
        let number = |qty: Qty| qty.to_f64(scale);
        self.queue_traded += fill.queue_traded.map_or(0.0, number);
        self.queue_cancelled += fill.queue_cancelled.map_or(0.0, number);
        if let Some(ahead) = fill.queue_ahead_fill {
            self.queue_ahead_fill.0 += number(ahead);
            self.queue_ahead_fill.1 += 1;
        }
    }

    /// What its horizons said. Those that lie past the end are not in `mids`.
    pub(super) fn settle(&mut self, contract: &Contract, fill: &Waiting) {
        let known = &fill.known;
        let (signed, qty) = (known.signed(), known.qty.mantissa());
        let paid = DoublePx::of(known.px);
        for (at, sums) in self.horizons.iter_mut().enumerate() {
            let Some(mid) = fill.mids.get(at).copied().flatten() else {
                sums.excluded += 1;
                continue;
            };
            let there = contract.notional(signed, mid);
            let gain = there - contract.notional(signed, paid);
            sums.markout.add(gain, contract.notional(qty, paid));
            if let Some(before) = known.mid_before {
                let loss = contract.notional(signed, before) - there;
                sums.adverse.add(loss, contract.notional(qty, before));
            }
        }
    }

    pub(super) fn maker_share(&self) -> Figure {
        self.of_notional(self.maker_notional)
    }

    pub(super) fn taker_share(&self) -> Figure {
        self.of_notional(self.notional - self.maker_notional)
    }

    pub(super) fn net_fees(&self) -> Money {
        self.paid - self.rebates
    }

    pub(super) fn net_fees_bps(&self) -> Figure {
        Ok(self.of_notional(self.net_fees())? * 1e4)
    }

    fn of_notional(&self, part: Money) -> Figure {
        if self.notional.is_zero() { Err(Absent::NoFills) } else { Ok(part.per(self.notional)) }
    }

    pub(super) fn maker_share_count(&self) -> Figure {
        super::value::ratio(self.makers as f64, self.count as f64, Absent::NoFills)
    }

    pub(super) fn queue_traded_share(&self) -> Figure {
        let all = self.queue_traded + self.queue_cancelled;
        super::value::ratio(self.queue_traded, all, Absent::Unknown)
    }

    pub(super) fn queue_ahead_fill_mean(&self) -> Figure {
        let (sum, count) = self.queue_ahead_fill;
        super::value::ratio(sum, count as f64, Absent::Unknown)
    }
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
