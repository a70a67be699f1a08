//! Sums over the last so many values.
//!
//! Sums are of differences from a value near the window's mean, and are taken anew each time the
//! ring has gone round: the error does not grow with the stream, and what comes out depends on the
//! values alone.

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

/// Mean and variance of a window.
#[derive(Clone, Debug)]
pub(crate) struct Moments {
    ring: Ring,
    sums: Sums,
}

/// The sums of a window; what is asked of them holds once it is full.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sums {
    size: usize,
    shift: f64,
    sum: f64,
    squares: f64,
    last: f64,
    /// How many equal values came last.
    equal: usize,
}

impl Moments {
    pub(crate) fn new(size: usize) -> Self {
        let sums = Sums { size, shift: 0.0, sum: 0.0, squares: 0.0, last: f64::NAN, equal: 0 };
        Self { ring: Ring::new(size), sums }
    }

    #[inline]
    pub(crate) fn push(&mut self, value: f64) {
        if self.ring.values.is_empty() {
            self.sums.shift = value;
        }
        self.sums.add(value);
        if let Some(old) = self.ring.push(value) {
            self.sums.take(old);
        }
        if self.ring.has_gone_round() {
            self.sums.anew(&self.ring.values);
        }
    }

    /// Pushes a block of values and reads the window behind each; absent values pass.
    #[inline]
    pub(crate) fn run(&mut self, input: &[f64], out: &mut [f64], read: impl Fn(&Sums, f64) -> f64) {
        let mut begin = 0;
        while begin < input.len() && !self.is_full() {
            let value = input[begin];
            out[begin] = value;
            if !value.is_nan() {
                self.push(value);
                out[begin] = if self.is_full() { read(&self.sums, value) } else { NONE };
            }
            begin += 1;
        }
        // A full window slides. Its sums are copies here: through a reference, each of them would
        // go to memory and back with every value.
        let Self { ring, sums: kept } = self;
        let (mut sums, mut at) = (*kept, ring.at);
        for (value, out) in input[begin..].iter().zip(&mut out[begin..]) {
            if value.is_nan() {
                *out = *value;
                continue;
            }
            sums.add(*value);
            sums.take(std::mem::replace(&mut ring.values[at], *value));
            at += 1;
            if at == ring.values.len() {
                at = 0;
                sums.anew(&ring.values);
            }
            *out = read(&sums, *value);
        }
        (*kept, ring.at) = (sums, at);
    }

    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.ring.is_full()
    }

    #[inline]
    pub(crate) fn mean(&self) -> f64 {
        self.sums.mean()
    }

    #[cfg(test)]
    fn variance(&self) -> f64 {
        self.sums.variance()
    }
}

impl Sums {
    #[inline]
    fn add(&mut self, value: f64) {
        let is_same = value.to_bits() == self.last.to_bits();
        self.equal = if is_same { self.equal + 1 } else { 1 };
        self.last = value;
        let part = value - self.shift;
        self.sum += part;
        self.squares += part * part;
    }

    #[inline]
    fn take(&mut self, old: f64) {
        let part = old - self.shift;
        self.sum -= part;
        self.squares -= part * part;
    }

    fn anew(&mut self, values: &[f64]) {
        self.shift += self.sum / values.len() as f64;
        let shift = self.shift;
        let parts = values.iter().map(|value| value - shift);
        (self.sum, self.squares) =
            parts.fold((0.0, 0.0), |(sum, squares), part| (sum + part, squares + part * part));
    }

    #[inline]
    pub(crate) fn mean(&self) -> f64 {
        if self.equal >= self.size {
            return self.last;
        }
        self.shift + self.sum / self.size as f64
    }

    #[inline]
    pub(crate) fn sum(&self) -> f64 {
        if self.equal >= self.size {
            return self.last * self.size as f64;
        }
        self.shift * self.size as f64 + self.sum
    }

    /// The population variance; exactly zero where all values are equal.
    #[inline]
    pub(crate) fn variance(&self) -> f64 {
        if self.equal >= self.size {
            return 0.0;
        }
        let count = self.size as f64;
        let mean = self.sum / count;
        (self.squares / count - mean * mean).max(0.0)
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
            let mut moments = Moments::new(size);
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
                prop_assert!((moments.variance() - variance).abs() <= bound);
            }
        }
    }

    #[test]
    fn equal_values_have_no_variance_whatever_came_before() {
        let mut moments = Moments::new(5);
        for value in [1e9, -3.3, 0.1, 0.1, 0.1, 0.1, 0.1] {
            moments.push(value);
        }
        assert_eq!(
            (moments.variance().to_bits(), moments.mean().to_bits()),
            (0, 0.1_f64.to_bits())
        );
    }
}
