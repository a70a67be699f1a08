//! Sums over the last so many values.
//!
//! Sums are of differences from a value near the window's mean, and are taken anew each time the
//! ring has gone round: the error does not grow with the stream, and what comes out depends on the
//! values alone.

use crate::features::node::BLOCK;
use crate::features::value::NONE;

/// The last values, oldest first from `at`.
#[derive(Clone, Debug)]
pub(crate) struct Ring {
    values: Vec<f64>,
    size: usize,
    at: usize,
}

impl Ring {
    pub(crate) fn new(size: usize) -> Self {
        Self { values: Vec::with_capacity(size), size, at: 0 }
    }

    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.values.len() == self.size
    }

    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Takes a value; returns the one that it pushes out.
    #[inline]
    pub(crate) fn push(&mut self, value: f64) -> Option<f64> {
        if self.values.len() < self.size {
            self.values.push(value);
            return None;
        }
        let old = std::mem::replace(&mut self.values[self.at], value);
        self.at += 1;
        if self.at == self.size {
            self.at = 0;
        }
        Some(old)
    }

    /// Pushes a block of values and puts each beside the one that it pushes out.
    #[inline]
    pub(crate) fn pair(
        &mut self,
        input: &[f64],
        out: &mut [f64],
        function: impl Fn(f64, f64) -> f64,
    ) {
        let cold = (self.size - self.values.len()).min(input.len());
        out[..cold].fill(NONE);
        self.values.extend_from_slice(&input[..cold]);
        let (input, out) = (&input[cold..], &mut out[cold..]);
        // At first those of the ring go, in two stretches; then those of the block itself.
        let kept = input.len().min(self.size);
        for at in 0..kept {
            out[at] = function(self.values[self.at], input[at]);
            self.values[self.at] = input[at];
            self.at = if self.at + 1 == self.size { 0 } else { self.at + 1 };
        }
        if let Some(more) = input.get(kept..).filter(|more| !more.is_empty()) {
            for ((old, new), out) in input.iter().zip(more).zip(&mut out[kept..]) {
                *out = function(*old, *new);
            }
            self.at = 0;
            self.values.copy_from_slice(&input[input.len() - self.size..]);
        }
    }

    /// Whether the newest value lies at the end of the ring's memory.
    #[inline]
    fn has_gone_round(&self) -> bool {
        self.at == 0 && self.is_full()
    }

    /// In no particular order.
    pub(crate) fn values(&self) -> &[f64] {
        &self.values
    }

    /// From the oldest on.
    pub(crate) fn iter(&self) -> impl Iterator<Item = f64> + '_ {
        self.values[self.at..].iter().chain(&self.values[..self.at]).copied()
    }
}

/// The sums of a window that slides; those of squares as well, where they are asked for.
#[derive(Clone, Debug)]
pub(crate) struct Moments<const SQUARES: bool> {
    ring: Ring,
    /// What values are taken less of, so that squares of large numbers do not meet.
    shift: f64,
    sum: f64,
    squares: f64,
    last: f64,
    /// How many equal values came last.
    equal: usize,
}

/// What a full window says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sums<const SQUARES: bool> {
    count: f64,
    shift: f64,
    sum: f64,
    squares: f64,
    /// The value of all, where they are equal.
    flat: Option<f64>,
}

/// Fewer values than this are not worth preparing for.
const FEW: usize = 8;

impl<const SQUARES: bool> Moments<SQUARES> {
    pub(crate) fn new(size: usize) -> Self {
        let (shift, sum, squares, last, equal) = (0.0, 0.0, 0.0, f64::NAN, 0);
        Self { ring: Ring::new(size), shift, sum, squares, last, equal }
    }

    #[inline]
    pub(crate) fn push(&mut self, value: f64) {
        if self.ring.values.is_empty() {
            self.shift = value;
        }
        let is_same = value.to_bits() == self.last.to_bits();
        self.equal = if is_same { self.equal + 1 } else { 1 };
        self.last = value;
        let part = value - self.shift;
        self.sum += part;
        if SQUARES {
            self.squares += part * part;
        }
        if let Some(old) = self.ring.push(value) {
            let part = old - self.shift;
            self.sum -= part;
            if SQUARES {
                self.squares -= part * part;
            }
        }
        if self.ring.has_gone_round() {
            self.begin_anew();
        }
    }

