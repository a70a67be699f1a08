//! The connections of a lane with its venues.
//!
//! Invariant: a message takes its drawn delay and never overtakes an earlier one on its way.

use std::collections::VecDeque;

use qt_model::ids::InstrumentId;
use qt_model::order::{Amendment, NewOrder, OrderNo};
use qt_model::step::Execution;
use qt_model::time::Ts;
use qt_trade::orders::OrderTable;
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
    fn of(output: &Output) -> Option<(Self, Operation)> {
        Some(match output {
            Output::Submit { order, new } => (Self::Submit(*order, *new), Operation::Place),
            Output::Amend { order, change } => (Self::Amend(*order, *change), Operation::Amend),
            Output::Cancel { order } => (Self::Cancel(*order), Operation::Cancel),
            Output::Timer { .. } | Output::Decide(_) => return None,
        })
    }

    fn order(&self) -> OrderNo {
        let (Self::Submit(order, _) | Self::Amend(order, _) | Self::Cancel(order)) = self;
        *order
    }
}

/// One direction of a connection.
#[derive(Debug)]
struct Way<T> {
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

    #[inline]
    fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    /// Takes the first message out, which is there.
    #[inline]
    fn pop(&mut self) -> T {
        let (_, first) = self.queue.pop_front().expect("what arrives is on its way");
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
    there: Way<Instruction>,
    back: Way<Execution>,
}

impl Wire {
    pub(super) fn new(latency: Latency) -> Self {
        Self { latency, there: Way::new(), back: Way::new() }
    }
}

/// The connections of a lane with all venues.
#[derive(Debug)]
pub(super) struct Wires {
    wires: Vec<Wire>,
    /// By instrument.
    of: Vec<usize>,
}

/// When a message arrives that is the first of its direction, and on which wire.
pub(super) type First = (i64, usize);

impl Wires {
    pub(super) fn new(wires: Vec<Wire>, of: Vec<usize>) -> Self {
        Self { wires, of }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.wires.iter().all(|wire| wire.there.is_idle() && wire.back.is_idle())
    }

    /// What arrives first at a venue, and with us; at the end of time where nothing is on its way.
    #[inline]
    pub(super) fn first(&self) -> (First, First) {
        let (mut there, mut back) = ((i64::MAX, 0), (i64::MAX, 0));
        for (at, wire) in self.wires.iter().enumerate() {
            if wire.there.next < there.0 {
                there = (wire.there.next, at);
            }
            if wire.back.next < back.0 {
                back = (wire.back.next, at);
            }
        }
        (there, back)
    }

    /// The wire on which something is next on its way to us, whenever that arrives.
    pub(super) fn first_back(&self) -> Option<First> {
        let wires = self.wires.iter().enumerate().filter(|(_, wire)| !wire.back.is_idle());
        wires.map(|(at, wire)| (wire.back.next, at)).min()
    }

    /// Takes out the first message to a venue.
    #[inline]
    pub(super) fn pop_there(&mut self, wire: usize) -> Instruction {
        self.wires[wire].there.pop()
    }

    /// Takes out the first message to us.
    #[inline]
    pub(super) fn pop_back(&mut self, wire: usize) -> Execution {
        self.wires[wire].back.pop()
    }

    /// Sends an output on its way, if it is one for a venue.
    #[inline]
    pub(super) fn send(&mut self, now: Ts, output: &Output, orders: &OrderTable) {
        let Some((instruction, operation)) = Instruction::of(output) else { return };
        let wire = self.wire(|| {
            let entry = orders.get(instruction.order());
            let entry = entry.expect("an instruction is about an order of ours");
            Some(entry.new.instrument)
        });
        let Wire { latency, there, .. } = &mut self.wires[wire];
        there.push(latency, operation, now, instruction);
    }

    /// Sends what a venue says on its way back.
    #[inline]
    pub(super) fn answer(&mut self, at: Ts, execution: Execution, orders: &OrderTable) {
        let wire = self.wire(|| match &execution {
            Execution::Report(report) => orders.get(report.order).map(|entry| entry.new.instrument),
            Execution::Cash(flow) => flow.instrument,
            Execution::Closure(closure) => Some(closure.instrument),
        });
        let Wire { latency, back, .. } = &mut self.wires[wire];
        back.push(latency, Operation::Response, at, execution);
    }

    /// The wire of an instrument; the first, where it is about none. Most often there is one alone.
    #[inline]
    fn wire(&self, instrument: impl FnOnce() -> Option<InstrumentId>) -> usize {
        if self.wires.len() == 1 {
            return 0;
        }
        instrument().map_or(0, |instrument| self.of[instrument.index()])
    }
}
