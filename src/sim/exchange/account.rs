//! What an account can afford, what it has set aside, and when the venue closes it out.
//!
//! An account that is unlimited is never asked. In a cash account what is bought is paid in full,
//! the fee of a taker included, and what is sold is held; contracts stand against their whole
//! worth. In a margin account positions and orders that add to them stand against the equity in
//! the currency that they settle in; currencies do not back each other. What an order sets aside
//! is reckoned at its own limit.

use qt_model::ids::InstrumentId;
use qt_model::order::{
    Cash, CashFlow, CashReason, Closure, Currency, Execution as Fill, FillNo, NewOrder,
};
use qt_model::step::Execution;
use qt_model::units::{Px, Qty};
use qt_model::words::{CancelReason, Liquidity, RejectReason, Side};
use qt_trade::ledger::{Amount, DoublePx};
use rust_decimal::{Decimal, RoundingStrategy};

use super::booking::{Event, mid};
use super::config::{AccountKind, MarginTerms};
use super::intake::qty_of;
use super::market::Public;
use super::{Exchange, Turn, Venue};

/// What is set aside in one currency.
pub(super) type Reserved = Vec<(Currency, Amount)>;

impl Venue {
    /// `None`: the venue does not ask for margin.
    fn margin(&self) -> Option<MarginTerms> {
        match self.config.account {
            AccountKind::Unlimited => None,
            AccountKind::Margin(terms) => Some(terms),
            AccountKind::Cash => Some(MarginTerms {
                leverage: Decimal::ONE,
                maintenance: Decimal::ZERO,
                liquidation_fee: Decimal::ZERO,
                borrow_per_year: Decimal::ZERO,
            }),
        }
    }

    fn pays_in_full(&self, instrument: InstrumentId) -> bool {
        self.config.account == AccountKind::Cash && self.ledger.contract(instrument).is_paid
    }

    fn reserved_in(&self, currency: Currency) -> Amount {
        let found = self.reserved.iter().find(|(of, _)| *of == currency);
        found.map_or(Amount::ZERO, |(_, amount)| *amount)
    }

    fn reserve(&mut self, currency: Currency, by: Amount) {
        match self.reserved.iter_mut().find(|(of, _)| *of == currency) {
            Some((_, amount)) => *amount += by,
            None => self.reserved.push((currency, by)),
        }
    }

    fn equity_in(&self, currency: Currency) -> Amount {
        let wallet = self.ledger.wallets().iter().find(|wallet| wallet.currency == currency);
        wallet.map_or(Amount::ZERO, |wallet| wallet.equity())
    }

    fn cash_in(&self, currency: Currency) -> Amount {
        let wallet = self.ledger.wallets().iter().find(|wallet| wallet.currency == currency);
        wallet.map_or(Amount::ZERO, |wallet| wallet.cash())
    }

    /// What a size is worth, without its sign.
    fn worth(&self, instrument: InstrumentId, px: DoublePx, units: i64) -> Amount {
        let worth = self.ledger.contract(instrument).worth(px, units);
        if worth < Amount::ZERO { -worth } else { worth }
    }

    fn scaled(&self, instrument: InstrumentId, amount: Amount, by: Decimal) -> Amount {
        let precision = self.ledger.precision(instrument);
        precision.amount(precision.decimal(amount) * by)
    }
}

impl Exchange {
    fn venue_of(&self, instrument: InstrumentId) -> &Venue {
        &self.venues[self.terms[instrument.index()].venue]
    }

    pub(super) fn position(&self, instrument: InstrumentId) -> i64 {
        self.venue_of(instrument).ledger.position(instrument).qty()
    }

    /// Whether an order of that size can be afforded, beside what others have set aside. `own` and
    /// `selling` are what it has set aside itself.
    pub(super) fn check_funds(
        &self,
        public: &Public,
        new: &NewOrder,
        units: i64,
        (own, selling): (Amount, i64),
    ) -> Result<(), RejectReason> {
        let venue = self.venue_of(new.instrument);
        if venue.config.account == AccountKind::Unlimited || new.reduce_only {
            return Ok(());
        }
        if venue.pays_in_full(new.instrument) && new.side == Side::Sell {
            let is_held =
                Decimal::from(units) <= self.held(new.instrument) + Decimal::from(selling);
            return if is_held { Ok(()) } else { Err(RejectReason::InsufficientFunds) };
        }
        let settle = venue.ledger.contract(new.instrument).settle;
        let need = self.need(public, new, units);
        if venue.pays_in_full(new.instrument) {
            let free = venue.cash_in(settle) - venue.reserved_in(settle) + own;
            return if need > free { Err(RejectReason::InsufficientFunds) } else { Ok(()) };
        }
        let used = self.used_margin(new.instrument);
        let free = venue.equity_in(settle) - used - venue.reserved_in(settle) + own;
        if need > free && need > Amount::ZERO {
            return Err(RejectReason::InsufficientMargin);
        }
        Ok(())
    }

