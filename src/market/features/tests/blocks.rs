//! A block of events gives what its events give one by one, to the bit.

use proptest::prelude::*;
use qt_model::words::{DepthAction, Side};

use super::tape::Tape;
use super::{BookFrom, EngineOptions, Program, functions, program};

#[derive(Clone, Debug)]
enum Event {
    /// Many in a row, as most of a market is.
    Quotes(Vec<(i64, i64)>),
    /// The same price over and over: windows without variance.
    Still(usize),
    Crossed,
    OneSided,
    Trade(i64),
    Gap,
    /// Two hours: the symbol is forgotten.
    Silence,
    /// What comes next was received before what came last.
    Back,
}

fn event() -> impl Strategy<Value = Event> {
    let moves = prop::collection::vec((-4_i64..5, 0_i64..9), 1..300);
    prop_oneof![
        6 => moves.prop_map(Event::Quotes),
        2 => (1_usize..200).prop_map(Event::Still),
        1 => Just(Event::Crossed),
        1 => Just(Event::OneSided),
        3 => (-5_i64..6).prop_map(Event::Trade),
        1 => Just(Event::Gap),
        1 => Just(Event::Silence),
        1 => Just(Event::Back),
    ]
}

/// Some of all functions there are, and one of the other.
fn list() -> impl Strategy<Value = String> {
    let examples: Vec<&str> = functions().map(|function| function.example).collect();
    let chosen = prop::sample::subsequence(examples, 1..8);
    let window = prop::sample::select(vec![1, 2, 7, 40, 127, 128, 129, 300]);
    let around = prop::sample::select(vec![
        "z(diff(mid, 1), N)",
        "sma(ret(mid, N), 20)",
        "rsi_sma(mid, N)",
        "rsi(px, N)",
        "ema(lag(spread, N), 9)",
        "bb_pos(positive(spread), N, 2)",
        "wilder(mid, N) - sma(mid, N)",
        "std(logret(mid, 1), N)",
        "sum(ofi, N)",
        "trend(mid, N, 30, 0)",
        "diff(px, N)",
    ]);
    (chosen, around, window).prop_map(|(chosen, around, window)| {
        let list: Vec<String> =
            chosen.iter().enumerate().map(|(at, it)| format!("f{at} = {it}")).collect();
        format!("{}, g = {}", list.join(", "), around.replace('N', &window.to_string()))
    })
}

/// The same market as quotes and as depth.
fn tape(events: &[Event], book: BookFrom) -> Tape {
    let (mut tape, mut mid) = (Tape::new(), 10_000);
    for event in events {
        let quote = |tape: Tape, bid: (i64, i64), ask: (i64, i64)| match book {
            BookFrom::Quotes => tape.quote(bid, ask),
            BookFrom::Depth | BookFrom::Orders => {
                let sides = [(Side::Buy, bid.0, bid.1 + 1), (Side::Sell, ask.0, ask.1 + 1)];
                tape.depth(DepthAction::Snapshot, if ask.0 == 0 { &sides[..1] } else { &sides })
            }
        };
        tape = match event {
            Event::Quotes(moves) => moves.iter().fold(tape, |tape, (step, qty)| {
                mid += step;
                quote(tape, (mid - 1 - qty % 3, *qty), (mid + 1, 4))
            }),
            Event::Still(count) => {
                (0..*count).fold(tape, |tape, _| quote(tape, (mid - 1, 5), (mid + 1, 5)))
            }
            Event::Crossed => quote(tape, (mid + 1, 5), (mid - 1, 5)),
            Event::OneSided => quote(tape, (mid, 5), (0, 0)),
            Event::Trade(off) => tape.trade(mid + off, 1 + off.abs(), None),
            Event::Gap => tape.gap(),
            Event::Silence => tape.wait(7_200_000_000_000),
            Event::Back => tape.wait(-1_000_000_000),
        };
    }
    tape
}

#[test]
fn integer_features_are_the_same_as_columns() {
    let moves = (0..300).map(|at| (at * 7 % 5 - 2, at % 9)).collect();
    let events = [Event::Quotes(moves), Event::Crossed, Event::Gap, Event::Still(9)];
    let tape = tape(&events, BookFrom::Depth);
    let options = EngineOptions { book: BookFrom::Depth, ..EngineOptions::default() };
    let program = Program::lob("lob27").unwrap();
    let rows = tape.run(program.clone(), 1, options.clone());
    assert_eq!(tape.columns_with(program, 50, options), Tape::bits(&rows));
    let tape = self::tape(&events, BookFrom::Quotes);
    let options = EngineOptions::default();
    let program = Program::lob("lob27").unwrap();
    let rows = tape.run(program.clone(), 1, options.clone());
    assert_eq!(tape.quotes_with(program, 50, options), Tape::bits(&rows));
}

#[test]
fn columns_are_laid_over_what_they_held() {
    let tape = Tape::new().quotes((0..50).map(|at| 10_000 + at * at % 7));
    // A feature that is a column, one that is part of a step, one that comes twice, and one of a kind
    // of event that does not come.
    let list = "mid, sma(mid, 3), again = mid, ema(mid, 2), px";
    let fresh = tape.laid_over(program(list), 0, 0);
    let bits = |values: &[f64]| values.iter().map(|it| it.to_bits()).collect::<Vec<_>>();
    for (from, length) in [(0, 20), (0, 90), (7, 7), (7, 30), (7, 90)] {
        for (column, fresh) in tape.laid_over(program(list), from, length).iter().zip(&fresh) {
            assert_eq!(column.len(), length.max(from + 50));
            assert_eq!(bits(&column[..from]), bits(&vec![-1.0; from]), "rows before stay");
            assert_eq!(bits(&column[from..from + 50]), bits(fresh), "from {from} of {length}");
        }
    }
    assert!(fresh[4].iter().all(|value| value.is_nan()), "nothing was traded");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn blocks_of_any_length_give_the_values_of_single_events(
        events in prop::collection::vec(event(), 1..12),
        list in list(),
        pieces in prop_oneof![2_usize..9, 100_usize..140, Just(1_000_000)],
        book in prop_oneof![Just(BookFrom::Quotes), Just(BookFrom::Depth)],
        every in prop_oneof![4 => Just(1_u64), 1 => Just(3)],
    ) {
        let tape = tape(&events, book);
        let options = EngineOptions { book, every, ..EngineOptions::default() };
        // With a bound on the age of records each is looked at by itself.
        let by_itself = EngineOptions { stale_after_ns: Some(i64::MAX), ..options.clone() };
        let single = tape.rows_with(&list, 1, by_itself);
        let columns = tape.columns_with(program(&list), pieces, options.clone());
        prop_assert_eq!(columns, Tape::bits(&single));
        let quotes = tape.quotes_with(program(&list), pieces, options.clone());
        prop_assert_eq!(quotes, Tape::bits(&single), "{}", list);
        let blocks = tape.rows_with(&list, pieces, options);
        prop_assert_eq!(single.len(), blocks.len());
        for (single, block) in single.iter().zip(&blocks) {
            let bits = |values: &[Option<f64>]| values.iter().map(|it| it.map(f64::to_bits)).collect::<Vec<_>>();
            prop_assert_eq!(bits(&single.values), bits(&block.values), "{}", list);
            prop_assert_eq!((single.warm, single.flags), (block.warm, block.flags));
        }
    }
}
