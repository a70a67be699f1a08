//! Windows of the last so many values: mean, deviation, sum, weighted mean, score.

use super::window::{Moments, Ring};
use crate::features::node::{Node, each};
use crate::features::value::{NONE, finite};

/// What is asked of a window.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ask {
    Mean,
    Sum,
    Variance,
    Deviation,
    /// How many deviations the newest value lies above the mean.
    Score,
}

/// `sma`, `sum`, `var`, `std`, `z`.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    ask: Ask,
    size: usize,
    moments: Moments,
}

impl Moment {
    pub(crate) fn new(ask: Ask, size: usize) -> Self {
        Self { ask, size, moments: Moments::new(size) }
    }
}

impl Node for Moment {
    fn run(&mut self, inputs: &[&[f64]], out: &mut [f64]) {
        let (input, moments) = (inputs[0], &mut self.moments);
        match self.ask {
            Ask::Mean => moments.run(input, out, |sums, _| sums.mean()),
            Ask::Sum => moments.run(input, out, |sums, _| sums.sum()),
            Ask::Variance => moments.run(input, out, |sums, _| sums.variance()),
            Ask::Deviation => moments.run(input, out, |sums, _| sums.variance().sqrt()),
            Ask::Score => moments.run(input, out, |sums, value| {
                finite((value - sums.mean()) / sums.variance().sqrt())
            }),
        }
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
        each(inputs[0], out, |value| {
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
