//! What an account can afford, what it has set aside, and when the venue closes it out.
//!
//! An account that is unlimited is never asked. In a cash account what is bought is paid in full,
//! the fee of a taker included, and what is sold is held; contracts stand against their whole
//! worth. In a margin account positions and orders that add to them stand against the equity in
//! the currency that they settle in; currencies do not back each other. What an order sets aside
//! is reckoned at its own limit.

use qt_model::ids::InstrumentId;
use qt_model::order::{Cash, CashFlow, CashReason, Currency, NewOrder};
use qt_model::step::Execution;
use qt_model::units::{Px, Qty};
use qt_model::words::{RejectReason, Side};
use qt_trade::ledger::{Amount, DoublePx};
use rust_decimal::Decimal;

use super::closeout::mark_of;
use super::config::{AccountKind, MarginTerms};
use super::market::Public;
use super::{Exchange, Turn, Venue};

/// What is set aside in one currency.
pub(super) type Reserved = Vec<(Currency, Amount)>;

impl Venue {
    /// `None`: the venue does not ask for margin.
    pub(super) fn margin(&self) -> Option<MarginTerms> {
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

    #[inline]
    pub(super) fn pays_in_full(&self, instrument: InstrumentId) -> bool {
        self.config.account == AccountKind::Cash && self.ledger.contract(instrument).is_paid
    }

    pub(super) fn reserved_in(&self, currency: Currency) -> Amount {
        let found = self.reserved.iter().find(|(of, _)| *of == currency);
        found.map_or(Amount::ZERO, |(_, amount)| *amount)
    }

    pub(super) fn reserve(&mut self, currency: Currency, by: Amount) {
        match self.reserved.iter_mut().find(|(of, _)| *of == currency) {
            Some((_, amount)) => *amount += by,
            None => self.reserved.push((currency, by)),
        }
    }

    pub(super) fn equity_in(&self, currency: Currency) -> Amount {
        let wallet = self.ledger.wallets().iter().find(|wallet| wallet.currency == currency);
        wallet.map_or(Amount::ZERO, |wallet| wallet.equity())
    }

    pub(super) fn cash_in(&self, currency: Currency) -> Amount {
        let wallet = self.ledger.wallets().iter().find(|wallet| wallet.currency == currency);
        wallet.map_or(Amount::ZERO, |wallet| wallet.cash())
    }

    /// What a size is worth, without its sign.
    pub(super) fn worth(&self, instrument: InstrumentId, px: DoublePx, units: i64) -> Amount {
        self.ledger.contract(instrument).worth(px, units).abs()
    }

    pub(super) fn scaled(&self, instrument: InstrumentId, amount: Amount, by: Decimal) -> Amount {
        let precision = self.ledger.precision(instrument);
        precision.amount(precision.decimal(amount) * by)
    }
}

impl Exchange {
    #[inline]
    pub(super) fn venue_of(&self, instrument: InstrumentId) -> &Venue {
        &self.venues[self.terms[instrument.index()].venue]
    }

    #[inline]
    pub(super) fn position(&self, instrument: InstrumentId) -> i64 {
        self.venue_of(instrument).ledger.position(instrument).qty()
    }

    /// Whether nobody asks what an order may cost.
    #[inline]
    pub(super) fn is_free(&self, new: &NewOrder) -> bool {
        new.reduce_only || self.venue_of(new.instrument).config.account.is_unlimited()
    }

    /// Whether an order of that size can be afforded, beside what others have set aside. `own` and
    /// `selling` are what it has set aside itself.
    #[inline]
    pub(super) fn check_funds(
        &self,
        public: &Public,
        new: &NewOrder,
        units: i64,
        aside: (Amount, i64),
    ) -> Result<(), RejectReason> {
        if self.is_free(new) { Ok(()) } else { self.check_money(public, new, units, aside) }
    }

