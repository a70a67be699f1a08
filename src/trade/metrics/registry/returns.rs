//! Returns, their tails, and a benchmark beside them.

use super::super::tail::{cvar_gauss, var_cornish_fisher, var_gauss};
use super::super::value::Value;
use super::{Definition, one};

const FLAG: &str = "1 or 0";

pub(super) const RETURNS: &[Definition] = &[
    one("periods", "", "n, the count of returns", |it| {
        Value::Count(it.figures.sampled.returns.len() as u64)
    }),
    one("periods_per_year", "", "A, by which figures of a year are scaled", |it| {
        Value::Number(it.figures.terms.periods_per_year)
    }),
    one(
        "short_sample",
        FLAG,
        "1 where n is below 30: figures of a year are then a long shot",
        |it| Value::Count(u64::from(it.figures.sampled.returns.len() < 30)),
    ),
    one("last_period_partial", FLAG, "1 where the run ends inside a period of the grid", |it| {
        Value::Count(u64::from(it.figures.sampled.is_last_partial))
    }),
    one("total_return", "", "product of (1 + r) less 1; with fixed capital the sum of r", |it| {
        it.of(|r| r.total_return())
    }),
    one("cagr_periods", "", "(1 + total_return)^(A / n) - 1", |it| it.of(|r| r.cagr_periods())),
    one(
        "cagr_act365",
        "",
        "(1 + total_return)^(365 days / time from first to last sample) - 1",
        |it| it.of(|r| r.cagr_act365(it.figures.sampled_ns())),
    ),
    one("mean_return", "", "m = sum of r / n", |it| it.of(|r| r.mean())),
    one("vol_period", "", "s = sqrt(sum of (r - m)^2 / (n - 1))", |it| it.of(|r| r.vol_period())),
    one("vol_ann", "", "s * sqrt(A)", |it| it.of(|r| r.vol_ann())),
    one("sharpe", "", "mean of (r - rf) / s * sqrt(A); rf = (1 + yearly rate)^(1 / A) - 1", |it| {
        it.of(|r| r.sharpe())
    }),
    one("sharpe_period", "", "mean of (r - rf) / s, of one period", |it| {
        it.of(|r| r.sharpe_period())
    }),
    one(
        "downside_dev_period",
        "",
        "sqrt(sum of min(r - target, 0)^2 / n), over all periods",
        |it| it.of(|r| r.downside_dev_period()),
    ),
    one("downside_dev_ann", "", "downside_dev_period * sqrt(A)", |it| {
        it.of(|r| r.downside_dev_ann())
    }),
    one("sortino", "", "mean of (r - target) / downside_dev_period * sqrt(A)", |it| {
        it.of(|r| r.sortino())
    }),
    one("omega", "", "sum of max(r, 0) / sum of max(-r, 0)", |it| it.of(|r| r.omega())),
    one("gain_to_pain", "", "sum of r / sum of max(-r, 0)", |it| it.of(|r| r.gain_to_pain())),
    one(
        "tail_ratio_95",
        "",
        "|Q(0.95)| / |Q(0.05)|; Q is linear between order statistics (type 7)",
        |it| it.of(|_| it.sorted.tail_ratio(0.05)),
    ),
    one("skew", "", "mean of ((r - m) / s0)^3, s0 the deviation of the population", |it| {
        it.of(|r| r.skew())
    }),
    one("kurtosis", "", "mean of ((r - m) / s0)^4; 3 for a normal distribution", |it| {
        it.of(|r| r.kurtosis())
    }),
    one("skew_adj", "", "skew * sqrt(n (n - 1)) / (n - 2)", |it| it.of(|r| r.skew_adj())),
    one(
        "excess_kurtosis_adj",
        "",
        "(n - 1) / ((n - 2)(n - 3)) * ((n + 1)(kurtosis - 3) + 6)",
        |it| it.of(|r| r.excess_kurtosis_adj()),
    ),
    one("best_period", "", "largest r", |it| it.of(|r| r.best())),
    one("worst_period", "", "smallest r", |it| it.of(|r| r.worst())),
    one("period_win_rate", "", "count of r > 0 / count of r other than 0", |it| {
        it.of(|r| r.win_rate())
    }),
    one("flat_periods", "", "count of r = 0", |it| it.of(|r| Ok(r.flat_periods() as f64))),
    one("stability_r2", "", "R^2 of the line through cumulative log returns", |it| {
        it.of(|r| r.stability())
    }),
    one("autocorr_1", "", "sum of (r_t - m)(r_(t-1) - m) / sum of (r_t - m)^2", |it| {
        it.of(|r| r.autocorrelation(1))
    }),
    one("autocorr_2", "", "the same with r_(t-2)", |it| it.of(|r| r.autocorrelation(2))),
    one("autocorr_3", "", "the same with r_(t-3)", |it| it.of(|r| r.autocorrelation(3))),
    one("autocorr_4", "", "the same with r_(t-4)", |it| it.of(|r| r.autocorrelation(4))),
    one(
        "sharpe_lo_5",
        "",
        "sharpe_period * q / sqrt(q + 2 sum of (q - k) autocorr_k for k < q), q = 5 (Lo)",
        |it| it.of(|r| r.sharpe_lo(5)),
    ),
];

