//! Gains against losses, and where a value lies in its band.

use super::window::Moments;
use crate::features::node::{BLOCK, Node, each};
use crate::features::value::NONE;

/// `rsi` (Wilder's smoothing) and `rsi_sma` (plain averages).
#[derive(Clone, Debug)]
pub(crate) struct Strength {
    period: usize,
    average: Average,
    last: Option<f64>,
}

#[derive(Clone, Debug)]
enum Average {
    Plain { gains: Moments<false>, losses: Moments<false> },
    Wilder { gain: f64, loss: f64, count: usize },
}

impl Strength {
    pub(crate) fn plain(period: usize) -> Self {
        let average = Average::Plain { gains: Moments::new(period), losses: Moments::new(period) };
        Self { period, average, last: None }
    }

    pub(crate) fn wilder(period: usize) -> Self {
        let average = Average::Wilder { gain: 0.0, loss: 0.0, count: 0 };
        Self { period, average, last: None }
    }
}

/// The index of average gain and loss.
fn index(gain: f64, loss: f64) -> f64 {
    let index = 100.0 - 100.0 / (1.0 + gain / loss);
    let or_none = if gain == 0.0 { 0.0 } else { index };
    if loss == 0.0 { 100.0 } else { or_none }
}

impl Average {
    /// Takes gains and losses; the losses become the index, or nothing until there are enough.
    fn run(&mut self, period: usize, up: &mut [f64], down: &mut [f64], out: &mut [f64]) {
        match self {
            Self::Plain { gains, losses } => {
                let mut mean = [0.0; BLOCK];
                let mean = &mut mean[..up.len()];
                gains.run(up, mean, |sums, _| sums.mean());
                losses.run(down, out, |sums, _| sums.mean());
                for (gain, out) in mean.iter().zip(out) {
                    *out = if gain.is_nan() { NONE } else { index(*gain, *out) };
                }
            }
            Self::Wilder { gain, loss, count } => {
                let cold = period.saturating_sub(*count).min(up.len());
                let n = period as f64;
                for (up, down) in up[..cold].iter().zip(&down[..cold]) {
                    *gain += up / n;
                    *loss += down / n;
                }
                *count += cold;
                // The next average waits for this one, so nothing here divides.
                let (new, old) = (1.0 / n, 1.0 - 1.0 / n);
                let (mut up_mean, mut down_mean) = (*gain, *loss);
                for (up, down) in up[cold..].iter_mut().zip(&mut down[cold..]) {
                    up_mean = old * up_mean + new * *up;
                    down_mean = old * down_mean + new * *down;
                    (*up, *down) = (up_mean, down_mean);
                }
                for ((up, down), out) in up.iter().zip(down.iter()).zip(out.iter_mut()) {
                    *out = index(*up, *down);
                }
                if cold > 0 {
                    // The value that completes the first averages has one.
                    let last = if *count == period { index(*gain, *loss) } else { NONE };
                    out[..cold].fill(NONE);
                    out[cold - 1] = last;
                }
                (*gain, *loss) = (up_mean, down_mean);
            }
        }
    }
}

impl Node for Strength {
    fn run(&mut self, inputs: &[&[f64]], out: &mut [f64]) {
        each(inputs[0], out, |input, out| {
            let (mut input, mut out) = (input, out);
            let mut last = match (self.last, input) {
                (Some(last), _) => last,
                (None, []) => return,
                (None, [first, rest @ ..]) => {
                    out[0] = NONE;
                    (input, out) = (rest, &mut out[1..]);
                    *first
                }
            };
            let (mut up, mut down) = ([0.0; BLOCK], [0.0; BLOCK]);
            for ((value, up), down) in input.iter().zip(&mut up).zip(&mut down) {
                let change = value - last;
                *up = if change > 0.0 { change } else { 0.0 };
                *down = if change < 0.0 { -change } else { 0.0 };
                last = *value;
            }
            self.last = Some(last);
            let count = input.len();
            self.average.run(self.period, &mut up[..count], &mut down[..count], out);
        });
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(match self.average {
            Average::Plain { .. } => Self::plain(self.period),
            Average::Wilder { .. } => Self::wilder(self.period),
        })
    }
}

/// `bb_pos`: where the value lies between the bands, from 0 to 1.
#[derive(Clone, Debug)]
pub(crate) struct BandPosition {
    period: usize,
    width: f64,
    moments: Moments<true>,
}

impl BandPosition {
    pub(crate) fn new(period: usize, width: f64) -> Self {
        Self { period, width, moments: Moments::new(period) }
    }
}

impl Node for BandPosition {
    fn run(&mut self, inputs: &[&[f64]], out: &mut [f64]) {
        let width = self.width;
        each(inputs[0], out, |input, out| {
            self.moments.run(input, out, |sums, value| {
                let (mean, reach) = (sums.mean(), width * sums.variance().sqrt());
                let (low, high) = (mean - reach, mean + reach);
                if high > low { ((value - low) / (high - low)).clamp(0.0, 1.0) } else { 0.5 }
            });
        });
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(Self::new(self.period, self.width))
    }
}
