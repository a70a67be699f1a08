//! Positions that stand against margin: what they are worth, what they owe, and when the venue
//! closes them.

use qt_model::ids::InstrumentId;
use qt_model::order::{Cash, CashReason, Closure, Execution as Fill, FillNo};
use qt_model::step::Execution;
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::{CancelReason, Liquidity, Side};
use qt_trade::ledger::{Amount, DoublePx};
use rust_decimal::{Decimal, RoundingStrategy};

use super::account::held_worth;
use super::booking::{Event, mid, qty_of};
use super::config::{AccountKind, MarginTerms};
use super::market::Public;
use super::{Exchange, Turn};

impl Exchange {
    /// A position has changed: what it is worth is watched from here on, or no longer.
    pub(super) fn watch(&mut self, turn: &Turn<'_>, instrument: InstrumentId) {
        let public = turn.market.of(instrument);
        let at = self.terms[instrument.index()].venue;
        let is_held = !self.venues[at].ledger.position(instrument).is_flat();
        let venue = &mut self.venues[at];
        let known = venue.holding.iter().position(|held| *held == instrument);
        match known {
            Some(at) if !is_held => {
                venue.holding.remove(at);
            }
            None if is_held => venue.holding.push(instrument),
            Some(_) | None => {}
        }
        let is_margin = matches!(venue.config.account, AccountKind::Margin(_));
        let counts = !venue.config.account.is_unlimited() && !venue.pays_in_full(instrument);
        let pit = &mut self.pits[instrument.index()];
        pit.is_held = is_held;
        pit.is_watched = is_held && (counts || is_margin);
        if is_held && public.funding().is_some() {
            self.expect_funding(public, instrument);
        }
        if is_held && is_margin {
            self.expect_interest(instrument);
        }
    }

    /// A watched position has another mark: the venue may have to close it.
    #[inline]
    pub(super) fn revalue(&mut self, turn: &mut Turn<'_>, instrument: InstrumentId) {
        if !self.venue_of(instrument).config.account.is_unlimited() {
            self.mark_account(turn, instrument);
        }
    }

    fn mark_account(&mut self, turn: &mut Turn<'_>, instrument: InstrumentId) {
        let at = self.terms[instrument.index()].venue;
        let scale = self.px_scale(instrument);
        let Some(mark) = mark_of(turn.market.of(instrument), scale) else { return };
        if !self.venues[at].ledger.mark(instrument, mark) {
            return;
        }
        let AccountKind::Margin(terms) = self.venues[at].config.account else { return };
        let venue = &self.venues[at];
        let settle = venue.ledger.contract(instrument).settle;
        let held = self.worth_held(instrument);
        let least = venue.scaled(instrument, held, terms.maintenance);
        if venue.equity_in(settle) < least {
            self.liquidate(turn, instrument, &terms);
        }
    }

    /// Ends all orders and closes all positions in the currency of an instrument.
    fn liquidate(&mut self, turn: &mut Turn<'_>, instrument: InstrumentId, terms: &MarginTerms) {
        let at = self.terms[instrument.index()].venue;
        let settle = self.venues[at].ledger.contract(instrument).settle;
        for slot in self.orders.in_order() {
            let of = self.orders.get(slot).new.instrument;
            let is_here = self.terms[of.index()].venue == at
                && self.venues[at].ledger.contract(of).settle == settle;
            if is_here {
                self.cancel_slot(turn, slot, CancelReason::Liquidation);
            }
        }
        let held: Vec<_> = self.held_beside(instrument).collect();
        for instrument in held {
            self.close(turn, instrument, terms);
        }
    }

