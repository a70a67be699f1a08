//! `qt backtest join`: the shards of a sweep as the one sweep that they are parts of.
//!
//! Invariant: what comes out is what the sweep would have been unsharded, to the byte. Shards that do
//! not belong together, that are there twice or that are missing are named and nothing is written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use qt_model::words::{RunKind, RunStatus};
use qt_stream::runs::{Manifest, RunReader, Trial, Trials as Ledger};
use qt_trade::metrics::Trials;
use serde_json::Value;

use super::keep::{Kept, POINTS, TRIALS, digest, set_points};
use super::point::Point;
use super::record::Place;
use super::sweep::Shard;
use super::{Judged, table};
use crate::context::Context;
use crate::failure::{Failure, FailureExt};
use crate::outcome::{Exit, Outcome};

/// Put the shards of a sweep together
///
/// Takes the runs that `--shard` made of all parts of a sweep, wherever they ran, and makes the sweep of
/// them: the same points, with the same figures, as if it had never been parted. Refuses shards of
/// different sweeps or data, and names those that are missing.
#[derive(Debug, Args)]
pub(crate) struct Join {
    /// Shards: names of runs, beginnings or endings of them, or folders
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<String>,
    /// Keep the sweep in this new folder
    #[arg(long, value_name = "FOLDER", conflicts_with = "no_run")]
    run_dir: Option<PathBuf>,
    /// Keep no sweep and enter no trials
    #[arg(long)]
    no_run: bool,
}

/// A shard as it was kept.
#[derive(Debug)]
struct Part {
    manifest: Manifest,
    shard: Shard,
    points: Vec<Point>,
    trials: Vec<Trial>,
}

pub(super) fn run(args: &Join, context: &Context) -> anyhow::Result<Outcome> {
    let parts = args.runs.iter().map(|name| Part::read(name, context));
    let mut parts = parts.collect::<anyhow::Result<Vec<_>>>()?;
    parts.sort_by_key(|part| part.shard);
    check(&parts)?;
    let first = parts[0].manifest.clone();
    let by_point = parts.into_iter().flat_map(|part| part.points.into_iter().zip(part.trials));
    let by_point: BTreeMap<usize, (Point, Trial)> =
        by_point.map(|(point, trial)| (point.point, (point, trial))).collect();
    let (mut points, trials): (Vec<Point>, Vec<Trial>) = by_point.into_values().unzip();
    let root = context.settings()?.runs();
    if !args.no_run {
        Ledger::of(&root).append(&trials)?;
    }
    let family = family(&root, &first.input.strategy.family, &trials)?;
    points.iter_mut().for_each(|point| point.set_trials(family));
    let judged = Judged::default();
    let lines = table::lines(&points, &judged);
    let place = match &args.run_dir {
        _ if args.no_run => None,
        Some(folder) => Some(Place::Folder(folder.clone())),
        None => Some(Place::Root(root)),
    };
    let kept = Kept { lines: &lines, trials: &trials };
    let kept = place.map(|place| keep(&place, &first, &points, &kept, family)).transpose()?;
    context.print(match context.json() {
        true => lines,
        false => table::text(&points, &judged, kept.as_deref()),
    })?;
    Ok(Outcome::Done)
}

impl Part {
    fn read(name: &str, context: &Context) -> anyhow::Result<Self> {
        let run = RunReader::open(&crate::runs::folder(name, context)?)?;
        let manifest = run.manifest().clone();
        let refuse = |message: &str| Failure::usage(format!("{name}: {message}"));
        if manifest.kind != RunKind::Sweep {
            return Err(refuse("it is no sweep").into());
        }
        if manifest.status != RunStatus::Done {
            let status = manifest.status;
            return Err(refuse(&format!("the sweep is {status}: its points are not whole")).into());
        }
        let shard = manifest.input.config["shard"].as_str().and_then(|it| Shard::parse(it).ok());
        let shard = shard.ok_or_else(|| refuse("it is no shard: it has all its points"))?;
        let points: Vec<Point> = rows(&run, POINTS)?;
        let trials: Vec<Trial> = rows(&run, TRIALS)?;
        let numbers: Vec<_> = points.iter().map(|point| Value::from(point.point)).collect();
        if manifest.input.config["points"] != Value::from(numbers) || points.len() != trials.len() {
            let message = format!("{name}: {POINTS} has other points than the manifest");
            return Err(anyhow::Error::msg(message)).exit(Exit::Input);
        }
        Ok(Self { manifest, shard, points, trials })
    }

