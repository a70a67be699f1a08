//! One step of a graph of features: columns in, a column out.

use std::fmt::Debug;

/// A step with its state. It sees the events of one symbol in order, cut into blocks anywhere:
/// the results do not depend on the cuts.
pub trait Node: Debug + Send + Sync {
    /// Fills `out` from the inputs, which are as long. Absent inputs come as `SKIP` or `NONE`.
    fn run(&mut self, inputs: &[&[f64]], out: &mut [f64]);

    /// A node as it was before its first event.
    fn fresh(&self) -> Box<dyn Node>;
}

/// Whether a value of a block is absent. Looks at all of them, several at once.
#[inline]
pub(super) fn has_absent(values: &[f64]) -> bool {
    values.iter().fold(false, |has, value| has | value.is_nan())
}

/// A step over one column that passes absences on and keeps its state over them.
#[inline]
pub(super) fn each(input: &[f64], out: &mut [f64], mut step: impl FnMut(f64) -> f64) {
    // Most blocks are whole, and a loop without a question in it is a quick one.
    if !has_absent(input) {
        for (value, out) in input.iter().zip(out) {
            *out = step(*value);
        }
        return;
    }
    for (value, out) in input.iter().zip(out) {
        *out = if value.is_nan() { *value } else { step(*value) };
    }
}

/// The same with the time of each event.
#[inline]
pub(super) fn each_at(
    [input, now]: [&[f64]; 2],
    out: &mut [f64],
    mut step: impl FnMut(f64, f64) -> f64,
) {
    for ((value, now), out) in input.iter().zip(now).zip(out) {
        *out = if value.is_nan() { *value } else { step(*value, *now) };
    }
}

/// The same over two columns: the last value of one stands in where an event does not concern it.
#[inline]
pub(super) fn both(
    [left, right]: [&[f64]; 2],
    held: &mut [f64; 2],
    out: &mut [f64],
    mut step: impl FnMut(f64, f64) -> f64,
) {
    use super::value::{absent, is_skip};
    if let (Some(left_last), Some(right_last)) = (left.last(), right.last())
        && !has_absent(left)
        && !has_absent(right)
    {
        for ((left, right), out) in left.iter().zip(right).zip(out) {
            *out = step(*left, *right);
        }
        *held = [*left_last, *right_last];
        return;
    }
    for ((left, right), out) in left.iter().zip(right).zip(out) {
        if !left.is_nan() && !right.is_nan() {
            *held = [*left, *right];
            *out = step(*left, *right);
            continue;
        }
        let is_untouched = is_skip(*left) && is_skip(*right);
        for (held, fresh) in held.iter_mut().zip([left, right]) {
            if !is_skip(*fresh) {
                *held = *fresh;
            }
        }
        *out = match held {
            _ if is_untouched => super::value::SKIP,
            [left, right] if left.is_nan() || right.is_nan() => absent(*left, *right),
            [left, right] => step(*left, *right),
        };
    }
}
