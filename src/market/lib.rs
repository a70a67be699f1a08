//! What can be known of a market from its records alone: so far, their order.
//!
//! Pure: records in, records out.

mod lanes;
pub mod merge;
pub mod order;
pub mod quality;

#[cfg(test)]
mod merge_tests;
