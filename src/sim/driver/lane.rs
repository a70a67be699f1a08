//! One variant of a run: a desk, its side of the venues, and the wires between them.
//!
//! Invariants: a message takes its drawn delay and never overtakes an earlier one on its wire;
//! what happens at one instant happens in the order venue deadline, arrival at the venue, arrival
//! with us, then, behind the records received at that instant, timers.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use qt_model::ids::InstrumentId;
use qt_model::record::Record;
use qt_model::step::{Execution, Input, Operator, TimerId};
use qt_model::time::Ts;
use qt_trade::core::{Desk, Front, Strategy};
use qt_trade::ledger::Line;
use qt_trade::metrics::Touch;
use qt_trade::outbox::{Outbox, Output};

use super::missed::{Heard, Marked, Missed, Shown};
use super::observer::{AtVenue, Observer, Ours};
use super::wire::{Instruction, Wire, Wires};
use crate::exchange::{Exchange, Market, News, Top};

/// What is next in a lane. At one instant, the earlier variant comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Due,
    There(usize),
    Back(usize),
    Timer,
}

/// See the module.
#[derive(Debug)]
pub struct Lane<S, O> {
    desk: Desk<S>,
    exchange: Exchange,
    observer: O,
    wires: Wires,
    timers: BinaryHeap<Reverse<(i64, u64, TimerId)>>,
    timers_set: u64,
    next: i64,
    out: Outbox,
    reports: Vec<Execution>,
    /// The columns it waits for, while it does.
    met: Vec<(InstrumentId, usize)>,
}

impl<S: Strategy, O: Observer> Lane<S, O> {
    pub(super) fn new(
        (desk, mut exchange, observer): (Desk<S>, Exchange, O),
        wires: Vec<Wire>,
        wire_of: Vec<usize>,
    ) -> Self {
        exchange.keep_facts();
        Self {
            desk,
            exchange,
            observer,
            wires: Wires::new(wires, wire_of),
            timers: BinaryHeap::new(),
            timers_set: 0,
            next: i64::MAX,
            out: Outbox::default(),
            reports: Vec::new(),
            met: Vec::new(),
        }
    }

    pub fn desk(&self) -> &Desk<S> {
        &self.desk
    }

    pub fn observer(&self) -> &O {
        &self.observer
    }

    pub fn observer_mut(&mut self) -> &mut O {
        &mut self.observer
    }

    pub fn into_parts(self) -> (Desk<S>, O) {
        (self.desk, self.observer)
    }

