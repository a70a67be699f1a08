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

impl Node for Smooth {
    fn run(&mut self, inputs: &[&[f64]], out: &mut [f64]) {
        let (alpha, keep, warm) = (self.alpha, 1.0 - self.alpha, self.warm);
        let (mut value, mut count) = (self.value, self.count);
        let seed = self.seed;
        each(inputs[0], out, |input| {
            count += 1;
            value = match seed {
                _ if count == 1 => input,
                Seed::Mean if count < warm => value + input,
                Seed::Mean if count == warm => (value + input) / warm as f64,
                Seed::First | Seed::Mean => alpha * input + keep * value,
            };
            if count >= warm { value } else { NONE }
        });
        (self.value, self.count) = (value, count);
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(Self::new(self.alpha, self.warm, self.seed))
    }
}
