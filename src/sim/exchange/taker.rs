//! Orders that meet the market at once: they walk through what is displayed.
//!
//! Our own orders on the other side are met in their place: after the others at their price. What
//! we take is gone for us until the venue shows another size there.

use qt_model::ids::InstrumentId;
use qt_model::units::{Px, Qty};
use qt_model::words::{CancelReason, Liquidity, Side, TimeInForce};
use rust_decimal::Decimal;

use super::booking::{is_beyond, qty_of};
use super::config::{SelfTrade, Slippage};
use super::market::{Basis, Public};
use super::terms::Terms;
use super::{Exchange, Turn};

/// What others offer at one price.
#[derive(Clone, Copy, Debug)]
struct Offered {
    px: Px,
    /// What the level shows; `None`: as much as one likes.
    shown: Option<Qty>,
    left: i64,
}

impl Exchange {
    /// Executes what can be executed now, and puts the rest where it belongs.
    pub(super) fn take(&mut self, turn: &mut Turn<'_>, slot: u32) {
        let instrument = self.orders.get(slot).new.instrument;
        loop {
            let own = self.own_within(slot);
            self.take_others(turn, slot, own.map(|(px, _)| px));
            let Some((px, resting)) = own else { break };
            if self.leaves(slot).is_zero() || !self.meet_own(turn, slot, resting, px) {
                break;
            }
        }
        let resting = *self.orders.get(slot);
        if !self.leaves(slot).is_zero() {
            self.settle_rest(turn, slot, instrument);
        } else if self.orders.find(resting.order) == Some(slot) && !resting.leaves().is_zero() {
            self.cancel_slot(turn, slot, CancelReason::NothingToReduce);
        }
    }

    /// What may be executed of the order in a slot; nothing where it has ended.
    fn leaves(&self, slot: u32) -> Qty {
        let resting = self.orders.get(slot);
        match self.orders.find(resting.order) {
            Some(found) if found == slot => qty_of(self.open_units(slot)),
            Some(_) | None => Qty::ZERO,
        }
    }

    /// Our best order on the other side, where the limit reaches it.
    fn own_within(&self, slot: u32) -> Option<(Px, u32)> {
        let resting = self.orders.get(slot);
        let new = resting.new;
        let pit = &self.pits[new.instrument.index()];
        let (px, own) = pit.ranks(new.side.opposite()).best()?;
        let is_far = resting.limit().is_some_and(|limit| is_beyond(new.side, px, limit));
        (!is_far).then_some((px, own))
    }

    /// Executes against others, no further than the limit and than that price.
    fn take_others(&mut self, turn: &mut Turn<'_>, slot: u32, up_to: Option<Px>) {
        let resting = *self.orders.get(slot);
        let new = resting.new;
        let limit = nearer(new.side, resting.limit(), up_to);
        let public = turn.market.of(new.instrument);
        while !self.leaves(slot).is_zero() {
            let Some(offered) = self.next_offer(public, new.instrument, new.side, limit) else {
                return;
            };
            let opposite = new.side.opposite();
            let qty = qty_of(offered.left).min(self.leaves(slot));
            if let Some(shown) = offered.shown {
                let pit = &mut self.pits[new.instrument.index()];
                pit.take(opposite, offered.px, shown, qty.mantissa());
            }
            let px =
                self.slipped(public, new.instrument, new.side, offered.px, resting.limit(), qty);
            self.fill(turn, slot, px, qty, Liquidity::Taker);
        }
    }

