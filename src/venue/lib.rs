//! The only room that knows wires: what each venue sends, in which order it must be applied, how
//! a session with it is kept, and a venue of our own that speaks its protocol.
//!
//! A folder per venue. A message goes the same road whether it comes from a socket or from a
//! capture on disk: it is a [`frame::Frame`], and the venue's [`frame::Decoder`] makes records of it.

pub mod binance;
mod desk;
mod epoch;
pub mod frame;
mod json;
mod levels;
mod listing;
mod scan;
pub mod session;
pub mod tally;

pub use listing::Scales;

use qt_stream::import::Importer;

/// Captures of wires that can be imported.
pub const IMPORTERS: &[&dyn Importer] = &[];
