//! One side of the generator's book: a short sorted list, the best level last.
//!
//! Invariant: keys strictly ascend and no rung is empty. A key is the price in ticks, negated for
//! asks, so that greater is better on both sides and the rules are written once. The best sits at
//! the end because nearly all changes are near it: an insertion there moves few neighbours.

use qt_model::words::Side;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rung {
    pub(super) key: i64,
    pub(super) lots: i64,
}

#[derive(Clone, Debug)]
pub(super) struct Ladder {
    rungs: Vec<Rung>,
    levels_max: usize,
    lots_max: i64,
}

/// The key of a price on that side, and the price of a key: the same act.
#[inline]
pub(super) const fn key(side: Side, ticks: i64) -> i64 {
    match side {
        Side::Buy => ticks,
        Side::Sell => -ticks,
    }
}

impl Ladder {
    pub(super) fn new(levels_max: usize, lots_max: i64) -> Self {
        // One more than it keeps: a level enters before the worst one leaves.
        Self { rungs: Vec::with_capacity(levels_max + 1), levels_max, lots_max }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.rungs.len()
    }

    #[inline]
    pub(super) fn has_room(&self) -> bool {
        self.rungs.len() < self.levels_max
    }

    /// The rung that many places behind the best.
    #[inline]
    pub(super) fn at(&self, depth: usize) -> Rung {
        self.rungs[self.rungs.len() - 1 - depth]
    }

    #[inline]
    pub(super) fn best(&self) -> Rung {
        *self.rungs.last().expect("a side of the book is never empty")
    }

    #[inline]
    pub(super) fn worst(&self) -> Rung {
        *self.rungs.first().expect("a side of the book is never empty")
    }

    pub(super) fn best_first(&self) -> impl Iterator<Item = Rung> {
        self.rungs.iter().rev().copied()
    }

    pub(super) fn lots_at(&self, key: i64) -> i64 {
        self.rungs.iter().find(|rung| rung.key == key).map_or(0, |rung| rung.lots)
    }

    #[inline]
    pub(super) fn set_lots(&mut self, depth: usize, lots: i64) -> Rung {
        debug_assert!(lots > 0, "an empty rung is removed instead");
        let at = self.rungs.len() - 1 - depth;
        self.rungs[at].lots = lots;
        self.rungs[at]
    }

    #[inline]
    pub(super) fn remove(&mut self, depth: usize) -> Rung {
        let at = self.rungs.len() - 1 - depth;
        self.rungs.remove(at)
    }

    /// Adds size at a key and returns what the level then holds. Where that would be more than a
    /// level may hold, the new order pushes the older ones out.
    #[inline]
    pub(super) fn add(&mut self, key: i64, lots: i64) -> i64 {
        debug_assert!(lots > 0, "an order has a size");
        let above = self.rungs.iter().rev().take_while(|rung| rung.key > key).count();
        let at = self.rungs.len() - above;
        match at.checked_sub(1).map(|below| &mut self.rungs[below]) {
            Some(rung) if rung.key == key => {
                let total = rung.lots + lots;
                rung.lots = if total > self.lots_max { lots } else { total };
                rung.lots
            }
            Some(_) | None => {
                self.rungs.insert(at, Rung { key, lots });
                lots
            }
        }
    }

    /// Takes the worst rung off where there is one too many.
    #[inline]
    pub(super) fn trim(&mut self) -> Option<Rung> {
        (self.rungs.len() > self.levels_max).then(|| self.rungs.remove(0))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_ladder_is_a_sorted_map_of_bounded_length(
            steps in prop::collection::vec((-40_i64..40, 1_i64..100), 1..200),
        ) {
            let mut ladder = Ladder::new(16, 250);
            let mut model = std::collections::BTreeMap::new();
            for (key, lots) in steps {
                let held = model.entry(key).or_insert(0);
                *held = if *held + lots > 250 { lots } else { *held + lots };
                prop_assert_eq!(ladder.add(key, lots), model[&key]);
                if model.len() > 16 {
                    let worst = model.pop_first().map(|(key, lots)| Rung { key, lots });
                    prop_assert_eq!(ladder.trim(), worst);
                }
                prop_assert_eq!(ladder.trim(), None);
                let expected = model.iter().rev().map(|(key, lots)| Rung { key: *key, lots: *lots });
                prop_assert!(ladder.best_first().eq(expected));
                prop_assert_eq!(ladder.lots_at(key), model.get(&key).copied().unwrap_or(0));
            }
        }
    }
}
