//! The backtest driver: one pass over a stream, through any number of lanes.
//!
//! The venue lives in event time, the strategy in receive time; a [`window`] of bounded length lets
//! both be known. What all lanes share is kept once: the venue's public market, what a strategy
//! sees of it, and the features. Invariants: a strategy never sees a record before it is received;
//! lanes do not see each other; results depend on the records alone, not on batches or on which
//! lanes run side by side.

mod feed;
mod glide;
mod lag;
#[cfg(test)]
mod lag_tests;
mod lane;
mod met;
mod missed;
mod observer;
#[cfg(test)]
mod parity_tests;
mod pass;
mod quiet;
mod records;
#[cfg(test)]
mod sleep_tests;
mod sleepers;
mod stretch;
#[cfg(test)]
mod tests;
mod times;
mod window;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;

use qt_market::features::Engine;
use qt_model::instrument::Instruments;
use qt_model::record::ColumnView;
use qt_model::time::Ts;
use qt_trade::core::{Desk, Front, Strategy, TopFrom};

use crate::exchange::{Exchange, Latency, Market, Venues};

use lag::Lag;
use pass::Pass;
use records::Signals;
use sleepers::Sleepers;
use window::Window;
use wire::Wire;

pub use feed::Feed;
pub use lane::Lane;
pub use missed::{Heard, Marked, Missed, Part, Shown};
pub use observer::{AtVenue, Observer, Ours, Unwatched, follow};
pub use records::Records;

/// How far event times may lie behind receive times, by default.
pub const LOOKAHEAD_NS: i64 = 1_000_000_000;

/// How a stream is driven.
#[derive(Debug)]
pub struct DriverOptions {
    pub top: TopFrom,
    pub lookahead_ns: i64,
    /// What computes the features of all lanes; absent where the stream carries them.
    pub engine: Option<Engine>,
}

/// What was met on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Driven {
    pub records: u64,
    /// Records whose event time lay further back than the look-ahead.
    pub late: u64,
    pub first: Option<Ts>,
    pub last: Option<Ts>,
}

/// See the module.
#[derive(Debug)]
pub struct Driver<S, O> {
    window: Window,
    market: Market,
    front: Front,
    lag: Lag,
    engine: Option<Engine>,
    /// Features as columns, for batches that are columns.
    columns: Vec<Vec<f64>>,
    lanes: Vec<Lane<S, O>>,
    sleepers: Sleepers,
    driven: Driven,
}

/// One lane to be: a desk, its side of the venues and their terms, and who watches.
#[derive(Debug)]
pub struct LaneParts<'a, S, O> {
    pub desk: Desk<S>,
    pub exchange: Exchange,
    pub venues: &'a Venues,
    pub observer: O,
}

impl<S: Strategy, O: Observer> Driver<S, O> {
    pub fn new(
        instruments: &Arc<Instruments>,
        feed: Option<Latency>,
        options: DriverOptions,
    ) -> Self {
        let mut front = Front::new(Arc::clone(instruments), options.top);
        front.keep_books(false);
        Self {
            window: Window::new(options.lookahead_ns, feed),
            market: Market::new(instruments),
            front,
            lag: Lag::default(),
            engine: options.engine,
            columns: Vec::new(),
            lanes: Vec::new(),
            sleepers: Sleepers::default(),
            driven: Driven::default(),
        }
    }

    /// Adds a lane. All lanes draw the same delays for the same messages.
    pub fn add(&mut self, parts: LaneParts<'_, S, O>, seed: u64) {
        assert!(self.driven.records == 0, "lanes are added before the first record");
        if parts.desk.wants().levels {
            self.front.keep_books(true);
        }
        let mut wires = Vec::new();
        let mut known = BTreeMap::new();
        let wire_of = self.front.instruments().iter().map(|instrument| {
            let venue = instrument.symbol.venue();
            *known.entry(venue.to_owned()).or_insert_with(|| {
                let latency = parts.venues.of(venue).latency.clone();
                wires.push(Wire::new(Latency::new(latency, seed)));
                wires.len() - 1
            })
        });
        let wire_of = wire_of.collect();
        let lane = (parts.desk, parts.exchange, parts.observer);
        let lane = Lane::new(lane, wires, wire_of);
        self.sleepers.add(&lane);
        self.lanes.push(lane);
    }

