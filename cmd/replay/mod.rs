//! `qt replay`: history in order.

mod cursor;
mod pace;
mod player;
mod verify;

use std::path::Path;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use qt_model::record::{Batch, Record};
use qt_stream::braid::Braid;
use qt_stream::catalog::Selection;

use crate::choice::OutputFormat;
use crate::context::Context;
use crate::failure::{Failure, FailureExt};
use crate::outcome::{Exit, Outcome};
use crate::select_args::SelectArgs;
use crate::stream_args::StreamArgs;
use crate::streams::{Reading, Rules, Sources};
use crate::write_args::WriteArgs;
use cursor::Cursor;
use pace::Pace;

/// Play history back in order
///
/// Reads the catalog, or the files of --input, merges everything in the total order (ts_recv, venue,
/// kind, symbol, seq) and writes one stream. Memory does not grow with the length of the stream.
///
/// `qt replay verify` replays the same selection several times, whole, in batches of 1, 100 and 10000
/// records and resumed at cursors, and compares the records: exit code 0 if they are equal, 1 if not.
#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// `verify` checks that the selection replays the same way every time
    #[arg(value_enum)]
    mode: Option<Mode>,
    #[command(flatten)]
    select: SelectArgs,
    /// Pace: `max`, `realtime` or a multiple such as `10x`
    #[arg(long, value_name = "PACE")]
    speed: Option<String>,
    /// Go on behind the place of this cursor, which an `end` record carries
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
    #[command(flatten)]
    stream: StreamArgs,
    #[command(flatten)]
    write: WriteArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Mode {
    Verify,
}

pub(crate) fn run(args: Replay, context: &mut Context) -> anyhow::Result<Outcome> {
    let plan = Plan::new(&args, context)?;
    match args.mode {
        Some(Mode::Verify) => verify::run(&args, &plan, context),
        None => play(&args, plan, context),
    }
}

/// What is to be replayed.
#[derive(Clone, Debug)]
struct Plan {
    selection: Selection,
    cursor: Option<Cursor>,
}

impl Plan {
    fn new(args: &Replay, context: &Context) -> anyhow::Result<Self> {
        let mut selection = args.select.selection()?;
        let cursor = args.cursor.as_deref().map(Cursor::parse).transpose().exit(Exit::Usage)?;
        if let Some(cursor) = &cursor {
            // Files that end before the cursor need not be opened.
            selection.span.from = selection.span.from.max(cursor.ts_recv());
        }
        context.settings()?;
        Ok(Self { selection, cursor })
    }

    /// Opens what the selection touches.
    fn open(&self, args: &Replay, rules: &Rules, context: &Context) -> anyhow::Result<Sources> {
        let mut sources = Sources::default();
        sources.open_selected(&args.stream.read.input, &self.selection, rules, context)?;
        Ok(sources)
    }

    /// Whether a record belongs to the selection. `behind` says whether its cause did.
    fn wants(&self, record: &Record<'_>, batch: &Batch, behind: &mut bool) -> bool {
        let instruments = batch.instruments();
        if let Some(cursor) = &self.cursor {
            *behind = cursor.is_before(record, instruments, *behind);
            if !*behind {
                return false;
            }
        }
        self.selection.wants_record(record, instruments)
    }

    /// Whether every record of the sources is wanted, so that batches pass as they are.
    fn is_open(&self, args: &Replay) -> bool {
        // Files of a catalog are chosen by kind and symbol and trimmed to the range.
        let is_trimmed = args.stream.read.input.is_empty();
        let is_everything = self.selection.kinds.is_none()
            && self.selection.symbols.is_empty()
            && self.selection.span == qt_stream::parquet_file::Span::ALL;
        self.cursor.is_none() && (is_trimmed || is_everything)
    }
}

fn play(args: &Replay, plan: Plan, context: &Context) -> anyhow::Result<Outcome> {
    let speed = args.speed.as_deref().unwrap_or(context.settings()?.replay_speed());
    let pace = Pace::parse(speed).ok_or_else(|| {
        Failure::usage(format!("--speed {speed}: expected max, realtime or a multiple such as 10x"))
    })?;
    let rules = Rules::new(&args.stream.read, context)?;
    let sources = plan.open(args, &rules, context)?;
    if args.write.dry_run {
        context.note(format_args!("would merge {} inputs", sources.count()));
        return Ok(Outcome::Done);
    }
    // Columns that nobody looks into need not become rows on their way to columns.
    let is_arrow = args.stream.to.format(context.settings()?) == OutputFormat::Arrow;
    if is_arrow && pace.is_free() && plan.is_open(args) && sources.are_columns() {
        player::play::<Braid>(args, (plan, pace), (sources, rules), context)
    } else {
        player::play::<Batch>(args, (plan, pace), (sources, rules), context)
    }
}

/// Opens the selection anew, with batches of another size or behind another cursor.
fn reopen(
    args: &Replay,
    plan: &Plan,
    batch_records: usize,
    context: &Context,
) -> anyhow::Result<Reading> {
    let mut rules = Rules::new(&args.stream.read, context)?;
    rules.options.batch_records = batch_records;
    if let Some(path) = args.stream.read.input.iter().find(|path| path.as_path() == Path::new("-"))
    {
        let refusal = Failure::usage(format!("{}: a pipe cannot be read twice", path.display()));
        return Err(refusal.with_hint("`qt replay verify` needs files or the catalog").into());
    }
    let sources = plan.open(args, &rules, context).context("opening the selection again")?;
    Ok(sources.merge(&rules))
}
