//! A lane that sleeps asks for the same and is told the same as one that never does.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::Just;
use proptest::{prop_assert, prop_assert_eq, proptest};
use qt_market::features::{BookFrom, Engine, EngineOptions, Named, Plan, Program};
use qt_model::ids::InstrumentId;
use qt_model::instrument::Instruments;
use qt_model::order::Report;
use qt_model::record::{
    Bar, BarStep, Batch, ColumnTable, Kind, Quote, Record, SharedBars, SharedColumn, SharedColumns,
    SharedQuotes, Source,
};
use qt_model::time::Ts;
use qt_model::units::Qty;
use qt_trade::core::{Desk, Front, MarkRule, TopFrom};
use qt_trade::ledger::{Amount, Exposed, Ledger, LedgerOptions, Matching};
use qt_trade::metrics::Touch;
use qt_trade::outbox::Output;
use qt_trade::risk::Stack;
use qt_trade::script::{self, Compiled, Definition, Scripted};

use super::{AtVenue, Driver, DriverOptions, LaneParts, Observer, Ours, Records};
use crate::exchange::{Delay, Exchange, Latency, LatencyConfig, VenueConfig, Venues};
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
    batches: &[Vec<Records>],
    instruments: &Arc<Instruments>,
    compiled: &Compiled,
    (delay, feed): (i64, i64),
    may_wait: [bool; 2],
) -> ([Told; 2], Vec<String>) {
    let named = compiled.features.iter();
    let named: Vec<Named> =
        named.map(|expr| Named { name: expr.to_string(), expr: expr.clone() }).collect();
    let options = EngineOptions { book: BookFrom::Quotes, only: true, ..EngineOptions::default() };
    let engine = Engine::new(Program::new(Plan::new(&named).unwrap()), options, Box::new(|_| true));
    let (top, lookahead_ns) = (TopFrom::Quotes, super::LOOKAHEAD_NS);
    let options = DriverOptions { top, lookahead_ns, engine: Some(engine) };
    let feed = (feed > 0).then(|| {
        let feed = Delay::LogNormal { median_ns: feed, sigma: 0.7 };
        Latency::new(LatencyConfig { feed, ..LatencyConfig::default() }, 7)
    });
    let mut driver = Driver::new(instruments, feed, options);
    let ns = Delay::Constant { ns: delay };
    let latency = LatencyConfig { place: ns.clone(), response: ns, ..LatencyConfig::default() };
    let venues = Venues::from(VenueConfig { latency, ..VenueConfig::default() });
    let currency = qt_model::order::Currency::new("USD").unwrap();
    let money = LedgerOptions { currency, matching: Matching::Average, initial: Vec::new() };
    for may_wait in may_wait {
        let places: Vec<usize> = (0..compiled.features.len()).collect();
        let traded = instruments.by_symbol().map(|(id, _)| id).collect();
        let script = Scripted::new(compiled, &places, traded);
        let ledger = Ledger::new(&money, instruments).unwrap();
        let desk = Desk::new(script, ledger, Stack::default(), MarkRule::Mid);
        let exchange = Exchange::new(&venues, instruments).unwrap();
        let observer = Told { may_wait, ..Told::default() };
        driver.add(LaneParts { desk, exchange, venues: &venues, observer }, 1);
    }
    let mut states = Vec::new();
    for batch in batches {
        for records in batch {
            driver.push(records.clone());
        }
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

fn synth(seed: u64, symbols: usize, events: u64) -> Vec<Batch> {
    let config = Config { seed, events: Some(events), ..Config::default() };
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

/// The same with every so manieth quote long on its way, or crossed, or from the future; with `every` of
/// one, all of them received as they happen.
fn delayed(batch: &Batch, every: u64) -> Batch {
    let mut delayed = Batch::new(Arc::clone(batch.instruments()));
    for record in batch.iter() {
        let head = *record.head();
        let Record::Quote(view) = record else {
            delayed.push(record);
            continue;
        };
        let mut row = *view.row;
        if every == 1 {
            row.head.ts_event = row.head.ts_recv;
        } else if every > 0 && head.seq % every == 0 {
            let back = [3_000_000_000, 20_000_000, -5_000_000][(head.seq / every % 3) as usize];
            row.head.ts_event = Ts::from_nanos(head.ts_event.nanos() - back);
            if head.seq % 5 == 0 {
                std::mem::swap(&mut row.bid_px, &mut row.ask_px);
            }
        }
        delayed.push_row(row, &[]);
    }
    delayed
}

/// The same in short batches.
fn cut(batches: &[Batch], size: usize) -> Vec<Batch> {
    let records: Vec<_> = batches.iter().flat_map(Batch::iter).collect();
    let short = records.chunks(size).map(|records| {
        let mut batch = Batch::new(Arc::clone(batches[0].instruments()));
        records.iter().for_each(|record| batch.push(*record));
        batch
    });
    short.collect()
}

/// A batch as it is.
fn rows(batch: &Batch) -> Vec<Records> {
    vec![Arc::new(batch.clone()).into()]
}

/// The same with neighbours as columns that are of one kind, one instrument and, of bars, one length.
fn columns(batch: &Batch) -> Vec<Records> {
    let records: Vec<_> = batch.iter().collect();
    let runs = records.chunk_by(|one, other| likeness(one) == likeness(other));
    let part = |run: &[Record<'_>]| match likeness(&run[0]) {
        Some((instrument, step)) => {
            let columns = step.map_or_else(|| quote_columns(run), |of| bar_columns(run, of));
            let instruments = Arc::clone(batch.instruments());
            ColumnTable::new(instruments, instrument, columns).unwrap().into()
        }
        None => {
            let mut rows = Batch::new(Arc::clone(batch.instruments()));
            run.iter().for_each(|record| rows.push(*record));
            Arc::new(rows).into()
        }
    };
    runs.map(part).collect()
}

/// What records of one table have in common, if there are such.
fn likeness(record: &Record<'_>) -> Option<(InstrumentId, Option<BarStep>)> {
    let instrument = record.head().instrument?;
    let is_whole = |row: &Quote| row.bid_px.is_some() && row.ask_px.is_some();
    if let Some(row) = bar(record) {
        return Some((instrument, Some(BarStep { clock: row.clock, step: row.step })));
    }
    quote(record).filter(is_whole).map(|_| (instrument, None))
}

fn quote(record: &Record<'_>) -> Option<Quote> {
    if let Record::Quote(view) = record { Some(*view.row) } else { None }
}

fn bar(record: &Record<'_>) -> Option<Bar> {
    if let Record::Bar(view) = record { Some(view.row.clone()) } else { None }
}

fn column<T>(rows: &[T], of: impl Fn(&T) -> i64) -> SharedColumn<i64> {
    Arc::new(rows.iter().map(of).collect::<Vec<_>>())
}

fn quote_columns(run: &[Record<'_>]) -> SharedColumns {
    let rows: Vec<Quote> = run.iter().filter_map(quote).collect();
    let columns = SharedQuotes {
        ts_event: column(&rows, |row| row.head.ts_event.nanos()),
        ts_recv: column(&rows, |row| row.head.ts_recv.nanos()),
        seq: Arc::new(rows.iter().map(|row| row.head.seq).collect::<Vec<_>>()),
        bid_px: column(&rows, |row| row.bid_px.unwrap().mantissa()),
        bid_qty: column(&rows, |row| row.bid_qty.unwrap_or_default().mantissa()),
        ask_px: column(&rows, |row| row.ask_px.unwrap().mantissa()),
        ask_qty: column(&rows, |row| row.ask_qty.unwrap_or_default().mantissa()),
        id: None,
    };
    columns.into()
}

fn bar_columns(run: &[Record<'_>], of: BarStep) -> SharedColumns {
    let rows: Vec<Bar> = run.iter().filter_map(bar).collect();
    let columns = SharedBars {
        of,
        ts_event: column(&rows, |row| row.head.ts_event.nanos()),
        ts_recv: column(&rows, |row| row.head.ts_recv.nanos()),
        seq: Arc::new(rows.iter().map(|row| row.head.seq).collect::<Vec<_>>()),
        open_ts: column(&rows, |row| row.open_ts.nanos()),
        open: column(&rows, |row| row.open.mantissa()),
        high: column(&rows, |row| row.high.mantissa()),
        low: column(&rows, |row| row.low.mantissa()),
        close: column(&rows, |row| row.close.mantissa()),
        volume: column(&rows, |row| row.volume.mantissa()),
    };
    columns.into()
}

/// One batch of several.
fn joined(batches: &[Batch]) -> Batch {
    let mut one = Batch::new(Arc::clone(batches[0].instruments()));
    batches.iter().flat_map(Batch::iter).for_each(|record| one.push(record));
    one
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]
    #[test]
    fn to_sleep_changes_nothing(
        seed in 0_u64..1_000,
        fast in 3_u32..20,
        reverse in proptest::bool::ANY,
        clock in 0_u32..6,
        delay in (0_i64..3_000_000_000, proptest::prop_oneof![
            Just(0_i64), 1_i64..2_000_000_000
        ]),
        view in 0_usize..3,
    ) {
        let (view, input) = [(all as View, "mid"), (quotes, "mid"), (bars, "close")][view];
        let batches = cut(&synth(seed, 2, 6_000).iter().map(view).collect::<Vec<_>>(), 150);
        let instruments = batches[0].instruments();
        let compiled = script(input, fast, reverse, clock);
        let told = |batches: &[Vec<Records>], may_wait| {
            told(batches, instruments, &compiled, delay, may_wait)
        };
        let one = [joined(&batches)];
        let batches: Vec<_> = batches.iter().map(rows).collect();
        let ([sleeper, waker], awake) = told(&batches, [true, false]);
        prop_assert!(waker.lines.iter().any(|line| line.contains("Submit")), "something happens");
        let differs = sleeper.lines.iter().zip(&waker.lines).find(|(a, b)| a != b);
        prop_assert_eq!(differs, None);
        prop_assert_eq!(sleeper.lines.len(), waker.lines.len());
        // Nor does another lane, nor how the stream is cut.
        let ([again, _], _) = told(&[rows(&one[0])], [true, true]);
        prop_assert_eq!(&again.lines, &waker.lines);
        // Nor does it leave another market behind, where nobody is awake to look.
        let ([again, _], asleep) = told(&batches, [true, true]);
        prop_assert_eq!(&again.lines, &waker.lines);
        prop_assert_eq!(asleep, awake);
    }

    #[test]
    fn columns_are_what_their_rows_are(
        seed in 0_u64..1_000,
        fast in 3_u32..20,
        reverse in proptest::bool::ANY,
        clock in 0_u32..6,
        delay in (0_i64..3_000_000_000, proptest::prop_oneof![
            Just(0_i64), 1_i64..2_000_000_000
        ]),
        view in 0_usize..3,
        symbols in 1_usize..3,
        size in proptest::prop_oneof![1_usize..20, 100_usize..900],
        late in proptest::prop_oneof![Just(1_u64), Just(0), 2_u64..400],
        may_wait in proptest::bool::weighted(0.8),
    ) {
        let (view, input) = [(all as View, "mid"), (quotes, "mid"), (bars, "close")][view];
        let market = synth(seed, symbols, 20_000);
        let market: Vec<_> = market.iter().map(|batch| view(&delayed(batch, late))).collect();
        let batches = cut(&market, size);
        let instruments = batches[0].instruments();
        let compiled = script(input, fast, reverse, clock);
        let told = |batches: &[Vec<Records>], may_wait| {
            told(batches, instruments, &compiled, delay, may_wait)
        };
        let by_row: Vec<_> = batches.iter().map(rows).collect();
        let ([waker, _], by_row) = told(&by_row, [false, false]);
        prop_assert!(waker.lines.iter().any(|line| line.contains("Submit")), "something happens");
        let by_column: Vec<_> = batches.iter().map(columns).collect();
        prop_assert!(by_column.iter().flatten().any(|it| matches!(it, Records::Columns(_))));
        let ([one, other], by_column) = told(&by_column, [true, may_wait]);
        for lane in [one, other] {
            let differs = lane.lines.iter().zip(&waker.lines).find(|(a, b)| a != b);
            prop_assert_eq!(differs, None);
            prop_assert_eq!(lane.lines.len(), waker.lines.len());
        }
        // The last state: behind a batch, the cut of the stream may show.
        prop_assert_eq!(by_column.last(), by_row.last());
    }
}
