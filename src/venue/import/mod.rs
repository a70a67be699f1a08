//! Captures of wires as imports: the lines of a recording go through the decoder of its venue.

mod bybit_ob500;
mod capture;
mod cryptofeed;
#[cfg(test)]
mod expected;
mod kraken_rest;
mod stamped;
mod survey;
#[cfg(test)]
mod tests;

use qt_stream::import::Importer;

/// Captures of wires that can be imported.
pub const IMPORTERS: &[&dyn Importer] = &[
    &bybit_ob500::BybitOb500,
    &cryptofeed::Cryptofeed,
    &kraken_rest::KrakenRest,
    &stamped::Stamped,
];
