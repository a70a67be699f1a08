//! The live orders of a market, by their numbers.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use qt_model::words::Side;

/// What messages about an order leave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) which: u32,
    pub(super) px: u32,
    pub(super) shares: u32,
    pub(super) side: Side,
}

/// Order numbers are dealt by the venue, not by an enemy, and stand close together: one
/// multiplication spreads them.
#[derive(Debug, Default)]
pub(super) struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    #[inline]
    fn write_u64(&mut self, number: u64) {
        let mixed = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
    }
}

/// A map from numbers that nobody chooses to hurt us.
pub(super) type ByNumber<T> = HashMap<u64, T, BuildHasherDefault<Spread>>;

/// All live orders.
#[derive(Debug, Default)]
pub(super) struct Orders(ByNumber<Order>);

impl Orders {
    #[inline]
    pub(super) fn add(&mut self, number: u64, order: Order) {
        self.0.insert(number, order);
    }

    /// Takes shares off an order and says what it was before; it is gone with its last share.
    #[inline]
    pub(super) fn reduce(&mut self, number: u64, shares: u32) -> Option<Order> {
        let order = self.0.get_mut(&number)?;
        let before = *order;
        order.shares = order.shares.saturating_sub(shares);
        if order.shares == 0 {
            self.0.remove(&number);
        }
        Some(before)
    }

    #[inline]
    pub(super) fn remove(&mut self, number: u64) -> Option<Order> {
        self.0.remove(&number)
    }
}
