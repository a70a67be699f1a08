//! Quotes that come as columns, and features that are laid down as columns.

use allocation_counter::measure;
use qt::market::features::{Engine, EngineOptions, Plan, Program, set};
use qt::model::instrument::{Instrument, Instruments, Symbol};
use qt::model::record::{QuoteCells, QuoteColumns};
use qt::model::units::Scale;

/// Quotes of one symbol, a tenth of a second apart.
struct Table {
    ts: Vec<i64>,
    seq: Vec<u64>,
    bid: Vec<i64>,
    ask: Vec<i64>,
    sizes: Vec<i64>,
}

impl Table {
    fn new(rows: std::ops::Range<i64>) -> Self {
        let bid = |at: i64| 10_000 + at * 7_919 % 101 + at % 13;
        Self {
            ts: rows.clone().map(|at| at * 100_000_000).collect(),
            seq: rows.clone().map(i64::unsigned_abs).collect(),
            bid: rows.clone().map(bid).collect(),
            ask: rows.clone().map(|at| bid(at) + 1 + at % 3).collect(),
            sizes: rows.map(|at| 1 + at % 17).collect(),
        }
    }
}

#[test]
fn features_of_quotes_as_columns_allocate_nothing_per_event() {
    const ROWS: i64 = 5_000;
    let tables = [0, 1, 2, 3].map(|at| Table::new(at * ROWS..(at + 1) * ROWS));
    let (mut instruments, scale) = (Instruments::default(), Scale::new(2).unwrap());
    let instrument = Instrument::new(Symbol::new("x:A").unwrap(), scale, Scale::ZERO);
    let id = instruments.declare(instrument).unwrap();
    let program = Program::new(Plan::new(&set("core15").unwrap().members()).unwrap());
    let mut columns = vec![Vec::new(); program.width()];
    let mut engine = Engine::new(program, EngineOptions::default(), Box::new(|_| true));
    let mut take = |table: &Table| {
        let cells = QuoteCells {
            ts_event: &table.ts,
            ts_recv: &table.ts,
            seq: &table.seq,
            bid_px: &table.bid,
            bid_qty: &table.sizes,
            ask_px: &table.ask,
            ask_qty: &table.sizes,
            id: None,
        };
        let quotes = QuoteColumns::new(id, cells).expect("the columns are sound");
        engine.quotes(&quotes, &instruments, &mut columns, 0).rows()
    };
    let (first, second) = tables.split_at(2);
    first.iter().for_each(|table| assert_eq!(take(table), table.ts.len()));
    let mut rows = 0;
    let info = measure(|| rows = second.iter().map(&mut take).sum());
    assert_eq!((rows, info.count_total), (10_000, 0), "{info:?}");
}
