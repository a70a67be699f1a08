//! The discovery set against its definitions.

use proptest::prelude::*;

use super::history::{History, deviation, ema, hold, last, market, mean, steps, variance};
use super::tape::Tape;
use super::{list_of, near};

/// What a feature was at each event so far, where it had a value.
fn past(history: &History, of: impl Fn(&History) -> Option<f64>) -> Vec<f64> {
    (0..history.len()).filter_map(|event| of(&history.upto(event))).collect()
}

fn momentum(history: &History) -> Option<f64> {
    let returns = history.returns();
    let window = last(&returns, 20)?;
    let all: f64 = window.iter().map(|r| r.abs()).sum();
    Some(if all == 0.0 { 0.0 } else { window.iter().sum::<f64>() / all })
}

fn pressure(history: &History) -> Option<f64> {
    ema(&history.imbalances(), 10)
}

fn acceleration(history: &History) -> Option<f64> {
    let imbalances = history.imbalances();
    let smooth: Vec<f64> =
        (10..=imbalances.len()).filter_map(|n| ema(&imbalances[..n], 10)).collect();
    let changes: Vec<f64> = smooth.windows(2).map(|pair| pair[1] - pair[0]).collect();
    ema(&changes, 5).map(|it| libm::tanh(100.0 * it))
}

fn wide(history: &History) -> Vec<f64> {
    history.spreads().into_iter().filter(|spread| *spread > 0.0).collect()
}

fn compression(history: &History) -> Option<f64> {
    let (fast, slow) = (ema(&wide(history), 10)?, ema(&wide(history), 50)?);
    Some(((slow - fast) / slow).clamp(-1.0, 1.0))
}

fn reversion(history: &History) -> Option<f64> {
    let returns = history.returns();
    let turns = returns.windows(2).map(|pair| {
        let product = pair[0].signum() * pair[1].signum();
        match pair {
            [a, b] if *a == 0.0 || *b == 0.0 => 0.5,
            _ if product < 0.0 => 1.0,
            _ => 0.0,
        }
    });
    last(&turns.collect::<Vec<_>>(), 50).map(mean)
}

fn volatility(history: &History) -> Option<f64> {
    last(&history.returns(), 20).map(deviation)
}

fn ratio(history: &History) -> Option<f64> {
    let returns = history.returns();
    let (short, long) = (deviation(last(&returns, 20)?), deviation(last(&returns, 100)?));
    Some(if short == 0.0 || long == 0.0 { 1.0 } else { (short / long).clamp(0.0, 5.0) })
}

fn trend(history: &History) -> Option<f64> {
    let mids = history.mids();
    let (fast, slow) = (ema(&mids, 10)?, ema(&mids, 30)?);
    let before = ema(mids.get(..mids.len().checked_sub(5)?)?, 10)?;
    Some(libm::tanh(100.0 * (0.7 * (fast - slow) / slow + 0.3 * (fast - before) / before)))
}

fn spread_ratio(history: &History) -> Option<f64> {
    let wide = wide(history);
    Some((wide.last()? / mean(last(&wide, 100)?)).clamp(0.0, 5.0))
}

fn percentile(values: &[f64]) -> f64 {
    let newest = values[values.len() - 1];
    values.iter().filter(|value| **value <= newest).count() as f64 / values.len() as f64
}

fn intensity(history: &History) -> Option<f64> {
    let rate = |history: &History| {
        let ts = last(&history.ts, 20)?;
        // In nanoseconds, so that equal times are equal.
        let passed = ((ts[19] - ts[0]) * 1e9).round();
        (passed > 0.0).then(|| 19.0 / (passed / 1e9))
    };
    last(&past(history, rate), 200).map(percentile)
}

