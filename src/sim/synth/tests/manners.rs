//! How the market behaves: rough statistics at fixed seeds, with room around them.

use qt_model::record::{Kind, Record};

use super::super::Spec;
use super::book::touch_of;
use super::{Config, each, events, one};

/// One value a second: the middle in half mantissas, the spread, and the happenings within.
#[derive(Debug, Default)]
struct Seconds {
    middles: Vec<i64>,
    spreads: Vec<i64>,
    happenings: Vec<u32>,
}

fn watch(config: &Config) -> Seconds {
    let mut seconds = Seconds::default();
    let mut current = (0, 0);
    each(config, |record| {
        let elapsed_ns = record.head().ts_recv.nanos() - config.start.nanos();
        let now = (elapsed_ns / 1_000_000_000) as usize;
        while seconds.happenings.len() <= now {
            seconds.middles.push(current.0);
            seconds.spreads.push(current.1);
            seconds.happenings.push(0);
        }
        seconds.happenings[now] += u32::from(record.kind() == Kind::Depth);
        if let Record::Quote(quote) = record {
            let (bid, ask) = touch_of(quote.row).unwrap();
            current = (bid.0 + ask.0, ask.0 - bid.0);
        }
    });
    seconds
}

fn hours(hours: i64, seed: u64, spec: Spec) -> Config {
    let duration_ns = Some(hours * 3_600_000_000_000);
    Config { seed, instruments: vec![spec], duration_ns, ..Config::default() }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The correlation of a series with itself that many steps on.
fn echo(values: &[f64], lag: usize) -> f64 {
    let mean = mean(values);
    let part = |(a, b): (&f64, &f64)| (a - mean) * (b - mean);
    let own: f64 = values.iter().zip(values).map(part).sum();
    values.iter().zip(&values[lag..]).map(part).sum::<f64>() / own
}

fn within(what: &str, range: std::ops::Range<f64>, found: f64) {
    assert!(range.contains(&found), "{what}: {found} is not within {range:?}");
}

fn returns(seconds: &Seconds, step: usize) -> Vec<f64> {
    let middles: Vec<_> = seconds.middles[step..].iter().step_by(step).collect();
    middles.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect()
}

#[test]
fn returns_have_fat_tails_and_clustered_volatility() {
    for seed in 1..=3 {
        let spec = Spec::named("sim:BTCUSDT").unwrap().at_pace(8.0);
        let seconds = watch(&hours(8, seed, spec));
        let returns = returns(&seconds, 5);
        let mean = mean(&returns);
        let moment = |power| {
            returns.iter().map(|r| (r - mean).powi(power)).sum::<f64>() / returns.len() as f64
        };
        within("kurtosis", 5.0..200.0, moment(4) / moment(2).powi(2));
        within("memory of returns", -0.15..0.15, echo(&returns, 1));
        let sizes: Vec<_> = returns.iter().map(|r| r.abs()).collect();
        within("memory of volatility", 0.08..0.6, echo(&sizes, 1));
        within("long memory of volatility", 0.02..0.5, echo(&sizes, 12));
    }
}

#[test]
fn volatility_is_what_the_instrument_says() {
    let mut ratios = Vec::new();
    for (seed, symbol) in
        [(1, "sim:BTCUSDT"), (2, "sim:ETHUSDT"), (3, "sim:PEPEUSDT"), (4, "sim:ESZ4")]
    {
        let spec = Spec::named(symbol).unwrap().at_pace(3.0);
        let daily = f64::from(spec.daily_volatility_bps) / 10_000.0;
        let seconds = watch(&hours(24, seed, spec));
        let relative = |r: f64| r / seconds.middles[100] as f64;
        let variance: f64 = returns(&seconds, 300).iter().map(|r| relative(*r).powi(2)).sum();
        ratios.push(variance.sqrt() / daily);
    }
    for ratio in &ratios {
        within("realised over stated volatility", 0.3..3.0, *ratio);
    }
    within("on average", 0.6..1.5, mean(&ratios));
}

#[test]
fn arrivals_come_in_clusters() {
    let spec = Spec::named("sim:ETHUSDT").unwrap();
    let seconds = watch(&hours(1, 5, spec));
    let counts: Vec<_> = seconds.happenings.iter().map(|count| f64::from(*count)).collect();
    let mean = mean(&counts);
    let variance = counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / 3_600.0;
    within("dispersion, one being Poisson", 4.0..100.0, variance / mean);
}

#[test]
fn the_spread_is_positive_and_comes_back() {
    for (symbol, widest) in [("sim:BTCUSDT", 40.0), ("sim:ESZ4", 40.0), ("sim:AAA", 40.0)] {
        let seconds = watch(&hours(2, 9, Spec::named(symbol).unwrap()));
        let spreads: Vec<_> = seconds.spreads[1..].iter().map(|spread| *spread as f64).collect();
        assert!(seconds.spreads[1..].iter().all(|spread| *spread > 0));
        let mean = mean(&spreads);
        within("widest over mean", 1.0..widest, spreads.iter().copied().fold(0.0, f64::max) / mean);
        within("memory of a minute", -0.2..0.6, echo(&spreads, 60));
    }
}

#[test]
fn a_day_has_busy_and_quiet_hours() {
    let mut by_hour = [0.0; 24];
    for seed in 0..4 {
        let spec = Spec::named("sim:BTCUSDT").unwrap().at_pace(1.5);
        let seconds = watch(&hours(24, seed, spec));
        for (second, count) in seconds.happenings.iter().enumerate() {
            by_hour[(second / 3_600).min(23)] += f64::from(*count);
        }
    }
    let afternoon = by_hour[13..16].iter().sum::<f64>();
    let night = by_hour[3..6].iter().sum::<f64>();
    within("afternoon over night", 1.4..4.0, afternoon / night);
}

#[test]
fn sizes_are_positive_heavy_tailed_and_often_round() {
    let mut sizes = Vec::new();
    each(&events(200_000, one("sim:PEPEUSDT")), |record| {
        if let Record::Trade(trade) = record {
            sizes.push(trade.qty.mantissa());
        }
    });
    sizes.sort_unstable();
    assert!(sizes[0] > 0);
    let median = sizes[sizes.len() / 2] as f64;
    within("largest over median", 10.0..1_000.0, sizes[sizes.len() - 1] as f64 / median);
    let is_round =
        |size: &&i64| **size % 10_i64.pow(size.ilog10()) == 0 || **size % 50_000_000 == 0;
    let share = sizes.iter().filter(is_round).count() as f64 / sizes.len() as f64;
    within("round sizes", 0.1..0.4, share);
    assert!(sizes[sizes.len() - 1] > 10_000_000_000, "sizes beyond ten billion");
}

#[test]
fn the_mix_of_kinds_is_that_of_a_liquid_pair() {
    for symbol in ["sim:BTCUSDT", "sim:ESZ4", "sim:PEPEUSDT", "sim:XRPUSDT"] {
        let mut counts = [0.0; Kind::ALL.len()];
        each(&events(100_000, one(symbol)), |record| counts[record.kind().index()] += 0.001);
        within(symbol, 60.0..75.0, counts[Kind::Depth.index()]);
        within(symbol, 8.0..15.0, counts[Kind::Trade.index()]);
        within(symbol, 20.0..30.0, counts[Kind::Quote.index()]);
    }
}

#[test]
fn prices_live_through_years() {
    // A sleepy market at a great pace: the walk must stay inside its bounds and the integers.
    for symbol in ["sim:PEPEUSDT", "sim:ESZ4", "sim:S00003"] {
        let spec = Spec::named(symbol).unwrap().at_pace(0.002);
        let config = hours(24 * 365 * 20, 3, spec);
        super::book::check(&Config {
            snapshot_every_ns: i64::MAX,
            events: Some(200_000),
            ..config
        });
    }
}
