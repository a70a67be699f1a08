//! The rules that every order passes before it may leave.
//!
//! Invariant: [`Approved`] is made here and nowhere else, after every rule of the stack has let
//! the value pass. What reduces exposure always has a way through. Absent on purpose: venues,
//! clocks, and any way to change what was approved.

mod approved;
mod max_order_qty;
mod max_position;
#[cfg(test)]
mod tests;

use qt_model::order::{Amendment, NewOrder};
use qt_model::units::Qty;
use qt_model::words::Side;

pub use approved::Approved;
pub use max_order_qty::MaxOrderQty;
pub use max_position::MaxPosition;

/// What a rule knows of the world when it judges an order: all of it of the order's instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exposure {
    /// The position in units of size; negative: short.
    pub position: i64,
    /// What open buy orders may still add.
    pub open_buys: i64,
    /// What open sell orders may still take away.
    pub open_sells: i64,
}

impl Exposure {
    /// The position if the order and all open ones of its side fill, seen from that side:
    /// positive is exposure that the order adds to.
    #[inline]
    fn after(&self, side: Side, qty: Qty) -> i64 {
        let open = |open: i64| open.saturating_add(qty.mantissa());
        match side {
            Side::Buy => self.position.saturating_add(open(self.open_buys)),
            Side::Sell => self.position.saturating_neg().saturating_add(open(self.open_sells)),
        }
    }

    /// Whether an order can only bring the position nearer to zero, even when every open order of
    /// its side is filled first.
    #[inline]
    pub fn is_reduced_by(&self, side: Side, qty: Qty) -> bool {
        self.after(side, qty) <= 0
    }
}

/// Why an order must not leave. Sizes are in units of the instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub rule: &'static str,
    pub measured: i64,
    pub limit: i64,
}

/// Judges one order. Pure, total and cheap.
trait Rule {
    fn check(&self, new: &NewOrder, exposure: &Exposure) -> Result<(), Refusal>;
}

/// Declares the rules in the order in which they are asked; the first refusal stands.
macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident($rule:ty),)*) => {
        /// A rule with its limits.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum AnyRule { $($(#[$doc])* $name($rule),)* }

        impl AnyRule {
            fn check(&self, new: &NewOrder, exposure: &Exposure) -> Result<(), Refusal> {
                match self { $(Self::$name(rule) => rule.check(new, exposure),)* }
            }
        }
    };
}

rules! {
    /// The size of one order.
    MaxOrderQty(MaxOrderQty),
    /// The position that an order could lead to.
    MaxPosition(MaxPosition),
}

/// The rules of a run, for all its instruments.
#[derive(Clone, Debug, Default)]
pub struct Stack {
    rules: Vec<AnyRule>,
    is_halted: bool,
}

impl Stack {
    /// Rules are asked in the order of the registry, whatever their order here.
    pub fn new(mut rules: Vec<AnyRule>) -> Self {
        rules.sort();
        Self { rules, is_halted: false }
    }

    /// While halted, only what reduces exposure passes.
    pub fn halt(&mut self, is_halted: bool) {
        self.is_halted = is_halted;
    }

    pub fn is_halted(&self) -> bool {
        self.is_halted
    }

    #[inline]
    pub fn judge(&self, new: NewOrder, exposure: &Exposure) -> Result<Approved<NewOrder>, Refusal> {
        // What may only reduce cannot add, however much else is open.
        if !new.reduce_only && !exposure.is_reduced_by(new.side, new.qty) {
            self.ask(&new, exposure)?;
        }
        Ok(Approved::new(new))
    }

    fn ask(&self, new: &NewOrder, exposure: &Exposure) -> Result<(), Refusal> {
        if self.is_halted {
            return Err(Refusal { rule: "halted", measured: 1, limit: 0 });
        }
        self.rules.iter().try_for_each(|rule| rule.check(new, exposure))
    }

    /// Judges a change by the order that it would make. The exposure is without the order itself.
    pub fn judge_amendment(
        &self,
        standing: &NewOrder,
        change: Amendment,
        exposure: &Exposure,
    ) -> Result<Approved<Amendment>, Refusal> {
        let mut amended = *standing;
        amended.qty = change.qty.unwrap_or(standing.qty);
        self.judge(amended, exposure)?;
        Ok(Approved::new(change))
    }
}
