//! Doubles with two ways to be absent.
//!
//! Features are finite or absent. Inside the engine an absence is a NaN, and which NaN says what
//! kind: an event that does not concern a value leaves it as it was, while an event that has no
//! value for it says so. Neither leaves the engine.

/// The event does not concern this value: state stays, and the last value stands.
pub(super) const SKIP: f64 = f64::from_bits(0x7ff8_0000_0000_0001);

/// The event has no value here: too early, or nothing to divide by. State stays.
pub(super) const NONE: f64 = f64::from_bits(0x7ff8_0000_0000_0002);

/// Whether an absent value is one that the event does not concern.
#[inline]
pub(super) fn is_skip(value: f64) -> bool {
    value.to_bits() == SKIP.to_bits()
}

/// A result, or `NONE` where it is not finite.
#[inline]
pub(super) fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { NONE }
}

/// What absences make together: only if no input concerns the event does the result not.
#[inline]
pub(super) fn absent(values: &[f64]) -> f64 {
    let concerns = |value: &f64| value.is_nan() && !is_skip(*value);
    if values.iter().any(concerns) { NONE } else { SKIP }
}

/// An exact product or sum as the nearest double.
#[inline]
pub(super) fn double(value: i128) -> f64 {
    // A conversion of 128 bits is a call; most values need 64.
    i64::try_from(value).map_or_else(|_| value as f64, |value| value as f64)
}
