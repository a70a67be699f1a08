//! Functions of the last so many events.

use super::{
    Arg, Body, Function, Moment, Timed, column, column_or, events, length, number, window,
};
use crate::features::node::Node;
use crate::features::nodes::moments::{Average, Score, Weighted};
use crate::features::nodes::pairs::{Pair, Relation};
use crate::features::nodes::ranks::{Extreme, Quantile};
use crate::features::nodes::running::Cumulative;
use crate::features::nodes::shifts::{Against, Shift};
use crate::features::nodes::smooth::{Seed, Smooth};
use crate::features::nodes::timed::{Asked, TimedExtreme, TimedMoment, TimedShift};
use crate::features::nodes::window::Level;

const XN: &[Arg] = &[column_or("x", "mid"), events("n", 1, "20")];
const XW: &[Arg] = &[column_or("x", "mid"), window("n", 1, "20")];
const X1: &[Arg] = &[column_or("x", "mid"), window("n", 1, "1")];
const XYN: &[Arg] = &[column("x"), column("y"), events("n", 2, "100")];

const fn of(
    name: &'static str,
    args: &'static [Arg],
    doc: &'static str,
    example: &'static str,
    build: fn(&[f64]) -> Box<dyn Node>,
    warm: fn(&[f64]) -> u64,
) -> Function {
    Function { name, args, doc, unit: "", example, body: Body::Node { build, warm }, timed: None }
}

const fn made(
    name: &'static str,
    args: &'static [Arg],
    doc: &'static str,
    example: &'static str,
    body: Body,
) -> Function {
    Function { name, args, doc, unit: "", example, body, timed: None }
}

/// The same over a length of time as well.
const fn or_timed(function: Function, timed: Timed) -> Function {
    Function { timed: Some(timed), ..function }
}

fn size(params: &[f64]) -> usize {
    params[0] as usize
}

fn full(params: &[f64]) -> u64 {
    params[0] as u64
}

fn behind(params: &[f64]) -> u64 {
    params[0] as u64 + 1
}

