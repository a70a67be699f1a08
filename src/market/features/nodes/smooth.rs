//! Exponential smoothing: y ← α·x + (1 − α)·y.
//!
//! Each result waits for the one before, and a block of them for all. So from the fifth on a result
//! is made of the one four events ago and of the four values since, which is the same average: four
//! chains run side by side.

use crate::features::node::{Column, Node, each};
use crate::features::value::NONE;
use crate::features::wide::wide;

/// How many results are under way at once.
const CHAINS: usize = 4;

/// An average that forgets.
#[derive(Clone, Debug)]
pub(crate) struct Average {
    alpha: f64,
    /// How many values it takes before there is one.
    warm: u64,
    seed: Seed,
    /// How many values it has taken, up to that and one a chain.
    count: u64,
    /// The last values and results, the oldest first.
    values: [f64; CHAINS - 1],
    results: [f64; CHAINS],
}

/// What smoothing begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seed {
    /// The first value.
    First,
    /// The mean of the values until it is warm.
    Mean,
}

impl Average {
    pub(crate) fn new(alpha: f64, warm: u64, seed: Seed) -> Self {
        Self { alpha, warm, seed, count: 0, values: [0.0; CHAINS - 1], results: [0.0; CHAINS] }
    }

    pub(crate) fn fresh(&self) -> Self {
        Self::new(self.alpha, self.warm, self.seed)
    }

    /// Takes a block of values; the average behind each.
    #[inline]
    pub(crate) fn run(&mut self, input: &[f64], out: &mut [f64]) {
        let cold = (self.warm + CHAINS as u64).saturating_sub(self.count);
        let cold = usize::try_from(cold).map_or(input.len(), |cold| cold.min(input.len()));
        for (value, out) in input[..cold].iter().zip(out.iter_mut()) {
            *out = self.warm_up(*value);
        }
        wide(
            #[inline(always)]
            || self.go_on(&input[cold..], &mut out[cold..]),
        );
    }

    /// Takes one of the first values, step by step.
    #[cold]
    fn warm_up(&mut self, value: f64) -> f64 {
        self.count += 1;
        let before = self.results[CHAINS - 1];
        let result = match self.seed {
            _ if self.count == 1 => value,
            Seed::Mean if self.count < self.warm => before + value,
            Seed::Mean if self.count == self.warm => (before + value) / self.warm as f64,
            Seed::Mean | Seed::First => self.alpha * value + (1.0 - self.alpha) * before,
        };
        self.values.rotate_left(1);
        self.results.rotate_left(1);
        (self.values[CHAINS - 2], self.results[CHAINS - 1]) = (value, result);
        if self.count >= self.warm { result } else { NONE }
    }

    /// Takes what follows: first what each value and the three before it add, which waits for
    /// nothing, then the chains.
    #[inline(always)]
    fn go_on(&mut self, input: &[f64], out: &mut [f64]) {
        let keep = 1.0 - self.alpha;
        let (alpha, twice) = (self.alpha, keep * keep);
        let add = |[d, c, b, a]: [f64; CHAINS]| alpha * ((a + keep * b) + twice * (c + keep * d));
        for at in 0..input.len().min(CHAINS - 1) {
            let [d, c, b] = self.values;
            let value = input[at];
            out[at] = add([d, c, b, value]);
            self.values = [c, b, value];
        }
        for (four, out) in input.windows(CHAINS).zip(out.iter_mut().skip(CHAINS - 1)) {
            *out = add([four[0], four[1], four[2], four[3]]);
        }
        if let Some(last) = input.last_chunk() {
            self.values = *last;
        }
        let often = twice * twice;
        let (fours, rest) = out.as_chunks_mut::<CHAINS>();
        let mut results = self.results;
        for four in fours {
            for (result, out) in results.iter_mut().zip(four) {
                *result = *out + often * *result;
                *out = *result;
            }
        }
        for (result, out) in results.iter_mut().zip(rest.iter_mut()) {
            *result = *out + often * *result;
            *out = *result;
        }
        results.rotate_left(rest.len());
        self.results = results;
    }
}

/// `ema`, `ema0`, `wilder`.
#[derive(Clone, Debug)]
pub(crate) struct Smooth(Average);

impl Smooth {
    pub(crate) fn new(alpha: f64, warm: u64, seed: Seed) -> Self {
        Self(Average::new(alpha, warm, seed))
    }
}

impl Node for Smooth {
    fn run(&mut self, inputs: &[Column<'_>], out: &mut [f64]) {
        each(inputs[0], out, |input, out| self.0.run(input, out));
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(Self(self.0.fresh()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The definition, one value after the other, and blocks cut anywhere.
        #[test]
        fn four_chains_give_the_average_of_one(
            values in proptest::collection::vec(-1_000_i32..1_000, 1..300),
            period in 1_u32..50,
            piece in 1_usize..40,
        ) {
            let values: Vec<f64> = values.iter().map(|value| f64::from(*value) / 7.0).collect();
            let alpha = 2.0 / (f64::from(period) + 1.0);
            let new = || Average::new(alpha, u64::from(period), Seed::First);
            let mut whole = vec![0.0; values.len()];
            new().run(&values, &mut whole);
            let (mut pieces, mut average) = (whole.clone(), new());
            for (input, out) in values.chunks(piece).zip(pieces.chunks_mut(piece)) {
                average.run(input, out);
            }
            let mut expected = values[0];
            for (at, value) in values.iter().enumerate() {
                if at > 0 {
                    expected = alpha * value + (1.0 - alpha) * expected;
                }
                if at + 1 < period as usize {
                    prop_assert!(whole[at].is_nan());
                } else {
                    prop_assert!((whole[at] - expected).abs() <= 1e-12);
                }
                prop_assert_eq!(whole[at].to_bits(), pieces[at].to_bits());
            }
        }
    }
}
