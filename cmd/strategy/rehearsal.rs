//! A native strategy driven by hand, for its tests: its file, its features, the rules of its risk and
//! the step that a run would take, over one instrument and a clock that moves when told.
//!
//! Prices and sizes are decimals in quotes, as in files. What is no decimal, or cannot happen to an
//! order, panics: a test that says it is wrong. Absent on purpose: a venue. An order is acknowledged
//! and filled when the test says so; `qt backtest` has the venues.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use qt_market::features::Named;
use qt_model::decimal;
use qt_model::ids::InstrumentId;
use qt_model::instrument::{Instrument, Instruments, Symbol};
use qt_model::order::{Cash, Execution as Fill, FillNo, OrderNo, Report, ReportKind};
use qt_model::record::{Batch, Head, Quote, Trade};
use qt_model::step::{Execution, Input, TimerId};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::{Liquidity, Side};
use qt_trade::core::{Core, Desk, Front, Strategy, TopFrom};
use qt_trade::ledger::Ledger;
use qt_trade::native::{Native, Registration};
use qt_trade::outbox::{Outbox, Output};
use rust_decimal::Decimal;

use super::market::Market;
use super::{StrategyFile, build, engine};

/// Decimal places of prices and of sizes.
const SCALES: (u8, u8) = (2, 3);

/// See the module.
#[derive(Debug)]
pub struct Rehearsal {
    core: Core<Box<dyn Strategy>>,
    instrument: InstrumentId,
    fee: Cash,
    now: Ts,
    records: u64,
    fills: u64,
    batch: Batch,
    out: Outbox,
    timers: BTreeSet<(Ts, TimerId)>,
}

impl Rehearsal {
    /// The strategy with the file that comes along, over an instrument with ticks of 0.01 and lots of
    /// 0.001. The parameters given differ from their defaults. What it asks for at the start comes
    /// out with the first record.
    pub fn of<N: Native>(symbol: &str, params: &[(&str, f64)]) -> anyhow::Result<Self> {
        let native = Registration::of::<N>();
        let path = Path::new(N::NAME).with_extension("toml");
        let file = StrategyFile::parse(&path, N::FILE.to_owned(), &[native])?;
        let values: BTreeMap<String, f64> =
            params.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        let compiled = file.compile(&values)?;
        let mut table = Instruments::default();
        let (px_scale, qty_scale) = (scale(SCALES.0), scale(SCALES.1));
        let instrument =
            table.declare(Instrument::new(Symbol::new(symbol)?, px_scale, qty_scale))?;
        let table = Arc::new(table);
        let market = Market::new(&file, &table, &[])?;
        let named = compiled.named.iter();
        let named: Vec<Named> =
            named.map(|(name, expr)| Named { name: name.clone(), expr: expr.clone() }).collect();
        let places: Vec<usize> = (0..named.len()).collect();
        let strategy = build(native, &compiled, &places, &market, 0)?;
        let desk = Desk::new(strategy, market.ledger()?, market.stack(), file.account.mark);
        let front = Front::new(Arc::clone(&table), TopFrom::Quotes);
        let mut rehearsal = Self {
            core: Core::new(front, desk, engine(&named, &market, true)?),
            instrument,
            fee: Cash { amount: Decimal::ZERO, currency: market.currency },
            now: Ts::from_nanos(0),
            records: 0,
            fills: 0,
            batch: Batch::new(table),
            out: Outbox::default(),
            timers: BTreeSet::new(),
        };
        rehearsal.core.start(rehearsal.now, &mut rehearsal.out);
        Ok(rehearsal)
    }

    pub fn instrument(&self) -> InstrumentId {
        self.instrument
    }

    pub fn now(&self) -> Ts {
        self.now
    }

    /// What is held, in units of size.
    pub fn position(&self) -> Decimal {
        let units = self.ledger().position(self.instrument).qty();
        Decimal::new(units, u32::from(SCALES.1))
    }

