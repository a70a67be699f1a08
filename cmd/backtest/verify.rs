//! `qt backtest verify RUN`: the same run again, held against what was kept.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use qt_model::words::RunStatus;
use qt_stream::runs::{Manifest, RunReader};

use super::{Place, Simulate, execute};
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::registry::{Cli, Command};
use crate::strategy::StrategyFile;

/// Run a run again and compare
///
/// Takes the strategy as it was kept with the run and the input that its command line named, and
/// compares data, decisions, orders, fills, equity and band. Says what differs; exits with 1 then.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// Run: its name, a beginning or ending of it, or its folder
    #[arg(value_name = "RUN")]
    run: String,
    /// Read the records from these files in place of the input that the run had
    #[arg(short, long, value_name = "FILE", num_args = 1..)]
    input: Vec<PathBuf>,
}

pub(super) fn run(args: &Verify, context: &Context) -> anyhow::Result<Outcome> {
    let folder = crate::runs::folder(&args.run, context)?;
    let kept = RunReader::open(&folder)?.manifest().clone();
    let again = again(args, &kept, context)?;
    let differences = differences(&kept, &again);
    if differences.is_empty() {
        context.note(format_args!("{}: the same again", kept.run_id));
        return Ok(Outcome::Done);
    }
    let text: String = differences.iter().map(|line| format!("{line}\n")).collect();
    context.print(text)?;
    Err(Failure::no(format!("{}: {} differences", kept.run_id, differences.len())).into())
}

/// The simulation that a run kept, on the input that it names or another.
pub(super) fn simulation(
    kept: &Manifest,
    input: &[PathBuf],
    context: &Context,
) -> anyhow::Result<(Simulate, Arc<StrategyFile>)> {
    let line = std::iter::once("qt".to_owned()).chain(kept.arguments.iter().cloned());
    let unusable = |message: String| {
        Failure::usage(format!("{}: {message}", kept.run_id))
            .with_hint("give the records of the run with --input")
    };
    let cli = Cli::parse_from(line.map(Into::into).collect())
        .map_err(|error| unusable(format!("its command line cannot be read: {error}")))?;
    let Command::Backtest(backtest) = cli.command else {
        return Err(unusable("it is no backtest".to_owned()).into());
    };
    if backtest.action.is_some() {
        return Err(unusable("it is no simulation".to_owned()).into());
    }
    if !backtest.simulate.sweep.is_empty() {
        let failure =
            Failure::usage(format!("{}: it is a sweep, which keeps no rows", kept.run_id));
        return Err(failure.with_hint("run the point that matters on its own").into());
    }
    let mut simulate = backtest.simulate;
    // Whatever else the command line said: rows are what is compared.
    simulate.no_run = false;
    if !input.is_empty() {
        simulate.read.input = input.to_vec();
    }
    let config = &kept.input.config;
    let text = config["strategy"].as_str().unwrap_or_default().to_owned();
    let file = StrategyFile::parse(simulate.strategy(), text, context.natives())?;
    Ok((simulate, Arc::new(file)))
}

/// Runs the run again in a folder that goes away.
fn again(args: &Verify, kept: &Manifest, context: &Context) -> anyhow::Result<Manifest> {
    let (simulate, file) = simulation(kept, &args.input, context)?;
    let folder = tempfile::tempdir()?;
    let place = Place::Folder(folder.path().join("again"));
    let mut done = execute(&simulate, file, Some(&place), context)?;
    let recorder = done.recorder.take().expect("a place was given");
    let data = std::mem::take(&mut done.data);
    recorder.finish(data, &done.summary(), RunStatus::Done)
}

/// What differs between two manifests, in words.
fn differences(kept: &Manifest, again: &Manifest) -> Vec<String> {
    let mut lines = Vec::new();
    let mut compare = |what: &str, ours: String, theirs: String| {
        if ours != theirs {
            lines.push(format!("{what}: was {ours}, is {theirs}"));
        }
    };
    compare("configuration", kept.input.config_sha256.clone(), again.input.config_sha256.clone());
    let data = |manifest: &Manifest| -> Vec<String> {
        let sets = manifest.input.datasets.iter();
        sets.map(|set| format!("{} records, {}", set.records, set.digest)).collect()
    };
    compare("data", data(kept).join("; "), data(again).join("; "));
    let files = |manifest: &Manifest| -> BTreeMap<String, String> {
        let files = manifest.output.files.iter();
        files.map(|file| (file.path.clone(), format!("{} {}", file.records, file.digest))).collect()
    };
    let (ours, theirs) = (files(kept), files(again));
    let names = ours.keys().chain(theirs.keys().filter(|name| !ours.contains_key(*name)));
    for name in names {
        let of = |files: &BTreeMap<String, String>| {
            files.get(name).cloned().unwrap_or_else(|| "absent".to_owned())
        };
        compare(name, of(&ours), of(&theirs));
    }
    for (ours, theirs) in kept.output.band.iter().zip(&again.output.band) {
        compare(&ours.lane, format!("{:?}", ours.values), format!("{:?}", theirs.values));
    }
    lines
}
