//! What can happen to a running strategy, and what it can ask for.
//!
//! These two enums are closed: the core's one step maps an `Input` at a time to `Output`s. The
//! driver stamps and records each input before the step sees it, so that a recording is the cause
//! of what follows. An input borrows from the batch it came in; an outbox is owned, cleared and
//! used again. Absent on purpose: results, clocks, channels.

use crate::ids::{ClientOrderId, IntentId, OrderId};
use crate::record::{Account, Fill, Intent, Order, Position, Record};
use crate::time::Ts;

/// A timer that the strategy set, by the name it chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerId(pub u32);

/// Everything that can happen to a running strategy.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// A record of the market, or a feature row in its place.
    Market(Record<'a>),
    /// News of our orders, positions and money.
    Execution(Execution<'a>),
    /// A timer is due.
    Timer(TimerId),
    /// A person or a guard interferes.
    Operator(Operator),
}

/// What a venue, real or simulated, says about us.
#[derive(Clone, Copy, Debug)]
pub enum Execution<'a> {
    Order(&'a Order),
    Fill(&'a Fill),
    Position(&'a Position),
    Account(&'a Account),
    /// The venue never answered; the order may or may not exist there.
    Unknown(&'a ClientOrderId),
}

/// What an operator can do from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// No new exposure; cancels and reductions go on.
    Halt,
    Resume,
    /// Cancel everything, then close everything.
    Flatten,
    /// End the run.
    Stop,
}

/// Everything that a running strategy can ask for.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    Submit(Box<Intent>),
    Amend(Box<Intent>),
    Cancel {
        intent: IntentId,
        order: OrderId,
    },
    /// Wake me with this timer at that time of the stream's clock.
    Timer {
        id: TimerId,
        at: Ts,
    },
    /// A remark for the record of decisions.
    Note(Box<str>),
}

/// Where a step puts its outputs, in order.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    outputs: Vec<Output>,
}

impl Outbox {
    pub fn with_capacity(capacity: usize) -> Self {
        Self { outputs: Vec::with_capacity(capacity) }
    }

    pub fn push(&mut self, output: Output) {
        self.outputs.push(output);
    }

    pub fn drain(&mut self) -> impl Iterator<Item = Output> + '_ {
        self.outputs.drain(..)
    }

    pub fn as_slice(&self) -> &[Output] {
        &self.outputs
    }
}