    /// The best that others offer and that we have not taken.
    fn next_offer(
        &self,
        public: &Public,
        instrument: InstrumentId,
        side: Side,
        limit: Option<Px>,
    ) -> Option<Offered> {
        let pit = &self.pits[instrument.index()];
        let opposite = side.opposite();
        let fits = |px: Px| limit.is_none_or(|limit| !is_beyond(side, px, limit));
        match public.basis() {
            Basis::Book => {
                let mut found = None;
                self.each_level(public, side, |px, shown| {
                    if !fits(px) {
                        return false;
                    }
                    let left = pit.left(opposite, px, shown);
                    if left > 0 {
                        found = Some(Offered { px, shown: Some(shown), left });
                    }
                    found.is_none()
                });
                found
            }
            Basis::Quotes => {
                let best = public.top().of(opposite).filter(|best| fits(best.px))?;
                let left = best.qty.map_or(i64::MAX, |shown| pit.left(opposite, best.px, shown));
                let offered = Offered { px: best.px, shown: best.qty, left };
                (left > 0).then_some(offered)
            }
            Basis::Trades => {
                let last = public.last()?;
                let terms = &self.terms[instrument.index()];
                let half = &self.venues[terms.venue].config.half_spread;
                let px = away(terms, public, side, last.px, half, Qty::ZERO);
                fits(px).then_some(Offered { px, shown: None, left: i64::MAX })
            }
            Basis::Bars | Basis::Nothing => None,
        }
    }

    /// Calls with each level that a taker of that side meets, until it says that it is enough.
    fn each_level(&self, public: &Public, side: Side, mut visit: impl FnMut(Px, Qty) -> bool) {
        match side {
            Side::Buy => {
                let _ = public.book().asks().all(|level| visit(level.px, level.qty));
            }
            Side::Sell => {
                let _ = public.book().bids().all(|level| visit(level.px, level.qty));
            }
        }
    }

    /// Calls with each price and size that others offer up to a limit, until it is enough.
    pub(super) fn each_offer(
        &self,
        public: &Public,
        instrument: InstrumentId,
        side: Side,
        limit: Option<Px>,
        mut visit: impl FnMut(Px, i64) -> bool,
    ) {
        if public.basis() != Basis::Book {
            if let Some(offered) = self.next_offer(public, instrument, side, limit) {
                visit(offered.px, offered.left);
            }
            return;
        }
        let pit = &self.pits[instrument.index()];
        self.each_level(public, side, |px, shown| {
            let is_far = limit.is_some_and(|limit| is_beyond(side, px, limit));
            !is_far && visit(px, pit.left(side.opposite(), px, shown).max(0))
        });
    }

    /// The price after slippage, where no book says what there is; never beyond the limit.
    fn slipped(
        &self,
        public: &Public,
        instrument: InstrumentId,
        side: Side,
        px: Px,
        limit: Option<Px>,
        qty: Qty,
    ) -> Px {
        if public.basis() == Basis::Book {
            return px;
        }
        let terms = &self.terms[instrument.index()];
        let slippage = &self.venues[terms.venue].config.slippage;
        let px = away(terms, public, side, px, slippage, qty);
        limit.filter(|limit| is_beyond(side, px, *limit)).unwrap_or(px)
    }

    /// An order meets one of ours; whether it goes on.
    fn meet_own(&mut self, turn: &mut Turn<'_>, slot: u32, own: u32, px: Px) -> bool {
        let instrument = self.orders.get(slot).new.instrument;
        let rule = self.venues[self.terms[instrument.index()].venue].config.self_trade;
        match rule {
            SelfTrade::CancelNewest => self.cancel_slot(turn, slot, CancelReason::SelfTrade),
            SelfTrade::CancelOldest => self.cancel_slot(turn, own, CancelReason::SelfTrade),
            SelfTrade::CancelBoth => {
                self.cancel_slot(turn, own, CancelReason::SelfTrade);
                self.cancel_slot(turn, slot, CancelReason::SelfTrade);
            }
            SelfTrade::Off => {
                let qty = self.leaves(slot).min(self.leaves(own));
                if qty.is_zero() {
                    self.cancel_slot(turn, own, CancelReason::NothingToReduce);
                } else {
                    self.fill(turn, own, px, qty, Liquidity::Maker);
                    self.fill(turn, slot, px, qty, Liquidity::Taker);
                    self.show_next(turn, own, qty);
                }
            }
        }
        !self.leaves(slot).is_zero()
    }

