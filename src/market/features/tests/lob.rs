//! The integer features.

use std::sync::Arc;

use proptest::prelude::*;
use qt_model::instrument::{Instrument, Instruments, Symbol};
use qt_model::record::{Batch, Feature};
use qt_model::units::Scale;

use super::tape::Tape;
use crate::features::{EngineOptions, LOB27, Program, flags};

/// The last row of the integer features, by index.
fn lob(tape: &Tape) -> Vec<i64> {
    let rows = tape.run(Program::lob("lob27").unwrap(), usize::MAX >> 1, EngineOptions::default());
    rows.last().unwrap().values.iter().map(|value| value.unwrap() as i64).collect()
}

#[test]
fn integer_features_of_one_book() {
    let values = lob(&Tape::new().quote((10_000, 10), (10_100, 30)));
    let expected = [10_000, 10_100, 20_100, 100, 10, 30, -500_000, 20_050, 10, 30, -500_000, 0, 0];
    assert_eq!(values[..13], expected);
    assert_eq!(values[13..17], [0, 100, -500_000, 0]);
    assert_eq!(lob(&Tape::new().quote((100, 0), (102, 0)))[6..8], [0, 202]);
}

#[test]
fn integer_flow_and_its_averages() {
    let of = |bid, ask| lob(&Tape::new().quote((9_900, 10), (10_100, 10)).quote(bid, ask));
    let flows = [
        (((9_900, 15), (10_100, 10)), 5),
        (((9_900, 10), (10_100, 15)), -5),
        (((9_950, 7), (10_100, 10)), 7),
        (((9_850, 3), (10_100, 10)), -10),
    ];
    for ((bid, ask), flow) in flows {
        let values = of(bid, ask);
        assert_eq!((values[11], values[12]), (flow, flow));
        assert_eq!(values[13], (flow as f64 * 2.0 / 9.0).round_ties_even() as i64);
        assert_eq!(values[22], (flow as f64 * 2.0 / 41.0).round_ties_even() as i64);
    }
    // Five more on the bid: an average flow of 10/9 over an average size of 12.
    assert_eq!(of((9_900, 15), (10_100, 10))[16], (1e6 * (10.0 / 9.0) / 12.0_f64).round() as i64);
}

#[test]
fn returns_that_alternate_have_a_negative_autocovariance() {
    // At four decimals a doubled mid moves in ten-thousandths: here by two, up and down.
    let mut tape = Tape::new();
    let mut table = Instruments::default();
    let four = Scale::new(4).unwrap();
    let instrument = Instrument::new(Symbol::new("x:A").unwrap(), four, Scale::ZERO);
    table.declare(instrument).unwrap();
    tape.batch = Batch::new(Arc::new(table));
    let tape = tape.quotes((0..60).map(|at| 10_000 + at % 2));
    assert_eq!(lob(&tape)[17], -4_000_000);
}

#[test]
fn the_age_of_the_best_prices_is_in_milliseconds() {
    let mut tape = Tape::new().quotes([10_000]);
    tape.now += 1_400_000_000;
    assert_eq!(lob(&tape.quotes([10_000]))[18], 1_500);
    assert_eq!(lob(&Tape::new().quotes([10_000, 10_001]))[18], 0);
}

#[test]
fn fifty_buys_are_toxic() {
    let buys = |count| {
        let tape = Tape::new().quote((9_900, 5), (10_000, 5));
        let tape = (0..count).fold(tape, |tape, _| tape.trade(10_000, 10, None));
        lob(&tape.quote((9_900, 5), (10_000, 5)))[21]
    };
    assert_eq!((buys(49), buys(50)), (0, 1_000));
}

#[test]
fn integer_features_warm_up_at_their_events() {
    let tape = Tape::new().quotes((0..2_500).map(|at| 10_000 + at % 3));
    let rows = tape.run(Program::lob("lob27").unwrap(), 64, EngineOptions::default());
    for (at, (name, event)) in LOB27.iter().enumerate().filter(|(at, _)| *at != 21) {
        let warm = |row: &Feature| row.warm.unwrap() >> at & 1 == 1;
        let first = rows.iter().position(warm).map(|row| row as u64 + 1);
        assert_eq!(first, Some(*event), "{name}");
    }
    assert_eq!(
        rows[0].values.iter().flatten().count(),
        27,
        "values are there from the first event"
    );
    let few = tape.run(Program::lob("lob16").unwrap(), 9_999, EngineOptions::default());
    assert_eq!(few[77].values[..], rows[77].values[..16]);
}

#[test]
fn a_crossed_event_leaves_the_integer_features_as_they_were() {
    let run = |tape: Tape| tape.run(Program::lob("lob27").unwrap(), 10, EngineOptions::default());
    let mids = |count: i64| (0..count).map(|at| 10_000 + (at * 7) % 5);
    let odd = run(Tape::new().quotes(mids(450)).quote((10_100, 1), (10_000, 1)).quotes([10_003]));
    assert_eq!((odd[450].flags, &odd[450].values), (Some(flags::PARTIAL), &odd[449].values));
    let mut plain = Tape::new().quotes(mids(450));
    plain.now += 100_000_000;
    assert_eq!(run(plain.quotes([10_003]))[450].values, odd[451].values);
}

#[test]
fn windows_named_by_seconds_count_the_events_of_their_cadence() {
    let spreads: Vec<i64> = (0..400).map(|at| 1 + at * 7 % 5).collect();
    let tape = spreads
        .iter()
        .fold(Tape::new(), |tape, half| tape.quote((10_000 - half, 5), (10_000 + half, 5)));
    let program = Program::lob_at("lob27", 1_000).unwrap();
    let rows = tape.run(program, 64, EngineOptions::default());
    // Thirty seconds are thirty events a second apart.
    let mut ema = 2.0 * spreads[0] as f64;
    for (at, (row, half)) in rows.iter().zip(&spreads).enumerate() {
        if at > 0 {
            ema += 2.0 / 31.0 * (2.0 * *half as f64 - ema);
        }
        assert_eq!(row.values[25], Some(ema.round_ties_even()), "event {at}");
        let warm = row.warm.unwrap();
        assert_eq!(
            [22, 25, 26].map(|bit| warm >> bit & 1),
            [5, 30, 300].map(|n| u64::from(at + 1 >= n))
        );
    }
    for cadence_ms in [0, 5_001] {
        assert!(Program::lob_at("lob27", cadence_ms).is_none());
    }
}

proptest! {
    #[test]
    fn integer_features_do_not_depend_on_batches(
        steps in proptest::collection::vec((-2_i64..=2, 0_i64..50, 0_i64..50), 1..600),
        pieces in 1_usize..100,
    ) {
        let mut tape = Tape::new();
        let mut mid = 10_000;
        for (at, (step, bid, ask)) in steps.into_iter().enumerate() {
            mid += step;
            tape = if at % 5 == 4 { tape.trade(mid, bid, None) } else { tape.quote((mid - 1, bid), (mid + 1, ask)) };
        }
        let program = Program::lob("lob27").unwrap();
        let whole = tape.run(program.clone(), usize::MAX >> 1, EngineOptions::default());
        prop_assert_eq!(tape.run(program, pieces, EngineOptions::default()), whole);
    }
}
