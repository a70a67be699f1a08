//! A strategy at its desk, for tests: one instrument with two decimals of price and size and ticks of
//! 0.05, shown a row at a time.

use std::sync::Arc;

use qt_model::ids::InstrumentId;
use qt_model::instrument::{Instrument, Instruments, Symbol, Terms};
use qt_model::order::{Cash, Currency, Execution as Fill, FillNo, OrderNo, Report, ReportKind};
use qt_model::record::{Batch, Head, Quote};
use qt_model::step::{Execution, Input};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::Liquidity;
use rust_decimal::Decimal;

use crate::core::{Desk, Front, MarkRule, Strategy, TopFrom};
use crate::ledger::{Ledger, LedgerOptions, Matching};
use crate::outbox::{Outbox, Output};
use crate::risk::Stack;

/// See the module.
pub(crate) struct World<S: Strategy> {
    front: Front,
    desk: Desk<S>,
    pub(crate) out: Outbox,
    batch: Batch,
    id: InstrumentId,
    now: i64,
}

impl<S: Strategy> World<S> {
    pub(crate) fn until(expiry: Option<Ts>, strategy: impl FnOnce(InstrumentId) -> S) -> Self {
        let mut table = Instruments::default();
        let symbol = Symbol::new("x:A").unwrap();
        let scale = Scale::new(2).unwrap();
        let mut instrument = Instrument::new(symbol, scale, scale);
        instrument.terms = Terms { tick: "0.05".parse().ok(), expiry, ..Terms::default() };
        let id = table.declare(instrument).unwrap();
        let table = Arc::new(table);
        let currency = Currency::new("USD").unwrap();
        let options = LedgerOptions { currency, matching: Matching::Average, initial: vec![] };
        let ledger = Ledger::new(&options, &table).unwrap();
        let mut world = Self {
            front: Front::new(Arc::clone(&table), TopFrom::Quotes),
            desk: Desk::new(strategy(id), ledger, Stack::default(), MarkRule::Mid),
            out: Outbox::default(),
            batch: Batch::new(table),
            id,
            now: 0,
        };
        world.desk.start(Ts::default(), &world.front, &mut world.out);
        world.out.drain().count();
        world
    }

    /// A quote and the row of features behind it; what was sent because of them.
    pub(crate) fn row(&mut self, bid: i64, ask: i64, features: &[f64]) -> Vec<Output> {
        self.see(bid, ask, features);
        self.sent()
    }

    pub(crate) fn see(&mut self, bid: i64, ask: i64, features: &[f64]) {
        self.now += 1_000_000_000;
        let now = Ts::from_nanos(self.now);
        let one = Qty::new(100).ok();
        let head = Head::new(now, now, self.now as u64, Some(self.id));
        let (bid_px, ask_px) = (Some(Px::new(bid)), Some(Px::new(ask)));
        let quote = Quote { head, bid_px, bid_qty: one, ask_px, ask_qty: one, id: None };
        self.batch.clear();
        self.batch.push_row(quote, &[]);
        let record = self.batch.get(0);
        self.front.market(&record);
        self.desk.step(now, &Input::Market(record), &self.front, &mut self.out);
        self.front.features(self.id, now, features.iter().copied());
        self.desk.features(now, self.id, &self.front, &mut self.out);
    }

    pub(crate) fn sent(&mut self) -> Vec<Output> {
        self.out.drain().filter(|output| !matches!(output, Output::Decide(_))).collect()
    }

    pub(crate) fn report(&mut self, order: u64, what: ReportKind) -> Vec<Output> {
        let now = Ts::from_nanos(self.now);
        let report = Report { order: OrderNo(order), ts_event: now, what };
        let input = Input::Execution(Execution::Report(report));
        let effect = self.desk.step(now, &input, &self.front, &mut self.out);
        assert_eq!(effect.refused, None);
        self.sent()
    }

    pub(crate) fn fill(&mut self, order: u64, px: i64, qty: i64) -> Vec<Output> {
        let fee = Cash { amount: Decimal::ZERO, currency: Currency::new("USD").unwrap() };
        let (px, qty, liquidity) = (Px::new(px), Qty::new(qty).unwrap(), Liquidity::Maker);
        let fill = Fill { fill: FillNo(order), px, qty, liquidity, fee };
        self.report(order, ReportKind::Filled(fill))
    }
}