    /// Takes the sums anew from the values of the window.
    fn begin_anew(&mut self) {
        self.shift += self.sum / self.ring.size as f64;
        let shift = self.shift;
        let parts = || self.ring.values.iter().map(|value| value - shift);
        self.sum = parts().fold(0.0, |sum, part| sum + part);
        if SQUARES {
            self.squares = parts().fold(0.0, |squares, part| squares + part * part);
        }
    }

    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.ring.is_full()
    }

    /// What the window says, once it is full.
    #[inline]
    fn sums(&self) -> Sums<SQUARES> {
        let Self { shift, sum, squares, .. } = *self;
        let flat = (self.equal >= self.ring.size).then_some(self.last);
        Sums { count: self.ring.size as f64, shift, sum, squares, flat }
    }

    #[inline]
    pub(crate) fn mean(&self) -> f64 {
        self.sums().mean()
    }

    /// Pushes a block of values and reads the window behind each.
    #[inline]
    pub(crate) fn run(
        &mut self,
        input: &[f64],
        out: &mut [f64],
        read: impl Fn(&Sums<SQUARES>, f64) -> f64,
    ) {
        let cold = match input.len() < FEW {
            true => input.len(),
            false => (self.ring.size - self.ring.values.len()).min(input.len()),
        };
        for (value, out) in input[..cold].iter().zip(&mut out[..cold]) {
            self.push(*value);
            *out = if self.is_full() { read(&self.sums(), *value) } else { NONE };
        }
        let (mut input, mut out) = (&input[cold..], &mut out[cold..]);
        let mut squares = [0.0; BLOCK];
        // A full window slides, and every time that it has gone round its sums are taken anew.
        while !input.is_empty() {
            let (now, later) = input.split_at((self.ring.size - self.ring.at).min(input.len()));
            let (now_out, later_out) = out.split_at_mut(now.len());
            self.slide(now, now_out, &mut squares, &read);
            (input, out) = (later, later_out);
        }
    }

    /// Slides over values that take places one behind the other in the ring. Sums wait for each
    /// other, so they come first and alone; then all of them are read, several at once.
    #[inline]
    fn slide(
        &mut self,
        input: &[f64],
        out: &mut [f64],
        squares: &mut [f64; BLOCK],
        read: impl Fn(&Sums<SQUARES>, f64) -> f64,
    ) {
        let (begun, count) = (self.equal, self.ring.size as f64);
        let (shift, mut sum, mut square, mut last, mut equal) =
            (self.shift, self.sum, self.squares, self.last, self.equal);
        let (mut longest, first) = (0, self.last);
        let olds = &mut self.ring.values[self.ring.at..][..input.len()];
        let squares = &mut squares[..input.len()];
        for (((value, old), out), squares) in
            input.iter().zip(olds).zip(out.iter_mut()).zip(squares.iter_mut())
        {
            equal = if value.to_bits() == last.to_bits() { equal + 1 } else { 1 };
            longest = longest.max(equal);
            last = *value;
            let (part, gone) = (value - shift, std::mem::replace(old, *value) - shift);
            sum = sum + part - gone;
            *out = sum;
            if SQUARES {
                square = square + part * part - gone * gone;
                *squares = square;
            }
        }
        (self.sum, self.squares, self.last, self.equal) = (sum, square, last, equal);
        self.ring.at += input.len();
        let is_round = self.ring.at == self.ring.size;
        let end = input.len() - usize::from(is_round);
        for ((value, out), squares) in input[..end].iter().zip(out.iter_mut()).zip(squares.iter()) {
            *out = read(&Sums { count, shift, sum: *out, squares: *squares, flat: None }, *value);
        }
        if is_round {
            self.ring.at = 0;
            self.begin_anew();
            out[end] = read(&self.sums(), input[end]);
        }
        if longest >= self.ring.size {
            self.level(input, out, (first, begun), read);
        }
    }

    /// Reads the windows anew in which all values are equal: they have no variance, exactly.
    #[cold]
    fn level(
        &self,
        input: &[f64],
        out: &mut [f64],
        (mut last, mut equal): (f64, usize),
        read: impl Fn(&Sums<SQUARES>, f64) -> f64,
    ) {
        for (value, out) in input.iter().zip(out) {
            equal = if value.to_bits() == last.to_bits() { equal + 1 } else { 1 };
            last = *value;
            if equal >= self.ring.size {
                *out = read(&Sums { flat: Some(*value), ..self.sums() }, *value);
            }
        }
    }
}

impl<const SQUARES: bool> Sums<SQUARES> {
    #[inline]
    pub(crate) fn mean(&self) -> f64 {
        self.flat.unwrap_or(self.shift + self.sum / self.count)
    }

    #[inline]
    pub(crate) fn sum(&self) -> f64 {
        self.flat.map_or(self.shift * self.count + self.sum, |value| value * self.count)
    }
}

impl Sums<true> {
    /// The population variance; exactly zero where all values are equal.
    #[inline]
    pub(crate) fn variance(&self) -> f64 {
        let mean = self.sum / self.count;
        let variance = (self.squares / self.count - mean * mean).max(0.0);
        if self.flat.is_some() { 0.0 } else { variance }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn moments_equal_those_of_the_window_itself(
            values in proptest::collection::vec(99_000_i32..101_000, 1..400),
            size in 1_usize..40,
        ) {
            let values: Vec<f64> = values.iter().map(|value| f64::from(*value) / 7.0).collect();
            let mut moments = Moments::<true>::new(size);
            for (at, value) in values.iter().enumerate() {
                moments.push(*value);
                if at + 1 < size {
                    prop_assert!(!moments.is_full());
                    continue;
                }
                let window = &values[at + 1 - size..=at];
                let mean = window.iter().sum::<f64>() / size as f64;
                let variance = window.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / size as f64;
                prop_assert!((moments.mean() - mean).abs() <= 1e-12 * mean.abs());
                // Differences are from a mean of before, up to the range of all values away.
                let bound = 1e-10 * variance + 1e-14 * (2_000.0_f64 / 7.0).powi(2);
                prop_assert!((moments.sums().variance() - variance).abs() <= bound);
            }
        }
    }

    #[test]
    fn equal_values_have_no_variance_whatever_came_before() {
        let mut moments = Moments::<true>::new(5);
        for value in [1e9, -3.3, 0.1, 0.1, 0.1, 0.1, 0.1] {
            moments.push(value);
        }
        assert_eq!(
            (moments.sums().variance().to_bits(), moments.mean().to_bits()),
            (0, 0.1_f64.to_bits())
        );
    }
}
