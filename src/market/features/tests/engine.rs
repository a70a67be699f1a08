//! What holds for rows of any feature.

use std::sync::Arc;

use qt_model::record::{BarStep, ColumnTable, ColumnView, SharedBars, SharedColumn};
use qt_model::words::{BarClock, DepthAction, Side};

use super::program;
use super::tape::Tape;
use crate::features::{BookFrom, Engine, EngineOptions, Program, flags};

#[test]
fn a_book_that_begins_anew_after_a_gap_forgets() {
    let levels = [(Side::Buy, 9_999, 5), (Side::Sell, 10_001, 5)];
    let snapshot = DepthAction::Snapshot;
    let tape = Tape::new()
        .depth(snapshot, &levels)
        .depth(DepthAction::Delta, &[(Side::Buy, 10_000, 1)])
        .gap()
        .depth(DepthAction::Delta, &[(Side::Buy, 9_000, 1)])
        .depth(snapshot, &levels)
        .depth(DepthAction::Delta, &[(Side::Buy, 10_000, 1)]);
    let options = EngineOptions { book: BookFrom::Depth, ..EngineOptions::default() };
    let rows = tape.rows_with("diff(mid, 1), ofi", 100, options);
    assert_eq!(rows.len(), 4, "a change without a book is no event");
    let of = |at: usize| rows[at].values.clone();
    assert_eq!((of(0), of(1)), (of(2), of(3)), "a reset is a fresh start");
    assert_eq!(rows[2].flags, Some(flags::GAP | flags::STATE_RESET));
    assert_eq!(rows[3].flags, Some(0));
}

#[test]
fn rows_beside_a_batch_are_those_behind_its_records() {
    let mut tape = Tape::new().quotes((0..40).map(|at| 10_000 + at % 7)).trade(10_000, 3, None);
    tape = tape.quote((10_100, 5), (10_000, 5)).quotes([10_002]);
    for every in [1, 3] {
        let options = EngineOptions { every, ..EngineOptions::default() };
        for program in [Program::lob("lob22").unwrap(), program("ema(mid, 20), vwap(1)")] {
            let expected = tape.run(program.clone(), 50, options.clone());
            let mut engine = Engine::new(program, options.clone(), Box::new(|_| true));
            let rows = engine.annotate(&tape.batch);
            let head = |at: usize| *tape.batch.head(at);
            let found = (0..tape.batch.len())
                .filter_map(|at| Some(rows.of(at)?.record(head(at), &"features".into())));
            assert_eq!(found.collect::<Vec<_>>(), expected);
        }
    }
}

#[test]
fn the_latest_values_say_how_old_they_are() {
    use qt_model::time::Ts;

    use crate::features::{Engine, NoFeatures};

    let tape = Tape::new().quotes([10_000, 10_002, 10_004]);
    for (program, name) in
        [(program("mid, ema(mid, 3)"), "mid"), (Program::lob("lob16").unwrap(), "best_bid")]
    {
        let mut engine = Engine::new(program, EngineOptions::default(), Box::new(|_| true));
        assert_eq!(engine.latest(tape.id).unwrap_err(), NoFeatures::NoEvent);
        engine.annotate(&tape.batch);
        let latest = engine.latest(tape.id).unwrap();
        let expected = if name == "mid" { 100.04 } else { 10_003.0 };
        assert_eq!(latest.value(name), Ok(Some(expected)));
        assert!(latest.value("mud").is_err());
        assert_eq!(latest.values().count(), engine.program().width());
        let now = Ts::from_nanos(tape.now + 50);
        assert_eq!(
            (latest.age_ns(now), latest.is_stale(now, 50), latest.is_stale(now, 49)),
            (50, false, true)
        );
    }
    let mut engine = Engine::new(program("mid"), EngineOptions::default(), Box::new(|_| false));
    engine.annotate(&tape.batch);
    assert_eq!(engine.latest(tape.id).unwrap_err(), NoFeatures::Unwanted);
}

#[test]
fn what_came_late_is_flagged_and_counts_all_the_same() {
    use qt_model::record::{Batch, Quote};
    use qt_model::time::Ts;

    let tape = Tape::new().quotes([10_000, 10_002, 10_004]);
    let mut late = Batch::new(Arc::clone(tape.batch.instruments()));
    for (at, row) in tape.batch.rows::<Quote>().iter().enumerate() {
        let mut row = *row;
        let delay = [0, 1_000, 1_001][at];
        row.head.ts_recv = Ts::from_nanos(row.head.ts_recv.nanos() + delay);
        late.push_row(row, &[]);
    }
    let tape = Tape { batch: late, ..tape };
    for program in [program("mid"), Program::lob("lob16").unwrap()] {
        let flags_of = |stale_after_ns| {
            let options = EngineOptions { stale_after_ns, ..EngineOptions::default() };
            tape.run(program.clone(), 9, options).iter().map(|row| row.flags).collect::<Vec<_>>()
        };
        assert_eq!(flags_of(None), [Some(0); 3]);
        assert_eq!(flags_of(Some(1_000)), [Some(0), Some(0), Some(flags::STALE_INPUT)]);
    }
}

