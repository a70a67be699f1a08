//! The part of `qt record run` that talks to venues.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use qt_live::recorder::{Recorder, RunError, metrics};
use qt_stream::frame::Header;
use qt_venue::binance::Market;
use qt_venue::session::{Endpoints, Feed, FeedKind, Limits, Trust};

use super::run::{RecordingArgs, clock, conclude};
use crate::context::Context;
use crate::failure::{Failure, FailureExt};
use crate::outcome::{Exit, Outcome};
use crate::select_args::now;
use crate::toml_table::TomlTable;
use crate::trust;

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Venue")]
pub(crate) struct VenueArgs {
    /// Venue to record
    #[arg(long, value_name = "VENUE", conflicts_with = "input")]
    pub(crate) venue: Option<VenueName>,
    /// Instruments by their names at the venue, comma-separated, such as BTCUSDT,ETHUSDT
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    symbols: Vec<String>,
    /// What to record of each, comma-separated; trade,depth,quote unless said otherwise
    #[arg(long, value_name = "STREAMS", value_delimiter = ',')]
    streams: Vec<StreamName>,
    /// Root of the venue's REST addresses, in place of the real one
    #[arg(long, value_name = "URL")]
    rest_url: Option<String>,
    /// Root of the venue's websocket addresses, in place of the real one
    #[arg(long, value_name = "URL")]
    ws_url: Option<String>,
    /// Do not keep messages as they came
    #[arg(long)]
    no_raw: bool,
    /// Answer GET /metrics at this address of the loopback, such as 127.0.0.1:9464; port 0 is printed
    #[arg(long, value_name = "ADDRESS")]
    metrics: Option<SocketAddr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum VenueName {
    Binance,
    BinanceUsdm,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum StreamName {
    Trade,
    Depth,
    Quote,
    /// Mark prices and funding, of futures
    Mark,
}

impl VenueArgs {
    /// Takes from a file of settings what no flag has said.
    pub(super) fn fill(&mut self, file: &mut TomlTable<'_, '_>) {
        let venue = file.choice("venue");
        self.venue = self.venue.or(venue);
        let symbols = file.texts("symbols", "a list of names of the venue");
        if self.symbols.is_empty() {
            self.symbols = symbols.unwrap_or_default();
        }
        let streams = file.choices("streams");
        if self.streams.is_empty() {
            self.streams = streams.unwrap_or_default();
        }
        let mut url = |key| file.text(key, "an address in quotes").map(|(url, _)| url);
        let (rest_url, ws_url) = (url("rest_url"), url("ws_url"));
        self.rest_url = self.rest_url.take().or(rest_url);
        self.ws_url = self.ws_url.take().or(ws_url);
        self.no_raw |= file.flag("raw") == Some(false);
        let address = "an address such as \"127.0.0.1:9464\"";
        let metrics = file.value("metrics", address, |value| value.as_str()?.parse().ok());
        self.metrics = self.metrics.or(metrics);
    }

    fn feed(&self, venue: VenueName, trust: Trust) -> Result<Feed, Failure> {
        let market = match venue {
            VenueName::Binance => Market::Spot,
            VenueName::BinanceUsdm => Market::UsdM,
        };
        let mut endpoints = Endpoints::of(market);
        if let Some(url) = &self.rest_url {
            endpoints.rest.clone_from(url);
        }
        if let Some(url) = &self.ws_url {
            endpoints.ws.clone_from(url);
        }
        if self.symbols.is_empty() {
            let failure = Failure::usage("no instruments to record");
            return Err(failure.with_hint("`--symbols BTCUSDT,ETHUSDT` names them"));
        }
        let mut kinds = Vec::new();
        let usual = [StreamName::Trade, StreamName::Depth, StreamName::Quote];
        let streams = if self.streams.is_empty() { &usual[..] } else { &self.streams };
        for stream in streams {
            kinds.push(match stream {
                StreamName::Trade => FeedKind::Trade,
                StreamName::Depth => FeedKind::Depth,
                StreamName::Quote => FeedKind::Quote,
                StreamName::Mark if market == Market::Spot => {
                    let failure = Failure::usage("--streams mark: spot has no mark price");
                    return Err(failure.with_hint("`--venue binance-usdm` has"));
                }
                StreamName::Mark => FeedKind::Mark,
            });
        }
        kinds.sort_unstable();
        kinds.dedup();
        let mut symbols: Vec<String> =
            self.symbols.iter().map(|name| name.to_uppercase()).collect();
        symbols.sort();
        symbols.dedup();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        match symbols.iter().find(|name| name.is_empty() || !name.chars().all(is_plain)) {
            None => Ok(Feed { market, symbols, kinds, endpoints, trust }),
            Some(odd) => Err(Failure::usage(format!("--symbols `{odd}`: not a name of the venue"))
                .with_hint("names have no venue in front: BTCUSDT, not binance:BTCUSDT")),
        }
    }
}

pub(crate) fn record(
    venue: VenueName,
    args: &VenueArgs,
    recording: &RecordingArgs,
    context: &Context,
) -> anyhow::Result<Outcome> {
    let settings = context.settings()?;
    let feed = args.feed(venue, trust::configured(settings)?)?;
    let root = settings.data();
    let provenance = Header::new(Arc::default())
        .with_provenance("source", "record")
        .with_provenance("venue", feed.market.venue())
        .provenance;
    let target = recording.target(&provenance, context)?;
    let watcher =
        args.metrics.map(metrics::bind).transpose().context("--metrics").exit(Exit::Usage)?;
    if let Some(watcher) = &watcher {
        let address = watcher.local_addr()?;
        context.note(format_args!("metrics at http://{address}/metrics"));
    }
    context.note(format_args!(
        "recording {} instruments of {} to {}",
        feed.symbols.len(),
        feed.market.venue(),
        root.display()
    ));
    let recorder = Recorder {
        feed,
        limits: Limits::default(),
        settings: recording.settings(),
        raw: !args.no_raw,
    };
    let (gauges, clock) = (target.gauges(), clock());
    let acks = recording.acks(context)?;
    let is_over = AtomicBool::new(false);
    let ran = thread::scope(|scope| {
        if let Some(watcher) = &watcher {
            let (root, gauges, is_over) = (&root, &gauges, &is_over);
            scope.spawn(move || {
                let page = || metrics::page(root, gauges, now());
                metrics::serve(watcher, page, || is_over.load(Ordering::Relaxed))
            });
        }
        let stop = || context.shutdown().requested();
        let ran = recorder.run(&root, &target, &gauges, &clock, acks, stop);
        is_over.store(true, Ordering::Relaxed);
        ran
    });
    let outcome = conclude(&gauges, context);
    match ran {
        Ok(()) => Ok(outcome),
        Err(error @ RunError::Clock { .. }) => {
            Err(error).hint("set the clock right; records from the future would stand in the way")
        }
        Err(error) => Err(error).exit(Exit::Outside),
    }
}
