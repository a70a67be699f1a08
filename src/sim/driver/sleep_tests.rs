//! A lane that sleeps asks for the same and is told the same as one that never does.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::{prop_assert, prop_assert_eq, proptest};
use qt_market::features::{BookFrom, Engine, EngineOptions, Named, Plan, Program};
use qt_model::ids::InstrumentId;
use qt_model::order::Report;
use qt_model::record::{Bar, Batch, Kind, Record, Source};
use qt_model::time::Ts;
use qt_model::units::Qty;
use qt_trade::core::{Desk, Front, MarkRule, TopFrom};
use qt_trade::ledger::{Amount, Exposed, Ledger, LedgerOptions, Matching};
use qt_trade::metrics::Touch;
use qt_trade::outbox::Output;
use qt_trade::risk::Stack;
use qt_trade::script::{self, Compiled, Definition, Scripted};

use super::{AtVenue, Driver, DriverOptions, LaneParts, Observer, Ours};
use crate::exchange::{Delay, Exchange, LatencyConfig, VenueConfig, Venues};
use crate::synth::{Config, Market};

/// All that an observer of a lane is told, in its order, but for records.
#[derive(Debug, Default)]
struct Told {
    may_wait: bool,
    touches: BTreeMap<usize, Option<Touch>>,
    lines: Vec<String>,
}

impl Observer for Told {
    fn may_wait(&self) -> bool {
        self.may_wait
    }

    fn shown(&mut self, at: Ts, instrument: InstrumentId, touch: Option<Touch>) {
        if self.touches.insert(instrument.index(), touch) != Some(touch) {
            self.lines.push(format!("{} {instrument:?} {touch:?}", at.nanos()));
        }
    }

    fn happened(&mut self, at: Ts, report: &Report, _venue: AtVenue<'_>, _ours: Ours<'_>) {
        self.lines.push(format!("{} {report:?}", at.nanos()));
    }

    fn asked(&mut self, now: Ts, output: &Output, _front: &Front, ours: Ours<'_>) {
        let equity = ours.ledger.equity().units();
        self.lines.push(format!("{} {output:?} with {equity}", now.nanos()));
    }

    fn valued(&mut self, now: Ts, ours: Ours<'_>) {
        self.was_valued(now, ours.ledger.equity(), ours.ledger.exposure());
    }

    fn was_valued(&mut self, now: Ts, equity: Amount, exposed: Exposed) {
        self.lines.push(format!("{} {} {exposed:?}", now.nanos(), equity.units()));
    }
}

fn script(input: &str, fast: u32, reverse: bool, clock: u32) -> Compiled {
    let source = |key: &str, text: String| script::Source { key: key.into(), text };
    let mut definition = Definition::named("cross");
    let cross = |sign| format!("ema({input}, {fast}) {sign} ema({input}, 40)");
    definition.entry.long = Some(source("entry.long", cross(">")));
    definition.entry.short = reverse.then(|| source("entry.short", cross("<")));
    let thin = if input == "mid" { "imbalance < -0.9" } else { "close < open" };
    let weak = format!("{thin} and ema({input}, {fast}) < {input}");
    definition.exit.long = Some(source("exit.long", weak));
    definition.style.reverse = reverse;
    match clock % 3 {
        0 => definition.protect.stop_loss = Some(source("exit.stop_loss", "30 * tick".into())),
        1 => definition.style.cooldown_ns = 5_000_000_000,
        _ => {}
    }
    definition.size = script::Size::Qty(source("size.qty", "lot * 3".into()));
    script::compile(&definition, &BTreeMap::new()).unwrap()
}

/// What two lanes are told, and how the market stands behind each batch.
fn told(
    batches: &[Batch],
    compiled: &Compiled,
    delay: i64,
    may_wait: [bool; 2],
) -> ([Told; 2], Vec<String>) {
    let instruments = Arc::clone(batches.last().unwrap().instruments());
    let named = compiled.features.iter();
    let named: Vec<Named> =
        named.map(|expr| Named { name: expr.to_string(), expr: expr.clone() }).collect();
    let options = EngineOptions { book: BookFrom::Quotes, only: true, ..EngineOptions::default() };
    let engine = Engine::new(Program::new(Plan::new(&named).unwrap()), options, Box::new(|_| true));
    let (top, lookahead_ns) = (TopFrom::Quotes, super::LOOKAHEAD_NS);
    let options = DriverOptions { top, lookahead_ns, engine: Some(engine) };
    let mut driver = Driver::new(&instruments, None, options);
    let ns = Delay::Constant { ns: delay };
    let latency = LatencyConfig { place: ns.clone(), response: ns, ..LatencyConfig::default() };
    let venues = Venues::from(VenueConfig { latency, ..VenueConfig::default() });
    let currency = qt_model::order::Currency::new("USD").unwrap();
    let money = LedgerOptions { currency, matching: Matching::Average, initial: Vec::new() };
    for may_wait in may_wait {
        let places: Vec<usize> = (0..compiled.features.len()).collect();
        let traded = instruments.by_symbol().map(|(id, _)| id).collect();
        let script = Scripted::new(compiled, &places, traded);
        let ledger = Ledger::new(&money, &instruments).unwrap();
        let desk = Desk::new(script, ledger, Stack::default(), MarkRule::Mid);
        let exchange = Exchange::new(&venues, &instruments).unwrap();
        let observer = Told { may_wait, ..Told::default() };
        driver.add(LaneParts { desk, exchange, venues: &venues, observer }, 1);
    }
    let mut states = Vec::new();
    for batch in batches {
        driver.push(Arc::new(batch.clone()));
        states.extend(instruments.by_symbol().map(|(id, _)| {
            let (there, here) = (driver.market.of(id), driver.front.seen(id));
            let there = (there.top(), there.last(), there.bar(), there.basis());
            format!("{there:?} {:?} {:?} {:?}", here.top(), here.last(), here.updated())
        }));
    }
    let (lanes, _) = driver.finish();
    let mut lanes = lanes.into_iter().map(|lane| lane.into_parts().1);
    ([lanes.next().unwrap(), lanes.next().unwrap()], states)
}

