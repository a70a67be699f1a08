//! What can be said against an order when it arrives.

use qt_model::order::{Links, NewOrder, Pricing};
use qt_model::units::Px;
use qt_model::words::{RejectReason, TimeInForce};
use qt_trade::ledger::Amount;
use rust_decimal::Decimal;

use super::auctions::Auction;
use super::booking::{is_beyond, mid};
use super::config::{PostOnly, SelfTrade};
use super::market::{Basis, Public};
use super::terms::{self, Terms};
use super::{Exchange, Turn};

impl Exchange {
    /// Everything that can be said against a new order.
    pub(super) fn admit(&self, turn: &Turn<'_>, new: &NewOrder) -> Result<(), RejectReason> {
        let terms = terms::find(&self.terms, new.instrument)?;
        if is_plain(new) {
            return self.admit_plain(turn, terms, new);
        }
        check_shape(new)?;
        check_grid(terms, new)?;
        self.check_links(new.links.parent)?;
        let public = turn.market.of(new.instrument);
        self.check_session(terms, public, new)?;
        let is_for_auction = Auction::of(new.time_in_force).is_some();
        if public.basis() == Basis::Nothing && !is_for_auction {
            return Err(RejectReason::NoMarket);
        }
        self.check_band(terms, public, new)?;
        if new.links.parent.is_some() || is_stop(new.pricing) {
            return Ok(());
        }
        self.check_backing(public, new)?;
        if is_for_auction { Ok(()) } else { self.check_taking(public, new) }
    }

    /// The same of an order that has no price, no time and no links, about which nothing can be said.
    #[inline]
    fn admit_plain(
        &self,
        turn: &Turn<'_>,
        terms: &Terms,
        new: &NewOrder,
    ) -> Result<(), RejectReason> {
        terms.check_qty(new.qty)?;
        let public = turn.market.of(new.instrument);
        self.check_session(terms, public, new)?;
        if public.basis() == Basis::Nothing {
            return Err(RejectReason::NoMarket);
        }
        self.check_backing(public, new)?;
        self.check_taking(public, new)
    }

    pub(super) fn check_band(
        &self,
        terms: &Terms,
        public: &Public,
        new: &NewOrder,
    ) -> Result<(), RejectReason> {
        let Some(band) = self.venues[terms.venue].config.price_band else { return Ok(()) };
        let Some(px) = new.limit_px() else { return Ok(()) };
        let Some(reference) = reference(public) else { return Ok(()) };
        let distance = Decimal::from((i128::from(px.mantissa()) * 2 - reference).abs());
        if distance > Decimal::from(reference.abs()) * band {
            return Err(RejectReason::PriceBand);
        }
        Ok(())
    }

    /// Whether there is something behind an order: a position to reduce, or money.
    #[inline]
    fn check_backing(&self, public: &Public, new: &NewOrder) -> Result<(), RejectReason> {
        if new.reduce_only && self.reducible(new.instrument, new.side) == 0 {
            return Err(RejectReason::WouldNotReduce);
        }
        self.check_funds(public, new, new.qty.mantissa(), (Amount::ZERO, 0))
    }

    /// What only matters to an order that meets the market at once.
    #[inline]
    fn check_taking(&self, public: &Public, new: &NewOrder) -> Result<(), RejectReason> {
        let config = &self.venues[self.terms[new.instrument.index()].venue].config;
        let is_post_only = new.time_in_force == TimeInForce::Gtx;
        if is_post_only && self.would_take(public, new) && config.post_only == PostOnly::Reject {
            return Err(RejectReason::WouldTake);
        }
        if config.self_trade == SelfTrade::CancelNewest && self.would_meet_own(public, new) {
            return Err(RejectReason::SelfTrade);
        }
        if new.time_in_force == TimeInForce::Fok && !self.can_fill(public, new) {
            return Err(RejectReason::CannotFill);
        }
        Ok(())
    }

