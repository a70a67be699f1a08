//! The choices that flags and settings share, each a closed list of words.

use clap::ValueEnum;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// One JSON record a line
    Ndjson,
    /// Arrow IPC stream
    Arrow,
    /// Parquet with zstd
    Parquet,
    /// Comma-separated values with a header
    Csv,
    /// Aligned columns for reading
    Table,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnError {
    /// Stop at the first one
    Fail,
    /// Count it and go on
    Skip,
    /// Write it to the file of `--quarantine` and go on
    Quarantine,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Ordering {
    /// Stop at the first one
    Strict,
    /// Count it and go on
    Warn,
}
