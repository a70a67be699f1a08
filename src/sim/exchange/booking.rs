//! What follows from an execution or an end: reports, money, and what hangs on the order.

use qt_model::decimal::MONEY_DECIMALS;
use qt_model::ids::InstrumentId;
use qt_model::order::{
    Amendment, Cash, Execution as Fill, FillNo, NewOrder, OrderNo, Pricing, Report, ReportKind,
};
use qt_model::step::Execution;
use qt_model::units::{Px, Qty};
use qt_model::words::{CancelReason, Liquidity, Side};
use qt_trade::ledger::DoublePx;
use rust_decimal::Decimal;

use super::fees::PaidIn;
use super::market::{Public, Top};
use super::orders::{Arrival, Standing};
use super::{ENDED_KEPT, Exchange, Turn};

/// What a fill was like, for those who ask why it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FillFacts {
    pub fill: FillNo,
    pub order: OrderNo,
    /// As the order took its place.
    pub arrival: Arrival,
    /// The size ahead when it was filled, as the queue model had it.
    pub ahead: Option<Qty>,
    pub by_trades: Qty,
    pub by_cancels: Qty,
    /// The middle of the market at the fill.
    pub mid: Option<DoublePx>,
}

impl FillFacts {
    /// Whether a report is that of the fill.
    #[inline]
    pub fn is_of(&self, report: &Report) -> bool {
        if let ReportKind::Filled(fill) = report.what { fill.fill == self.fill } else { false }
    }
}

/// What happened and may concern other orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Filled { order: OrderNo, group: Option<OrderNo>, qty: Qty },
    Ended { order: OrderNo, group: Option<OrderNo>, is_filled: bool },
    Position { instrument: InstrumentId },
}

impl Exchange {
    #[inline]
    pub(super) fn report(&self, turn: &mut Turn<'_>, order: OrderNo, what: ReportKind) {
        turn.out.push(Execution::Report(Report { order, ts_event: self.now, what }));
    }

    /// Executes a part of an order, which ends or steps back when nothing is left of it.
    pub(super) fn fill(
        &mut self,
        turn: &mut Turn<'_>,
        slot: u32,
        px: Px,
        qty: Qty,
        liquidity: Liquidity,
    ) {
        let resting = self.orders.get(slot);
        let NewOrder { instrument, side, qty: whole, .. } = resting.new;
        assert!(!qty.is_zero() && qty <= resting.leaves(), "{qty:?} of {resting:?}");
        if let Some(limit) = resting.limit() {
            assert!(!is_beyond(side, px, limit), "{px:?} beyond the limit of {resting:?}");
        }
        let (order, group, filled) = (resting.order, resting.group, plus(resting.filled, qty));
        self.last_fill += 1;
        let fill = FillNo(self.last_fill);
        let fee = self.fee(instrument, side, px, qty, liquidity);
        let execution = Fill { fill, px, qty, liquidity, fee };
        self.note_facts(fill, slot, turn.market.of(instrument));
        let venue = &mut self.venues[self.terms[instrument.index()].venue];
        venue.ledger.fill(instrument, side, &execution);
        self.report(turn, order, ReportKind::Filled(execution));
        self.orders.get_mut(slot).filled = filled;
        if self.is_tied(group) {
            self.events.push_back(Event::Filled { order, group, qty });
        }
        self.events.push_back(Event::Position { instrument });
        if filled == whole {
            self.leave(slot);
            return self.finish(slot, true);
        }
        if self.orders.get(slot).leaves().is_zero() {
            self.leave(slot);
            self.orders.get_mut(slot).standing = Standing::Held;
        }
        self.reserve(turn, slot);
    }

    /// Ends an order that was not filled whole.
    pub(super) fn cancel_slot(&mut self, turn: &mut Turn<'_>, slot: u32, reason: CancelReason) {
        let order = self.orders.get(slot).order;
        self.report(turn, order, ReportKind::Cancelled(reason));
        self.leave(slot);
        self.finish(slot, false);
    }

    /// Makes an order smaller in place, or ends it where nothing would be left.
    pub(super) fn cut(&mut self, turn: &mut Turn<'_>, slot: u32, qty: Qty, reason: CancelReason) {
        let resting = self.orders.get_mut(slot);
        if qty <= resting.filled {
            return self.cancel_slot(turn, slot, reason);
        }
        if qty < resting.new.qty {
            resting.new.qty = qty;
            resting.showing = resting.showing.min(resting.leaves());
            let order = resting.order;
            self.report(turn, order, ReportKind::Amended(Amendment { px: None, qty: Some(qty) }));
            self.reserve(turn, slot);
        }
    }

