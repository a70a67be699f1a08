//! What came of a sweep: a line for each point, and windows walked forward over them.

use std::fmt::Write as _;
use std::path::Path;

use super::Judged;
use super::folds::CrossValidation;
use super::point::Point;
use super::summary::{absent, rounded, rounded_exact};
use super::walk::Walk;

/// What is shown of each point beside its values.
const SHOWN: [&str; 4] = ["sharpe", "max_drawdown_event", "trades", "turnover"];

/// Lines for people.
pub(super) fn text(points: &[Point], judged: &Judged, kept: Option<&Path>) -> String {
    let mut text = String::new();
    let names: Vec<&str> = points.first().map(|it| it.names().collect()).unwrap_or_default();
    let _ = write!(text, "{:>6}", "point");
    for name in &names {
        let _ = write!(text, " {name:>12}");
    }
    let _ = write!(text, " {:>16} {:>8}", "profit", "fills");
    for name in SHOWN {
        let _ = write!(text, " {name:>20}");
    }
    text.push('\n');
    for point in points {
        let _ = write!(text, "{:>6}", point.point);
        for name in &names {
            let value = point.param(name).map_or_else(|| "-".to_owned(), |it| it.to_string());
            let _ = write!(text, " {value:>12}");
        }
        let (profit, fills) = (point.outlined("profit"), point.outlined("executions"));
        let _ = write!(text, " {profit:>16} {fills:>8}");
        for name in SHOWN {
            let _ = write!(text, " {:>20}", point.metric(name).map_or("-".to_owned(), figure));
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

/// A line of JSON for each point, and one for each judgement of them all.
pub(super) fn lines(points: &[Point], judged: &Judged) -> String {
    let mut text = String::new();
    for point in points {
        let line = serde_json::to_string(point).expect("a point has only names as keys");
        let _ = writeln!(text, "{line}");
    }
    let judged =
        [judged.walk.as_ref().map(Walk::json), judged.cross.as_ref().map(CrossValidation::json)];
    for line in judged.iter().flatten() {
        let _ = writeln!(text, "{line}");
    }
    text
}

/// A metric of a line as people read it, or why there is none.
fn figure((raw, reason): (&str, Option<String>)) -> String {
    let text = raw.trim_matches('"');
    if let Ok(exact) = text.parse() {
        rounded_exact(exact)
    } else if let Ok(value) = text.parse() {
        rounded(value)
    } else {
        absent(reason.as_deref())
    }
}