    fn ours(desk: &Desk<S>) -> Ours<'_> {
        Ours { ledger: desk.ledger(), orders: desk.orders() }
    }

    pub(super) fn start(&mut self, now: Ts, front: &Front) {
        if !self.observer.hears_decisions() {
            self.out.leave_decisions();
        }
        self.desk.start(now, front, &mut self.out);
        self.dispatch(now, front);
        self.look_ahead();
    }

    pub(super) fn stop(&mut self, now: Ts, front: &Front) {
        let input = Input::Operator(Operator::Stop);
        self.observer.input(now, &input, Self::ours(&self.desk));
        self.desk.step(now, &input, front, &mut self.out);
        self.dispatch(now, front);
    }

    /// When something is next to happen here.
    #[inline]
    pub(super) fn next(&self) -> i64 {
        self.next
    }

    /// The earliest, and at one instant the first of [`Event`]; with nothing to come, a timer at the
    /// end of time.
    #[inline]
    fn first(&self) -> (i64, Event) {
        let due = self.exchange.next_due().map_or(i64::MAX, Ts::nanos);
        let (there, back) = self.wires.first();
        let mut first = (due, Event::Due);
        if there.0 < first.0 {
            first = (there.0, Event::There(there.1));
        }
        if back.0 < first.0 {
            first = (back.0, Event::Back(back.1));
        }
        match self.timers.peek() {
            Some(Reverse((at, ..))) if *at < first.0 => (*at, Event::Timer),
            Some(_) | None if first.0 == i64::MAX => (i64::MAX, Event::Timer),
            Some(_) | None => first,
        }
    }

    fn look_ahead(&mut self) {
        self.next = self.first().0;
    }

    /// Lets everything happen that comes before an instant, and what comes before the records that
    /// are received then, if `with_arrivals`.
    pub(super) fn advance(&mut self, to: i64, with_arrivals: bool, market: &Market, front: &Front) {
        loop {
            let (at, event) = self.first();
            let is_before = at < to || at == to && with_arrivals && event != Event::Timer;
            if !is_before {
                self.next = at;
                return;
            }
            self.happen(Ts::from_nanos(at), event, market, front);
        }
    }

    fn happen(&mut self, now: Ts, event: Event, market: &Market, front: &Front) {
        match event {
            Event::Due => {
                self.exchange.advance(now, market, &mut self.reports);
                self.answer(now);
            }
            Event::There(wire) => {
                let instruction = self.wires.pop_there(wire);
                self.arrive(now, instruction, market);
                self.answer(now);
            }
            Event::Back(wire) => {
                let execution = self.wires.pop_back(wire);
                self.hear(now, execution, front);
            }
            Event::Timer => {
                let Reverse((_, _, timer)) = self.timers.pop().expect("it was first");
                self.observer.input(now, &Input::Timer(timer), Self::ours(&self.desk));
                self.desk.step(now, &Input::Timer(timer), front, &mut self.out);
                self.dispatch(now, front);
            }
        }
    }

    fn arrive(&mut self, now: Ts, instruction: Instruction, market: &Market) {
        let Self { exchange, reports, .. } = self;
        match instruction {
            Instruction::Submit(order, new) => exchange.submit(now, order, new, market, reports),
            Instruction::Amend(order, change) => {
                exchange.amend(now, order, change, market, reports);
            }
            Instruction::Cancel(order) => exchange.cancel(now, order, market, reports),
        }
    }

    /// Sends on their way back what the venues have to say.
    fn answer(&mut self, now: Ts) {
        let Self { desk, exchange, observer, wires, reports, .. } = self;
        let mut facts = exchange.facts();
        for execution in reports.iter() {
            if let Execution::Report(report) = execution {
                let known = facts.split_first().filter(|(facts, _)| facts.is_of(report));
                facts = known.map_or(facts, |(_, rest)| rest);
                let venue = AtVenue { facts: known.map(|(facts, _)| facts), exchange };
                observer.happened(report.ts_event, report, venue, Self::ours(desk));
            }
            wires.answer(now, *execution, desk.orders());
        }
        reports.clear();
        exchange.forget_facts();
    }

    /// A message of a venue reaches us.
    fn hear(&mut self, now: Ts, execution: Execution, front: &Front) {
        let Self { desk, observer, out, .. } = self;
        observer.input(now, &Input::Execution(execution), Self::ours(desk));
        let effect = match &execution {
            Execution::Report(report) => {
                let effect = desk.report(now, report, front, out);
                let did = desk.change().filter(|_| effect.refused.is_none());
                observer.reported(now, report, did, Self::ours(desk));
                effect
            }
            Execution::Cash(flow) => {
                let effect = desk.cash(now, flow, front, out);
                observer.paid(now, flow, Self::ours(desk));
                effect
            }
            Execution::Closure(closure) => {
                let effect = desk.closed(now, closure, front, out);
                observer.closed(now, closure, Self::ours(desk));
                effect
            }
        };
        let ours = Self::ours(&self.desk);
        if effect.is_revalued {
            self.observer.valued(now, ours);
        }
        if !self.out.is_empty() {
            self.dispatch(now, front);
        }
    }

    /// Hears what the venues have said already: it happened, although the news comes after the end.
    pub(super) fn hear_out(&mut self, front: &Front) {
        while let Some((at, wire)) = self.wires.first_back() {
            let execution = self.wires.pop_back(wire);
            self.hear(Ts::from_nanos(at), execution, front);
        }
    }

    /// Whether nothing happens here until one of [`Self::met`] is met, [`Self::next`] comes, or what
    /// is held is concerned.
    #[inline]
    pub(super) fn waits(&mut self) -> bool {
        self.met.clear();
        self.wires.is_idle() && self.exchange.is_quiet() && self.desk.waits(&mut self.met)
    }

    pub(super) fn met(&self) -> &[(InstrumentId, usize)] {
        &self.met
    }

    pub(super) fn is_concerned(&self, instrument: InstrumentId) -> bool {
        self.exchange.rests_in(instrument)
    }

    /// Hears what it missed.
    pub(super) fn hear_of(&mut self, missed: Missed<'_>) {
        if missed.is_empty() {
            return;
        }
        let ledger = self.desk.ledger();
        if ledger.is_flat() {
            // Who sleeps has no rates, so a mark is nothing to him either.
            return self.observer.caught_up(missed);
        }
        if let Some(line) = ledger.line() {
            return self.follow(&line, missed);
        }
        for news in missed.in_turn() {
            match news {
                Heard::Shown(Shown { at, instrument, touch }) => {
                    self.observer.shown(at, instrument, touch);
                }
                Heard::Marked(Marked { now, instrument, mark, .. }) => {
                    if self.desk.owed(instrument, mark) {
                        let ledger = self.desk.ledger();
                        self.observer.was_valued(now, ledger.equity(), ledger.exposure());
                    }
                }
            }
        }
    }

    /// The same where the worth of the whole is a line: the ledger has to see the last mark alone.
    fn follow(&mut self, line: &Line, missed: Missed<'_>) {
        self.observer.followed(line, missed);
        let last = missed.last_mark(|instrument| line.is_of(instrument));
        if let Some(Marked { instrument, mark, .. }) = last {
            self.desk.owed(instrument, mark);
        }
    }

    /// Whether a record that is received concerns it for its own sake.
    pub(super) fn wants_records(&self) -> bool {
        self.desk.wants().wants_records() || !self.observer.may_wait()
    }

    pub(super) fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// What the front shows of an instrument moved.
    #[inline]
    pub(super) fn moved(&mut self, now: Ts, instrument: InstrumentId, front: &Front) {
        if self.desk.revalue(instrument, front) {
            self.observer.valued(now, Self::ours(&self.desk));
        }
    }

    /// A record happens at the venue.
    #[inline]
    pub(super) fn happened(&mut self, now: Ts, record: &Record<'_>, market: &Market, news: News) {
        let Some(instrument) = record.head().instrument else { return };
        if news == News::Top {
            self.observer.shown(now, instrument, touch(market.top(instrument)));
        }
        if self.exchange.is_concerned(market, record) {
            self.exchange.market(now, market, record, &mut self.reports);
            if !self.reports.is_empty() {
                self.answer(now);
                self.look_ahead();
            } else if let Some(due) = self.exchange.next_due() {
                self.next = self.next.min(due.nanos());
            }
        }
    }

    /// A record is received, which the front shows.
    #[inline]
    pub(super) fn receive(&mut self, now: Ts, record: &Record<'_>, front: &Front) {
        self.observer.input(now, &Input::Market(*record), Self::ours(&self.desk));
        if self.desk.market(now, record, front, &mut self.out) {
            self.observer.valued(now, Self::ours(&self.desk));
        }
        if !self.out.is_empty() {
            self.dispatch(now, front);
            self.look_ahead();
        }
    }

    /// A row of features is there, which the front shows.
    #[inline]
    pub(super) fn features(&mut self, now: Ts, instrument: InstrumentId, front: &Front) {
        self.desk.features(now, instrument, front, &mut self.out);
        if !self.out.is_empty() {
            self.dispatch(now, front);
            self.look_ahead();
        }
    }

    /// Sends what the strategy asked for. Who calls it looks ahead again.
    fn dispatch(&mut self, now: Ts, front: &Front) {
        let Self { desk, observer, wires, timers, timers_set, out, .. } = self;
        for output in out.as_slice() {
            observer.asked(now, output, front, Self::ours(desk));
            if let Output::Timer { id, at } = output {
                *timers_set += 1;
                timers.push(Reverse((at.nanos().max(now.nanos()), *timers_set, *id)));
            } else {
                wires.send(now, output, desk.orders());
            }
        }
        out.clear();
    }
}

/// The best prices, where there are both.
#[inline]
pub(super) fn touch(top: Top) -> Option<Touch> {
    Some(Touch { bid: top.bid?.px, ask: top.ask?.px })
}
