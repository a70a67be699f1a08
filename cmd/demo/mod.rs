//! `qt demo`: the toolkit at work, offline, in a few seconds.
//!
//! Each step is a command line that works outside the demo too, shown before it runs.

mod chart;

use std::env;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};
use clap::Args;

use crate::context::Context;
use crate::outcome::Outcome;

/// Show the toolkit at work on a synthetic market
///
/// Offline and without arguments: makes an hour of market in a temporary catalog, shows each pipeline
/// before it runs it, and ends with a picture of the prices.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Keep the catalog in this directory
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

/// What is said, and the pipeline that is run.
const STEPS: [(&str, &str); 10] = [
    (
        "An hour of four synthetic markets, from a seed, into a catalog of Parquet files",
        "qt synth --seed 7 --start 2024-08-08T09:00:00Z --hours 1 --to catalog --force",
    ),
    ("What the catalog holds", "qt catalog ls"),
    (
        "The first trades of one market, for the eye",
        "qt replay --date 2024-08-08 --symbols BTCUSDT --kinds trade --limit 5 -o table",
    ),
    (
        "The same as NDJSON, for jq and every language: a header, records, an end with a digest",
        "qt replay --date 2024-08-08 --symbols PEPEUSDT --kinds trade --limit 2",
    ),
    (
        "A pipe of two stages over Arrow; the second checks count and digest of what arrives",
        "qt replay --date 2024-08-08 -o arrow | qt replay --input - --verify --kinds quote --limit 3 -o csv",
    ),
    (
        "Can the data be trusted? An hour is there, and nothing in it is wrong",
        "qt check --kinds trade,quote,depth",
    ),
    (
        "Fifteen signals behind the quotes that caused them, one row of many",
        "qt replay --date 2024-08-08 --symbols BTCUSDT | qt features --set core15 --only --warm-only --every 9000",
    ),
    (
        "Does the day replay the same way every time, in any batch size and from any cursor?",
        "qt replay verify --date 2024-08-08 --symbols BTCUSDT",
    ),
    (
        "A market maker over half of it, under three models of fills at once",
        "qt backtest market-maker --from 2024-08-08T09:00:00Z --to 2024-08-08T09:30:00Z --symbols BTCUSDT --sample 1m",
    ),
    (
        "How much does it hang on the distance of its quotes? Four variants in one pass of ten minutes",
        "qt backtest market-maker --from 2024-08-08T09:00:00Z --to 2024-08-08T09:10:00Z --symbols BTCUSDT --sample 1m --sweep half_spread=0..3",
    ),
];

pub(crate) fn run(args: Demo, context: &mut Context) -> anyhow::Result<Outcome> {
    let temporary = match args.keep {
        Some(_) => None,
        None => Some(tempfile::tempdir().context("making a directory for the demo")?),
    };
    let data = match (&args.keep, &temporary) {
        (Some(keep), _) => keep.join("data"),
        (None, Some(temporary)) => temporary.path().join("data"),
        (None, None) => bail!("a demo without a directory"),
    };
    let paint = context.paint();
    for (number, (said, pipeline)) in STEPS.iter().enumerate() {
        context.print(format!("\n{}. {said}\n", number + 1))?;
        context.print(format!("{}\n", paint.bold(format_args!("   $ {pipeline}"))))?;
        run_pipeline(pipeline, &data)?;
        if context.shutdown().requested() {
            return Ok(Outcome::Incomplete);
        }
    }
    context.print(format!("\n{}. The hour in one picture\n\n", STEPS.len() + 1))?;
    context.print(chart::draw(&data)?)?;
    match &args.keep {
        Some(keep) => context.print(format!("\nThe catalog stays in {}.\n", keep.display()))?,
        None => context
            .print("\n`qt demo --keep DIR` keeps the catalog; `qt help` lists all commands.\n")?,
    }
    Ok(Outcome::Done)
}

/// Runs `qt … | qt …` with this very program in each place.
fn run_pipeline(pipeline: &str, data: &std::path::Path) -> anyhow::Result<()> {
    let program = env::current_exe().context("finding this program")?;
    let stages: Vec<&str> = pipeline.split(" | ").collect();
    let mut children: Vec<(Child, &str)> = Vec::new();
    for (at, stage) in stages.iter().enumerate() {
        let mut command = Command::new(&program);
        command.args(stage.split_whitespace().skip(1)).env("QT_DATA", data);
        command.env("QT_RUNS", data.with_file_name("runs"));
        // A configuration of the place where the demo runs must not bend it.
        command.env("QT_LOG", "warn").env("QT_CONFIG", "/dev/null");
        if let Some((previous, _)) = children.last_mut() {
            command.stdin(previous.stdout.take().map_or_else(Stdio::null, Stdio::from));
        } else {
            command.stdin(Stdio::null());
        }
        if at + 1 < stages.len() {
            command.stdout(Stdio::piped());
        }
        children.push((command.spawn().context("starting a stage of the demo")?, stage));
    }
    for (mut child, stage) in children {
        let status = child.wait().context("waiting for a stage of the demo")?;
        if !status.success() {
            bail!("`{stage}` ended with {status}");
        }
    }
    Ok(())
}
