//! Strategy files: TOML that says what to trade, when, and under which terms.

mod builtin;
#[cfg(test)]
mod damage_tests;
mod deciders;
mod delays;
mod file;
mod market;
mod native;
mod params;
mod regime;
mod rehearsal;
mod sections;
mod sets;
mod terms;
mod venue;

pub(crate) use delays::{DelayText, latency};
pub(crate) use file::StrategyFile;
pub(crate) use market::Market;
pub(crate) use native::{build, engine};
pub(crate) use regime::RegimeTerms;
pub use rehearsal::Rehearsal;
pub(crate) use venue::{FeeFlag, fees};
