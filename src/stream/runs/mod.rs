//! Runs on disk: one folder each, with a manifest from which it can be told and repeated.
//!
//! `runs/<kind>/<date>/<run-id>/` holds `manifest.json`, `metrics.json` and streams of records as
//! Parquet; lanes beside the main one (other fill models) have folders of their own in it. The
//! manifest is written first, as `running`, and replaced at the end: a run that says `running`
//! while nobody holds its lock has crashed. Content digests hold neither wall clock nor name, so two
//! runs of one thing agree. Absent on purpose: the clock and chance that make a name; callers hand
//! them in.

mod error;
mod id;
mod list;
mod manifest;
mod metrics;
mod reader;
#[cfg(test)]
mod tests;
mod trials;
mod writer;

pub use error::RunError;
pub use id::run_id;
pub use list::{Found, datasets, find, list};
pub use manifest::{
    Assumption, BandRow, Code, Dataset, Features, Input, Manifest, OutputFile, Outputs, Strategy,
};
pub use metrics::{MetricRow, members};
pub use reader::RunReader;
pub use trials::{Trial, Trials};
pub use writer::{RunWriter, STREAMS};
