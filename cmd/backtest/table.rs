//! What came of a sweep: a line for each point, and windows walked forward over them.

use std::fmt::Write as _;
use std::path::Path;

use qt_model::record::Metric;
use serde_json::json;

use super::Judged;
use super::folds::CrossValidation;
use super::lanes::Ran;
use super::summary::{figure, metric_json, outline_json};
use super::walk::Walk;

/// What is shown of each point beside its values.
const SHOWN: [&str; 4] = ["sharpe", "max_drawdown_event", "trades", "turnover"];

fn metrics(result: &Ran, end: qt_model::time::Ts) -> Vec<Metric> {
    result.figures.as_ref().map_or_else(Vec::new, |figures| figures.metrics(end))
}

/// Lines for people.
pub(super) fn text(
    results: &[Ran],
    end: qt_model::time::Ts,
    judged: &Judged,
    kept: Option<&Path>,
) -> String {
    let mut text = String::new();
    let names: Vec<&String> =
        results.first().map(|first| first.variant.values.keys().collect()).unwrap_or_default();
    let _ = write!(text, "{:>6}", "point");
    for name in &names {
        let _ = write!(text, " {name:>12}");
    }
    let _ = write!(text, " {:>16} {:>8}", "profit", "fills");
    for name in SHOWN {
        let _ = write!(text, " {name:>20}");
    }
    text.push('\n');
    for result in results {
        let _ = write!(text, "{:>6}", result.variant.number + 1);
        for name in &names {
            let _ = write!(text, " {:>12}", result.variant.values[*name]);
        }
        let _ = write!(text, " {:>16} {:>8}", result.outline.profit, result.outline.executions);
        let metrics = metrics(result, end);
        for name in SHOWN {
            let metric = metrics.iter().find(|metric| metric.name == name);
            let _ = write!(text, " {:>20}", metric.map_or_else(|| "-".to_owned(), figure));
        }
        text.push('\n');
    }
    let judged = [
        judged.walk.as_ref().map(Walk::text),
        judged.cross.as_ref().map(CrossValidation::text),
        kept.map(|folder| format!("kept in {}\n", folder.display())),
    ];
    for part in judged.iter().flatten() {
        text.push('\n');
        text.push_str(part);
    }
    text
}

/// A line of JSON for each point.
pub(super) fn lines(results: &[Ran], end: qt_model::time::Ts, judged: &Judged) -> String {
    let mut text = String::new();
    for result in results {
        let metrics: serde_json::Map<_, _> = metrics(result, end).iter().map(metric_json).collect();
        let line = json!({
            "point": result.variant.number + 1,
            "params": result.variant.values,
            "outline": outline_json(&result.outline),
            "metrics": metrics,
        });
        let _ = writeln!(text, "{line}");
    }
    let judged =
        [judged.walk.as_ref().map(Walk::json), judged.cross.as_ref().map(CrossValidation::json)];
    for line in judged.iter().flatten() {
        let _ = writeln!(text, "{line}");
    }
    text
}
