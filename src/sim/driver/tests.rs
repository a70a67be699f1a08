use std::sync::Arc;

use proptest::{prop_assert_eq, proptest};
use qt_model::ids::InstrumentId;
use qt_model::instrument::{Instrument, Instruments, Symbol};
use qt_model::order::{Currency, NewOrder, Report, ReportKind};
use qt_model::record::{Batch, Head, Kind, Quote, Record};
use qt_model::step::TimerId;
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::Side;
use qt_trade::core::{Context, MarkRule, Strategy, Wants};
use qt_trade::ledger::{Ledger, LedgerOptions, Matching};
use qt_trade::orders::Change;
use qt_trade::outbox::Output;
use qt_trade::risk::Stack;

use super::*;
use crate::exchange::{Delay, LatencyConfig, VenueConfig};

const LOOKAHEAD: i64 = 50;

/// Buys one at the market with each quote whose bid is even, and notes all that it hears.
#[derive(Debug, Default)]
struct Noter {
    heard: Vec<String>,
}

impl Strategy for Noter {
    fn wants(&self) -> Wants {
        Wants::kinds(&[Kind::Quote])
    }

    fn start(&mut self, context: &mut Context<'_>) {
        context.timer(TimerId(1), Ts::from_nanos(context.now().nanos() + 25));
    }

    fn market(&mut self, record: &Record<'_>, context: &mut Context<'_>) {
        let id = record.head().instrument.unwrap();
        let bid = context.top(id).bid.unwrap().px.mantissa();
        self.heard.push(format!("{} bid {bid}", context.now().nanos()));
        if bid % 2 == 0 {
            let _ = context.submit(NewOrder::market(id, Side::Buy, Qty::new(1).unwrap()));
        }
    }

    fn order(&mut self, change: &Change, context: &mut Context<'_>) {
        let px = change.fill.map(|fill| fill.px.mantissa());
        self.heard.push(format!("{} {} {px:?}", context.now().nanos(), change.entry.status));
    }

    fn timer(&mut self, _timer: TimerId, context: &mut Context<'_>) {
        self.heard.push(format!("{} timer", context.now().nanos()));
    }

    fn stop(&mut self, context: &mut Context<'_>) {
        self.heard.push(format!("{} stop", context.now().nanos()));
    }
}

/// Everything that a lane shows, as text.
#[derive(Debug, Default)]
struct Log(Vec<String>);

impl Observer for Log {
    fn asked(&mut self, now: Ts, output: &Output, _front: &Front, _ours: Ours<'_>) {
        self.0.push(format!("{} {output:?}", now.nanos()));
    }

    fn happened(&mut self, at: Ts, report: &Report, venue: AtVenue<'_>, _ours: Ours<'_>) {
        let is_fill = matches!(report.what, ReportKind::Filled(_));
        assert_eq!(is_fill, venue.facts.is_some(), "a fill comes with its facts");
        self.0.push(format!("{} {:?}", at.nanos(), report.what));
    }

    fn reported(&mut self, now: Ts, report: &Report, _did: Option<&Change>, _ours: Ours<'_>) {
        self.0.push(format!("{} {:?} at {}", now.nanos(), report.what, report.ts_event.nanos()));
    }

    fn valued(&mut self, now: Ts, ours: Ours<'_>) {
        self.0.push(format!("{} worth {}", now.nanos(), ours.ledger.equity().units()));
    }
}

fn table() -> (Arc<Instruments>, InstrumentId) {
    let mut table = Instruments::default();
    let symbol = Symbol::new("x:A").unwrap();
    let id = table.declare(Instrument::new(symbol, Scale::ZERO, Scale::ZERO)).unwrap();
    (Arc::new(table), id)
}

/// Quotes as (event time, receive time, bid); the ask is one above, a hundred on each side.
fn quotes(rows: &[(i64, i64, i64)]) -> Batch {
    let (table, id) = table();
    let mut batch = Batch::new(table);
    for (seq, (event, receive, bid)) in rows.iter().enumerate() {
        let (event, receive) = (Ts::from_nanos(*event), Ts::from_nanos(*receive));
        let hundred = Qty::new(100).ok();
        batch.push_row(
            Quote {
                head: Head::new(event, receive, seq as u64, Some(id)),
                bid_px: Some(Px::new(*bid)),
                bid_qty: hundred,
                ask_px: Some(Px::new(bid + 1)),
                ask_qty: hundred,
                id: None,
            },
            &[],
        );
    }
    batch
}

