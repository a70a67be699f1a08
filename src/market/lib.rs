//! What can be known of a market from its records alone: their order and their books.
//!
//! Pure: records in, records out.

mod aggressor;
pub mod bars;
pub mod book;
pub mod calendar;
pub mod check;
pub mod features;
pub mod labels;
mod lanes;
pub mod merge;
pub mod order;
pub mod quality;

#[cfg(test)]
mod merge_tests;