    /// Whether a limit reaches what others offer.
    pub(super) fn would_take(&self, public: &Public, new: &NewOrder) -> bool {
        let Some(limit) = new.limit_px() else { return true };
        let others = public.top().of(new.side.opposite()).map(|offer| offer.px);
        let own = self.pits[new.instrument.index()].ranks(new.side.opposite()).best();
        let reaches = |px: Px| !is_beyond(new.side, px, limit);
        others.is_some_and(reaches) || own.is_some_and(|(px, _)| reaches(px))
    }

    /// Whether an order would come as far as one of ours.
    #[inline]
    fn would_meet_own(&self, public: &Public, new: &NewOrder) -> bool {
        // A bar does not say who met whom.
        if public.basis() == Basis::Bars {
            return false;
        }
        let pit = &self.pits[new.instrument.index()];
        let opposite = new.side.opposite();
        let Some((own, _)) = pit.ranks(opposite).best() else { return false };
        if new.limit_px().is_some_and(|limit| is_beyond(new.side, own, limit)) {
            return false;
        }
        // At our own price the others come first.
        self.available(public, new, Some(own)) < new.qty.mantissa()
    }

    fn can_fill(&self, public: &Public, new: &NewOrder) -> bool {
        // What a bar has is known when it is over.
        public.basis() == Basis::Bars
            || self.available(public, new, new.limit_px()) >= new.qty.mantissa()
    }

    /// How much others offer up to a price.
    fn available(&self, public: &Public, new: &NewOrder, limit: Option<Px>) -> i64 {
        let mut found = 0_i64;
        self.each_offer(public, new.instrument, new.side, limit, |_, left| {
            found = found.saturating_add(left);
            found < new.qty.mantissa()
        });
        found
    }
}

/// Twice the middle of the market, or twice the last price.
fn reference(public: &Public) -> Option<i128> {
    if let Some(mid) = mid(public.top()) {
        return Some(i128::from(mid.units()));
    }
    let last = public.last().map(|print| print.px).or(public.bar().map(|bar| bar.close));
    last.map(|px| i128::from(px.mantissa()) * 2)
}

/// Whether an order is executed at the market or not at all: without a price, a time, or others that it
/// hangs together with.
#[inline]
pub(super) fn is_plain(new: &NewOrder) -> bool {
    new.pricing == Pricing::Market
        && new.time_in_force == TimeInForce::Ioc
        && new.display.is_none()
        && new.links == Links::default()
}

pub(super) fn is_stop(pricing: Pricing) -> bool {
    match pricing {
        Pricing::Stop { .. } | Pricing::StopLimit { .. } | Pricing::TrailingStop { .. } => true,
        Pricing::Market | Pricing::Limit { .. } => false,
    }
}

/// Fields that contradict each other.
pub(super) fn check_shape(new: &NewOrder) -> Result<(), RejectReason> {
    let is_limit = new.limit_px().is_some();
    let fits = match new.time_in_force {
        TimeInForce::Gtd => new.good_till.is_some(),
        TimeInForce::Gtx => matches!(new.pricing, Pricing::Limit { .. }),
        TimeInForce::Day | TimeInForce::Gtc | TimeInForce::Ioc | TimeInForce::Fok => true,
        TimeInForce::Opg | TimeInForce::Cls => !is_stop(new.pricing) && new.display.is_none(),
    };
    let shows =
        new.display.is_none_or(|display| is_limit && !display.is_zero() && display <= new.qty);
    let trails = match new.pricing {
        Pricing::TrailingStop { distance } => distance.mantissa() > 0,
        Pricing::Market
        | Pricing::Limit { .. }
        | Pricing::Stop { .. }
        | Pricing::StopLimit { .. } => true,
    };
    if fits && shows && trails { Ok(()) } else { Err(RejectReason::Malformed) }
}

pub(super) fn check_grid(terms: &Terms, new: &NewOrder) -> Result<(), RejectReason> {
    terms.check_qty(new.qty)?;
    match new.pricing {
        Pricing::Market => Ok(()),
        Pricing::Limit { px } => terms.check_px(px),
        Pricing::Stop { trigger } => terms.check_px(trigger),
        Pricing::StopLimit { trigger, px } => {
            terms.check_px(trigger)?;
            terms.check_px(px)
        }
        Pricing::TrailingStop { distance } => terms.check_px(distance),
    }
}
