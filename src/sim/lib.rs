//! Worlds to trade in: synthetic markets, simulated venues, and the driver of a backtest.
//!
//! Pure: no file, clock, thread or unseeded chance. Two runs from one seed are equal to the byte,
//! on any machine.

mod dice;
pub mod driver;
pub mod exchange;
pub mod synth;
