//! What must not allocate while events flow, with every allocation of the thread counted.

use std::sync::Arc;

use allocation_counter::{AllocationInfo, measure};
use qt::market::features::{BookFrom, Engine, EngineOptions, Plan, Program, SETS, parse_list};
use qt::model::ids::InstrumentId;
use qt::model::instrument::{Instrument, Instruments, Symbol};
use qt::model::order::{Cash, Currency, Execution, FillNo, OrderNo};
use qt::model::record::{Batch, Depth, Head, Quote, Record, Source, Trade};
use qt::model::time::Ts;
use qt::model::units::{Px, Qty, Scale};
use qt::model::words::{Liquidity, Side};
use qt::sim::synth::{Config, Market};
use qt::trade::metrics::{FillContext, Money, Options, OrderEvent, Statistics, Touch, Worth};

/// Batches of a synthetic market.
fn batches() -> Vec<Batch> {
    let config = Config { duration_ns: Some(12 * 60 * 1_000_000_000), ..Config::default() };
    let mut market = Market::new(&config).expect("the market is sound");
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

/// Quotes that move, equity with them, and fills whose horizons pass meanwhile.
fn traded(statistics: &mut Statistics, id: InstrumentId, steps: std::ops::Range<i64>) {
    let usd = Currency::new("USD").unwrap();
    let zero = Money::ZERO;
    for step in steps {
        let ts = Ts::from_nanos(step * 10_000_000);
        let px = 10_000 + step * 7919 % 50;
        statistics.mid(ts, id, Some(Touch { bid: Px::new(px), ask: Px::new(px + 1) }));
        let equity = Money::from_units(i128::from(px) * 10_i128.pow(22));
        statistics.equity(ts, Worth { equity, gross: equity, net: zero });
        if step % 10 == 0 {
            let (no, side) =
                (step.unsigned_abs(), if step % 20 == 0 { Side::Buy } else { Side::Sell });
            let qty = Qty::new(3).unwrap();
            let event = OrderEvent::Submitted { instrument: id, side, qty, decided: ts, mid: None };
            statistics.order(ts, OrderNo(no), &event);
            statistics.order(ts, OrderNo(no), &OrderEvent::Accepted { queue: None });
            let fee = Cash { amount: 0.into(), currency: usd };
            let liquidity = Liquidity::Maker;
            let fill = Execution { fill: FillNo(no), px: Px::new(px), qty, liquidity, fee };
            statistics.fill(ts, OrderNo(no), (id, side), &fill, &FillContext::default());
        }
    }
}

#[test]
fn statistics_without_rows_allocate_nothing_while_a_day_goes_on() {
    let scale = |digits| Scale::new(digits).unwrap();
    let mut table = Instruments::default();
    let symbol = Symbol::new("test:X").unwrap();
    let id = table.declare(Instrument::new(symbol, scale(2), scale(0))).unwrap();
    let mut options = Options::new(Currency::new("USD").unwrap());
    options.rows = false;
    let start = Money::from_units(10_i128.pow(26));
    let mut statistics = Statistics::new(&table, options, Ts::default(), start).unwrap();
    // Beyond the values that quantiles keep as they are, and the longest horizon.
    traded(&mut statistics, id, 1..100_000);
    let info = measure(|| traded(&mut statistics, id, 100_000..200_000));
    assert_eq!(info.count_total, 0, "{info:?}");
}
