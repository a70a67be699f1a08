//! Windows of the last so many values: mean, deviation, sum, weighted mean, score.

use super::window::{Moments, Ring};
use crate::features::node::{Node, each, map};
use crate::features::value::{NONE, finite};

/// `sma` and `sum`.
#[derive(Clone, Debug)]
pub(crate) struct Average {
    is_sum: bool,
    size: usize,
    sums: Moments<false>,
}

impl Average {
    pub(crate) fn mean(size: usize) -> Self {
        Self { is_sum: false, size, sums: Moments::new(size) }
    }

    pub(crate) fn sum(size: usize) -> Self {
        Self { is_sum: true, ..Self::mean(size) }
    }
}

impl Node for Average {
    fn run(&mut self, inputs: &[&[f64]], out: &mut [f64]) {
        each(inputs[0], out, |input, out| match self.is_sum {
            false => self.sums.run(input, out, |sums, _| sums.mean()),
            true => self.sums.run(input, out, |sums, _| sums.sum()),
        });
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(Self { sums: Moments::new(self.size), ..*self })
    }
}

/// `var`, `std`, `z`.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    ask: Spread,
    size: usize,
    moments: Moments<true>,
}

/// What is asked of how the values of a window differ.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Spread {
    Variance,
    Deviation,
    /// How many deviations the newest value lies above the mean.
    Score,
}

impl Moment {
    pub(crate) fn new(ask: Spread, size: usize) -> Self {
        Self { ask, size, moments: Moments::new(size) }
    }
}

impl Node for Moment {
    fn run(&mut self, inputs: &[&[f64]], out: &mut [f64]) {
        let moments = &mut self.moments;
        each(inputs[0], out, |input, out| match self.ask {
            Spread::Variance => moments.run(input, out, |sums, _| sums.variance()),
            Spread::Deviation => moments.run(input, out, |sums, _| sums.variance().sqrt()),
            Spread::Score => moments.run(input, out, |sums, value| {
                finite((value - sums.mean()) / sums.variance().sqrt())
            }),
        });
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(Self::new(self.ask, self.size))
    }
}

/// `wma`: weights rise by one from the oldest to the newest.
#[derive(Clone, Debug)]
pub(crate) struct Weighted {
    ring: Ring,
}

impl Weighted {
    pub(crate) fn new(size: usize) -> Self {
        Self { ring: Ring::new(size) }
    }
}

impl Node for Weighted {
    fn run(&mut self, inputs: &[&[f64]], out: &mut [f64]) {
        let ring = &mut self.ring;
        let weights = (ring.size() * (ring.size() + 1)) as f64 / 2.0;
        map(inputs[0], out, |value| {
            ring.push(value);
            if !ring.is_full() {
                return NONE;
            }
            let weighed = ring.iter().enumerate().map(|(at, value)| (at + 1) as f64 * value);
            weighed.sum::<f64>() / weights
        });
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(Self::new(self.ring.size()))
    }
}
