//! The regime strategy: weighted signals, adjusted to the state of the market, behind a gate.
//!
//! Which features vote, how much each counts and which way it points comes from an analysis, never
//! from here. Each step is a function of its inputs: signals, modes, combination, gate, size.
//! Absent on purpose: the analysis itself, and learned weights.

mod combine;
mod gate;
mod modes;
mod presets;
mod signals;
mod strategy;
#[cfg(test)]
mod tests;

pub use combine::{Action, Combination, Combine, Combined};
pub use gate::{Candidate, Gate, GateLimits, GateRule, Judged};
pub use modes::{Mode, Scales, State};
pub use presets::{PRESETS, Preset, Sizing, preset};
pub use signals::{Direction, Feature, Signal, SignalError, select};
pub use strategy::{Inputs, Regime};
