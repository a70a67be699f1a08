//! The flags of commands that read or write streams.
//!
//! Parsing only: which files, which encoding, what to do with bad records. Opening, merging and
//! writing is the `stream` room's. A flag left out falls back to its setting, so ask the methods, not
//! the fields, where there is a method.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::choice::{OnError, Ordering, OutputFormat};
use crate::failure::Failure;
use crate::settings::Settings;

/// What becomes of a record that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadRecord<'a> {
    Fail,
    Skip,
    Quarantine(&'a Path),
}

/// For commands that write a stream.
#[derive(Debug, Args)]
#[command(next_help_heading = "Stream")]
pub(crate) struct OutputArgs {
    /// Encoding to write
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<OutputFormat>,
    /// Write to this file; `-` is standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl OutputArgs {
    pub(crate) fn format(&self, settings: &Settings) -> OutputFormat {
        self.output.or_else(|| self.format_of_name()).unwrap_or_else(|| settings.stream_format())
    }

    /// Whether anything was said about where or how to write.
    pub(crate) fn is_given(&self) -> bool {
        self.output.is_some() || self.out.is_some()
    }

    /// What the ending of the file's name asks for.
    fn format_of_name(&self) -> Option<OutputFormat> {
        match self.out()?.extension()?.to_str()? {
            "ndjson" | "jsonl" => Some(OutputFormat::Ndjson),
            "arrow" | "arrows" => Some(OutputFormat::Arrow),
            "parquet" => Some(OutputFormat::Parquet),
            "csv" => Some(OutputFormat::Csv),
            _ => None,
        }
    }

    /// The file to write to; `None` is standard output.
    pub(crate) fn out(&self) -> Option<&Path> {
        self.out.as_deref().filter(|path| *path != Path::new("-"))
    }
}

/// For commands that meet records which cannot be read.
#[derive(Debug, Args)]
#[command(next_help_heading = "Stream")]
pub(crate) struct BadRecordArgs {
    /// What to do with a record that cannot be read
    #[arg(long, value_name = "ACTION", requires_if("quarantine", "quarantine"))]
    on_error: Option<OnError>,
    /// Write records that cannot be read to this file, as they came
    #[arg(long, value_name = "FILE")]
    quarantine: Option<PathBuf>,
}

/// For commands that read streams.
#[derive(Debug, Args)]
#[command(next_help_heading = "Stream")]
pub(crate) struct ReadArgs {
    /// Files to read and merge in order; `-` is standard input
    #[arg(short, long, value_name = "FILE", num_args = 1..)]
    pub(crate) input: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) bad: BadRecordArgs,
    /// Accept a stream that was cut off before its `end` record
    #[arg(long)]
    pub(crate) allow_truncated: bool,
    /// Read days of the catalog that are graded bad
    #[arg(long)]
    pub(crate) allow_bad_data: bool,
    /// Check the count and digest in the `end` record
    #[arg(long)]
    pub(crate) verify: bool,
    /// What to do with a record that is out of order
    #[arg(long, value_name = "RULE")]
    ordering: Option<Ordering>,
    /// Short for `--ordering strict`
    #[arg(long, conflicts_with_all = ["ordering", "warn"])]
    strict: bool,
    /// Short for `--ordering warn`
    #[arg(long, conflicts_with = "ordering")]
    warn: bool,
}

/// For commands that read streams and write one.
#[derive(Debug, Args)]
#[command(next_help_heading = "Stream")]
pub(crate) struct StreamArgs {
    #[command(flatten)]
    pub(crate) read: ReadArgs,
    #[command(flatten)]
    pub(crate) to: OutputArgs,
    /// Stop after this many records
    #[arg(long, value_name = "RECORDS")]
    pub(crate) limit: Option<u64>,
}

impl ReadArgs {
    pub(crate) fn ordering(&self, settings: &Settings) -> Ordering {
        match (self.strict, self.warn) {
            (true, _) => Ordering::Strict,
            (_, true) => Ordering::Warn,
            (false, false) => self.ordering.unwrap_or_else(|| settings.stream_ordering()),
        }
    }
}

impl BadRecordArgs {
    /// Where unreadable records go, if anywhere.
    pub(crate) fn quarantine(&self) -> Option<&Path> {
        self.quarantine.as_deref()
    }

    /// `--quarantine FILE` alone is enough to ask for it.
    pub(crate) fn bad_record(&self, settings: &Settings) -> Result<BadRecord<'_>, Failure> {
        match (self.on_error, &self.quarantine) {
            (None | Some(OnError::Quarantine), Some(file)) => Ok(BadRecord::Quarantine(file)),
            (Some(OnError::Fail | OnError::Skip), Some(_)) => {
                let failure = Failure::usage("`--quarantine` needs `--on-error quarantine`");
                Err(failure.with_hint("leave `--on-error` out: `--quarantine FILE` implies it"))
            }
            (given, None) => match given.unwrap_or_else(|| settings.stream_on_error()) {
                OnError::Skip => Ok(BadRecord::Skip),
                // Without a file there is nowhere to put records; clap has refused that already.
                OnError::Fail | OnError::Quarantine => Ok(BadRecord::Fail),
            },
        }
    }
}
