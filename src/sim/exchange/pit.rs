//! Where our orders of one instrument stand.

use qt_model::units::{Px, Qty};
use qt_model::words::Side;

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
    pub(super) taken: Vec<Taken>,
    /// How many orders stand here, in whatever way.
    pub(super) live: u32,
    /// How many of them may only reduce.
    pub(super) reduce_only: u32,
}

impl Default for Pit {
    fn default() -> Self {
        Self {
            bids: Ranks::new(Side::Buy),
            asks: Ranks::new(Side::Sell),
            taken: Vec::new(),
            live: 0,
            reduce_only: 0,
        }
    }
}

impl Pit {
    #[inline]
    pub(super) fn is_idle(&self) -> bool {
        self.live == 0 && self.taken.is_empty()
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
