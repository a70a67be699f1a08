//! A book by order: every order of one instrument, in its place in the queue of its price.
//!
//! Invariants: the size at a price is the sum of its orders; orders of one price stand by age, and
//! their stamps rise with it; an order keeps its place when it shrinks, and goes to the end with a
//! new stamp when it grows or its price changes. A modification of an order that nobody knows adds
//! it, as the feeds that send them mean it. What else a venue says of orders that nobody knows is counted and never a panic. Absent on purpose:
//! times, and the end of an event (a record says itself whether more follow).

use std::collections::BTreeMap;

use qt_model::record::{Level, Mbo};
use qt_model::units::{Px, Qty};
use qt_model::words::{MboAction, Side};

use super::numbers::Numbers;
use super::{PriceBook, Resting, State};

/// What a record did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Changed,
    /// A print or a fill: a record of its own takes the size away.
    Unchanged,
    /// A gap ended the book, and nothing has begun it anew.
    Ignored,
    /// It names an order that is not there.
    Unknown,
    /// It lacks a side, a price or a size that it needs.
    Incomplete,
    /// The size at its price would go beyond 63 bits.
    TooLarge,
}

/// One order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// The venue's number.
    pub id: u64,
    pub side: Side,
    pub px: Px,
    pub qty: Qty,
    /// When it took its place: of two orders at one price the lower stamp is ahead.
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

/// Where an order stands in the queue of its price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub order: Order,
    /// How many orders are ahead of it, and their size.
    pub orders_ahead: u64,
    pub qty_ahead: Qty,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    order: Order,
    level: u32,
    before: Option<u32>,
    behind: Option<u32>,
}

/// The queue of a price.
#[derive(Clone, Copy, Debug, Default)]
struct Queue {
    qty: Qty,
    orders: u32,
    first: Option<u32>,
    last: Option<u32>,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct OrderBook {
    prices: PriceBook,
    numbers: Numbers,
    nodes: Vec<Node>,
    free_nodes: Vec<u32>,
    queues: Vec<Queue>,
    free_queues: Vec<u32>,
    /// The queue of each price that has orders.
    levels: BTreeMap<(Side, Px), u32>,
    repeated: u64,
    next_stamp: u64,
    /// The order that was executed by the record before.
    executed: Option<u64>,
    changes: OrderChanges,
}

impl OrderBook {
    /// The book by price that the orders make.
    pub fn prices(&self) -> &PriceBook {
        &self.prices
    }

    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the last record did to single orders; a book that is emptied says nothing of each.
    pub fn changes(&self) -> OrderChanges {
        self.changes
    }

    /// The stamp of whoever comes next: everybody here is ahead of it.
    #[inline]
    pub fn next_stamp(&self) -> u64 {
        self.next_stamp
    }

    /// How many adds named an order that was there: the newer one counts.
    pub fn repeated(&self) -> u64 {
        self.repeated
    }

    /// The best price of a side, and how many orders rest there.
    pub fn best(&self, side: Side) -> Option<(Resting, u32)> {
        let best = match side {
            Side::Buy => self.prices.best_bid(),
            Side::Sell => self.prices.best_ask(),
        }?;
        Some((best, self.orders_at(side, best.px)))
    }

    /// How many orders rest at a price.
    pub fn orders_at(&self, side: Side, px: Px) -> u32 {
        self.queue(side, px).map_or(0, |queue| queue.orders)
    }

    /// The orders of a price, the oldest first.
    pub fn queue_at(&self, side: Side, px: Px) -> impl Iterator<Item = &Order> {
        let mut next = self.queue(side, px).and_then(|queue| queue.first);
        std::iter::from_fn(move || {
            let node = &self.nodes[next? as usize];
            next = node.behind;
            Some(&node.order)
        })
    }

    pub fn order(&self, id: u64) -> Option<&Order> {
        Some(&self.nodes[self.numbers.get(id)? as usize].order)
    }

    /// Where an order stands. Walks what is ahead of it.
    pub fn place(&self, id: u64) -> Option<Place> {
        let node = &self.nodes[self.numbers.get(id)? as usize];
        let (mut orders_ahead, mut qty_ahead) = (0, 0_i64);
        let mut ahead = node.before;
        while let Some(at) = ahead {
            let node = &self.nodes[at as usize];
            orders_ahead += 1;
            qty_ahead += node.order.qty.mantissa();
            ahead = node.before;
        }
        let qty_ahead = Qty::new(qty_ahead).expect("sizes are never negative");
        Some(Place { order: node.order, orders_ahead, qty_ahead })
    }

    /// Applies one record. The first begins the book; after a gap that takes a snapshot or a clear.
    pub fn apply(&mut self, mbo: &Mbo) -> Effect {
        self.changes = [None; 2];
        let by_trade = self.executed.take() == Some(mbo.order_id);
        match self.prices.state() {
            State::Live => {}
            State::Broken if !mbo.snapshot && mbo.action != MboAction::Clear => {
                return Effect::Ignored;
            }
            State::NoBook | State::Broken => self.prices.replace(&[]),
        }
        match mbo.action {
            MboAction::Add => {
                let Some(order) = whole(mbo, None) else { return Effect::Incomplete };
                self.changes[0] = self.take(mbo.order_id, None, false);
                self.repeated += u64::from(self.changes[0].is_some());
                self.add(order)
            }
            MboAction::Modify => self.modify(mbo, by_trade),
            MboAction::Cancel => {
                self.changes[0] = self.take(mbo.order_id, mbo.qty, by_trade);
                if self.changes[0].is_some() { Effect::Changed } else { Effect::Unknown }
            }
            MboAction::Clear => {
                self.clear();
                Effect::Changed
            }
            MboAction::Fill => {
                self.executed = Some(mbo.order_id);
                Effect::Unchanged
            }
            MboAction::Trade => Effect::Unchanged,
        }
    }

