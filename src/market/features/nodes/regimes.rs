//! Classes: which regime an event belongs to, as a small number.

use super::arithmetic::truth;
use crate::features::node::{Column, Node, each, map_held};
use crate::features::value::NONE;

/// `regime(x, average, low, high)`: 0 below, 1 within, 2 above, by the ratio of the first two.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Band {
    low: f64,
    high: f64,
    held: [f64; 2],
}

impl Band {
    pub(crate) fn new(low: f64, high: f64) -> Self {
        Self { low, high, held: [NONE; 2] }
    }
}

impl Node for Band {
    fn run(&mut self, inputs: &[Column<'_>], out: &mut [f64]) {
        let Self { low, high, .. } = *self;
        map_held([inputs[0], inputs[1]], &mut self.held, out, |[value, average]| {
            // Both sides of each question are numbers, so that several events are asked at once.
            let ratio = value / average;
            let beyond = if ratio > high { 2.0 } else { 1.0 };
            let class = if ratio < low { 0.0 } else { beyond };
            if average == 0.0 { 1.0 } else { class }
        });
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(Self::new(self.low, self.high))
    }
}

/// `trend(x, fast, slow, slope)`: +1, 0 or −1 by two averages and the slope of the faster.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trend {
    fast: u64,
    slow: u64,
    slope: f64,
    averages: [f64; 2],
    count: u64,
}

impl Trend {
    pub(crate) fn new(fast: u64, slow: u64, slope: f64) -> Self {
        Self { fast, slow, slope, averages: [0.0; 2], count: 0 }
    }
}

impl Node for Trend {
    fn run(&mut self, inputs: &[Column<'_>], out: &mut [f64]) {
        each(inputs[0], out, |input, out| {
            let alpha = |period: u64| 2.0 / (period as f64 + 1.0);
            let [new_fast, new_slow] = [alpha(self.fast), alpha(self.slow)];
            let [mut fast, mut slow] = self.averages;
            if let (0, Some(first)) = (self.count, input.first()) {
                // The first value only seeds, and what averages equal values is not always equal.
                (fast, slow) = (*first, *first);
            }
            let bound = self.slope;
            for (at, (value, out)) in input.iter().zip(out.iter_mut()).enumerate() {
                let before = fast;
                if self.count > 0 || at > 0 {
                    fast = new_fast * value + (1.0 - new_fast) * fast;
                    slow = new_slow * value + (1.0 - new_slow) * slow;
                }
                let slope = fast - before;
                let is_up = fast > slow && slope > bound;
                let is_down = fast < slow && slope < -bound;
                *out = truth(is_up) - truth(is_down);
            }
            let cold = self.slow.max(self.fast).saturating_sub(1 + self.count);
            out.iter_mut().zip(0..cold).for_each(|(out, _)| *out = NONE);
            self.averages = [fast, slow];
            self.count += input.len() as u64;
        });
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(Self::new(self.fast, self.slow, self.slope))
    }
}
