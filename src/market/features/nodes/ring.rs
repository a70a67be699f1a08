//! The last so many values.

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

    /// Pushes a block of values and puts each beside the one that it pushes out. Whether that makes
    /// something of all of them.
    #[inline(always)]
    pub(crate) fn pair(
        &mut self,
        input: &[f64],
        out: &mut [f64],
        function: impl Fn(f64, f64) -> f64,
    ) -> bool {
        let cold = (self.size - self.values.len()).min(input.len());
        out[..cold].fill(NONE);
        self.values.extend_from_slice(&input[..cold]);
        let (input, out) = (&input[cold..], &mut out[cold..]);
        // At first those of the ring go, in two stretches; then those of the block itself.
        let mut is_whole = cold == 0;
        let kept = input.len().min(self.size);
        for at in 0..kept {
            out[at] = function(self.values[self.at], input[at]);
            is_whole &= !out[at].is_nan();
            self.values[self.at] = input[at];
            self.at = if self.at + 1 == self.size { 0 } else { self.at + 1 };
        }
        if let Some(more) = input.get(kept..).filter(|more| !more.is_empty()) {
            for ((old, new), out) in input.iter().zip(more).zip(&mut out[kept..]) {
                *out = function(*old, *new);
                is_whole &= !out.is_nan();
            }
            self.at = 0;
            self.values.copy_from_slice(&input[input.len() - self.size..]);
        }
        is_whole
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
