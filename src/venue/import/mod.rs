//! Captures of wires as imports: the lines of a recording go through the decoder of its venue.

mod capture;
#[cfg(test)]
mod expected;
mod stamped;

use qt_stream::import::Importer;

/// Captures of wires that can be imported.
pub const IMPORTERS: &[&dyn Importer] = &[&stamped::Stamped];
