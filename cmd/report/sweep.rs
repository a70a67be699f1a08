//! A sweep: how a metric lies over the parameters, which points were best, and what they are worth on
//! data that they were not chosen on.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::Context as _;
use qt_stream::runs::{Manifest, RunReader};
use serde_json::Value;

use super::format::{escape, short, tick};
use super::html::document;
use super::png;
use super::svg::{Picture, WIDTH, heatmap, range};
use crate::failure::{Failure, FailureExt};
use crate::outcome::Exit;

const POINTS: &str = "points.ndjson";

/// What the page and the summary are about, unless told: the first that any point has.
const LEADING: [&str; 3] = ["sharpe", "sharpe_period", "pnl_total"];

/// Columns of the list of the best points.
const SHOWN: [&str; 6] = ["pnl_total", "sharpe", "dsr", "max_drawdown_event", "trades", "fills"];

/// How many of the best points are listed.
const BEST: usize = 10;

#[derive(Debug)]
struct Point {
    number: u64,
    params: BTreeMap<String, f64>,
    metrics: BTreeMap<String, f64>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Sweep {
    manifest: Manifest,
    metric: String,
    /// The parameters that vary, with their values in order.
    axes: Vec<(String, Vec<f64>)>,
    points: Vec<Point>,
    walk: Option<Value>,
    cross: Option<Value>,
}

/// The points of a sweep as they were kept.
pub(super) fn lines(run: &RunReader) -> anyhow::Result<String> {
    let path = run.folder().join(POINTS);
    std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
}

impl Sweep {
    pub(super) fn read(run: &RunReader, metric: Option<&str>) -> anyhow::Result<Self> {
        let (mut points, mut walk, mut cross) = (Vec::new(), None, None);
        for (at, line) in lines(run)?.lines().enumerate() {
            let place = || format!("{POINTS}: line {}", at + 1);
            let mut value: Value =
                serde_json::from_str(line).with_context(place).exit(Exit::Input)?;
            if let Some(found) = value.get_mut("walk_forward") {
                walk = Some(found.take());
            } else if let Some(found) = value.get_mut("cross_validation") {
                cross = Some(found.take());
            } else {
                points.push(point(&value).with_context(place).exit(Exit::Input)?);
            }
        }
        let has = |name: &str| points.iter().any(|point| point.metrics.contains_key(name));
        let metric = match metric {
            Some(name) if has(name) => name.to_owned(),
            Some(name) => {
                let failure = Failure::usage(format!("no point has a value of `{name}`"));
                return Err(failure.with_hint("`qt report --reference` lists metrics").into());
            }
            None => LEADING.into_iter().find(|name| has(name)).unwrap_or("pnl_total").to_owned(),
        };
        let axes = axes(&points);
        Ok(Self { manifest: run.manifest().clone(), metric, axes, points, walk, cross })
    }

    /// Points with a value, the best first; of equals the earlier.
    fn best(&self) -> Vec<&Point> {
        let value = |point: &Point| point.metrics.get(&self.metric).copied();
        let mut points: Vec<&Point> = self.points.iter().filter(|it| value(it).is_some()).collect();
        points.sort_by(|a, b| value(b).unwrap_or(0.0).total_cmp(&value(a).unwrap_or(0.0)));
        points.truncate(BEST);
        points
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let cell = |value: Option<&f64>| value.map_or("n/a".to_owned(), |value| short(*value));
        let row = |point: &&Point| {
            let params = self.axes.iter().map(|(name, _)| cell(point.params.get(name)));
            let metrics = self.columns().into_iter().map(|name| cell(point.metrics.get(name)));
            let number = std::iter::once(point.number.to_string());
            number.chain(params).chain(metrics).collect()
        };
        self.best().iter().map(row).collect()
    }

    fn columns(&self) -> Vec<&str> {
        let is_shown = |name: &&str| *name != self.metric;
        std::iter::once(&*self.metric).chain(SHOWN.into_iter().filter(is_shown)).collect()
    }

    fn names(&self) -> Vec<&str> {
        let axes = self.axes.iter().map(|(name, _)| name.as_str());
        std::iter::once("point").chain(axes).chain(self.columns()).collect()
    }

