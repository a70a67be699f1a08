//! The connection of a lane with one venue.
//!
//! Invariant: a message takes its drawn delay and never overtakes an earlier one on its way.

use std::collections::VecDeque;

use qt_model::order::{Amendment, NewOrder, OrderNo};
use qt_model::step::Execution;
use qt_model::time::Ts;
use qt_trade::outbox::Output;
use qt_trade::risk::Approved;

use crate::exchange::{Latency, Operation};

/// What travels to a venue.
#[derive(Clone, Copy, Debug)]
pub(super) enum Instruction {
    Submit(OrderNo, Approved<NewOrder>),
    Amend(OrderNo, Approved<Amendment>),
    Cancel(OrderNo),
}

impl Instruction {
    /// What an output is to a venue, if it is anything, with the operation that its delay is drawn for.
    #[inline]
    pub(super) fn of(output: &Output) -> Option<(Self, Operation)> {
        Some(match output {
            Output::Submit { order, new } => (Self::Submit(*order, *new), Operation::Place),
            Output::Amend { order, change } => (Self::Amend(*order, *change), Operation::Amend),
            Output::Cancel { order } => (Self::Cancel(*order), Operation::Cancel),
            Output::Timer { .. } | Output::Decide(_) => return None,
        })
    }

    pub(super) fn order(&self) -> OrderNo {
        let (Self::Submit(order, _) | Self::Amend(order, _) | Self::Cancel(order)) = self;
        *order
    }
}

/// One direction of it.
#[derive(Debug)]
pub(super) struct Way<T> {
    queue: VecDeque<(i64, T)>,
    /// When the first message arrives; the end of time while there is none. Looked at far more often than
    /// messages come.
    next: i64,
    sent: u64,
}

impl<T> Way<T> {
    fn new() -> Self {
        Self { queue: VecDeque::new(), next: i64::MAX, sent: 0 }
    }

    /// When the first message arrives.
    #[inline]
    pub(super) fn next(&self) -> i64 {
        self.next
    }

    #[inline]
    pub(super) fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    /// Takes the first message out, with its time.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<(i64, T)> {
        let first = self.queue.pop_front();
        match self.queue.front() {
            Some((at, _)) => self.next = *at,
            None => {
                self.next = i64::MAX;
                // Begins anew where it began: most messages travel alone, and lie in one place then.
                self.queue.clear();
            }
        }
        first
    }

    #[inline]
    fn push(&mut self, latency: &Latency, operation: Operation, now: Ts, message: T) {
        let delay = latency.draw(operation, now, self.sent).max(0);
        self.sent += 1;
        let mut at = now.nanos().saturating_add(delay);
        match self.queue.back() {
            Some((last, _)) => at = at.max(*last),
            None => self.next = at,
        }
        self.queue.push_back((at, message));
    }
}

/// The connection with one venue.
#[derive(Debug)]
pub(super) struct Wire {
    latency: Latency,
    pub(super) there: Way<Instruction>,
    pub(super) back: Way<Execution>,
}

impl Wire {
    pub(super) fn new(latency: Latency) -> Self {
        Self { latency, there: Way::new(), back: Way::new() }
    }

    #[inline]
    pub(super) fn send(&mut self, now: Ts, (instruction, operation): (Instruction, Operation)) {
        self.there.push(&self.latency, operation, now, instruction);
    }

    #[inline]
    pub(super) fn is_idle(&self) -> bool {
        self.there.is_idle() && self.back.is_idle()
    }

    #[inline]
    pub(super) fn answer(&mut self, at: Ts, execution: Execution) {
        self.back.push(&self.latency, Operation::Response, at, execution);
    }
}
