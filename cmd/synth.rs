//! `qt synth`: a synthetic market from a seed.

use clap::{Args, ValueEnum};
use qt_model::record::{Batch, Kind, Source};
use qt_model::time::DAY_NANOS;
use qt_sim::synth::{Config, Faults, Market, Spec};
use qt_stream::frame::{End, Header};

use crate::catalog_sink::CatalogSink;
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::select_args::{instant, now};
use crate::store_sink::StoreSink;
use crate::stream_args::OutputArgs;
use crate::streams::Sink;
use crate::write_args::WriteArgs;

/// Make a synthetic market from a seed
///
/// Writes instruments, order book snapshots and changes, quotes and trades as a venue would publish
/// them, with a feed delay. The same seed gives the same bytes on every machine.
#[derive(Debug, Args)]
pub(crate) struct Synth {
    /// Seed of all randomness
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Instruments: symbols, comma-separated, or how many; by default the built-in four
    #[arg(long, value_name = "SYMBOLS")]
    symbols: Option<String>,
    /// First instant: RFC 3339, a day, or back from now such as -2d
    #[arg(long, value_name = "TIME", default_value = "2024-01-01", allow_hyphen_values = true)]
    start: String,
    /// Hours of market, decimals allowed; without --events the default is 1
    #[arg(long, value_name = "HOURS")]
    hours: Option<String>,
    /// Stop after this many records
    #[arg(long, value_name = "RECORDS")]
    events: Option<u64>,
    /// Faults, comma-separated: gaps, duplicates, reorder, crossed, stale, clock-skew
    #[arg(long, value_name = "FAULTS")]
    faults: Option<String>,
    /// Write to the catalog in place of a stream
    #[arg(long, value_name = "TARGET", conflicts_with_all = ["output", "out"])]
    to: Option<Target>,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    write: WriteArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Target {
    /// The catalog of --data
    Catalog,
    /// The database of `clickhouse_url`
    Clickhouse,
}

pub(crate) fn run(args: Synth, context: &mut Context) -> anyhow::Result<Outcome> {
    let config = config(&args)?;
    let mut market = Market::new(&config).map_err(|error| Failure::usage(error.to_string()))?;
    let kinds =
        [Kind::Gap, Kind::InstrumentRow, Kind::Status, Kind::Trade, Kind::Depth, Kind::Quote];
    let header = Header::new(std::sync::Arc::clone(market.instruments()))
        .with_kinds(kinds)
        .with_provenance("source", "synth")
        .with_provenance("seed", args.seed.to_string())
        .with_provenance("faults", config.faults.to_string());
    if args.write.dry_run {
        let count = market.instruments().len();
        context.note(format_args!("would write a market of {count} instruments"));
        return Ok(Outcome::Done);
    }
    let mut progress = context.progress("synthesising", args.events);
    let mut batch = Batch::default();
    let mut next = |batch: &mut Batch| match market.next(batch) {
        Ok(more) => more && !context.shutdown().requested(),
        Err(never) => match never {},
    };
    if args.to == Some(Target::Catalog) {
        let mut sink = CatalogSink::open(&header, &args.write, context)?;
        while next(&mut batch) {
            sink.write(&batch)?;
            progress.tick(batch.len() as u64);
        }
        progress.finish();
        sink.finish(context)?;
        return Ok(Outcome::Done);
    }
    if args.to == Some(Target::Clickhouse) {
        let mut sink = StoreSink::open(context)?;
        while next(&mut batch) {
            sink.write(&batch)?;
            progress.tick(batch.len() as u64);
        }
        progress.finish();
        sink.finish(context)?;
        return Ok(Outcome::Done);
    }
    let mut sink = Sink::open(&args.output, &args.write, &header, context)?;
    while next(&mut batch) {
        sink.write(&batch)?;
        progress.tick(batch.len() as u64);
    }
    progress.finish();
    let stopped = context.shutdown().requested().then(|| "signal".to_owned());
    sink.finish(End { stopped, ..End::default() })?;
    Ok(Outcome::Done)
}

fn config(args: &Synth) -> Result<Config, Failure> {
    let start = instant(&args.start, now()).ok_or_else(|| {
        Failure::usage(format!("--start {}: expected a time such as 2024-08-08", args.start))
    })?;
    let faults: Faults = match &args.faults {
        Some(text) => text.parse().map_err(|error| Failure::usage(format!("--faults: {error}")))?,
        None => Faults::default(),
    };
    let duration_ns = match (&args.hours, args.events) {
        (Some(text), _) => Some(hours(text)?),
        (None, Some(_)) => None,
        (None, None) => Some(DAY_NANOS / 24),
    };
    let mut config = Config {
        seed: args.seed,
        start,
        faults,
        duration_ns,
        events: args.events,
        ..Config::default()
    };
    if let Some(text) = &args.symbols {
        config.instruments = instruments(text)?;
    }
    Ok(config)
}

fn instruments(text: &str) -> Result<Vec<Spec>, Failure> {
    if let Ok(count) = text.parse() {
        return Ok(Spec::many(count));
    }
    let named = |name: &str| {
        Spec::named(name).map_err(|error| Failure::usage(format!("--symbols: {error}")))
    };
    text.split(',').map(str::trim).map(named).collect()
}

/// Hours as exact decimals: a quarter of an hour is 0.25.
fn hours(text: &str) -> Result<i64, Failure> {
    let scale = qt_model::units::Scale::new(9).expect("nine is a scale");
    let billionths =
        qt_model::decimal::parse(text.as_bytes(), scale).ok().filter(|hours| *hours > 0);
    let nanos = billionths.and_then(|billionths| billionths.checked_mul(3_600));
    nanos.ok_or_else(|| {
        Failure::usage(format!("--hours {text}: expected a number above zero such as 1 or 0.25"))
    })
}
