//! Windows of time against their definitions.

use proptest::prelude::*;
use qt_model::words::Side;

use super::history::{History, deviation, hold, market, mean, steps};
use super::tape::Tape;
use super::{list_of, near};

const SECOND: i64 = 1_000_000_000;

/// The values whose times lie in the last so many seconds; none before as much time has passed
/// since the first.
fn within(values: &[(f64, f64)], seconds: f64) -> Option<Vec<f64>> {
    let (now, first) = (values.last()?.0, values[0].0);
    let is_in = |(ts, _): &&(f64, f64)| *ts > now - seconds + 1e-12;
    (now - first >= seconds - 1e-12)
        .then(|| values.iter().filter(is_in).map(|(_, value)| *value).collect())
}

fn realized(history: &History, seconds: f64) -> Option<f64> {
    Some(within(&history.log_returns(), seconds)?.iter().map(|r| r * r).sum::<f64>().sqrt())
}

fn bipower(history: &History, seconds: f64) -> Option<f64> {
    let returns = history.log_returns();
    let pairs: Vec<_> =
        returns.windows(2).map(|it| (it[1].0, it[1].1.abs() * it[0].1.abs())).collect();
    Some(std::f64::consts::FRAC_PI_2 * within(&pairs, seconds)?.iter().sum::<f64>())
}

fn log_return(history: &History, seconds: f64) -> Option<f64> {
    let now = *history.mids().last()?;
    Some(libm::log(now / history.mid_before(seconds)?))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn volatility_over_time_is_what_its_definition_says(steps in steps(2..120)) {
        let (tape, history) = market(&steps);
        let rows = tape.rows(&list_of("vol"));
        let of = |at: usize| rows.iter().map(|row| row.values[at]).collect::<Vec<_>>();
        for (at, seconds) in [(1, 1.0), (2, 10.0), (3, 60.0)] {
            hold("rv", &of(at), |event| realized(&history.upto(event), seconds))?;
            hold("bpv", &of(at + 5), |event| bipower(&history.upto(event), seconds))?;
            hold("jump_share", &of(at + 9), |event| {
                let now = history.upto(event);
                let all = realized(&now, seconds)?.powi(2);
                let smooth = bipower(&now, seconds)?;
                (all > 0.0).then(|| (1.0 - smooth / all).max(0.0))
            })?;
        }
        hold("ewma_vol", &of(5), |event| {
            let returns = history.upto(event).log_returns();
            let (first, rest) = returns.split_first()?;
            let smooth = |average: f64, (_, r): &(f64, f64)| 0.94 * average + 0.06 * r * r;
            Some(rest.iter().fold(first.1 * first.1, smooth).sqrt())
        })?;
    }

    #[test]
    fn the_columns_for_learning_are_what_their_definitions_say(steps in steps(2..150)) {
        let (tape, history) = market(&steps);
        let rows = tape.rows(&list_of("ml10"));
        let of = |at: usize| rows.iter().map(|row| row.values[at]).collect::<Vec<_>>();
        for (at, seconds) in [(5, 1.0), (6, 5.0), (7, 10.0), (8, 30.0)] {
            hold("f_ret", &of(at), |event| log_return(&history.upto(event), seconds))?;
        }
        hold("f_vol_10s", &of(9), |event| {
            let ret = |event: usize| Some((history.ts[event], log_return(&history.upto(event), 1.0)?));
            let returns: Vec<_> = (0..=event).filter_map(ret).collect();
            within(&returns, 10.0).map(|it| deviation(&it))
        })?;
        let at = |event: usize| (history.bid_qty[event], history.ask_qty[event]);
        hold("f_imbalance", &of(3), |event| match at(event) {
            (bid, ask) if bid + ask == 0.0 => Some(0.0),
            (bid, ask) => Some((bid - ask) / (bid + ask)),
        })?;
        hold("f_spread_bps", &of(2), |event| Some(1e4 * history.spreads()[event] / history.mids()[event]))?;
    }

    #[test]
    fn windows_of_time_hold_what_lies_in_them(steps in steps(1..200), seconds in 1_i64..8) {
        let (tape, history) = market(&steps);
        let t = format!("{seconds}s");
        let list = format!("sma(mid, {t}), sum(mid, {t}), highest(mid, {t}), lowest(mid, {t}), count(mid, {t}), std(mid, {t}), lag(mid, {t})");
        let rows = tape.rows(&list);
        let of = |at: usize| rows.iter().map(|row| row.values[at]).collect::<Vec<_>>();
        let seconds = seconds as f64;
        let window = |event: usize| {
            let now = history.upto(event);
            within(&now.ts.iter().copied().zip(now.mids()).collect::<Vec<_>>(), seconds)
        };
        hold("sma", &of(0), |event| window(event).map(|it| mean(&it)))?;
        hold("sum", &of(1), |event| window(event).map(|it| it.iter().sum()))?;
        hold("highest", &of(2), |event| window(event)?.into_iter().reduce(f64::max))?;
        hold("lowest", &of(3), |event| window(event)?.into_iter().reduce(f64::min))?;
        hold("count", &of(4), |event| window(event).map(|it| it.len() as f64))?;
        hold("std", &of(5), |event| window(event).map(|it| deviation(&it)))?;
        hold("lag", &of(6), |event| history.upto(event).mid_before(seconds))?;
    }
}

