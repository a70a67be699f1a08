//! The pictures of a report, each from its part of the data; nothing where there is nothing to draw.

use std::collections::BTreeSet;

use qt_model::ids::InstrumentId;
use qt_model::time::{DAY_NANOS, Ts};
use qt_model::words::Side;

use super::curve::Curve;
use super::data::Data;
use super::format::{duration, percent, short, tick, tick_percent};
use super::svg::{Picture, WIDTH, heatmap, range, waterfall};

const TALL: (f64, f64) = (WIDTH, 260.0);
const LOW: (f64, f64) = (WIDTH, 130.0);
const HALF: (f64, f64) = (440.0, 230.0);

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

fn at(ts: Ts) -> f64 {
    ts.nanos() as f64
}

fn span(data: &Data) -> (f64, f64) {
    (at(data.first), at(data.last))
}

fn points(curve: &Curve) -> Vec<(f64, f64)> {
    curve.buckets.iter().map(|bucket| (at(bucket.ts), bucket.equity)).collect()
}

/// Equity of the main lane over the band of all.
pub(super) fn equity(data: &Data) -> Option<String> {
    let (_, main) = data.lanes.first()?;
    let all: Vec<Vec<(f64, f64)>> = data.lanes.iter().map(|(_, curve)| points(curve)).collect();
    let y = range(all.iter().flatten().map(|(_, equity)| *equity));
    let mut picture = Picture::new("equity", TALL, span(data), y);
    picture.y_axis(tick);
    picture.time_axis();
    // Lanes have their buckets at slightly different times; the band is drawn between the lowest and
    // the highest by their last.
    let last = |line: &&Vec<(f64, f64)>| line.last().map_or(0.0, |(_, equity)| *equity);
    let low = all.iter().min_by(|a, b| last(a).total_cmp(&last(b)));
    let high = all.iter().max_by(|a, b| last(a).total_cmp(&last(b)));
    if let (Some(low), Some(high)) = (low, high)
        && all.len() > 1
    {
        picture.between("shade", low, high);
    }
    for line in &all[1..] {
        picture.line("thin", line.iter().copied());
    }
    picture.line("line", points(main));
    Some(picture.finish())
}

pub(super) fn underwater(data: &Data) -> Option<String> {
    let (_, main) = data.lanes.first()?;
    let losses: Vec<(f64, f64)> = main.buckets.iter().map(|it| (at(it.ts), it.loss)).collect();
    let (low, _) = range(losses.iter().map(|(_, loss)| *loss));
    let mut picture = Picture::new("drawdown", LOW, span(data), (low.min(-1e-6), 0.0));
    picture.y_axis(tick_percent);
    picture.time_axis();
    picture.area("under", &losses, 0.0);
    Some(picture.finish())
}

pub(super) fn exposure(data: &Data) -> Option<String> {
    let (_, main) = data.lanes.first()?;
    let held = main.buckets.iter().filter_map(|it| Some((at(it.ts), it.net?)));
    let held: Vec<(f64, f64)> = held.collect();
    if held.iter().all(|(_, net)| *net == 0.0) {
        return None;
    }
    let (low, high) = range(held.iter().map(|(_, net)| *net).chain([0.0]));
    let mut picture = Picture::new("net exposure", LOW, span(data), (low, high));
    picture.y_axis(tick);
    picture.time_axis();
    picture.area("held", &held, 0.0);
    Some(picture.finish())
}

pub(super) fn months(data: &Data) -> Option<String> {
    let months = data.lanes.first()?.1.months();
    if months.len() < 2 {
        return None;
    }
    let mut rows: Vec<(String, Vec<Option<f64>>)> = Vec::new();
    for ((year, month), change) in months {
        let name = year.to_string();
        if rows.last().is_none_or(|(known, _)| *known != name) {
            rows.push((name, vec![None; 12]));
        }
        let (_, cells) = rows.last_mut()?;
        cells[month as usize - 1] = Some(change);
    }
    Some(heatmap("returns by month", &MONTHS.map(str::to_owned), &rows, percent))
}

/// Profit by weekday and hour, UTC.
pub(super) fn hours(data: &Data) -> Option<String> {
    let (_, main) = data.lanes.first()?;
    let rows = main.hours.iter().zip(DAYS).filter(|(hours, _)| hours.iter().any(|it| *it != 0.0));
    let rows: Vec<(String, Vec<Option<f64>>)> = rows
        .map(|(hours, day)| {
            let cells = hours.iter().map(|gain| (*gain != 0.0).then_some(*gain));
            (day.to_owned(), cells.collect())
        })
        .collect();
    let columns: Vec<String> = (0..24).map(|hour| format!("{hour:02}")).collect();
    (!rows.is_empty()).then(|| heatmap("profit by hour", &columns, &rows, short))
}

