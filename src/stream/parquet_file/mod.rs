//! Parquet files: one kind each, zstd, sorted, with statistics.
//!
//! The footer carries the kind, the instruments, and the first and last time, so that a reader can
//! leave a file closed that has nothing to say. Any reader of Parquet sees plain decimals, times in
//! UTC and strings.

mod chunks;
mod read;
mod strands;
mod tables;
mod write;

#[cfg(test)]
mod tests;

pub use read::{Description, ParquetReader, Span, describe};
pub(crate) use write::unfit;
pub use write::{ParquetWriter, ROW_GROUP_RECORDS};

/// The key of the `stream` record in the metadata of a file.
pub(crate) const HEADER_KEY: &str = "qt.stream";

/// The key of the `end` record.
pub(crate) const END_KEY: &str = "qt.end";

/// The first and last `ts_recv`, in nanoseconds, with a hyphen between.
pub(crate) const SPAN_KEY: &str = "qt.span";

/// How a Parquet file begins and ends.
pub(crate) const MARK: &[u8; 4] = b"PAR1";
