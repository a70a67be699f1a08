//! From a market to orders, and from fills to money.
//!
//! Pure: the step of a strategy, the rules it cannot pass by, the table of its orders, positions
//! and cash. The same code runs over history and live; only what feeds it differs.

pub mod core;
pub mod ledger;
pub mod metrics;
pub mod native;
pub mod orders;
pub mod outbox;
pub mod prelude;
pub mod regime;
pub mod risk;
pub mod script;
pub mod tape;
pub mod ticks;

#[cfg(test)]
mod trial;
