//! Each rule against a stream that breaks it and nothing else.

use std::collections::BTreeSet;

use qt_model::ids::InstrumentId;
use qt_model::instrument::{Instrument, Symbol};
use qt_model::record::{Bar, Depth, Gap, InstrumentRow, Level, Other, Quote, Status, Trade};
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::{BarClock, DepthAction, GapReason, Side, TradingStatus};
use rust_decimal::Decimal;

use super::*;
use crate::calendar::Calendar;

const SECOND: i64 = 1_000_000_000;

/// 2024-01-02.
const START: i64 = 1_704_153_600 * SECOND;

/// A stream of one instrument of tick 0.05, its records a second apart unless told otherwise.
struct Stream {
    batch: Batch,
    id: InstrumentId,
    now: i64,
    seq: u64,
}

impl Stream {
    fn new() -> Self {
        let two = Scale::new(2).unwrap();
        let mut instrument = Instrument::new(Symbol::new("x:A").unwrap(), two, two);
        instrument.terms.tick = Some(Decimal::new(5, 2));
        let mut table = Instruments::default();
        let id = table.declare(instrument).unwrap();
        Self { batch: Batch::new(Arc::new(table)), id, now: START, seq: 0 }
    }

    fn head(&mut self) -> Head {
        self.now += SECOND;
        self.seq += 1;
        Head::new(
            Ts::from_nanos(self.now - 1_000_000),
            Ts::from_nanos(self.now),
            self.seq,
            Some(self.id),
        )
    }

    fn wait(mut self, seconds: i64) -> Self {
        self.now += seconds * SECOND;
        self
    }

    fn trade_row(&mut self, px: i64, qty: i64, id: u64) -> Trade {
        let head = self.head();
        Trade { head, px: Px::new(px), qty: Qty::new(qty).unwrap(), side: None, id: Some(id) }
    }

    fn trade(mut self, px: i64, qty: i64, id: u64) -> Self {
        let row = self.trade_row(px, qty, id);
        self.batch.push_row(row, &[]);
        self
    }

    /// A trade whose head is bent first.
    fn bent(mut self, id: u64, bend: impl FnOnce(&mut Head)) -> Self {
        let mut row = self.trade_row(10_000, 100, id);
        bend(&mut row.head);
        self.batch.push_row(row, &[]);
        self
    }

    fn trades(mut self, ids: impl IntoIterator<Item = u64>) -> Self {
        for id in ids {
            self = self.trade(10_000, 100, id);
        }
        self
    }

    fn quote(mut self, bid: Option<i64>, ask: Option<i64>) -> Self {
        let head = self.head();
        let qty = Some(Qty::new(100).unwrap());
        let (bid_px, ask_px) = (bid.map(Px::new), ask.map(Px::new));
        let (bid_qty, ask_qty) = (bid_px.and(qty), ask_px.and(qty));
        self.batch.push_row(Quote { head, bid_px, bid_qty, ask_px, ask_qty, id: None }, &[]);
        self
    }

    fn status(mut self, status: TradingStatus) -> Self {
        let head = self.head();
        self.batch.push_row(Status { head, status, reason: None }, &[]);
        self
    }

    fn depth(mut self, action: DepthAction, ids: (u64, u64), levels: &[(Side, i64, i64)]) -> Self {
        let head = self.head();
        let (first_id, last_id) = (Some(ids.0), Some(ids.1));
        let level = |(side, px, qty): &(Side, i64, i64)| Level {
            px: Px::new(*px),
            qty: Qty::new(*qty).unwrap(),
            side: *side,
        };
        let levels: Vec<Level> = levels.iter().map(level).collect();
        self.batch.push_row(Depth { head, action, first_id, last_id, prev_id: None }, &levels);
        self
    }

    fn gap(mut self, reason: GapReason) -> Self {
        let head = self.head();
        let (from, to) = (head.ts_recv, head.ts_recv);
        self.batch.push_row(Gap { head, from, to, reason, missing: Some(7) }, &[]);
        self
    }

    fn bar(mut self, open_ts: i64, prices: [i64; 4]) -> Self {
        let mut head = self.head();
        let open_ts = Ts::from_nanos(START + open_ts * SECOND);
        head.ts_event = Ts::from_nanos(open_ts.nanos() + 60 * SECOND);
        head.ts_recv = head.ts_event;
        let [open, high, low, close] = prices.map(Px::new);
        let row = Bar {
            head,
            clock: BarClock::Time,
            step: Decimal::from(60 * SECOND),
            open_ts,
            open,
            high,
            low,
            close,
            volume: Qty::new(5).unwrap(),
            buy_volume: None,
            notional: None,
            trades: None,
        };
        self.batch.push_row(row, &[]);
        self
    }

    fn report_with(self, limits: Limits, calendar: Calendar) -> Report {
        let limits = Arc::new(limits);
        let common = Arc::clone(&limits);
        let mut checker = Checker::new(calendar, common, Box::new(move |_| Arc::clone(&limits)));
        checker.batch(&self.batch);
        checker.finish(None, self.batch.instruments())
    }

