//! Orders, amendments and cancels as they arrive at the venue.

use qt_market::book::OrderBook;
use qt_model::order::{Amendment, NewOrder, OrderNo, Pricing, ReportKind};
use qt_model::step::Execution;
use qt_model::time::Ts;
use qt_model::units::Qty;
use qt_model::words::{CancelReason, RejectReason, TimeInForce};
use qt_trade::risk::Approved;

use super::admission::{check_grid, check_shape, is_plain, is_stop};
use super::auctions::Auction;
use super::booking::{mid, plus, qty_of};
use super::config::PostOnly;
use super::market::{Basis, Market};
use super::orders::{Arrival, Resting, Standing};
use super::queue::Place;
use super::terms;
use super::{Exchange, Turn};

impl Exchange {
    /// A new order arrives.
    pub fn submit(
        &mut self,
        at: Ts,
        order: OrderNo,
        new: Approved<NewOrder>,
        market: &Market,
        out: &mut Vec<Execution>,
    ) {
        self.now = self.now.max(at);
        self.highest = self.highest.max(order);
        let turn = &mut Turn { market, out };
        match self.admit(turn, &new) {
            Ok(()) => self.accept(turn, order, &new),
            Err(reason) => {
                self.report(turn, order, ReportKind::Rejected(reason));
                self.end(order, None, Qty::ZERO, false);
            }
        }
        self.settle(turn);
    }

    /// A request to end an order arrives.
    pub fn cancel(&mut self, at: Ts, order: OrderNo, market: &Market, out: &mut Vec<Execution>) {
        self.now = self.now.max(at);
        let turn = &mut Turn { market, out };
        match self.orders.find(order) {
            Some(slot) => self.cancel_slot(turn, slot, CancelReason::Requested),
            None => self.report(turn, order, ReportKind::CancelRefused(self.absent(order))),
        }
        self.settle(turn);
    }

    /// A request to change an order arrives.
    pub fn amend(
        &mut self,
        at: Ts,
        order: OrderNo,
        change: Approved<Amendment>,
        market: &Market,
        out: &mut Vec<Execution>,
    ) {
        self.now = self.now.max(at);
        let turn = &mut Turn { market, out };
        let changed = match self.orders.find(order) {
            Some(slot) => self.change(turn, slot, *change),
            None => Err(self.absent(order)),
        };
        if let Err(reason) = changed {
            self.report(turn, order, ReportKind::AmendRefused(reason));
        }
        self.settle(turn);
    }

    /// Why an order does not stand: numbers count up, so a low one has been here.
    fn absent(&self, order: OrderNo) -> RejectReason {
        if order <= self.highest { RejectReason::Ended } else { RejectReason::UnknownOrder }
    }

    #[inline]
    fn accept(&mut self, turn: &mut Turn<'_>, order: OrderNo, new: &NewOrder) {
        let public = turn.market.of(new.instrument);
        let slot = self.orders.insert(Resting::new(order, new, self.now, mid(public.top())));
        let pit = &mut self.pits[new.instrument.index()];
        pit.live += 1;
        if new.reduce_only {
            pit.reducers.push(slot);
        }
        self.report(turn, order, ReportKind::Acknowledged);
        // One that never rests has no expiry, and one without links is tied by those that named it.
        let is_alone = is_plain(new) && self.groups.is_empty();
        if !is_alone {
            self.expect_expiry(public, slot);
        }
        if is_alone || self.tie(turn, slot) {
            self.activate(turn, slot);
        }
    }

    /// An order that its links set free begins to wait for its trigger, or comes to the market.
    pub(super) fn activate(&mut self, turn: &mut Turn<'_>, slot: u32) {
        let resting = self.orders.get_mut(slot);
        resting.since = self.in_bar.unwrap_or(self.now);
        if is_stop(resting.new.pricing) && !resting.is_triggered {
            self.wait(turn, slot);
        } else {
            self.enter(turn, slot);
        }
    }

    /// An order comes to the market.
    pub(super) fn enter(&mut self, turn: &mut Turn<'_>, slot: u32) {
        if !self.is_ready(turn, slot) {
            return;
        }
        let new = &self.orders.get(slot).new;
        let public = turn.market.of(new.instrument);
        if Auction::of(new.time_in_force).is_some() {
            return self.join_auction(turn, slot);
        }
        let is_post_only = new.time_in_force == TimeInForce::Gtx;
        if public.basis() == Basis::Bars {
            if is_post_only {
                self.queue_up(turn, slot);
            } else {
                self.open_later(slot);
                self.reserve(turn, slot);
            }
            return;
        }
        if is_post_only && self.would_take(public, new) {
            let config = &self.venue_of(new.instrument).config;
            // A rejection comes before the acknowledgement; whoever comes later is cancelled.
            let is_late = new.links.parent.is_some() || config.post_only == PostOnly::Cancel;
            assert!(is_late, "{new:?} was not to be admitted");
            return self.cancel_slot(turn, slot, CancelReason::WouldTake);
        }
        self.take(turn, slot);
    }