    /// What a venue would set aside for so much of an order.
    pub(super) fn need(&self, public: &Public, new: &NewOrder, units: i64) -> Amount {
        let venue = self.venue_of(new.instrument);
        let Some(terms) = venue.margin() else { return Amount::ZERO };
        if venue.pays_in_full(new.instrument) {
            if new.side == Side::Sell {
                return Amount::ZERO;
            }
            let cost = self.cost(public, new, units);
            let taker = venue.config.fees.tiers.first().map_or(Decimal::ZERO, |tier| tier.taker);
            return cost + venue.scaled(new.instrument, cost, taker.max(Decimal::ZERO));
        }
        let position = self.position(new.instrument);
        let against = match new.side {
            Side::Buy => (-position).max(0),
            Side::Sell => position.max(0),
        };
        let opening = (units - against).max(0);
        let cost = self.cost(public, new, opening);
        venue.scaled(new.instrument, cost, Decimal::ONE / terms.leverage)
    }

    /// The money for so much of an order: at its limit, else at what is offered now.
    fn cost(&self, public: &Public, new: &NewOrder, units: i64) -> Amount {
        let venue = self.venue_of(new.instrument);
        if let Some(px) = new.limit_px() {
            return venue.worth(new.instrument, DoublePx::of(px), units);
        }
        let (mut cost, mut left, mut last) = (Amount::ZERO, units, None);
        self.each_offer(public, new.instrument, new.side, None, |px, offered| {
            let part = left.min(offered);
            cost += venue.worth(new.instrument, DoublePx::of(px), part);
            (left, last) = (left - part, Some(px));
            left > 0
        });
        let last =
            last.map(DoublePx::of).or_else(|| mark_of(public, self.px_scale(new.instrument)));
        cost + last.map_or(Amount::ZERO, |px| venue.worth(new.instrument, px, left))
    }

    fn px_scale(&self, instrument: InstrumentId) -> qt_model::units::Scale {
        self.terms[instrument.index()].px_scale
    }

    /// How much of what an instrument sells is held, less what open orders sell of it, in units of
    /// its size.
    fn held(&self, instrument: InstrumentId) -> Decimal {
        let terms = &self.terms[instrument.index()];
        let venue = &self.venues[terms.venue];
        let own = Decimal::from(self.position(instrument) - self.pits[instrument.index()].selling);
        let Some(base) = terms.base else { return own };
        let wallet = venue.ledger.wallets().iter().find(|wallet| wallet.currency == base);
        let cash = wallet.map_or(Decimal::ZERO, |wallet| wallet.precision.decimal(wallet.cash()));
        let mut held = cash;
        for other in &terms.siblings {
            let (pit, of) = (&self.pits[other.index()], &self.terms[other.index()]);
            let units = Decimal::from(self.position(*other) - pit.selling);
            held += units / Decimal::from(of.qty_scale.unit());
        }
        held * Decimal::from(terms.qty_scale.unit())
    }

    /// Whether a cash account can pay for an execution at that price after all.
    pub(super) fn affords(
        &self,
        instrument: InstrumentId,
        side: Side,
        px: Px,
        qty: Qty,
        slot: u32,
    ) -> bool {
        let venue = self.venue_of(instrument);
        if !venue.pays_in_full(instrument) || side == Side::Sell {
            return true;
        }
        let settle = venue.ledger.contract(instrument).settle;
        let own = self.orders.get(slot).reserved;
        let cost = venue.worth(instrument, DoublePx::of(px), qty.mantissa());
        let taker = venue.config.fees.tiers.first().map_or(Decimal::ZERO, |tier| tier.taker);
        let fee = venue.scaled(instrument, cost, taker.max(Decimal::ZERO));
        cost + fee <= venue.cash_in(settle) - venue.reserved_in(settle) + own
    }

    /// Sets aside what an order that stands may cost, or gives back what it no longer does.
    pub(super) fn reserve(&mut self, turn: &Turn<'_>, slot: u32) {
        let resting = *self.orders.get(slot);
        let new = resting.new;
        let venue = self.venue_of(new.instrument);
        if venue.config.account == AccountKind::Unlimited || new.reduce_only {
            return;
        }
        let public = turn.market.of(new.instrument);
        let units = resting.leaves().mantissa();
        self.set_reserve(slot, self.need(public, &new, units), units);
    }

    /// Gives back all that an order has set aside.
    pub(super) fn release(&mut self, slot: u32) {
        self.set_reserve(slot, Amount::ZERO, 0);
    }

