//! One book that two clocks look at shows what two books would have shown.

use std::sync::Arc;

use proptest::{prop_assert, prop_assert_eq, proptest};
use qt_model::ids::InstrumentId;
use qt_model::instrument::{Instrument, Instruments, Symbol};
use qt_model::order::{Currency, NewOrder, OrderNo, Pricing, Report};
use qt_model::record::{Batch, Depth, Gap, Head, Kind, Level, Mbo, Quote, Record, Status, Trade};
use qt_model::step::TimerId;
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::{DepthAction, GapReason, MboAction, Side, TradingStatus};
use qt_trade::core::{Context, Desk, Front, MarkRule, Strategy, Top, TopFrom, Wants};
use qt_trade::ledger::{Ledger, LedgerOptions, Matching};
use qt_trade::metrics::Touch;
use qt_trade::orders::Change;
use qt_trade::outbox::Output;
use qt_trade::risk::{Exposure, Stack};

use super::{AtVenue, Driver, DriverOptions, LaneParts, Observer, Ours};
use crate::exchange::{
    Delay, Exchange, FillModel, Latency, LatencyConfig, Market, Preset, VenueConfig, Venues,
};

const LOOKAHEAD: i64 = 60;
const KINDS: [Kind; 6] =
    [Kind::Depth, Kind::Trade, Kind::Quote, Kind::Gap, Kind::Mbo, Kind::Status];

/// Quotes and takes by a clock of its own, and notes what it sees whenever it is called.
#[derive(Debug)]
struct Maker {
    wants: Wants,
    every: i64,
    turn: i64,
    /// By the clock and by orders; by records.
    seen: [Vec<String>; 2],
}

impl Maker {
    fn note(&mut self, list: usize, context: &Context<'_>) {
        let mut line = context.now().nanos().to_string();
        for (id, _) in context.instruments().by_symbol() {
            let seen = context.seen(id);
            let state = (seen.top(), seen.last(), seen.status(), seen.updated());
            line += &format!(" {state:?} {}", context.position(id).qty());
        }
        self.seen[list].push(line);
    }
}

impl Strategy for Maker {
    fn wants(&self) -> Wants {
        self.wants
    }

    fn start(&mut self, context: &mut Context<'_>) {
        context.timer(TimerId(1), Ts::from_nanos(context.now().nanos() + self.every));
    }

    fn market(&mut self, record: &Record<'_>, context: &mut Context<'_>) {
        self.note(1, context);
        if let (Record::Depth(view), true) = (record, self.wants.levels) {
            let seen = context.seen(view.row.head.instrument.unwrap());
            assert_eq!(seen.book().map(Top::of), Some(seen.top()), "a book of its own");
        }
    }

    fn order(&mut self, _change: &Change, context: &mut Context<'_>) {
        self.note(0, context);
    }

    fn timer(&mut self, timer: TimerId, context: &mut Context<'_>) {
        self.note(0, context);
        self.turn += 1;
        let ids: Vec<InstrumentId> = context.instruments().by_symbol().map(|(id, _)| id).collect();
        let id = ids[self.turn as usize % ids.len()];
        if self.turn % 3 == 0 {
            context.cancel_all(id);
        }
        let top = context.top(id);
        let sides = [(Side::Buy, top.bid, -1), (Side::Sell, top.ask, 1)];
        for (side, best, away) in sides {
            let Some(best) = best.filter(|_| context.position(id).qty().abs() < 40) else {
                continue;
            };
            let px = Px::new(best.px.mantissa() + away * (self.turn % 3));
            let new = NewOrder::limit(id, side, Qty::new(3).unwrap(), px);
            let trigger = Px::new(best.px.mantissa() - 2 * away);
            let new = match self.turn % 11 {
                5 => NewOrder::market(id, side, Qty::new(2).unwrap()),
                7 => NewOrder { pricing: Pricing::Stop { trigger }, ..new },
                _ => new,
            };
            let _ = context.submit(new);
        }
        let again = context.now().nanos() + self.every;
        context.timer(timer, Ts::from_nanos(again));
    }
}

