//! Strategy files: TOML that says what to trade, when, and under which terms.

mod builtin;
mod file;
mod params;
mod regime;
mod sections;
mod terms;
#[cfg(test)]
mod tests;
mod venue;

pub(crate) use file::StrategyFile;
pub(crate) use regime::RegimeTerms;
pub(crate) use venue::{FeeFlag, fees, latency};
