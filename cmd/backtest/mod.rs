//! `qt backtest`: a strategy over history, with honest fills.

mod input;
mod lanes;
mod rows;
mod summary;
mod watch;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;

use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::select_args::SelectArgs;
use crate::strategy::StrategyFile;
use crate::stream_args::ReadArgs;

/// Simulate a strategy over history
///
/// Reads market records and runs the strategy file over them, through a simulated venue that lives
/// in event time while the strategy lives in receive time. Fills are evaluated under a pessimistic, a
/// calibrated and an optimistic model in one pass; the summary opens with what was assumed. Reads the
/// files of --input; the catalog, where a range, symbols or kinds ask for it; else standard input.
#[derive(Debug, Args)]
pub(crate) struct Backtest {
    /// Strategy file, or the name of a built-in strategy
    #[arg(value_name = "STRATEGY")]
    strategy: PathBuf,
    /// Set a parameter of the strategy
    #[arg(long, value_name = "NAME=VALUE", value_parser = parameter)]
    param: Vec<(String, f64)>,
    /// Fill model to report first
    #[arg(long, value_name = "MODEL", default_value = "calibrated", value_parser = lanes::preset)]
    fills: qt_sim::exchange::Preset,
    /// Seed of the drawn latencies
    #[arg(long, value_name = "NUMBER", default_value_t = 42)]
    seed: u64,
    /// How far event times may lie behind receive times
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = duration)]
    lookahead: i64,
    #[command(flatten)]
    select: SelectArgs,
    #[command(flatten)]
    read: ReadArgs,
}

fn parameter(text: &str) -> Result<(String, f64), String> {
    let expected = || format!("expected NAME=VALUE with a number, such as fast=20; found `{text}`");
    let (name, value) = text.split_once('=').ok_or_else(expected)?;
    let value = value.trim().parse().ok().filter(|value: &f64| value.is_finite());
    Ok((name.trim().to_owned(), value.ok_or_else(expected)?))
}

fn duration(text: &str) -> Result<i64, String> {
    qt_model::time::duration_ns(text)
        .filter(|ns| *ns >= 0)
        .ok_or_else(|| format!("expected a duration such as 500ms, found `{text}`"))
}

pub(crate) fn run(args: Backtest, context: &mut Context) -> anyhow::Result<Outcome> {
    let file = StrategyFile::named(&args.strategy)?;
    let values = values(&args.param)?;
    let compiled = file.compile(&values)?;
    let mut opened = input::Opened::new(&args, context)?;
    let Some(first) = opened.first()? else {
        let failure = Failure::usage("the input has no records");
        return Err(failure.with_hint("`qt catalog ls` shows what the catalog has").into());
    };
    let setup = lanes::Setup {
        file: &file,
        compiled: &compiled,
        values: &values,
        main: args.fills,
        seed: args.seed,
        lookahead_ns: args.lookahead,
        has_quotes: opened.has_quotes(),
    };
    let start = first.head(0).ts_recv;
    let mut run = lanes::Run::new(&setup, first.instruments(), start)?;
    opened.drive(first, &mut run, context)?;
    let result = run.finish();
    summary::print(&setup, &result, &opened, context)?;
    opened.conclude(context)
}

/// The last value of each parameter counts.
fn values(given: &[(String, f64)]) -> anyhow::Result<BTreeMap<String, f64>> {
    Ok(given.iter().cloned().collect())
}
