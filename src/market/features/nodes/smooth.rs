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
#[derive(Clone, Copy, Debug)]
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

    /// Takes a block of values; the average behind each. Whether there is one behind all of them for
    /// certain.
    #[inline]
    pub(crate) fn run(&mut self, input: &[f64], out: &mut [f64]) -> bool {
        let is_warm = self.count + 1 >= self.warm;
        let cold = (self.warm + CHAINS as u64).saturating_sub(self.count);
        let cold = usize::try_from(cold).map_or(input.len(), |cold| cold.min(input.len()));
        for (value, out) in input[..cold].iter().zip(out.iter_mut()) {
            *out = self.warm_up(*value);
        }
        wide(
            #[inline(always)]
            || go_on([self], [&input[cold..]], &mut out[cold..], |[result]| result),
        );
        is_warm && self.is_finite()
    }

    /// Takes blocks of values with another average; what is made of both behind each. Whether both
    /// are there for certain.
    #[inline(always)]
    pub(crate) fn run_with(
        &mut self,
        other: &mut Self,
        inputs: [&[f64]; 2],
        out: &mut [f64],
        function: impl Fn(f64, f64) -> f64,
    ) -> bool {
        let is_warm = |it: &Self| it.count >= it.warm + CHAINS as u64;
        if is_warm(self) && is_warm(other) {
            go_on([self, other], inputs, out, |[one, other]| function(one, other));
            return self.is_finite() && other.is_finite();
        }
        for ((one, two), out) in inputs[0].iter().zip(inputs[1]).zip(out) {
            let (mut ours, mut others) = ([0.0], [0.0]);
            self.run(&[*one], &mut ours);
            other.run(&[*two], &mut others);
            let is_there = !ours[0].is_nan() && !others[0].is_nan();
            *out = if is_there { function(ours[0], others[0]) } else { NONE };
        }
        false
    }

    /// Whether the last results are finite; then those before are, since what is not stays in its chain.
    fn is_finite(&self) -> bool {
        self.results.iter().fold(0.0, |sum, result| sum + result).is_finite()
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

    /// Takes the next four values; the results behind them. What a value and the three before it add
    /// waits for nothing.
    #[inline(always)]
    fn four(&mut self, values: [f64; CHAINS]) -> [f64; CHAINS] {
        let keep = 1.0 - self.alpha;
        let (alpha, twice) = (self.alpha, keep * keep);
        let often = twice * twice;
        let [v0, v1, v2] = self.values;
        let [v3, v4, v5, v6] = values;
        let (b, c, d) = ([v2, v3, v4, v5], [v1, v2, v3, v4], [v0, v1, v2, v3]);
        for at in 0..CHAINS {
            let add = alpha * ((values[at] + keep * b[at]) + twice * (c[at] + keep * d[at]));
            self.results[at] = add + often * self.results[at];
        }
        self.values = [v4, v5, v6];
        self.results
    }

    /// The same of one value.
    #[inline(always)]
    fn one(&mut self, value: f64) -> f64 {
        let [_, v1, v2] = self.values;
        let [_, r1, r2, r3] = self.results;
        // The others are not looked at.
        let [result, ..] = self.four([value; CHAINS]);
        self.values = [v1, v2, value];
        self.results = [r1, r2, r3, result];
        result
    }
}

/// Takes what follows the first values of some averages, and puts down what is made of their results
/// behind each.
#[inline(always)]
fn go_on<const N: usize>(
    averages: [&mut Average; N],
    inputs: [&[f64]; N],
    out: &mut [f64],
    function: impl Fn([f64; N]) -> f64,
) {
    // Copies of ours stay in registers.
    let mut running = averages.each_ref().map(|average| **average);
    let (fours, rest) = out.as_chunks_mut::<CHAINS>();
    let inputs = inputs.map(|input| input.as_chunks::<CHAINS>());
    for (at, four) in fours.iter_mut().enumerate() {
        let mut results = [[0.0; CHAINS]; N];
        for ((average, (values, _)), results) in running.iter_mut().zip(&inputs).zip(&mut results) {
            *results = average.four(values[at]);
        }
        for (at, out) in four.iter_mut().enumerate() {
            *out = function(results.map(|results| results[at]));
        }
    }
    for (at, out) in rest.iter_mut().enumerate() {
        let mut results = [0.0; N];
        for ((average, (_, rest)), result) in running.iter_mut().zip(&inputs).zip(&mut results) {
            *result = average.one(rest[at]);
        }
        *out = function(results);
    }
    for (average, running) in averages.into_iter().zip(running) {
        *average = running;
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
    fn run(&mut self, inputs: &[Column<'_>], out: &mut [f64]) -> bool {
        each(inputs[0], out, |input, out| self.0.run(input, out))
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