pub(super) const TAILS: &[Definition] = &[
    one("var_hist_95", "", "Q(0.05), linear between order statistics (type 7)", |it| {
        it.of(|_| it.sorted.quantile(0.05))
    }),
    one("cvar_hist_95", "", "mean of the floor((n - 1) 0.05) + 1 smallest r", |it| {
        it.of(|_| it.sorted.mean_below(0.05))
    }),
    one("var_gauss_95", "", "m + z s, z the normal quantile of 0.05", |it| {
        it.of(|r| var_gauss(r, 0.05))
    }),
    one("cvar_gauss_95", "", "m - s phi(z) / 0.05, phi the normal density", |it| {
        it.of(|r| cvar_gauss(r, 0.05))
    }),
    one(
        "var_cornish_fisher_95",
        "",
        "m + s (z + (z^2-1) g1/6 + (z^3-3z)(g2-3)/24 - (2z^3-5z) g1^2/36); g1 skew, g2 kurtosis",
        |it| it.of(|r| var_cornish_fisher(r, 0.05)),
    ),
    one("var_hist_99", "", "Q(0.01)", |it| it.of(|_| it.sorted.quantile(0.01))),
    one("cvar_hist_99", "", "mean of the floor((n - 1) 0.01) + 1 smallest r", |it| {
        it.of(|_| it.sorted.mean_below(0.01))
    }),
    one("var_gauss_99", "", "m + z s, z the normal quantile of 0.01", |it| {
        it.of(|r| var_gauss(r, 0.01))
    }),
    one("cvar_gauss_99", "", "m - s phi(z) / 0.01", |it| it.of(|r| cvar_gauss(r, 0.01))),
    one("var_cornish_fisher_99", "", "as var_cornish_fisher_95, at 0.01", |it| {
        it.of(|r| var_cornish_fisher(r, 0.01))
    }),
];

pub(super) const BENCHMARK: &[Definition] = &[
    one("beta", "", "covariance of r and b / variance of b", |it| it.against.beta.into()),
    one("alpha_period", "", "mean of (r - rf) - beta * mean of (b - rf)", |it| {
        it.against.alpha_period.into()
    }),
    one("alpha_ann", "", "(1 + alpha_period)^A - 1", |it| it.against.alpha_ann.into()),
    one("tracking_error", "", "deviation of (r - b) * sqrt(A)", |it| {
        it.against.tracking_error.into()
    }),
    one("information_ratio", "", "mean of (r - b) / deviation of (r - b) * sqrt(A)", |it| {
        it.against.information_ratio.into()
    }),
    one("correlation", "", "covariance of r and b / (deviation of r * deviation of b)", |it| {
        it.against.correlation.into()
    }),
];
