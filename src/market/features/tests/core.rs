//! Scalar features of the best bid and ask.

use proptest::prelude::*;
use qt_model::record::Feature;
use qt_model::words::Side;

use super::tape::Tape;
use super::{core15, near, program};
use crate::features::{EngineOptions, flags};

#[test]
fn a_constant_market_has_the_stated_values() {
    let rows = Tape::new().quotes([10_000; 200]).rows(&core15());
    let last = &rows.last().unwrap().values;
    let expected =
        [100.0, 0.02, 0.0, 0.0, 100.0, 100.0, 0.02, 0.0, 1.0, 0.0, 1.0, 100.0, 0.0, 0.0, 0.5];
    for (at, (found, expected)) in last.iter().zip(expected).enumerate() {
        assert!(near(*found, expected), "feature {at}: {found:?} is not {expected}");
    }
}

#[test]
fn each_feature_of_core15_begins_at_its_event() {
    let mids = (0..200).map(|at| 10_000 + (at * 37) % 11);
    let rows = Tape::new().quotes(mids).rows(&core15());
    let begins = [1, 1, 2, 21, 14, 15, 15, 11, 120, 30, 100, 1, 20, 19, 20];
    let program = program(&core15());
    for (feature, begin) in begins.into_iter().enumerate() {
        let first = rows.iter().position(|row| row.values[feature].is_some()).unwrap() + 1;
        assert_eq!(first, begin, "feature {feature}");
        assert_eq!(program.warm_at(feature), begin as u64, "feature {feature}");
        let warm = |row: &Feature| row.warm.unwrap() >> feature & 1 == 1;
        assert_eq!(rows.iter().position(warm).unwrap() + 1, begin, "feature {feature}");
    }
}

#[test]
fn the_worked_examples_come_out() {
    let tape = Tape::new().quote((10_000, 10), (10_100, 30));
    assert!(near(tape.last("microprice"), 100.25));
    assert!(near(tape.last("imbalance"), -0.5));
    let flow = |bid, ask| Tape::new().quote((9_900, 10), (10_100, 10)).quote(bid, ask).last("ofi");
    assert_eq!(flow((9_900, 15), (10_100, 10)), Some(5.0));
    assert_eq!(flow((9_900, 10), (10_100, 15)), Some(-5.0));
    assert_eq!(flow((9_950, 7), (10_100, 10)), Some(7.0));
    assert_eq!(flow((9_850, 3), (10_100, 10)), Some(-10.0));
    assert_eq!(flow((9_900, 10), (10_050, 4)), Some(-4.0));
    assert_eq!(flow((9_900, 10), (10_150, 4)), Some(10.0));
}

#[test]
fn a_crossed_or_one_sided_event_repeats_what_was() {
    let calm = Tape::new().quotes((0..50).map(|at| 10_000 + at % 7));
    let plain = calm.rows(&core15());
    let odd = Tape::new()
        .quotes((0..49).map(|at| 10_000 + at % 7))
        .quote((10_100, 5), (10_000, 5))
        .quote((10_000, 5), (0, 0))
        .quotes([10_000]);
    let rows = odd.rows(&core15());
    assert_eq!(rows.len(), 52);
    assert_eq!(rows[49].values, rows[48].values);
    assert_eq!((rows[49].flags, rows[50].flags), (Some(flags::PARTIAL), Some(flags::PARTIAL)));
    assert_eq!(rows[51].values, plain[49].values, "as if nothing had happened");
    assert_eq!(rows[51].flags, Some(0));
}

#[test]
fn a_number_beside_a_column_has_the_clock_of_the_column() {
    let tape = [10_000, 10_020, 10_010]
        .into_iter()
        .fold(Tape::new(), |tape, px| tape.trade(px, 1, None).quotes([10_000, 10_002]));
    for row in tape.rows("mid, sum(2 * px, 2), sum(px / 0.5, 2), 2 * sum(px, 2)") {
        assert_eq!((row.values[1], row.values[2]), (row.values[3], row.values[3]));
    }
}

#[test]
fn trades_are_classified_by_the_quote_and_by_the_last_move() {
    let tape = Tape::new()
        .trade(10_000, 1, None)
        .trade(10_001, 1, None)
        .trade(10_001, 1, None)
        .quote((9_990, 5), (10_000, 5))
        .trade(9_999, 1, None)
        .trade(9_991, 1, None)
        .trade(9_995, 1, None)
        .trade(9_995, 1, Some(Side::Sell));
    let values: Vec<_> = tape.values("direction").into_iter().flatten().collect();
    assert_eq!(values, [0.0, 1.0, 1.0, 1.0, -1.0, 1.0, -1.0]);
    assert!(near(tape.last("vwap(2)"), 99.95));
}

