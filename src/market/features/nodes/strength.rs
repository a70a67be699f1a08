//! Gains against losses, and where a value lies in its band.

use super::smooth::{Average, Seed};
use super::window::{Level, Moments};
use crate::features::node::{Column, Node, each_wide, map_held};
use crate::features::value::NONE;
use crate::features::wide::wide;

/// `rsi` (Wilder's smoothing) and `rsi_sma` (plain averages).
#[derive(Clone, Debug)]
pub(crate) struct Strength {
    period: usize,
    averages: Averages,
    last: Option<f64>,
}

#[derive(Clone, Debug)]
enum Averages {
    Plain { gains: Moments<false>, losses: Moments<false> },
    Wilder { gains: Average, losses: Average },
}

impl Strength {
    pub(crate) fn plain(period: usize) -> Self {
        let averages =
            Averages::Plain { gains: Moments::new(period), losses: Moments::new(period) };
        Self { period, averages, last: None }
    }

    pub(crate) fn wilder(period: usize) -> Self {
        let average = Average::new(1.0 / period as f64, period as u64, Seed::Mean);
        let averages = Averages::Wilder { gains: average.fresh(), losses: average };
        Self { period, averages, last: None }
    }
}

/// The index of average gain and loss. It stays absent where they are.
#[inline(always)]
fn index(gain: f64, loss: f64) -> f64 {
    let index = 100.0 * (gain / (gain + loss));
    if gain + loss == 0.0 { 100.0 } else { index }
}

impl Averages {
    /// Takes gains and losses; the index behind each. Whether there is one for all for certain.
    #[inline(always)]
    fn run(&mut self, up: &[f64], down: &[f64], out: &mut [f64]) -> bool {
        match self {
            Self::Plain { gains, losses } => {
                let mut mean = [0.0; PIECE];
                let mean = &mut mean[..up.len()];
                let are_whole = gains.run(up, Level::Mean, mean, &mut [])
                    & losses.run(down, Level::Mean, out, &mut []);
                for (gain, out) in mean.iter().zip(out) {
                    let index = index(*gain, *out);
                    *out = if gain.is_nan() { NONE } else { index };
                }
                are_whole
            }
            Self::Wilder { gains, losses } => gains.run_with(losses, [up, down], out, index),
        }
    }
}

/// How many changes are looked at at once: they lie beside the averages.
const PIECE: usize = 64;

impl Strength {
    #[inline(always)]
    fn step(&mut self, input: &[f64], out: &mut [f64]) -> bool {
        let mut is_whole = self.last.is_some();
        let (mut input, mut out) = (input, out);
        let mut last = match (self.last, input) {
            (Some(last), _) => last,
            (None, []) => return true,
            (None, [first, rest @ ..]) => {
                out[0] = NONE;
                (input, out) = (rest, &mut out[1..]);
                *first
            }
        };
        for (input, out) in input.chunks(PIECE).zip(out.chunks_mut(PIECE)) {
            let (mut up, mut down) = ([0.0; PIECE], [0.0; PIECE]);
            let mut before = [last; PIECE];
            before[1..input.len()].copy_from_slice(&input[..input.len() - 1]);
            for (((value, before), up), down) in
                input.iter().zip(&before).zip(&mut up).zip(&mut down)
            {
                let change = value - before;
                *up = if change > 0.0 { change } else { 0.0 };
                *down = if change < 0.0 { -change } else { 0.0 };
            }
            is_whole &= self.averages.run(&up[..input.len()], &down[..input.len()], out);
            last = input.last().copied().unwrap_or(last);
        }
        self.last = Some(last);
        is_whole
    }
}

impl Node for Strength {
    fn run(&mut self, inputs: &[Column<'_>], out: &mut [f64]) -> bool {
        each_wide(
            inputs[0],
            out,
            #[inline(always)]
            |input, out| self.step(input, out),
        )
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(match self.averages {
            Averages::Plain { .. } => Self::plain(self.period),
            Averages::Wilder { .. } => Self::wilder(self.period),
        })
    }
}

/// `bb_pos`: where a value lies between the bands, from 0 to 1, by the mean and the deviation of its
/// window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BandPosition {
    width: f64,
    held: [f64; 3],
}

impl BandPosition {
    pub(crate) fn new(width: f64) -> Self {
        Self { width, held: [NONE; 3] }
    }
}

impl Node for BandPosition {
    fn run(&mut self, inputs: &[Column<'_>], out: &mut [f64]) -> bool {
        let width = self.width;
        let inputs = [inputs[0], inputs[1], inputs[2]];
        let place = |[value, mean, deviation]: [f64; 3]| {
            let reach = width * deviation;
            let (low, high) = (mean - reach, mean + reach);
            let place = (value - low) / (high - low);
            let place = if place > 0.0 { place } else { 0.0 };
            let place = if place < 1.0 { place } else { 1.0 };
            if high > low { place } else { 0.5 }
        };
        wide(
            #[inline(always)]
            || map_held(inputs, &mut self.held, out, place),
        )
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(Self::new(self.width))
    }
}
