//! What runs for days: clocks, threads and tasks around the pure rooms below.
//!
//! So far the recorder: from what venues send to a catalog that can be trusted.

pub mod recorder;
