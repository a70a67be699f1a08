//! The orders of a book one by one, from order-by-order records: which stands ahead of which.
//!
//! Invariants: an order stands once; a stamp says when it took its place at its price, so that of
//! two orders at one price the lower stamp is ahead. An order that shrinks keeps its stamp, one
//! that grows or moves gets a new one. Absent on purpose: sizes by price, which a
//! [`super::PriceBook`] keeps, and any repair of records about orders that nobody knows.

use std::collections::BTreeMap;

use qt_model::record::Mbo;
use qt_model::units::{Px, Qty};
use qt_model::words::{MboAction, Side};

/// An order of somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub side: Side,
    pub px: Px,
    pub qty: Qty,
    pub stamp: u64,
}

/// What a record did to the size of one order at one price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderChange {
    pub side: Side,
    pub px: Px,
    pub before: Qty,
    pub after: Qty,
    pub stamp: u64,
    /// Whether it follows from an execution of the order.
    pub by_trade: bool,
}

/// What a record did: of an order that moves, the leaving and the coming.
pub type OrderChanges = [Option<OrderChange>; 2];

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct OrderBook {
    orders: BTreeMap<u64, Standing>,
    next_stamp: u64,
    /// The order that was executed by the record before.
    executed: Option<u64>,
}

impl OrderBook {
    /// The stamp of whoever comes next: everybody here is ahead of it.
    #[inline]
    pub fn next_stamp(&self) -> u64 {
        self.next_stamp
    }

    pub fn get(&self, order_id: u64) -> Option<Standing> {
        self.orders.get(&order_id).copied()
    }

    pub fn is_empty(&self) -> bool {
        self.orders.is_empty()
    }

    /// Applies one record; a book that is emptied says nothing of each order.
    pub fn apply(&mut self, row: &Mbo) -> OrderChanges {
        let executed = self.executed.take();
        let by_trade = executed == Some(row.order_id);
        match row.action {
            MboAction::Add => [self.remove(row.order_id, false), self.add(row)],
            MboAction::Modify => self.modify(row, by_trade),
            MboAction::Cancel => [self.reduce(row, by_trade), None],
            MboAction::Fill => {
                self.executed = Some(row.order_id);
                [None; 2]
            }
            MboAction::Trade => [None; 2],
            MboAction::Clear => {
                self.orders.clear();
                [None; 2]
            }
        }
    }

    fn add(&mut self, row: &Mbo) -> Option<OrderChange> {
        let (Some(side), Some(px), Some(qty)) = (row.side, row.px, row.qty) else { return None };
        let stamp = self.next_stamp;
        self.next_stamp += 1;
        self.orders.insert(row.order_id, Standing { side, px, qty, stamp });
        Some(OrderChange { side, px, before: Qty::ZERO, after: qty, stamp, by_trade: false })
    }

    fn modify(&mut self, row: &Mbo, by_trade: bool) -> OrderChanges {
        let Some(standing) = self.orders.get_mut(&row.order_id) else { return [None; 2] };
        let px = row.px.unwrap_or(standing.px);
        let qty = row.qty.unwrap_or(standing.qty);
        if px == standing.px && qty <= standing.qty {
            let before = std::mem::replace(&mut standing.qty, qty);
            let Standing { side, stamp, .. } = *standing;
            return [Some(OrderChange { side, px, before, after: qty, stamp, by_trade }), None];
        }
        let side = row.side.or(Some(standing.side));
        let moved = Mbo { side, px: Some(px), qty: Some(qty), ..*row };
        [self.remove(row.order_id, by_trade), self.add(&moved)]
    }

    /// Takes a part of an order, or all of it where the record does not say how much.
    fn reduce(&mut self, row: &Mbo, by_trade: bool) -> Option<OrderChange> {
        let standing = self.orders.get_mut(&row.order_id)?;
        let gone = row.qty.unwrap_or(standing.qty);
        let left = standing.qty.checked_sub(gone).filter(|left| left.mantissa() > 0);
        let Some(after) = left else { return self.remove(row.order_id, by_trade) };
        let before = std::mem::replace(&mut standing.qty, after);
        let Standing { side, px, stamp, .. } = *standing;
        Some(OrderChange { side, px, before, after, stamp, by_trade })
    }

    fn remove(&mut self, order_id: u64, by_trade: bool) -> Option<OrderChange> {
        let Standing { side, px, qty, stamp } = self.orders.remove(&order_id)?;
        Some(OrderChange { side, px, before: qty, after: Qty::ZERO, stamp, by_trade })
    }
}

#[cfg(test)]
mod tests {
    use qt_model::record::Head;
    use qt_model::time::Ts;

    use super::*;

    fn row(action: MboAction, order_id: u64, px: i64, qty: i64) -> Mbo {
        Mbo {
            head: Head::new(Ts::default(), Ts::default(), 0, None),
            action,
            side: Some(Side::Buy),
            px: Some(Px::new(px)),
            qty: Qty::new(qty).ok(),
            order_id,
            more: false,
            snapshot: false,
        }
    }

    fn check(book: &mut OrderBook, row: &Mbo, expected: &[(i64, i64, i64, u64, bool)]) {
        let changes = book.apply(row).into_iter().flatten().map(|change| {
            let (before, after) = (change.before.mantissa(), change.after.mantissa());
            (change.px.mantissa(), before, after, change.stamp, change.by_trade)
        });
        assert_eq!(changes.collect::<Vec<_>>(), expected, "{row:?}");
    }

    #[test]
    fn stamps_tell_who_is_ahead() {
        use MboAction::{Add, Cancel, Clear, Fill, Modify};
        let mut book = OrderBook::default();
        check(&mut book, &row(Add, 7, 10, 5), &[(10, 0, 5, 0, false)]);
        check(&mut book, &row(Add, 8, 10, 6), &[(10, 0, 6, 1, false)]);
        // Smaller: it keeps its place. Larger, or elsewhere: a new one.
        check(&mut book, &row(Modify, 7, 10, 3), &[(10, 5, 3, 0, false)]);
        check(&mut book, &row(Modify, 7, 10, 4), &[(10, 3, 0, 0, false), (10, 0, 4, 2, false)]);
        check(&mut book, &row(Modify, 8, 11, 6), &[(10, 6, 0, 1, false), (11, 0, 6, 3, false)]);
        check(&mut book, &row(Fill, 8, 11, 2), &[]);
        check(&mut book, &row(Cancel, 8, 11, 2), &[(11, 6, 4, 3, true)]);
        check(&mut book, &row(Cancel, 8, 11, 4), &[(11, 4, 0, 3, false)]);
        check(&mut book, &row(Cancel, 8, 11, 4), &[]);
        check(&mut book, &row(Modify, 99, 11, 4), &[]);
        check(&mut book, &row(Clear, 0, 0, 0), &[]);
        assert!(book.is_empty());
        assert_eq!(book.next_stamp(), 4);
    }
}
