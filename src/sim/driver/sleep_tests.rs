//! A lane that sleeps asks for the same and is told the same as one that never does.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::{prop_assert, prop_assert_eq, proptest};
use qt_market::features::{BookFrom, Engine, EngineOptions, Named, Plan, Program};
use qt_model::ids::InstrumentId;
use qt_model::order::Report;
use qt_model::record::{Batch, Source};
use qt_model::time::Ts;
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

fn script(fast: u32, reverse: bool, clock: u32) -> Compiled {
    let source = |key: &str, text: String| script::Source { key: key.into(), text };
    let mut definition = Definition::named("cross");
    let cross = |sign| format!("ema(mid, {fast}) {sign} ema(mid, 40)");
    definition.entry.long = Some(source("entry.long", cross(">")));
    definition.entry.short = reverse.then(|| source("entry.short", cross("<")));
    let weak = format!("imbalance < -0.9 and ema(mid, {fast}) < mid");
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

fn told(batches: &[Batch], compiled: &Compiled, delay: i64, may_wait: [bool; 2]) -> [Told; 2] {
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
    for batch in batches {
        driver.push(Arc::new(batch.clone()));
    }
    let (lanes, _) = driver.finish();
    let mut lanes = lanes.into_iter().map(|lane| lane.into_parts().1);
    [lanes.next().unwrap(), lanes.next().unwrap()]
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

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]
    #[test]
    fn to_sleep_changes_nothing(
        seed in 0_u64..1_000,
        fast in 3_u32..20,
        reverse in proptest::bool::ANY,
        clock in 0_u32..6,
        delay in 0_i64..3_000_000_000,
    ) {
        let (batches, compiled) = (synth(seed, 2), script(fast, reverse, clock));
        let [sleeper, waker] = told(&batches, &compiled, delay, [true, false]);
        prop_assert!(waker.lines.iter().any(|line| line.contains("Submit")), "something happens");
        let differs = sleeper.lines.iter().zip(&waker.lines).find(|(a, b)| a != b);
        prop_assert_eq!(differs, None);
        prop_assert_eq!(sleeper.lines.len(), waker.lines.len());
        // Nor does another lane, nor how the stream is cut.
        let mut one = Batch::new(Arc::clone(batches[0].instruments()));
        batches.iter().flat_map(Batch::iter).for_each(|record| one.push(record));
        let [again, _] = told(&[one], &compiled, delay, [true, true]);
        prop_assert_eq!(again.lines, waker.lines);
    }
}