fn drive(rows: &[(i64, i64, i64)], cut: usize, config: &VenueConfig) -> (Vec<String>, Vec<String>) {
    let (table, _) = table();
    let options = DriverOptions { top: TopFrom::Quotes, lookahead_ns: LOOKAHEAD, engine: None };
    let mut driver = Driver::new(&table, None, options);
    let venues = Venues::from(config.clone());
    let currency = Currency::new("USD").unwrap();
    let money = LedgerOptions { currency, matching: Matching::Average, initial: Vec::new() };
    let ledger = Ledger::new(&money, &table).unwrap();
    let desk = Desk::new(Noter::default(), ledger, Stack::default(), MarkRule::Mid);
    let exchange = Exchange::new(&venues, &table).unwrap();
    driver.add(LaneParts { desk, exchange, venues: &venues, observer: Log::default() }, 1);
    for rows in rows.chunks(cut.max(1)) {
        driver.push(Arc::new(quotes(rows)));
    }
    let (mut lanes, driven) = driver.finish();
    assert_eq!(driven.records, rows.len() as u64);
    let (desk, log) = lanes.remove(0).into_parts();
    (desk.strategy().heard.clone(), log.0)
}

fn delays(place: i64, response: i64) -> VenueConfig {
    let ns = |ns| Delay::Constant { ns };
    let latency =
        LatencyConfig { place: ns(place), response: ns(response), ..LatencyConfig::default() };
    VenueConfig { latency, ..VenueConfig::default() }
}

#[test]
fn an_order_meets_the_market_of_the_instant_at_which_it_arrives() {
    // Received 10 behind the event; the order needs 4 to the venue, the answer 3 back.
    let rows = [(0, 10, 2), (12, 22, 5), (15, 25, 7), (40, 50, 9)];
    let (heard, _) = drive(&rows, 10, &delays(4, 3));
    let expected = [
        "10 bid 2",
        // At 14 the venue already shows 5, which the strategy has not seen.
        "17 acknowledged None",
        "17 filled Some(6)",
        "22 bid 5",
        "25 bid 7",
        "35 timer",
        "50 bid 9",
        "50 stop",
    ];
    assert_eq!(heard, expected);
}

#[test]
fn without_delays_an_order_meets_what_the_strategy_saw() {
    let (heard, _) = drive(&[(10, 10, 2), (20, 20, 4)], 10, &delays(0, 0));
    let fills: Vec<_> = heard.iter().filter(|it| it.contains("filled")).collect();
    assert_eq!(fills, ["10 filled Some(3)", "20 filled Some(5)"]);
    let (heard, _) = drive(&[(10, 10, 2), (20, 20, 4)], 10, &delays(1, 0));
    let fills: Vec<_> = heard.iter().filter(|it| it.contains("filled")).collect();
    assert_eq!(fills, ["11 filled Some(3)"], "what is under way when the data ends stays so");
}

#[test]
fn a_record_from_the_future_does_not_happen_before_it_is_received_nor_pass_another() {
    // The first claims to be later than it was received; the second is older than the first.
    let (heard, _) = drive(&[(30, 10, 2), (5, 12, 3), (40, 40, 5)], 10, &delays(1, 1));
    let answers = ["12 acknowledged None".to_owned(), "12 filled Some(4)".to_owned()];
    assert_eq!(heard[1..3], answers, "at 11 the venue shows what happened at 10");
    assert_eq!(heard[3], "12 bid 3");
}

proptest! {
    /// Laws 2 and 4: batches do not show, and what is received later changes nothing before, up to
    /// one look-ahead, in which the venue may live already.
    #[test]
    fn neither_batches_nor_the_future_change_the_past(
        steps in proptest::collection::vec((0_i64..30, 0_i64..70, 1_i64..20), 2..60),
        cut in 1_usize..20,
        keep in 1_usize..60,
        delays_ns in (0_i64..40, 0_i64..40),
    ) {
        let mut received = 100;
        let rows: Vec<_> = steps.iter().map(|(gap, lag, bid)| {
            received += gap;
            (received - lag, received, *bid)
        }).collect();
        let config = delays(delays_ns.0, delays_ns.1);
        let whole = drive(&rows, rows.len(), &config);
        prop_assert_eq!(&drive(&rows, cut, &config), &whole);
        let keep = keep.min(rows.len());
        let end = rows[keep - 1].1 - LOOKAHEAD;
        let (_, log) = drive(&rows[..keep], cut, &config);
        let before = |log: &[String]| {
            let time = |line: &String| line.split(' ').next().unwrap().parse::<i64>().unwrap();
            log.iter().filter(|line| time(line) < end).cloned().collect::<Vec<_>>()
        };
        prop_assert_eq!(before(&log), before(&whole.1));
    }
}
