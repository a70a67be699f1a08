//! Orders where the market is known as bars alone.
//!
//! A bar says four prices and not their order, so nothing here uses what is inside a bar to the
//! advantage of an order. What had arrived before the bar opened takes part in it: market orders at
//! the open; stops at their trigger or at the open, whichever is worse; then limits that the bar
//! traded through, at their limit. Where a stop and a target lie inside one bar, the stop is hit. A
//! stop that belongs to a fill inside the bar can be hit in the same bar, a target cannot. Reports
//! carry the time of the close: until then nobody could have known.

use qt_model::ids::InstrumentId;
use qt_model::order::{Pricing, ReportKind};
use qt_model::record::Bar;
use qt_model::time::Ts;
use qt_model::units::Px;
use qt_model::words::{CancelReason, Liquidity, Side, TimeInForce};
use rust_decimal::Decimal;

use super::auctions::Auction;
use super::booking::{is_beyond, qty_of};
use super::market::{Basis, LastBar};
use super::orders::Standing;
use super::taker::away;
use super::{Exchange, Turn};

/// What a bar still has for us.
#[derive(Debug)]
pub(super) struct Supply {
    pub(super) bar: LastBar,
    /// Orders that came after this have missed the open.
    open: Ts,
    pub(super) units: i64,
}

impl Exchange {
    pub(super) fn bar(&mut self, turn: &mut Turn<'_>, instrument: InstrumentId, row: &Bar) {
        let public = turn.market.of(instrument);
        if public.basis() != Basis::Bars || !public.is_open() {
            return;
        }
        let Some(bar) = public.bar().filter(|bar| bar.is_of(row)) else { return };
        let terms = &self.terms[instrument.index()];
        let rules = self.venues[terms.venue].config.bars;
        let open = bar.open_ts.checked_add_nanos(rules.grace_ns).unwrap_or(Ts::MAX);
        let units = supply(&bar, rules.volume_share, terms.lot());
        let mut supply = Supply { bar, open, units };
        let has_auction = !self.pits[instrument.index()].auction.is_empty();
        if has_auction {
            self.auctions_in_bar(turn, instrument, &mut supply, Auction::Opening);
        }
        // What follows from a fill at the open stands in the market for the rest of the bar.
        self.in_bar = Some(bar.open_ts);
        self.at_open(turn, instrument, &mut supply);
        if self.pits[instrument.index()].has_stops() {
            self.stops_at_open(turn, instrument, &mut supply);
        }
        self.in_bar = None;
        // Most often what stood here waited for the open, and nothing is left.
        if !self.events.is_empty() || self.pits[instrument.index()].has_more_than_opens() {
            self.inside(turn, instrument, &mut supply);
        }
    }

    /// What the bar does to orders between its open and its close, that instant included.
    #[inline(never)]
    fn inside(&mut self, turn: &mut Turn<'_>, instrument: InstrumentId, supply: &mut Supply) {
        self.stops_inside(turn, instrument, supply, false);
        self.limits_inside(turn, instrument, supply);
        self.stops_inside(turn, instrument, supply, true);
        self.trail(instrument, &supply.bar);
        if !self.pits[instrument.index()].auction.is_empty() {
            self.auctions_in_bar(turn, instrument, supply, Auction::Closing);
        }
    }

    /// Everything that waits for an open.
    fn at_open(&mut self, turn: &mut Turn<'_>, instrument: InstrumentId, supply: &mut Supply) {
        let open = supply.bar.open;
        let mut opening = std::mem::take(&mut self.scratch);
        opening.extend_from_slice(&self.pits[instrument.index()].opening);
        for slot in opening.drain(..) {
            let resting = self.orders.get(slot);
            if resting.standing != Standing::Opening || resting.since > supply.open {
                continue;
            }
            let (order, limit, time) = (resting.order, resting.limit(), resting.new.time_in_force);
            let is_within = limit.is_none_or(|limit| !is_beyond(resting.new.side, open, limit));
            if time == TimeInForce::Fok && supply.units < self.open_units(slot) {
                self.cancel_slot(turn, slot, CancelReason::Remainder);
            } else if is_within {
                self.fill_in_bar(turn, slot, open, Liquidity::Taker, supply);
            }
            if limit.is_some() && self.orders.find(order) == Some(slot) {
                self.end_opening(turn, slot, time);
            }
        }
        self.scratch = opening;
        self.settle(turn);
    }

