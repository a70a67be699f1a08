//! What a row of features says of its quality.

/// Events were lost before this one.
pub const GAP: u64 = 1;
/// The state of the symbol began anew with this event.
pub const STATE_RESET: u64 = 1 << 1;
/// The input is older than it should be.
pub const STALE_INPUT: u64 = 1 << 2;
/// An event before this one came out of order and was left out.
pub const OUT_OF_ORDER: u64 = 1 << 3;
/// The book was crossed or had no side: values are repeated.
pub const PARTIAL: u64 = 1 << 4;