    /// Sells or buys back a whole position at the touch, and keeps a fee for it.
    fn close(&mut self, turn: &mut Turn<'_>, instrument: InstrumentId, terms: &MarginTerms) {
        let units = self.position(instrument);
        let side = if units > 0 { Side::Sell } else { Side::Buy };
        let public = turn.market.of(instrument);
        let grid = &self.terms[instrument.index()];
        let touch = public.top().of(side.opposite()).map(|offer| offer.px);
        let mark = mark_of(public, grid.px_scale).map(|mark| half(mark, side));
        let Some(px) = touch.or(mark) else { return };
        let px = grid.away(i128::from(px.mantissa()), side == Side::Buy);
        let qty = qty_of(units.abs());
        let fee = self.fee(instrument, side, px, qty, Liquidity::Taker);
        self.close_out(turn, (instrument, side), (px, qty), fee);
        let worth = self.worth_decimal(instrument, px, qty);
        let kept = -(worth * terms.liquidation_fee).normalize();
        self.flow(turn, instrument, CashReason::Liquidation, kept);
        self.events.push_back(Event::Position { instrument });
    }

    /// Settles what is held of a contract at its end: at the mark, without a fee.
    pub(super) fn settle_position(&mut self, turn: &mut Turn<'_>, instrument: InstrumentId) {
        let units = self.position(instrument);
        let side = if units > 0 { Side::Sell } else { Side::Buy };
        // Whoever holds something has seen a price.
        let Some(mark) = mark_of(turn.market.of(instrument), self.px_scale(instrument)) else {
            return;
        };
        if units == 0 {
            return;
        }
        let currency = self.venue_of(instrument).ledger.contract(instrument).settle;
        let fee = Cash { amount: Decimal::ZERO, currency };
        let (px, qty) = (half(mark, side), qty_of(units.abs()));
        self.close_out(turn, (instrument, side), (px, qty), fee);
        self.events.push_back(Event::Position { instrument });
    }

    /// Executes without an order of ours, and says so.
    fn close_out(
        &mut self,
        turn: &mut Turn<'_>,
        (instrument, side): (InstrumentId, Side),
        (px, qty): (Px, Qty),
        fee: Cash,
    ) {
        self.last_fill += 1;
        let fill = FillNo(self.last_fill);
        let execution = Fill { fill, px, qty, liquidity: Liquidity::Taker, fee };
        let venue = &mut self.venues[self.terms[instrument.index()].venue];
        venue.ledger.fill(instrument, side, &execution);
        let ts_event = self.now;
        turn.out.push(Execution::Closure(Closure { instrument, ts_event, side, execution }));
    }

    /// A year's interest on what is borrowed through a position, and on what cash is missing.
    pub(super) fn borrowed(&self, instrument: InstrumentId) -> Decimal {
        let venue = self.venue_of(instrument);
        let precision = venue.ledger.precision(instrument);
        let contract = venue.ledger.contract(instrument);
        if !contract.is_paid {
            return Decimal::ZERO;
        }
        if self.position(instrument) < 0 {
            return precision.decimal(held_worth(venue, instrument));
        }
        // Cash is missing once, however many positions it was spent on: the first one bears it.
        let first = self
            .held_beside(instrument)
            .find(|held| venue.ledger.contract(*held).is_paid && self.position(*held) > 0);
        let cash = venue.cash_in(contract.settle);
        if first == Some(instrument) && cash < Amount::ZERO {
            return precision.decimal(-cash);
        }
        Decimal::ZERO
    }
}

/// The price that a position is valued at: the venue's mark, else the middle, else the last.
pub(super) fn mark_of(public: &Public, scale: Scale) -> Option<DoublePx> {
    if let Some(mark) = public.mark() {
        let doubled = mark.checked_mul(Decimal::from(i128::from(scale.unit()) * 2))?;
        let units = doubled.round_dp_with_strategy(0, RoundingStrategy::MidpointNearestEven);
        let units = i64::try_from(units.normalize().mantissa()).ok()?;
        return Some(DoublePx::mid(Px::new(units / 2), Px::new(units - units / 2)));
    }
    let last = public.last().map(|print| print.px).or(public.bar().map(|bar| bar.close));
    mid(public.top()).or(last.map(DoublePx::of))
}

/// A doubled price as a whole one, to the disadvantage of who trades at it.
fn half(px: DoublePx, side: Side) -> Px {
    let units = px.units();
    Px::new(match side {
        Side::Buy => units.div_euclid(2) + units.rem_euclid(2),
        Side::Sell => units.div_euclid(2),
    })
}
