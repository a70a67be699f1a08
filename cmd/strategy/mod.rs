//! Strategy files: TOML that says what to trade, when, and under which terms.

mod file;
mod params;
mod sections;
mod terms;
#[cfg(test)]
mod tests;

pub(crate) use file::{StrategyFile, compile_problems};
pub(crate) use terms::{Account, Limits};