/// The definitions, written out over the whole past: slow, and nothing to get wrong.
fn defined(mids: &[f64], spreads: &[f64]) -> Vec<[Option<f64>; 5]> {
    let std = |values: &[f64]| {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        (values.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
    };
    let returns: Vec<f64> = mids.windows(2).map(|pair| (pair[1] - pair[0]) / pair[0]).collect();
    let ema = |upto: usize| {
        mids[1..=upto].iter().fold(mids[0], |ema, mid| 2.0 / 15.0 * mid + (1.0 - 2.0 / 15.0) * ema)
    };
    let of = |at: usize| {
        let volatility = (at >= 20).then(|| std(&returns[at - 20..at]));
        let rsi = (at >= 14).then(|| {
            let changes: Vec<f64> = (at - 13..=at).map(|it| mids[it] - mids[it - 1]).collect();
            let gain = changes.iter().filter(|it| **it > 0.0).sum::<f64>() / 14.0;
            let loss = -changes.iter().filter(|it| **it < 0.0).sum::<f64>() / 14.0;
            match (gain, loss) {
                (_, 0.0) => 100.0,
                (0.0, _) => 0.0,
                (gain, loss) => 100.0 - 100.0 / (1.0 + gain / loss),
            }
        });
        let atr = (at >= 14).then(|| {
            let range = |it: usize| spreads[it].max((mids[it] - mids[it - 1]).abs());
            (at - 13..=at).map(range).sum::<f64>() / 14.0
        });
        let slope = (at >= 18).then(|| (ema(at) - ema(at - 5)) / 5.0);
        let position = (at >= 19).then(|| {
            let window = &mids[at - 19..=at];
            let (mean, std) = (window.iter().sum::<f64>() / 20.0, std(window));
            let (low, high) = (mean - 2.0 * std, mean + 2.0 * std);
            if high > low { ((mids[at] - low) / (high - low)).clamp(0.0, 1.0) } else { 0.5 }
        });
        [volatility, rsi, atr, slope, position]
    };
    (0..mids.len()).map(of).collect()
}

proptest! {
    #[test]
    fn core15_is_what_its_definitions_say(steps in proptest::collection::vec((-3_i64..=3, 1_i64..4), 1..150)) {
        let mut tape = Tape::new();
        let (mut mids, mut spreads, mut bid) = (Vec::new(), Vec::new(), 10_000);
        for (step, wide) in steps {
            bid += step;
            mids.push((2 * bid + wide) as f64 / 200.0);
            spreads.push(wide as f64 / 100.0);
            tape = tape.quote((bid, 5), (bid + wide, 5));
        }
        let rows = tape.rows(&core15());
        for (row, expected) in rows.iter().zip(defined(&mids, &spreads)) {
            let found = [3, 5, 6, 13, 14].map(|feature| row.values[feature]);
            for (feature, (found, expected)) in found.into_iter().zip(expected).enumerate() {
                match (found, expected) {
                    (Some(found), Some(expected)) => {
                        let bound = 1e-9 * expected.abs().max(1e-3);
                        prop_assert!((found - expected).abs() <= bound, "{feature}: {found} {expected}");
                    }
                    (found, expected) => prop_assert_eq!(found, expected),
                }
            }
        }
    }

    #[test]
    fn results_do_not_depend_on_batches(
        mids in proptest::collection::vec(9_990_i64..10_010, 1..700),
        pieces in 1_usize..300,
    ) {
        let mut tape = Tape::new();
        for (at, mid) in mids.into_iter().enumerate() {
            tape = match at % 7 {
                3 => tape.trade(mid, 3, None),
                5 => tape.quote((mid, 5), (mid - 1, 5)),
                _ => tape.quote((mid - 1, 4), (mid + 1, 9)),
            };
        }
        let list = format!("{}, vwap(20), corr(mid, px, 10), quantile(spread, 20, 0.3), kyle(15), cum(ofi)", core15());
        let whole = tape.rows(&list);
        prop_assert_eq!(tape.rows_with(&list, pieces, EngineOptions::default()), whole);
    }

    #[test]
    fn no_value_changes_when_the_future_is_cut_off(
        mids in proptest::collection::vec(9_990_i64..10_010, 2..200),
        cut in 1_usize..200,
    ) {
        let cut = cut.min(mids.len());
        let whole = Tape::new().quotes(mids.iter().copied()).rows(&core15());
        let prefix = Tape::new().quotes(mids[..cut].iter().copied()).rows(&core15());
        prop_assert_eq!(&whole[..cut], &prefix[..]);
    }
}
