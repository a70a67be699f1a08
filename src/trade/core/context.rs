//! What a strategy may look at, and the only ways in which it can ask for something.

use std::borrow::Cow;

use qt_model::ids::InstrumentId;
use qt_model::instrument::{Instrument, Instruments};
use qt_model::order::{Amendment, NewOrder, OrderNo};
use qt_model::step::TimerId;
use qt_model::time::Ts;
use qt_model::units::Qty;
use qt_model::words::{DecisionAction, Side};

use super::front::{Front, MarkRule, Seen, Top};
use crate::ledger::{Ledger, Position};
use crate::orders::{Entry, OrderTable};
use crate::outbox::{Decided, DecisionNo, Outbox, Output};
use crate::risk::{Approved, Refusal, Stack};

/// Orders, money and rules of one run.
#[derive(Debug)]
pub struct Books {
    pub(super) orders: OrderTable,
    pub(super) ledger: Ledger,
    pub(super) stack: Stack,
    pub(super) refusals: u64,
    pub(super) decisions: u64,
}

/// Lent to the strategy for one call.
#[derive(Debug)]
pub struct Context<'a> {
    pub(super) now: Ts,
    pub(super) front: &'a Front,
    pub(super) books: &'a mut Books,
    pub(super) out: &'a mut Outbox,
    /// The last decision of this call: what is sent after it follows from it.
    decision: Option<DecisionNo>,
}

/// Why a request was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Declined {
    /// A rule refused it.
    Risk(Refusal),
    /// A size of zero.
    Nothing,
    /// The order has ended, or has a request under way.
    Busy,
}

impl<'a> Context<'a> {
    pub(super) fn new(
        now: Ts,
        front: &'a Front,
        books: &'a mut Books,
        out: &'a mut Outbox,
    ) -> Self {
        Self { now, front, books, out, decision: None }
    }
}

