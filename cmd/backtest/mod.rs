//! `qt backtest`: a strategy over history, with honest fills.

mod folds;
mod input;
mod join;
mod keep;
mod lanes;
pub(crate) mod parity;
mod point;
mod record;
mod rows;
mod silence;
mod spill;
mod summary;
mod sweep;
mod table;
mod variant;
mod verify;
mod walk;
mod watch;
mod workers;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use qt_model::time::duration_ns;
use qt_model::words::RunStatus;
use qt_sim::driver::{Driven, Records};
use qt_sim::exchange::{Operation, Preset};
use qt_stream::runs::Trial;
use qt_trade::metrics::{Folds, Sample, Trials};

use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::select_args::SelectArgs;
use crate::strategy::{self, DelayText, FeeFlag, Market, StrategyFile};
use crate::stream_args::ReadArgs;

use folds::CrossValidation;
use input::Opened;
use keep::Kept;
use lanes::Common;
use point::Point;
use record::{Data, Place, Recorder};
use summary::Summary;
use variant::Variant;
use walk::Walk;
use workers::Workers;

/// Simulate a strategy over history
///
/// Reads market records and runs the strategy file over them, through a simulated venue that lives
/// in event time while the strategy lives in receive time. Fills are evaluated under a pessimistic, a
/// calibrated and an optimistic model in one pass; the summary opens with what was assumed. Reads the
/// files of --input; the catalog, where a range asks for it or standard input is a terminal; else
/// standard input. The run is kept below the directory of runs, to be shown, compared and run again.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Backtest {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    simulate: Simulate,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Run a run again and compare
    Verify(verify::Verify),
    /// Put the shards of a sweep together
    Join(join::Join),
}

/// A simulation.
#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// Strategy file, or the name of a built-in strategy
    #[arg(value_name = "STRATEGY", required_unless_present = "explain")]
    strategy: Option<PathBuf>,
    /// Say what a metric means, and run nothing
    #[arg(long, value_name = "METRIC", exclusive = true)]
    explain: Option<String>,
    /// Set a parameter of the strategy
    #[arg(long, value_name = "NAME=VALUE", value_parser = parameter)]
    param: Vec<(String, f64)>,
    /// Fill model to report first
    #[arg(long, value_name = "MODEL", default_value = "calibrated", value_parser = variant::preset)]
    fills: Preset,
    /// Evaluate no other fill model beside the one of --fills
    #[arg(long)]
    no_band: bool,
    /// Delay of an operation: feed, place, amend, cancel or response; before those of the file
    #[arg(long, value_name = "OPERATION=DELAY", value_parser = strategy::latency)]
    latency: Vec<(Operation, DelayText)>,
    /// Fees in basis points; before those of the file
    #[arg(long, value_name = "maker=BPS,taker=BPS", value_parser = strategy::fees)]
    fees: Option<FeeFlag>,
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
    /// Cross-validate the points: choose the best on all groups of periods but one, or but TEST, and
    /// judge it on those, for each choice of them
    #[arg(long, value_name = "GROUPS[/TEST]", requires = "sweep", conflicts_with = "shard",
          value_parser = folds::groups)]
    cv: Option<(usize, usize)>,
    /// Periods before a tested group that do not train
    #[arg(long, value_name = "PERIODS", requires = "cv", default_value_t = 1)]
    purge: usize,
    /// Share of all periods that does not train behind a tested group
    #[arg(long, value_name = "SHARE", requires = "cv", default_value = "0.01",
          value_parser = folds::embargo)]
    embargo: f64,
    /// How often equity is sampled for returns; days are sessions where the venue has any
    #[arg(long, value_name = "DURATION", default_value = "1d", value_parser = sample)]
    sample: Sample,
    /// Seed of all that is drawn
    #[arg(long, value_name = "NUMBER", default_value_t = 42)]
    seed: u64,
    /// How far event times may lie behind receive times
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = duration)]
    lookahead: i64,
    /// Keep the run in this new folder
    #[arg(long, value_name = "FOLDER", conflicts_with = "no_run")]
    run_dir: Option<PathBuf>,
    /// Keep no run and enter no trial
    #[arg(long)]
    no_run: bool,
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
    match args.action {
        Some(Action::Verify(args)) => verify::run(&args, context),
        Some(Action::Join(args)) => join::run(&args, context),
        None => simulate(&args.simulate, context),
    }
}

impl Simulate {
    fn strategy(&self) -> &Path {
        self.strategy.as_deref().expect("clap asks for a strategy")
    }
}

fn simulate(args: &Simulate, context: &Context) -> anyhow::Result<Outcome> {
    if let Some(name) = &args.explain {
        context.print(crate::report::explained(name)?)?;
        return Ok(Outcome::Done);
    }
    let file = Arc::new(StrategyFile::named(args.strategy(), context.natives())?);
    let root = context.settings()?.runs();
    let place = match &args.run_dir {
        _ if args.no_run => None,
        Some(folder) => Some(Place::Folder(folder.clone())),
        None => Some(Place::Root(root.clone())),
    };
    let is_sweep = !args.sweep.is_empty();
    let mut done = execute(args, file, place.as_ref().filter(|_| !is_sweep), context)?;
    let noted = record::trials(&done.common, &done.results, &done.data.digest());
    if !args.no_run {
        let family = &done.common.file.definition.name;
        let trials = Trials::of(&record::note_trials(&root, family, &noted)?);
        let figures = done.results.iter_mut().filter_map(|result| result.figures.as_mut());
        figures.for_each(|figures| figures.set_trials(trials));
    }
    silence::warn(&done, context);
    if is_sweep {
        return conclude_sweep(args, done, (place.as_ref(), &noted), context);
    }
    let recorder = done.recorder.take();
    let folder = recorder.as_ref().map(|recorder| recorder.folder().to_owned());
    let data = std::mem::take(&mut done.data);
    let summary = done.summary();
    if let Some(recorder) = recorder {
        let status = if done.is_cut { RunStatus::Stopped } else { RunStatus::Done };
        recorder.finish(data, &summary, status)?;
    }
    context.print(match context.json() {
        true => format!("{}\n", summary.json(folder.as_deref())),
        false => summary.text(folder.as_deref()),
    })?;
    done.opened.conclude(context)
}