    /// Stops that the open has passed.
    fn stops_at_open(
        &mut self,
        turn: &mut Turn<'_>,
        instrument: InstrumentId,
        supply: &mut Supply,
    ) {
        let open = supply.bar.open;
        for slot in self.stops_of(instrument) {
            let resting = *self.orders.get(slot);
            let reached = resting
                .trigger
                .is_some_and(|trigger| !is_beyond(resting.new.side.opposite(), open, trigger));
            if reached && resting.standing == Standing::Waiting && resting.since <= supply.open {
                self.trigger_in_bar(turn, slot, open, supply);
            }
        }
    }

    /// A limit order for the open alone ends there; one that may rest becomes a resting one.
    fn end_opening(&mut self, turn: &mut Turn<'_>, slot: u32, time: TimeInForce) {
        match time {
            TimeInForce::Ioc | TimeInForce::Fok => {
                self.cancel_slot(turn, slot, CancelReason::Remainder);
            }
            TimeInForce::Day | TimeInForce::Gtc | TimeInForce::Gtd | TimeInForce::Gtx => {
                self.leave(slot);
                self.queue_up(turn, slot);
            }
            TimeInForce::Opg | TimeInForce::Cls => {
                panic!("{:?} meets an open outside its auction", self.orders.get(slot))
            }
        }
    }

    /// Stops that the range of the bar has reached; with `is_child`, those that came with a fill
    /// inside it.
    fn stops_inside(
        &mut self,
        turn: &mut Turn<'_>,
        instrument: InstrumentId,
        supply: &mut Supply,
        is_child: bool,
    ) {
        for slot in self.stops_of(instrument) {
            let resting = *self.orders.get(slot);
            let Some(trigger) = resting.trigger else { continue };
            let came = if is_child {
                resting.since == self.now && resting.new.links.parent.is_some()
            } else {
                resting.since <= supply.open
            };
            let is_reached = match resting.new.side {
                Side::Buy => supply.bar.high >= trigger,
                Side::Sell => supply.bar.low <= trigger,
            };
            if came && is_reached && resting.standing == Standing::Waiting {
                self.trigger_in_bar(turn, slot, trigger, supply);
                self.settle(turn);
            }
        }
    }

    /// Limits that the bar traded through, the best first.
    fn limits_inside(
        &mut self,
        turn: &mut Turn<'_>,
        instrument: InstrumentId,
        supply: &mut Supply,
    ) {
        let venue = self.terms[instrument.index()].venue;
        let fills_at_limit = self.venues[venue].config.fills.fills_at_limit;
        for side in [Side::Buy, Side::Sell] {
            let extreme = match side {
                Side::Buy => supply.bar.low,
                Side::Sell => supply.bar.high,
            };
            let passes =
                |px: Px| is_beyond(side.opposite(), extreme, px) || fills_at_limit && extreme == px;
            for (px, slot) in self.queued(instrument, side, passes) {
                let resting = *self.orders.get(slot);
                let is_here = resting.standing == Standing::Queued && resting.limit() == Some(px);
                if is_here && resting.since <= supply.open {
                    self.fill_in_bar(turn, slot, px, Liquidity::Maker, supply);
                }
            }
        }
        self.settle(turn);
    }

    /// Our orders of a side at prices that pass, the best first, in order of arrival.
    fn queued(
        &self,
        instrument: InstrumentId,
        side: Side,
        passes: impl Fn(Px) -> bool,
    ) -> Vec<(Px, u32)> {
        let ranks = self.pits[instrument.index()].ranks(side);
        let mut found = Vec::new();
        for at in (0..ranks.len()).rev() {
            let px = ranks.level_px(at);
            if !passes(px) {
                break;
            }
            let mut next = Some(ranks.level(at).first);
            while let Some(slot) = next {
                found.push((px, slot));
                next = self.orders.after(slot);
            }
        }
        found
    }