    /// Whether an order may come to the market; one that may not is cancelled. What was known of
    /// it when it was admitted may not hold any more.
    #[inline]
    pub(super) fn is_ready(&mut self, turn: &mut Turn<'_>, slot: u32) -> bool {
        let new = &self.orders.get(slot).new;
        let is_free = !new.reduce_only && self.is_free(new);
        is_free || self.make_ready(turn, slot)
    }

    fn make_ready(&mut self, turn: &mut Turn<'_>, slot: u32) -> bool {
        let resting = self.orders.get(slot);
        let open = self.open_units(slot);
        if open < resting.leaves().mantissa() {
            let left = plus(resting.filled, qty_of(open));
            self.cut(turn, slot, left, CancelReason::NothingToReduce);
            if open == 0 {
                return false;
            }
        }
        let resting = self.orders.get(slot);
        let public = turn.market.of(resting.new.instrument);
        if self.check_funds(public, &resting.new, open, resting.set_aside()).is_err() {
            self.cancel_slot(turn, slot, CancelReason::Venue);
            return false;
        }
        true
    }

    /// An order takes its place at the end of the queue of its limit.
    pub(super) fn queue_up(&mut self, turn: &Turn<'_>, slot: u32) {
        let resting = *self.orders.get(slot);
        let new = resting.new;
        let px = resting.limit().expect("an order without a limit never rests");
        let public = turn.market.of(new.instrument);
        let model = self.venues[self.terms[new.instrument.index()].venue].config.fills.queue;
        let shown = public.shown(new.side, px);
        let ranks = self.pits[new.instrument.index()].ranks_mut(new.side);
        ranks.push(&mut self.orders, slot, px, shown);
        let resting = self.orders.get_mut(slot);
        resting.standing = Standing::Queued;
        let stamp = public.by_order().map_or(0, OrderBook::next_stamp);
        resting.place = Place::join(model, shown).stamped(stamp);
        let leaves = resting.leaves();
        resting.showing = new.display.map_or(leaves, |display| display.min(leaves));
        let ahead = resting.place.ahead();
        resting.arrival = Arrival { mid: mid(public.top()), level_qty: shown, ahead };
        self.reserve(turn, slot);
    }

    /// Changes an order that stands, or says why not.
    fn change(
        &mut self,
        turn: &mut Turn<'_>,
        slot: u32,
        change: Amendment,
    ) -> Result<(), RejectReason> {
        let resting = *self.orders.get(slot);
        let amended = self.amended(turn, &resting, change)?;
        let order = resting.order;
        self.report(turn, order, ReportKind::Amended(change));
        if amended.qty <= resting.filled {
            // What was filled on the way counts: the order is filled whole, at what it is now.
            self.leave(slot);
            self.finish(slot, true);
            return Ok(());
        }
        let is_smaller = amended.pricing == resting.new.pricing && amended.qty <= resting.new.qty;
        match resting.standing {
            Standing::Queued if is_smaller => self.restate(turn, slot, amended),
            Standing::Held | Standing::Opening | Standing::Auction => {
                self.restate(turn, slot, amended);
            }
            Standing::Queued | Standing::Waiting | Standing::Arriving => {
                self.leave(slot);
                self.restate(turn, slot, amended);
                self.activate(turn, slot);
            }
        }
        Ok(())
    }

    fn restate(&mut self, turn: &Turn<'_>, slot: u32, amended: NewOrder) {
        let resting = self.orders.get_mut(slot);
        resting.new = amended;
        resting.showing = resting.showing.min(resting.leaves());
        if let Pricing::Stop { trigger } = amended.pricing {
            resting.trigger = Some(trigger);
        }
        self.reserve(turn, slot);
    }

    /// The order that a change would make, if it may be made.
    fn amended(
        &self,
        turn: &Turn<'_>,
        resting: &Resting,
        change: Amendment,
    ) -> Result<NewOrder, RejectReason> {
        let mut amended = resting.new;
        amended.qty = change.qty.unwrap_or(amended.qty);
        if let Some(to) = change.px {
            match &mut amended.pricing {
                Pricing::Limit { px } | Pricing::StopLimit { px, .. } => *px = to,
                Pricing::Stop { trigger } => *trigger = to,
                Pricing::Market | Pricing::TrailingStop { .. } => {
                    return Err(RejectReason::Malformed);
                }
            }
        }
        let terms = terms::find(&self.terms, amended.instrument)?;
        check_shape(&amended)?;
        check_grid(terms, &amended)?;
        let public = turn.market.of(amended.instrument);
        self.check_session(terms, public, &amended)?;
        self.check_band(terms, public, &amended)?;
        let is_post_only = amended.time_in_force == TimeInForce::Gtx;
        let is_anew = change.px.is_some() || amended.qty > resting.new.qty;
        if is_anew && is_post_only && self.would_take(public, &amended) {
            return Err(RejectReason::WouldTake);
        }
        let open = amended.qty.mantissa() - resting.filled.mantissa();
        self.check_funds(public, &amended, open.max(0), resting.set_aside())?;
        Ok(amended)
    }
}