    /// Takes an order out of the place where it stands.
    #[inline]
    pub(super) fn leave(&mut self, slot: u32) {
        let resting = self.orders.get_mut(slot);
        let opening = &mut self.pits[resting.new.instrument.index()].opening;
        // Most often one that waited for the open is filled there, and was the last to come.
        if resting.standing == Standing::Opening && opening.last() == Some(&slot) {
            opening.pop();
            resting.standing = Standing::Arriving;
        } else {
            self.leave_place(slot);
        }
    }

    #[inline(never)]
    fn leave_place(&mut self, slot: u32) {
        let resting = self.orders.get(slot);
        let NewOrder { instrument, side, pricing, .. } = resting.new;
        let pit = &mut self.pits[instrument.index()];
        match (resting.standing, pricing) {
            (Standing::Queued, _) => {
                let px = resting.limit().expect("a queued order has a limit");
                pit.ranks_mut(side).unlink(&mut self.orders, slot, px);
            }
            (Standing::Waiting, Pricing::TrailingStop { .. }) => {
                pit.trailing.retain(|trailing| *trailing != slot);
            }
            (Standing::Waiting, _) => {
                let trigger = resting.trigger.expect("a stop that waits has a trigger");
                pit.stops_mut(side).unlink(&mut self.orders, slot, trigger);
            }
            (Standing::Opening, _) => pit.opening.retain(|opening| *opening != slot),
            (Standing::Auction, _) => pit.auction.retain(|waiting| *waiting != slot),
            (Standing::Arriving | Standing::Held, _) => {}
        }
        self.orders.get_mut(slot).standing = Standing::Arriving;
    }

    /// Forgets an order that stands nowhere any more.
    pub(super) fn finish(&mut self, slot: u32, is_filled: bool) {
        self.release(slot);
        self.forget_expiry(slot);
        self.orders.remove(slot);
        let resting = self.orders.get(slot);
        let pit = &mut self.pits[resting.new.instrument.index()];
        pit.live -= 1;
        if resting.new.reduce_only {
            pit.reducers.retain(|reducer| *reducer != slot);
        }
        self.end(resting.order, resting.group, resting.filled, is_filled);
    }

    /// Remembers that an order has ended, for those that hang on it.
    #[inline]
    pub(super) fn end(
        &mut self,
        order: OrderNo,
        group: Option<OrderNo>,
        filled: Qty,
        is_filled: bool,
    ) {
        if self.ended.len() == ENDED_KEPT {
            self.ended.pop_front();
        }
        self.ended.push_back((order, filled));
        if self.is_tied(group) {
            self.events.push_back(Event::Ended { order, group, is_filled });
        }
    }

    /// Whether what becomes of an order of that group, or of none, can concern others.
    #[inline]
    fn is_tied(&self, group: Option<OrderNo>) -> bool {
        group.is_some() || !self.children.is_empty()
    }

    /// What may be filled of an order now: a reduce-only one never turns a position.
    #[inline(always)]
    pub(super) fn open_units(&self, slot: u32) -> i64 {
        let resting = self.orders.get(slot);
        let leaves = resting.leaves().mantissa();
        if resting.new.reduce_only {
            leaves.min(self.reducible(resting.new.instrument, resting.new.side))
        } else {
            leaves
        }
    }

    /// How much a side can take off a position.
    #[inline]
    pub(super) fn reducible(&self, instrument: InstrumentId, side: Side) -> i64 {
        let position = self.position(instrument);
        match side {
            Side::Buy => (-position).max(0),
            Side::Sell => position.max(0),
        }
    }

    /// Cuts reduce-only orders in the market down to a position that has become smaller.
    fn cut_reducers(&mut self, turn: &mut Turn<'_>, instrument: InstrumentId) {
        let mut at = 0;
        while let Some(slot) = self.pits[instrument.index()].reducers.get(at).copied() {
            let resting = *self.orders.get(slot);
            let is_in_market = matches!(
                resting.standing,
                Standing::Queued | Standing::Opening | Standing::Auction
            );
            let open = self.open_units(slot);
            if is_in_market && open < resting.leaves().mantissa() {
                let left = plus(resting.filled, qty_of(open));
                self.cut(turn, slot, left, CancelReason::NothingToReduce);
            }
            // The list is shorter by one where the order has ended.
            at += usize::from(self.orders.find(resting.order).is_some());
        }
    }

