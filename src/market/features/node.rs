//! One step of a graph of features: columns in, a column out.

use std::fmt::Debug;

use super::value::{SKIP, absent, is_skip};
use super::wide::wide;

/// A step with its state. It sees the events of one symbol in order, cut anywhere into blocks of at
/// most [`BLOCK`]: the results do not depend on the cuts.
pub trait Node: Debug + Send + Sync {
    /// Fills `out` from the inputs, which are as long. Absent inputs come as `SKIP` or `NONE`. A step
    /// of several parts fills one behind the other. Whether it knows that nothing it made is absent:
    /// where it does not, somebody has to look.
    fn run(&mut self, inputs: &[Column<'_>], out: &mut [f64]) -> bool;

    /// How many columns it makes.
    fn parts(&self) -> usize {
        1
    }

    /// A node as it was before its first event.
    fn fresh(&self) -> Box<dyn Node>;
}

/// What a step made of a block of events.
#[derive(Clone, Copy, Debug)]
pub struct Column<'a> {
    pub(super) values: &'a [f64],
    /// Whether none of them is absent.
    pub(super) is_whole: bool,
}

/// How many events run through a step at once: so many that what a step costs whatever their number
/// is little, and so few that the columns of a plan fit a cache.
pub(super) const BLOCK: usize = 2048;

/// How many events are closed up at once.
const PIECE: usize = 128;

/// Whether a value of a block is absent. Looks at all of them, several at once: but for its sign an
/// absent one is the largest there is, as an integer.
#[inline]
pub(super) fn has_absent(values: &[f64]) -> bool {
    let size = |value: &f64| value.abs().to_bits().cast_signed();
    let largest = wide(
        #[inline(always)]
        || values.iter().fold(0, |largest, value| size(value).max(largest)),
    );
    largest > f64::INFINITY.to_bits().cast_signed()
}

/// A step over the values that are there. It keeps its state over absences and passes them on: where
/// a block has some, what is left is closed up for the step and spread out again behind it.
#[inline(always)]
pub(super) fn each(
    input: Column<'_>,
    out: &mut [f64],
    mut step: impl FnMut(&[f64], &mut [f64]) -> bool,
) -> bool {
    if input.is_whole {
        return step(input.values, out);
    }
    let (mut dense, mut found) = ([0.0; PIECE], [0.0; PIECE]);
    for (input, out) in input.values.chunks(PIECE).zip(out.chunks_mut(PIECE)) {
        let count = close_up(input, &mut dense);
        if count > 0 {
            step(&dense[..count], &mut found[..count]);
        }
        spread_out(input, &found[..count], out);
    }
    false
}

/// The same of a step whose loops are as wide as the machine.
#[inline(always)]
pub(super) fn each_wide(
    input: Column<'_>,
    out: &mut [f64],
    step: impl FnMut(&[f64], &mut [f64]) -> bool,
) -> bool {
    wide(
        #[inline(always)]
        || each(input, out, step),
    )
}

/// The same of a step of two parts.
#[inline(always)]
pub(super) fn each_pair(
    input: Column<'_>,
    out: &mut [f64],
    mut step: impl FnMut(&[f64], &mut [f64], &mut [f64]) -> bool,
) -> bool {
    let (one, other) = out.split_at_mut(input.values.len());
    if input.is_whole {
        return step(input.values, one, other);
    }
    let (mut dense, mut found, mut beside) = ([0.0; PIECE], [0.0; PIECE], [0.0; PIECE]);
    let outs = one.chunks_mut(PIECE).zip(other.chunks_mut(PIECE));
    for (input, (one, other)) in input.values.chunks(PIECE).zip(outs) {
        let count = close_up(input, &mut dense);
        if count > 0 {
            step(&dense[..count], &mut found[..count], &mut beside[..count]);
        }
        spread_out(input, &found[..count], one);
        spread_out(input, &beside[..count], other);
    }
    false
}

/// The values that are there, one behind the other; how many.
fn close_up(input: &[f64], dense: &mut [f64; PIECE]) -> usize {
    let mut count = 0;
    for value in input.iter().filter(|value| !value.is_nan()) {
        dense[count] = *value;
        count += 1;
    }
    count
}

/// Results at the places of the values that they came of, and absences as they were.
fn spread_out(input: &[f64], found: &[f64], out: &mut [f64]) {
    let mut found = found.iter();
    for (value, out) in input.iter().zip(out) {
        let next = if value.is_nan() { None } else { found.next() };
        *out = *next.unwrap_or(value);
    }
}

/// The same, a value at a time.
#[inline(always)]
pub(super) fn map(
    input: Column<'_>,
    out: &mut [f64],
    mut function: impl FnMut(f64) -> f64,
) -> bool {
    each(
        input,
        out,
        #[inline(always)]
        |input, out| {
            let mut is_whole = true;
            for (value, out) in input.iter().zip(out) {
                let value = function(*value);
                *out = value;
                is_whole &= !value.is_nan();
            }
            is_whole
        },
    )
}

/// The same with the time of each event.
#[inline]
pub(super) fn map_at(
    [input, now]: [Column<'_>; 2],
    out: &mut [f64],
    mut function: impl FnMut(f64, f64) -> f64,
) -> bool {
    let mut is_whole = true;
    for ((value, now), out) in input.values.iter().zip(now.values).zip(out) {
        *out = if value.is_nan() { *value } else { function(*value, *now) };
        is_whole &= !out.is_nan();
    }
    is_whole
}

/// The same over some columns: the last value of one stands in where an event does not concern it.
#[inline(always)]
pub(super) fn map_held<const N: usize>(
    inputs: [Column<'_>; N],
    held: &mut [f64; N],
    out: &mut [f64],
    mut function: impl FnMut([f64; N]) -> f64,
) -> bool {
    let count = out.len();
    let Some(last) = count.checked_sub(1) else { return true };
    let values = inputs.map(|column| &column.values[..count]);
    if inputs.iter().all(|column| column.is_whole) {
        let (mut is_whole, out) = (true, &mut out[..count]);
        // By place, which is seen to lie within all of them: no question stays in the loop.
        for at in 0..count {
            let value = function(values.map(|values| values[at]));
            out[at] = value;
            is_whole &= !value.is_nan();
        }
        *held = values.map(|values| values[last]);
        return is_whole;
    }
    for (at, out) in out.iter_mut().enumerate() {
        let fresh = values.map(|values| values[at]);
        for (held, fresh) in held.iter_mut().zip(fresh) {
            if !is_skip(fresh) {
                *held = fresh;
            }
        }
        *out = if fresh.into_iter().all(is_skip) {
            SKIP
        } else if held.iter().any(|value| value.is_nan()) {
            absent(&held[..])
        } else {
            function(*held)
        };
    }
    false
}
