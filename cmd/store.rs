//! `qt store`: what is in ClickHouse, and keeping it in shape.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use qt_live::recorder::Target;
use qt_model::record::{Batch, Kind};
use qt_model::words::Word;
use qt_store::Day;
use qt_stream::catalog::Selection;

use crate::catalog_sink::raise;
use crate::context::Context;
use crate::failure::FailureExt;
use crate::listing::{Cell, Table};
use crate::outcome::{Exit, Outcome};
use crate::select_args::{SelectArgs, now};
use crate::store_access as access;
use crate::store_sink::StoreSink;
use crate::stream_args::ReadArgs;
use crate::streams::{Rules, Sources};

/// Show and tend the records in ClickHouse
///
/// The database is that of `clickhouse_url`. Every command that reads streams takes it as an input, too:
/// `--input clickhouse://`.
#[derive(Debug, Args)]
pub(crate) struct Store {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make the database and its tables, those that are missing, and compare the others
    Create(Create),
    /// List kinds and symbols with their days and rows
    Ls(Show),
    /// List each day of a series: rows, first and last time, grade
    Stat(Show),
    /// Add the records of streams; what was added before is recognised
    Add(Add),
    /// Bring in what a recorder left in the log, and the grades of its days, as the next recorder would
    Load(Load),
    /// Say what each table keeps, and let go of what is older
    Retention(Retention),
}

#[derive(Debug, Args)]
struct Create {
    /// Print the statements, and ask nobody
    #[arg(long)]
    dry_run: bool,
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
    /// Say what would be added, and add nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Args)]
struct Load {}

/// Say what each table keeps, and let go of what is older
///
/// The tables do this by themselves: each has a TTL, counted from the day on which a record was loaded.
/// --apply sets the TTL of a table anew and has it carried out now, rather than with the next merge.
#[derive(Debug, Args)]
struct Retention {
    /// Let go now; without it nothing is touched
    #[arg(long)]
    apply: bool,
}

pub(crate) fn run(args: Store, context: &mut Context) -> anyhow::Result<Outcome> {
    match args.action {
        Action::Create(args) => create(&args, context),
        Action::Ls(show) => list(&show, context),
        Action::Stat(show) => stat(&show, context),
        Action::Add(add) => self::add(&add, context),
        Action::Load(Load {}) => load(context),
        Action::Retention(args) => retention(&args, context),
    }
}

fn create(args: &Create, context: &Context) -> anyhow::Result<Outcome> {
    let store = access::needed(context.settings()?)?;
    if args.dry_run {
        let statements = store.statements();
        context.print(statements.iter().map(|text| format!("{text};\n\n")).collect::<String>())?;
        return Ok(Outcome::Done);
    }
    store.create()?;
    context.note(format_args!("{} has its tables", store.name()));
    Ok(Outcome::Done)
}

/// The days of a selection.
fn days(show: &Show, context: &Context) -> anyhow::Result<Vec<Day>> {
    let store = access::needed(context.settings()?)?;
    let selection = show.select.selection()?;
    store.check()?;
    let kinds = kinds_of(&selection);
    let mut days = store.days(&kinds, selection.span.from, selection.span.to)?;
    days.retain(|day| selection.wants_symbol(day.symbol.as_ref()));
    Ok(days)
}

fn kinds_of(selection: &Selection) -> Vec<Kind> {
    Kind::ALL.iter().copied().filter(|kind| selection.wants_kind(*kind)).collect()
}

fn symbol_of(day: &Day) -> String {
    day.symbol.as_ref().map_or("-".to_owned(), ToString::to_string)
}

fn list(show: &Show, context: &Context) -> anyhow::Result<Outcome> {
    let mut all: BTreeMap<(Kind, String), Vec<Day>> = BTreeMap::new();
    for day in days(show, context)? {
        all.entry((day.kind, symbol_of(&day))).or_default().push(day);
    }
    let mut table = Table::new(&["kind", "symbol", "days", "first", "last", "rows"]);
    for ((kind, symbol), days) in all {
        let time = |ts: Option<qt_model::time::Ts>| ts.map_or("-".to_owned(), |ts| ts.to_string());
        table.row([
            Cell::Text(kind.name().to_owned()),
            Cell::Text(symbol),
            Cell::Number(days.len() as u64),
            Cell::Text(time(days.iter().map(|day| day.first).min())),
            Cell::Text(time(days.iter().map(|day| day.last).max())),
            Cell::Number(days.iter().map(|day| day.rows).sum()),
        ]);
    }
    table.print(context)
}

fn stat(show: &Show, context: &Context) -> anyhow::Result<Outcome> {
    let mut table = Table::new(&["kind", "symbol", "date", "rows", "first", "last", "grade"]);
    let (span, days) = (show.select.selection()?.span, days(show, context)?);
    let grades = access::needed(context.settings()?)?.grades(span.from, span.to)?;
    for day in days {
        let grade = grades.of(day.kind, day.symbol.as_ref(), day.date).map_or("-", Word::word);
        table.row([
            Cell::Text(day.kind.name().to_owned()),
            Cell::Text(symbol_of(&day)),
            Cell::Text(day.date.to_string()),
            Cell::Number(day.rows),
            Cell::Text(day.first.to_string()),
            Cell::Text(day.last.to_string()),
            Cell::Text(grade.to_owned()),
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
    let mut reading = sources.merge(&rules);
    if args.dry_run {
        context.note(format_args!("would add {} inputs", inputs.len()));
        return Ok(Outcome::Done);
    }
    let mut sink = StoreSink::open(context)?;
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

fn load(context: &Context) -> anyhow::Result<Outcome> {
    let settings = context.settings()?;
    let store = access::needed(settings)?;
    store.prepare()?;
    let rows = settings.catalog_row_group_records() as usize;
    let target = Target::take(&settings.data(), &Default::default(), rows).map_err(raise)?;
    let target = target.with_database(store, true);
    let loaded = target.load_database(now()).exit(Exit::Outside)?;
    let graded = target.tell_grades().exit(Exit::Outside)?;
    let (rows, files) = (loaded.rows, loaded.files);
    context.note(format_args!("{rows} records of {files} files came from the log"));
    context.note(format_args!("{graded} days of venues are graded"));
    for (file, reason) in &loaded.corrupt {
        context.warn(format_args!("{file} makes no sense and was put aside: {reason}"));
    }
    Ok(if loaded.corrupt.is_empty() { Outcome::Done } else { Outcome::Incomplete })
}

fn retention(args: &Retention, context: &Context) -> anyhow::Result<Outcome> {
    let store = access::needed(context.settings()?)?;
    store.check()?;
    let mut table = Table::new(&["kind", "kept_days", "rows", "size", "expired", "ttl"]);
    for expiry in store.expiry()? {
        if args.apply && (expiry.expired > 0 || !expiry.has_ttl) {
            store.expire(expiry.kind)?;
            let due = expiry.expired;
            context.note(format_args!("{}: {due} records were due", expiry.kind.name()));
        }
        table.row([
            Cell::Text(expiry.kind.name().to_owned()),
            Cell::Number(u64::from(expiry.kept_days.unsigned_abs())),
            Cell::Number(expiry.rows),
            Cell::Bytes(expiry.bytes),
            Cell::Number(expiry.expired),
            Cell::Text(if expiry.has_ttl { "yes" } else { "no" }.to_owned()),
        ]);
    }
    if !args.apply {
        context.note("the tables let go of old records by themselves; --apply has it done now");
    }
    table.print(context)
}
