//! The words that every other room speaks: exact numbers, instants, instruments and records.
//!
//! Pure, and at the bottom: it knows no file, wire, clock or database, and imports no other room.

pub mod decimal;
pub mod digits;
pub mod ids;
pub mod instrument;
pub mod order;
pub mod record;
pub mod step;
pub mod time;
pub mod units;
pub mod words;
