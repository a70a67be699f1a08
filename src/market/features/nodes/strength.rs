//! Gains against losses, and where a value lies in its band.

use super::window::Moments;
use crate::features::node::{Node, each};
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
    Plain { gains: Moments, losses: Moments },
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
    if loss == 0.0 {
        100.0
    } else if gain == 0.0 {
        0.0
    } else {
        100.0 - 100.0 / (1.0 + gain / loss)
    }
}

impl Average {
    /// Takes a change; the averages, once there are enough.
    fn push(&mut self, change: f64, period: usize) -> Option<(f64, f64)> {
        let (up, down) = (change.max(0.0), (-change).max(0.0));
        match self {
            Self::Plain { gains, losses } => {
                gains.push(up);
                losses.push(down);
                gains.is_full().then(|| (gains.mean(), losses.mean()))
            }
            Self::Wilder { gain, loss, count } => {
                *count += 1;
                let n = period as f64;
                if *count <= period {
                    *gain += up / n;
                    *loss += down / n;
                } else {
                    // The next average waits for this one, so nothing here divides.
                    let (new, old) = (1.0 / n, 1.0 - 1.0 / n);
                    *gain = old * *gain + new * up;
                    *loss = old * *loss + new * down;
                }
                (*count >= period).then_some((*gain, *loss))
            }
        }
    }
}

#[inline]
fn run(
    average: &mut Average,
    period: usize,
    last: &mut Option<f64>,
    input: &[f64],
    out: &mut [f64],
) {
    each(input, out, |value| {
        let Some(before) = last.replace(value) else { return NONE };
        match average.push(value - before, period) {
            Some((gain, loss)) => index(gain, loss),
            None => NONE,
        }
    });
}

impl Node for Strength {
    fn run(&mut self, inputs: &[&[f64]], out: &mut [f64]) {
        let Self { period, average, last } = self;
        if let Average::Wilder { gain, loss, count } = average {
            // Copies, so that the averages stay in registers.
            let mut local = Average::Wilder { gain: *gain, loss: *loss, count: *count };
            run(&mut local, *period, last, inputs[0], out);
            *average = local;
        } else {
            run(average, *period, last, inputs[0], out);
        }
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
    moments: Moments,
}

impl BandPosition {
    pub(crate) fn new(period: usize, width: f64) -> Self {
        Self { period, width, moments: Moments::new(period) }
    }
}

impl Node for BandPosition {
    fn run(&mut self, inputs: &[&[f64]], out: &mut [f64]) {
        let width = self.width;
        self.moments.run(inputs[0], out, |sums, value| {
            let (mean, reach) = (sums.mean(), width * sums.variance().sqrt());
            let (low, high) = (mean - reach, mean + reach);
            if high > low { ((value - low) / (high - low)).clamp(0.0, 1.0) } else { 0.5 }
        });
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(Self::new(self.period, self.width))
    }
}
