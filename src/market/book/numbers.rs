//! From the numbers that venues give orders to small places, with open addressing.
//!
//! Numbers are dealt by the venue and stand close together, so one multiplication spreads them. The
//! table is at most half full, and what it holds does not depend on the order of its making: no
//! order of a table ever shows, and the same numbers are found in the same way on every machine.

/// A map from order numbers to places.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers {
    slots: Vec<Option<(u64, u32)>>,
    len: usize,
}

const LEAST: usize = 64;

impl Numbers {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn clear(&mut self) {
        self.slots.fill(None);
        self.len = 0;
    }

    #[inline]
    fn home(&self, number: u64) -> usize {
        let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 32) as usize & (self.slots.len() - 1)
    }

    /// Where a number is, or where it would go.
    #[inline]
    fn find(&self, number: u64) -> usize {
        let mut at = self.home(number);
        while self.slots[at].is_some_and(|(known, _)| known != number) {
            at = (at + 1) & (self.slots.len() - 1);
        }
        at
    }

    #[inline]
    pub(super) fn get(&self, number: u64) -> Option<u32> {
        if self.len == 0 {
            return None;
        }
        self.slots[self.find(number)].map(|(_, place)| place)
    }

    pub(super) fn insert(&mut self, number: u64, place: u32) {
        if self.slots.len() < 2 * (self.len + 1) {
            self.grow();
        }
        let at = self.find(number);
        self.len += usize::from(self.slots[at].is_none());
        self.slots[at] = Some((number, place));
    }

    pub(super) fn remove(&mut self, number: u64) -> Option<u32> {
        if self.len == 0 {
            return None;
        }
        let mut hole = self.find(number);
        let (_, place) = self.slots[hole].take()?;
        self.len -= 1;
        // What lies behind the hole and could not be found across it moves into it.
        let mask = self.slots.len() - 1;
        let mut at = (hole + 1) & mask;
        while let Some((number, _)) = self.slots[at] {
            let home = self.home(number);
            let is_reachable = (at.wrapping_sub(home) & mask) < (at.wrapping_sub(hole) & mask);
            if !is_reachable {
                self.slots[hole] = self.slots[at].take();
                hole = at;
            }
            at = (at + 1) & mask;
        }
        Some(place)
    }

    fn grow(&mut self) {
        let size = (2 * self.slots.len()).max(LEAST);
        let old = std::mem::replace(&mut self.slots, vec![None; size]);
        for (number, place) in old.into_iter().flatten() {
            let at = self.find(number);
            self.slots[at] = Some((number, place));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_are_a_map(
            steps in prop::collection::vec((any::<bool>(), 0_u64..300, any::<u32>()), 0..600),
            stride in prop_oneof![Just(1_u64), Just(1 << 32), Just(0x9e37_79b9)],
        ) {
            let (mut numbers, mut model) = (Numbers::default(), BTreeMap::new());
            for (inserts, number, place) in steps {
                let number = number.wrapping_mul(stride);
                if inserts {
                    numbers.insert(number, place);
                    model.insert(number, place);
                } else {
                    prop_assert_eq!(numbers.remove(number), model.remove(&number));
                }
                prop_assert_eq!(numbers.len(), model.len());
            }
            for number in (0..300_u64).map(|number| number.wrapping_mul(stride)) {
                prop_assert_eq!(numbers.get(number), model.get(&number).copied());
            }
        }
    }
}
