//! A synthetic market: seed in, records out, the same on every machine.
//!
//! Each instrument is a generator of its own, seeded by the seed and its symbol, so adding one
//! does not change the others. A generator keeps an order book in whole ticks and lots, and says
//! of every happening what a venue would: trades, the changed levels, the new touch. Of all
//! records, 60 to 67 % are depth (mostly of one to three levels), 8 to 12 % trades, the rest quotes.
//!
//! Invariants: the stream is in total order (`ts_recv`, venue, kind, name, sequence), with faults
//! too; without faults the book never crosses, update ids have no hole, and snapshot plus deltas
//! give each quote. Memory does not grow with the number of records. Absent on purpose: floats
//! for prices and sizes, and any impact of a reader's own orders.

mod arrivals;
mod book;
mod climate;
mod config;
mod fault;
mod feed;
mod flow;
mod group;
mod ladder;
mod latency;
mod merge;
mod rhythm;
mod spec;
mod tables;
mod trouble;

#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::sync::Arc;

use qt_model::ids::InstrumentId;
use qt_model::instrument::Instruments;
use qt_model::record::{Batch, Source};

pub use self::config::{Config, ConfigError, DEPTH_LEVELS_MAX, DEPTH_LEVELS_MIN, INSTRUMENTS_MAX};
pub use self::fault::{Fault, FaultError, Faults};
pub use self::latency::Latency;
pub use self::spec::Spec;

use self::feed::Feed;
use self::merge::{Queue, Rank};
use self::tables::Tables;

/// All instruments of a configuration, merged into one stream.
#[derive(Clone, Debug)]
pub struct Market {
    instruments: Arc<Instruments>,
    tables: Tables,
    feeds: Vec<Feed>,
    queue: Queue,
    end_ns: i64,
    records_left: u64,
    batch_records: usize,
}

impl Market {
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        config.check()?;
        let end_ns = config.end_ns()?;
        let tables = Tables::new();
        let (instruments, ids) = declare(config);
        let ranks = ranks(&instruments);
        let feeds: Vec<_> = config
            .instruments
            .iter()
            .zip(ids)
            .map(|(spec, id)| Feed::new(spec, config, id, ranks[id.index()], &tables))
            .collect();
        let mut queue = Queue::default();
        for (at, feed) in feeds.iter().enumerate() {
            // What begins after the end has nothing to say.
            if let Some(key) = feed.key().filter(|_| feed.group.recv_ns < end_ns) {
                queue.push(key, at as u32);
            }
        }
        Ok(Self {
            instruments: Arc::new(instruments),
            tables,
            feeds,
            queue,
            end_ns,
            records_left: config.events.unwrap_or(u64::MAX),
            batch_records: config.batch_records,
        })
    }

    pub fn instruments(&self) -> &Arc<Instruments> {
        &self.instruments
    }

    /// Lets the feed on top speak until another's turn or until the batch holds `room` records.
    #[inline]
    fn speak(&mut self, at: usize, room: usize, batch: &mut Batch) {
        let runner_up = self.queue.runner_up();
        let feed = &mut self.feeds[at];
        loop {
            feed.emit(batch);
            if feed.group.next_kind().is_none() {
                feed.advance(&self.tables);
                if feed.group.recv_ns >= self.end_ns {
                    return self.queue.pop_top();
                }
            }
            let key = feed.key().expect("a new group has a record");
            if batch.len() == room || runner_up.is_some_and(|other| other < key) {
                return self.queue.replace_top(key);
            }
        }
    }
}

impl Source for Market {
    type Error = Infallible;

    fn next(&mut self, batch: &mut Batch) -> Result<bool, Infallible> {
        batch.clear();
        if !Arc::ptr_eq(batch.instruments(), &self.instruments) {
            batch.set_instruments(Arc::clone(&self.instruments));
        }
        let left = usize::try_from(self.records_left).unwrap_or(usize::MAX);
        let room = self.batch_records.min(left);
        while batch.len() < room {
            let Some(at) = self.queue.top() else { break };
            self.speak(at, room, batch);
        }
        self.records_left -= batch.len() as u64;
        Ok(!batch.is_empty())
    }
}

fn declare(config: &Config) -> (Instruments, Vec<InstrumentId>) {
    let mut instruments = Instruments::default();
    let declare = |spec: &Spec| {
        let declared = instruments.declare(spec.instrument().clone());
        declared.expect("ten thousand instruments fit into a table")
    };
    let ids = config.instruments.iter().map(declare).collect();
    (instruments, ids)
}

/// The rank of each instrument, by id.
fn ranks(instruments: &Instruments) -> Vec<Rank> {
    let mut ids: Vec<_> = instruments.by_symbol().map(|(id, _)| id).collect();
    ids.sort_unstable_by(|a, b| instruments.compare(*a, *b));
    let mut ranks = vec![Rank { venue: 0, name: 0 }; ids.len()];
    let (mut venue, mut last) = (0, None);
    for (name, id) in ids.into_iter().enumerate() {
        let text = instruments.get(id).symbol.venue();
        venue += u16::from(last.is_some_and(|last| last != text));
        last = Some(text);
        ranks[id.index()] = Rank { venue, name: name as u32 };
    }
    ranks
}
