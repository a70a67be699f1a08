//! One side of a price book: a sorted vector with the best price at its end.
//!
//! Most changes happen at or near the touch, so the search begins there and an insert moves few
//! levels. Invariant: keys ascend strictly, and no level holds zero.

use qt_model::record::Level;
use qt_model::units::{Px, Qty};

use super::Resting;

/// How many levels at the touch are looked at one by one before the search halves.
const NEAR: usize = 8;

/// `IS_ASK` turns the order around, so that the lowest ask has the highest key.
#[derive(Clone, Debug, Default)]
pub(super) struct Ladder<const IS_ASK: bool> {
    levels: Vec<(i64, Qty)>,
}

impl<const IS_ASK: bool> Ladder<IS_ASK> {
    /// The complement reverses the order without the one value that negation cannot turn.
    #[inline]
    fn key(px: Px) -> i64 {
        if IS_ASK { !px.mantissa() } else { px.mantissa() }
    }

    #[inline]
    fn resting((key, qty): (i64, Qty)) -> Resting {
        Resting { px: Px::new(if IS_ASK { !key } else { key }), qty }
    }

    pub(super) fn clear(&mut self) {
        self.levels.clear();
    }

    /// Takes these levels and no others; the later of two at one price counts.
    pub(super) fn fill<'a>(&mut self, levels: impl Iterator<Item = &'a Level>) {
        self.levels.clear();
        self.levels.extend(levels.map(|level| (Self::key(level.px), level.qty)));
        if !self.levels.is_sorted_by(|a, b| a.0 < b.0) {
            // Stable, so that the later of two stays behind the earlier.
            self.levels.sort_by_key(|level| level.0);
            self.levels.dedup_by(|later, earlier| {
                let is_same = later.0 == earlier.0;
                if is_same {
                    earlier.1 = later.1;
                }
                is_same
            });
        }
        self.levels.retain(|level| !level.1.is_zero());
    }

    /// Sets what rests at a price; whether anything rested there before.
    #[inline]
    pub(super) fn set(&mut self, px: Px, qty: Qty) -> bool {
        match self.find(Self::key(px)) {
            Ok(at) if qty.is_zero() => {
                self.levels.remove(at);
                true
            }
            Ok(at) => {
                self.levels[at].1 = qty;
                true
            }
            Err(at) => {
                if !qty.is_zero() {
                    self.levels.insert(at, (Self::key(px), qty));
                }
                false
            }
        }
    }

    #[inline]
    fn find(&self, key: i64) -> Result<usize, usize> {
        let near = self.levels.len().saturating_sub(NEAR);
        for at in (near..self.levels.len()).rev() {
            let here = self.levels[at].0;
            if here == key {
                return Ok(at);
            }
            if here < key {
                return Err(at + 1);
            }
        }
        self.levels[..near].binary_search_by_key(&key, |level| level.0)
    }

    pub(super) fn at(&self, px: Px) -> Option<Qty> {
        self.find(Self::key(px)).ok().map(|at| self.levels[at].1)
    }

    #[inline]
    pub(super) fn best(&self) -> Option<Resting> {
        self.levels.last().copied().map(Self::resting)
    }

    pub(super) fn worst(&self) -> Option<Resting> {
        self.levels.first().copied().map(Self::resting)
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = Resting> {
        self.levels.iter().rev().copied().map(Self::resting)
    }

    pub(super) fn keep_best(&mut self, count: usize) {
        let beyond = self.levels.len().saturating_sub(count);
        self.levels.drain(..beyond);
    }
}