#[test]
fn worked_values_of_behaviour() {
    let rises = Tape::new().quotes((0..40).map(|at| 10_000 + at));
    assert!(near(rises.last("return_momentum(20)"), 1.0));
    assert!(near(rises.last("micro_reversion(20)"), 0.0));
    let turns = || Tape::new().quotes((0..41).map(|at| 10_000 + at % 2));
    assert!(near(turns().last("micro_reversion(20)"), 1.0));
    assert!(turns().last("return_momentum_count(20)").is_some_and(|it| it.abs() < 1e-12));
    let still = Tape::new().quotes([10_000; 150]);
    assert!(near(still.last("return_momentum(20)"), 0.0));
    assert!(near(still.last("volatility_ratio()"), 1.0));
    assert!(near(still.last("micro_reversion(50)"), 0.5));
    assert!(still.last("spread_compression()").is_some_and(|it| it.abs() < 1e-12));
    assert!(near(still.last("spread_ratio()"), 1.0));
    assert!(near(Tape::new().quotes([10_000; 400]).last("regime_stability()"), 1.0));
    assert!(near(Tape::new().quotes([10_000; 400]).last("intensity_rank()"), 1.0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_discovery_set_is_what_its_definitions_say(steps in steps(130..190)) {
        let (tape, history) = market(&steps);
        let rows = tape.rows(&list_of("discovery"));
        let of = |at: usize| rows.iter().map(|row| row.values[at]).collect::<Vec<_>>();
        // An event that does not concern a feature repeats what it was.
        let held = |of: fn(&History) -> Option<f64>| {
            let (mut value, mut all) = (None, Vec::new());
            for event in 0..history.len() {
                value = of(&history.upto(event)).or(value);
                all.push(value);
            }
            move |event: usize| all[event]
        };
        hold("return_momentum", &of(1), held(momentum))?;
        hold("spread_compression", &of(3), held(compression))?;
        hold("micro_reversion", &of(4), held(reversion))?;
        hold("volatility_ratio", &of(7), held(ratio))?;
        hold("trend_strength", &of(8), held(trend))?;
        hold("spread_ratio", &of(9), held(spread_ratio))?;
        let names = "liquidity_pressure = ema(imbalance, 10), acceleration = imbalance_acceleration()";
        let rows = tape.rows(names);
        for (event, row) in rows.iter().enumerate() {
            // An event with nothing on either side has no imbalance, and its averages none there.
            if history.bid_qty[event] + history.ask_qty[event] > 0.0 {
                let now = history.upto(event);
                for (found, expected) in row.values.iter().zip([pressure(&now), acceleration(&now)]) {
                    hold(names, &[*found], |_| expected)?;
                }
            }
        }
    }

    #[test]
    fn ranks_and_scores_are_what_their_definitions_say(steps in steps(225..240)) {
        // A spread of zero does not count: without one, all averages speak of the same events.
        let steps: Vec<_> = steps.into_iter().map(|(step, wide, qty, wait)| (step, wide + 1, qty, wait)).collect();
        let (tape, history) = market(&steps);
        // Deviations that are equal by definition may differ in their last bit, and then in rank.
        let score = |history: &History, slack: f64| {
            let calm = (2.0 - ratio(history)?).clamp(0.0, 1.0);
            let volatilities = past(history, volatility);
            let window = last(&volatilities, 50)?;
            let newest = window[49] * (1.0 + slack);
            let rank = window.iter().filter(|it| **it <= newest).count() as f64 / 50.0;
            Some(0.4 * calm + 0.3 * (compression(history)? + 1.0) / 2.0 + 0.3 * (1.0 - rank))
        };
        let stability = |history: &History| {
            let part = |of: fn(&History) -> Option<f64>| {
                let values = past(history, of);
                last(&values, 100).map(|it| 1.0 - (variance(it) / 0.67).min(1.0))
            };
            Some(0.4 * part(ratio)? + 0.4 * part(trend)? + 0.2 * part(spread_ratio)?)
        };
        // The last event alone: the slow way is slow.
        let event = history.len() - 1;
        let rows = tape.rows("volatility_compression_score(), regime_stability(), intensity_rank()");
        let row = &rows[event].values;
        if let (Some(found), Some(least), Some(most)) =
            (row[0], score(&history, 1e-9), score(&history, -1e-9))
        {
            let is_between = least - 1e-9 <= found && found <= most + 1e-9;
            prop_assert!(is_between, "score {found}, defined as {least} to {most}");
        } else {
            prop_assert_eq!((row[0], score(&history, 0.0)), (None, None));
        }
        hold("regime_stability", &row[1..2], |_| stability(&history))?;
        hold("intensity_rank", &row[2..3], |_| intensity(&history))?;
    }
}
