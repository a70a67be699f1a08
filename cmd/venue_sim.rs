//! `qt venue-sim`: a venue of our own on the loopback.

use std::time::Duration;

use clap::{Args, ValueEnum};
use qt_model::record::Batch;
use qt_venue::binance::Market;
use qt_venue::binance::sim::{Faults, Options, Pace, Sim, feed};

use crate::context::Context;
use crate::failure::{Failure, FailureExt};
use crate::outcome::{Exit, Outcome};
use crate::select_args::SelectArgs;
use crate::stream_args::ReadArgs;
use crate::streams::{Rules, Sources};

/// Be a venue on this machine, from any stream
///
/// Speaks the market data protocol of Binance spot and USD-M futures on the loopback: REST
/// (/api/v3 and /fapi/v1: depth, exchangeInfo, time, ping) and websockets (/ws, /stream; for futures
/// also /public and /market). The stream comes from the catalog, from the files of --input or from a
/// pipe. The address is printed as one line of JSON once the port is open.
#[derive(Debug, Args)]
pub(crate) struct VenueSim {
    /// Port to listen on; 0 takes any that is free
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    port: u16,
    /// Market of instruments whose venue is not one of Binance's
    #[arg(long, value_name = "MARKET", default_value = "spot")]
    market: MarketName,
    /// Pace: `max`, `realtime` or a multiple such as `10x`
    #[arg(long, value_name = "PACE", default_value = "realtime")]
    speed: String,
    /// Hold the stream while fewer streams than this are subscribed; 0 never holds it
    #[arg(long, value_name = "STREAMS", default_value_t = 1)]
    await_streams: usize,
    /// Hold the stream also until so many books were asked for, anew after each cut
    #[arg(long, value_name = "BOOKS", default_value_t = 0)]
    await_books: u64,
    /// Leave out each depth update of that number
    #[arg(long, value_name = "UPDATES")]
    gap_every: Option<u64>,
    /// Send each depth update of that number twice
    #[arg(long, value_name = "UPDATES")]
    duplicate_every: Option<u64>,
    /// Send each depth update of that number behind the next one
    #[arg(long, value_name = "UPDATES")]
    reorder_every: Option<u64>,
    /// Cut all connections behind each message of that number
    #[arg(long, value_name = "MESSAGES")]
    disconnect_every: Option<u64>,
    /// Ping clients so often, in place of what the market does
    #[arg(long, value_name = "MILLISECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    ping_ms: Option<u32>,
    /// End with the stream, once clients have what was sent to them
    #[arg(long)]
    exit: bool,
    #[command(flatten)]
    select: SelectArgs,
    #[command(flatten)]
    read: ReadArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum MarketName {
    Spot,
    Usdm,
}

impl VenueSim {
    fn options(&self) -> Result<Options, Failure> {
        let pace = match self.speed.as_str() {
            "max" => Some(Pace::Max),
            "realtime" => Some(Pace::Times(1.0)),
            text => text
                .strip_suffix('x')
                .and_then(|factor| factor.parse::<f64>().ok())
                .filter(|factor| factor.is_finite() && *factor > 0.0)
                .map(Pace::Times),
        };
        let pace = pace.ok_or_else(|| {
            let expected = "expected max, realtime or a multiple such as 10x";
            Failure::usage(format!("--speed {}: {expected}", self.speed))
        })?;
        Ok(Options {
            port: self.port,
            market: match self.market {
                MarketName::Spot => Market::Spot,
                MarketName::Usdm => Market::UsdM,
            },
            pace,
            await_streams: self.await_streams,
            await_books: self.await_books,
            faults: Faults {
                gap_every: self.gap_every,
                duplicate_every: self.duplicate_every,
                reorder_every: self.reorder_every,
                disconnect_every: self.disconnect_every,
            },
            ping: self.ping_ms.map(|ms| Duration::from_millis(ms.into())),
            exit: self.exit,
        })
    }
}

pub(crate) fn run(args: VenueSim, context: &mut Context) -> anyhow::Result<Outcome> {
    let options = args.options()?;
    let selection = args.select.selection()?;
    let rules = Rules::new(&args.read, context)?;
    let mut sources = Sources::default();
    sources.open_selected(&args.read.input, &selection, &rules, context)?;
    let instruments = rules.options.universe.snapshot();
    let mut reading = sources.merge(&rules);
    let sim = Sim::bind(options).exit(Exit::Outside)?;
    let address = sim.address()?;
    let line = serde_json::json!({
        "address": address.to_string(),
        "rest": format!("http://{address}"),
        "ws": format!("ws://{address}"),
    });
    context.print(format!("{line}\n"))?;
    let (feeder, batches) = feed();
    let context = &*context;
    let (told, read) = std::thread::scope(|scope| {
        let reader = scope.spawn(move || {
            let mut batch = Batch::default();
            while !context.shutdown().requested() && reading.next(&mut batch)? {
                let mut wanted = Batch::new(std::sync::Arc::clone(batch.instruments()));
                for record in batch.iter() {
                    let symbol = record.head().instrument;
                    let symbol = symbol.map(|id| &batch.instruments().get(id).symbol);
                    if selection.span.contains(record.head().ts_recv)
                        && selection.wants_kind(record.kind())
                        && selection.wants_symbol(symbol)
                    {
                        wanted.push(record);
                    }
                }
                if !feeder.send(wanted) {
                    break;
                }
            }
            anyhow::Ok(reading)
        });
        let told = sim.run(&instruments, batches, || context.shutdown().requested());
        (told, reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    let told = told.exit(Exit::Outside)?;
    let (records, clients) = (told.records, told.connections);
    context.note(format_args!("{records} records told to {clients} connections"));
    let reading = read?;
    reading.conclude(&rules, context, reading.cut())
}
