//! Features against their definitions, and against themselves in other batches.

use std::sync::Arc;

use proptest::prelude::*;
use qt_model::ids::InstrumentId;
use qt_model::instrument::{Instrument, Instruments, Symbol};
use qt_model::record::{Batch, Depth, Feature, Gap, Head, Level, Quote, Trade};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::{DepthAction, GapReason, Side};

use super::*;

/// Events of one symbol, a tenth of a second apart.
struct Tape {
    batch: Batch,
    id: InstrumentId,
    now: i64,
}

impl Tape {
    fn new() -> Self {
        let (two, zero) = (Scale::new(2).unwrap(), Scale::ZERO);
        let mut table = Instruments::default();
        let instrument = Instrument::new(Symbol::new("x:A").unwrap(), two, zero);
        let id = table.declare(instrument).unwrap();
        Self { batch: Batch::new(Arc::new(table)), id, now: 0 }
    }

    fn head(&mut self) -> Head {
        self.now += 100_000_000;
        let ts = Ts::from_nanos(self.now);
        Head::new(ts, ts, self.now.unsigned_abs(), Some(self.id))
    }

    /// Best bid and ask with their sizes; a price of zero is an absent side.
    fn quote(mut self, bid: (i64, i64), ask: (i64, i64)) -> Self {
        let head = self.head();
        let px = |px: i64| (px != 0).then(|| Px::new(px));
        let qty = |qty| Qty::new(qty).ok();
        let row = Quote {
            head,
            bid_px: px(bid.0),
            bid_qty: qty(bid.1),
            ask_px: px(ask.0),
            ask_qty: qty(ask.1),
            id: None,
        };
        self.batch.push_row(row, &[]);
        self
    }

    fn quotes(self, mids: impl IntoIterator<Item = i64>) -> Self {
        mids.into_iter().fold(self, |tape, mid| tape.quote((mid - 1, 5), (mid + 1, 5)))
    }

    fn trade(mut self, px: i64, qty: i64, side: Option<Side>) -> Self {
        let head = self.head();
        let row = Trade { head, px: Px::new(px), qty: Qty::new(qty).unwrap(), side, id: None };
        self.batch.push_row(row, &[]);
        self
    }

    fn gap(mut self) -> Self {
        let head = self.head();
        let (from, to) = (head.ts_recv, head.ts_recv);
        let row = Gap { head, from, to, reason: GapReason::Sequence, missing: None };
        self.batch.push_row(row, &[]);
        self
    }

    fn depth(mut self, action: DepthAction, levels: &[(Side, i64, i64)]) -> Self {
        let head = self.head();
        let level = |(side, px, qty): &(Side, i64, i64)| Level {
            px: Px::new(*px),
            qty: Qty::new(*qty).unwrap(),
            side: *side,
        };
        let levels: Vec<Level> = levels.iter().map(level).collect();
        let row = Depth { head, action, first_id: None, last_id: None, prev_id: None };
        self.batch.push_row(row, &levels);
        self
    }

    fn rows_with(&self, features: &str, pieces: usize, options: EngineOptions) -> Vec<Feature> {
        let plan = Plan::new(&parse_list(features).unwrap()).unwrap();
        self.run(Program::new(plan), pieces, options)
    }

    fn run(&self, program: Program, pieces: usize, options: EngineOptions) -> Vec<Feature> {
        let mut engine = Engine::new(program, options, Box::new(|_| true));
        let mut rows = Vec::new();
        for start in (0..self.batch.len()).step_by(pieces) {
            let mut piece = Batch::new(Arc::clone(self.batch.instruments()));
            piece.push_range(&self.batch, start, self.batch.len().min(start + pieces));
            let mut out = Batch::default();
            engine.batch(&piece, &mut out);
            rows.extend_from_slice(out.rows::<Feature>());
        }
        rows
    }

    fn rows(&self, features: &str) -> Vec<Feature> {
        self.rows_with(features, usize::MAX >> 1, EngineOptions::default())
    }

    /// The values of one feature, an event each.
    fn values(&self, feature: &str) -> Vec<Option<f64>> {
        self.rows(feature).iter().map(|row| row.values[0]).collect()
    }

    fn last(&self, feature: &str) -> Option<f64> {
        *self.values(feature).last().expect("there is an event")
    }
}

fn core15() -> String {
    let set = set("core15").unwrap();
    let list: Vec<_> = set.features.iter().map(|(name, text)| format!("{name} = {text}")).collect();
    list.join(", ")
}

fn near(found: Option<f64>, expected: f64) -> bool {
    found.is_some_and(|found| (found - expected).abs() <= 1e-12 * expected.abs().max(1e-9))
}

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
    let plan = Plan::new(&parse_list(&core15()).unwrap()).unwrap();
    for (feature, begin) in begins.into_iter().enumerate() {
        let first = rows.iter().position(|row| row.values[feature].is_some()).unwrap() + 1;
        assert_eq!(first, begin, "feature {feature}");
        assert_eq!(plan.warm_at(feature), begin as u64, "feature {feature}");
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
            mids.push((bid as f64 / 100.0 + (bid + wide) as f64 / 100.0) / 2.0);
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

#[test]
fn every_function_has_an_example_that_runs() {
    for function in functions() {
        let tape =
            Tape::new().quotes((0..300).map(|at| 10_000 + (at * 13) % 7)).trade(10_000, 1, None);
        let rows = tape.rows(function.example);
        assert!(function.example.starts_with(function.name), "{}", function.example);
        for value in rows.iter().flat_map(|row| row.values.iter().flatten()) {
            assert!(value.is_finite(), "{} gives {value}", function.example);
        }
    }
}

#[test]
fn shared_parts_are_computed_once() {
    let steps = |text: &str| Plan::new(&parse_list(text).unwrap()).unwrap().steps();
    assert_eq!(steps("ema(mid, 20)"), 2);
    assert_eq!(steps("ema(mid, 20), ema(mid, n = 20) * ema(20)"), 3);
    assert_eq!(steps("a = std(ret(mid, 1), 20), b = sma(a, 5), c = z(ret(1), 20)"), 5);
}

#[test]
fn what_cannot_be_compiled_says_why_and_where() {
    let cases = [
        ("emma(mid, 20)", 0..13, "there is no function `emma`; did you mean `ema`?"),
        ("ema(mud, 20)", 4..7, "there is no column or feature `mud`; did you mean `mid`?"),
        (
            "ema(mid, 0)",
            9..10,
            "`n` of `ema`: expected a whole number from 1 to 1000000, found `0`",
        ),
        (
            "ema(mid, 2.5)",
            9..12,
            "`n` of `ema`: expected a whole number from 1 to 1000000, found `2.5`",
        ),
        ("ema(mid, n = 3, n = 4)", 20..21, "`n` is given twice"),
        ("ema(mid, m = 3)", 13..14, "there is no parameter of `ema` `m`; did you mean `n`?"),
        ("ema(mid, 1, 2)", 0..14, "`ema` takes at most 2 arguments, as in ema(mid, 20)"),
        ("corr(mid)", 0..9, "`corr` needs `y`, as in corr(ret(mid, 1), imbalance, 100)"),
        ("ema", 0..3, "`ema` is a function: write `ema(…)`"),
        ("a = b + 1, b = a * 2", 15..16, "a circle: a → b → a"),
    ];
    for (text, span, message) in cases {
        let error = Plan::new(&parse_list(text).unwrap()).unwrap_err().error;
        assert_eq!((error.span.clone(), error.message.as_str()), (span, message), "{text}");
    }
}

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