impl Context<'_> {
    /// The instant of this step, by the stream's clock.
    pub fn now(&self) -> Ts {
        self.now
    }

    pub fn instruments(&self) -> &Instruments {
        self.front.instruments()
    }

    pub fn instrument(&self, id: InstrumentId) -> &Instrument {
        self.front.instruments().get(id)
    }

    pub fn seen(&self, instrument: InstrumentId) -> &Seen {
        self.front.seen(instrument)
    }

    pub fn top(&self, instrument: InstrumentId) -> Top {
        self.front.seen(instrument).top()
    }

    /// The middle of the best prices, the last price where there is none: for arithmetic with features.
    pub fn mid(&self, instrument: InstrumentId) -> Option<f64> {
        let doubled = self.front.seen(instrument).mark(MarkRule::Mid, 0)?;
        Some(doubled.units() as f64 / 2.0 / self.instrument(instrument).px_scale.unit() as f64)
    }

    /// All money and positions at their marks, in the currency of the run: for arithmetic as well.
    pub fn equity(&self) -> f64 {
        self.books.ledger.home().precision.to_f64(self.books.ledger.equity())
    }

    pub fn features(&self, instrument: InstrumentId) -> &[f64] {
        self.front.seen(instrument).features()
    }

    pub fn position(&self, instrument: InstrumentId) -> &Position {
        self.books.ledger.position(instrument)
    }

    pub fn ledger(&self) -> &Ledger {
        &self.books.ledger
    }

    pub fn orders(&self) -> &OrderTable {
        &self.books.orders
    }

    /// Live orders of an instrument, the oldest first.
    pub fn orders_of(&self, instrument: InstrumentId) -> impl Iterator<Item = &Entry> {
        self.books.orders.live_of(instrument)
    }

    /// Asks the rules; an order that passes is on its way.
    pub fn submit(&mut self, new: NewOrder) -> Result<OrderNo, Declined> {
        let approved = self.judge(new)?;
        Ok(self.send(new, approved))
    }

    /// The same with the decision that it follows from, which is put on record if the order passes.
    pub fn submit_as(&mut self, new: NewOrder, decided: Decided) -> Result<OrderNo, Declined> {
        let approved = self.judge(new)?;
        self.decide(decided);
        Ok(self.send(new, approved))
    }

    #[inline]
    fn judge(&mut self, new: NewOrder) -> Result<Approved<NewOrder>, Declined> {
        if new.qty.is_zero() {
            return Err(Declined::Nothing);
        }
        let books = &mut *self.books;
        let position = books.ledger.position(new.instrument).qty();
        let exposure = books.orders.exposure(new.instrument, position);
        books.stack.judge(new, &exposure).map_err(|refusal| self.refuse(&new, refusal))
    }

    #[cold]
    fn refuse(&mut self, new: &NewOrder, refusal: Refusal) -> Declined {
        self.books.refusals += 1;
        self.note(refused(new, refusal));
        Declined::Risk(refusal)
    }

    #[inline]
    fn send(&mut self, new: NewOrder, approved: Approved<NewOrder>) -> OrderNo {
        let order = self.books.orders.submit(new, self.now, self.decision);
        self.out.push(Output::Submit { order, new: approved });
        order
    }

    pub fn amend(&mut self, order: OrderNo, change: Amendment) -> Result<(), Declined> {
        let books = &mut *self.books;
        let entry =
            *books.orders.get(order).filter(|entry| entry.is_free()).ok_or(Declined::Busy)?;
        if change.qty.is_some_and(Qty::is_zero) {
            return Err(Declined::Nothing);
        }
        let position = books.ledger.position(entry.new.instrument).qty();
        let mut exposure = books.orders.exposure(entry.new.instrument, position);
        // The amended order takes the place of what it still leaves.
        let leaves = entry.leaves().mantissa();
        match entry.new.side {
            Side::Buy => exposure.open_buys -= leaves,
            Side::Sell => exposure.open_sells -= leaves,
        }
        let approved = books.stack.judge_amendment(&entry.new, change, &exposure);
        let change = approved.map_err(|refusal| {
            books.refusals += 1;
            Declined::Risk(refusal)
        })?;
        books.orders.amend(order, *change);
        self.out.push(Output::Amend { order, change });
        Ok(())
    }

    /// Asks the venue to cancel; nothing happens where a cancel is under way or the order ended.
    pub fn cancel(&mut self, order: OrderNo) {
        if self.books.orders.cancel(order) {
            self.out.push(Output::Cancel { order });
        }
    }

    /// Cancels all live orders of an instrument.
    pub fn cancel_all(&mut self, instrument: InstrumentId) {
        let mut after = OrderNo(0);
        loop {
            let mut later = self.orders_of(instrument).map(|entry| entry.order);
            let Some(order) = later.find(|order| *order > after) else { return };
            drop(later);
            after = order;
            self.cancel(order);
        }
    }

    /// Closes a position at the market, as far as open orders do not close it already.
    pub fn close(&mut self, instrument: InstrumentId) -> Result<Option<OrderNo>, Declined> {
        let position = self.position(instrument).qty();
        let side = if position > 0 { Side::Sell } else { Side::Buy };
        let Ok(qty) = Qty::new(position.saturating_abs()) else { return Ok(None) };
        if qty.is_zero() {
            return Ok(None);
        }
        let new = NewOrder { reduce_only: true, ..NewOrder::market(instrument, side, qty) };
        self.submit(new).map(Some)
    }

    /// Asks to be called with this timer at that time. A time that has passed means: at once.
    pub fn timer(&mut self, id: TimerId, at: Ts) {
        self.out.push(Output::Timer { id, at });
    }

    /// Puts a decision on record. Orders that this call of the strategy sends after it carry its number.
    #[inline]
    pub fn decide(&mut self, decided: Decided) {
        self.decision = Some(self.note(decided));
    }

    #[inline]
    fn note(&mut self, decided: Decided) -> DecisionNo {
        self.books.decisions += 1;
        if self.out.takes(decided.action) {
            self.out.push(Output::Decide(decided));
        }
        DecisionNo(self.books.decisions)
    }
}

fn refused(new: &NewOrder, refusal: Refusal) -> Decided {
    Decided {
        instrument: Some(new.instrument),
        action: DecisionAction::Skip,
        side: Some(new.side),
        px: new.limit_px(),
        qty: Some(new.qty),
        reason: Cow::Borrowed(refusal.rule),
    }
}
