//! Classes: which regime an event belongs to, as a small number.

use super::arithmetic::truth;
use super::smooth::{Average, Seed};
use crate::features::node::{Column, Node, each_wide, map_held};
use crate::features::value::NONE;
use crate::features::wide::wide;

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
    fn run(&mut self, inputs: &[Column<'_>], out: &mut [f64]) -> bool {
        let (Self { low, high, .. }, inputs) = (*self, [inputs[0], inputs[1]]);
        let class = |[value, average]: [f64; 2]| {
            // Both sides of each question are numbers, so that several events are asked at once.
            let ratio = value / average;
            let beyond = if ratio > high { 2.0 } else { 1.0 };
            let class = if ratio < low { 0.0 } else { beyond };
            if average == 0.0 { 1.0 } else { class }
        };
        wide(
            #[inline(always)]
            || map_held(inputs, &mut self.held, out, class),
        )
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(Self::new(self.low, self.high))
    }
}

/// `trend(x, fast, slow, slope)`: +1, 0 or −1 by two averages and the slope of the faster.
#[derive(Clone, Debug)]
pub(crate) struct Trend {
    fast: u64,
    slow: u64,
    slope: f64,
    averages: [Average; 2],
    /// The last value of the faster one.
    last: Option<f64>,
    count: u64,
}

impl Trend {
    pub(crate) fn new(fast: u64, slow: u64, slope: f64) -> Self {
        let average = |period: u64| Average::new(2.0 / (period as f64 + 1.0), 1, Seed::First);
        let averages = [average(fast), average(slow)];
        Self { fast, slow, slope, averages, last: None, count: 0 }
    }

    #[inline(always)]
    fn step(&mut self, input: &[f64], out: &mut [f64]) -> bool {
        let mut is_whole = true;
        for (input, out) in input.chunks(PIECE).zip(out.chunks_mut(PIECE)) {
            is_whole &= self.piece(input, out);
        }
        is_whole
    }

    #[inline(always)]
    fn piece(&mut self, input: &[f64], out: &mut [f64]) -> bool {
        let (mut fast, mut before) = ([0.0; PIECE], [0.0; PIECE]);
        let count = input.len();
        let fast = &mut fast[..count];
        self.averages[0].run(input, fast);
        self.averages[1].run(input, out);
        let (Some(first), Some(latest), bound) = (fast.first(), fast.last(), self.slope) else {
            return true;
        };
        // The first value only seeds: there is no slope yet.
        before[0] = self.last.replace(*latest).unwrap_or(*first);
        before[1..count].copy_from_slice(&fast[..count - 1]);
        for ((fast, before), out) in fast.iter().zip(&before).zip(out.iter_mut()) {
            let (slope, slow) = (fast - before, *out);
            let is_up = (*fast > slow) & (slope > bound);
            let is_down = (*fast < slow) & (slope < -bound);
            *out = truth(is_up) - truth(is_down);
        }
        let cold = self.slow.max(self.fast).saturating_sub(1 + self.count);
        out.iter_mut().zip(0..cold).for_each(|(out, _)| *out = NONE);
        self.count += count as u64;
        // Classes are numbers.
        cold == 0
    }
}

/// How many events are looked at at once: they lie beside their averages.
const PIECE: usize = 128;

impl Node for Trend {
    fn run(&mut self, inputs: &[Column<'_>], out: &mut [f64]) -> bool {
        each_wide(
            inputs[0],
            out,
            #[inline(always)]
            |input, out| self.step(input, out),
        )
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(Self::new(self.fast, self.slow, self.slope))
    }
}