pub(super) const FUNCTIONS: &[Function] = &[
    or_timed(
        made("sma", XW, "the mean of the last n", "sma(mid, 20)", Body::Window(Moment::Mean)),
        |nanos, _| Box::new(TimedMoment::new(Asked::Mean, nanos)),
    ),
    or_timed(
        of(
            "sum",
            XW,
            "the sum of the last n",
            "sum(qty, 100)",
            |p| Box::new(Average::new(Level::Sum, size(p))),
            full,
        ),
        |nanos, _| Box::new(TimedMoment::new(Asked::Sum, nanos)),
    ),
    or_timed(
        made(
            "var",
            XW,
            "the population variance of the last n",
            "var(ret(mid, 1), 100)",
            Body::Window(Moment::Variance),
        ),
        |nanos, _| Box::new(TimedMoment::new(Asked::Variance, nanos)),
    ),
    or_timed(
        made(
            "std",
            XW,
            "the population standard deviation of the last n",
            "std(ret(mid, 1), 20)",
            Body::Formula("sqrt(var(x, n))"),
        ),
        |nanos, _| Box::new(TimedMoment::new(Asked::Deviation, nanos)),
    ),
    or_timed(
        made(
            "z",
            XW,
            "(x − mean)/std of the last n; no value where all are equal",
            "z(imbalance, 200)",
            Body::Over {
                inputs: &["x", "sma(x, n)", "std(x, n)"],
                build: |_| Box::new(Score::new()),
            },
        ),
        |nanos, _| Box::new(TimedMoment::new(Asked::Score, nanos)),
    ),
    of(
        "wma",
        XN,
        "the mean of the last n, weighted 1 to n from the oldest on",
        "wma(mid, 20)",
        |p| Box::new(Weighted::new(size(p))),
        full,
    ),
    of(
        "ema",
        XN,
        "y ← αx + (1 − α)y with α = 2/(n + 1), from the first x on; a value from the n-th x on",
        "ema(mid, 20)",
        |p| Box::new(Smooth::new(2.0 / (p[0] + 1.0), p[0] as u64, Seed::First)),
        full,
    ),
    of(
        "ema0",
        XN,
        "the same with a value from the first x on",
        "ema0(imbalance, 10)",
        |p| Box::new(Smooth::new(2.0 / (p[0] + 1.0), 1, Seed::First)),
        |_| 1,
    ),
    of(
        "wilder",
        XN,
        "Wilder's average: α = 1/n, from the mean of the first n on",
        "wilder(abs(diff(mid, 1)), 14)",
        |p| Box::new(Smooth::new(1.0 / p[0], p[0] as u64, Seed::Mean)),
        full,
    ),
    of(
        "ewma",
        &[column_or("x", "mid"), number("lambda", (0.0, 0.999_999), "0.94")],
        "y ← (1 − λ)x + λy, from the first x on",
        "ewma(ret(mid, 1), 0.94)",
        |p| Box::new(Smooth::new(1.0 - p[0], 1, Seed::First)),
        |_| 1,
    ),
    or_timed(
        of(
            "highest",
            XW,
            "the largest of the last n",
            "highest(mid, 100)",
            |p| Box::new(Extreme::new(true, size(p))),
            full,
        ),
        |nanos, _| Box::new(TimedExtreme::new(true, nanos)),
    ),
    or_timed(
        of(
            "lowest",
            XW,
            "the smallest of the last n",
            "lowest(mid, 100)",
            |p| Box::new(Extreme::new(false, size(p))),
            full,
        ),
        |nanos, _| Box::new(TimedExtreme::new(false, nanos)),
    ),
    of(
        "median",
        XN,
        "the median of the last n",
        "median(spread, 101)",
        |p| Box::new(Quantile::new(Some(0.5), size(p))),
        full,
    ),
    of(
        "quantile",
        &[column_or("x", "mid"), events("n", 1, "100"), number("q", (0.0, 1.0), "0.5")],
        "the q-quantile of the last n, between neighbours in proportion",
        "quantile(spread, 100, 0.9)",
        |p| Box::new(Quantile::new(Some(p[1]), size(p))),
        full,
    ),
    of(
        "percentile",
        XN,
        "the share of the last n that is at or below x",
        "percentile(spread, 200)",
        |p| Box::new(Quantile::new(None, size(p))),
        full,
    ),
    of(
        "corr",
        XYN,
        "Pearson's correlation of the last n pairs",
        "corr(ret(mid, 1), imbalance, 100)",
        |p| Box::new(Pair::new(Relation::Correlation, size(p))),
        full,
    ),
    of(
        "cov",
        XYN,
        "the population covariance of the last n pairs",
        "cov(ret(mid, 1), ofi, 100)",
        |p| Box::new(Pair::new(Relation::Covariance, size(p))),
        full,
    ),
    of(
        "beta",
        XYN,
        "the slope of x on y over the last n pairs",
        "beta(diff(mid, 1), ofi, 100)",
        |p| Box::new(Pair::new(Relation::Slope, size(p))),
        full,
    ),
    or_timed(
        of(
            "lag",
            X1,
            "x so many events ago",
            "lag(mid, 5)",
            |p| Box::new(Shift::new(Against::Lag, size(p))),
            behind,
        ),
        |nanos, _| Box::new(TimedShift::new(Against::Lag, nanos)),
    ),
    or_timed(
        of(
            "diff",
            X1,
            "x − lag(x, n)",
            "diff(mid, 1)",
            |p| Box::new(Shift::new(Against::Difference, size(p))),
            behind,
        ),
        |nanos, _| Box::new(TimedShift::new(Against::Difference, nanos)),
    ),
    or_timed(
        of(
            "ret",
            X1,
            "(x − lag(x, n))/lag(x, n); no value unless the lag is above zero",
            "ret(mid, 1)",
            |p| Box::new(Shift::new(Against::Return, size(p))),
            behind,
        ),
        |nanos, _| Box::new(TimedShift::new(Against::Return, nanos)),
    ),
    or_timed(
        of(
            "change",
            X1,
            "(x − lag(x, n))/lag(x, n); no value where the lag is zero",
            "change(mid, 10)",
            |p| Box::new(Shift::new(Against::Change, size(p))),
            behind,
        ),
        |nanos, _| Box::new(TimedShift::new(Against::Change, nanos)),
    ),
    or_timed(
        of(
            "logret",
            X1,
            "ln(x/lag(x, n))",
            "logret(mid, 1)",
            |p| Box::new(Shift::new(Against::LogReturn, size(p))),
            behind,
        ),
        |nanos, _| Box::new(TimedShift::new(Against::LogReturn, nanos)),
    ),
    or_timed(
        of(
            "count",
            &[column_or("x", "mid"), length("t", "1s")],
            "how many values came in a length of time",
            "count(px, 30s)",
            |_| unreachable!("a length of time makes another node"),
            |_| 2,
        ),
        |nanos, _| Box::new(TimedMoment::new(Asked::Count, nanos)),
    ),
    of(
        "cum",
        &[column("x")],
        "the sum of all so far",
        "cum(ofi)",
        |_| Box::new(Cumulative::default()),
        |_| 1,
    ),
];
