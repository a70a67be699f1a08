//! One strategy with its orders, money and rules: the step from what happened to what is asked.
//!
//! Invariants: a step depends on what was stepped before and on nothing else; a fill is booked
//! before the strategy hears of it; after a halt nothing leaves that adds exposure.

use qt_model::ids::InstrumentId;
use qt_model::order::{CashFlow, Closure, Report};
use qt_model::record::{Kind, Record};
use qt_model::step::{Execution, Input, Operator};
use qt_model::time::Ts;

use super::context::{Books, Context};
use super::front::{Front, MarkRule};
use super::strategy::{Strategy, Wants};
use crate::ledger::{DoublePx, Ledger};
use crate::orders::{Change, OrderTable, Refused};
use crate::outbox::Outbox;
use crate::risk::Stack;

/// What a step changed, for whoever keeps statistics. What a report did to an order, the desk lends:
/// see [`Desk::change`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// The worth of the whole may have changed.
    pub is_revalued: bool,
    /// A report that could not be.
    pub refused: Option<Refused>,
}

impl Effect {
    const NOTHING: Self = Self { is_revalued: false, refused: None };
    const REVALUED: Self = Self { is_revalued: true, refused: None };
}

/// How far a desk has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Trading,
    /// Cancels and closes whatever is open until nothing is.
    Flattening,
    Stopped,
}

/// See the module.
#[derive(Debug)]
pub struct Desk<S> {
    strategy: S,
    wants: Wants,
    books: Books,
    mark: MarkRule,
    mode: Mode,
    /// What the last report changed.
    change: Option<Change>,
}

impl<S: Strategy> Desk<S> {
    pub fn new(strategy: S, ledger: Ledger, stack: Stack, mark: MarkRule) -> Self {
        let wants = strategy.wants();
        let books =
            Books { orders: OrderTable::default(), ledger, stack, refusals: 0, decisions: 0 };
        Self { strategy, wants, books, mark, mode: Mode::Trading, change: None }
    }

    pub fn ledger(&self) -> &Ledger {
        &self.books.ledger
    }

    pub fn orders(&self) -> &OrderTable {
        &self.books.orders
    }

    /// What the last report did to an order that was not refused.
    pub fn change(&self) -> Option<&Change> {
        self.change.as_ref()
    }

    pub fn strategy(&self) -> &S {
        &self.strategy
    }

    pub fn wants(&self) -> Wants {
        self.wants
    }

    pub fn mark_rule(&self) -> MarkRule {
        self.mark
    }

    /// Whether it can be left alone until one of these columns is met; see [`Strategy::waits`]. Marks
    /// of what is held are owed to it meanwhile.
    pub fn waits(&self, for_met: &mut Vec<(InstrumentId, usize)>) -> bool {
        let wants_nothing = !self.wants.wants_records() && !self.wants.features;
        self.mode == Mode::Trading
            && !self.wants.wants_records()
            && !self.books.ledger.has_rates()
            && (wants_nothing || self.strategy.waits(for_met))
    }

    /// Values a position at a mark that was owed; says whether that changed anything.
    #[inline]
    pub fn owed(&mut self, instrument: InstrumentId, mark: DoublePx) -> bool {
        self.books.ledger.is_marked(instrument) && self.books.ledger.mark(instrument, mark)
    }

    /// Requests that the rules refused.
    pub fn refusals(&self) -> u64 {
        self.books.refusals
    }

    /// Before the first input.
    pub fn start(&mut self, now: Ts, front: &Front, out: &mut Outbox) {
        self.strategy.start(&mut Context::new(now, front, &mut self.books, out));
    }

    /// Takes one input. The front has taken it already, if it is one of the market.
    #[inline]
    pub fn step(&mut self, now: Ts, input: &Input<'_>, front: &Front, out: &mut Outbox) -> Effect {
        match input {
            Input::Market(record) => {
                let is_revalued = self.market(now, record, front, out);
                Effect { is_revalued, refused: None }
            }
            Input::Execution(Execution::Report(report)) => self.report(now, report, front, out),
            Input::Execution(Execution::Cash(flow)) => self.cash(now, flow, front, out),
            Input::Execution(Execution::Closure(closure)) => self.closed(now, closure, front, out),
            Input::Timer(timer) => {
                if self.mode == Mode::Trading {
                    let context = &mut Context::new(now, front, &mut self.books, out);
                    self.strategy.timer(*timer, context);
                }
                Effect::NOTHING
            }
            Input::Operator(operator) => {
                self.operator(now, *operator, front, out);
                Effect::NOTHING
            }
        }
    }

