//! Input that should not be, and what is made of it.
//!
//! | case | stated result | test |
//! | --- | --- | --- |
//! | crossed, empty and one-sided books | values repeat, flag `partial`, nothing else remembers them | `books_that_are_none` |
//! | locked books | they count, but for what divides by the spread | `a_locked_book_counts…` |
//! | sizes of zero, absurd sizes and prices | no imbalance; finite or absent | `sizes_of_zero…`, `prices_and_sizes_at_their_limits…` |
//! | time that goes back | flagged, and windows do not shrink | `time_that_goes_back` |
//! | symbols in the middle of a stream | they begin cold | `a_symbol_in_the_middle…` |
//! | formulas without a value | absent, never NaN | `formulas_without_a_value_have_none` |
//! | windows longer than the data | never warm | `windows_longer_than_the_data…` |
//! | ten thousand symbols | a state each | `ten_thousand_symbols…` |

use std::sync::Arc;

use qt_model::instrument::{Instrument, Instruments, Symbol};
use qt_model::record::{Batch, Feature, Head, Quote};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};

use super::tape::Tape;
use super::{list_of, near, program};
use crate::features::{BookFrom, Engine, EngineOptions, Program, SETS, flags};

const LIST: &str = "mid, spread, imbalance, microprice, ema(mid, 2), regime(positive(spread), sma(positive(spread), 2), 0.5, 2)";

/// The price and size of a bid, then of an ask.
type Sides = ((i64, i64), (i64, i64));

/// The last row of some quotes: its values, absent ones as NaN, and its flags.
fn last(quotes: &[Sides]) -> (Vec<f64>, u64) {
    let tape = quotes.iter().fold(Tape::new(), |tape, (bid, ask)| tape.quote(*bid, *ask));
    let row = tape.rows(LIST).pop().unwrap();
    (row.values.iter().map(|it| it.unwrap_or(f64::NAN)).collect(), row.flags.unwrap())
}

#[test]
fn books_that_are_none() {
    let sound = ((9_999, 5), (10_001, 15));
    let (plain, zero) = last(&[sound, sound]);
    assert_eq!(zero, 0);
    assert!(near(Some(plain[0]), 100.0) && near(Some(plain[2]), -0.5));
    let partial = |odd| {
        let (values, flags) = last(&[sound, sound, odd]);
        assert_eq!((&values, flags), (&plain, flags::PARTIAL), "{odd:?}: values repeat");
        let (after, _) = last(&[sound, odd, sound]);
        assert_eq!(&after, &plain, "{odd:?}: as if it had not happened");
    };
    partial(((10_002, 5), (10_001, 5)));
    partial(((0, 0), (10_001, 5)));
    partial(((9_999, 5), (0, 0)));
    partial(((0, 0), (0, 0)));
}

#[test]
fn a_locked_book_counts_but_for_what_divides_by_its_spread() {
    let (values, flags) = last(&[
        ((9_999, 5), (10_001, 15)),
        ((9_999, 5), (10_001, 15)),
        ((10_000, 5), (10_000, 15)),
    ]);
    assert!(near(Some(values[0]), 100.0) && near(Some(values[1]), 0.0) && flags == 0);
    assert!(near(Some(values[5]), 1.0), "the regime of spreads is that of before");
}

#[test]
fn sizes_of_zero_have_no_imbalance_and_no_pull() {
    let (values, _) = last(&[((9_999, 0), (10_001, 0))]);
    assert!(values[2].is_nan() && near(Some(values[3]), 100.0));
}

#[test]
fn prices_and_sizes_at_their_limits_stay_finite_or_absent() {
    let most = qt_model::decimal::MAX_MANTISSA;
    let tape = (0..500).fold(Tape::new(), |tape, at| match at % 4 {
        0 => tape.quote((-most, most), (most, most)),
        1 => tape.quote((1, 0), (1, most)),
        2 => tape.trade(most, most, None),
        _ => tape.quote((most - 1, most), (most, 1)),
    });
    let is_sound = |row: &Feature| row.values.iter().flatten().all(|value| value.is_finite());
    for set in SETS {
        assert!(tape.rows(&list_of(set.name)).iter().all(is_sound), "{}", set.name);
    }
    let rows = tape.run(Program::lob("lob27").unwrap(), 64, EngineOptions::default());
    assert!(rows.iter().all(is_sound));
}

#[test]
fn formulas_without_a_value_have_none() {
    let tape = Tape::new().quotes([10_000, 10_000]).trade(10_000, 0, None).quotes([10_000]);
    for text in [
        "log(spread - spread)",
        "sqrt(-mid)",
        "mid / (mid - mid)",
        "(mid - mid) / (mid - mid)",
        "exp(mid * 1000)",
        "exp(mid * 7) * exp(mid * 7)",
        "z(mid, 2)",
        "amihud(1)",
        "vwap(1)",
        "corr(mid, spread, 2)",
    ] {
        assert_eq!(tape.last(text), None, "{text}");
    }
}

