//! Classes: which regime an event belongs to, as a small number.

use crate::features::node::{Node, both, each};
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
    fn run(&mut self, inputs: &[&[f64]], out: &mut [f64]) {
        let Self { low, high, .. } = *self;
        both([inputs[0], inputs[1]], &mut self.held, out, |value, average| {
            if average == 0.0 {
                return 1.0;
            }
            let ratio = value / average;
            if ratio < low {
                0.0
            } else if ratio > high {
                2.0
            } else {
                1.0
            }
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
    fn run(&mut self, inputs: &[&[f64]], out: &mut [f64]) {
        let alpha = |period: u64| 2.0 / (period as f64 + 1.0);
        let alphas = [alpha(self.fast), alpha(self.slow)];
        let Self { averages, count, slope: bound, slow, fast } = self;
        each(inputs[0], out, |value| {
            *count += 1;
            if *count == 1 {
                *averages = [value; 2];
            }
            let before = averages[0];
            // The first value only seeds.
            for (average, alpha) in averages.iter_mut().zip(alphas).filter(|_| *count > 1) {
                *average = alpha * value + (1.0 - alpha) * *average;
            }
            if *count < *slow.max(fast) {
                return NONE;
            }
            let ([fast, slow], slope) = (*averages, averages[0] - before);
            if fast > slow && slope > *bound {
                1.0
            } else if fast < slow && slope < -*bound {
                -1.0
            } else {
                0.0
            }
        });
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(Self::new(self.fast, self.slow, self.slope))
    }
}