    pub fn ledger(&self) -> &Ledger {
        self.core.desk().ledger()
    }

    /// A quote of one unit of size on both sides; says what the strategy asks for.
    pub fn quote(&mut self, bid: &str, ask: &str) -> Vec<Output> {
        let head = self.head();
        let (bid_px, ask_px, one) = (Some(px(bid)), Some(px(ask)), Some(qty("1")));
        let quote = Quote { head, bid_px, bid_qty: one, ask_px, ask_qty: one, id: None };
        self.batch.push_row(quote, &[]);
        self.record()
    }

    /// A print of somebody else's trade.
    pub fn trade(&mut self, side: Side, at: &str, size: &str) -> Vec<Output> {
        let head = self.head();
        let (px, qty) = (px(at), qty(size));
        self.batch.push_row(Trade { head, px, qty, side: Some(side), id: None }, &[]);
        self.record()
    }

    /// The venue has taken an order.
    pub fn acknowledge(&mut self, order: OrderNo) -> Vec<Output> {
        self.report(order, ReportKind::Acknowledged)
    }

    /// The venue has filled an order, wholly or in part, without a fee.
    pub fn fill(&mut self, order: OrderNo, at: &str, size: &str) -> Vec<Output> {
        self.fills += 1;
        let (px, qty, liquidity) = (px(at), qty(size), Liquidity::Taker);
        let fill = Fill { fill: FillNo(self.fills), px, qty, liquidity, fee: self.fee };
        self.report(order, ReportKind::Filled(fill))
    }

    /// Whatever else a venue may say of an order.
    pub fn report(&mut self, order: OrderNo, what: ReportKind) -> Vec<Output> {
        let report = Report { order, ts_event: self.now, what };
        let input = Input::Execution(Execution::Report(report));
        let effect = self.core.step(self.now, &input, &mut self.out);
        if let Some(refused) = effect.refused {
            panic!("{order:?} cannot take {what:?}: {refused:?}");
        }
        self.asked()
    }

    /// Lets time pass; timers that are due on the way go off in their order.
    pub fn wait_ns(&mut self, ns: i64) -> Vec<Output> {
        let end = self.now.checked_add_nanos(ns).expect("a rehearsal ends before time does");
        let mut outputs = Vec::new();
        while let Some((at, timer)) = self.timers.first().copied().filter(|(at, _)| *at <= end) {
            self.timers.remove(&(at, timer));
            self.now = at.max(self.now);
            self.core.step(self.now, &Input::Timer(timer), &mut self.out);
            outputs.extend(self.asked());
        }
        self.now = end;
        outputs
    }

    fn head(&mut self) -> Head {
        self.records += 1;
        Head::new(self.now, self.now, self.records, Some(self.instrument))
    }

    /// Steps the one record that lies in the batch.
    fn record(&mut self) -> Vec<Output> {
        self.core.step(self.now, &Input::Market(self.batch.get(0)), &mut self.out);
        self.batch.clear();
        self.asked()
    }

    fn asked(&mut self) -> Vec<Output> {
        let outputs: Vec<Output> = self.out.drain().collect();
        for output in &outputs {
            if let Output::Timer { id, at } = output {
                self.timers.insert((*at, *id));
            }
        }
        outputs
    }
}

fn scale(digits: u8) -> Scale {
    Scale::new(digits).expect("the scales of a rehearsal are small")
}

#[track_caller]
fn px(text: &str) -> Px {
    let units = decimal::parse(text.as_bytes(), scale(SCALES.0));
    Px::new(units.unwrap_or_else(|error| panic!("price `{text}`: {error}")))
}

#[track_caller]
fn qty(text: &str) -> Qty {
    let units = decimal::parse(text.as_bytes(), scale(SCALES.1));
    let units = units.unwrap_or_else(|error| panic!("size `{text}`: {error}"));
    Qty::new(units).unwrap_or_else(|error| panic!("size `{text}`: {error}"))
}
