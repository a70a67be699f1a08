//! Records as columns: what Arrow, Parquet and CSV share.
//!
//! Each kind has one flat table. A depth record is as many rows as it has levels, numbered by the
//! column `level`, where zero opens a record; an empty one is a single row without a level. Prices
//! and sizes are decimals at the widest scale of the stream's instruments: 64 bits wide where all
//! instruments agree on it, 128 where they differ.

mod bars;
mod braid_write;
mod cells;
mod convert;
mod hot_read;
mod hot_write;
mod keys;
mod plain;
mod read;
mod rows;
mod schema;
mod write;

#[cfg(test)]
mod tests;

pub(crate) use braid_write::{Numbers, Strip};
pub(crate) use hot_read::out_of_place;
pub(crate) use plain::{Depths, Own, Plain, Quotes, Trades, Whole};
pub(crate) use read::{Blame, Carry, RowReader, Sink, close};
pub(crate) use schema::{ColumnScale, ColumnScales, ORDINAL, guess_kind, schema, ts_type};
pub(crate) use write::RowWriter;
