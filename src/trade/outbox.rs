//! What a step asks for, in order.
//!
//! Invariant: an order or an amendment leaves only as [`Approved`], which nothing but the rule
//! stack makes. An outbox is owned, drained and used again.

use std::borrow::Cow;

use qt_model::ids::InstrumentId;
use qt_model::order::{Amendment, NewOrder, OrderNo};
use qt_model::step::TimerId;
use qt_model::time::Ts;
use qt_model::units::{Px, Qty};
use qt_model::words::{DecisionAction, Side};

use crate::risk::Approved;

/// Everything that a running strategy can ask for.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    Submit {
        order: OrderNo,
        new: Approved<NewOrder>,
    },
    Amend {
        order: OrderNo,
        change: Approved<Amendment>,
    },
    Cancel {
        order: OrderNo,
    },
    /// Wake me with this timer at that time of the stream's clock.
    Timer {
        id: TimerId,
        at: Ts,
    },
    Decide(Decided),
}

/// The number of a decision, counted from one within a run in the order of the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DecisionNo(pub u64);

/// What a strategy decided, for the record of decisions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    pub instrument: Option<InstrumentId>,
    pub action: DecisionAction,
    pub side: Option<Side>,
    pub px: Option<Px>,
    pub qty: Option<Qty>,
    pub reason: Cow<'static, str>,
}

/// Why a strategy asks for nothing although it would: what its decisions say once.
impl Decided {
    /// The contract has ended.
    pub const EXPIRED: &'static str = "expired";
    /// The size came to less than one lot.
    pub const BELOW_LOT: &'static str = "below_lot";
}

/// Where a step puts its outputs.
#[derive(Debug, Default)]
pub struct Outbox {
    outputs: Vec<Output>,
    /// Whether decisions are of interest only where they came to nothing.
    skips_alone: bool,
}

impl Outbox {
    pub fn with_capacity(capacity: usize) -> Self {
        Self { outputs: Vec::with_capacity(capacity), skips_alone: false }
    }

    /// From here on takes only those decisions that came to nothing: nobody puts the others on record.
    pub fn leave_decisions(&mut self) {
        self.skips_alone = true;
    }

    /// Whether a decision for that is to be put here.
    #[inline]
    pub(crate) fn takes(&self, action: DecisionAction) -> bool {
        !self.skips_alone || action == DecisionAction::Skip
    }

    #[inline]
    pub fn push(&mut self, output: Output) {
        self.outputs.push(output);
    }

    pub fn drain(&mut self) -> impl Iterator<Item = Output> + '_ {
        self.outputs.drain(..)
    }

    /// Forgets what was asked for and keeps the memory.
    pub fn clear(&mut self) {
        self.outputs.clear();
    }

    pub fn as_slice(&self) -> &[Output] {
        &self.outputs
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.outputs.is_empty()
    }
}