    /// What walking forward and cross-validation said, in sentences.
    fn judged(&self) -> Vec<String> {
        let mut said = Vec::new();
        let number = |value: &Value| value.as_f64().map_or("n/a".to_owned(), short);
        if let Some(walk) = &self.walk {
            let folds = walk["folds"].as_array().map_or(0, Vec::len);
            let total = number(&walk["total_return"]);
            said.push(format!("walked forward over {folds} windows: return {total} together"));
        }
        let Some(cross) = &self.cross else { return said };
        let (groups, test) = (&cross["groups"], &cross["test"]);
        let paths = cross["found"]["path_sharpes"].as_array();
        let sharpes = paths.into_iter().flatten().map(number).collect::<Vec<_>>().join(", ");
        said.push(match cross["found_reason"].as_str() {
            Some(reason) => format!("cross-validation: n/a, {reason}"),
            None => format!(
                "cross-validated, {test} of {groups} groups tested: sharpe of a period on what was \
                 not chosen on {sharpes}"
            ),
        });
        said.push(match cross["overfit_reason"].as_str() {
            Some(reason) => format!("probability of overfitting: n/a, {reason}"),
            None => {
                format!("probability of overfitting: {}", number(&cross["overfit"]["probability"]))
            }
        });
        said
    }

    pub(super) fn text(&self) -> String {
        let (manifest, names, rows) = (&self.manifest, self.names(), self.rows());
        let mut text = format!(
            "{}: {} points over {} records\n\nAssumed\n",
            manifest.input.strategy.id,
            self.points.len(),
            manifest.output.events
        );
        for it in &manifest.assumptions {
            let _ = writeln!(text, "  {}: {}", it.name, it.value);
        }
        let _ = writeln!(text, "\nThe best by {}", self.metric);
        let width = |at: usize| rows.iter().map(|row| row[at].len()).chain([names[at].len()]).max();
        let widths: Vec<usize> = (0..names.len()).filter_map(width).collect();
        let mut line = |cells: &[&str]| {
            let cells = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:>width$}"));
            let _ = writeln!(text, "  {}", cells.collect::<Vec<_>>().join("  "));
        };
        line(&names);
        rows.iter().for_each(|row| line(&row.iter().map(String::as_str).collect::<Vec<_>>()));
        for said in self.judged() {
            let _ = writeln!(text, "\n{said}");
        }
        text
    }

    pub(super) fn markdown(&self) -> String {
        let names = self.names();
        let mut text = format!("# {}\n\n", self.manifest.input.strategy.id);
        let _ = writeln!(text, "The best of {} points by {}.\n", self.points.len(), self.metric);
        let _ = writeln!(text, "| {} |\n|{}", names.join(" | "), " ---: |".repeat(names.len()));
        for row in self.rows() {
            let _ = writeln!(text, "| {} |", row.join(" | "));
        }
        for said in self.judged() {
            let _ = writeln!(text, "\n{said}");
        }
        text
    }

    /// What it was run over.
    fn span(&self) -> String {
        let output = &self.manifest.output;
        let span = [&output.first_event, &output.last_event];
        let span = span.map(|it| it.as_deref().and_then(|it| it.get(..19)).unwrap_or("?"));
        let [from, to] = span.map(|it| it.replace('T', " "));
        let (points, records) = (self.points.len(), output.events);
        format!("sweep of {points} points, {from} UTC to {to} UTC, {records} records")
    }

    /// The picture of the page and what is said of the choice.
    pub(super) fn png(&self) -> anyhow::Result<Vec<u8>> {
        let title = format!("{} by parameters", self.metric);
        let (picture, _) = self.picture();
        png::sweep(&self.manifest, (&title, &self.span()), &picture, &self.judged())
    }

    pub(super) fn page(&self) -> String {
        let (manifest, mut body) = (&self.manifest, String::new());
        let strategy = escape(&manifest.input.strategy.id);
        let _ = writeln!(
            body,
            "<h1>{strategy}</h1>\n<div class=\"sub\">{}</div>\n<div class=\"box\"><h2>Assumed</h2><dl>",
            self.span()
        );
        for it in &manifest.assumptions {
            let (name, value) = (escape(&it.name), escape(&it.value));
            let _ = writeln!(body, "<dt>{name}</dt><dd>{value}</dd>");
        }
        body.push_str("</dl></div>\n");
        let (picture, note) = self.picture();
        let metric = escape(&self.metric);
        let _ = writeln!(
            body,
            "<section><h2>{metric} by parameters</h2>\n{picture}<p class=\"note\">{note}</p></section>"
        );
        if !self.judged().is_empty() {
            body.push_str("<section><h2>What the choice is worth</h2>\n");
            for said in self.judged() {
                let _ = writeln!(body, "<p>{}</p>", escape(&said));
            }
            body.push_str("</section>\n");
        }
        let _ = writeln!(body, "<section><h2>The best by {metric}</h2><table class=\"band\"><tr>");
        self.names().iter().for_each(|name| body.push_str(&format!("<th>{}</th>", escape(name))));
        body.push_str("</tr>\n");
        for row in self.rows() {
            let cells = row.iter().map(|cell| format!("<td>{}</td>", escape(cell)));
            let _ = writeln!(body, "<tr>{}</tr>", cells.collect::<String>());
        }
        let (run, config) = (escape(&manifest.run_id), escape(&manifest.input.config_sha256));
        let _ = writeln!(
            body,
            "</table></section>\n<footer>run {run}<br>config {config}<br>qt {}</footer>",
            escape(&manifest.input.code.version)
        );
        document(&format!("{strategy} · {run}"), &body)
    }

