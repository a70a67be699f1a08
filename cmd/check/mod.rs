//! `qt check`: can this data be trusted?

mod junit;
mod rules_file;
mod sarif;
mod show;
mod verdict;

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use qt_market::check::{Day, Found, Report, Rule, Tally};
use qt_market::merge::OrderRule;
use qt_model::record::{Batch, Kind};
use qt_model::time::Ts;
use qt_model::words::Severity;
use qt_store::{Address, Judged};
use qt_stream::catalog::{Catalog, Selection, WriterLock};
use qt_stream::parquet_file::Span;
use qt_stream::tolerance::Tolerance;

use crate::context::Context;
use crate::failure::Failure;
use crate::listing::{Cell, Table};
use crate::outcome::Outcome;
use crate::select_args::SelectArgs;
use crate::store_access as access;
use crate::stream_args::ReadArgs;
use crate::streams::{Given, Rules, Sources, open_given};
use rules_file::RulesFile;
use show::Shape;

/// Judge data: what is missing, impossible, doubtful or odd in it
///
/// Reads the files of --input; the catalog, where a range or --catalog asks for it; else
/// standard input, and the catalog if that is a terminal. Each finding sums up one rule for one
/// instrument. Exit code 0: nothing at or above the severity of --fail-on; 1: something; 3: the
/// data cannot be read to its end.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// List the rules with their severities and thresholds
    #[arg(long)]
    list: bool,
    /// Severities, thresholds and the calendar, as TOML
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// The mildest finding that fails
    #[arg(long, value_name = "SEVERITY")]
    fail_on: Option<Gate>,
    /// The form of the findings; --json is the same as `ndjson`
    #[arg(long, value_name = "FORM", default_value = "table")]
    report: Shape,
    /// Note the grade of each day in the catalog, or in the database that is the one --input
    #[arg(long)]
    grade: bool,
    /// Check the catalog even where standard input could be read
    #[arg(long, conflicts_with = "input")]
    catalog: bool,
    #[command(flatten)]
    select: SelectArgs,
    #[command(flatten)]
    read: ReadArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Gate {
    Info,
    Warning,
    Error,
    Critical,
}

impl From<Gate> for Severity {
    fn from(gate: Gate) -> Self {
        match gate {
            Gate::Info => Self::Info,
            Gate::Warning => Self::Warning,
            Gate::Error => Self::Error,
            Gate::Critical => Self::Critical,
        }
    }
}

pub(crate) fn run(args: Check, context: &mut Context) -> anyhow::Result<Outcome> {
    let file = match &args.rules {
        Some(path) => RulesFile::read(path)?,
        None => RulesFile::default(),
    };
    if args.list {
        return list(&file, context);
    }
    let gate = args.fail_on.map(Severity::from).or(file.fail_on).unwrap_or(Severity::Error);
    let selection = args.select.selection()?;
    let database = if args.grade { graded_database(&args.read.input, context)? } else { None };
    let (report, place, failure) = examine(&args, &selection, &file, context)?;
    if args.grade && failure.is_none() {
        match &database {
            Some(store) => tell_grades(&report, store, context)?,
            None => note_grades(&report, &selection, context)?,
        }
    }
    let shape = if context.json() { Shape::Ndjson } else { args.report };
    context.print(show::text(&report, &place, shape, gate, context.paint())?)?;
    match failure {
        Some(failure) => Err(failure),
        None if report.violates(gate) => Ok(Outcome::No),
        None => Ok(Outcome::Done),
    }
}

/// Reads everything, or as far as it can be read.
fn examine(
    args: &Check,
    selection: &Selection,
    file: &RulesFile,
    context: &Context,
) -> anyhow::Result<(Report, String, Option<anyhow::Error>)> {
    let mut rules = Rules::new(&args.read, context)?;
    // Disorder and unreadable records are findings, not ends.
    rules.order = OrderRule::Warn;
    rules.allow_bad_data = true;
    if args.read.bad.quarantine().is_none() {
        rules.options.tolerance = Tolerance::skip();
    }
    let mut sources = Sources::default();
    let flags =
        (&args.read, &args.select, args.catalog || args.grade && args.read.input.is_empty());
    let Given { place, is_whole } = open_given(&mut sources, flags, selection, &rules, context)?;
    let mut checker = file.checker(selection.span)?;
    let mut reading = sources.merge(&rules);
    let mut progress = context.progress("checking", None);
    let mut batch = Batch::default();
    let failure = loop {
        if context.shutdown().requested() {
            break None;
        }
        let seen = reading.visit(&mut batch, |batch, places| match is_whole {
            true => checker.range(batch, places),
            false => selected(batch, places, selection, |places| checker.range(batch, places)),
        });
        match seen {
            Ok(0) => break reading.cut().map(anyhow::Error::new),
            Ok(seen) => progress.tick(seen as u64),
            Err(error) => break Some(error),
        }
    };
    progress.finish();
    let span = (selection.span != Span::ALL).then_some((selection.span.from, selection.span.to));
    let span = span.filter(|(from, to)| *from != Ts::MIN && *to != Ts::MAX);
    let mut report = checker.finish(span, &rules.options.universe.snapshot());
    unreadable(&mut report, &rules, file, failure.as_ref());
    Ok((report, place, failure))
}

