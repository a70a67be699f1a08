//! Where our orders of one instrument stand.

use qt_model::time::Ts;
use qt_model::units::{Px, Qty};
use qt_model::words::Side;
use rust_decimal::Decimal;

use super::booking::is_beyond;
use super::orders::Ranks;

/// What we took of a level, as long as the venue goes on showing the same size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) side: Side,
    pub(super) px: Px,
    /// The size shown when we took of it.
    pub(super) shown: Qty,
    pub(super) qty: i64,
}

#[derive(Clone, Debug)]
pub(super) struct Pit {
    pub(super) bids: Ranks,
    pub(super) asks: Ranks,
    /// Stops by trigger, the next to be reached last, as in a book of the other side.
    pub(super) buy_stops: Ranks,
    pub(super) sell_stops: Ranks,
    pub(super) trailing: Vec<u32>,
    /// Orders for the next bar's open, in order of arrival.
    pub(super) opening: Vec<u32>,
    /// Orders for an auction, in order of arrival.
    pub(super) auction: Vec<u32>,
    pub(super) taken: Vec<Taken>,
    /// How many orders stand here, in whatever way.
    pub(super) live: u32,
    /// Those of them that may only reduce, in order of arrival.
    pub(super) reducers: Vec<u32>,
    /// Funding that was announced while a position was held: when it is due, and its rate.
    pub(super) funding: Vec<(Ts, Decimal)>,
    /// Whether there is a position.
    pub(super) is_held: bool,
    /// When interest is next charged.
    pub(super) owes_from: Option<Ts>,
    /// What open orders sell of what is held.
    pub(super) selling: i64,
    /// Whether the account watches what the position is worth.
    pub(super) is_watched: bool,
}

impl Default for Pit {
    fn default() -> Self {
        Self {
            bids: Ranks::new(Side::Buy),
            asks: Ranks::new(Side::Sell),
            buy_stops: Ranks::new(Side::Sell),
            sell_stops: Ranks::new(Side::Buy),
            trailing: Vec::new(),
            opening: Vec::new(),
            auction: Vec::new(),
            taken: Vec::new(),
            live: 0,
            reducers: Vec::new(),
            funding: Vec::new(),
            is_held: false,
            owes_from: None,
            selling: 0,
            is_watched: false,
        }
    }
}

impl Pit {
    #[inline]
    pub(super) fn is_idle(&self) -> bool {
        !self.is_working() && !self.is_held
    }

    /// Whether orders stand here, or what we took of the market is still to be shown anew.
    #[inline]
    pub(super) fn is_working(&self) -> bool {
        self.live > 0 || !self.taken.is_empty()
    }

    #[inline]
    pub(super) fn has_stops(&self) -> bool {
        !(self.buy_stops.is_empty() && self.sell_stops.is_empty() && self.trailing.is_empty())
    }

    /// Whether anything stands here beside orders for the next bar's open.
    #[inline]
    pub(super) fn has_more_than_opens(&self) -> bool {
        let is_queued = !(self.bids.is_empty() && self.asks.is_empty());
        is_queued || self.has_stops() || !self.auction.is_empty()
    }

    /// Whether all that stands here rests in the book, and nothing else waits for the market.
    #[inline]
    pub(super) fn is_plain(&self) -> bool {
        !self.is_watched && self.taken.is_empty() && self.auction.is_empty() && !self.has_stops()
    }

    /// Whether a price is at our best of a side, or beyond it.
    #[inline]
    pub(super) fn is_reached(&self, side: Side, px: Px) -> bool {
        self.ranks(side).best().is_some_and(|(best, _)| !is_beyond(side, px, best))
    }

    #[inline]
    pub(super) fn ranks(&self, side: Side) -> &Ranks {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    #[inline]
    pub(super) fn ranks_mut(&mut self, side: Side) -> &mut Ranks {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    pub(super) fn stops(&self, side: Side) -> &Ranks {
        match side {
            Side::Buy => &self.buy_stops,
            Side::Sell => &self.sell_stops,
        }
    }

    pub(super) fn stops_mut(&mut self, side: Side) -> &mut Ranks {
        match side {
            Side::Buy => &mut self.buy_stops,
            Side::Sell => &mut self.sell_stops,
        }
    }

    /// What is left for us of a level that shows so much.
    pub(super) fn left(&self, side: Side, px: Px, shown: Qty) -> i64 {
        let is_it = |taken: &&Taken| taken.side == side && taken.px == px && taken.shown == shown;
        let taken = self.taken.iter().find(is_it).map_or(0, |taken| taken.qty);
        shown.mantissa() - taken
    }

    pub(super) fn take(&mut self, side: Side, px: Px, shown: Qty, qty: i64) {
        match self.taken.iter_mut().find(|taken| taken.side == side && taken.px == px) {
            Some(taken) if taken.shown == shown => taken.qty += qty,
            Some(taken) => (taken.shown, taken.qty) = (shown, qty),
            None => self.taken.push(Taken { side, px, shown, qty }),
        }
    }
}