    /// What could not be executed at once.
    fn settle_rest(&mut self, turn: &mut Turn<'_>, slot: u32, instrument: InstrumentId) {
        let resting = *self.orders.get(slot);
        if resting.limit().is_none() {
            self.fill_beyond(turn, slot, instrument);
            return;
        }
        match resting.new.time_in_force {
            TimeInForce::Ioc | TimeInForce::Fok => {
                self.cancel_slot(turn, slot, CancelReason::Remainder);
            }
            TimeInForce::Day | TimeInForce::Gtc | TimeInForce::Gtd | TimeInForce::Gtx => {
                self.queue_up(turn, slot);
            }
            TimeInForce::Opg | TimeInForce::Cls => {
                panic!("{resting:?} meets the market outside its auction")
            }
        }
    }

    /// The rest of a market order where the displayed book has ended.
    fn fill_beyond(&mut self, turn: &mut Turn<'_>, slot: u32, instrument: InstrumentId) {
        let new = self.orders.get(slot).new;
        let public = turn.market.of(instrument);
        let terms = &self.terms[instrument.index()];
        let beyond = self.venues[terms.venue].config.beyond_book;
        let opposite = new.side.opposite();
        let end = public.book().deepest(opposite);
        let end = end.or(public.top().of(opposite).map(|offer| offer.px));
        match (beyond, end) {
            (Some(slippage), Some(end)) => {
                let left = self.leaves(slot);
                let px = away(terms, public, new.side, end, &slippage, left);
                self.fill(turn, slot, px, left, Liquidity::Taker);
            }
            (Some(_) | None, _) => self.cancel_slot(turn, slot, CancelReason::NoLiquidity),
        }
    }
}

/// Of two limits the one that is reached first.
fn nearer(side: Side, a: Option<Px>, b: Option<Px>) -> Option<Px> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if is_beyond(side, a, b) { b } else { a }),
        (a, b) => a.or(b),
    }
}

/// A price moved to the disadvantage of an order, to a whole tick.
pub(super) fn away(
    terms: &Terms,
    public: &Public,
    side: Side,
    px: Px,
    slippage: &Slippage,
    qty: Qty,
) -> Px {
    let is_up = side == Side::Buy;
    let units = Decimal::from(px.mantissa());
    let by = match *slippage {
        Slippage::None => return px,
        Slippage::Bps(bps) => units.abs() * bps / Decimal::from(10_000),
        Slippage::Ticks(ticks) => Decimal::from(i128::from(ticks) * i128::from(terms.tick())),
        Slippage::SpreadShare(share) => spread(public) * share,
        Slippage::VolumeShare(fraction) => units.abs() * fraction * volume_share(public, qty),
        Slippage::SquareRoot(fraction) => {
            let share = Decimal::try_from(libm::sqrt(to_f64(volume_share(public, qty))));
            units.abs() * fraction * share.unwrap_or(Decimal::ONE)
        }
    };
    let moved = if is_up { (units + by).ceil() } else { (units - by).floor() };
    let moved = moved.mantissa() / 10_i128.pow(moved.scale());
    terms.away(moved, is_up)
}

fn spread(public: &Public) -> Decimal {
    let top = public.top();
    let spread = top
        .ask
        .zip(top.bid)
        .map_or(0, |(ask, bid)| i128::from(ask.px.mantissa()) - i128::from(bid.px.mantissa()));
    Decimal::from(spread.max(0))
}

/// The part of the last bar's volume that a size is; all of it where there was none.
fn volume_share(public: &Public, qty: Qty) -> Decimal {
    match public.bar().filter(|bar| !bar.volume.is_zero()) {
        Some(bar) => Decimal::from(qty.mantissa()) / Decimal::from(bar.volume.mantissa()),
        None => Decimal::ONE,
    }
}

/// For the model of impact alone; the price that comes of it is rounded to a tick.
fn to_f64(number: Decimal) -> f64 {
    number.mantissa() as f64 / libm::exp10(f64::from(number.scale()))
}
