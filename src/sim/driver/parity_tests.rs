//! Law 1: a recorded session, stepped again, asks for the same, byte for byte.

use std::collections::BTreeMap;
use std::sync::Arc;

use qt_market::features::{BookFrom, Engine, EngineOptions, Named, Plan, Program};
use qt_model::instrument::Instruments;
use qt_model::order::Currency;
use qt_model::record::{Batch, Source};
use qt_model::step::{Execution, Input, Operator, TimerId};
use qt_model::time::Ts;
use qt_model::words::TimeInForce;
use qt_trade::core::{Core, Desk, Front, MarkRule, TopFrom};
use qt_trade::ledger::{Ledger, LedgerOptions, Matching};
use qt_trade::outbox::{Outbox, Output};
use qt_trade::risk::Stack;
use qt_trade::script::{self, Compiled, Definition, Scripted};

use super::{Driver, DriverOptions, LaneParts, Observer, Ours};
use crate::exchange::{Delay, Exchange, LatencyConfig, VenueConfig, Venues};
use crate::synth::{Config, Market};

/// An input, kept.
#[derive(Clone, Copy, Debug)]
enum Kept {
    /// A record, by its place in the batch of all that were received.
    Market(usize),
    Execution(Execution),
    Timer(TimerId),
    Operator(Operator),
}

/// What went in and what came out, in its order.
#[derive(Debug, Default)]
struct Tape {
    records: Batch,
    inputs: Vec<(Ts, Kept)>,
    outputs: Vec<String>,
}

impl Observer for Tape {
    fn input(&mut self, now: Ts, input: &Input<'_>, _ours: Ours<'_>) {
        let kept = match input {
            Input::Market(record) => {
                self.records.push(*record);
                Kept::Market(self.records.len() - 1)
            }
            Input::Execution(execution) => Kept::Execution(*execution),
            Input::Timer(timer) => Kept::Timer(*timer),
            Input::Operator(operator) => Kept::Operator(*operator),
        };
        self.inputs.push((now, kept));
    }

    fn asked(&mut self, now: Ts, output: &Output, _front: &Front, _ours: Ours<'_>) {
        self.outputs.push(format!("{} {output:?}", now.nanos()));
    }
}

fn market(seed: u64) -> (Vec<Batch>, Arc<Instruments>) {
    let config = Config { seed, events: Some(20_000), ..Config::default() };
    let mut synth = Market::new(&config).unwrap();
    let (mut batches, mut batch) = (Vec::new(), Batch::default());
    while synth.next(&mut batch).unwrap() {
        batches.push(batch.clone());
    }
    let instruments = Arc::clone(batches.last().unwrap().instruments());
    (batches, instruments)
}

/// Limits that follow the market, stops and brackets: all that a script can ask for.
fn busy() -> Compiled {
    let source = |key: &str, text: &str| script::Source { key: key.into(), text: text.into() };
    let mut definition = Definition::named("busy");
    definition.features.push(("lean".into(), source("features.lean", "z(ema(imbalance, 5), 50)")));
    definition.entry.long = Some(source("entry.long", "lean > 1"));
    definition.entry.short = Some(source("entry.short", "lean < -1"));
    definition.exit.long = Some(source("exit.long", "lean < 0 or held_s > 20"));
    definition.protect.stop_loss = Some(source("exit.stop_loss", "10 * tick"));
    definition.style.buy_at = Some(source("orders.buy_at", "best_bid"));
    definition.style.sell_at = Some(source("orders.sell_at", "best_ask"));
    definition.style.time_in_force = TimeInForce::Gtx;
    definition.style.timeout_ns = Some(3_000_000_000);
    definition.bracket.stop = Some(source("bracket.stop", "20 * tick"));
    definition.bracket.target = Some(source("bracket.target", "5 * tick"));
    definition.size = script::Size::Qty(source("size.qty", "lot * 3"));
    script::compile(&definition, &BTreeMap::new()).unwrap()
}

