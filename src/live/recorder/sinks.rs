//! One recorder, one or two stores: a pipeline each, with a log each, so that neither waits for the other.

use std::io;
use std::sync::Arc;

use qt_model::record::Batch;
use qt_model::time::Ts;

use super::condition::Condition;
use super::counters::Counters;
use super::pipeline::{Clock, Pipeline};
use super::probe::{Probe, Probing};

/// What the sinks of a recorder count. The first sink counts beside what the recorder does itself.
#[derive(Clone, Debug, Default)]
pub struct Gauges {
    pub counters: Arc<Counters>,
    /// Since when the recorder is in its condition.
    pub condition: Arc<Condition>,
    /// Of the database, where it is the second sink.
    pub second: Option<Arc<Counters>>,
    /// Whether the database answers, where there is one.
    pub probe: Option<Arc<Probe>>,
}

/// The pipelines of a recorder.
#[derive(Debug)]
pub struct Sinks {
    sinks: Vec<Pipeline>,
    _probing: Option<Probing>,
}

impl Sinks {
    pub(super) fn new(sinks: Vec<Pipeline>, probing: Option<Probing>) -> Self {
        Self { sinks, _probing: probing }
    }

    pub fn push(&mut self, batch: &Batch, now: Ts) -> io::Result<()> {
        self.sinks.iter_mut().try_for_each(|sink| sink.push(batch, now))
    }

    /// Takes records of a source that can wait: nothing is dropped.
    pub fn push_waiting(&mut self, batch: &Batch, clock: &Clock) -> io::Result<()> {
        self.sinks.iter_mut().try_for_each(|sink| sink.push_waiting(batch, clock))
    }

    pub fn tick(&mut self, now: Ts) -> io::Result<()> {
        self.sinks.iter_mut().try_for_each(|sink| sink.tick(now))
    }

    /// Whether so many rows fit without anything giving way.
    pub fn has_room(&self, rows: usize) -> bool {
        self.sinks.iter().all(|sink| sink.has_room(rows))
    }

    /// Hands everything on. All sinks are finished, whatever happens to one of them.
    pub fn finish(self, clock: &Clock) -> io::Result<()> {
        let finished: Vec<_> = self.sinks.into_iter().map(|sink| sink.finish(clock)).collect();
        finished.into_iter().collect()
    }
}
