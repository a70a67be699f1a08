//! What wealth of one becomes by a series of returns: its growth and its deepest loss.
//!
//! A series is cut into stretches that are followed side by side, since each step of one waits for
//! the step before. Stretches join: the deepest loss lies within one, or between the highest point of
//! the first and the lowest of the second.

/// How many stretches are followed at once.
const STRETCHES: usize = 4;

/// A stretch of wealth that begins at one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Wealth {
    /// Wealth at the end.
    pub(super) growth: f64,
    /// Lowest wealth as a share of a peak before it, less one; zero where it never fell.
    pub(super) deepest: f64,
    peak: f64,
    trough: f64,
}

impl Wealth {
    const ONE: Self = Self { growth: 1.0, deepest: 0.0, peak: 1.0, trough: 1.0 };

    pub(super) fn of(series: &[f64]) -> Self {
        let length = series.len() / STRETCHES;
        let (even, rest) = series.split_at(length * STRETCHES);
        let mut runners = [Runner::START; STRETCHES];
        for at in 0..length {
            for (stretch, runner) in runners.iter_mut().enumerate() {
                runner.step(even[stretch * length + at]);
            }
        }
        let joined = runners.iter().fold(Self::ONE, |whole, runner| whole.join(&runner.finish()));
        let mut last = Runner::START;
        rest.iter().for_each(|r| last.step(*r));
        joined.join(&last.finish())
    }

    fn join(&self, next: &Self) -> Self {
        let trough = self.growth * next.trough;
        Self {
            growth: self.growth * next.growth,
            deepest: self.deepest.min(next.deepest).min(trough / self.peak - 1.0),
            peak: self.peak.max(self.growth * next.peak),
            trough: self.trough.min(trough),
        }
    }
}

/// Follows one stretch. The deepest loss is kept as a pair: comparing pairs takes no division.
#[derive(Clone, Copy)]
struct Runner {
    wealth: f64,
    peak: f64,
    trough: f64,
    deepest: (f64, f64),
}

impl Runner {
    const START: Self = Self { wealth: 1.0, peak: 1.0, trough: 1.0, deepest: (1.0, 1.0) };

    #[inline]
    fn step(&mut self, r: f64) {
        self.wealth *= 1.0 + r;
        self.peak = self.peak.max(self.wealth);
        self.trough = self.trough.min(self.wealth);
        let (low, high) = self.deepest;
        if self.wealth * high < low * self.peak {
            self.deepest = (self.wealth, self.peak);
        }
    }

    fn finish(&self) -> Wealth {
        let deepest = self.deepest.0 / self.deepest.1 - 1.0;
        Wealth { growth: self.wealth, deepest, peak: self.peak, trough: self.trough }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn stretches_join_to_the_whole(series in prop::collection::vec(-0.9_f64..1.0, 0..60)) {
            let (mut wealth, mut peak, mut deepest) = (1.0_f64, 1.0_f64, 0.0_f64);
            for r in &series {
                wealth *= 1.0 + r;
                peak = peak.max(wealth);
                deepest = deepest.min(wealth / peak - 1.0);
            }
            let found = Wealth::of(&series);
            prop_assert!((found.growth / wealth - 1.0).abs() < 1e-12);
            prop_assert!((found.deepest - deepest).abs() < 1e-12, "{} {}", found.deepest, deepest);
        }
    }

    #[test]
    fn ruin_is_a_loss_of_everything() {
        let found = Wealth::of(&[0.1, -1.0, 0.5, 0.5, 0.5]);
        assert_eq!((found.growth, found.deepest), (0.0, -1.0));
    }
}
