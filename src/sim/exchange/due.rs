//! What happens at a set time: orders expire, funding is paid, interest falls due, contracts end.
//!
//! An order for the day lives until the end of the UTC day in which it arrived, or until the venue
//! says that it is closed. Funding is the rate announced last, times the position at its mark:
//! positive rates are paid by longs. Interest is charged at each full hour.

use qt_model::ids::InstrumentId;
use qt_model::instrument::Instruments;
use qt_model::order::{CashReason, OrderNo, ReportKind};
use qt_model::record::Funding;
use qt_model::step::Execution;
use qt_model::time::{DAY_NANOS, Ts};
use qt_model::words::{CancelReason, TimeInForce, TradingStatus};
use rust_decimal::Decimal;

use super::auctions::Auction;
use super::closeout::mark_of;
use super::config::AccountKind;
use super::market::{Market, Public};
use super::orders::Resting;
use super::{Exchange, Turn};

const HOUR_NANOS: i64 = 3_600_000_000_000;
const HOURS_PER_YEAR: i64 = 8_760;

/// What falls due. At one instant, the earlier variant comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    Expiry(OrderNo),
    Funding(Rank),
    Interest(Rank),
    Settlement(Rank),
}

/// An instrument in the order of the symbols, which is the order that shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank(u32, InstrumentId);

impl Exchange {
    /// When something is next to happen without a record or a message.
    #[inline]
    pub fn next_due(&self) -> Option<Ts> {
        self.dues.first().map(|(at, _)| *at)
    }

    /// Lets happen what is due until then, that instant included.
    pub fn advance(&mut self, to: Ts, market: &Market, out: &mut Vec<Execution>) {
        let turn = &mut Turn { market, out };
        while let Some((at, due)) = self.dues.first().copied().filter(|(at, _)| *at <= to) {
            self.dues.pop_first();
            self.now = self.now.max(at);
            match due {
                Due::Expiry(order) => self.run_out(turn, order),
                Due::Funding(Rank(_, instrument)) => self.pay_funding(turn, instrument, at),
                Due::Interest(Rank(_, instrument)) => self.pay_interest(turn, instrument),
                Due::Settlement(Rank(_, instrument)) => self.end_contract(turn, instrument),
            }
            self.settle(turn);
        }
    }

    /// Notes when contracts end.
    pub(super) fn expect_settlements(&mut self, instruments: &Instruments) {
        for (instrument, _) in instruments.by_symbol() {
            if let Some(expiry) = self.terms[instrument.index()].expiry {
                self.dues.insert((expiry, Due::Settlement(self.rank(instrument))));
            }
        }
    }

    /// A contract ends: its orders end with it, and its position is settled at the mark.
    fn end_contract(&mut self, turn: &mut Turn<'_>, instrument: InstrumentId) {
        for slot in self.orders.in_order() {
            let resting = *self.orders.get(slot);
            if resting.new.instrument == instrument {
                self.expire(turn, resting.order);
            }
        }
        self.settle_position(turn, instrument);
    }

    /// Notes when an order will expire.
    pub(super) fn expect_expiry(&mut self, public: &Public, slot: u32) {
        let resting = self.orders.get(slot);
        let at = match Auction::of(resting.new.time_in_force) {
            Some(_) => Some(self.last_call(public, resting)),
            None => expiry(resting),
        };
        let resting = self.orders.get_mut(slot);
        resting.expires = at;
        if let Some(at) = at {
            self.dues.insert((at, Due::Expiry(resting.order)));
        }
    }

    /// The time of an order is over; one for an auction may have longer by what is known now.
    fn run_out(&mut self, turn: &mut Turn<'_>, order: OrderNo) {
        let slot = self.orders.find(order).expect("the expiry of an order ends with it");
        let resting = self.orders.get(slot);
        if Auction::of(resting.new.time_in_force).is_none() {
            return self.expire(turn, order);
        }
        let public = turn.market.of(resting.new.instrument);
        if self.last_call(public, resting) > self.now {
            return self.expect_expiry(public, slot);
        }
        self.cancel_slot(turn, slot, CancelReason::NoAuction);
    }

    pub(super) fn forget_expiry(&mut self, slot: u32) {
        let resting = self.orders.get(slot);
        if let Some(at) = resting.expires {
            self.dues.remove(&(at, Due::Expiry(resting.order)));
        }
    }

    fn expire(&mut self, turn: &mut Turn<'_>, order: OrderNo) {
        let slot = self.orders.find(order).expect("the expiry of an order ends with it");
        self.report(turn, order, ReportKind::Expired);
        self.leave(slot);
        self.finish(slot, false);
    }

    /// The venue says whether it trades.
    pub(super) fn status(
        &mut self,
        turn: &mut Turn<'_>,
        instrument: InstrumentId,
        status: TradingStatus,
    ) {
        for slot in self.orders.in_order() {
            let resting = *self.orders.get(slot);
            if resting.new.instrument != instrument {
                continue;
            }
            let is_for_the_day = resting.new.time_in_force == TimeInForce::Day;
            match status {
                TradingStatus::Delisted => {
                    self.cancel_slot(turn, slot, CancelReason::NotTrading);
                }
                TradingStatus::Closed if is_for_the_day => self.expire(turn, resting.order),
                TradingStatus::Closed
                | TradingStatus::PreOpen
                | TradingStatus::Open
                | TradingStatus::Auction
                | TradingStatus::OpeningAuction
                | TradingStatus::ClosingAuction
                | TradingStatus::Halted => {}
            }
        }
        self.auction_over(turn, instrument);
        self.crossed(turn, instrument);
    }

