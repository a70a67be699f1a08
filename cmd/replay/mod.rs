//! `qt replay`: history in order.

mod cursor;
mod pace;
mod verify;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use qt_market::order::Key;
use qt_model::record::{Batch, Record};
use qt_stream::catalog::Selection;
use qt_stream::frame::End;

use crate::context::Context;
use crate::failure::{Failure, FailureExt};
use crate::outcome::{Exit, Outcome};
use crate::progress::Progress;
use crate::select_args::SelectArgs;
use crate::stream_args::StreamArgs;
use crate::streams::{Reading, Rules, Sink, Sources};
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
    let is_nothing = sources.is_empty();
    let mut header = sources.header(&plan.selection);
    if args.write.dry_run {
        context.note(format_args!("would merge {} inputs", sources.count()));
        return Ok(Outcome::Done);
    }
    let mut reading = sources.merge(&rules);
    // Streams without a header show their instruments with their first records.
    let mut first = Batch::default();
    let more = reading.next(&mut first)?;
    header.instruments = rules.instruments(&plan.selection);
    let sink = Sink::open(&args.stream.to, &args.write, &header, context)?;
    let mut player = Player {
        is_open: plan.is_open(args),
        plan,
        pace,
        sink,
        limit: args.stream.limit.unwrap_or(u64::MAX),
        written: 0,
        behind: false,
        last: None,
        progress: context.progress("replaying", None),
        kept: Batch::default(),
        context,
    };
    let stopped = if more { player.play(first, &mut reading)? } else { None };
    player.finish(&reading, &rules, stopped, is_nothing)
}

/// A replay under way.
struct Player<'a> {
    plan: Plan,
    pace: Pace,
    sink: Sink,
    limit: u64,
    written: u64,
    /// Whether every record of the inputs is wanted.
    is_open: bool,
    /// Whether the last record lay behind the cursor.
    behind: bool,
    /// The place of the last record written.
    last: Option<Cursor>,
    progress: Progress,
    kept: Batch,
    context: &'a Context,
}

impl Player<'_> {
    /// Plays to the end, the limit or a signal; says which if it is not the end.
    fn play(
        &mut self,
        mut batch: Batch,
        reading: &mut Reading,
    ) -> anyhow::Result<Option<&'static str>> {
        loop {
            if self.context.shutdown().requested() {
                return Ok(Some("signal"));
            }
            if self.written >= self.limit {
                return Ok(Some("limit"));
            }
            let left = self.limit - self.written;
            if self.is_open && self.pace.is_free() && batch.len() as u64 <= left {
                self.hand_on(&batch)?;
            } else if let Some(stopped) = self.sift(&batch)? {
                return Ok(Some(stopped));
            }
            if !reading.next(&mut batch)? {
                return Ok(None);
            }
        }
    }

    fn hand_on(&mut self, batch: &Batch) -> anyhow::Result<()> {
        self.sink.write(batch)?;
        self.written += batch.len() as u64;
        self.progress.tick(batch.len() as u64);
        if let Some(at) = batch.len().checked_sub(1) {
            self.last = Some(Cursor::at(&Key::of(&batch.get(at)), batch.instruments()));
        }
        Ok(())
    }

    /// Picks the wanted records of a batch and hands them on when they are due.
    fn sift(&mut self, batch: &Batch) -> anyhow::Result<Option<&'static str>> {
        let mut kept = std::mem::take(&mut self.kept);
        kept.clear();
        kept.set_instruments(Arc::clone(batch.instruments()));
        let mut stopped = None;
        for record in batch.iter() {
            if self.written + kept.len() as u64 >= self.limit {
                stopped = Some("limit");
                break;
            }
            if !self.is_open && !self.plan.wants(&record, batch, &mut self.behind) {
                continue;
            }
            if let Some(wait) = self.pace.wait(record.head().ts_recv) {
                self.hand_on(&kept)?;
                kept.clear();
                self.sink.flush()?;
                pace::sleep(wait, self.context.shutdown());
                if self.context.shutdown().requested() {
                    stopped = Some("signal");
                    break;
                }
            }
            kept.push(record);
        }
        self.hand_on(&kept)?;
        if !self.pace.is_free() {
            self.sink.flush()?;
        }
        self.kept = kept;
        Ok(stopped)
    }

    fn finish(
        self,
        reading: &Reading,
        rules: &Rules,
        stopped: Option<&str>,
        is_nothing: bool,
    ) -> anyhow::Result<Outcome> {
        let Self { sink, last, progress, context, written, .. } = self;
        progress.finish();
        let skipped = rules.options.tolerance.skipped();
        let cut = reading.cut().filter(|_| stopped.is_none());
        let end = End {
            skipped,
            stopped: stopped
                .map(str::to_owned)
                .or(cut.as_ref().map(|_| "truncated input".to_owned())),
            cursor: last.map(|cursor| cursor.text()),
            ..End::default()
        };
        sink.finish(end)?;
        let outcome = reading.conclude(rules, context, cut)?;
        if is_nothing && written == 0 {
            context.warn("nothing in the catalog matches; `qt catalog ls` shows what is there");
            return Ok(Outcome::Incomplete);
        }
        Ok(outcome)
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
