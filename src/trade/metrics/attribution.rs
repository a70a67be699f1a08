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

use super::contract::{Contract, Grains};
use super::orders::OpenOrder;
use super::tally::Fill;
use crate::ledger::DoublePx;
use crate::ledger::Money;

/// The parts of a profit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Attribution {
    pub spread: Money,
    /// Negative: the market moved against us.
    pub adverse: Money,
    pub inventory: Money,
    pub delay: Money,
    pub execution: Money,
    pub opportunity: Money,
}

/// Sums of one instrument, as its contract counts worths.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Parts {
    spread: Grains,
    adverse: Grains,
    /// Worth of all fills at their prices: what was paid less what was received.
    spent: Grains,
    /// Worth of all fills at their horizons.
    at_horizons: Grains,
    delay: Grains,
    execution: Grains,
    opportunity: Grains,
}

impl Parts {
    /// A fill whose mids are known: `end` stands in for a horizon without one.
    pub(super) fn settle(&mut self, contract: &Contract, fill: &Fill, end: Option<DoublePx>) {
        let at = |px| contract.grains(fill.signed, px);
        let price = at(fill.px);
        // A market without mids has prices alone.
        let before = fill.before.map_or(price, at);
        let there = fill.there.or(end).map_or(before, at);
        self.spread += before - price;
        self.adverse += there - before;
        self.spent += price;
        self.at_horizons += there;
    }

    /// What the decision cost until the price was had.
    pub(super) fn shortfall(&mut self, contract: &Contract, fill: &Fill, of: &OpenOrder) {
        let Some(decision) = of.mid_decision else { return };
        let arrival = of.mid_arrival.unwrap_or(decision);
        let at = |px| contract.grains(fill.signed, px);
        self.delay += at(arrival) - at(decision);
        self.execution += at(fill.px) - at(arrival);
    }

    /// What an order missed that was not filled whole.
    pub(super) fn missed(&mut self, contract: &Contract, order: &OpenOrder, now: Option<DoublePx>) {
        if let (Some(decision), Some(now)) = (order.mid_decision, now) {
            let left = order.qty - order.filled;
            let signed = if order.side == Side::Buy { left } else { -left };
            self.opportunity += contract.grains(signed, now) - contract.grains(signed, decision);
        }
    }

    /// A contract paid out: as if that size were closed at that mid.
    pub(super) fn settled(&mut self, contract: &Contract, closing: i64, mid: DoublePx) {
        let worth = contract.grains(closing, mid);
        self.spent += worth;
        self.at_horizons += worth;
    }

    /// What an instrument still held at the end has made since, with that position at that mid.
    fn inventory(&self, contract: &Contract, position: i64, end: Option<DoublePx>) -> Grains {
        // Without any mid all fills stand at their prices, and so does the position.
        let left = end.map_or(self.at_horizons, |end| contract.grains(position, end));
        let inventory = left - self.at_horizons;
        let (parts, total) = (self.spread + self.adverse + inventory, left - self.spent);
        assert_eq!(parts, total, "the parts of a profit add up to it: {self:?}");
        inventory
    }
}

impl Attribution {
    /// Takes in an instrument once the run is over.
    pub(super) fn join(
        &mut self,
        parts: &Parts,
        contract: &Contract,
        position: i64,
        end: Option<DoublePx>,
    ) {
        self.spread += contract.money(parts.spread);
        self.adverse += contract.money(parts.adverse);
        self.inventory += contract.money(parts.inventory(contract, position, end));
        self.delay += contract.money(parts.delay);
        self.execution += contract.money(parts.execution);
        self.opportunity += contract.money(parts.opportunity);
    }
}
