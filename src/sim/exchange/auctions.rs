//! Orders for the opening and the closing auction of a session.
//!
//! What the venue says goes first: while it says that such an auction runs, each print fills the
//! orders that wait for it, at its price and up to its size. Where it says nothing, a calendar tells
//! when sessions open and close: the first print from that instant on is taken for the auction, or the
//! open of the session's first bar and the close of its last. An order takes part in one auction; what
//! that leaves of it ends. Absent on purpose: imbalances, indicative prices, and an effect of our size.

use qt_market::calendar::Calendar;
use qt_model::ids::InstrumentId;
use qt_model::order::NewOrder;
use qt_model::record::Trade;
use qt_model::time::{DAY_NANOS, Ts};
use qt_model::units::Px;
use qt_model::words::{CancelReason, Liquidity, RejectReason, Side, TimeInForce, TradingStatus};

use super::bars::Supply;
use super::booking::{is_beyond, qty_of};
use super::market::{Basis, Public};
use super::orders::{Resting, Standing};
use super::terms::Terms;
use super::{Exchange, Turn};

/// How long after the hour of a calendar a print is still taken for that of the auction.
const WINDOW_NANOS: i64 = 5 * 60 * 1_000_000_000;
/// Bars are known when they are over: the longest that are common are weeks.
const LONGEST_BAR_NANOS: i64 = 7 * DAY_NANOS;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Auction {
    Opening,
    Closing,
}

impl Auction {
    /// The auction that an order is for.
    #[inline]
    pub(super) fn of(time: TimeInForce) -> Option<Self> {
        match time {
            TimeInForce::Opg => Some(Self::Opening),
            TimeInForce::Cls => Some(Self::Closing),
            TimeInForce::Day
            | TimeInForce::Gtc
            | TimeInForce::Gtd
            | TimeInForce::Ioc
            | TimeInForce::Fok
            | TimeInForce::Gtx => None,
        }
    }

    /// When it is held next, with the end of its session; an order that arrives in that very instant
    /// is in time.
    fn next(self, calendar: &Calendar, from: Ts) -> Option<(Ts, Ts)> {
        if calendar.is_always_open() {
            return None;
        }
        let session = match self {
            Self::Opening => calendar.next_session(from),
            Self::Closing => calendar.session(from).or_else(|| calendar.next_session(from)),
        };
        session.map(|(open, close)| match self {
            Self::Opening => (open, close),
            Self::Closing => (close, close),
        })
    }
}

impl Exchange {
    /// Whether an instrument can be traded now, or an order for an auction can wait for one.
    #[inline]
    pub(super) fn check_session(
        &self,
        terms: &Terms,
        public: &Public,
        new: &NewOrder,
    ) -> Result<(), RejectReason> {
        let is_over = terms.expiry.is_some_and(|expiry| expiry <= self.now)
            || public.status() == Some(TradingStatus::Delisted);
        let Some(auction) = Auction::of(new.time_in_force) else {
            let is_open = public.is_open() && !is_over;
            return if is_open { Ok(()) } else { Err(RejectReason::NotTrading) };
        };
        if is_over {
            return Err(RejectReason::NotTrading);
        }
        // Bars have no prints that a venue could call an auction.
        let is_told = public.status().is_some() && public.basis() != Basis::Bars;
        let calendar = &self.venues[terms.venue].config.sessions;
        let is_known = is_told || auction.next(calendar, self.now).is_some();
        if is_known { Ok(()) } else { Err(RejectReason::NoAuction) }
    }

    /// An order begins to wait for its auction.
    pub(super) fn join_auction(&mut self, turn: &Turn<'_>, slot: u32) {
        let resting = self.orders.get_mut(slot);
        resting.standing = Standing::Auction;
        let instrument = resting.new.instrument;
        self.pits[instrument.index()].auction.push(slot);
        self.reserve(turn, slot);
    }

    /// The instant from which on an order has waited in vain, by what is known now.
    pub(super) fn last_call(&self, public: &Public, resting: &Resting) -> Ts {
        let (from, after) = match self.appointment(resting) {
            Some((at, _)) if public.status().is_some() => (at, DAY_NANOS),
            Some((at, _)) if public.basis() <= Basis::Bars => (at, LONGEST_BAR_NANOS),
            Some((at, _)) => (at, WINDOW_NANOS),
            None => (resting.since, DAY_NANOS),
        };
        from.checked_add_nanos(after + 1).unwrap_or(Ts::MAX)
    }

    /// When the auction of an order is held, with the end of its session, by the calendar.
    fn appointment(&self, resting: &Resting) -> Option<(Ts, Ts)> {
        let calendar = &self.venue_of(resting.new.instrument).config.sessions;
        Auction::of(resting.new.time_in_force)?.next(calendar, resting.since)
    }

    /// Something traded: it may be an auction.
    #[inline]
    pub(super) fn printed(&mut self, turn: &mut Turn<'_>, instrument: InstrumentId, trade: &Trade) {
        if self.pits[instrument.index()].auction.is_empty() {
            return;
        }
        let public = turn.market.of(instrument);
        let units = trade.qty.mantissa();
        if let Some(auction) = public.phases().running() {
            let waiting = self.waiting_for(instrument, auction);
            self.call(turn, &waiting, trade.px, units);
        } else if public.status().is_none() {
            self.print_by_hours(turn, instrument, (trade.px, units));
        }
    }