#[test]
fn flow_over_time_forgets_what_is_older() {
    let trade = |tape: Tape, side| tape.wait(SECOND - 100_000_000).trade(10_000, 2, Some(side));
    let tape = (0..9).fold(Tape::new(), |tape, _| trade(tape, Side::Buy));
    let tape = (0..3).fold(tape, |tape, _| trade(tape, Side::Sell));
    assert!(near(tape.last("flow_imbalance(5s)"), -0.2), "two bought and three sold");
    assert!(near(tape.last("flow_imbalance(3s)"), -1.0));
    assert!(near(tape.last("trade_intensity(5s)"), 5.0));
    assert_eq!(tape.last("flow_imbalance(30s)"), None, "so long it has not run");
    assert!(near(tape.last("vwap(2s)"), 100.0));
}

#[test]
fn signs_of_three_horizons_are_averaged() {
    // Up over a minute and ten seconds, down over the last.
    let tape = (0..70).fold(Tape::new(), |tape, at| {
        tape.wait(SECOND - 100_000_000).quotes([10_000 + if at == 69 { 60 } else { at }])
    });
    assert!(near(tape.last("xtf_alignment()"), 1.0 / 3.0));
}

#[test]
fn a_burst_is_signalled_once() {
    let slow = (0..60).fold(Tape::new(), |tape, _| tape.wait(900_000_000).trade(10_000, 1, None));
    assert_eq!(slow.last("burst(px, 30s, 3)"), Some(0.0));
    let fast = (0..400).fold(slow, |tape, _| tape.trade(10_000, 1, None));
    let signals: f64 = fast.values("burst(px, 30s, 3)").into_iter().flatten().sum();
    assert!(near(Some(signals), 1.0), "{signals}");
    // A small factor, and an average that follows soon: bursts come again, no closer than told.
    let again = fast.values("burst(px, 3s, 1.01, n = 2, cooldown = 2s)");
    let at: Vec<usize> =
        again.iter().enumerate().filter(|(_, it)| **it == Some(1.0)).map(|(at, _)| at).collect();
    assert!(!at.is_empty());
    let times: Vec<i64> = at.iter().map(|at| fast.batch.head(*at).ts_event.nanos()).collect();
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= 2 * SECOND), "{times:?}");
}

#[test]
fn a_drift_that_noise_does_not_explain_is_a_burst() {
    let noise = (0..200).map(|at| 10_000 + (at * 7919) % 5);
    let calm = Tape::new().quotes(noise.clone());
    assert!(calm.last("drift_score(100)").is_some_and(|score| score < 0.5));
    assert_eq!(calm.last("drift_burst(n = 100)"), Some(0.0));
    assert_eq!(Tape::new().quotes([10_000; 300]).last("drift_score(100)"), None, "nothing moved");
    let run = |bid_qty| {
        let tape = Tape::new().quotes(noise.clone());
        (0..150).fold(tape, move |tape, at| {
            tape.quote((10_000 + at * 9, bid_qty), (10_002 + at * 9, 5))
        })
    };
    let of = |tape: &Tape| {
        let classes = tape.values("drift_burst(n = 100)");
        classes.into_iter().flatten().fold(0.0, f64::max)
    };
    assert!(near(Some(of(&run(5))), 1.0), "the book leans to no side");
    assert!(near(Some(of(&run(1))), 2.0), "and here against the run");
    let score = run(5).last("drift_score(100)").unwrap();
    // A straight run: T is √(n·2/π), whatever its step.
    let t = (100.0 * 2.0 / std::f64::consts::PI).sqrt();
    let expected = 2.0 / (1.0 + (-t / 3.0).exp()) - 1.0;
    assert!((score - expected).abs() < 1e-3, "{score} {expected}");
}

#[test]
fn lengths_of_time_stand_where_they_mean_something() {
    use crate::features::{Plan, parse_list};
    let error = |text: &str| Plan::new(&parse_list(text).unwrap()).unwrap_err().error.message;
    assert!(error("ema(mid, 10s)").contains("a whole number from 1 to 1000000, found `10s`"));
    assert!(error("count(px, 5)").contains("a length of time such as 10s, found `5`"));
    assert!(error("mid / 10s").contains("a length of time is a parameter"));
    assert!(error("kyle(10s)").contains("found `10s`"));
    let steps = |text: &str| Plan::new(&parse_list(text).unwrap()).unwrap().steps();
    assert_eq!(steps("ret(1m), ret(mid, 60s)"), 3, "one length, however it is written");
}