    fn report(self) -> Report {
        self.report_with(Limits::default(), Calendar::default())
    }

    /// The names of the rules that it breaks.
    fn broken(self) -> BTreeSet<&'static str> {
        let findings = self.report().findings;
        let named = findings.iter().map(|found| found.rule.name());
        named.filter(|rule| !rule.starts_with("grade-")).collect()
    }
}

const BUY: Side = Side::Buy;
const SELL: Side = Side::Sell;

fn book() -> Stream {
    let levels = [(BUY, 9_995, 100), (SELL, 10_005, 100)];
    Stream::new().depth(DepthAction::Snapshot, (1, 10), &levels)
}

#[test]
fn each_rule_is_broken_by_its_own_stream() {
    let delta = DepthAction::Delta;
    let ago = |head: &mut Head| head.ts_event = Ts::from_nanos(head.ts_event.nanos() - 5 * SECOND);
    let cases: Vec<(&str, Stream)> = vec![
        (
            "order-recv",
            Stream::new().trades(0..9).bent(9, |head| {
                head.ts_recv = Ts::from_nanos(head.ts_recv.nanos() - SECOND - 500_000);
                head.ts_event = head.ts_recv;
            }),
        ),
        ("order-event", Stream::new().trades(0..9).bent(9, ago)),
        ("time-range", Stream::new().bent(0, |head| head.ts_event = Ts::from_nanos(5))),
        (
            "latency",
            Stream::new().bent(0, |head| {
                head.ts_event = Ts::from_nanos(head.ts_event.nanos() - 60 * SECOND);
            }),
        ),
        (
            "clock-behind",
            Stream::new().bent(0, |head| {
                head.ts_event = Ts::from_nanos(head.ts_recv.nanos() + SECOND);
            }),
        ),
        ("duplicate", Stream::new().trades(0..50).trades([49]).trades(50..60)),
        ("sequence", Stream::new().trades(0..50).trades(53..90)),
        (
            "sequence",
            book()
                .depth(delta, (11, 12), &[])
                .depth(delta, (13, 13), &[])
                .trades(0..30)
                .depth(delta, (14, 14), &[])
                .depth(delta, (15, 15), &[])
                .depths(16..80)
                .depth(delta, (99, 99), &[]),
        ),
        ("gap", Stream::new().gap(GapReason::Disconnect)),
        ("checksum", Stream::new().gap(GapReason::Corrupt)),
        ("no-snapshot", Stream::new().depth(delta, (1, 1), &[(BUY, 9_995, 1)])),
        ("no-snapshot", book().gap(GapReason::Sequence).depth(delta, (11, 11), &[])),
        ("crossed", Stream::new().quote(Some(10_010), Some(10_005))),
        (
            "crossed-pre-open",
            Stream::new().status(TradingStatus::PreOpen).quote(Some(10_010), Some(10_005)),
        ),
        ("locked", Stream::new().quote(Some(10_005), Some(10_005))),
        ("crossed-book", book().depth(delta, (11, 11), &[(BUY, 10_010, 5)])),
        ("one-sided", Stream::new().quote(Some(10_005), None)),
        ("empty-quote", Stream::new().quote(None, None)),
        ("spread", Stream::new().quote(Some(5_000), Some(10_000))),
        ("zero-price", Stream::new().trade(0, 1, 1)),
        ("negative-price", Stream::new().trade(-100, 1, 1)),
        ("zero-size", Stream::new().trade(10_000, 0, 1)),
        ("size", Stream::new().trades(0..200).trade(10_000, 100 * 200_000, 200)),
        ("tick", Stream::new().trade(10_001, 1, 1)),
        ("tick", book().depth(delta, (11, 11), &[(BUY, 9_991, 5)])),
        ("jump", Stream::new().trade(10_000, 1, 1).trade(20_000, 1, 2)),
        ("silence", Stream::new().trades(0..2).wait(100_000).trades(2..4)),
        ("stale", long_run()),
        ("bar", Stream::new().bar(0, [10_000, 9_000, 8_000, 8_500])),
        (
            "bar-missing",
            Stream::new().bar(0, [10_000; 4]).bar(60, [10_000; 4]).bar(240, [10_000; 4]),
        ),
        ("schema", Stream::new().terms(5)),
        ("unknown-kind", Stream::new().unknown()),
        ("clock-drift", Stream::new().drifting()),
    ];
    for (rule, stream) in cases {
        let report = stream.report();
        let mut broken: BTreeSet<_> =
            report.findings.iter().map(|found| found.rule.name()).collect();
        // A long silence is a hole in the coverage as well, and a gap ends a book.
        broken.retain(|rule| !rule.starts_with("grade-"));
        if rule == "silence" {
            broken.remove("coverage");
        }
        if rule == "no-snapshot" {
            broken.remove("gap");
        }
        assert_eq!(broken, BTreeSet::from([rule]), "{:#?}", report.findings);
    }
}