    /// A rate was announced while a position is held.
    pub(super) fn funding(
        &mut self,
        turn: &mut Turn<'_>,
        instrument: InstrumentId,
        funding: &Funding,
    ) {
        match funding.due {
            Some(due) if due > self.now => {
                self.expect_funding(turn.market.of(instrument), instrument);
            }
            // It is told as it is paid.
            Some(_) => self.pay_rate(turn, instrument, funding.rate),
            // A rate as it stands, which some feeds repeat with each tick: nothing is settled by it.
            None => {}
        }
    }

    fn rank(&self, instrument: InstrumentId) -> Rank {
        Rank(self.terms[instrument.index()].rank, instrument)
    }

    /// Notes funding that was announced, for a position that is held.
    #[inline(never)]
    pub(super) fn expect_funding(&mut self, public: &Public, instrument: InstrumentId) {
        let announced = public.funding().and_then(|funding| Some((funding.due?, funding.rate)));
        let Some((due, rate)) = announced.filter(|(due, _)| *due > self.now) else { return };
        let funding = &mut self.pits[instrument.index()].funding;
        match funding.iter_mut().find(|(known, _)| *known == due) {
            Some(known) => known.1 = rate,
            None => {
                funding.push((due, rate));
                self.dues.insert((due, Due::Funding(self.rank(instrument))));
            }
        }
    }

    fn pay_funding(&mut self, turn: &mut Turn<'_>, instrument: InstrumentId, at: Ts) {
        let funding = &mut self.pits[instrument.index()].funding;
        if let Some(due) = funding.iter().position(|(due, _)| *due == at) {
            let (_, rate) = funding.remove(due);
            self.pay_rate(turn, instrument, rate);
        }
    }

    fn pay_rate(&mut self, turn: &mut Turn<'_>, instrument: InstrumentId, rate: Decimal) {
        let position = self.position(instrument);
        let scale = self.terms[instrument.index()].px_scale;
        let Some(mark) = mark_of(turn.market.of(instrument), scale) else { return };
        if position == 0 {
            return;
        }
        let venue = &self.venues[self.terms[instrument.index()].venue];
        let worth = venue.ledger.contract(instrument).worth(mark, position.abs());
        let worth = venue.ledger.precision(instrument).decimal(worth).abs();
        let paid = if position > 0 { worth * rate } else { -(worth * rate) };
        self.flow(turn, instrument, CashReason::Funding, (-paid).normalize());
    }

    /// A position is held that may cost interest.
    #[inline(never)]
    pub(super) fn expect_interest(&mut self, instrument: InstrumentId) {
        let venue = &self.venues[self.terms[instrument.index()].venue];
        let AccountKind::Margin(terms) = venue.config.account else { return };
        let is_held = !venue.ledger.position(instrument).is_flat();
        let is_paid = venue.ledger.contract(instrument).is_paid;
        if !is_held || !is_paid || terms.borrow_per_year.is_zero() {
            return;
        }
        if self.pits[instrument.index()].owes_from.is_none() {
            let hour = self.now.nanos().div_euclid(HOUR_NANOS) + 1;
            let at = Ts::from_nanos(hour.saturating_mul(HOUR_NANOS));
            self.pits[instrument.index()].owes_from = Some(at);
            self.dues.insert((at, Due::Interest(self.rank(instrument))));
        }
    }

    fn pay_interest(&mut self, turn: &mut Turn<'_>, instrument: InstrumentId) {
        self.pits[instrument.index()].owes_from = None;
        let venue = &self.venues[self.terms[instrument.index()].venue];
        let AccountKind::Margin(terms) = venue.config.account else { return };
        let digits = venue.ledger.precision(instrument).digits();
        let borrowed = self.borrowed(instrument);
        let due = borrowed * terms.borrow_per_year / Decimal::from(HOURS_PER_YEAR);
        let paid = -due.round_dp(digits).normalize();
        self.flow(turn, instrument, CashReason::Borrow, paid);
        self.expect_interest(instrument);
    }
}

/// The first instant at which an order no longer stands.
fn expiry(resting: &Resting) -> Option<Ts> {
    match resting.new.time_in_force {
        TimeInForce::Gtd => resting.new.good_till?.checked_add_nanos(1),
        TimeInForce::Day => {
            let day = resting.arrived.nanos().div_euclid(DAY_NANOS) + 1;
            Some(Ts::from_nanos(day.saturating_mul(DAY_NANOS)))
        }
        TimeInForce::Gtc
        | TimeInForce::Ioc
        | TimeInForce::Fok
        | TimeInForce::Gtx
        | TimeInForce::Opg
        | TimeInForce::Cls => None,
    }
}
