//! What runs for days: clocks, threads and tasks around the pure rooms below.
//!
//! The recorder, from what venues send to a catalog that can be trusted; and strategies that run as
//! programs of their own.

pub mod process;
pub mod recorder;
