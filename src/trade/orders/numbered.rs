//! Values by order number, for orders that are live.
//!
//! Invariants: numbers are in order; a value keeps its slot until it is removed. Few orders are live
//! at a time and the one that is asked for is most often the newest, so a sorted list of numbers is
//! both quicker and smaller than a tree. Absent on purpose: what became of orders that are removed.

use qt_model::order::OrderNo;

/// See the module.
#[derive(Clone, Debug)]
pub struct Numbered<T> {
    /// Each number with the slot of its value.
    places: Vec<(OrderNo, u32)>,
    slots: Vec<T>,
    free: Vec<u32>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self { places: Vec::new(), slots: Vec::new(), free: Vec::new() }
    }
}

impl<T: Copy> Numbered<T> {
    /// Adds the value of an order that has none, and returns its slot.
    #[inline]
    pub fn insert(&mut self, order: OrderNo, value: T) -> u32 {
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = value;
                slot
            }
            None => {
                self.slots.push(value);
                u32::try_from(self.slots.len() - 1).expect("fewer than four billion orders live")
            }
        };
        if self.places.last().is_none_or(|(last, _)| *last < order) {
            self.places.push((order, slot));
        } else {
            self.insert_between(order, slot);
        }
        slot
    }

    #[cold]
    fn insert_between(&mut self, order: OrderNo, slot: u32) {
        let at = self.places.binary_search_by_key(&order, |(order, _)| *order);
        let Err(at) = at else { panic!("order {} is there already", order.0) };
        self.places.insert(at, (order, slot));
    }

    #[inline]
    fn place(&self, order: OrderNo) -> Option<usize> {
        let last = self.places.len().checked_sub(1)?;
        if self.places[last].0 == order { Some(last) } else { self.search(order) }
    }

    #[inline(never)]
    fn search(&self, order: OrderNo) -> Option<usize> {
        self.places.binary_search_by_key(&order, |(order, _)| *order).ok()
    }

    /// The slot of an order.
    #[inline]
    pub fn find(&self, order: OrderNo) -> Option<u32> {
        self.place(order).map(|at| self.places[at].1)
    }

    /// Takes an order out. Its value stays in its slot until another comes there.
    #[inline]
    pub fn remove(&mut self, order: OrderNo) -> Option<&T> {
        let at = self.place(order)?;
        let (_, slot) = self.places[at];
        // Most often the newest goes: then nothing has to move.
        if at + 1 < self.places.len() {
            self.places.copy_within(at + 1.., at);
        }
        self.places.pop();
        self.free.push(slot);
        Some(&self.slots[slot as usize])
    }

    /// The value in a slot: that of the order that had it last, where none has it now.
    #[inline]
    pub fn at(&self, slot: u32) -> &T {
        &self.slots[slot as usize]
    }

    #[inline]
    pub fn at_mut(&mut self, slot: u32) -> &mut T {
        &mut self.slots[slot as usize]
    }

    #[inline]
    pub fn get(&self, order: OrderNo) -> Option<&T> {
        self.find(order).map(|slot| self.at(slot))
    }

    #[inline]
    pub fn get_mut(&mut self, order: OrderNo) -> Option<&mut T> {
        let slot = self.find(order)?;
        Some(self.at_mut(slot))
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The slots by number.
    pub fn slots(&self) -> impl Iterator<Item = u32> + '_ {
        self.places.iter().map(|(_, slot)| *slot)
    }

    /// The values by number.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.slots().map(|slot| self.at(slot))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_map_in_order(steps in prop::collection::vec((0_u64..12, any::<bool>()), 0..80)) {
            let (mut found, mut model) = (Numbered::default(), BTreeMap::new());
            for (value, (number, is_added)) in steps.into_iter().enumerate() {
                let order = OrderNo(number);
                match is_added && !model.contains_key(&order) {
                    true => {
                        let slot = found.insert(order, value);
                        prop_assert_eq!((found.find(order), found.at(slot)), (Some(slot), &value));
                        model.insert(order, value);
                    }
                    false if is_added => *found.get_mut(order).unwrap() = value,
                    false => prop_assert_eq!(found.remove(order).copied(), model.remove(&order)),
                }
                if is_added {
                    model.insert(order, value);
                }
                prop_assert_eq!(found.get(order), model.get(&order));
                prop_assert_eq!((found.len(), found.is_empty()), (model.len(), model.is_empty()));
                prop_assert!(found.values().eq(model.values()));
            }
        }
    }

    #[test]
    #[should_panic(expected = "order 3 is there already")]
    fn an_order_is_added_once() {
        let mut found = Numbered::default();
        [2, 3, 4, 3].into_iter().for_each(|number| {
            found.insert(OrderNo(number), ());
        });
    }
}