#[test]
fn features_are_found_by_name() {
    let program = program("fast = ema(mid, 3), slow = ema(mid, 9)");
    assert_eq!((program.width(), program.place("slow"), program.warm_at(1)), (2, Ok(1), 9));
    let unknown = program.place("slew").unwrap_err();
    assert_eq!(unknown.to_string(), "there is no feature `slew` among fast, slow");
    let lob = Program::lob("lob16").unwrap();
    assert_eq!((lob.place("ofi_l1_raw"), lob.warm_at(11)), (Ok(11), 2));
    assert!(lob.place("toxicity_ema50_x1000").is_err(), "beyond the sixteen");
}

#[test]
fn rows_of_two_symbols_left_out_in_turn_do_not_mix() {
    use qt_model::instrument::{Instrument, Instruments, Symbol};
    use qt_model::record::{Batch, Feature, Head, Quote};
    use qt_model::time::Ts;
    use qt_model::units::{Px, Qty, Scale};

    let mut table = Instruments::default();
    let scale = Scale::new(2).unwrap();
    let ids = ["x:A", "x:B"].map(|symbol| {
        table.declare(Instrument::new(Symbol::new(symbol).unwrap(), scale, Scale::ZERO)).unwrap()
    });
    let mut batch = Batch::new(Arc::new(table));
    // Both speak in turns of irregular lengths, so that rows of one lie between those of the other.
    for at in 0..400_i64 {
        let id = ids[usize::from(at % 5 == 1 || at % 7 == 3)];
        let ts = Ts::from_nanos(at);
        let head = Head::new(ts, ts, at.unsigned_abs(), Some(id));
        let (bid_px, ask_px) = (Some(Px::new(9_999 + at)), Some(Px::new(10_001 + at)));
        let (bid_qty, ask_qty) = (Qty::new(1).ok(), Qty::new(1).ok());
        batch.push_row(Quote { head, bid_px, bid_qty, ask_px, ask_qty, id: None }, &[]);
    }
    for every in [1, 2, 3] {
        let options = EngineOptions { every, ..EngineOptions::default() };
        let mut engine = Engine::new(program("mid"), options, Box::new(|_| true));
        let mut out = Batch::default();
        engine.batch(&batch, &mut out);
        assert!(!out.rows::<Feature>().is_empty());
        for row in out.rows::<Feature>() {
            let expected = 100.0 + row.head.seq as f64 / 100.0;
            assert!(super::near(row.values[0], expected), "{row:?}");
        }
    }
}

/// Bars that lie as columns: some long on their way or long awaited, some received before the one before.
fn table_of_bars(tape: &Tape, count: i64) -> ColumnTable {
    let all: Vec<i64> = (0..count).collect();
    let column = |of: fn(i64) -> i64| -> SharedColumn<i64> {
        Arc::new(all.iter().map(|at| of(*at)).collect::<Vec<_>>())
    };
    let begun = |at: i64| (at * 60 + if at % 97 >= 50 { 7_200 } else { 0 }) * 1_000_000_000;
    let columns = SharedBars {
        of: BarStep { clock: BarClock::Time, step: 60.into() },
        ts_event: column(begun),
        ts_recv: column(|at| (at * 60 + if at % 97 >= 50 { 7_203 } else { 1 }) * 1_000_000_000),
        seq: Arc::new(all.iter().map(|at| at.unsigned_abs()).collect::<Vec<_>>()),
        open_ts: column(begun),
        open: column(|at| 10_000 + at % 13),
        high: column(|at| 10_020 + at % 7),
        low: column(|at| 9_980 + at % 5),
        close: column(|at| 10_000 + at % 11),
        volume: column(|at| at % 29),
    };
    ColumnTable::new(Arc::clone(tape.batch.instruments()), tape.id, columns).unwrap()
}

#[test]
fn bars_that_lie_as_columns_have_the_rows_of_bars() {
    let tape = Tape::new();
    let (table, stale) = (table_of_bars(&tape, 3_000), Some(2_000_000_000));
    let ColumnView::Bars(bars) = table.view() else { panic!("they are bars") };
    let features = "ema(close, 5), high - low, open + volume, close + now, sma(close, 20)";
    for (every, stale_after_ns) in [(1, None), (3, None), (1, stale)] {
        for features in [features, "close", "mid"] {
            let options = EngineOptions { every, stale_after_ns, ..EngineOptions::default() };
            let engine = || Engine::new(program(features), options.clone(), Box::new(|_| true));
            let (mut by_row, mut by_column) = (engine(), engine());
            let batch = table.to_batch();
            let rows = by_row.annotate(&batch);
            let width = program(features).width();
            let (mut columns, mut from, mut laid) = (vec![Vec::new(); width], 0, 0);
            for len in [1, 2, 997, 2_000] {
                let before = laid;
                let part = bars.slice(from..from + len);
                let marks = by_column.bars(&part, table.instruments(), &mut columns, laid);
                laid += marks.rows();
                let mut flags = marks.flags();
                for at in 0..len {
                    let place = marks.row_of(at).map(|row| before + row);
                    let row = rows.of(from + at);
                    assert_eq!(place.is_some(), row.is_some(), "{features}: {}", from + at);
                    let Some((place, row)) = place.zip(row) else { continue };
                    let bits = |value: &f64| if value.is_nan() { 0 } else { value.to_bits() };
                    let found: Vec<u64> = columns.iter().map(|it| bits(&it[place])).collect();
                    assert_eq!(found, row.values.iter().map(bits).collect::<Vec<_>>());
                    assert_eq!(flags.next(), Some(row.flags));
                }
                from += len;
            }
            assert_eq!(from, table.len());
        }
    }
}
