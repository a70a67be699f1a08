//! Records into the catalog while they happen, without losing what was acknowledged.
//!
//! `push` puts records into a buffer per table ([`buffers`]); full or old buffers go through an inbox
//! of bounded size to one thread that does all writing ([`writer`]): market data to parts of the
//! catalog, orders and fills to the log first. A record is acknowledged once it is in a part or in a
//! file of the log. Invariants: `push` never waits; what it drops is counted by table and stands in
//! the quality ledger; fills and orders are never dropped.
//! Absent on purpose: order between tables, which reading restores.

mod buffers;
mod counters;
mod inbox;
mod open;
mod pipeline;
mod retry;
mod tables;
mod writer;

#[cfg(test)]
mod tests;

pub use buffers::{Bounds, Fate};
pub use counters::{Counters, Snapshot};
pub use open::{OpenError, Target};
pub use pipeline::{Clock, Pipeline, Settings, Store, plausible};
pub use retry::Retry;
pub use tables::{Class, Mode, Table, table};
pub use writer::{Acknowledged, Place, WriterOptions};
