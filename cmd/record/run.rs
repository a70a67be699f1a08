//! `qt record run`: what happens now, into the catalog.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use qt_live::recorder::{Acknowledged, Clock, Gauges, Mode, Place, Settings, Snapshot, Target};
use qt_model::record::{Batch, Kind};
use qt_stream::catalog::Selection;
use qt_stream::frame::Header;
use qt_stream::wal::DiskPolicy;

use super::live::{self, VenueArgs};
use crate::catalog_sink::raise;
use crate::context::Context;
use crate::failure::{Failure, FailureExt};
use crate::outcome::{Exit, Outcome};
use crate::problem::Problems;
use crate::select_args::now;
use crate::store_access as access;
use crate::stream_args::ReadArgs;
use crate::streams::{Rules, Sources};
use crate::toml_table::TomlTable;
use crate::toml_text::TomlText;

/// Record market data while it happens
///
/// Connects to a venue (`--venue`), or takes records from a stream (`--input FILE`, or `-` for standard
/// input), and puts them into the catalog so that nothing that was acknowledged is lost, however the
/// process ends. Messages of a venue are kept as they came, too, under raw/. SIGINT and SIGTERM write
/// all that is at hand before the command exits.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// File of settings, see docs/recording.md; what a flag says comes before what it says
    #[arg(value_name = "SETTINGS")]
    settings: Option<PathBuf>,
    #[command(flatten)]
    venue: VenueArgs,
    #[command(flatten)]
    read: ReadArgs,
    #[command(flatten)]
    recording: RecordingArgs,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Recording")]
pub(crate) struct RecordingArgs {
    /// Print a line for each batch of records once it is safe: table, first, count, place
    #[arg(long)]
    acks: bool,
    /// Road of market data into the catalog; direct unless said otherwise
    #[arg(long, value_name = "ROAD")]
    road: Option<Road>,
    /// What to do when the disk is full; halt unless said otherwise
    #[arg(long, value_name = "POLICY")]
    disk_full: Option<DiskFull>,
    /// Make parts of records that are so old; 30 unless said otherwise
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(PART_AGE_S))]
    part_age_s: Option<u32>,
    /// Make parts once there are so many records; 131072 unless said otherwise
    #[arg(long, value_name = "RECORDS", value_parser = clap::value_parser!(u32).range(PART_RECORDS))]
    part_records: Option<u32>,
    /// Where records go, comma-separated: catalog, clickhouse; the catalog, and the database where
    /// `clickhouse_url` names one, unless said otherwise
    #[arg(long, value_name = "TARGETS", value_delimiter = ',')]
    to: Vec<RecordTo>,
    /// Roads of single kinds.
    #[arg(skip)]
    roads: Vec<(Kind, Road)>,
}

const PART_AGE_S: RangeInclusive<i64> = 1..=3600;
const PART_RECORDS: RangeInclusive<i64> = 1..=4_194_304;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Road {
    /// Straight into parts of the catalog; the log is there for when that fails
    Direct,
    /// Into the log first: safe sooner, and more to write
    WalFirst,
}

impl Road {
    fn mode(self) -> Mode {
        match self {
            Self::Direct => Mode::Direct,
            Self::WalFirst => Mode::WalFirst,
        }
    }
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RecordTo {
    /// Parquet files below --data
    Catalog,
    /// The database of `clickhouse_url`
    Clickhouse,
}

impl RecordingArgs {
    /// Takes from a file of settings what no flag has said.
    fn fill(&mut self, file: &mut TomlTable<'_, '_>) {
        let (road, disk_full) = (file.choice("road"), file.choice("disk_full"));
        self.road = self.road.or(road);
        self.disk_full = self.disk_full.or(disk_full);
        let part_age_s = within(file, "part_age_s", &PART_AGE_S);
        self.part_age_s = self.part_age_s.or(part_age_s);
        let part_records = within(file, "part_records", &PART_RECORDS);
        self.part_records = self.part_records.or(part_records);
        let to = file.choices("to");
        if self.to.is_empty() {
            self.to = to.unwrap_or_default();
        }
    }

    /// Takes the places to record to.
    pub(crate) fn target(
        &self,
        provenance: &BTreeMap<String, String>,
        context: &Context,
    ) -> anyhow::Result<Target> {
        let settings = context.settings()?;
        let rows = settings.catalog_row_group_records() as usize;
        let target = Target::take(&settings.data(), provenance, rows).map_err(raise)?;
        let wants = |place| self.to.contains(&place);
        let database = match wants(RecordTo::Clickhouse) {
            true => Some(access::needed(settings)?),
            false if self.to.is_empty() => access::configured(settings)?,
            false => None,
        };
        let is_alone = wants(RecordTo::Clickhouse) && !wants(RecordTo::Catalog);
        Ok(match database {
            Some(database) => target.with_database(database, is_alone),
            None => target,
        })
    }

