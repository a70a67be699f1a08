//! Our orders at the venue: by number, and by price where they rest.
//!
//! Invariants: an order stands in one place at a time; the levels of a side are in order, best
//! last; the orders of a level are linked in order of arrival. Looking up an order, a level or the
//! next order of a level never looks through the others. Absent on purpose: why anything moves.

use qt_model::order::{NewOrder, OrderNo, Pricing};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty};
use qt_model::words::Side;
use qt_trade::ledger::{Amount, DoublePx};
use qt_trade::orders::Numbered;

use super::queue::Place;

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nowhere yet: it is meeting the market.
    Arriving,
    /// Outside the market until its parent has been filled.
    Held,
    /// A stop that has not been triggered.
    Waiting,
    /// To be executed when the next bar opens.
    Opening,
    /// Outside the market until its auction.
    Auction,
    /// In the book at its limit.
    Queued,
}

/// An order of ours that the venue has.
#[derive(Clone, Copy, Debug)]
pub struct Resting {
    pub order: OrderNo,
    /// As it stands now, amendments included.
    pub new: NewOrder,
    pub filled: Qty,
    pub arrived: Ts,
    pub standing: Standing,
    pub place: Place,
    pub arrival: Arrival,
    /// Whether it was a stop that has been triggered.
    pub is_triggered: bool,
    /// The trigger as it stands; that of a trailing stop moves.
    pub(super) trigger: Option<Px>,
    /// What of an iceberg still shows.
    pub(super) showing: Qty,
    /// What a parent's fills allow; `None`: no parent.
    pub(super) allowed: Option<Qty>,
    /// The group that it stands in, by its first order.
    pub(super) group: Option<OrderNo>,
    /// Since when it is in the market at its price: a bar that opened before does not fill it.
    pub(super) since: Ts,
    /// The instant from which on it has expired.
    pub(super) expires: Option<Ts>,
    /// The money set aside for it.
    pub(super) reserved: Amount,
    /// What it sells of what is held, as set aside.
    pub(super) selling: i64,
    next: Option<u32>,
    previous: Option<u32>,
}

/// What the market looked like when an order took its place in the queue, or arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrival {
    /// The middle of best bid and ask.
    pub mid: Option<DoublePx>,
    /// The size shown at its price.
    pub level_qty: Option<Qty>,
    /// The size ahead of it.
    pub ahead: Option<Qty>,
}

impl Resting {
    #[inline]
    pub(super) fn new(order: OrderNo, new: &NewOrder, at: Ts, mid: Option<DoublePx>) -> Self {
        let trigger = match new.pricing {
            Pricing::Stop { trigger } | Pricing::StopLimit { trigger, .. } => Some(trigger),
            Pricing::Market | Pricing::Limit { .. } | Pricing::TrailingStop { .. } => None,
        };
        Self {
            order,
            new: *new,
            filled: Qty::ZERO,
            arrived: at,
            standing: Standing::Arriving,
            place: Place::default(),
            arrival: Arrival { mid, ..Arrival::default() },
            is_triggered: false,
            trigger,
            showing: Qty::ZERO,
            allowed: None,
            group: None,
            since: at,
            expires: None,
            reserved: Amount::ZERO,
            selling: 0,
            next: None,
            previous: None,
        }
    }

    /// What may still be filled.
    #[inline]
    pub fn leaves(&self) -> Qty {
        let whole = self.allowed.map_or(self.new.qty, |allowed| allowed.min(self.new.qty));
        whole.checked_sub(self.filled).filter(|left| left.mantissa() > 0).unwrap_or(Qty::ZERO)
    }

    /// What it has set aside: money, and units of what it sells.
    pub(super) fn set_aside(&self) -> (Amount, i64) {
        (self.reserved, self.selling)
    }

    /// The limit price; of a stop, once it is triggered.
    #[inline]
    pub(super) fn limit(&self) -> Option<Px> {
        match self.new.pricing {
            Pricing::Limit { px } | Pricing::StopLimit { px, .. } => Some(px),
            Pricing::Market | Pricing::Stop { .. } | Pricing::TrailingStop { .. } => None,
        }
    }
}

/// All orders that stand.
#[derive(Clone, Debug, Default)]
pub(super) struct Orders {
    standing: Numbered<Resting>,
}

impl Orders {
    #[inline]
    pub(super) fn insert(&mut self, resting: Resting) -> u32 {
        self.standing.insert(resting.order, resting)
    }