/// All that an observer is told, in its order, but for records.
#[derive(Debug, Default)]
struct Told {
    may_wait: bool,
    lines: Vec<String>,
}

impl Observer for Told {
    fn may_wait(&self) -> bool {
        self.may_wait
    }

    fn shown(&mut self, at: Ts, instrument: InstrumentId, touch: Option<Touch>) {
        self.lines.push(format!("{} {instrument:?} {touch:?}", at.nanos()));
    }

    fn happened(&mut self, at: Ts, report: &Report, _venue: AtVenue<'_>, ours: Ours<'_>) {
        let equity = ours.ledger.equity().units();
        self.lines.push(format!("{} {report:?} with {equity}", at.nanos()));
    }

    fn asked(&mut self, now: Ts, output: &Output, _front: &Front, _ours: Ours<'_>) {
        self.lines.push(format!("{} {output:?}", now.nanos()));
    }

    fn valued(&mut self, now: Ts, ours: Ours<'_>) {
        self.lines.push(format!("{} worth {}", now.nanos(), ours.ledger.equity().units()));
    }
}

fn table() -> Arc<Instruments> {
    let mut table = Instruments::default();
    for symbol in ["x:A", "x:B", "y:C"] {
        let symbol = Symbol::new(symbol).unwrap();
        table.declare(Instrument::new(symbol, Scale::ZERO, Scale::ZERO)).unwrap();
    }
    Arc::new(table)
}

/// What comes next of the market: what it is, how long after the last, how late, price and size.
type Move = (u32, i64, i64, i64, i64);

/// Mostly depth around a price of 100, with all that a book can meet.
fn stream(moves: &[Move], table: &Arc<Instruments>) -> Vec<Batch> {
    let ids: Vec<InstrumentId> = table.by_symbol().map(|(id, _)| id).collect();
    let (mut received, mut batches) = (1_000, Vec::new());
    let mut batch = Batch::new(Arc::clone(table));
    for (seq, (what, gap, late, px, qty)) in moves.iter().enumerate() {
        received += gap;
        let (at, now) = (Ts::from_nanos(received - late), Ts::from_nanos(received));
        let id = ids[(what / 64) as usize % ids.len()];
        let head = Head::new(at, now, seq as u64, Some(id));
        let side = if px % 2 == 0 { Side::Buy } else { Side::Sell };
        let away = if side == Side::Buy { -px / 4 } else { px / 4 };
        let (near, size) = (Px::new(100 + away), Qty::new(*qty).unwrap());
        let depth = |action| Depth { head, action, first_id: None, last_id: None, prev_id: None };
        let level =
            |px: i64, qty, side| Level { px: Px::new(px), qty: Qty::new(qty).unwrap(), side };
        match what % 64 {
            0 | 1 => {
                let bid = 100 - px % 5;
                let levels = [
                    level(bid, 5, Side::Buy),
                    level(bid - 1, *qty, Side::Buy),
                    level(bid + 2, 7, Side::Sell),
                    level(bid + 3, *qty, Side::Sell),
                ];
                batch.push_row(depth(DepthAction::Snapshot), &levels);
            }
            2 => {
                let nowhere = Head { instrument: None, ..head };
                let head = if px % 2 == 0 { head } else { nowhere };
                let (from, to, reason) = (at, now, GapReason::Sequence);
                batch.push_row(Gap { head, from, to, reason, missing: None }, &[]);
            }
            3 => {
                let status = if px % 4 == 0 { TradingStatus::Halted } else { TradingStatus::Open };
                batch.push_row(Status { head, status, reason: None }, &[]);
            }
            4 => {
                let (order_id, px, qty) = (seq as u64, Some(near), Some(size));
                let (side, more, snapshot) = (Some(side), false, false);
                let action = MboAction::Add;
                batch.push_row(Mbo { head, action, side, px, qty, order_id, more, snapshot }, &[]);
            }
            5..=8 => {
                let (bid, ask) = (100 - px % 4, 101 + px % 3);
                let (bid_px, ask_px) = (Some(Px::new(bid)), Some(Px::new(ask)));
                let (bid_qty, ask_qty) = (Some(size), Some(size));
                batch.push_row(Quote { head, bid_px, bid_qty, ask_px, ask_qty, id: None }, &[]);
            }
            9..=16 => {
                let side = Some(side).filter(|_| qty % 5 != 0);
                batch.push_row(Trade { head, px: near, qty: size, side, id: None }, &[]);
            }
            _ => {
                let change = Level { px: near, qty: size, side };
                let other = level(100 + px / 2, *qty / 2, Side::Sell);
                let changes = [change, other];
                let levels = if what % 7 == 0 { &changes[..] } else { &changes[..1] };
                batch.push_row(depth(DepthAction::Delta), levels);
            }
        }
        if what % 29 == 0 {
            let next = Batch::new(Arc::clone(table));
            batches.push(std::mem::replace(&mut batch, next));
        }
    }
    batches.push(batch);
    batches
}

