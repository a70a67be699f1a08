//! `qt backtest`: a strategy over history, with honest fills.

mod input;
mod lanes;
mod market;
mod rows;
mod summary;
mod sweep;
mod table;
mod variant;
mod walk;
mod watch;
mod workers;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use qt_model::time::duration_ns;
use qt_sim::exchange::Preset;
use qt_trade::metrics::Sample;

use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::select_args::SelectArgs;
use crate::strategy::StrategyFile;
use crate::stream_args::ReadArgs;

use input::Opened;
use lanes::Common;
use market::Market;
use summary::Summary;
use variant::Variant;
use walk::Walk;
use workers::Workers;

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
    #[arg(long, value_name = "MODEL", default_value = "calibrated", value_parser = variant::preset)]
    fills: Preset,
    /// Run a parameter over values, FROM..TO:STEP or a list; several make a grid
    #[arg(long, value_name = "NAME=VALUES", value_parser = sweep::Axis::parse)]
    sweep: Vec<sweep::Axis>,
    /// Draw this many points of the sweep in place of the whole grid
    #[arg(long, value_name = "POINTS", requires = "sweep")]
    random: Option<usize>,
    /// Run one part of the points, such as 1/4, for several machines
    #[arg(long, value_name = "PART/OF", requires = "sweep", value_parser = sweep::Shard::parse)]
    shard: Option<sweep::Shard>,
    /// Choose the best point of each stretch and judge it on the next, in periods of --sample
    #[arg(long, value_name = "TRAIN/TEST", requires = "sweep", conflicts_with = "shard",
          value_parser = walk::Windows::parse)]
    walk_forward: Option<walk::Windows>,
    /// How often equity is sampled for returns
    #[arg(long, value_name = "DURATION", default_value = "1d", value_parser = sample)]
    sample: Sample,
    /// Seed of all that is drawn
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
    let found = duration_ns(text).filter(|ns| *ns >= 0);
    found.ok_or_else(|| format!("expected a duration such as 500ms, found `{text}`"))
}

fn sample(text: &str) -> Result<Sample, String> {
    duration(text).and_then(|ns| Sample::every(ns).map_err(|error| error.to_string()))
}

pub(crate) fn run(args: Backtest, context: &mut Context) -> anyhow::Result<Outcome> {
    let file = Arc::new(StrategyFile::named(&args.strategy)?);
    let values: BTreeMap<String, f64> = args.param.iter().cloned().collect();
    let variants = match args.sweep.is_empty() {
        true => variant::band(&args, &file, &values)?,
        false => variants(&args, &file, &values)?,
    };
    let mut opened = Opened::new(&args, context)?;
    let Some(first) = opened.first()? else {
        let failure = Failure::usage("the input has no records");
        return Err(failure.with_hint("`qt catalog ls` shows what the catalog has").into());
    };
    let common = Common {
        market: Market::new(&file, first.instruments())?,
        file,
        seed: args.seed,
        lookahead_ns: args.lookahead,
        has_quotes: opened.has_quotes(),
        sample: args.sample,
        start: first.head(0).ts_recv,
    };
    let threads = if args.sweep.is_empty() { 1 } else { context.settings()?.threads().get() };
    let mut workers = Workers::new(&common, variants, threads)?;
    opened.drive(first, &mut workers, context)?;
    let (results, driven) = workers.finish();
    let grade = opened.grade();
    let summary =
        Summary { common: &common, place: opened.place(), grade, driven, results: &results };
    let end = driven.last.unwrap_or_default();
    let walk = args.walk_forward.map(|windows| Walk::new(windows, &results));
    context.print(match (args.sweep.is_empty(), context.json()) {
        (true, true) => format!("{}\n", summary.json()),
        (true, false) => summary.text(),
        (false, true) => table::lines(&results, end, walk.as_ref()),
        (false, false) => table::text(&results, end, walk.as_ref()),
    })?;
    opened.conclude(context)
}

fn variants(
    args: &Backtest,
    file: &StrategyFile,
    values: &BTreeMap<String, f64>,
) -> anyhow::Result<Vec<Variant>> {
    if sweep::count(&args.sweep, args.random).is_none() {
        let failure = Failure::usage("the sweep has more than a million points");
        return Err(failure.with_hint("take larger steps, or --random POINTS").into());
    }
    let variants = variant::sweep(args, file, values, &args.sweep)?;
    if variants.is_empty() {
        return Err(Failure::usage("the shard has no points: there are fewer than parts").into());
    }
    Ok(variants)
}