    fn set_reserve(&mut self, slot: u32, amount: Amount, units: i64) {
        let resting = self.orders.get_mut(slot);
        let (instrument, side) = (resting.new.instrument, resting.new.side);
        let by = amount - resting.reserved;
        let more = units - resting.selling;
        resting.reserved = amount;
        if side == Side::Sell {
            resting.selling = units;
            self.pits[instrument.index()].selling += more;
        }
        if !by.is_zero() {
            let venue = &mut self.venues[self.terms[instrument.index()].venue];
            let settle = venue.ledger.contract(instrument).settle;
            venue.reserve(settle, by);
        }
    }

    /// The initial margin of what is held in the currency of an instrument.
    fn used_margin(&self, instrument: InstrumentId) -> Amount {
        let venue = self.venue_of(instrument);
        let Some(terms) = venue.margin() else { return Amount::ZERO };
        let worth = self.worth_held(instrument);
        venue.scaled(instrument, worth, Decimal::ONE / terms.leverage)
    }

    /// What is held in the currency of an instrument, longs and shorts added up.
    fn worth_held(&self, instrument: InstrumentId) -> Amount {
        let venue = self.venue_of(instrument);
        self.held_beside(instrument).map(|held| held_worth(venue, held)).sum()
    }

    /// Positions at the venue of an instrument that settle in its currency.
    fn held_beside(&self, instrument: InstrumentId) -> impl Iterator<Item = InstrumentId> + '_ {
        let venue = self.venue_of(instrument);
        let settle = venue.ledger.contract(instrument).settle;
        let held = venue.holding.iter().copied();
        held.filter(move |held| venue.ledger.contract(*held).settle == settle)
    }

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
        let counts =
            venue.config.account != AccountKind::Unlimited && !venue.pays_in_full(instrument);
        let pit = &mut self.pits[instrument.index()];
        pit.is_held = is_held;
        pit.is_watched = is_held && (counts || is_margin);
        if is_held {
            self.expect_funding(public, instrument);
            self.expect_interest(instrument);
        }
    }

    /// A watched position has another mark: the venue may have to close it.
    pub(super) fn revalue(&mut self, turn: &mut Turn<'_>, instrument: InstrumentId) {
        let scale = self.px_scale(instrument);
        let Some(mark) = mark_of(turn.market.of(instrument), scale) else { return };
        let at = self.terms[instrument.index()].venue;
        let is_asked = self.venues[at].config.account != AccountKind::Unlimited;
        if !is_asked || !self.venues[at].ledger.mark(instrument, mark) {
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
        self.last_fill += 1;
        let fill = FillNo(self.last_fill);
        let execution = Fill { fill, px, qty, liquidity: Liquidity::Taker, fee };
        let venue = &mut self.venues[self.terms[instrument.index()].venue];
        venue.ledger.fill(instrument, side, &execution);
        let ts_event = self.now;
        turn.out.push(Execution::Closure(Closure { instrument, ts_event, side, execution }));
        let worth = self.worth_decimal(instrument, px, qty);
        let kept = -(worth * terms.liquidation_fee).normalize();
        self.flow(turn, instrument, CashReason::Liquidation, kept);
        self.events.push_back(Event::Position { instrument });
    }

    /// What a size is worth at a price, as money.
    pub(super) fn worth_decimal(&self, instrument: InstrumentId, px: Px, qty: Qty) -> Decimal {
        let venue = self.venue_of(instrument);
        let worth = venue.worth(instrument, DoublePx::of(px), qty.mantissa());
        venue.ledger.precision(instrument).decimal(worth)
    }

    /// Moves cash without a fill, in the currency that an instrument settles in.
    pub(super) fn flow(
        &mut self,
        turn: &mut Turn<'_>,
        instrument: InstrumentId,
        reason: CashReason,
        amount: Decimal,
    ) {
        if amount.is_zero() {
            return;
        }
        let venue = &mut self.venues[self.terms[instrument.index()].venue];
        let currency = venue.ledger.contract(instrument).settle;
        let cash = Cash { amount, currency };
        let flow = CashFlow { instrument: Some(instrument), ts_event: self.now, reason, cash };
        venue.ledger.flow(&flow);
        turn.out.push(Execution::Cash(flow));
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

fn held_worth(venue: &Venue, instrument: InstrumentId) -> Amount {
    let position = venue.ledger.position(instrument);
    let worth = position.cost() + venue.ledger.unrealized(instrument);
    if worth < Amount::ZERO { -worth } else { worth }
}

/// The price that a position is valued at: the venue's mark, else the middle, else the last.
pub(super) fn mark_of(public: &Public, scale: qt_model::units::Scale) -> Option<DoublePx> {
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
