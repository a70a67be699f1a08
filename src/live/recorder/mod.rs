//! Records into the catalog while they happen, without losing what was acknowledged.
//!
//! `push` puts records into a buffer per table ([`buffers`]); full or old buffers go through an inbox
//! of bounded size to one thread that does all writing ([`writer`]): market data to parts of the
//! catalog, orders and fills to the log first. A record is acknowledged once it is in a part or in a
//! file of the log. A database may stand beside the catalog or in its place, as a sink of its own
//! ([`sinks`]). Invariants: `push` never waits; what it drops is counted by table and stands in
//! the quality ledger; fills and orders are never dropped.
//! Absent on purpose: order between tables, which reading restores.

mod buffers;
mod capture;
mod condition;
mod counters;
mod errand;
mod inbox;
mod judgement;
pub mod ledger;
pub mod metrics;
mod open;
mod pipeline;
mod probe;
mod resume;
mod retry;
mod run;
mod sinks;
mod tables;
pub mod tend;
mod writer;

#[cfg(test)]
mod tests;

pub use buffers::{Bounds, Fate};
pub use capture::Capture;
pub use counters::{Counters, Snapshot};
pub use ledger::Ledger;
pub use open::{OpenError, ResumeError, Target, database_root};
pub use pipeline::{Clock, Pipeline, Settings, Store, plausible};
pub use probe::Probe;
pub use resume::Numbers;
pub use retry::Retry;
pub use run::{Recorder, RunError};
pub use sinks::{Gauges, Sinks};
pub use tables::{Class, Mode, Table, table};
pub use writer::{Acknowledged, Place, WriterOptions};