impl Stream {
    fn depths(mut self, ids: impl IntoIterator<Item = u64>) -> Self {
        for id in ids {
            self = self.depth(DepthAction::Delta, (id, id), &[]);
        }
        self
    }

    fn terms(mut self, px_scale: u64) -> Self {
        let head = self.head();
        let row = InstrumentRow {
            head,
            px_scale,
            qty_scale: 2,
            class: None,
            payoff: None,
            tick: None,
            lot: None,
            multiplier: None,
            base: None,
            quote: None,
            settle: None,
            root: None,
            expiry: None,
        };
        self.batch.push_row(row, &[]);
        self
    }

    fn unknown(mut self) -> Self {
        let head = self.head();
        self.batch.push_row(Other { head, kind: "moon".into(), json: "{}".into() }, &[]);
        self
    }

    /// Three hours, the last of them half a second later than the others.
    fn drifting(mut self) -> Self {
        for id in 0..1_080 {
            let late = if id >= 720 { SECOND / 2 } else { 0 };
            self = self
                .bent(id, |head| head.ts_event = Ts::from_nanos(head.ts_recv.nanos() - late))
                .wait(9);
        }
        self
    }
}

/// Trades for hours beside a quote that never comes again.
fn long_run() -> Stream {
    let mut stream = Stream::new().quote(Some(9_995), Some(10_005));
    for id in 0..200 {
        stream = stream.trade(10_000, 100, id).wait(60);
    }
    stream.quote(Some(9_995), Some(10_000))
}

#[test]
fn a_sound_stream_has_no_findings() {
    let stream = book()
        .quote(Some(9_995), Some(10_005))
        .trades(0..100)
        .depth(DepthAction::Delta, (11, 14), &[(BUY, 9_995, 0), (BUY, 9_990, 3)])
        .depth(DepthAction::Delta, (15, 15), &[(BUY, 9_995, 9)])
        .quote(Some(9_995), Some(10_005))
        .bar(600, [10_000; 4]);
    assert_eq!(stream.broken(), BTreeSet::new());
}

#[test]
fn closed_hours_are_no_silence_and_crossing_in_them_is_no_error() {
    let ts = |seconds: i64| Ts::from_nanos(START + seconds * SECOND);
    let calendar = Calendar::new(vec![(ts(0), ts(100)), (ts(50_000), ts(60_000))]);
    let day = |at: i64| Stream::new().trades(0..60).wait(at).quote(Some(10_005), Some(10_000));
    let rules = |stream: Stream| -> Vec<_> {
        let report = stream.report_with(Limits::default(), calendar.clone());
        let named = report.findings.iter().map(|found| found.rule.name());
        named.filter(|rule| !rule.starts_with("grade-")).collect()
    };
    assert_eq!(rules(day(20_000)), ["crossed-pre-open"]);
    assert_eq!(rules(day(50_000)), ["crossed"]);
}

#[test]
fn limits_decide_what_fails() {
    let crossed = || Stream::new().quote(Some(10_010), Some(10_005));
    assert!(crossed().report().violates(Severity::Error));
    assert!(!crossed().report().violates(Severity::Critical));
    let held = |change: fn(&mut Limit)| {
        let mut limits = Limits::default();
        change(limits.get_mut(Rule::Crossed));
        crossed().report_with(limits, Calendar::default())
    };
    assert!(!held(|limit| limit.allow = 1).violates(Severity::Error));
    assert!(!held(|limit| limit.severity = Some(Severity::Info)).violates(Severity::Warning));
    let off = held(|limit| limit.severity = None);
    assert!(off.findings.iter().all(|found| found.rule != Rule::Crossed));
}

#[test]
fn a_message_says_how_often_and_what_the_worst_was() {
    let report = Stream::new().trade(10_000, 1, 1).trade(20_000, 1, 2).trade(20_000, 1, 3).report();
    let message = report.findings[0].message();
    assert_eq!(
        message,
        "The price moves far from one print to the next (trade): once, at worst 100.00 % at \
         2024-01-02T00:00:02.000000000Z"
    );
    let row = report.findings[0].row(Some("a file"));
    assert_eq!(
        (row.rule.as_str(), row.count, row.place.as_deref()),
        ("jump", Some(1), Some("a file"))
    );
}

#[test]
fn measures_read_well() {
    let cases = [
        (Unit::Nanos, 999, "999 ns"),
        (Unit::Nanos, 1_270_000_000, "1.27 s"),
        (Unit::Nanos, 5_400_000_000_000, "1.5 h"),
        (Unit::Ppm, 12_345, "1.23 %"),
        (Unit::Times, 4, "4 times the average"),
        (Unit::Records, 3, "3 missing"),
    ];
    for (unit, measure, text) in cases {
        assert_eq!(unit.show(measure), text);
    }
}
