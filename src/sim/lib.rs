//! Worlds to trade in: so far, synthetic markets.
//!
//! Pure: no file, clock, thread or unseeded chance. Two runs from one seed are equal to the byte,
//! on any machine.

mod dice;
pub mod driver;
pub mod exchange;
pub mod synth;
