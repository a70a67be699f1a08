//! What can happen to a running strategy.
//!
//! The enum is closed: the core's one step maps an `Input` at a time to outputs. The driver stamps
//! and records each input before the step sees it, so that a recording is the cause of what
//! follows. An input borrows from the batch it came in. What a strategy can ask for stands beside
//! the rules that approve it, in the room of trading. Absent on purpose: results, clocks, channels.

use crate::order::{CashFlow, Closure, Report};
use crate::record::Record;

/// A timer that the strategy set, by the name it chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerId(pub u32);

/// Everything that can happen to a running strategy.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// A record of the market, or a feature row in its place.
    Market(Record<'a>),
    /// News of our orders and our money.
    Execution(Execution),
    /// A timer is due.
    Timer(TimerId),
    /// A person or a guard interferes.
    Operator(Operator),
}

/// What a venue, real or simulated, says about us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Execution {
    Report(Report),
    Cash(CashFlow),
    Closure(Closure),
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