/// The name of the grid of returns.
pub(super) fn grid(curve: &Curve) -> String {
    if curve.step == DAY_NANOS { "day".to_owned() } else { duration(curve.step as f64) }
}

pub(super) fn histogram(data: &Data) -> Option<String> {
    const BINS: usize = 31;
    let (_, main) = data.lanes.first()?;
    let returns: Vec<f64> = main.returns.iter().map(|(_, r)| *r).collect();
    let (low, high) = range(returns.iter().copied());
    if returns.len() < 8 || high <= low {
        return None;
    }
    let width = (high - low) / BINS as f64;
    let mut counts = [0_u32; BINS];
    for r in &returns {
        counts[(((r - low) / width) as usize).min(BINS - 1)] += 1;
    }
    let most = f64::from(counts.iter().copied().max()?);
    let mut picture = Picture::new("distribution of returns", HALF, (low, high), (0.0, most));
    picture.y_axis(tick);
    picture.x_axis(tick_percent);
    for (bin, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let from = low + width * bin as f64;
        let class = match (from > 0.0, from + width < 0.0) {
            (true, _) => "gain",
            (_, true) => "loss",
            (false, false) => "even",
        };
        let hint = format!("{} to {}: {count}", percent(from), percent(from + width));
        picture.bar(class, (from, from + width), (0.0, f64::from(*count)), &hint);
    }
    Some(picture.finish())
}

/// How many returns a rolling figure looks back on.
pub(super) const WINDOW: usize = 30;

pub(super) fn rolling(data: &Data) -> Option<String> {
    let (_, main) = data.lanes.first()?;
    if main.returns.len() <= WINDOW + 2 {
        return None;
    }
    let ratios: Vec<(f64, f64)> =
        main.rolling(WINDOW).into_iter().map(|(ts, ratio)| (at(ts), ratio)).collect();
    let (low, high) = range(ratios.iter().map(|(_, ratio)| *ratio).chain([0.0]));
    let mut picture = Picture::new("rolling sharpe", HALF, span(data), (low, high));
    picture.y_axis(tick);
    picture.time_axis();
    picture.line("line", thinned(&ratios));
    Some(picture.finish())
}

/// At most as many points as a picture shows.
fn thinned(points: &[(f64, f64)]) -> impl Iterator<Item = (f64, f64)> + '_ {
    points.iter().copied().step_by(points.len() / 800 + 1)
}

/// Fills on the mid that stood before each.
pub(super) fn fills(data: &Data) -> Option<String> {
    let dots = &data.fills.kept;
    if dots.is_empty() {
        return None;
    }
    let prices = dots.iter().flat_map(|dot| [Some(dot.px), dot.mid]).flatten();
    let mut picture = Picture::new("fills on price", TALL, span(data), range(prices));
    picture.y_axis(tick);
    picture.time_axis();
    let traded: BTreeSet<InstrumentId> = dots.iter().map(|dot| dot.of).collect();
    for of in traded {
        let mids = dots.iter().filter(|dot| dot.of == of);
        picture.line("thin", mids.filter_map(|dot| Some((at(dot.ts), dot.mid?))));
    }
    for dot in dots {
        let class = if dot.side == Side::Buy { "gain" } else { "loss" };
        picture.arrow(class, at(dot.ts), dot.px, dot.side == Side::Buy);
    }
    Some(picture.finish())
}

/// Worst against best profit of each trade.
pub(super) fn excursions(data: &Data) -> Option<String> {
    let dots = &data.trips.kept;
    if dots.len() < 3 {
        return None;
    }
    let x = range(dots.iter().map(|dot| dot.mae_bps).chain([0.0]));
    let y = range(dots.iter().map(|dot| dot.mfe_bps).chain([0.0]));
    let mut picture = Picture::new("worst against best profit of trades", HALF, x, y);
    picture.y_axis(tick);
    picture.x_axis(tick);
    for dot in dots {
        let class = if dot.net >= 0.0 { "gain" } else { "loss" };
        picture.dot(class, dot.mae_bps, dot.mfe_bps);
    }
    Some(picture.finish())
}

pub(super) fn profit(data: &Data) -> Option<String> {
    use rust_decimal::prelude::ToPrimitive;
    let parts = data.profit.iter().map(|(name, amount)| Some((*name, amount.to_f64()?)));
    let parts: Vec<(&str, f64)> = parts.collect::<Option<_>>()?;
    (!parts.is_empty()).then(|| waterfall("where the profit came from", &parts))
}

