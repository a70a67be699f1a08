//! A Binance of our own on the loopback: market data of spot and USD-M futures, from any stream.
//!
//! REST answers with the books as they are at that moment of the stream; sockets get what the
//! stream brings, in its order. Invariant: a snapshot and the updates around it agree, since both
//! come from one book. A slow client holds the stream at full speed; at a set pace it is cut off,
//! as the venue would do. Absent on purpose: accounts and orders.

mod connection;
mod control;
mod faults;
mod instruments;
mod messages;
mod player;
mod rest;
mod serve;
mod state;

#[cfg(test)]
mod tests;

use std::time::Duration;

pub use faults::Faults;
pub use serve::{Feeder, Report, Sim, feed};

use super::Market;

/// How fast the stream is told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// As fast as clients take it.
    Max,
    /// That many seconds of the stream in a second.
    Times(f64),
}

#[derive(Clone, Debug)]
pub struct Options {
    /// The port on the loopback; 0 for any that is free.
    pub port: u16,
    /// The market of instruments whose venue is not one of Binance's.
    pub market: Market,
    pub pace: Pace,
    /// The stream is held while fewer streams than that are subscribed.
    pub await_streams: usize,
    /// And while fewer books than that were asked for since connections were last cut.
    pub await_books: u64,
    pub faults: Faults,
    /// How often clients are pinged; by default as the market does.
    pub ping: Option<Duration>,
    /// Whether to end with the stream.
    pub exit: bool,
}
