//! Orders that hang together: children that wait for a parent, groups that share what they fill.
//!
//! A child may fill what its parent has filled; when the parent ends, what it has not filled is
//! cut off its children. What one order of a group fills is cut off the others; when one ends
//! without being filled whole, the others are cancelled.

use qt_model::order::OrderNo;
use qt_model::units::Qty;
use qt_model::words::{CancelReason, RejectReason};

use super::booking::plus;
use super::orders::Standing;
use super::{Exchange, Turn};

impl Exchange {
    /// What the links of a new order say against it.
    pub(super) fn check_links(&self, parent: Option<OrderNo>) -> Result<(), RejectReason> {
        let Some(parent) = parent else { return Ok(()) };
        let is_known = self.orders.find(parent).is_some() || self.ended_with(parent).is_some();
        // A parent with a higher number is still on its way.
        if is_known || parent > self.highest { Ok(()) } else { Err(RejectReason::UnknownOrder) }
    }

    /// Ties a new order to its parent and its group; whether it may come to the market now.
    pub(super) fn tie(&mut self, turn: &mut Turn<'_>, slot: u32) -> bool {
        let resting = self.orders.get(slot);
        let (order, links) = (resting.order, resting.new.links);
        let named_before = self.groups.contains_key(&order).then_some(order);
        if let Some(first) = links.group.or(named_before)
            && !self.join_group(turn, slot, first)
        {
            return false;
        }
        let Some(parent) = links.parent else { return true };
        if let Some(filled) = self.ended_with(parent) {
            self.orders.get_mut(slot).allowed = Some(filled);
            self.orphan(turn, slot);
            return self.orders.find(order).is_some();
        }
        self.children.entry(parent).or_default().push(order);
        let filled = self.orders.find(parent).map(|slot| self.orders.get(slot).filled);
        self.orders.get_mut(slot).allowed = Some(filled.unwrap_or(Qty::ZERO));
        let waits = self.orders.get(slot).leaves().is_zero();
        if waits {
            self.orders.get_mut(slot).standing = Standing::Held;
        }
        !waits
    }

    /// Makes an order one of a group, less what the group has filled; whether anything is left.
    /// A group goes on while any order of it stands, or the first is still on its way.
    fn join_group(&mut self, turn: &mut Turn<'_>, slot: u32, first: OrderNo) -> bool {
        let order = self.orders.get(slot).order;
        let first_slot = self.orders.find(first);
        // Whoever names an order of a group means that group.
        let named = first_slot.and_then(|slot| self.orders.get(slot).group);
        let first = named.unwrap_or(first);
        if self.groups.get(&first).is_some_and(|group| group.is_over) {
            self.groups.remove(&first);
            self.cancel_slot(turn, slot, CancelReason::Group);
            return false;
        }
        if !self.groups.contains_key(&first) {
            if first_slot.is_none() && first < order {
                self.cancel_slot(turn, slot, CancelReason::Group);
                return false;
            }
            let filled = first_slot.map_or(Qty::ZERO, |slot| self.orders.get(slot).filled);
            self.groups.insert(first, Group { members: Vec::new(), filled, is_over: false });
            if let Some(slot) = first_slot {
                self.enlist(slot, first);
            }
        }
        if self.orders.get(slot).group.is_none() {
            self.enlist(slot, first);
        }
        let filled = self.groups[&first].filled;
        if !filled.is_zero() {
            let left = less(self.orders.get(slot).new.qty, filled);
            self.cut(turn, slot, left, CancelReason::Group);
        }
        self.orders.find(order).is_some()
    }

    fn enlist(&mut self, slot: u32, first: OrderNo) {
        let resting = self.orders.get_mut(slot);
        resting.group = Some(first);
        let group = self.groups.get_mut(&first).expect("a group is made before it is joined");
        group.members.push(resting.order);
    }

    /// How much an order that ended a while ago had filled.
    fn ended_with(&self, order: OrderNo) -> Option<Qty> {
        let found = self.ended.iter().rev().find(|(ended, _)| *ended == order);
        found.map(|(_, filled)| *filled)
    }

    /// An order was filled with so much.
    pub(super) fn share_fill(
        &mut self,
        turn: &mut Turn<'_>,
        order: OrderNo,
        group: Option<OrderNo>,
        qty: Qty,
    ) {
        if !self.children.is_empty() {
            for child in self.children.get(&order).cloned().unwrap_or_default() {
                self.allow(turn, child, qty);
            }
        }
        let Some(group) = group.and_then(|first| self.groups.get_mut(&first)) else { return };
        group.filled = plus(group.filled, qty);
        for other in group.members.clone() {
            let Some(slot) = self.orders.find(other).filter(|_| other != order) else { continue };
            let resting = self.orders.get_mut(slot);
            resting.allowed = resting.allowed.map(|allowed| less(allowed, qty));
            let left = less(resting.new.qty, qty);
            self.cut(turn, slot, left, CancelReason::Group);
        }
    }

    /// A child may fill so much more, and comes to the market with it.
    fn allow(&mut self, turn: &mut Turn<'_>, child: OrderNo, qty: Qty) {
        let Some(slot) = self.orders.find(child) else { return };
        let resting = self.orders.get_mut(slot);
        resting.allowed = resting.allowed.map(|allowed| plus(allowed, qty));
        let leaves = resting.leaves();
        match resting.standing {
            Standing::Held if leaves.is_zero() => {}
            Standing::Held => self.activate(turn, slot),
            // It is larger than it was, which costs it its place.
            Standing::Queued => {
                self.leave(slot);
                self.queue_up(turn, slot);
            }
            Standing::Arriving | Standing::Waiting | Standing::Opening | Standing::Auction => {}
        }
    }

    /// An order has ended.
    pub(super) fn share_end(
        &mut self,
        turn: &mut Turn<'_>,
        order: OrderNo,
        group: Option<OrderNo>,
        is_filled: bool,
    ) {
        if !self.children.is_empty() {
            for child in self.children.remove(&order).unwrap_or_default() {
                if let Some(slot) = self.orders.find(child) {
                    self.orphan(turn, slot);
                }
            }
        }
        let Some(first) = group else { return };
        let Some(group) = self.groups.get_mut(&first) else { return };
        group.members.retain(|member| *member != order);
        if is_filled && !group.members.is_empty() {
            return;
        }
        let members = std::mem::take(&mut group.members);
        // A first that is still on its way must find that it is over, or what is left for it.
        group.is_over = !is_filled;
        if first <= self.highest {
            self.groups.remove(&first);
        }
        for other in members {
            if let Some(slot) = self.orders.find(other) {
                self.cancel_slot(turn, slot, CancelReason::Group);
            }
        }
    }

    /// The parent will not fill any more: what it has not filled is cut off.
    fn orphan(&mut self, turn: &mut Turn<'_>, slot: u32) {
        if let Some(allowed) = self.orders.get_mut(slot).allowed.take() {
            self.cut(turn, slot, allowed, CancelReason::Parent);
        }
    }
}

/// Orders that share what they fill.
#[derive(Clone, Debug)]
pub(super) struct Group {
    members: Vec<OrderNo>,
    filled: Qty,
    /// One of it ended without being filled whole.
    is_over: bool,
}

fn less(size: Qty, qty: Qty) -> Qty {
    size.checked_sub(qty).filter(|left| left.mantissa() > 0).unwrap_or(Qty::ZERO)
}