/// How long messages take, what fills, what tells the best prices and what positions are worth.
#[derive(Clone, Debug)]
struct Terms {
    feed: Option<i64>,
    place: i64,
    preset: Preset,
    top: TopFrom,
    mark: MarkRule,
}

/// What the strategies of lanes saw by their clocks and by records, and what was told of each.
type Lived = Vec<([Vec<String>; 2], Vec<String>)>;

fn drive(moves: &[Move], terms: &Terms, lanes: i64, wants: Wants, may_wait: bool) -> Lived {
    let table = table();
    let delay = |ns: i64| Delay::Constant { ns };
    let feed = terms.feed.map(|median_ns| {
        let feed = Delay::LogNormal { median_ns, sigma: 0.9 };
        Latency::new(LatencyConfig { feed, ..LatencyConfig::default() }, 3)
    });
    let options = DriverOptions { top: terms.top, lookahead_ns: LOOKAHEAD, engine: None };
    let mut driver = Driver::new(&table, feed, options);
    let (place, response) = (delay(terms.place), delay(terms.place / 2));
    let latency = LatencyConfig { place, response, ..LatencyConfig::default() };
    let fills = FillModel { fills_at_limit: true, ..terms.preset.model() };
    let venues = Venues::from(VenueConfig { latency, fills, ..VenueConfig::default() });
    let currency = Currency::new("USD").unwrap();
    let money = LedgerOptions { currency, matching: Matching::Average, initial: Vec::new() };
    for lane in 0..lanes {
        let every = 23 + 31 * lane;
        let maker = Maker { wants, every, turn: lane, seen: [Vec::new(), Vec::new()] };
        let ledger = Ledger::new(&money, &table).unwrap();
        let desk = Desk::new(maker, ledger, Stack::default(), terms.mark);
        let exchange = Exchange::new(&venues, &table).unwrap();
        let observer = Told { may_wait, ..Told::default() };
        driver.add(LaneParts { desk, exchange, venues: &venues, observer }, 1);
    }
    for batch in stream(moves, &table) {
        driver.push(Arc::new(batch));
    }
    let (lanes, driven) = driver.finish();
    assert_eq!(driven.records, moves.len() as u64);
    let lived = lanes.into_iter().map(|lane| {
        let (desk, told) = lane.into_parts();
        (desk.strategy().seen.clone(), told.lines)
    });
    lived.collect()
}

