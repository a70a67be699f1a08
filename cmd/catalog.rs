//! `qt catalog`: what is in the catalog, and keeping it in shape.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use qt_model::record::Batch;
use qt_model::time::Ts;
use qt_stream::catalog::{self, PartitionStat, Selection};
use qt_stream::frame::Header;

use crate::catalog_sink::CatalogSink;
use crate::context::Context;
use crate::listing::{Cell, Table};
use crate::outcome::Outcome;
use crate::record::compact::{self, Compact};
use crate::select_args::SelectArgs;
use crate::stream_args::ReadArgs;
use crate::streams::{Rules, Sources};
use crate::write_args::WriteArgs;

/// Show and tend the catalog
#[derive(Debug, Args)]
pub(crate) struct Catalog {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List kinds and symbols with their days, rows and size
    Ls(Show),
    /// List each partition: files, rows, size, first and last time, grade
    Stat(Show),
    /// Add the records of streams
    Add(Add),
    /// Fold the files of each partition into one, sorted, without repetitions
    Compact(Compact),
}

#[derive(Debug, Args)]
struct Show {
    #[command(flatten)]
    select: SelectArgs,
}

#[derive(Debug, Args)]
struct Add {
    #[command(flatten)]
    read: ReadArgs,
    #[command(flatten)]
    write: WriteArgs,
}

pub(crate) fn run(args: Catalog, context: &mut Context) -> anyhow::Result<Outcome> {
    match args.action {
        Action::Ls(show) => list(&show, context),
        Action::Stat(show) => stat(&show, context),
        Action::Add(add) => self::add(&add, context),
        Action::Compact(compact) => compact::run(&compact, context),
    }
}

fn stats(show: &Show, context: &Context) -> anyhow::Result<Vec<PartitionStat>> {
    let catalog = catalog::Catalog::new(&context.settings()?.data());
    Ok(catalog.stat(&show.select.selection()?)?)
}

/// The partitions of one kind and symbol.
#[derive(Default)]
struct Series {
    days: u64,
    first: Option<Ts>,
    last: Option<Ts>,
    rows: u64,
    bytes: u64,
    grades: BTreeMap<String, u64>,
}

fn list(show: &Show, context: &Context) -> anyhow::Result<Outcome> {
    let mut all: BTreeMap<(&str, String), Series> = BTreeMap::new();
    for stat in stats(show, context)? {
        let symbol = stat.partition.symbol.as_ref().map_or("-".to_owned(), ToString::to_string);
        let series = all.entry((stat.partition.kind.name(), symbol)).or_default();
        series.days += 1;
        series.rows += stat.rows;
        series.bytes += stat.bytes;
        if let Some((first, last)) = stat.span {
            series.first = Some(series.first.map_or(first, |known| known.min(first)));
            series.last = Some(series.last.map_or(last, |known| known.max(last)));
        }
        *series.grades.entry(stat.grade.unwrap_or_else(|| "-".to_owned())).or_default() += 1;
    }
    let mut table =
        Table::new(&["kind", "symbol", "days", "first", "last", "rows", "size", "grade"]);
    for ((kind, symbol), series) in &all {
        let time = |ts: Option<Ts>| ts.map_or("-".to_owned(), |ts| ts.to_string());
        let grades: Vec<_> = series
            .grades
            .iter()
            .map(|(grade, days)| match series.grades.len() {
                1 => grade.clone(),
                _ => format!("{grade}:{days}"),
            })
            .collect();
        table.row([
            Cell::Text((*kind).to_owned()),
            Cell::Text(symbol.clone()),
            Cell::Number(series.days),
            Cell::Text(time(series.first)),
            Cell::Text(time(series.last)),
            Cell::Number(series.rows),
            Cell::Bytes(series.bytes),
            Cell::Text(grades.join(" ")),
        ]);
    }
    table.print(context)
}

fn stat(show: &Show, context: &Context) -> anyhow::Result<Outcome> {
    let columns = ["kind", "symbol", "date", "files", "rows", "size", "first", "last", "grade"];
    let mut table = Table::new(&columns);
    for stat in stats(show, context)? {
        let time = |ts: Option<Ts>| ts.map_or("-".to_owned(), |ts| ts.to_string());
        let (first, last) = stat.span.unzip();
        table.row([
            Cell::Text(stat.partition.kind.name().to_owned()),
            Cell::Text(stat.partition.symbol.as_ref().map_or("-".to_owned(), ToString::to_string)),
            Cell::Text(stat.partition.date.to_string()),
            Cell::Number(stat.files),
            Cell::Number(stat.rows),
            Cell::Bytes(stat.bytes),
            Cell::Text(time(first)),
            Cell::Text(time(last)),
            Cell::Text(stat.grade.unwrap_or_else(|| "-".to_owned())),
        ]);
    }
    table.print(context)
}

fn add(args: &Add, context: &Context) -> anyhow::Result<Outcome> {
    let rules = Rules::new(&args.read, context)?;
    let mut sources = Sources::default();
    let standard = [PathBuf::from("-")];
    let inputs = if args.read.input.is_empty() { &standard[..] } else { &args.read.input };
    for path in inputs {
        sources.open_named(path, &Selection::default(), &rules, context)?;
    }
    let mut header = Header::new(rules.options.universe.snapshot());
    header.provenance = sources.provenance();
    let mut reading = sources.merge(&rules);
    if args.write.dry_run {
        context.note(format_args!("would add {} inputs", inputs.len()));
        return Ok(Outcome::Done);
    }
    let mut sink = CatalogSink::open(&header, &args.write, context)?;
    let mut progress = context.progress("adding", None);
    let mut batch = Batch::default();
    while !context.shutdown().requested() && reading.next(&mut batch)? {
        sink.write(&batch)?;
        progress.tick(batch.len() as u64);
    }
    progress.finish();
    sink.finish(context)?;
    reading.conclude(&rules, context, reading.cut())
}
