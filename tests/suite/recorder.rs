//! The recorder as users run it: what survives `kill -9`, what venues send, what its tools say.

#![expect(clippy::unwrap_used, reason = "helpers of tests may stop where they stand, like tests")]

mod kill;
mod live;
mod settings;
mod tools;
