//! A market maker on a busy day against the simulated venue: nanoseconds of CPU per record, and the
//! hash of the fills, so that fast and wrong cannot pass.
//!
//! Without an argument the day is synthetic. `--day FILE` takes one in the layout of hftbacktest (an
//! array of 64-byte records in an `.npy` file), `--fills FILE` writes what was filled, one line each:
//! venue time, side, price in ticks, size in lots. `--only replay` and the like do one part alone.

mod day;
mod quoter;

use std::fmt::Write as _;
use std::sync::Arc;

use qt_model::instrument::Instruments;
use qt_model::order::{Currency, NewOrder, OrderNo};
use qt_model::record::Batch;
use qt_model::units::{Px, Qty};
use qt_model::words::Side;
use qt_sim::driver::{Driver, DriverOptions, LOOKAHEAD_NS, LaneParts, Unwatched};
use qt_sim::exchange::{Exchange, Market, News, VenueConfig, Venues};
use qt_trade::core::{Desk, MarkRule, Strategy, TopFrom, Wants};
use qt_trade::ledger::{Ledger, LedgerOptions, Matching};
use qt_trade::risk::{Exposure, Stack};
use rustix::time::{ClockId, clock_gettime};

use quoter::{Fills, Quoter};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).cloned()
    };
    let batches = value("--day").map_or_else(day::synthetic, |path| day::of_file(&path));
    let records: usize = batches.iter().map(|batch| batch.len()).sum();
    let only = value("--only");
    let is_due = |part: &str| only.as_ref().is_none_or(|only| only == part);
    if is_due("public") {
        public_alone(&batches, records);
    }
    if is_due("resting") {
        resting_pair(&batches, records);
    }
    if is_due("replay") {
        both_books(&batches, records);
    }
    if is_due("maker") {
        let fills = whole_run(&batches, records);
        if let Some(path) = value("--fills") {
            std::fs::write(path, fills.lines()).expect("the fills can be written");
        }
    }
}

/// The venue's public market, without an order of ours.
fn public_alone(batches: &[Arc<Batch>], records: usize) {
    let mut market = Market::new(batches[0].instruments());
    let begun = cpu_ns();
    let mut heard = 0_u64;
    for batch in batches {
        for record in batch.iter() {
            heard += u64::from(market.apply(&record) != News::Nothing);
        }
    }
    say("public market", cpu_ns() - begun, records, &format!("{heard} heard"));
}

/// The same, with a bid and an ask of ours that nothing reaches.
fn resting_pair(batches: &[Arc<Batch>], records: usize) {
    let instruments = batches[0].instruments();
    let mut market = Market::new(instruments);
    let mut exchange = Exchange::new(&venues(), instruments).expect("a good configuration");
    let (mut out, mut is_placed) = (Vec::new(), false);
    let begun = cpu_ns();
    for batch in batches {
        for record in batch.iter() {
            let head = record.head();
            let instrument = head.instrument.expect("each record names one");
            market.apply(&record);
            if exchange.is_concerned(&market, &record) {
                exchange.market(head.ts_event, &market, &record, &mut out);
            }
            let top = market.top(instrument);
            if let (Some(bid), Some(ask), false) = (top.bid, top.ask, is_placed) {
                let far = |px: Px, by: i64| Px::new(px.mantissa() + by * px.mantissa() / 3);
                let one = Qty::new(1).expect("one is not negative");
                let orders = [
                    NewOrder::limit(instrument, Side::Buy, one, far(bid.px, -1)),
                    NewOrder::limit(instrument, Side::Sell, one, far(ask.px, 1)),
                ];
                for (number, new) in (1..).zip(orders) {
                    let new = Stack::default().judge(new, &Exposure::default());
                    let new = new.expect("there are no rules");
                    exchange.submit(head.ts_event, OrderNo(number), new, &market, &mut out);
                }
                is_placed = true;
            }
        }
    }
    say("a resting pair", cpu_ns() - begun, records, &format!("{} reports", out.len()));
}

/// Wants nothing, does nothing.
#[derive(Debug)]
struct Idle;

impl Strategy for Idle {
    fn wants(&self) -> Wants {
        Wants::NOTHING
    }
}

/// Both clocks and both books, and nobody who trades: a replay.
fn both_books(batches: &[Arc<Batch>], records: usize) {
    let instruments = batches[0].instruments();
    let venues = venues();
    let options = DriverOptions { top: TopFrom::Depth, lookahead_ns: LOOKAHEAD_NS, engine: None };
    let mut driver = Driver::new(instruments, None, options);
    let desk = Desk::new(Idle, ledger(instruments), Stack::default(), MarkRule::Mid);
    let exchange = Exchange::new(&venues, instruments).expect("a good configuration");
    driver.add(LaneParts { desk, exchange, venues: &venues, observer: Unwatched }, 1);
    let begun = cpu_ns();
    for batch in batches {
        driver.push(Arc::clone(batch));
    }
    let (id, _) = instruments.by_symbol().next().expect("a day has an instrument");
    let top = driver.front().seen(id).top();
    let (_, driven) = driver.finish();
    say("a replay", cpu_ns() - begun, records, &format!("{} records, {top:?}", driven.records));
}

/// Both clocks, the desk and the venue.
fn whole_run(batches: &[Arc<Batch>], records: usize) -> Fills {
    let instruments = batches[0].instruments();
    let venues = venues();
    let mut driver = Driver::new(
        instruments,
        None,
        DriverOptions { top: TopFrom::Depth, lookahead_ns: LOOKAHEAD_NS, engine: None },
    );
    let first = batches[0].head(0).ts_event;
    let (id, instrument) = instruments.by_symbol().next().expect("a day has an instrument");
    let quoter = Quoter::new(id, instrument, first);
    let mark = MarkRule::Mid;
    let desk = Desk::new(quoter, ledger(instruments), Stack::default(), mark);
    let exchange = Exchange::new(&venues, instruments).expect("a good configuration");
    let observer = Fills::new(instrument);
    driver.add(LaneParts { desk, exchange, venues: &venues, observer }, 1);
    let begun = cpu_ns();
    for batch in batches {
        driver.push(Arc::clone(batch));
    }
    let (mut lanes, _) = driver.finish();
    let spent = cpu_ns() - begun;
    let lane = lanes.remove(0);
    let position = lane.desk().ledger().position(id).qty();
    let (_, fills) = lane.into_parts();
    let mut text = String::new();
    let _ = write!(text, "{} fills, position {position}, hash {:016x}", fills.len(), fills.hash());
    say("market maker", spent, records, &text);
    fills
}

/// The terms of the day: what other backtesters are set to as well.
fn venues() -> Venues {
    let text = "every word of it is known";
    Venues::from(VenueConfig {
        fills: "calibrated,queue=power3(3),partial=off".parse().expect(text),
        latency: "1ms".parse().expect(text),
        fees: "maker=-0.5bps,taker=7bps".parse().expect(text),
        ..VenueConfig::default()
    })
}

fn ledger(instruments: &Instruments) -> Ledger {
    let currency = Currency::new("USD").expect("three plain letters");
    let options = LedgerOptions { currency, matching: Matching::Average, initial: Vec::new() };
    Ledger::new(&options, instruments).expect("few decimals")
}

fn say(what: &str, spent_ns: i64, records: usize, result: &str) {
    let each = spent_ns as f64 / records as f64;
    println!("{what:15} {records} records  {each:6.1} ns each  {result}");
}

fn cpu_ns() -> i64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}