    /// The metric over one parameter as a line, over two as a grid.
    fn picture(&self) -> (String, String) {
        match &self.axes[..] {
            [] => (String::new(), "One point.".to_owned()),
            [(name, values)] => (self.line(name, values), format!("Across: {}.", escape(name))),
            [across, up, others @ ..] => {
                let rest = match others.is_empty() {
                    true => String::new(),
                    false => " Of all other parameters, the best.".to_owned(),
                };
                let note = format!("Across: {}; up: {}.{rest}", escape(&across.0), escape(&up.0));
                (self.grid(across, up), note)
            }
        }
    }

    fn line(&self, name: &str, values: &[f64]) -> String {
        let at = |value: &f64| Some((*value, self.best_where(&[(name, *value)])?));
        let line: Vec<(f64, f64)> = values.iter().filter_map(at).collect();
        let y = range(line.iter().map(|(_, value)| *value));
        let mut picture =
            Picture::new(&self.metric, (WIDTH, 260.0), range(values.iter().copied()), y);
        picture.y_axis(tick);
        picture.x_axis(tick);
        picture.line("line", line.iter().copied());
        line.iter().for_each(|(x, y)| picture.dot("even", *x, *y));
        picture.finish()
    }

    fn grid(&self, across: &(String, Vec<f64>), up: &(String, Vec<f64>)) -> String {
        let columns: Vec<String> = across.1.iter().map(|value| short(*value)).collect();
        let row = |up_value: &f64| {
            let cell = |value: &f64| self.best_where(&[(&across.0, *value), (&up.0, *up_value)]);
            (short(*up_value), across.1.iter().map(cell).collect())
        };
        let rows: Vec<(String, Vec<Option<f64>>)> = up.1.iter().rev().map(row).collect();
        heatmap(&self.metric, &columns, &rows, short)
    }

    /// The best value of the metric among the points with these parameters.
    fn best_where(&self, chosen: &[(&str, f64)]) -> Option<f64> {
        let is_chosen = |point: &&Point| {
            chosen.iter().all(|(name, value)| point.params.get(*name) == Some(value))
        };
        let values = self.points.iter().filter(is_chosen);
        values.filter_map(|point| point.metrics.get(&self.metric).copied()).reduce(f64::max)
    }
}

fn point(value: &Value) -> Option<Point> {
    let number = |value: &Value| {
        let number = value.as_f64().or_else(|| value.as_str()?.parse().ok());
        number.filter(|number: &f64| number.is_finite())
    };
    let numbers = |value: &Value| -> Option<BTreeMap<String, f64>> {
        let all = value.as_object()?.iter();
        Some(all.filter_map(|(name, value)| Some((name.clone(), number(value)?))).collect())
    };
    Some(Point {
        number: value["point"].as_u64()?,
        params: numbers(&value["params"])?,
        metrics: numbers(&value["metrics"])?,
    })
}

/// Parameters with more than one value, those with the most values first.
fn axes(points: &[Point]) -> Vec<(String, Vec<f64>)> {
    let names: BTreeSet<&String> = points.iter().flat_map(|point| point.params.keys()).collect();
    let values = |name: &String| {
        let mut values: Vec<f64> =
            points.iter().filter_map(|point| point.params.get(name).copied()).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        values
    };
    let mut axes: Vec<(String, Vec<f64>)> =
        names.into_iter().map(|name| (name.clone(), values(name))).collect();
    axes.retain(|(_, values)| values.len() > 1);
    axes.sort_by_key(|(_, values)| std::cmp::Reverse(values.len()));
    axes
}
