//! `qt record run`: what happens now, into the catalog.

use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use qt_live::recorder::{Acknowledged, Clock, Counters, Mode, Place, Settings, Snapshot, Target};
use qt_model::record::{Batch, Kind};
use qt_stream::frame::Header;
use qt_stream::parquet_file::Span;
use qt_stream::wal::DiskPolicy;

use super::live::{self, VenueArgs};
use crate::catalog_sink::raise;
use crate::context::Context;
use crate::failure::{Failure, FailureExt};
use crate::outcome::{Exit, Outcome};
use crate::select_args::now;
use crate::stream_args::ReadArgs;
use crate::streams::{Rules, Sources, cli_input};

/// Record market data while it happens
///
/// Connects to a venue (`--venue`), or takes records from a stream (`--input FILE`, or `-` for standard
/// input), and puts them into the catalog so that nothing that was acknowledged is lost, however the
/// process ends. Messages of a venue are kept as they came, too, under raw/. SIGINT and SIGTERM write
/// all that is at hand before the command exits.
#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    venue: VenueArgs,
    #[command(flatten)]
    read: ReadArgs,
    #[command(flatten)]
    recording: RecordingArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Recording")]
pub(crate) struct RecordingArgs {
    /// Print a line for each batch of records once it is safe: table, first, count, place
    #[arg(long)]
    acks: bool,
    /// Road of market data into the catalog
    #[arg(long, value_name = "ROAD", default_value = "direct")]
    road: Road,
    /// What to do when the disk is full
    #[arg(long, value_name = "POLICY", default_value = "halt")]
    disk_full: DiskFull,
    /// Make parts of records that are so old
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3600))]
    part_age_s: u32,
    /// Make parts once there are so many records
    #[arg(long, value_name = "RECORDS", default_value_t = 131_072, value_parser = clap::value_parser!(u32).range(1..=4_194_304))]
    part_records: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Road {
    /// Straight into parts of the catalog; the log is there for when that fails
    Direct,
    /// Into the log first: safe sooner, and more to write
    WalFirst,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DiskFull {
    /// Stop recording
    Halt,
    /// Drop market data and keep orders, fills and the rest
    Degrade,
    /// Drop everything, and count it
    Drop,
}

impl RecordingArgs {
    pub(crate) fn settings(&self) -> Settings {
        let mut settings = Settings {
            policy: match self.disk_full {
                DiskFull::Halt => DiskPolicy::Halt,
                DiskFull::Degrade => DiskPolicy::Degrade,
                DiskFull::Drop => DiskPolicy::Drop,
            },
            ..Settings::default()
        };
        settings.writer.part_age_ns = i64::from(self.part_age_s) * 1_000_000_000;
        settings.writer.part_rows = self.part_records as usize;
        settings.load.linger_ns = settings.load.linger_ns.min(settings.writer.part_age_ns);
        if self.road == Road::WalFirst {
            settings.modes = Kind::ALL.iter().map(|kind| (*kind, Mode::WalFirst)).collect();
        }
        settings
    }

    /// Prints acknowledgements, if they are wanted.
    pub(crate) fn acks(
        &self,
        context: &Context,
    ) -> anyhow::Result<impl FnMut(Acknowledged) + use<>> {
        let mut out = if self.acks { Some(context.stdout()?) } else { None };
        Ok(move |ack: Acknowledged| {
            let Acknowledged { table, first, count, place } = ack;
            let place = match place {
                Place::Catalog => "catalog",
                Place::Log => "log",
            };
            if let Some(out) = &mut out {
                let line = serde_json::json!({
                    "table": table.name(), "first": first, "count": count, "place": place,
                });
                // Whoever asked for these lines may go; the recording goes on.
                let _ = writeln!(out, "{line}").and_then(|()| out.flush());
            }
        })
    }
}

pub(crate) fn clock() -> Clock {
    Arc::new(now)
}

pub(crate) fn run(args: &Run, context: &mut Context) -> anyhow::Result<Outcome> {
    if let Some(venue) = args.venue.venue {
        return live::record(venue, &args.venue, &args.recording, context);
    }
    if args.read.input.is_empty() {
        let failure = Failure::usage("nothing to record");
        let hint = "`--venue binance --symbols BTCUSDT` records a venue, `--input FILE` a stream";
        return Err(failure.with_hint(hint).into());
    }
    record_streams(args, &args.read.input, context)
}

fn record_streams(args: &Run, inputs: &[PathBuf], context: &Context) -> anyhow::Result<Outcome> {
    let rules = Rules::new(&args.read, context)?;
    let mut sources = Sources::default();
    for path in inputs {
        sources.open(cli_input(path, context)?, Span::ALL, &rules)?;
    }
    let mut header = Header::new(rules.options.universe.snapshot());
    header.provenance = sources.provenance();
    let settings = context.settings()?;
    let root = settings.data();
    let rows = settings.catalog_row_group_records() as usize;
    let (clock, counters) = (clock(), Arc::new(Counters::default()));
    let target = Target::take(&root, &header.provenance, rows).map_err(raise)?;
    let acks = args.recording.acks(context)?;
    let mut pipeline = target
        .start(&root, &args.recording.settings(), &clock, &counters, acks)
        .exit(Exit::Outside)?;
    let mut reading = sources.merge(&rules);
    let mut progress = context.progress("recording", None);
    let read = thread::scope(|scope| {
        // A pipe may be silent for long, and what came before must not wait for it.
        let (sender, batches) = mpsc::sync_channel(4);
        let reader = scope.spawn(|| {
            let sender = sender;
            let mut batch = Batch::default();
            while !context.shutdown().requested() && reading.next(&mut batch)? {
                if sender.send(std::mem::take(&mut batch)).is_err() {
                    break;
                }
            }
            anyhow::Ok(())
        });
        loop {
            match batches.recv_timeout(Duration::from_millis(100)) {
                Ok(batch) => {
                    pipeline.push_waiting(&batch, &clock).context("recording")?;
                    progress.tick(batch.len() as u64);
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
            }
            pipeline.tick(clock()).context("recording")?;
        }
        reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    });
    pipeline.finish(&clock).context("writing what is left")?;
    progress.finish();
    // What was read before an error is safe; the error is what the command ends with.
    read?;
    let outcome = conclude(&counters.snapshot(), context);
    reading.conclude(&rules, context, reading.cut())?;
    Ok(outcome)
}

/// Says what was recorded and what was not.
pub(crate) fn conclude(seen: &Snapshot, context: &Context) -> Outcome {
    let Snapshot { received, acknowledged, refused, .. } = seen;
    context.note(format_args!("{received} records came, {acknowledged} are safe"));
    let dropped: u64 = seen.dropped.iter().map(|(_, count)| count).sum();
    let lost = dropped + seen.frames_dropped;
    if *refused > 0 {
        context
            .warn(format_args!("{refused} records were refused; `qt record dlq list` shows them"));
    }
    if lost > 0 {
        context.warn(format_args!("{lost} records or messages were dropped for want of room"));
    }
    if lost > 0 || *refused > 0 { Outcome::Incomplete } else { Outcome::Done }
}
