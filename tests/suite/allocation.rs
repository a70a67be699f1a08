//! What must not allocate while events flow, with every allocation of the thread counted.

mod files;
mod quotes;
mod statistics;

use std::sync::Arc;

use allocation_counter::{AllocationInfo, measure};
use qt::market::features::{BookFrom, Engine, EngineOptions, Plan, Program, SETS, parse_list};
use qt::model::order::{NewOrder, OrderNo};
use qt::model::record::{Batch, Depth, Head, Quote, Record, Source, Trade};
use qt::model::step::Execution;
use qt::model::time::Ts;
use qt::model::units::{Px, Qty};
use qt::model::words::Side;
use qt::sim::exchange::{Exchange, Market, Venues};
use qt::sim::synth::{self, Config};
use qt::trade::risk::{Exposure, Stack};

/// Batches of a synthetic market.
fn batches() -> Vec<Batch> {
    let config = Config { duration_ns: Some(12 * 60 * 1_000_000_000), ..Config::default() };
    let mut market = synth::Market::new(&config).expect("the market is sound");
    let next = || {
        let mut batch = Batch::default();
        let more = market.next(&mut batch).expect("nothing can go wrong");
        more.then_some(batch)
    };
    std::iter::from_fn(next).collect()
}

/// The same batches over again, directly behind themselves. Buffers that grow with the largest
/// batch, and books, have then seen their size.
fn again(batches: &[Batch]) -> Vec<Batch> {
    let of = |batch: &Batch, at: usize| batch.head(at).ts_recv.nanos();
    let (first, last) = (&batches[0], &batches[batches.len() - 1]);
    let later = of(last, last.len() - 1) - of(first, 0) + 1;
    let shift = |mut head: Head| {
        head.ts_recv = Ts::from_nanos(head.ts_recv.nanos() + later);
        head.ts_event = Ts::from_nanos(head.ts_event.nanos() + later);
        head
    };
    let shifted = |batch: &Batch| {
        let mut out = Batch::new(Arc::clone(batch.instruments()));
        for record in batch.iter() {
            let head = shift(*record.head());
            if let Record::Depth(view) = record {
                out.push_row(Depth { head, ..*view.row }, view.levels);
            } else if let Record::Quote(view) = record {
                out.push_row(Quote { head, ..*view.row }, &[]);
            } else if let Record::Trade(view) = record {
                out.push_row(Trade { head, ..*view.row }, &[]);
            }
        }
        out
    };
    batches.iter().map(shifted).collect()
}

/// What computing the rows of the second half allocates, and how many rows that are.
fn counted(
    program: Program,
    book: BookFrom,
    (first, second): (&[Batch], &[Batch]),
) -> (AllocationInfo, usize) {
    let options = EngineOptions { book, ..EngineOptions::default() };
    let mut engine = Engine::new(program, options, Box::new(|_| true));
    let mut annotate = |batch: &Batch| {
        let found = engine.annotate(batch);
        (0..batch.len()).filter(|at| found.of(*at).is_some()).count()
    };
    for batch in first {
        annotate(batch);
    }
    let mut rows = 0;
    let info = measure(|| rows = second.iter().map(&mut annotate).sum());
    (info, rows)
}

#[test]
fn features_allocate_nothing_per_event() {
    let first = batches();
    let second = again(&first);
    let sets = SETS.iter().map(|set| Plan::new(&set.members()).unwrap());
    let more =
        "quantile(spread, 50, 0.9), corr(mid, px, 20), cum(ofi), wma(px, 9), highest(mid, 9s)";
    let more = Plan::new(&parse_list(more).unwrap()).unwrap();
    let programs =
        sets.chain([more]).map(Program::new).chain(Program::lob("lob27")).collect::<Vec<_>>();
    for (at, program) in programs.iter().enumerate() {
        // One of them over quotes is enough: behind the best prices all is the same.
        let books =
            if at == 0 { &[BookFrom::Quotes, BookFrom::Depth][..] } else { &[BookFrom::Depth] };
        for book in books.iter().copied() {
            let (info, rows) = counted(program.clone(), book, (&first, &second));
            assert!(rows > 20_000, "{rows} rows");
            assert_eq!(info.count_total, 0, "program {at} over {book:?}, {rows} rows: {info:?}");
        }
    }
}

#[test]
fn the_counter_counts() {
    assert_eq!(measure(|| drop(std::hint::black_box(vec![1_u64]))).count_total, 1);
}

/// An order of ours on each side, half of the price away: nothing fills it.
fn place_pair(exchange: &mut Exchange, market: &Market, batch: &Batch, out: &mut Vec<Execution>) {
    for (number, (id, _)) in (0_u64..).zip(batch.instruments().by_symbol()) {
        let top = market.top(id);
        let (Some(bid), Some(ask)) = (top.bid, top.ask) else { continue };
        let ticks = |px: Px, times: i64| Px::new(px.mantissa() * times / 2 / 100 * 100);
        let sides = [(Side::Buy, ticks(bid.px, 1)), (Side::Sell, ticks(ask.px, 3))];
        for (more, (side, px)) in (1..).zip(sides) {
            let lot = Qty::new(100_000).expect("a size");
            let new = NewOrder::limit(id, side, lot, px);
            let new = Stack::default().judge(new, &Exposure::default()).expect("no rules");
            exchange.submit(batch.head(0).ts_event, OrderNo(2 * number + more), new, market, out);
        }
    }
}

#[test]
fn a_venue_allocates_nothing_per_record() {
    let first = batches();
    let second = again(&first);
    let instruments = first[0].instruments();
    let mut market = Market::new(instruments);
    let mut exchange =
        Exchange::new(&Venues::default(), instruments).expect("the defaults are sound");
    let mut out = Vec::with_capacity(64);
    let mut play = |batch: &Batch, out: &mut Vec<Execution>, exchange: &mut Exchange| {
        for record in batch.iter() {
            market.apply(&record);
            exchange.market(record.head().ts_event, &market, &record, out);
        }
        if exchange.is_empty() {
            place_pair(exchange, &market, batch, out);
        }
    };
    for batch in &first {
        play(batch, &mut out, &mut exchange);
    }
    let standing = exchange.len();
    assert!(standing >= 4, "{standing} orders stand: {out:?}");
    let info = measure(|| second.iter().for_each(|batch| play(batch, &mut out, &mut exchange)));
    assert_eq!((info.count_total, exchange.len()), (0, standing), "{out:?}");
}
