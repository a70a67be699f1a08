//! Against the value so many events ago.

use super::logarithm::{log, log_all};
use super::ring::Ring;
use crate::features::node::{Column, Node, each_wide};
use crate::features::value::{NONE, finite};

/// What is made of a value and the one before.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Against {
    /// The old value itself.
    Lag,
    Difference,
    /// (new − old)/old; none unless old is above zero.
    Return,
    /// (new − old)/old; none where old is zero.
    Change,
    /// ln(new/old).
    LogReturn,
}

impl Against {
    #[inline]
    pub(super) fn of(self, old: f64, new: f64) -> f64 {
        match self {
            Self::Lag => old,
            Self::Difference => new - old,
            Self::Return if old > 0.0 => (new - old) / old,
            Self::Return => NONE,
            Self::Change => finite((new - old) / old),
            Self::LogReturn => {
                let ratio = Self::ratio(old, new);
                if ratio.is_nan() { ratio } else { log(ratio) }
            }
        }
    }

    /// new/old; none unless both are above zero, and it has a logarithm.
    #[inline]
    fn ratio(old: f64, new: f64) -> f64 {
        let ratio = new / old;
        let has_logarithm = (ratio > 0.0) & (ratio <= f64::MAX);
        if (old > 0.0) & (new > 0.0) & has_logarithm { ratio } else { NONE }
    }
}

/// `lag`, `diff`, `ret`, `change`, `logret`.
#[derive(Clone, Debug)]
pub(crate) struct Shift {
    against: Against,
    ring: Ring,
}

impl Shift {
    pub(crate) fn new(against: Against, events: usize) -> Self {
        Self { against, ring: Ring::new(events) }
    }
}

impl Shift {
    #[inline(always)]
    fn step(&mut self, input: &[f64], out: &mut [f64]) -> bool {
        let ring = &mut self.ring;
        // One loop for each of them: the question is asked once a block.
        match self.against {
            Against::Lag => ring.pair(input, out, |old, new| Against::Lag.of(old, new)),
            Against::Difference => {
                ring.pair(input, out, |old, new| Against::Difference.of(old, new))
            }
            Against::Return => ring.pair(input, out, |old, new| Against::Return.of(old, new)),
            Against::Change => ring.pair(input, out, |old, new| Against::Change.of(old, new)),
            Against::LogReturn => {
                ring.pair(input, out, Against::ratio);
                log_all(out)
            }
        }
    }
}

impl Node for Shift {
    fn run(&mut self, inputs: &[Column<'_>], out: &mut [f64]) -> bool {
        each_wide(
            inputs[0],
            out,
            #[inline(always)]
            |input, out| self.step(input, out),
        )
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(Self::new(self.against, self.ring.size()))
    }
}