    pub fn lanes(&self) -> &[Lane<S, O>] {
        &self.lanes
    }

    pub fn lanes_mut(&mut self) -> &mut [Lane<S, O>] {
        &mut self.lanes
    }

    pub fn front(&self) -> &Front {
        &self.front
    }

    pub fn driven(&self) -> Driven {
        Driven { late: self.window.late(), ..self.driven }
    }

    /// Takes the next batch of the stream and runs as far as can be known. A batch that is done
    /// with comes back, for its memory.
    pub fn push(&mut self, records: impl Into<Records>) -> Option<Records> {
        // Who is awake wants rows, and without features nobody sleeps. Columns do not say which rows of
        // features are warm.
        let takes_columns =
            |engine: &Engine| self.sleepers.are_any() && !engine.options().warm_only;
        let is_by_row = !self.engine.as_ref().is_some_and(takes_columns);
        let records = match records.into() {
            records if is_by_row => Records::Rows(records.to_batch()),
            records => records.sound(),
        };
        if self.driven.first.is_none() && !records.is_empty() {
            let first = records.ts_recv(0);
            self.driven.first = Some(first);
            for lane in &mut self.lanes {
                lane.start(first, &self.front);
            }
        }
        self.window.push(records);
        let mut done = None;
        while self.run_chunk() {
            done = self.window.pop();
        }
        done
    }

    /// Runs to the end of the stream, stops all strategies, and hands the lanes back.
    pub fn finish(mut self) -> (Vec<Lane<S, O>>, Driven) {
        self.window.end();
        while self.run_chunk() {
            self.window.pop();
        }
        let last = self.window.last();
        if self.driven.first.is_some() {
            for lane in &mut self.lanes {
                // What is still on its way when the data ends stays there: nobody knows what it
                // would have met.
                lane.advance(last.nanos(), true, &self.market, &self.front);
                lane.hear_out(&self.front);
                lane.stop(last, &self.front);
            }
            self.driven.last = Some(last);
        }
        let driven = self.driven();
        (self.lanes, driven)
    }

    /// Runs the first batch of the window through both clocks, if it is ready.
    fn run_chunk(&mut self) -> bool {
        let Self { window, market, front, lag, engine, columns, lanes, sleepers, driven } = self;
        let Some(chunk) = window.ready().cloned() else { return false };
        let signals = engine.as_mut().map(|engine| signals(engine, &chunk.records, columns));
        driven.records += chunk.records.len() as u64;
        let unseen = vec![None; front.instruments().len()];
        let soonest = i64::MIN;
        let chunk = &chunk;
        Pass { window, market, front, lag, lanes, sleepers, signals, chunk, unseen, soonest }.run();
        true
    }
}

/// The features of the records of a batch, in memory of the engine or in columns of ours.
fn signals<'a>(
    engine: &'a mut Engine,
    records: &Records,
    columns: &'a mut Vec<Vec<f64>>,
) -> Signals<'a> {
    match records {
        Records::Rows(batch) => Signals::Rows(engine.annotate(batch)),
        Records::Columns(table) => {
            columns.resize_with(engine.program().width(), Vec::new);
            let instruments = table.instruments();
            let marks = match table.view() {
                ColumnView::Quotes(quotes) => engine.quotes(&quotes, instruments, columns, 0),
                ColumnView::Bars(bars) => engine.bars(&bars, instruments, columns, 0),
            };
            Signals::Columns(columns, marks)
        }
    }
}