    /// The step for a record of the market, which the front has taken: whether anything is worth
    /// more or less for it.
    #[inline]
    pub fn market(
        &mut self,
        now: Ts,
        record: &Record<'_>,
        front: &Front,
        out: &mut Outbox,
    ) -> bool {
        let kind = record.kind();
        let is_revalued = front.news().is_some_and(|instrument| self.revalue(instrument, front));
        if self.mode == Mode::Trading && self.wants.wants(kind) {
            let context = &mut Context::new(now, front, &mut self.books, out);
            self.strategy.market(record, context);
        }
        if kind == Kind::Feature
            && let Some(instrument) = record.head().instrument
        {
            self.features(now, instrument, front, out);
        }
        is_revalued
    }

    /// Values a position at what the front shows; says whether that changed anything.
    #[inline]
    pub fn revalue(&mut self, instrument: InstrumentId, front: &Front) -> bool {
        if !self.books.ledger.is_marked(instrument) {
            return false;
        }
        let position = self.books.ledger.position(instrument).qty();
        let mark = front.seen(instrument).mark(self.mark, position);
        mark.is_some_and(|mark| self.books.ledger.mark(instrument, mark))
    }

    /// Takes a new row of features, which the front shows.
    #[inline]
    pub fn features(&mut self, now: Ts, instrument: InstrumentId, front: &Front, out: &mut Outbox) {
        if self.wants.features && self.mode == Mode::Trading {
            let context = &mut Context::new(now, front, &mut self.books, out);
            self.strategy.features(instrument, context);
        }
    }

    /// Takes cash that moved without a fill.
    pub fn cash(&mut self, now: Ts, flow: &CashFlow, front: &Front, out: &mut Outbox) -> Effect {
        self.books.ledger.flow(flow);
        let context = &mut Context::new(now, front, &mut self.books, out);
        self.strategy.cash(flow, context);
        Effect::REVALUED
    }

    /// Takes a closure by a venue.
    pub fn closed(
        &mut self,
        now: Ts,
        closure: &Closure,
        front: &Front,
        out: &mut Outbox,
    ) -> Effect {
        let (instrument, side) = (closure.instrument, closure.side);
        self.books.ledger.fill(instrument, side, &closure.execution);
        self.revalue(instrument, front);
        let context = &mut Context::new(now, front, &mut self.books, out);
        self.strategy.closed(closure, context);
        Effect::REVALUED
    }

    /// Takes a report: the order's state first, then the money, then the strategy.
    #[inline]
    pub fn report(&mut self, now: Ts, report: &Report, front: &Front, out: &mut Outbox) -> Effect {
        let Self { strategy, books, change, mark, .. } = self;
        if let Err(refused) = books.orders.report(report, change) {
            return Effect { is_revalued: false, refused: Some(refused) };
        }
        let change = change.as_ref().expect("what a report changed is in its place");
        let instrument = change.entry.new.instrument;
        if let Some(fill) = &change.fill {
            let (seen, side) = (front.seen(instrument), change.entry.new.side);
            let position = books.ledger.position(instrument).qty();
            let marked = seen.mark(*mark, position);
            let booked = books.ledger.fill_at(instrument, side, fill, marked);
            // The side that a position is valued at may be another one now.
            if *mark == MarkRule::ExitSide
                && let Some(mark) = seen.mark(*mark, booked.after)
                && books.ledger.is_marked(instrument)
            {
                books.ledger.mark(instrument, mark);
            }
        }
        let context = &mut Context::new(now, front, books, out);
        strategy.order(change, context);
        if self.mode == Mode::Flattening {
            flatten(instrument, context);
        }
        Effect { is_revalued: change.fill.is_some(), refused: None }
    }

    fn operator(&mut self, now: Ts, operator: Operator, front: &Front, out: &mut Outbox) {
        let context = &mut Context::new(now, front, &mut self.books, out);
        match operator {
            Operator::Halt => context.books.stack.halt(true),
            Operator::Resume => {
                context.books.stack.halt(false);
                self.mode = Mode::Trading;
            }
            Operator::Flatten => {
                self.mode = Mode::Flattening;
                context.books.stack.halt(true);
                for instrument in context.front.instruments().by_symbol().map(|(id, _)| id) {
                    context.cancel_all(instrument);
                    flatten(instrument, context);
                }
            }
            Operator::Stop => {
                self.mode = Mode::Stopped;
                self.strategy.stop(context);
            }
        }
        self.strategy.operator(operator, &mut Context::new(now, front, &mut self.books, out));
    }
}

/// Closes what is held once no order of the instrument can change it any more.
fn flatten(instrument: InstrumentId, context: &mut Context<'_>) {
    if context.orders_of(instrument).next().is_none() {
        // A rule never refuses what reduces; what is flat already needs nothing.
        let _ = context.close(instrument);
    }
}
