//! `qt record import`: files that others write, into the catalog or a stream.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use qt_model::record::{Batch, Kind};
use qt_model::time::Date;
use qt_model::units::Scale;
use qt_stream::frame::{End, Header};
use qt_stream::import::{Hints, Notes};
use qt_stream::read::Options;

use super::flow::Flow;
use super::inputs::Inputs;
use super::recognise::Chosen;
use crate::catalog_sink::CatalogSink;
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::store_sink::StoreSink;
use crate::stream_args::{BadRecordArgs, OutputArgs};
use crate::streams::{Sink, tolerance, warn_of_skipped};
use crate::write_args::WriteArgs;

/// Import files of vendors and venues
///
/// Reads files, folders and zip archives in formats that `qt record formats` lists, and writes their
/// records to the catalog; with --output, --out or --to stream it writes a stream instead. A folder is
/// walked in the order of names. Several files become one stream in the order of receive times.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// Files, folders and archives to import; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Format of the files, as `qt record formats` lists them
    #[arg(long, value_name = "NAME", default_value = "auto")]
    format: String,
    /// Venue of the instruments, in place of the one that the file names
    #[arg(long, value_name = "VENUE")]
    venue: Option<String>,
    /// Name of the instrument at its venue, where the file holds one
    #[arg(long, value_name = "NAME")]
    symbol: Option<String>,
    /// Day of files whose times are of the day only
    #[arg(long, value_name = "YYYY-MM-DD")]
    date: Option<String>,
    /// Decimals of prices; by default as many as the file needs
    #[arg(long, value_name = "DIGITS")]
    px_scale: Option<u8>,
    /// Decimals of sizes; by default as many as the file needs
    #[arg(long, value_name = "DIGITS")]
    qty_scale: Option<u8>,
    /// Round numbers with more decimals than --px-scale or --qty-scale, half to even, and say how many
    #[arg(long)]
    round: bool,
    /// IANA zone of local times, such as America/New_York
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// What the columns of a file mean, for files of no known format
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// Keep only records of these kinds, comma-separated
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    kinds: Vec<String>,
    /// Where records go
    #[arg(long, value_name = "TARGET")]
    to: Option<Target>,
    /// Accept a file that was cut off
    #[arg(long)]
    allow_truncated: bool,
    #[command(flatten)]
    bad: BadRecordArgs,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    write: WriteArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Target {
    /// The catalog of --data
    Catalog,
    /// Standard output, or the file of --out
    Stream,
    /// The database of `clickhouse_url`
    Clickhouse,
}

pub(super) fn run(args: &Import, context: &mut Context) -> anyhow::Result<Outcome> {
    let hints = args.hints()?;
    let kinds = args.kinds()?;
    let settings = context.settings()?;
    let options = Options {
        tolerance: tolerance(&args.bad, settings)?,
        allow_truncated: args.allow_truncated,
        batch_records: settings.stream_batch_records() as usize,
        ..Options::default()
    };
    let target = args.target()?;
    let chosen = Chosen::new(&args.format, &hints)?;
    let inputs = Inputs::find(&args.files, chosen, &hints, &options, context)?;
    if args.write.dry_run {
        inputs.describe(context);
        tell(&inputs.notes, context);
        return Ok(Outcome::Done);
    }
    let total = inputs.bytes()?;
    let provenance = inputs.provenance()?;
    let notes = inputs.notes.clone();
    let meter = inputs.meter.clone();
    let mut flow = Flow::open(inputs, &hints, &options)?;
    let mut header = Header::new(options.universe.snapshot());
    header.provenance = provenance;
    if !kinds.is_empty() {
        header = header.with_kinds(kinds.iter().copied());
    }
    let mut out = match target {
        Target::Catalog => {
            Out::Catalog(Box::new(CatalogSink::open(&header, &args.write, context)?))
        }
        Target::Clickhouse => Out::Store(Box::new(StoreSink::open(context)?)),
        Target::Stream => {
            Out::Stream(Box::new(Sink::open(&args.output, &args.write, &header, context)?))
        }
    };
    let mut progress = context.progress("importing", total);
    meter.take();
    let (mut batch, mut kept) = (Batch::default(), Batch::default());
    while !context.shutdown().requested() && flow.next(&mut batch)? {
        out.write(only(&kinds, &batch, &mut kept))?;
        progress.tick(meter.take());
    }
    progress.finish();
    let stopped = context.shutdown().requested().then(|| "signal".to_owned());
    out.finish(End { stopped, skipped: options.tolerance.skipped(), ..End::default() }, context)?;
    tell(&notes, context);
    warn_of_skipped(&options.tolerance, context);
    flow.cut().map_or(Ok(Outcome::Done), |cut| Err(cut.into()))
}

/// Says what was left out, and how what was unclear was read.
fn tell(notes: &Notes, context: &Context) {
    for (note, records) in notes.all() {
        match records {
            0 => context.note(format_args!("{note}")),
            records => context.note(format_args!("{records} {note}")),
        }
    }
}

/// The records of some kinds; all of them where none is named.
fn only<'a>(kinds: &[Kind], batch: &'a Batch, kept: &'a mut Batch) -> &'a Batch {
    if kinds.is_empty() {
        return batch;
    }
    kept.clear();
    kept.set_instruments(std::sync::Arc::clone(batch.instruments()));
    batch.iter().filter(|record| kinds.contains(&record.kind())).for_each(|it| kept.push(it));
    kept
}

enum Out {
    Catalog(Box<CatalogSink>),
    Stream(Box<Sink>),
    Store(Box<StoreSink>),
}

impl Out {
    fn write(&mut self, batch: &Batch) -> anyhow::Result<()> {
        match self {
            Self::Catalog(sink) => sink.write(batch),
            Self::Stream(sink) => sink.write(batch),
            Self::Store(sink) => sink.write(batch),
        }
    }

    fn finish(self, closing: End, context: &Context) -> anyhow::Result<()> {
        match self {
            Self::Catalog(sink) => sink.finish(context).map(|_| ()),
            Self::Stream(sink) => sink.finish(closing).map(|_| ()),
            Self::Store(sink) => sink.finish(context),
        }
    }
}

impl Import {
    fn target(&self) -> Result<Target, Failure> {
        match (self.to, self.output.is_given()) {
            (Some(Target::Catalog | Target::Clickhouse), true) => {
                let failure = Failure::usage("--to catalog or clickhouse writes no stream");
                Err(failure.with_hint("leave out --to, or --output and --out"))
            }
            (Some(target), _) => Ok(target),
            (None, true) => Ok(Target::Stream),
            (None, false) => Ok(Target::Catalog),
        }
    }

    fn hints(&self) -> Result<Hints, Failure> {
        let scale = |flag: &str, digits: Option<u8>| {
            let scale = digits.map(Scale::new).transpose();
            scale.map_err(|error| Failure::usage(format!("{flag}: {error}")))
        };
        let date = self.date.as_deref().map(Date::parse).transpose();
        let date = date.map_err(|_| Failure::usage("--date: expected a day such as 2024-08-08"))?;
        Ok(Hints {
            venue: self.venue.clone(),
            symbol: self.symbol.clone(),
            date,
            px_scale: scale("--px-scale", self.px_scale)?,
            qty_scale: scale("--qty-scale", self.qty_scale)?,
            round: self.round,
            zone: self.zone.clone(),
            map: self.map.clone(),
        })
    }

    fn kinds(&self) -> Result<Vec<Kind>, Failure> {
        self.kinds.iter().map(|name| crate::select_args::kind(name)).collect()
    }
}
