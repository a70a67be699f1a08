//! Exponential smoothing.

use crate::features::node::{Node, each};
use crate::features::value::NONE;

/// `ema`, `ema0`, `wilder`: y ← α·x + (1 − α)·y.
#[derive(Clone, Debug)]
pub(crate) struct Smooth {
    alpha: f64,
    /// How many values it takes before there is one.
    warm: u64,
    seed: Seed,
    value: f64,
    /// How many values it has taken, up to that.
    count: u64,
}

/// What smoothing begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seed {
    /// The first value.
    First,
    /// The mean of the values until it is warm.
    Mean,
}

impl Smooth {
    pub(crate) fn new(alpha: f64, warm: u64, seed: Seed) -> Self {
        Self { alpha, warm, seed, value: 0.0, count: 0 }
    }
}

impl Smooth {
    /// Takes one of the values that there have to be before there is one.
    fn warm_up(&mut self, value: f64) -> f64 {
        self.count += 1;
        self.value = match self.seed {
            _ if self.count == 1 => value,
            Seed::Mean if self.count < self.warm => self.value + value,
            Seed::Mean => (self.value + value) / self.warm as f64,
            Seed::First => self.alpha * value + (1.0 - self.alpha) * self.value,
        };
        if self.count == self.warm { self.value } else { NONE }
    }
}

impl Node for Smooth {
    fn run(&mut self, inputs: &[&[f64]], out: &mut [f64]) {
        each(inputs[0], out, |input, out| {
            let cold = usize::try_from(self.warm.saturating_sub(self.count)).unwrap_or(usize::MAX);
            let (first, rest) = input.split_at(cold.min(input.len()));
            let (first_out, rest_out) = out.split_at_mut(first.len());
            for (value, out) in first.iter().zip(first_out) {
                *out = self.warm_up(*value);
            }
            // Warm, it asks for nothing but the next value.
            let (alpha, keep, mut state) = (self.alpha, 1.0 - self.alpha, self.value);
            for (value, out) in rest.iter().zip(rest_out) {
                state = alpha * value + keep * state;
                *out = state;
            }
            self.value = state;
        });
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(Self::new(self.alpha, self.warm, self.seed))
    }
}
