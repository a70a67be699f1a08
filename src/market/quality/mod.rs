//! How far recorded data can be trusted: grades of windows and of days.
//!
//! Pure rules over counts that a recorder took. A grade says why. Absent on purpose: the counting,
//! which is the recorder's, and gates over the records themselves.

mod day;
mod window;

pub use day::{DayGrade, grade_day};
pub use window::{Graded, Reason, VenueFacts, WindowFacts, grade_window};

/// The version of these rules, kept beside every grade.
pub const RULES_VERSION: u64 = 1;

/// The length of a window: 96 make a day.
pub const WINDOW_NANOS: i64 = 15 * 60 * 1_000_000_000;
