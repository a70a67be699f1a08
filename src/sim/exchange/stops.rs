//! Stops: orders that wait for the market to reach their trigger.
//!
//! Trades trigger, where the data has trades; else the touch does: the ask for buys, the bid for
//! sells. A trailing stop follows the best such price since it arrived and never moves back. A stop
//! whose trigger has been reached before it arrives is triggered at once.

use qt_model::ids::InstrumentId;
use qt_model::order::{Pricing, ReportKind};
use qt_model::units::Px;
use qt_model::words::Side;

use super::booking::is_beyond;
use super::market::Public;
use super::orders::Standing;
use super::{Exchange, Turn};

impl Exchange {
    /// A stop begins to wait.
    pub(super) fn wait(&mut self, turn: &mut Turn<'_>, slot: u32) {
        let new = self.orders.get(slot).new;
        let price = price_for(turn.market.of(new.instrument), new.side);
        if let Pricing::TrailingStop { distance } = new.pricing {
            let trigger = price.map(|price| behind(new.side, price, distance));
            self.orders.get_mut(slot).trigger = trigger;
            self.pits[new.instrument.index()].trailing.push(slot);
            self.orders.get_mut(slot).standing = Standing::Waiting;
            return;
        }
        let trigger = self.orders.get(slot).trigger.expect("a stop has a trigger");
        if price.is_some_and(|price| is_reached(new.side, price, trigger)) {
            return self.trigger(turn, slot);
        }
        let stops = self.pits[new.instrument.index()].stops_mut(new.side);
        stops.push(&mut self.orders, slot, trigger, None);
        self.orders.get_mut(slot).standing = Standing::Waiting;
    }

    /// Triggers what the market has reached.
    #[inline]
    pub(super) fn check_stops(&mut self, turn: &mut Turn<'_>, instrument: InstrumentId) {
        let pit = &self.pits[instrument.index()];
        if !pit.has_stops() {
            return;
        }
        let public = turn.market.of(instrument);
        for side in [Side::Buy, Side::Sell] {
            if let Some(price) = price_for(public, side) {
                self.reach(turn, instrument, side, price);
            }
        }
    }

    /// Triggers the stops of a side that a price has reached, and moves those that follow it.
    pub(super) fn reach(
        &mut self,
        turn: &mut Turn<'_>,
        instrument: InstrumentId,
        side: Side,
        price: Px,
    ) {
        while let Some((trigger, slot)) = self.pits[instrument.index()].stops(side).best() {
            if !is_reached(side, price, trigger) {
                break;
            }
            self.leave(slot);
            self.trigger(turn, slot);
        }
        let mut at = 0;
        while let Some(slot) = self.pits[instrument.index()].trailing.get(at).copied() {
            let is_of_side = self.orders.get(slot).new.side == side;
            if is_of_side && self.follow(slot, price) {
                self.leave(slot);
                self.trigger(turn, slot);
            } else {
                at += 1;
            }
        }
    }

    /// Moves a trailing stop behind a price; whether the price has reached it.
    pub(super) fn follow(&mut self, slot: u32, price: Px) -> bool {
        let resting = self.orders.get_mut(slot);
        let side = resting.new.side;
        let Pricing::TrailingStop { distance } = resting.new.pricing else {
            panic!("{resting:?} does not trail");
        };
        let follows = behind(side, price, distance);
        let nearest = resting.trigger.filter(|trigger| !is_beyond(side, *trigger, follows));
        let trigger = nearest.unwrap_or(follows);
        resting.trigger = Some(trigger);
        is_reached(side, price, trigger)
    }

    fn trigger(&mut self, turn: &mut Turn<'_>, slot: u32) {
        let resting = self.orders.get_mut(slot);
        resting.is_triggered = true;
        resting.since = self.now;
        let order = resting.order;
        self.report(turn, order, ReportKind::Triggered);
        self.enter(turn, slot);
    }
}

/// Whether a price is at a trigger or beyond it.
fn is_reached(side: Side, price: Px, trigger: Px) -> bool {
    !is_beyond(side.opposite(), price, trigger)
}

/// The trigger that follows a price at a distance.
fn behind(side: Side, price: Px, distance: Px) -> Px {
    let (price, distance) = (price.mantissa(), distance.mantissa());
    Px::new(match side {
        Side::Buy => price.saturating_add(distance),
        Side::Sell => price.saturating_sub(distance),
    })
}

/// The price that triggers stops of a side.
fn price_for(public: &Public, side: Side) -> Option<Px> {
    if let Some(print) = public.last() {
        return Some(print.px);
    }
    let touch = public.top().of(side.opposite()).map(|offer| offer.px);
    touch.or(public.bar().map(|bar| bar.close))
}
