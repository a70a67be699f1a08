//! What is held of one instrument, what it cost, and what was made of it.
//!
//! Invariants: the cost of a flat position is zero, so that what is realized until then is exact
//! under either method; a fill that turns a position is a close and an opening.

use std::collections::VecDeque;

use super::amount::Amount;
use super::contract::{Contract, DoublePx};

/// Which part of a position a closing fill closes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Matching {
    /// A bit of all of it: one mean price.
    #[default]
    Average,
    /// What was opened first.
    Fifo,
    /// What was opened last.
    Lifo,
}

impl Matching {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Average => "average",
            Self::Fifo => "fifo",
            Self::Lifo => "lifo",
        }
    }
}

#[derive(Clone, Debug, Default)]
pub struct Position {
    qty: i64,
    cost: Amount,
    realized: Amount,
    lots: VecDeque<Lot>,
}

/// What one fill opened and nothing closed yet. Its size has the sign of the position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lot {
    px: DoublePx,
    qty: i64,
}

impl Position {
    /// Units of size; negative: short.
    #[inline]
    pub fn qty(&self) -> i64 {
        self.qty
    }

    #[inline]
    pub fn is_flat(&self) -> bool {
        self.qty == 0
    }

    /// What it is worth at its entry prices; negative for a short one.
    pub fn cost(&self) -> Amount {
        self.cost
    }

    /// Profit taken, before fees.
    pub fn realized(&self) -> Amount {
        self.realized
    }

    #[inline]
    pub(super) fn unrealized(&self, contract: &Contract, mark: DoublePx) -> Amount {
        if self.is_flat() { Amount::ZERO } else { contract.worth(mark, self.qty) - self.cost }
    }

    /// Books a fill of a signed size; returns what it realized.
    pub(super) fn fill(
        &mut self,
        contract: &Contract,
        matching: Matching,
        px: DoublePx,
        qty: i64,
    ) -> Amount {
        let is_closing = self.qty != 0 && (self.qty < 0) != (qty < 0);
        let closed = if is_closing { qty.signum() * qty.abs().min(self.qty.abs()) } else { 0 };
        let realized =
            if closed == 0 { Amount::ZERO } else { self.close(contract, matching, px, closed) };
        self.open(contract, matching, px, qty - closed);
        self.realized += realized;
        assert!(self.qty != 0 || self.cost.is_zero(), "a flat position has no cost");
        realized
    }

    fn open(&mut self, contract: &Contract, matching: Matching, px: DoublePx, qty: i64) {
        if qty == 0 {
            return;
        }
        self.qty = self.qty.checked_add(qty).expect("a position fits 63 bits");
        self.cost += contract.worth(px, qty);
        if matching != Matching::Average {
            self.lots.push_back(Lot { px, qty });
        }
    }

    /// Closes with a fill of the opposite sign, at most the whole position.
    fn close(&mut self, contract: &Contract, matching: Matching, px: DoublePx, qty: i64) -> Amount {
        let released = match matching {
            Matching::Average => self.cost.part(-qty, self.qty),
            Matching::Fifo | Matching::Lifo => self.release(contract, matching, -qty),
        };
        self.qty += qty;
        self.cost -= released;
        contract.worth(px, -qty) - released
    }

    /// Takes lots until so much of the position is gone; returns what they had cost.
    #[inline(never)]
    fn release(&mut self, contract: &Contract, matching: Matching, mut qty: i64) -> Amount {
        let mut released = Amount::ZERO;
        while qty != 0 {
            let next = match matching {
                Matching::Lifo => self.lots.back_mut(),
                Matching::Fifo | Matching::Average => self.lots.front_mut(),
            };
            let lot = next.expect("lots add up to the position");
            if lot.qty.abs() > qty.abs() {
                // The rest keeps its own worth, so that quotients cannot leave a crumb.
                released += contract.worth(lot.px, lot.qty) - contract.worth(lot.px, lot.qty - qty);
                lot.qty -= qty;
                return released;
            }
            released += contract.worth(lot.px, lot.qty);
            qty -= lot.qty;
            match matching {
                Matching::Lifo => self.lots.pop_back(),
                Matching::Fifo | Matching::Average => self.lots.pop_front(),
            };
        }
        released
    }
}
