//! A plain book of orders and of levels: slow, and so simple that it can be believed.

use std::collections::{BTreeMap, HashMap};

use qt_model::record::{Depth, Level, Mbo};
use qt_model::words::{DepthAction, MboAction, Side};

#[derive(Default)]
pub(super) struct Book {
    orders: HashMap<u64, (Side, i64, i64)>,
    /// By price: size and number of orders.
    bids: BTreeMap<i64, (i64, u64)>,
    asks: BTreeMap<i64, (i64, u64)>,
}

impl Book {
    fn side(&mut self, side: Side) -> &mut BTreeMap<i64, (i64, u64)> {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    fn take(&mut self, id: u64, qty: i64) {
        let Some((side, px, size)) = self.orders.get(&id).copied() else { return };
        let gone = qty.min(size);
        let level = self.side(side).get_mut(&px).unwrap();
        level.0 -= gone;
        if gone == size {
            level.1 -= 1;
            if level.1 == 0 {
                self.side(side).remove(&px);
            }
            self.orders.remove(&id);
        } else {
            self.orders.insert(id, (side, px, size - gone));
        }
    }

    fn add(&mut self, mbo: &Mbo) {
        let (side, px) = (mbo.side.unwrap(), mbo.px.unwrap().mantissa());
        let qty = mbo.qty.unwrap().mantissa();
        self.orders.insert(mbo.order_id, (side, px, qty));
        let level = self.side(side).entry(px).or_default();
        level.0 += qty;
        level.1 += 1;
    }

    pub(super) fn apply(&mut self, mbo: &Mbo) {
        match mbo.action {
            MboAction::Add => self.add(mbo),
            MboAction::Cancel => {
                self.take(mbo.order_id, mbo.qty.map_or(i64::MAX, |qty| qty.mantissa()));
            }
            MboAction::Modify => {
                self.take(mbo.order_id, i64::MAX);
                self.add(mbo);
            }
            MboAction::Clear => *self = Self::default(),
            MboAction::Fill | MboAction::Trade => {}
        }
    }

    pub(super) fn apply_levels(&mut self, depth: &Depth, levels: &[Level]) {
        if depth.action == DepthAction::Snapshot {
            *self = Self::default();
        }
        for level in levels {
            let side = self.side(level.side);
            if level.qty.is_zero() {
                side.remove(&level.px.mantissa());
            } else {
                side.insert(level.px.mantissa(), (level.qty.mantissa(), 1));
            }
        }
    }

    pub(super) fn orders(&self) -> usize {
        self.orders.len()
    }

    pub(super) fn counts(&self) -> (usize, usize) {
        (self.bids.len(), self.asks.len())
    }

    /// Price, size and number of orders.
    pub(super) fn bid(&self) -> Option<(i64, i64, u64)> {
        self.bids.last_key_value().map(|(px, (qty, orders))| (*px, *qty, *orders))
    }

    pub(super) fn ask(&self) -> Option<(i64, i64, u64)> {
        self.asks.first_key_value().map(|(px, (qty, orders))| (*px, *qty, *orders))
    }

    /// Bids from the highest down, asks from the lowest up.
    pub(super) fn levels(&self) -> impl Iterator<Item = (&'static str, i64, i64, u64)> {
        let bids = self.bids.iter().rev().map(|(px, (qty, orders))| ("b", *px, *qty, *orders));
        bids.chain(self.asks.iter().map(|(px, (qty, orders))| ("a", *px, *qty, *orders)))
    }
}
