//! Best prices as columns: what a stretch of quotes shows, without a row of any of them.
//!
//! Absent on purpose: crossed prices. Who has those tells of them one by one.

use std::ops::Range;

use qt_market::features::wide;
use qt_model::time::Ts;
use qt_model::units::Px;

use super::market::Touch;
use crate::ledger::DoublePx;

/// Bids and asks from instants on, none of which is before the last; no bid lies above its ask.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quoted<'a> {
    /// Nanoseconds.
    pub at: &'a [i64],
    /// Mantissas at the scale of the instrument.
    pub bid: &'a [i64],
    pub ask: &'a [i64],
}

impl Quoted<'_> {
    #[inline]
    pub fn len(&self) -> usize {
        self.at.len()
    }

    pub fn is_empty(&self) -> bool {
        self.at.is_empty()
    }

    /// Some of them.
    #[inline]
    #[must_use]
    pub fn slice(&self, places: Range<usize>) -> Self {
        Self {
            at: &self.at[places.clone()],
            bid: &self.bid[places.clone()],
            ask: &self.ask[places],
        }
    }

    #[inline]
    pub fn get(&self, at: usize) -> (Ts, Touch) {
        let touch = Touch { bid: Px::new(self.bid[at]), ask: Px::new(self.ask[at]) };
        (Ts::from_nanos(self.at[at]), touch)
    }

    /// All of them, one by one.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Ts, Touch)> {
        (0..self.len()).map(|at| self.get(at))
    }

    /// The lowest and the highest middle, if there is one.
    pub(super) fn ends(&self) -> Option<(DoublePx, DoublePx)> {
        let first = self.mids().next()?;
        let (bid, ask) = (self.bid, &self.ask[..self.bid.len()]);
        Some(wide(
            #[inline(always)]
            || {
                let (mut low, mut high, mut at) = (first, first, 0);
                while at < bid.len() {
                    let mid = DoublePx::mid(Px::new(bid[at]), Px::new(ask[at]));
                    (low, high) = (low.min(mid), high.max(mid));
                    at += 1;
                }
                (low, high)
            },
        ))
    }

    /// The middles.
    #[inline]
    pub(super) fn mids(&self) -> impl Iterator<Item = DoublePx> {
        let prices = self.bid.iter().zip(self.ask);
        prices.map(|(bid, ask)| DoublePx::mid(Px::new(*bid), Px::new(*ask)))
    }
}
