//! The tails of a series: quantiles, value at risk, expected shortfall.

use libm::floor;

use super::normal;
use super::returns::Returns;
use super::sum::sum;
use super::value::{Absent, Figure, ratio};

/// A series in ascending order.
#[derive(Clone, Debug)]
pub struct Sorted(Vec<f64>);

impl Sorted {
    pub fn new(values: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = values.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        Self(sorted)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Linear between order statistics: type 7 of Hyndman and Fan.
    pub fn quantile(&self, share: f64) -> Figure {
        let last = self.0.len().checked_sub(1).ok_or(Absent::None)?;
        let place = share * last as f64;
        let below = floor(place);
        let at = (below as usize).min(last);
        let next = self.0[(at + 1).min(last)];
        Ok(self.0[at] + (place - below) * (next - self.0[at]))
    }

    /// The mean of the smallest values up to the quantile's place.
    pub fn mean_below(&self, share: f64) -> Figure {
        let last = self.0.len().checked_sub(1).ok_or(Absent::None)?;
        let count = floor(share * last as f64) as usize + 1;
        Ok(sum(self.0[..count].iter().copied()) / count as f64)
    }

    pub fn tail_ratio(&self, share: f64) -> Figure {
        let (high, low) = (self.quantile(1.0 - share)?, self.quantile(share)?);
        ratio(high.abs(), low.abs(), Absent::ZeroDenominator)
    }
}

/// Value at risk under a normal distribution.
pub(super) fn var_gauss(returns: &Returns<'_>, share: f64) -> Figure {
    Ok(returns.mean()? + normal::quantile(share) * returns.vol_period()?)
}

/// The mean loss beyond it.
pub(super) fn cvar_gauss(returns: &Returns<'_>, share: f64) -> Figure {
    let z = normal::quantile(share);
    Ok(returns.mean()? - returns.vol_period()? * normal::density(z) / share)
}

/// Value at risk with skew and kurtosis counted, after Cornish and Fisher.
pub(super) fn var_cornish_fisher(returns: &Returns<'_>, share: f64) -> Figure {
    let z = normal::quantile(share);
    let (skew, excess) = (returns.skew()?, returns.kurtosis()? - 3.0);
    let by_skew = (z * z - 1.0) * skew / 6.0;
    let by_excess = (z * z * z - 3.0 * z) * excess / 24.0;
    let by_square = (2.0 * z * z * z - 5.0 * z) * skew * skew / 36.0;
    Ok(returns.mean()? + returns.vol_period()? * (z + by_skew + by_excess - by_square))
}