    fn check_money(
        &self,
        public: &Public,
        new: &NewOrder,
        units: i64,
        (own, selling): (Amount, i64),
    ) -> Result<(), RejectReason> {
        let venue = self.venue_of(new.instrument);
        if venue.pays_in_full(new.instrument) && new.side == Side::Sell {
            let digits = self.terms[new.instrument.index()].qty_scale.digits();
            let sold = Decimal::new(units - selling, u32::from(digits));
            let is_held = sold <= self.held(new.instrument);
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

    pub(super) fn px_scale(&self, instrument: InstrumentId) -> qt_model::units::Scale {
        self.terms[instrument.index()].px_scale
    }

    /// How much of what an instrument sells is held, less what open orders sell of it.
    fn held(&self, instrument: InstrumentId) -> Decimal {
        let free = |of: InstrumentId| {
            let units = self.position(of) - self.pits[of.index()].selling;
            Decimal::new(units, u32::from(self.terms[of.index()].qty_scale.digits()))
        };
        let terms = &self.terms[instrument.index()];
        let Some(base) = terms.base else { return free(instrument) };
        let venue = &self.venues[terms.venue];
        let wallet = venue.ledger.wallets().iter().find(|wallet| wallet.currency == base);
        let cash = wallet.map_or(Decimal::ZERO, |wallet| wallet.precision.decimal(wallet.cash()));
        cash + terms.siblings.iter().map(|other| free(*other)).sum::<Decimal>()
    }

    /// Whether a cash account can pay for an execution at that price after all.
    #[inline]
    pub(super) fn affords(
        &self,
        instrument: InstrumentId,
        side: Side,
        px: Px,
        qty: Qty,
        slot: u32,
    ) -> bool {
        let is_asked = side == Side::Buy && self.venue_of(instrument).pays_in_full(instrument);
        !is_asked || self.can_pay(instrument, px, qty, slot)
    }

    fn can_pay(&self, instrument: InstrumentId, px: Px, qty: Qty, slot: u32) -> bool {
        let venue = self.venue_of(instrument);
        let settle = venue.ledger.contract(instrument).settle;
        let own = self.orders.get(slot).reserved;
        let cost = venue.worth(instrument, DoublePx::of(px), qty.mantissa());
        let taker = venue.config.fees.tiers.first().map_or(Decimal::ZERO, |tier| tier.taker);
        let fee = venue.scaled(instrument, cost, taker.max(Decimal::ZERO));
        cost + fee <= venue.cash_in(settle) - venue.reserved_in(settle) + own
    }

    /// Sets aside what an order that stands may cost, or gives back what it no longer does.
    #[inline]
    pub(super) fn reserve(&mut self, turn: &Turn<'_>, slot: u32) {
        if !self.is_free(&self.orders.get(slot).new) {
            self.reserve_need(turn, slot);
        }
    }

    fn reserve_need(&mut self, turn: &Turn<'_>, slot: u32) {
        let resting = self.orders.get(slot);
        let new = &resting.new;
        let public = turn.market.of(new.instrument);
        let units = resting.leaves().mantissa();
        self.set_reserve(slot, self.need(public, new, units), units);
    }

    /// Gives back all that an order has set aside.
    #[inline]
    pub(super) fn release(&mut self, slot: u32) {
        if self.orders.get(slot).set_aside() != (Amount::ZERO, 0) {
            self.set_reserve(slot, Amount::ZERO, 0);
        }
    }

    fn set_reserve(&mut self, slot: u32, amount: Amount, units: i64) {
        let resting = self.orders.get_mut(slot);
        let (instrument, side) = (resting.new.instrument, resting.new.side);
        let by = amount - resting.reserved;
        let more = units - resting.selling;
        resting.reserved = amount;
        if side == Side::Sell && more != 0 {
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
    pub(super) fn worth_held(&self, instrument: InstrumentId) -> Amount {
        let venue = self.venue_of(instrument);
        self.held_beside(instrument).map(|held| held_worth(venue, held)).sum()
    }

    /// Positions at the venue of an instrument that settle in its currency.
    pub(super) fn held_beside(
        &self,
        instrument: InstrumentId,
    ) -> impl Iterator<Item = InstrumentId> + '_ {
        let venue = self.venue_of(instrument);
        let settle = venue.ledger.contract(instrument).settle;
        let held = venue.holding.iter().copied();
        held.filter(move |held| venue.ledger.contract(*held).settle == settle)
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
        let cash = Cash::new(amount, currency);
        let flow = CashFlow { instrument: Some(instrument), ts_event: self.now, reason, cash };
        venue.ledger.flow(&flow);
        turn.out.push(Execution::Cash(flow));
    }
}

pub(super) fn held_worth(venue: &Venue, instrument: InstrumentId) -> Amount {
    let position = venue.ledger.position(instrument);
    (position.cost() + venue.ledger.unrealized(instrument)).abs()
}
