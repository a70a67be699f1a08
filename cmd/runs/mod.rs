//! `qt runs`: what has been run, and what came of it.

mod show;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use qt_model::time::Date;
use qt_model::words::{RunKind, RunStatus, Word};
use qt_stream::runs::{self, Found};

use crate::context::Context;
use crate::listing::{Cell, Table};
use crate::outcome::Outcome;

/// List and show runs
///
/// Runs lie below the directory of the setting `runs`. A RUN is its name, a beginning or ending of
/// it that no other run has, or the path of its folder.
#[derive(Debug, Args)]
pub(crate) struct Runs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List runs, oldest first
    Ls(List),
    /// Show what a run was given and what came out
    Show(show::Show),
}

#[derive(Debug, Args)]
struct List {
    /// Only runs of strategies that fit this pattern
    #[arg(long, value_name = "PATTERN")]
    strategy: Option<String>,
    /// Only runs of this kind
    #[arg(long, value_name = "KIND", value_parser = word::<RunKind>)]
    kind: Option<RunKind>,
    /// Only runs that came so far
    #[arg(long, value_name = "STATUS", value_parser = word::<RunStatus>)]
    status: Option<RunStatus>,
    /// Only runs that began on this day, UTC
    #[arg(long, value_name = "DATE", value_parser = day)]
    date: Option<Date>,
}

fn word<W: Word>(text: &str) -> Result<W, String> {
    W::from_word(text).ok_or_else(|| format!("expected one of {}", W::WORDS.join(", ")))
}

fn day(text: &str) -> Result<Date, String> {
    Date::parse(text).map_err(|_| "expected a date such as 2024-08-08".to_owned())
}

pub(crate) fn run(args: Runs, context: &mut Context) -> anyhow::Result<Outcome> {
    match args.action {
        Action::Ls(args) => list(&args, context),
        Action::Show(args) => show::run(&args, context),
    }
}

/// The folder of a run that the user named.
pub(crate) fn folder(name: &str, context: &Context) -> anyhow::Result<PathBuf> {
    Ok(runs::find(&context.settings()?.runs(), name)?)
}

fn list(args: &List, context: &Context) -> anyhow::Result<Outcome> {
    let (found, troubles) = runs::list(&context.settings()?.runs())?;
    let columns =
        ["started", "run", "kind", "status", "strategy", "pnl", "sharpe", "trades", "grade"];
    let mut table = Table::new(&columns);
    let text = |text: Option<&str>| Cell::Text(text.unwrap_or("-").to_owned());
    for run in found.iter().filter(|run| args.fits(run)) {
        let value = |name: &str| text(run.values.get(name).map(String::as_str));
        table.row([
            text(run.started.get(..19)),
            text(Some(&run.run_id)),
            text(Some(&run.kind)),
            text(Some(&run.status)),
            text(Some(&run.strategy)),
            value("pnl_total"),
            value("sharpe"),
            value("trades"),
            text(run.grade.as_deref()),
        ]);
    }
    table.print(context)?;
    if troubles.is_empty() {
        return Ok(Outcome::Done);
    }
    for trouble in troubles {
        context.warn(trouble);
    }
    Ok(Outcome::Incomplete)
}

impl List {
    fn fits(&self, run: &Found) -> bool {
        let is = |wanted: Option<&str>, found: &str| wanted.is_none_or(|wanted| wanted == found);
        let pattern = self.strategy.as_deref();
        pattern.is_none_or(|pattern| matches(pattern, &run.strategy))
            && is(self.kind.map(Word::word), &run.kind)
            && is(self.status.map(Word::word), &run.status)
            && self.date.is_none_or(|date| run.started.starts_with(&date.to_string()))
    }
}

/// `*` stands for any text, as in patterns of symbols.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => text.strip_prefix(head).is_some_and(|text| {
            let mut ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.any(|at| matches(rest, &text[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, text, expected) in [
            ("maker", "maker", true),
            ("maker", "makers", false),
            ("m*r", "maker", true),
            ("*", "", true),
            ("*k*", "maker", true),
            ("m*x", "maker", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
