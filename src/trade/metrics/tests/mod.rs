//! Figures that others computed with fifty digits, and the edges where there are none.

mod apart;
mod edges;
mod execution;
mod lots;
mod statistics;
mod vectors;

use super::value::Figure;

/// Within a relative 1e-12 of what was expected; of zero, within 1e-15.
#[track_caller]
fn close(name: &str, found: impl Into<Option<f64>>, expected: f64) {
    let found = found.into().unwrap_or_else(|| panic!("{name} is absent"));
    let limit = if expected == 0.0 { 1e-15 } else { 1e-12 * expected.abs() };
    assert!((found - expected).abs() <= limit, "{name}: found {found:e}, expected {expected:e}");
}

#[track_caller]
fn figure(name: &str, found: Figure, expected: f64) {
    close(name, found.unwrap_or_else(|reason| panic!("{name} is absent: {reason}")), expected);
}
