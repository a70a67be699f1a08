//! The only room that knows files: encodings of a stream, and the catalog.
//!
//! Bytes become batches of records and batches become bytes; what the records mean is nobody's
//! business here. Readers are [`qt_model::record::Source`]s.

pub mod ahead;
pub mod arrow_ipc;
pub mod catalog;
mod columns;
pub mod csv_file;
pub mod digest;
pub mod error;
pub mod frame;
pub mod input;
pub mod instruments;
mod lines;
pub mod ndjson;
pub mod parquet_file;
pub mod place;
pub mod read;
mod symbols;
pub mod text_table;
pub mod tolerance;
pub mod universe;
pub mod write;

#[cfg(test)]
mod roundtrip;
#[cfg(test)]
mod sample;
