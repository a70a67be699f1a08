//! Is it luck? Errors of the Sharpe ratio, and what many trials are worth.
//!
//! All Sharpe ratios here are of one period, on the excess returns that the reported one is of.

use libm::{exp, sqrt};

use super::normal;
use super::returns::Returns;
use super::value::{Absent, Figure};

/// Euler's constant.
const EULER_GAMMA: f64 = 0.577_215_664_901_532_9;

/// A Sharpe ratio with the shape of the returns behind it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    pub sharpe: f64,
    pub skew: f64,
    pub kurtosis: f64,
    pub count: usize,
}

impl Measured {
    pub fn of(returns: &Returns<'_>) -> Result<Self, Absent> {
        Ok(Self {
            sharpe: returns.sharpe_period()?,
            skew: returns.skew()?,
            kurtosis: returns.kurtosis()?,
            count: returns.count(),
        })
    }

    /// The variance of the ratio times one less than the count.
    fn variance(&self) -> Figure {
        let ratio = self.sharpe;
        let variance = 1.0 - self.skew * ratio + (self.kurtosis - 1.0) / 4.0 * ratio * ratio;
        // Skew and kurtosis of real samples keep this positive, but for rounding.
        if variance > 0.0 { Ok(variance) } else { Err(Absent::ZeroVariance) }
    }

    pub fn standard_error(&self) -> Figure {
        Ok(sqrt(self.variance()? / (self.count as f64 - 1.0)))
    }

    /// The probability that the true ratio exceeds `benchmark`.
    pub fn psr(&self, benchmark: f64) -> Figure {
        let root = sqrt(self.count as f64 - 1.0);
        Ok(normal::cdf((self.sharpe - benchmark) * root / sqrt(self.variance()?)))
    }

    /// How many periods it takes to say with confidence `p` that `benchmark` is exceeded.
    pub fn min_track_record(&self, p: f64, benchmark: f64) -> Figure {
        if self.sharpe <= benchmark {
            return Err(Absent::BelowBenchmark);
        }
        let steps = normal::quantile(p) / (self.sharpe - benchmark);
        Ok(1.0 + self.variance()? * steps * steps)
    }
}

/// Trials of one family of strategies: how many, and how their ratios spread.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Trials {
    pub count: f64,
    /// The sample variance of their Sharpe ratios.
    pub variance: f64,
}

impl Trials {
    /// Of trials with or without a ratio: a run too short for one was tried all the same.
    pub fn of(ratios: &[Option<f64>]) -> Self {
        let known: Vec<f64> = ratios.iter().copied().flatten().collect();
        let returns = Returns::new(&known, super::returns::Terms::DAILY);
        let deviation = returns.vol_period().unwrap_or(0.0);
        Self { count: ratios.len() as f64, variance: deviation * deviation }
    }

    /// As many independent trials as these are worth at that mean correlation.
    #[must_use]
    pub fn effective(self, correlation: f64) -> Self {
        Self { count: correlation + (1.0 - correlation) * self.count, ..self }
    }

    /// The best ratio to expect from that many trials without skill.
    pub fn expected_max(self) -> f64 {
        if self.count <= 1.0 {
            return 0.0;
        }
        let high = normal::quantile(1.0 - 1.0 / self.count);
        let higher = normal::quantile(1.0 - 1.0 / (self.count * exp(1.0)));
        sqrt(self.variance) * ((1.0 - EULER_GAMMA) * high + EULER_GAMMA * higher)
    }
}