    pub(super) fn fee(
        &mut self,
        instrument: InstrumentId,
        side: Side,
        px: Px,
        qty: Qty,
        liquidity: Liquidity,
    ) -> Cash {
        let venue = self.venue_of(instrument);
        let contract = venue.ledger.contract(instrument);
        let Some(rate) = venue.config.fees.plain(liquidity) else {
            return self.tiered(instrument, side, px, qty, liquidity);
        };
        let settle = contract.settle;
        if rate.is_zero() {
            return Cash { amount: Decimal::ZERO, currency: settle };
        }
        let worth = contract.worth(DoublePx::of(px), qty.mantissa()).abs();
        let amount = venue.ledger.precision(instrument).product(worth, rate);
        // What is not finer than money in records is as they keep it.
        match amount.scale() <= u32::from(MONEY_DECIMALS) {
            true => Cash { amount, currency: settle },
            false => Cash::new(amount, settle),
        }
    }

    /// The same where it follows from more than one rate.
    fn tiered(
        &mut self,
        instrument: InstrumentId,
        side: Side,
        px: Px,
        qty: Qty,
        liquidity: Liquidity,
    ) -> Cash {
        let terms = &self.terms[instrument.index()];
        let venue = &mut self.venues[terms.venue];
        let contract = venue.ledger.contract(instrument);
        let settle = contract.settle;
        let worth = contract.worth(DoublePx::of(px), qty.mantissa()).abs();
        let worth = venue.ledger.precision(instrument).decimal(worth);
        let fees = &venue.config.fees;
        let volume =
            if fees.has_tiers() { venue.volume.of(fees.window, self.now) } else { Decimal::ZERO };
        let size = qty.to_decimal(terms.qty_scale);
        let amount = fees.of(volume, liquidity, worth, size);
        if fees.has_tiers() {
            venue.volume.add(self.now, worth);
        }
        match (fees.paid_in, side, terms.base) {
            // The same part of what is received as of what is paid.
            (PaidIn::Received, Side::Buy, Some(base)) if !worth.is_zero() => {
                let amount = fees.of(volume, liquidity, size, size);
                Cash::new(amount, base)
            }
            (PaidIn::Received | PaidIn::Settle, _, _) => Cash::new(amount, settle),
        }
    }

    #[inline]
    fn note_facts(&mut self, fill: FillNo, slot: u32, public: &Public) {
        let Some(facts) = &mut self.facts else { return };
        let resting = self.orders.get(slot);
        facts.push(FillFacts {
            fill,
            order: resting.order,
            arrival: resting.arrival,
            ahead: resting.place.ahead(),
            by_trades: resting.place.by_trades(),
            by_cancels: resting.place.by_cancels(),
            mid: mid(public.top()),
        });
    }

    /// Draws the consequences of what happened, until there are none.
    #[inline]
    pub(super) fn settle(&mut self, turn: &mut Turn<'_>) {
        if !self.events.is_empty() {
            self.draw(turn);
        }
    }

    fn draw(&mut self, turn: &mut Turn<'_>) {
        while let Some(event) = self.events.pop_front() {
            match event {
                Event::Filled { order, group, qty } => self.share_fill(turn, order, group, qty),
                Event::Ended { order, group, is_filled } => {
                    self.share_end(turn, order, group, is_filled);
                }
                Event::Position { instrument } => {
                    self.watch(turn, instrument);
                    if !self.pits[instrument.index()].reducers.is_empty() {
                        self.cut_reducers(turn, instrument);
                    }
                    self.revalue(turn, instrument);
                }
            }
        }
    }
}

pub(super) fn mid(top: Top) -> Option<DoublePx> {
    Some(DoublePx::mid(top.bid?.px, top.ask?.px))
}

/// Whether a price is worse for an order of that side than its limit.
#[inline]
pub(super) fn is_beyond(side: Side, px: Px, limit: Px) -> bool {
    match side {
        Side::Buy => px > limit,
        Side::Sell => px < limit,
    }
}

pub(super) fn plus(a: Qty, b: Qty) -> Qty {
    a.checked_add(b).expect("sizes of one order fit 63 bits")
}

/// A number of units as a size.
pub(super) fn qty_of(units: i64) -> Qty {
    Qty::new(units).expect("a size is never negative")
}