    /// A print of a venue that says nothing of its phases.
    fn print_by_hours(
        &mut self,
        turn: &mut Turn<'_>,
        instrument: InstrumentId,
        (px, units): (Px, i64),
    ) {
        let now = self.now;
        let auctions = [Auction::Opening, Auction::Closing].into_iter();
        let mut called: Vec<u32> =
            auctions.flat_map(|auction| self.waiting_for(instrument, auction)).collect();
        called.retain(|slot| {
            self.appointment(self.orders.get(*slot)).is_some_and(|(at, _)| at <= now)
        });
        self.call(turn, &called, px, units);
        self.dismiss(turn, &called, CancelReason::Remainder);
    }

    /// The venue has ended an auction, or opened or closed without one.
    pub(super) fn auction_over(&mut self, turn: &mut Turn<'_>, instrument: InstrumentId) {
        let Some(over) = turn.market.of(instrument).phases().over() else { return };
        let waiting = self.waiting_for(instrument, over.auction);
        let Some(uncrossed) = over.uncrossed else {
            return self.dismiss(turn, &waiting, CancelReason::NoAuction);
        };
        if over.is_late {
            self.call(turn, &waiting, uncrossed.px, uncrossed.units);
        }
        self.dismiss(turn, &waiting, CancelReason::Remainder);
    }

    /// The auctions that lie in a bar: of the open, its first price; of the close, its last.
    pub(super) fn auctions_in_bar(
        &mut self,
        turn: &mut Turn<'_>,
        instrument: InstrumentId,
        supply: &mut Supply,
        auction: Auction,
    ) {
        let (bar, over) = (supply.bar, self.now);
        let (mut called, mut missed) = (Vec::new(), Vec::new());
        for slot in self.waiting_for(instrument, auction) {
            match self.appointment(self.orders.get(slot)) {
                Some((_, close)) if bar.open_ts >= close => missed.push(slot),
                Some((at, _)) if auction == Auction::Opening && at < over => called.push(slot),
                Some((at, _)) if auction == Auction::Closing && at <= over => called.push(slot),
                Some(_) | None => {}
            }
        }
        let px = match auction {
            Auction::Opening => bar.open,
            Auction::Closing => bar.close,
        };
        supply.units = self.call(turn, &called, px, supply.units);
        self.dismiss(turn, &called, CancelReason::Remainder);
        self.dismiss(turn, &missed, CancelReason::NoAuction);
        self.settle(turn);
    }

    /// The orders that wait for an auction: without a limit first, then the best limits, then in
    /// order of arrival.
    fn waiting_for(&self, instrument: InstrumentId, auction: Auction) -> Vec<u32> {
        let waiting = self.pits[instrument.index()].auction.iter().copied();
        let is_for =
            |slot: &u32| Auction::of(self.orders.get(*slot).new.time_in_force) == Some(auction);
        let mut slots: Vec<u32> = waiting.filter(is_for).collect();
        slots.sort_by_key(|slot| eagerness(self.orders.get(*slot)));
        slots
    }

    /// Executes what an auction at that price has for orders that wait for it; what is left of it.
    fn call(&mut self, turn: &mut Turn<'_>, slots: &[u32], px: Px, units: i64) -> i64 {
        let mut left = units;
        for slot in slots.iter().copied() {
            let resting = *self.orders.get(slot);
            let NewOrder { instrument, side, .. } = resting.new;
            let is_within = resting.limit().is_none_or(|limit| !is_beyond(side, px, limit));
            if !self.is_waiting(slot) || !is_within || !self.is_ready(turn, slot) {
                continue;
            }
            let lot = self.terms[instrument.index()].lot();
            let units = self.open_units(slot).min(left - left % lot);
            if units == 0 {
                continue;
            }
            let qty = qty_of(units);
            if !self.affords(instrument, side, px, qty, slot) {
                self.cancel_slot(turn, slot, CancelReason::Venue);
                continue;
            }
            left -= units;
            self.fill(turn, slot, px, qty, Liquidity::Taker);
        }
        left
    }

    /// Ends those that still wait.
    fn dismiss(&mut self, turn: &mut Turn<'_>, slots: &[u32], reason: CancelReason) {
        for slot in slots.iter().copied() {
            if self.is_waiting(slot) {
                self.cancel_slot(turn, slot, reason);
            }
        }
    }

    /// Whether the order in a slot still waits for an auction: a slot outlives its order.
    fn is_waiting(&self, slot: u32) -> bool {
        let resting = self.orders.get(slot);
        resting.standing == Standing::Auction && self.orders.find(resting.order) == Some(slot)
    }
}

/// Smaller is served first.
fn eagerness(resting: &Resting) -> (bool, i64) {
    let Some(limit) = resting.limit() else { return (false, 0) };
    (
        true,
        match resting.new.side {
            // The complement turns the order around without an overflow.
            Side::Buy => !limit.mantissa(),
            Side::Sell => limit.mantissa(),
        },
    )
}