    /// A stop is triggered at a price of the bar: it is executed there, or rests from now on.
    fn trigger_in_bar(&mut self, turn: &mut Turn<'_>, slot: u32, px: Px, supply: &mut Supply) {
        self.leave(slot);
        let resting = self.orders.get_mut(slot);
        resting.is_triggered = true;
        resting.since = self.now;
        let order = resting.order;
        self.report(turn, order, ReportKind::Triggered);
        if !self.is_ready(turn, slot) {
            return;
        }
        if self.orders.get(slot).limit().is_some() {
            return self.queue_up(turn, slot);
        }
        self.open_later(slot);
        self.fill_in_bar(turn, slot, px, Liquidity::Taker, supply);
    }

    /// An order waits for the next open.
    pub(super) fn open_later(&mut self, slot: u32) {
        let resting = self.orders.get_mut(slot);
        resting.standing = Standing::Opening;
        let instrument = resting.new.instrument;
        self.pits[instrument.index()].opening.push(slot);
    }

    /// Executes what the bar still has for us; what it has not waits for the next.
    fn fill_in_bar(
        &mut self,
        turn: &mut Turn<'_>,
        slot: u32,
        px: Px,
        liquidity: Liquidity,
        supply: &mut Supply,
    ) {
        let resting = self.orders.get(slot);
        let (instrument, side, limit) = (resting.new.instrument, resting.new.side, resting.limit());
        let units = self.open_units(slot).min(supply.units);
        if units == 0 {
            return;
        }
        let qty = qty_of(units);
        let terms = &self.terms[instrument.index()];
        let px = match liquidity {
            Liquidity::Maker => px,
            Liquidity::Taker => {
                let slippage = &self.venues[terms.venue].config.slippage;
                let slipped = away(terms, turn.market.of(instrument), side, px, slippage, qty);
                limit.filter(|limit| is_beyond(side, slipped, *limit)).unwrap_or(slipped)
            }
        };
        if liquidity == Liquidity::Taker && !self.affords(instrument, side, px, qty, slot) {
            return self.cancel_slot(turn, slot, CancelReason::Venue);
        }
        supply.units -= units;
        self.fill(turn, slot, px, qty, liquidity);
    }

    /// The stops that wait, by order number: the order in which they came.
    fn stops_of(&self, instrument: InstrumentId) -> Vec<u32> {
        let pit = &self.pits[instrument.index()];
        if !pit.has_stops() {
            return Vec::new();
        }
        let mut slots = pit.trailing.clone();
        for ranks in [&pit.buy_stops, &pit.sell_stops] {
            for at in 0..ranks.len() {
                let mut next = Some(ranks.level(at).first);
                while let Some(slot) = next {
                    slots.push(slot);
                    next = self.orders.after(slot);
                }
            }
        }
        slots.sort_by_key(|slot| self.orders.get(*slot).order);
        slots
    }

    /// Moves trailing stops behind the best price of the bar, once it is over.
    fn trail(&mut self, instrument: InstrumentId, bar: &LastBar) {
        for slot in self.pits[instrument.index()].trailing.clone() {
            let resting = self.orders.get(slot);
            let Pricing::TrailingStop { .. } = resting.new.pricing else { continue };
            let best = match resting.new.side {
                Side::Buy => bar.low,
                Side::Sell => bar.high,
            };
            if resting.since <= bar.open_ts {
                self.follow(slot, best);
            }
        }
    }
}

/// How much of a bar's volume may be ours.
fn supply(bar: &LastBar, share: Option<Decimal>, lot: i64) -> i64 {
    let Some(share) = share else { return i64::MAX };
    let units = Decimal::from(bar.volume.mantissa()) * share / Decimal::from(lot);
    let lots = i64::try_from(units.trunc().normalize().mantissa()).unwrap_or(i64::MAX);
    lots.saturating_mul(lot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_volume_is_whole_lots() {
        let bar = LastBar {
            clock: qt_model::words::BarClock::Time,
            step: Decimal::ONE,
            open_ts: Ts::default(),
            open: Px::new(1),
            high: Px::new(1),
            low: Px::new(1),
            close: Px::new(1),
            volume: qty_of(1_234),
        };
        assert_eq!(supply(&bar, None, 10), i64::MAX);
        assert_eq!(supply(&bar, Some(Decimal::new(1, 1)), 10), 120);
        assert_eq!(supply(&bar, Some(Decimal::new(1, 3)), 10), 0);
    }
}
