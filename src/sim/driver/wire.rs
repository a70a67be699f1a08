//! The connection of a lane with one venue.
//!
//! Invariant: a message takes its drawn delay and never overtakes an earlier one on its way.

use std::collections::VecDeque;

use qt_model::order::{Amendment, NewOrder, OrderNo};
use qt_model::step::Execution;
use qt_model::time::Ts;
use qt_trade::risk::Approved;

use crate::exchange::{Latency, Operation};

/// What travels to a venue.
#[derive(Clone, Copy, Debug)]
pub(super) enum Instruction {
    Submit(OrderNo, Approved<NewOrder>),
    Amend(OrderNo, Approved<Amendment>),
    Cancel(OrderNo),
}

/// The connection with one venue.
#[derive(Debug)]
pub(super) struct Wire {
    latency: Latency,
    pub(super) there: VecDeque<(i64, Instruction)>,
    pub(super) back: VecDeque<(i64, Execution)>,
    sent: u64,
    returned: u64,
}

impl Wire {
    pub(super) fn new(latency: Latency) -> Self {
        Self { latency, there: VecDeque::new(), back: VecDeque::new(), sent: 0, returned: 0 }
    }

    pub(super) fn send(&mut self, now: Ts, instruction: Instruction) {
        let operation = match instruction {
            Instruction::Submit(..) => Operation::Place,
            Instruction::Amend(..) => Operation::Amend,
            Instruction::Cancel(_) => Operation::Cancel,
        };
        let delay = self.latency.draw(operation, now, self.sent).max(0);
        self.sent += 1;
        let last = self.there.back().map_or(i64::MIN, |(at, _)| *at);
        self.there.push_back((now.nanos().saturating_add(delay).max(last), instruction));
    }

    pub(super) fn is_idle(&self) -> bool {
        self.there.is_empty() && self.back.is_empty()
    }

    pub(super) fn answer(&mut self, at: Ts, execution: Execution) {
        let delay = self.latency.draw(Operation::Response, at, self.returned).max(0);
        self.returned += 1;
        let last = self.back.back().map_or(i64::MIN, |(at, _)| *at);
        self.back.push_back((at.nanos().saturating_add(delay).max(last), execution));
    }
}
