//! Sums over the fills of one instrument: against the decision, the arrival, the touch and the mid before.
//!
//! Invariant: all of it is exact, in grains; it becomes money once, at the end. Absent on purpose: what
//! several instruments have in common, and mids after a fill.

use qt_model::order::Execution;
use qt_model::time::Ts;
use qt_model::units::Qty;
use qt_model::words::{Liquidity, Side};

use super::contract::{Contract, Grains};
use super::orders::OpenOrder;
use crate::ledger::DoublePx;

/// A fill as sums need it, now and once its horizons have passed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fill {
    pub(super) ts: Ts,
    /// The size with the sign of its side, in units.
    pub(super) signed: i64,
    pub(super) px: DoublePx,
    /// The last mid strictly before it.
    pub(super) before: Option<DoublePx>,
    /// The mid at the horizon of attribution, once that has passed.
    pub(super) there: Option<DoublePx>,
}

impl Fill {
    pub(super) fn new(ts: Ts, side: Side, execution: &Execution, before: Option<DoublePx>) -> Self {
        let signed = side.sign() * execution.qty.mantissa();
        Self { ts, signed, px: DoublePx::of(execution.px), before, there: None }
    }
}

/// Two sums of notionals of the same sizes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Quotient {
    pub(super) above: Grains,
    pub(super) below: Grains,
    pub(super) count: u64,
}

impl Quotient {
    #[inline]
    pub(super) fn add(&mut self, above: Grains, below: Grains) {
        self.above += above;
        self.below += below;
        self.count += 1;
    }

    /// What a fill paid above a price.
    #[inline]
    fn above(&mut self, fill: &Fill, paid: Grains, px: DoublePx) {
        let there = Grains::product(fill.signed, px);
        self.add(paid - there, Grains::product(fill.signed.abs(), px));
    }
}

/// See the module.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    /// Of notionals.
    pub(super) traded: Grains,
    pub(super) made: Grains,
    pub(super) decision: Quotient,
    pub(super) arrival: Quotient,
    pub(super) touch: Quotient,
    pub(super) effective: Quotient,
    /// Of worths without their signs.
    pub(super) bought: Grains,
    pub(super) sold: Grains,
}

impl Tally {
    /// A fill of an order of ours.
    pub(super) fn add(
        &mut self,
        contract: &Contract,
        fill: &Fill,
        liquidity: Liquidity,
        of: Option<&OpenOrder>,
    ) {
        let side = if fill.signed < 0 { Side::Sell } else { Side::Buy };
        let paid = Grains::product(fill.signed, fill.px);
        self.traded += paid.abs();
        if liquidity == Liquidity::Maker {
            self.made += paid.abs();
        }
        if let Some(of) = of {
            let touch = of.touch_arrival.map(|touch| match side {
                Side::Buy => DoublePx::of(touch.ask),
                Side::Sell => DoublePx::of(touch.bid),
            });
            let against = [
                (&mut self.decision, of.mid_decision),
                (&mut self.arrival, of.mid_arrival),
                (&mut self.touch, touch),
            ];
            for (quotient, px) in against {
                px.into_iter().for_each(|px| quotient.above(fill, paid, px));
            }
        }
        if let Some(px) = fill.before {
            let there = Grains::product(fill.signed, px);
            self.effective.add(there - paid, Grains::product(fill.signed.abs(), px));
        }
        self.moved(contract, side, fill.signed.abs(), fill.px);
    }

    /// A venue closed so much of its own accord.
    pub(super) fn close(&mut self, contract: &Contract, side: Side, qty: Qty, px: DoublePx) {
        self.moved(contract, side, qty.mantissa(), px);
    }

    #[inline]
    fn moved(&mut self, contract: &Contract, side: Side, units: i64, px: DoublePx) {
        let worth = contract.grains(units, px).abs();
        match side {
            Side::Buy => self.bought += worth,
            Side::Sell => self.sold += worth,
        }
    }
}