    /// What makes two shards parts of one sweep.
    fn sweep(&self) -> BTreeMap<String, String> {
        let input = &self.manifest.input;
        let mut config = input.config.as_object().cloned().unwrap_or_default();
        config.remove("points");
        config.insert("shard".to_owned(), Value::from(format!("of {}", self.shard.parts())));
        let mut sweep: BTreeMap<String, String> =
            config.into_iter().map(|(key, value)| (key, value.to_string())).collect();
        let data = input.datasets.iter().map(|it| format!("{} records, {}", it.records, it.digest));
        sweep.insert("data".to_owned(), data.collect::<Vec<_>>().join("; "));
        sweep.insert("version".to_owned(), input.code.version.clone());
        sweep
    }
}

/// The lines of a file of a run, which are as they were written.
fn rows<T: serde::de::DeserializeOwned>(run: &RunReader, name: &str) -> anyhow::Result<Vec<T>> {
    let path = run.folder().join(name);
    let place = || format!("reading {}", path.display());
    let text = std::fs::read_to_string(&path).with_context(place)?;
    let file = run.manifest().output.files.iter().find(|file| file.path == name);
    if file.is_none_or(|file| file.digest != digest(&text)) {
        let message = format!("{}: it is not as it was written", path.display());
        return Err(anyhow::Error::msg(message)).exit(Exit::Input);
    }
    let rows = text.lines().map(serde_json::from_str).collect::<Result<_, _>>();
    rows.with_context(place).exit(Exit::Input)
}

/// That the parts, which are in order, are all those of one sweep.
fn check(parts: &[Part]) -> anyhow::Result<()> {
    let (first, sweep) = (&parts[0], parts[0].sweep());
    let name = |part: &Part| part.manifest.run_id.clone();
    for part in &parts[1..] {
        let other = part.sweep();
        let keys = sweep.keys().chain(other.keys());
        if let Some(key) = keys.into_iter().find(|key| sweep.get(*key) != other.get(*key)) {
            let shown = |it: Option<&String>| {
                it.map_or("absent".to_owned(), |text| text.chars().take(60).collect())
            };
            let (ours, theirs) = (shown(sweep.get(key)), shown(other.get(key)));
            let (one, two) = (name(first), name(part));
            return Err(Failure::usage(format!(
                "{one} and {two} are of different sweeps: {key} is {ours} and {theirs}"
            ))
            .into());
        }
    }
    if let Some(pair) = parts.windows(2).find(|pair| pair[0].shard == pair[1].shard) {
        let (one, two, shard) = (name(&pair[0]), name(&pair[1]), pair[0].shard);
        return Err(Failure::usage(format!("{one} and {two} are both shard {shard}")).into());
    }
    let missing = first
        .shard
        .all(count(first))
        .filter(|shard| !parts.iter().any(|part| part.shard == *shard));
    let missing: Vec<String> = missing.map(|shard| shard.to_string()).collect();
    match &missing[..] {
        [] => Ok(()),
        [one] => Err(Failure::usage(format!("shard {one} is missing")).into()),
        _ => Err(Failure::usage(format!("shards {} are missing", missing.join(", "))).into()),
    }
}

/// How many points the whole sweep has.
fn count(part: &Part) -> usize {
    let config = &part.manifest.input.config;
    let random = config["random"].as_u64().and_then(|count| usize::try_from(count).ok());
    let axes = config["sweep"].as_object().into_iter().flatten();
    random
        .unwrap_or_else(|| axes.map(|(_, values)| values.as_array().map_or(0, Vec::len)).product())
}

/// All trials of a family that the ledger knows, and these.
fn family(root: &Path, family: &str, trials: &[Trial]) -> anyhow::Result<Trials> {
    let known = Ledger::of(root).family(family)?;
    let all: BTreeMap<&str, Option<f64>> =
        known.iter().chain(trials).map(|it| (it.digest.as_str(), it.sharpe_period)).collect();
    Ok(Trials::of(&all.into_values().collect::<Vec<_>>()))
}

/// Keeps the whole sweep: what the shards have in common, and all points.
fn keep(
    place: &Place,
    first: &Manifest,
    points: &[Point],
    kept: &Kept<'_>,
    family: Trials,
) -> anyhow::Result<PathBuf> {
    let mut input = first.input.clone();
    if let Some(config) = input.config.as_object_mut() {
        config.remove("shard");
    }
    set_points(&mut input, points.iter().map(|point| point.point).collect());
    kept.write(place, input, RunStatus::Done, |manifest| {
        manifest.output.events = first.output.events;
        manifest.output.first_event.clone_from(&first.output.first_event);
        manifest.output.last_event.clone_from(&first.output.last_event);
        manifest.assumptions.clone_from(&first.assumptions);
        for assumption in &mut manifest.assumptions {
            if assumption.name == "trials" {
                assumption.value = format!("{} of this strategy", family.count);
            }
        }
    })
}