    pub(super) fn remove(&mut self, slot: u32) {
        let order = self.get(slot).order;
        assert!(self.standing.remove(order).is_some(), "{order:?} does not stand");
    }

    #[inline]
    pub(super) fn find(&self, order: OrderNo) -> Option<u32> {
        self.standing.find(order)
    }

    #[inline]
    pub(super) fn get(&self, slot: u32) -> &Resting {
        self.standing.at(slot)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, slot: u32) -> &mut Resting {
        self.standing.at_mut(slot)
    }

    pub(super) fn len(&self) -> usize {
        self.standing.len()
    }

    /// All of them, by number: for what is rare.
    pub(super) fn in_order(&self) -> Vec<u32> {
        self.standing.slots().collect()
    }

    #[inline]
    pub(super) fn after(&self, slot: u32) -> Option<u32> {
        self.get(slot).next
    }
}

/// A price at which orders of ours rest.
#[derive(Clone, Copy, Debug)]
pub(super) struct OwnLevel {
    key: i64,
    /// The size of others when last shown; `None` while it is too deep to be seen.
    pub(super) seen: Option<Qty>,
    pub(super) first: u32,
    pub(super) last: u32,
}

/// Our resting orders of one side, by price, best last.
#[derive(Clone, Debug)]
pub(super) struct Ranks {
    side: Side,
    levels: Vec<OwnLevel>,
}

impl Ranks {
    pub(super) fn new(side: Side) -> Self {
        Self { side, levels: Vec::new() }
    }

    /// Higher is better. The complement turns the order of asks around.
    #[inline]
    fn key(&self, px: Px) -> i64 {
        match self.side {
            Side::Buy => px.mantissa(),
            Side::Sell => !px.mantissa(),
        }
    }

    #[inline]
    fn px(&self, level: &OwnLevel) -> Px {
        Px::new(match self.side {
            Side::Buy => level.key,
            Side::Sell => !level.key,
        })
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.levels.is_empty()
    }

    /// The place of the level of a price, where there is one.
    #[inline]
    pub(super) fn find(&self, px: Px) -> Option<usize> {
        let key = self.key(px);
        // Most prices that change are beyond all of ours: two comparisons settle them.
        let (worst, best) = (self.levels.first()?, self.levels.last()?);
        if key < worst.key || key > best.key {
            return None;
        }
        self.levels.binary_search_by_key(&key, |level| level.key).ok()
    }

    /// The best price with its first order.
    #[inline]
    pub(super) fn best(&self) -> Option<(Px, u32)> {
        self.levels.last().map(|level| (self.px(level), level.first))
    }

    #[inline]
    pub(super) fn level(&self, at: usize) -> &OwnLevel {
        &self.levels[at]
    }

    #[inline]
    pub(super) fn level_mut(&mut self, at: usize) -> &mut OwnLevel {
        &mut self.levels[at]
    }

    pub(super) fn level_px(&self, at: usize) -> Px {
        self.px(&self.levels[at])
    }

    pub(super) fn len(&self) -> usize {
        self.levels.len()
    }

    /// Puts an order at the end of its level.
    pub(super) fn push(&mut self, orders: &mut Orders, slot: u32, px: Px, seen: Option<Qty>) {
        let key = self.key(px);
        match self.levels.binary_search_by_key(&key, |level| level.key) {
            Ok(at) => {
                let last = self.levels[at].last;
                orders.get_mut(last).next = Some(slot);
                orders.get_mut(slot).previous = Some(last);
                self.levels[at].last = slot;
            }
            Err(at) => {
                orders.get_mut(slot).previous = None;
                self.levels.insert(at, OwnLevel { key, seen, first: slot, last: slot });
            }
        }
        orders.get_mut(slot).next = None;
    }

    /// Takes an order out of its level.
    pub(super) fn unlink(&mut self, orders: &mut Orders, slot: u32, px: Px) {
        let at = self.find(px).expect("a queued order has a level");
        let (previous, next) = {
            let resting = orders.get(slot);
            (resting.previous, resting.next)
        };
        match previous {
            Some(previous) => orders.get_mut(previous).next = next,
            None => match next {
                Some(next) => self.levels[at].first = next,
                None => {
                    self.levels.remove(at);
                    return;
                }
            },
        }
        match next {
            Some(next) => orders.get_mut(next).previous = previous,
            None => self.levels[at].last = previous.expect("the level is not empty"),
        }
    }
}
