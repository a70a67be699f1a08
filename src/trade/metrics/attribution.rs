//! Where the profit came from, to the last digit.
//!
//! Each fill is followed from its price to the mid before it (spread), on to the mid at a horizon
//! (adverse selection), and from there to the end (inventory). The three add up to the profit by
//! prices because each ends where the next begins. A horizon past the end, or without a mid, is
//! moved to where the mid is known last. With fees and other cash they make up the total.
//!
//! Of shortfall: an order is followed from the mid that its decision saw, to the mid at arrival
//! (delay), to its price (execution); what was not filled is missed from the decision to the end of
//! the order (opportunity).

use qt_model::words::Side;

use super::contract::Contract;
use super::execution::{Known, Waiting};
use super::orders::OpenOrder;
use crate::ledger::DoublePx;
use crate::ledger::Money;

/// Sums of one instrument, or of all.
#[derive(Clone, Copy, Debug, Default)]
pub struct Attribution {
    pub spread: Money,
    /// Negative: the market moved against us.
    pub adverse: Money,
    pub inventory: Money,
    /// Worth of all fills at their prices: what was paid less what was received.
    spent: Money,
    /// Worth of all fills at their horizons.
    at_horizons: Money,
    pub delay: Money,
    pub execution: Money,
    pub opportunity: Money,
}

impl Attribution {
    /// A fill whose mids are known: `end` stands in for a horizon without one.
    pub(super) fn settle(
        &mut self,
        contract: &Contract,
        fill: &Waiting,
        horizon: usize,
        end: Option<DoublePx>,
    ) {
        let (known, signed) = (&fill.known, fill.known.signed());
        let price = DoublePx::of(known.px);
        let before = known.mid_before.unwrap_or(price);
        let there = fill.mids.get(horizon).copied().flatten().or(end).unwrap_or(before);
        let [price, before, there] = [price, before, there].map(|px| contract.worth(signed, px));
        self.spread += before - price;
        self.adverse += there - before;
        self.spent += price;
        self.at_horizons += there;
    }

    /// What the decision cost until the price was had.
    pub(super) fn shortfall(&mut self, contract: &Contract, fill: &Known) {
        let Some(decision) = fill.mid_decision else { return };
        let arrival = fill.mid_arrival.unwrap_or(decision);
        let at = |px| contract.worth(fill.signed(), px);
        self.delay += at(arrival) - at(decision);
        self.execution += at(DoublePx::of(fill.px)) - at(arrival);
    }

    /// What an order missed that was not filled whole.
    pub(super) fn missed(&mut self, contract: &Contract, order: &OpenOrder, now: Option<DoublePx>) {
        if let (Some(decision), Some(now)) = (order.mid_decision, now) {
            let left = order.qty - order.filled;
            let signed = if order.side == Side::Buy { left } else { -left };
            self.opportunity += contract.worth(signed, now) - contract.worth(signed, decision);
        }
    }

    /// A contract paid out: as if that size were closed at that mid.
    pub(super) fn settled(&mut self, contract: &Contract, closing: i64, mid: DoublePx) {
        let worth = contract.worth(closing, mid);
        self.spent += worth;
        self.at_horizons += worth;
    }

    /// The run is over, with that position at that mid.
    pub(super) fn finish(&mut self, contract: &Contract, position: i64, end: Option<DoublePx>) {
        // Without any mid all fills stand at their prices, and so does the position.
        let left = end.map_or(self.at_horizons, |end| contract.worth(position, end));
        self.inventory = left - self.at_horizons;
        let total = left - self.spent;
        let parts = self.spread + self.adverse + self.inventory;
        assert_eq!(parts, total, "the parts of a profit add up to it: {self:?}");
    }

    pub(super) fn join(&mut self, other: &Self) {
        self.spread += other.spread;
        self.adverse += other.adverse;
        self.inventory += other.inventory;
        self.spent += other.spent;
        self.at_horizons += other.at_horizons;
        self.delay += other.delay;
        self.execution += other.execution;
        self.opportunity += other.opportunity;
    }

    /// Profit by prices alone.
    pub fn by_prices(&self) -> Money {
        self.spread + self.adverse + self.inventory
    }
}
