//! Windows of the last so many values: mean, variance, sum, weighted mean, score.

use super::ring::Ring;
use super::window::{Level, Moments};
use crate::features::node::{Column, Node, each, each_pair, map, map_held};
use crate::features::value::{NONE, finite};
use crate::features::wide::wide;

/// `sum`, and `sma` where nobody asks for the variance of the window.
#[derive(Clone, Debug)]
pub(crate) struct Average {
    ask: Level,
    sums: Moments<false>,
}

impl Average {
    pub(crate) fn new(ask: Level, size: usize) -> Self {
        Self { ask, sums: Moments::new(size) }
    }
}

impl Node for Average {
    fn run(&mut self, inputs: &[Column<'_>], out: &mut [f64]) -> bool {
        each(inputs[0], out, |input, out| self.sums.run(input, self.ask, out, &mut []))
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(Self::new(self.ask, self.sums.size()))
    }
}

/// `sma` and `var` of one window, from one sliding of it.
#[derive(Clone, Debug)]
pub(crate) struct Both {
    moments: Moments<true>,
}

impl Both {
    pub(crate) fn new(size: usize) -> Self {
        Self { moments: Moments::new(size) }
    }
}

impl Node for Both {
    fn run(&mut self, inputs: &[Column<'_>], out: &mut [f64]) -> bool {
        each_pair(inputs[0], out, |input, mean, variance| {
            self.moments.run(input, Level::Mean, mean, variance)
        })
    }

    fn parts(&self) -> usize {
        2
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(Self::new(self.moments.size()))
    }
}

/// `z`, of a value, and the mean and the deviation of its window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Score {
    held: [f64; 3],
}

impl Score {
    pub(crate) fn new() -> Self {
        Self { held: [NONE; 3] }
    }
}

impl Node for Score {
    fn run(&mut self, inputs: &[Column<'_>], out: &mut [f64]) -> bool {
        let inputs = [inputs[0], inputs[1], inputs[2]];
        wide(
            #[inline(always)]
            || {
                map_held(inputs, &mut self.held, out, |[x, mean, deviation]| {
                    finite((x - mean) / deviation)
                })
            },
        )
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(Self::new())
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
    fn run(&mut self, inputs: &[Column<'_>], out: &mut [f64]) -> bool {
        let ring = &mut self.ring;
        let weights = (ring.size() * (ring.size() + 1)) as f64 / 2.0;
        map(inputs[0], out, |value| {
            ring.push(value);
            if !ring.is_full() {
                return NONE;
            }
            let weighed = ring.iter().enumerate().map(|(at, value)| (at + 1) as f64 * value);
            weighed.sum::<f64>() / weights
        })
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(Self::new(self.ring.size()))
    }
}