/// Shows the points of a sweep, and keeps them where runs are kept.
fn conclude_sweep(
    args: &Simulate,
    mut done: Executed,
    (place, trials): (Option<&Place>, &[Trial]),
    context: &Context,
) -> anyhow::Result<Outcome> {
    let end = done.driven.last.unwrap_or_default();
    let judged = Judged {
        walk: args.walk_forward.map(|windows| Walk::new(windows, &done.results)),
        cross: args.cv.map(|(groups, test)| {
            let folds = Folds { groups, test, purge: args.purge, embargo: args.embargo };
            CrossValidation::new(folds, &done.results)
        }),
    };
    let points: Vec<Point> = done.results.iter().map(|result| Point::of(result, end)).collect();
    let lines = table::lines(&points, &judged);
    let data = std::mem::take(&mut done.data);
    let kept = Kept { lines: &lines, trials };
    let kept = place.map(|place| keep::sweep(place, args, &done, data, &kept)).transpose()?;
    context.print(match context.json() {
        true => lines,
        false => table::text(&points, &judged, kept.as_deref()),
    })?;
    done.opened.conclude(context)
}

/// What is said of a sweep as a whole.
#[derive(Debug, Default)]
struct Judged {
    walk: Option<Walk>,
    cross: Option<CrossValidation>,
}

/// A simulation that has run.
#[derive(Debug)]
struct Executed {
    common: Common,
    opened: Opened,
    results: Vec<lanes::Ran>,
    driven: Driven,
    data: Data,
    recorder: Option<Recorder>,
    is_cut: bool,
}

impl Executed {
    fn summary(&self) -> Summary<'_> {
        let (common, results) = (&self.common, &self.results);
        let (place, grade) = (self.opened.place(), self.opened.grade());
        Summary { common, place, grade, driven: self.driven, results }
    }
}

/// A simulation that is about to run.
#[derive(Debug)]
struct Prepared {
    common: Common,
    variants: Vec<Variant>,
    opened: Opened,
    first: Records,
}

fn prepare(
    args: &Simulate,
    mut file: Arc<StrategyFile>,
    context: &Context,
) -> anyhow::Result<Prepared> {
    if args.fees.is_some() || !args.latency.is_empty() {
        let here = Path::new("");
        let delays = args.latency.iter().map(|(operation, text)| {
            let delay = text.clone().resolve(here).map_err(Failure::usage)?;
            Ok((*operation, delay))
        });
        let delays = delays.collect::<Result<Vec<_>, Failure>>()?;
        Arc::make_mut(&mut file).venues.set(args.fees, &delays);
    }
    let values: BTreeMap<String, f64> = args.param.iter().cloned().collect();
    let variants = match args.sweep.is_empty() {
        true => variant::band(args, &file, &values)?,
        false => variants(args, &file, &values)?,
    };
    let mut opened = Opened::new(args, &file, context)?;
    let Some(first) = opened.first()? else {
        let failure = Failure::usage("the input has no records");
        return Err(failure.with_hint("`qt catalog ls` shows what the catalog has").into());
    };
    let instruments = opened.instruments(&first, args, context)?;
    let market = Market::new(&file, &instruments, &args.select.selection()?.symbols)?;
    let start = first.ts_recv(0);
    let sample = match file.venues.sessions(&market.symbols()) {
        Some(calendar) => args.sample.clone().within(&calendar, start),
        None => args.sample.clone(),
    };
    let common = Common {
        market,
        file,
        seed: args.seed,
        lookahead_ns: args.lookahead,
        has_quotes: opened.has_quotes(),
        sample,
        start,
    };
    Ok(Prepared { common, variants, opened, first })
}

fn execute(
    args: &Simulate,
    file: Arc<StrategyFile>,
    place: Option<&Place>,
    context: &Context,
) -> anyhow::Result<Executed> {
    let Prepared { common, variants, mut opened, first } = prepare(args, file, context)?;
    let arguments = || std::env::args().skip(1).collect();
    let recorder = place.map(|place| Recorder::new(place, &common, &variants, arguments()));
    let mut recorder = recorder.transpose()?;
    let threads = if args.sweep.is_empty() { 1 } else { context.settings()?.threads().get() };
    let mut workers = Workers::new(&common, variants, threads)?;
    if let Some(recorder) = &recorder {
        workers.spill_to(recorder.keeper());
    }
    let known = common.market.instruments.len();
    let mut data = Data::default();
    // Who keeps neither a run nor a trial needs no digest of the data.
    let noted = (!args.no_run).then_some(&mut data);
    let is_cut = opened.drive((first, known), &mut workers, (noted, &mut recorder), context)?;
    let (results, driven) = workers.finish()?;
    Ok(Executed { common, opened, results, driven, data, recorder, is_cut })
}

fn variants(
    args: &Simulate,
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