/// The database whose days are to be graded, where it is not the catalog's.
fn graded_database(
    inputs: &[PathBuf],
    context: &Context,
) -> anyhow::Result<Option<Arc<qt_store::Store>>> {
    let refused = || {
        let failure = Failure::usage("--grade has nowhere to note the grades of files");
        failure
            .with_hint("without --input it grades the catalog, with one clickhouse:// the database")
    };
    match inputs {
        [] => Ok(None),
        [one] => {
            let text = one.to_str().filter(|text| Address::is_meant(text)).ok_or_else(refused)?;
            access::of_input(text, context.settings()?).map(Some)
        }
        _ => Err(refused().into()),
    }
}

/// Tells the database the grades of its days.
fn tell_grades(report: &Report, store: &qt_store::Store, context: &Context) -> anyhow::Result<()> {
    let judged = |day: &Day| Judged {
        venue: day.venue.clone(),
        date: day.date,
        grade: day.grade.graded.grade,
    };
    let judged: Vec<Judged> = report.days.iter().map(judged).collect();
    store.set_grades(&judged)?;
    context.note(format_args!("{} grades noted in {}", judged.len(), store.name()));
    Ok(())
}

/// Writes the grades of days into the notes of their partitions.
fn note_grades(report: &Report, selection: &Selection, context: &Context) -> anyhow::Result<()> {
    let root = context.settings()?.data();
    let catalog = Catalog::new(&root);
    let lock = WriterLock::take(&root)?;
    let mut noted = 0;
    for partition in catalog.partitions(selection).context("reading the catalog")? {
        let Some(symbol) = &partition.symbol else { continue };
        let is_of = |day: &&Day| day.venue == symbol.venue() && day.date == partition.date;
        let Some(day) = report.days.iter().find(is_of) else { continue };
        let grade = day.grade.graded.grade.to_string();
        let changed = catalog.set_grade(&lock, &partition, &grade);
        noted += u64::from(changed.context("noting a grade in the catalog")?);
    }
    context.note(format_args!("{noted} grades noted"));
    Ok(())
}

/// Picks the wanted records out of a run, neighbours together.
fn selected(
    batch: &Batch,
    places: Range<usize>,
    selection: &Selection,
    mut look: impl FnMut(Range<usize>),
) {
    let mut wanted = places.start..places.start;
    for at in places {
        if !selection.wants_record(&batch.get(at), batch.instruments()) {
            continue;
        }
        if wanted.end < at {
            look(std::mem::replace(&mut wanted, at..at));
        }
        wanted.end = at + 1;
    }
    look(wanted);
}

/// Adds what the readers could not read.
fn unreadable(
    report: &mut Report,
    rules: &Rules,
    file: &RulesFile,
    failure: Option<&anyhow::Error>,
) {
    let skipped = rules.options.tolerance.skipped();
    let count = skipped + u64::from(failure.is_some());
    let limit = file.common().get(Rule::Unreadable);
    let Some(severity) = limit.severity.filter(|_| count > 0) else { return };
    let first = rules.options.tolerance.first();
    let detail = first
        .map(|first| format!("the first: {first}"))
        .or_else(|| failure.map(|error| format!("{error:#}")));
    let never = Ts::from_nanos(0);
    let tally = Tally { count, first: never, last: never, worst: 0, worst_at: never };
    report.findings.insert(
        0,
        Found {
            rule: Rule::Unreadable,
            severity,
            exceeds: count > limit.allow,
            instrument: None,
            symbol: None,
            kind: Kind::Other,
            tally,
            detail,
        },
    );
}

fn list(file: &RulesFile, context: &Context) -> anyhow::Result<Outcome> {
    let mut table = Table::new(&["rule", "severity", "allow", "threshold", "meaning"]);
    for rule in Rule::ALL {
        let limit = file.common().get(*rule);
        let severity = limit.severity.map_or("off".to_owned(), |severity| severity.to_string());
        let threshold = rule.threshold().map_or("-".to_owned(), |threshold| {
            format!(
                "{} = {}",
                threshold.key,
                rules_file::threshold_text(threshold, limit.threshold)
            )
        });
        table.row([
            Cell::Text(rule.name().to_owned()),
            Cell::Text(severity),
            Cell::Number(limit.allow),
            Cell::Text(threshold),
            Cell::Text(rule.doc().to_owned()),
        ]);
    }
    table.print(context)
}