fn synth(seed: u64, symbols: usize) -> Vec<Batch> {
    let config = Config { seed, events: Some(6_000), ..Config::default() };
    let mut synth = Market::new(&config).unwrap();
    let (mut batches, mut batch) = (Vec::new(), Batch::default());
    while synth.next(&mut batch).unwrap() {
        // Fewer instruments, more that happens with each.
        let mut kept = Batch::new(Arc::clone(batch.instruments()));
        let is_kept = |id: InstrumentId| id.index() < symbols;
        let records = batch.iter().filter(|it| it.head().instrument.is_none_or(is_kept));
        records.for_each(|record| kept.push(record));
        batches.push(kept);
    }
    batches
}

/// What of a market is in a stream.
type View = fn(&Batch) -> Batch;

fn all(batch: &Batch) -> Batch {
    batch.clone()
}

fn quotes(batch: &Batch) -> Batch {
    let mut quotes = Batch::new(Arc::clone(batch.instruments()));
    let records = batch.iter().filter(|record| record.kind() == Kind::Quote);
    records.for_each(|record| quotes.push(record));
    quotes
}

/// A bar in place of each quote, some of another length, and a few quotes among them.
fn bars(batch: &Batch) -> Batch {
    let mut bars = Batch::new(Arc::clone(batch.instruments()));
    for record in quotes(batch).iter() {
        let Record::Quote(view) = record else { unreachable!("there are quotes alone") };
        let (head, quote) = (view.row.head, view.row);
        let Some((bid, ask)) = quote.bid_px.zip(quote.ask_px) else { continue };
        if head.seq % 911 == 600 {
            bars.push(record);
            continue;
        }
        let step = if head.seq % 31 == 0 { 120_000_000_000 } else { 60_000_000_000 };
        let (low, high) = (bid.min(ask), bid.max(ask));
        let close = if head.seq % 3 == 0 { low } else { high };
        let volume = quote.bid_qty.unwrap_or(Qty::ZERO);
        bars.push_row(Bar::timed(head, step, head.ts_event, [low, high, low, close], volume), &[]);
    }
    bars
}

/// The same in short batches.
fn cut(batches: &[Batch]) -> Vec<Batch> {
    let records: Vec<_> = batches.iter().flat_map(Batch::iter).collect();
    let short = records.chunks(150).map(|records| {
        let mut batch = Batch::new(Arc::clone(batches[0].instruments()));
        records.iter().for_each(|record| batch.push(*record));
        batch
    });
    short.collect()
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]
    #[test]
    fn to_sleep_changes_nothing(
        seed in 0_u64..1_000,
        fast in 3_u32..20,
        reverse in proptest::bool::ANY,
        clock in 0_u32..6,
        delay in 0_i64..3_000_000_000,
        view in 0_usize..3,
    ) {
        let (view, input) = [(all as View, "mid"), (quotes, "mid"), (bars, "close")][view];
        let batches = cut(&synth(seed, 2).iter().map(view).collect::<Vec<_>>());
        let compiled = script(input, fast, reverse, clock);
        let ([sleeper, waker], awake) = told(&batches, &compiled, delay, [true, false]);
        prop_assert!(waker.lines.iter().any(|line| line.contains("Submit")), "something happens");
        let differs = sleeper.lines.iter().zip(&waker.lines).find(|(a, b)| a != b);
        prop_assert_eq!(differs, None);
        prop_assert_eq!(sleeper.lines.len(), waker.lines.len());
        // Nor does another lane, nor how the stream is cut.
        let mut one = Batch::new(Arc::clone(batches[0].instruments()));
        batches.iter().flat_map(Batch::iter).for_each(|record| one.push(record));
        let ([again, _], _) = told(&[one], &compiled, delay, [true, true]);
        prop_assert_eq!(&again.lines, &waker.lines);
        // Nor does it leave another market behind, where nobody is awake to look.
        let ([again, _], asleep) = told(&batches, &compiled, delay, [true, true]);
        prop_assert_eq!(&again.lines, &waker.lines);
        prop_assert_eq!(asleep, awake);
    }
}
