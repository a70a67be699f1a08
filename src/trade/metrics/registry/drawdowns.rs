//! Drawdowns, and ratios to them.

use super::super::figures::Made;
use super::super::value::{Absent, Figure, Value};
use super::{Definition, one};

fn deepest(it: &Made<'_>) -> Figure {
    let drawdown = &it.figures.sampled.drawdown;
    if drawdown.episodes == 0 { Err(Absent::NoDrawdown) } else { Ok(drawdown.max.abs()) }
}

fn per_deepest(it: &Made<'_>, figure: impl Fn() -> Figure) -> Figure {
    let depth = deepest(it)?;
    Ok(figure()? / depth)
}

fn ulcer(it: &Made<'_>) -> Figure {
    it.figures.sampled.ulcer.ok_or(Absent::None)
}

pub(super) const METRICS: &[Definition] = &[
    one(
        "max_drawdown",
        "",
        "smallest E / peak - 1 over the samples; with fixed capital (E - peak) / C",
        |it| it.figures.drawdown(|d| Ok(d.max)),
    ),
    one("max_drawdown_event", "", "the same over every observation of equity", |it| {
        Value::Number(it.figures.drawdown_event.max)
    }),
    one("drawdowns", "", "count of episodes: from a peak until equity is back at it", |it| {
        Value::Count(it.figures.sampled.drawdown.episodes)
    }),
    one(
        "max_drawdown_duration_ns",
        "ns",
        "longest episode, an open one counted to the last sample",
        |it| it.figures.drawdown(|d| Ok(d.duration_max_ns as f64)),
    ),
    one("avg_drawdown", "", "mean depth of episodes", |it| it.figures.drawdown(|d| d.avg_depth())),
    one("avg_drawdown_duration_ns", "ns", "mean length of episodes", |it| {
        it.figures.drawdown(|d| d.avg_duration_ns())
    }),
    one(
        "time_underwater_share",
        "",
        "sum of lengths of episodes / time from first to last sample",
        |it| it.figures.drawdown(|d| d.underwater_share(it.figures.sampled_ns())),
    ),
    one("ulcer_index", "", "sqrt(mean of (E / peak - 1)^2 over the samples)", |it| {
        ulcer(it).into()
    }),
    one("ulcer_performance_index", "", "cagr_periods / ulcer_index", |it| {
        it.of(|r| {
            let index = ulcer(it)?;
            if index == 0.0 { Err(Absent::NoDrawdown) } else { Ok(r.cagr_periods()? / index) }
        })
    }),
    one("calmar", "", "cagr_periods / |max_drawdown|, over the whole run", |it| {
        it.of(|r| per_deepest(it, || r.cagr_periods()))
    }),
    one("recovery_factor", "", "total_return / |max_drawdown|", |it| {
        it.of(|r| per_deepest(it, || r.total_return()))
    }),
];
