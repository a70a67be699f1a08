use std::sync::Arc;

use qt_model::ids::InstrumentId;
use qt_model::instrument::{Instrument, Instruments, Symbol};
use qt_model::order::{
    Cash, Currency, Execution as Fill, FillNo, NewOrder, OrderNo, Report, ReportKind,
};
use qt_model::record::{Batch, Head, Kind, Quote, Record};
use qt_model::step::{Execution, Input, Operator, TimerId};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::{CancelReason, Liquidity, Side};
use rust_decimal::Decimal;

use super::*;
use crate::ledger::{Ledger, LedgerOptions, Matching};
use crate::outbox::{Outbox, Output};
use crate::risk::{AnyRule, MaxPosition, Stack};

/// Bids one lot at the best bid with each quote, at most one order at a time.
#[derive(Debug, Default)]
struct Bidder {
    timers: Vec<u32>,
    fills: u32,
}

impl Strategy for Bidder {
    fn wants(&self) -> Wants {
        Wants::kinds(&[Kind::Quote])
    }

    fn market(&mut self, record: &Record<'_>, context: &mut Context<'_>) {
        let id = record.head().instrument.unwrap();
        if context.orders_of(id).next().is_none()
            && let Some(bid) = context.top(id).bid
        {
            let _ = context.submit(NewOrder::limit(id, Side::Buy, Qty::new(1).unwrap(), bid.px));
            context.timer(TimerId(7), context.now());
        }
    }

    fn order(&mut self, change: &crate::orders::Change, _context: &mut Context<'_>) {
        self.fills += u32::from(change.fill.is_some());
    }

    fn timer(&mut self, timer: TimerId, _context: &mut Context<'_>) {
        self.timers.push(timer.0);
    }
}

struct World {
    front: Front,
    desk: Desk<Bidder>,
    out: Outbox,
    batch: Batch,
    id: InstrumentId,
    now: i64,
}

impl World {
    fn new(limit: i64) -> Self {
        let mut table = Instruments::default();
        let symbol = Symbol::new("x:A").unwrap();
        let id = table.declare(Instrument::new(symbol, Scale::ZERO, Scale::ZERO)).unwrap();
        let table = Arc::new(table);
        let currency = Currency::new("USD").unwrap();
        let initial = vec![Cash { amount: Decimal::from(100), currency }];
        let options = LedgerOptions { currency, matching: Matching::Average, initial };
        let ledger = Ledger::new(&options, &table).unwrap();
        let stack = Stack::new(vec![AnyRule::MaxPosition(MaxPosition { instrument: id, limit })]);
        Self {
            front: Front::new(Arc::clone(&table), TopFrom::Quotes),
            desk: Desk::new(Bidder::default(), ledger, stack, MarkRule::Mid),
            out: Outbox::default(),
            batch: Batch::new(table),
            id,
            now: 0,
        }
    }

    fn quote(&mut self, bid: i64, ask: i64) -> Vec<Output> {
        self.now += 1;
        let now = Ts::from_nanos(self.now);
        let one = Qty::new(1).ok();
        let head = Head::new(now, now, self.now as u64, Some(self.id));
        let (bid_px, ask_px) = (Some(Px::new(bid)), Some(Px::new(ask)));
        let quote = Quote { head, bid_px, bid_qty: one, ask_px, ask_qty: one, id: None };
        self.batch.clear();
        self.batch.push_row(quote, &[]);
        let record = self.batch.get(0);
        self.front.market(&record);
        self.desk.step(now, &Input::Market(record), &self.front, &mut self.out);
        self.out.drain().collect()
    }

    fn input(&mut self, input: Input<'_>) -> (Effect, Vec<Output>) {
        self.now += 1;
        let effect = self.desk.step(Ts::from_nanos(self.now), &input, &self.front, &mut self.out);
        (effect, self.out.drain().collect())
    }

    fn report(&mut self, order: u64, what: ReportKind) -> (Effect, Vec<Output>) {
        let report = Report { order: OrderNo(order), ts_event: Ts::from_nanos(self.now), what };
        self.input(Input::Execution(Execution::Report(report)))
    }

    fn fill(&mut self, order: u64, px: i64) -> (Effect, Vec<Output>) {
        let fee = Cash { amount: Decimal::ZERO, currency: Currency::new("USD").unwrap() };
        let (px, qty, liquidity) = (Px::new(px), Qty::new(1).unwrap(), Liquidity::Maker);
        let fill = Fill { fill: FillNo(order), px, qty, liquidity, fee };
        self.report(order, ReportKind::Filled(fill))
    }

    fn equity(&self) -> String {
        let ledger = self.desk.ledger();
        ledger.home().precision.decimal(ledger.equity()).to_string()
    }
}

#[test]
fn a_quote_leads_to_an_order_a_fill_to_a_position_and_a_mark_to_profit() {
    let mut world = World::new(10);
    let outputs = world.quote(10, 12);
    assert!(matches!(outputs[0], Output::Submit { order: OrderNo(1), .. }), "{outputs:?}");
    assert!(matches!(outputs[1], Output::Timer { id: TimerId(7), .. }), "{outputs:?}");
    assert!(world.quote(10, 12).is_empty(), "one order at a time");
    world.input(Input::Timer(TimerId(7)));
    let (effect, _) = world.fill(1, 10);
    assert!(effect.is_revalued && world.desk.change().unwrap().fill.is_some());
    assert_eq!((world.equity().as_str(), world.desk.strategy().fills), ("101", 1));
    world.quote(20, 22);
    assert_eq!(world.equity(), "111");
    assert_eq!(world.desk.strategy().timers, [7]);
}

#[test]
fn a_refused_order_leaves_a_decision_and_no_order() {
    let mut world = World::new(0);
    let outputs = world.quote(10, 12);
    assert!(matches!(&outputs[0], Output::Decide(decided) if decided.reason == "max_position"));
    assert_eq!((outputs.len(), world.desk.orders().live().len()), (2, 0));
    assert_eq!(world.desk.refusals(), 1);
}

#[test]
fn flattening_cancels_then_closes_and_nothing_new_opens() {
    let mut world = World::new(10);
    world.quote(10, 12);
    world.fill(1, 10);
    world.quote(10, 12);
    let (_, outputs) = world.input(Input::Operator(Operator::Flatten));
    assert_eq!(outputs, [Output::Cancel { order: OrderNo(2) }]);
    // The order is filled before its cancel arrives: what is closed is what is held then.
    let (_, outputs) = world.fill(2, 10);
    let [Output::Submit { order: OrderNo(3), new }] = &outputs[..] else { panic!("{outputs:?}") };
    assert_eq!((new.side, new.qty.mantissa(), new.reduce_only), (Side::Sell, 2, true));
    assert!(world.quote(10, 12).is_empty(), "the strategy is not asked any more");
}

#[test]
fn a_halt_lets_no_exposure_out_until_it_is_lifted() {
    let mut world = World::new(10);
    world.input(Input::Operator(Operator::Halt));
    let outputs = world.quote(10, 12);
    assert!(matches!(&outputs[0], Output::Decide(decided) if decided.reason == "halted"));
    world.input(Input::Operator(Operator::Resume));
    assert!(matches!(world.quote(10, 12)[0], Output::Submit { .. }));
}

#[test]
fn reports_that_cannot_be_change_nothing() {
    let mut world = World::new(10);
    let (effect, outputs) = world.report(9, ReportKind::Cancelled(CancelReason::Venue));
    assert!(effect.refused.is_some() && outputs.is_empty());
    assert_eq!(world.desk.orders().refused(), 1);
}
