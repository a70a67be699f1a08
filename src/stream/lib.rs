//! The only room that knows files: encodings of a stream, and the catalog.
//!
//! Bytes become batches of records and batches become bytes; what the records mean is nobody's
//! business here. Readers are [`qt_model::record::Source`]s.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a codec has roads of its own for hot kinds and types, and one road for all others"
)]

pub mod ahead;
pub mod annotated;
pub mod arrow_ipc;
pub mod braid;
pub mod catalog;
mod columns;
pub mod contain;
pub mod crash;
pub mod csv_file;
pub mod digest;
pub mod error;
mod fibre;
pub mod frame;
pub mod import;
pub mod input;
pub mod instruments;
mod json;
pub mod line_log;
pub mod lines;
pub mod ndjson;
pub mod parquet_file;
pub mod place;
pub mod raw;
pub mod read;
pub mod runs;
pub mod schemas;
mod symbols;
pub mod text_table;
pub mod tolerance;
pub mod universe;
pub mod wal;
mod weave;
pub mod wide;
pub mod write;

#[cfg(test)]
mod annotated_tests;
#[cfg(test)]
mod braid_tests;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod python;
#[cfg(test)]
mod roundtrip;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod trial;
#[cfg(test)]
mod weave_tests;