fn engine(compiled: &Compiled) -> Engine {
    let named = compiled.features.iter();
    let named: Vec<Named> =
        named.map(|expr| Named { name: expr.to_string(), expr: expr.clone() }).collect();
    let options = EngineOptions { book: BookFrom::Quotes, only: true, ..EngineOptions::default() };
    Engine::new(Program::new(Plan::new(&named).unwrap()), options, Box::new(|_| true))
}

fn desk(compiled: &Compiled, instruments: &Arc<Instruments>) -> Desk<Scripted> {
    let currency = Currency::new("USD").unwrap();
    let money = LedgerOptions { currency, matching: Matching::Average, initial: Vec::new() };
    let ledger = Ledger::new(&money, instruments).unwrap();
    let places: Vec<usize> = (0..compiled.features.len()).collect();
    let traded = instruments.by_symbol().map(|(id, _)| id).collect();
    let script = Scripted::new(compiled, &places, traded);
    Desk::new(script, ledger, Stack::default(), MarkRule::Mid)
}

/// A session over a simulated venue with drawn delays, recorded.
fn session(seed: u64) -> (Tape, Arc<Instruments>, Compiled, String) {
    let (batches, instruments) = market(seed);
    let compiled = busy();
    let delay = Delay::LogNormal { median_ns: 3_000_000, sigma: 0.8 };
    let latency = LatencyConfig {
        place: delay.clone(),
        cancel: delay.clone(),
        response: delay,
        ..LatencyConfig::default()
    };
    let venues = Venues::from(VenueConfig { latency, ..VenueConfig::default() });
    let engine = Some(engine(&compiled));
    let options = DriverOptions { top: TopFrom::Quotes, lookahead_ns: super::LOOKAHEAD_NS, engine };
    let mut driver = Driver::new(&instruments, None, options);
    let exchange = Exchange::new(&venues, &instruments).unwrap();
    let observer = Tape { records: Batch::new(Arc::clone(&instruments)), ..Tape::default() };
    let desk = desk(&compiled, &instruments);
    driver.add(LaneParts { desk, exchange, venues: &venues, observer }, seed);
    for batch in batches {
        driver.push(Arc::new(batch));
    }
    let (mut lanes, _) = driver.finish();
    let (desk, tape) = lanes.remove(0).into_parts();
    let worth = desk.ledger().home().precision.decimal(desk.ledger().equity());
    (tape, instruments, compiled, worth.to_string())
}

#[test]
fn a_recorded_session_stepped_again_asks_for_the_same() {
    for seed in [1, 2, 3] {
        let (tape, instruments, compiled, worth) = session(seed);
        let fills = tape.inputs.iter().filter(|(_, kept)| matches!(kept, Kept::Execution(_)));
        assert!(fills.count() > 20, "a session in which something happens");
        let front = Front::new(Arc::clone(&instruments), TopFrom::Quotes);
        let engine = Some(engine(&compiled));
        let mut core = Core::new(front, desk(&compiled, &instruments), engine);
        let (mut out, mut outputs) = (Outbox::default(), Vec::new());
        let mut note = |now: Ts, out: &mut Outbox| {
            outputs.extend(out.drain().map(|output| format!("{} {output:?}", now.nanos())));
        };
        core.start(tape.inputs[0].0, &mut out);
        note(tape.inputs[0].0, &mut out);
        for (now, kept) in &tape.inputs {
            let input = match kept {
                Kept::Market(at) => Input::Market(tape.records.get(*at)),
                Kept::Execution(execution) => Input::Execution(*execution),
                Kept::Timer(timer) => Input::Timer(*timer),
                Kept::Operator(operator) => Input::Operator(*operator),
            };
            core.step(*now, &input, &mut out);
            note(*now, &mut out);
        }
        let differs = tape.outputs.iter().zip(&outputs).find(|(ours, theirs)| ours != theirs);
        assert_eq!(differs, None, "seed {seed}");
        assert_eq!(tape.outputs.len(), outputs.len());
        let ledger = core.desk().ledger();
        let again = ledger.home().precision.decimal(ledger.equity());
        assert_eq!(again.to_string(), worth);
    }
}