#[test]
fn time_that_goes_back() {
    let later = Tape::new().quotes([10_000, 10_010]);
    let earlier = later.wait(-150_000_000).quotes([10_020]).wait(200_000_000).quotes([10_030]);
    let rows = earlier.rows("mid, diff(mid, 1)");
    assert_eq!(rows.len(), 3, "an event received before the last is left out");
    assert_eq!(rows[2].flags, Some(flags::OUT_OF_ORDER), "and the next one says so");
    assert!(near(rows[2].values[1], 0.2));
    // The venue's own clock may step back: windows of time stand still meanwhile.
    let mut tape = Tape::new().quotes([10_000]);
    for (event, recv) in
        [(5_000_000_000, 200_000_000), (1_000_000_000, 300_000_000), (5_500_000_000, 400_000_000)]
    {
        let head = Head::new(Ts::from_nanos(event), Ts::from_nanos(recv), 1, Some(tape.id));
        let px = |px| Some(Px::new(px));
        let qty = Qty::new(1).ok();
        let quote = Quote {
            head,
            bid_px: px(9_999),
            bid_qty: qty,
            ask_px: px(10_001),
            ask_qty: qty,
            id: None,
        };
        tape.batch.push_row(quote, &[]);
    }
    assert_eq!(tape.values("count(mid, 1s)"), [None, Some(1.0), Some(2.0), Some(3.0)]);
}

#[test]
fn windows_longer_than_the_data_never_warm_up() {
    let tape = Tape::new().quotes([10_000; 40]);
    let rows = tape.rows("sma(mid, 1000000), mid");
    assert!(rows.iter().all(|row| row.values[0].is_none() && row.warm == Some(2)));
    let warm = EngineOptions { warm_only: true, ..EngineOptions::default() };
    assert!(tape.rows_with("sma(mid, 41), mid", 7, warm.clone()).is_empty());
    assert_eq!(tape.rows_with("sma(mid, 40), mid", 7, warm).len(), 1);
}

/// Instruments with quotes in turn.
fn crowd(count: i64, rounds: i64) -> Batch {
    let mut table = Instruments::default();
    let two = Scale::new(2).unwrap();
    let declare = |at: i64, table: &mut Instruments| {
        let symbol = Symbol::new(&format!("x:S{at}")).unwrap();
        table.declare(Instrument::new(symbol, two, Scale::ZERO)).unwrap()
    };
    let ids: Vec<_> = (0..count).map(|at| declare(at, &mut table)).collect();
    let mut batch = Batch::new(Arc::new(table));
    for round in 0..rounds {
        for (at, id) in (0..).zip(&ids) {
            let ts = Ts::from_nanos((round * count + at + 1) * 1_000);
            let head = Head::new(ts, ts, round.unsigned_abs(), Some(*id));
            let mid = 10_000 + (at * 7 + round * 13) % 50;
            let (bid_px, ask_px) = (Some(Px::new(mid - 1)), Some(Px::new(mid + 1)));
            let (bid_qty, ask_qty) = (Qty::new(at).ok(), Qty::new(5).ok());
            batch.push_row(Quote { head, bid_px, bid_qty, ask_px, ask_qty, id: None }, &[]);
        }
    }
    batch
}

#[test]
fn ten_thousand_symbols_have_a_state_each() {
    const SYMBOLS: usize = 10_000;
    let batch = crowd(10_000, 4);
    assert_eq!(batch.len(), 4 * SYMBOLS);
    let options = || EngineOptions { book: BookFrom::Quotes, ..EngineOptions::default() };
    let list = "ema(mid, 2), diff(mid, 1), imbalance";
    let mut engine = Engine::new(program(list), options(), Box::new(|_| true));
    let rows = engine.annotate(&batch);
    for symbol in [0, 1, 4_999, SYMBOLS - 1] {
        let mut alone = Batch::new(Arc::clone(batch.instruments()));
        (0..4).for_each(|round| alone.push(batch.get(round * SYMBOLS + symbol)));
        let mut single = Engine::new(program(list), options(), Box::new(|_| true));
        let expected = single.annotate(&alone);
        for round in 0..4 {
            let bits = |values: &[f64]| values.iter().map(|it| it.to_bits()).collect::<Vec<_>>();
            let found = rows.of(round * SYMBOLS + symbol).unwrap();
            assert_eq!(bits(found.values), bits(expected.of(round).unwrap().values), "{symbol}");
        }
    }
}

#[test]
fn a_symbol_in_the_middle_of_a_stream_begins_cold() {
    let early = Tape::new().quotes([10_000, 10_001]);
    let mut table = Instruments::clone(early.batch.instruments());
    let new = Instrument::new(Symbol::new("y:NEW").unwrap(), Scale::new(2).unwrap(), Scale::ZERO);
    let id = table.join(new).unwrap();
    let mut later = Batch::new(Arc::new(table));
    for at in 0..3 {
        let ts = Ts::from_nanos(1_000_000_000 + at);
        let head = Head::new(ts, ts, 1, Some(if at == 1 { early.id } else { id }));
        let (bid_px, ask_px) = (Some(Px::new(9_999 + at)), Some(Px::new(10_001 + at)));
        later.push_row(Quote { head, bid_px, bid_qty: None, ask_px, ask_qty: None, id: None }, &[]);
    }
    let mut engine =
        Engine::new(program("diff(mid, 1)"), EngineOptions::default(), Box::new(|_| true));
    let mut out = Batch::default();
    engine.batch(&early.batch, &mut out);
    engine.batch(&later, &mut out);
    let values: Vec<_> = out
        .rows::<Feature>()
        .iter()
        .map(|row| row.values[0].map(|it| (it * 100.0).round()))
        .collect();
    assert_eq!(values, [None, Some(1.0), None, Some(0.0), Some(2.0)]);
}
