//! The only room that knows wires: what each venue sends, in which order it must be applied, how
//! a session with it is kept, and a venue of our own that speaks its protocol.
//!
//! A folder per venue. A message goes the same road whether it comes from a socket or from a
//! capture on disk: it is a [`frame::Frame`], and the venue's [`frame::Decoder`] makes records of it.

pub mod binance;
pub mod bitfinex;
pub mod bitmex;
pub mod bitstamp;
pub mod bybit;
pub mod coinbase;
#[cfg(test)]
mod damage_tests;
mod desk;
mod epoch;
pub mod frame;
pub mod hyperliquid;
mod import;
mod json;
pub mod kraken;
mod levels;
mod listing;
pub mod okx;
mod scan;
mod sequence;
pub mod session;
pub mod tally;
mod text_book;

pub use import::IMPORTERS;
pub use listing::Scales;