/// Where two of them part, in words that a person can read.
fn parting<'a>(ours: &'a [String], theirs: &'a [String]) -> Option<(usize, &'a str, &'a str)> {
    let line = |list: &'a [String], at: usize| list.get(at).map_or("the end", String::as_str);
    let at = (0..ours.len().max(theirs.len())).find(|at| ours.get(*at) != theirs.get(*at))?;
    Some((at, line(ours, at), line(theirs, at)))
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(192))]
    #[test]
    fn one_book_shows_what_two_would(
        moves in proptest::collection::vec((0_u32..192, 0_i64..9, 0_i64..90, 0_i64..12, 0_i64..20), 50..500),
        feed in proptest::option::of(0_i64..40),
        place in 0_i64..40,
        preset in 0_usize..3,
        is_quoted in proptest::bool::weighted(0.2),
        mark in 0_usize..3,
        lanes in 1_i64..4,
    ) {
        let top = if is_quoted { TopFrom::Quotes } else { TopFrom::Depth };
        let mark = [MarkRule::Mid, MarkRule::Last, MarkRule::ExitSide][mark];
        let terms = Terms { feed, place, preset: Preset::ALL[preset], top, mark };
        let all = Wants::kinds(&KINDS);
        // Each record as it comes, and books of our own.
        let wanted = if is_quoted { all } else { all.and_levels() };
        let slow = drive(&moves, &terms, lanes, wanted, false);
        prop_assert!(slow.iter().all(|(seen, _)| !seen[1].is_empty()), "something happens");
        let lagging = drive(&moves, &terms, lanes, all, false);
        let gliding = drive(&moves, &terms, lanes, Wants::NOTHING, true);
        for (lane, (seen, told)) in slow.iter().enumerate() {
            prop_assert_eq!(parting(&seen[1], &lagging[lane].0[1]), None, "by records");
            for (by, other) in [("lag", &lagging[lane]), ("glide", &gliding[lane])] {
                prop_assert_eq!(parting(&seen[0], &other.0[0]), None, "seen, {}", by);
                prop_assert_eq!(parting(told, &other.1), None, "told, {}", by);
            }
        }
    }
}

/// All that stands at a venue, as text: with the places in the queues.
fn standing(exchange: &Exchange, orders: u64) -> Vec<String> {
    let numbers = (1..=orders).filter_map(|order| exchange.resting(OrderNo(order)));
    numbers.map(|resting| format!("{resting:?}")).collect()
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(192))]
    #[test]
    fn who_is_not_concerned_hears_nothing_new(
        moves in proptest::collection::vec((0_u32..192, 0_i64..9, 0_i64..90, 0_i64..12, 0_i64..20), 50..300),
        preset in 0_usize..3,
        every in 3_usize..9,
    ) {
        let table = table();
        let fills = FillModel { fills_at_limit: true, ..Preset::ALL[preset].model() };
        let venues = Venues::from(VenueConfig { fills, ..VenueConfig::default() });
        let mut market = Market::new(&table);
        let mut exchange = Exchange::new(&venues, &table).unwrap();
        let (mut out, mut orders, mut spared) = (Vec::new(), 0, 0);
        let batches = stream(&moves, &table);
        for (at, record) in batches.iter().flat_map(Batch::iter).enumerate() {
            let now = record.head().ts_recv;
            market.apply(&record);
            if !exchange.is_concerned(&market, &record) {
                spared += 1;
                let mut told = exchange.clone();
                told.market(now, &market, &record, &mut out);
                prop_assert!(out.is_empty(), "{:?} at {:?}", out, record);
                prop_assert_eq!(standing(&told, orders), standing(&exchange, orders));
                prop_assert_eq!(told.next_due(), exchange.next_due());
            }
            exchange.market(now, &market, &record, &mut out);
            out.clear();
            let Some(id) = record.head().instrument.filter(|_| at % every == 0) else { continue };
            orders += 1;
            let (side, away) = if at % 2 == 0 { (Side::Buy, -1) } else { (Side::Sell, 1) };
            let best = market.top(id).of(side).map_or(100, |best| best.px.mantissa());
            let px = Px::new(best + away * (record.head().seq.cast_signed() % 4));
            let new = NewOrder::limit(id, side, Qty::new(3).unwrap(), px);
            let trigger = Px::new(px.mantissa() + 3);
            let pricing = if at % 13 == 0 { Pricing::Stop { trigger } } else { new.pricing };
            let new = NewOrder { pricing, ..new };
            let approved = Stack::default().judge(new, &Exposure::default()).unwrap();
            exchange.submit(now, OrderNo(orders), approved, &market, &mut out);
            out.clear();
        }
        prop_assert!(spared > 0, "some concern nobody");
    }
}
