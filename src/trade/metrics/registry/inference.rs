//! Inference about the Sharpe ratio.

use super::super::bootstrap::Bootstrap;
use super::super::figures::Made;
use super::super::inference::{Measured, Trials};
use super::super::value::{Absent, Figure, Value};
use super::{Definition, one};

fn measured(it: &Made<'_>, of: impl Fn(&Measured) -> Figure) -> Value {
    it.measured.and_then(|measured| of(&measured)).into()
}

fn trials(it: &Made<'_>) -> Result<Trials, Absent> {
    it.figures.options.trials.ok_or(Absent::NotAsked)
}

fn effective(it: &Made<'_>) -> Result<Trials, Absent> {
    let correlation = it.figures.options.trial_correlation.ok_or(Absent::NotAsked)?;
    Ok(trials(it)?.effective(correlation))
}

fn resampled(it: &Made<'_>, of: impl Fn(&Bootstrap) -> Figure) -> Value {
    it.bootstrap.as_ref().map_err(|reason| *reason).and_then(of).into()
}

pub(super) const METRICS: &[Definition] = &[
    one(
        "sharpe_se",
        "",
        "sqrt((1 - skew SR + (kurtosis - 1)/4 SR^2) / (n - 1)), SR = sharpe_period",
        |it| measured(it, Measured::standard_error),
    ),
    one(
        "psr",
        "",
        "Phi(SR sqrt(n - 1) / sqrt(1 - skew SR + (kurtosis - 1)/4 SR^2)): SR is above zero",
        |it| measured(it, |measured| measured.psr(0.0)),
    ),
    one(
        "min_trl_95",
        "periods",
        "1 + (1 - skew SR + (kurtosis - 1)/4 SR^2) (z / SR)^2, z of 0.95",
        |it| measured(it, |measured| measured.min_track_record(0.95, 0.0)),
    ),
    one(
        "trials",
        "",
        "N: runs of the strategy's family that the ledger of trials knows, this one too",
        |it| trials(it).map(|trials| trials.count).into(),
    ),
    one(
        "sr0",
        "",
        "sqrt(V) ((1 - g) z(1 - 1/N) + g z(1 - 1/(N e))): the best of N trials without skill; V the \
         variance of their ratios, g Euler's constant",
        |it| trials(it).map(Trials::expected_max).into(),
    ),
    one("dsr", "", "psr against sr0: the deflated Sharpe ratio", |it| {
        measured(it, |measured| measured.psr(trials(it)?.expected_max()))
    }),
    one(
        "dsr_neff",
        "",
        "the same with N_eff = c + (1 - c) N, c the mean correlation of trials",
        |it| measured(it, |measured| measured.psr(effective(it)?.expected_max())),
    ),
    one(
        "sharpe_ci_low",
        "",
        "2.5 % of the sharpe of resampled returns (stationary bootstrap)",
        |it| resampled(it, |spread| spread.sharpe.low()),
    ),
    one("sharpe_ci_high", "", "97.5 % of it", |it| resampled(it, |spread| spread.sharpe.high())),
    one("sharpe_bootstrap_median", "", "half of it", |it| {
        resampled(it, |spread| spread.sharpe.median())
    }),
    one("sharpe_bootstrap_se", "", "its deviation", |it| {
        resampled(it, |spread| spread.sharpe.standard_error())
    }),
    one("sharpe_p_value", "", "(1 + count of sharpe <= 0) / (replicates + 1)", |it| {
        resampled(it, |spread| spread.sharpe.p_value())
    }),
    one("sharpe_bootstrap_dropped", "", "count of replicates without a sharpe", |it| {
        resampled(it, |spread| Ok(spread.sharpe.dropped as f64))
    }),
    one("mean_return_ci_low", "", "2.5 % of the mean of resampled returns", |it| {
        resampled(it, |spread| spread.mean.low())
    }),
    one("mean_return_ci_high", "", "97.5 % of it", |it| resampled(it, |spread| spread.mean.high())),
];