    /// Records are missing: no order is known any longer.
    pub fn gap(&mut self) {
        self.clear();
        self.prices.gap();
    }

    fn queue(&self, side: Side, px: Px) -> Option<&Queue> {
        Some(&self.queues[*self.levels.get(&(side, px))? as usize])
    }

    fn clear(&mut self) {
        self.numbers.clear();
        self.nodes.clear();
        self.free_nodes.clear();
        self.queues.clear();
        self.free_queues.clear();
        self.levels.clear();
        self.prices.replace(&[]);
    }

    fn modify(&mut self, mbo: &Mbo, by_trade: bool) -> Effect {
        let old = self.order(mbo.order_id).copied();
        let Some(order) = whole(mbo, old) else {
            let is_gone = old.is_some() && mbo.qty.is_some_and(Qty::is_zero);
            if is_gone {
                self.changes[0] = self.take(mbo.order_id, None, by_trade);
            }
            return if is_gone { Effect::Changed } else { Effect::Incomplete };
        };
        let stays =
            |old: &Order| (old.side, old.px) == (order.side, order.px) && order.qty <= old.qty;
        if let Some(old) = old.filter(stays) {
            self.changes[0] = self.take(mbo.order_id, old.qty.checked_sub(order.qty), by_trade);
            return Effect::Changed;
        }
        self.changes[0] = self.take(mbo.order_id, None, by_trade);
        self.add(order)
    }

    /// Puts an order at the end of the queue of its price.
    fn add(&mut self, order: Order) -> Effect {
        let order = Order { stamp: self.next_stamp, ..order };
        let level = match self.levels.get(&(order.side, order.px)) {
            Some(level) => *level,
            None => self.new_queue(order.side, order.px),
        };
        let queue = &mut self.queues[level as usize];
        let Some(qty) = queue.qty.checked_add(order.qty) else { return Effect::TooLarge };
        let node = Node { order, level, before: queue.last, behind: None };
        let at = match self.free_nodes.pop() {
            Some(at) => {
                self.nodes[at as usize] = node;
                at
            }
            None => {
                self.nodes.push(node);
                self.nodes.len() as u32 - 1
            }
        };
        match queue.last.replace(at) {
            Some(last) => self.nodes[last as usize].behind = Some(at),
            None => queue.first = Some(at),
        }
        (queue.qty, queue.orders) = (qty, queue.orders + 1);
        self.numbers.insert(order.id, at);
        self.next_stamp += 1;
        let Order { side, px, qty: after, stamp, .. } = order;
        let before = Qty::ZERO;
        self.changes[1] = Some(OrderChange { side, px, before, after, stamp, by_trade: false });
        self.prices.set(Level { px: order.px, qty, side: order.side });
        Effect::Changed
    }

    fn new_queue(&mut self, side: Side, px: Px) -> u32 {
        let level = match self.free_queues.pop() {
            Some(level) => {
                self.queues[level as usize] = Queue::default();
                level
            }
            None => {
                self.queues.push(Queue::default());
                self.queues.len() as u32 - 1
            }
        };
        self.levels.insert((side, px), level);
        level
    }

    /// Takes a size off an order, or all of it; `None` where the order is not there.
    fn take(&mut self, id: u64, qty: Option<Qty>, by_trade: bool) -> Option<OrderChange> {
        let at = self.numbers.get(id)?;
        let node = &mut self.nodes[at as usize];
        let (order, level) = (node.order, node.level);
        let gone = qty.map_or(order.qty, |qty| qty.min(order.qty));
        let minus = |a: Qty, b: Qty| a.checked_sub(b).expect("less goes than there is");
        let after = minus(order.qty, gone);
        node.order.qty = after;
        let queue = &mut self.queues[level as usize];
        queue.qty = minus(queue.qty, gone);
        let left = queue.qty;
        if gone == order.qty {
            self.unlink(at, level);
            self.numbers.remove(id);
            self.free_nodes.push(at);
        }
        self.prices.set(Level { px: order.px, qty: left, side: order.side });
        let Order { side, px, qty: before, stamp, .. } = order;
        Some(OrderChange { side, px, before, after, stamp, by_trade })
    }

    /// Takes an order out of its queue, and the queue out of the book with its last order.
    fn unlink(&mut self, at: u32, level: u32) {
        let Node { order, before, behind, .. } = self.nodes[at as usize];
        let queue = &mut self.queues[level as usize];
        match before {
            Some(before) => self.nodes[before as usize].behind = behind,
            None => queue.first = behind,
        }
        match behind {
            Some(behind) => self.nodes[behind as usize].before = before,
            None => queue.last = before,
        }
        queue.orders -= 1;
        if queue.orders == 0 {
            assert!(
                queue.qty.is_zero(),
                "{} left at {} without an order",
                queue.qty.mantissa(),
                order.px.mantissa()
            );
            self.levels.remove(&(order.side, order.px));
            self.free_queues.push(level);
        }
    }
}

/// The order as a record states it, with what is known of it already.
fn whole(mbo: &Mbo, known: Option<Order>) -> Option<Order> {
    let side = mbo.side.or(known.map(|order| order.side))?;
    let px = mbo.px.or(known.map(|order| order.px))?;
    let qty = mbo.qty.or(known.map(|order| order.qty)).filter(|qty| !qty.is_zero())?;
    Some(Order { id: mbo.order_id, side, px, qty, stamp: 0 })
}