/// Markouts by horizon, a line for each group of fills, with bars of two standard errors.
pub(super) fn markouts(data: &Data) -> Option<String> {
    let steps = data.horizons.len();
    let known = |group: &super::data::Group| -> Vec<(f64, f64, f64)> {
        let points = group.points.iter().enumerate();
        let known = points.filter_map(|(at, it)| {
            Some((at as f64, it.mean()?, 1.96 * it.standard_error().unwrap_or(0.0)))
        });
        known.collect()
    };
    let lines: Vec<Vec<(f64, f64, f64)>> = data.markouts.iter().map(known).collect();
    let edges = lines.iter().flatten().flat_map(|(_, mean, error)| [mean - error, mean + error]);
    let y = range(edges.chain([0.0]));
    if lines.first().is_none_or(Vec::is_empty) {
        return None;
    }
    let mut picture = Picture::new("markouts", HALF, (-0.3, steps as f64 - 0.7), y);
    picture.y_axis(tick);
    for (step, horizon) in data.horizons.iter().enumerate() {
        picture.x_tick(step as f64, horizon);
    }
    for (group, line) in lines.iter().enumerate() {
        let shift = group as f64 * 0.05 - 0.1;
        picture
            .line(&format!("series g{group}"), line.iter().map(|(x, mean, _)| (x + shift, *mean)));
        for (x, mean, error) in line {
            let x = x + shift;
            picture.line("whisker", [(x, mean - error), (x, mean + error)]);
        }
    }
    Some(picture.finish())
}

/// Markouts of fills that rested, by what of their level was ahead when they came; a line a horizon.
pub(super) fn by_queue(data: &Data) -> Option<String> {
    let line = |horizon: usize| -> Vec<(f64, f64, f64)> {
        let tenths = data.by_queue.iter().enumerate();
        let known = tenths.filter_map(|(tenth, points)| {
            let (mean, error) = (points[horizon].mean()?, points[horizon].standard_error());
            Some((tenth as f64, mean, 1.96 * error.unwrap_or(0.0)))
        });
        known.collect()
    };
    let lines: Vec<_> = (0..data.horizons.len()).map(line).collect();
    if lines.iter().all(Vec::is_empty) {
        return None;
    }
    let edges = lines.iter().flatten().flat_map(|(_, mean, error)| [mean - error, mean + error]);
    let mut picture = Picture::new(
        "markouts by place in the queue",
        HALF,
        (-0.5, 9.5),
        range(edges.chain([0.0])),
    );
    picture.y_axis(tick);
    for tenth in (0..10).step_by(2) {
        picture.x_tick(f64::from(tenth), &format!("{}%", tenth * 10));
    }
    for (horizon, line) in lines.iter().enumerate() {
        let shift = horizon as f64 * 0.12 - 0.12;
        let class = format!("series g{}", horizon % 5);
        picture.line(&class, line.iter().map(|(x, mean, _)| (x + shift, *mean)));
        for (x, mean, error) in line {
            picture.line("whisker", [(x + shift, mean - error), (x + shift, mean + error)]);
        }
    }
    Some(picture.finish())
}

/// Shares of delays on a logarithmic axis: there, and back.
pub(super) fn latency(data: &Data) -> Option<String> {
    let all = [&data.latency.there, &data.latency.back];
    let places = || all.iter().flat_map(|delays| delays.shares());
    let (low, high) = range(places().map(|(log, _)| log));
    if all.iter().all(|delays| delays.seen == 0) || high <= 0.0 {
        return None;
    }
    let most = places().fold(0.0_f64, |most, (_, share)| most.max(share));
    // Whole decades around what was seen, so that a constant delay is a bar in its middle.
    let (from, to) = (low.floor() - 0.5, high.ceil() + 0.5);
    let mut picture = Picture::new("latency", HALF, (from, to), (0.0, most));
    picture.y_axis(tick_percent);
    for decade in from.ceil() as i32..=to.floor() as i32 {
        picture.x_tick(f64::from(decade), &duration(10_f64.powi(decade)));
    }
    for (class, shift, delays) in [("held", -0.045, all[0]), ("gain", 0.005, all[1])] {
        for (log, share) in delays.shares() {
            let hint = format!("{}: {}", duration(10_f64.powf(log)), percent(share));
            picture.bar(class, (log + shift, log + shift + 0.04), (0.0, share), &hint);
        }
    }
    Some(picture.finish())
}