    /// The roads of single kinds, which no flag names.
    fn fill_roads(&mut self, mut roads: TomlTable<'_, '_>) {
        for kind in Kind::ALL {
            self.roads.extend(roads.choice(kind.name()).map(|road| (*kind, road)));
        }
        roads.finish();
    }

    pub(crate) fn settings(&self) -> Settings {
        let mut settings = Settings {
            policy: match self.disk_full.unwrap_or(DiskFull::Halt) {
                DiskFull::Halt => DiskPolicy::Halt,
                DiskFull::Degrade => DiskPolicy::Degrade,
                DiskFull::Drop => DiskPolicy::Drop,
            },
            ..Settings::default()
        };
        settings.writer.part_age_ns = i64::from(self.part_age_s.unwrap_or(30)) * 1_000_000_000;
        settings.writer.part_rows = self.part_records.unwrap_or(131_072) as usize;
        settings.load.linger_ns = settings.load.linger_ns.min(settings.writer.part_age_ns);
        if self.road == Some(Road::WalFirst) {
            settings.modes = Kind::ALL.iter().map(|kind| (*kind, Mode::WalFirst)).collect();
        }
        let own = self.roads.iter().map(|(kind, road)| (*kind, road.mode()));
        settings.modes.extend(own);
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
                Place::Store => "clickhouse",
                Place::StoreLog => "clickhouse-log",
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
    let (mut venue, mut recording) = (args.venue.clone(), args.recording.clone());
    if let Some(path) = &args.settings {
        fill(path, &mut venue, &mut recording)?;
    }
    match venue.venue {
        // A stream on the command line comes before the venue of a file.
        Some(name) if args.read.input.is_empty() => live::record(name, &venue, &recording, context),
        _ if !args.read.input.is_empty() => record_streams(&args.read, &recording, context),
        _ => {
            let hint =
                "`--venue binance --symbols BTCUSDT` records a venue, `--input FILE` a stream";
            Err(Failure::usage("nothing to record").with_hint(hint).into())
        }
    }
}

/// Takes what a file of settings says; all its mistakes at once.
fn fill(path: &Path, venue: &mut VenueArgs, recording: &mut RecordingArgs) -> anyhow::Result<()> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("reading {}", path.display()))
        .exit(Exit::Usage)?;
    let mut toml = TomlText::parse(path, &text);
    let document = toml.document();
    let mut file = TomlTable::new(&mut toml, "", document);
    venue.fill(&mut file);
    recording.fill(&mut file);
    let roads = file.table("roads");
    file.finish();
    if let Some(roads) = roads {
        recording.fill_roads(TomlTable::new(&mut toml, "roads.", roads));
    }
    Problems::some(toml.problems()).map_or(Ok(()), |problems| Err(problems.into()))
}

/// A whole number within a range.
fn within(file: &mut TomlTable<'_, '_>, key: &str, range: &RangeInclusive<i64>) -> Option<u32> {
    let expected = format!("a whole number from {} to {}", range.start(), range.end());
    file.value(key, &expected, |value| {
        let number: u32 = value.as_integer()?.as_str().parse().ok()?;
        range.contains(&i64::from(number)).then_some(number)
    })
}

fn record_streams(
    args: &ReadArgs,
    recording: &RecordingArgs,
    context: &Context,
) -> anyhow::Result<Outcome> {
    let rules = Rules::new(args, context)?;
    let mut sources = Sources::default();
    for path in &args.input {
        sources.open_named(path, &Selection::default(), &rules, context)?;
    }
    let mut header = Header::new(rules.options.universe.snapshot());
    header.provenance = sources.provenance();
    let clock = clock();
    let target = recording.target(&header.provenance, context)?;
    let gauges = target.gauges();
    let acks = recording.acks(context)?;
    let mut sinks =
        target.start(&recording.settings(), &clock, &gauges, acks).exit(Exit::Outside)?;
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
                    sinks.push_waiting(&batch, &clock).context("recording")?;
                    progress.tick(batch.len() as u64);
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
            }
            sinks.tick(clock()).context("recording")?;
        }
        reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    });
    sinks.finish(&clock).context("writing what is left")?;
    progress.finish();
    // What was read before an error is safe; the error is what the command ends with.
    read?;
    let outcome = conclude(&gauges, context);
    reading.conclude(&rules, context, reading.cut())?;
    Ok(outcome)
}

/// Says what was recorded and what was not.
pub(crate) fn conclude(gauges: &Gauges, context: &Context) -> Outcome {
    let seen = &gauges.counters.snapshot();
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
    let second = gauges.second.as_ref().map(|counters| counters.snapshot()).unwrap_or_default();
    let lost_there: u64 = second.dropped.iter().map(|(_, count)| count).sum();
    if lost_there > 0 {
        context
            .warn(format_args!("{lost_there} records did not go to the database for want of room"));
    }
    let waiting = second.spilled;
    if waiting > second.loaded {
        context.note(format_args!("some of them wait in the log of the database"));
    }
    if lost + lost_there > 0 || *refused > 0 { Outcome::Incomplete } else { Outcome::Done }
}
