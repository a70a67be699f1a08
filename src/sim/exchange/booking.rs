//! What follows from an execution or an end: reports, money, and what hangs on the order.

use qt_model::ids::InstrumentId;
use qt_model::order::{Amendment, Cash, Execution as Fill, FillNo, OrderNo, Report, ReportKind};
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

/// What happened and may concern other orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Filled { order: OrderNo, qty: Qty },
    Ended { order: OrderNo, filled: Qty, is_filled: bool },
    Position { instrument: InstrumentId },
}

impl Exchange {
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
        let resting = *self.orders.get(slot);
        let new = resting.new;
        assert!(!qty.is_zero() && qty <= resting.leaves(), "{qty:?} of {resting:?}");
        if let Some(limit) = resting.limit() {
            assert!(!is_beyond(new.side, px, limit), "{px:?} beyond the limit of {resting:?}");
        }
        self.last_fill += 1;
        let fill = FillNo(self.last_fill);
        let fee = self.fee(new.instrument, new.side, px, qty, liquidity);
        let execution = Fill { fill, px, qty, liquidity, fee };
        self.note_facts(fill, slot, turn.market.of(new.instrument));
        let venue = &mut self.venues[self.terms[new.instrument.index()].venue];
        venue.ledger.fill(new.instrument, new.side, &execution);
        self.report(turn, resting.order, ReportKind::Filled(execution));
        let filled = plus(resting.filled, qty);
        self.orders.get_mut(slot).filled = filled;
        self.events.push_back(Event::Filled { order: resting.order, qty });
        self.events.push_back(Event::Position { instrument: new.instrument });
        if filled == new.qty {
            self.leave(slot);
            self.finish(slot, true);
        } else if self.orders.get(slot).leaves().is_zero() {
            self.leave(slot);
            self.orders.get_mut(slot).standing = Standing::Held;
        }
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
        }
    }

    /// Takes an order out of the place where it stands.
    pub(super) fn leave(&mut self, slot: u32) {
        let resting = *self.orders.get(slot);
        let pit = &mut self.pits[resting.new.instrument.index()];
        match resting.standing {
            Standing::Queued => {
                let px = resting.limit().expect("a queued order has a limit");
                pit.ranks_mut(resting.new.side).unlink(&mut self.orders, slot, px);
            }
            Standing::Arriving | Standing::Held | Standing::Waiting | Standing::Opening => {}
        }
        self.orders.get_mut(slot).standing = Standing::Arriving;
    }

    /// Forgets an order that stands nowhere any more.
    fn finish(&mut self, slot: u32, is_filled: bool) {
        let resting = self.orders.remove(slot);
        let pit = &mut self.pits[resting.new.instrument.index()];
        pit.live -= 1;
        pit.reduce_only -= u32::from(resting.new.reduce_only);
        if self.ended.len() == ENDED_KEPT {
            self.ended.pop_front();
        }
        let (order, filled) = (resting.order, resting.filled);
        self.ended.push_back((order, filled));
        self.events.push_back(Event::Ended { order, filled, is_filled });
    }

    fn fee(
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
        let worth = contract.worth(DoublePx::of(px), qty.mantissa());
        let worth = venue.ledger.precision(instrument).decimal(worth).abs();
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
                Cash { amount, currency: base }
            }
            (PaidIn::Received | PaidIn::Settle, _, _) => Cash { amount, currency: settle },
        }
    }

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
    pub(super) fn settle(&mut self, _turn: &mut Turn<'_>) {
        while let Some(event) = self.events.pop_front() {
            match event {
                Event::Filled { .. } | Event::Ended { .. } | Event::Position { .. } => {}
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

pub(super) fn minus(a: Qty, b: Qty) -> Qty {
    a.checked_sub(b).filter(|left| left.mantissa() >= 0).expect("no more is taken than there is")
}
