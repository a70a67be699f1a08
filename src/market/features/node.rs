//! One step of a graph of features: columns in, a column out.

use std::fmt::Debug;

use super::value::{SKIP, absent, is_skip};

/// A step with its state. It sees the events of one symbol in order, cut anywhere into blocks of at
/// most [`BLOCK`]: the results do not depend on the cuts.
pub trait Node: Debug + Send + Sync {
    /// Fills `out` from the inputs, which are as long. Absent inputs come as `SKIP` or `NONE`.
    fn run(&mut self, inputs: &[&[f64]], out: &mut [f64]);

    /// A node as it was before its first event.
    fn fresh(&self) -> Box<dyn Node>;
}

/// How many events run through a step at once. The columns of a plan fit the nearest cache.
pub(super) const BLOCK: usize = 128;

/// Whether a value of a block is absent. Looks at all of them, several at once.
#[inline]
pub(super) fn has_absent(values: &[f64]) -> bool {
    values.iter().fold(false, |has, value| has | value.is_nan())
}

/// A step over the values that are there. It keeps its state over absences and passes them on: where
/// a block has some, what is left is closed up for the step and spread out again behind it.
#[inline]
pub(super) fn each(input: &[f64], out: &mut [f64], mut step: impl FnMut(&[f64], &mut [f64])) {
    if !has_absent(input) {
        return step(input, out);
    }
    out.copy_from_slice(input);
    let mut count = input.iter().filter(|value| !value.is_nan()).count();
    if count == 0 {
        return;
    }
    let (mut dense, mut found) = ([0.0; BLOCK], [0.0; BLOCK]);
    let present = input.iter().filter(|value| !value.is_nan());
    dense.iter_mut().zip(present).for_each(|(slot, value)| *slot = *value);
    step(&dense[..count], &mut found[..count]);
    for out in out.iter_mut().rev().filter(|out| !out.is_nan()) {
        count -= 1;
        *out = found[count];
    }
}

/// The same, a value at a time.
#[inline]
pub(super) fn map(input: &[f64], out: &mut [f64], mut function: impl FnMut(f64) -> f64) {
    each(input, out, |input, out| {
        for (value, out) in input.iter().zip(out) {
            *out = function(*value);
        }
    });
}

/// The same with the time of each event.
#[inline]
pub(super) fn map_at(
    [input, now]: [&[f64]; 2],
    out: &mut [f64],
    mut function: impl FnMut(f64, f64) -> f64,
) {
    for ((value, now), out) in input.iter().zip(now).zip(out) {
        *out = if value.is_nan() { *value } else { function(*value, *now) };
    }
}

/// The same over two columns: the last value of one stands in where an event does not concern it.
#[inline]
pub(super) fn map_both(
    [left, right]: [&[f64]; 2],
    held: &mut [f64; 2],
    out: &mut [f64],
    mut function: impl FnMut(f64, f64) -> f64,
) {
    if let (Some(left_last), Some(right_last)) = (left.last(), right.last())
        && !has_absent(left)
        && !has_absent(right)
    {
        for ((left, right), out) in left.iter().zip(right).zip(out) {
            *out = function(*left, *right);
        }
        *held = [*left_last, *right_last];
        return;
    }
    for ((left, right), out) in left.iter().zip(right).zip(out) {
        let is_untouched = is_skip(*left) && is_skip(*right);
        for (held, fresh) in held.iter_mut().zip([left, right]) {
            if !is_skip(*fresh) {
                *held = *fresh;
            }
        }
        *out = match held {
            _ if is_untouched => SKIP,
            [left, right] if left.is_nan() || right.is_nan() => absent(*left, *right),
            [left, right] => function(*left, *right),
        };
    }
}
