//! Figures about a series of returns, one a period.
//!
//! Means and variances take two passes over the kept series; each pass sums with compensation and
//! in several lanes. What is undefined says why. Absent on purpose: any clock. Periods are equal.

use std::cell::OnceCell;

use libm::{log1p, pow, sqrt};

use super::sum::{Total, sums};
use super::value::{Absent, Figure, ratio};
use super::wealth::Wealth;

/// How returns make up a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Each return is a share of the equity before it.
    Compounded,
    /// Each return is a share of one fixed capital.
    FixedCapital,
}

/// What ratios are measured against.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Terms {
    pub periods_per_year: f64,
    /// The risk-free rate of a year.
    pub risk_free: f64,
    /// The least acceptable return of a period.
    pub target: f64,
    pub mode: Mode,
}

impl Terms {
    /// Days of a market that never closes.
    pub const DAILY: Self =
        Self { periods_per_year: 365.0, risk_free: 0.0, target: 0.0, mode: Mode::Compounded };

    /// The risk-free rate of a period.
    pub fn risk_free_period(&self) -> f64 {
        pow(1.0 + self.risk_free, 1.0 / self.periods_per_year) - 1.0
    }
}

/// A series with the sums that its figures share. What few figures need is summed when one asks.
#[derive(Clone, Debug)]
pub struct Returns<'a> {
    series: &'a [f64],
    terms: Terms,
    sum: f64,
    mean: f64,
    /// The sum of squares below the target.
    below: f64,
    /// The central sum of squares.
    squares: f64,
    higher: OnceCell<[f64; 2]>,
    sides: OnceCell<[f64; 2]>,
    wealth: OnceCell<Wealth>,
}

impl<'a> Returns<'a> {
    pub fn new(series: &'a [f64], terms: Terms) -> Self {
        let (count, target) = (series.len() as f64, terms.target);
        let [sum, below] = sums(series, |r| {
            let short = (r - target).min(0.0);
            [r, short * short]
        });
        let mean = if series.is_empty() { 0.0 } else { sum / count };
        let [off, squares] = sums(series, |r| [r - mean, (r - mean) * (r - mean)]);
        // The mean was rounded; what the deviations add up to takes the error out again.
        let squares = if series.is_empty() { 0.0 } else { squares - off * off / count };
        let (higher, sides, wealth) = Default::default();
        Self { series, terms, sum, mean, below, squares, higher, sides, wealth }
    }

    /// Central sums of cubes and fourth powers.
    fn higher(&self) -> [f64; 2] {
        *self.higher.get_or_init(|| {
            sums(self.series, |r| {
                let (d, square) = (r - self.mean, (r - self.mean) * (r - self.mean));
                [square * d, square * square]
            })
        })
    }

    /// The sums of gains and of losses, the second zero or below.
    fn sides(&self) -> [f64; 2] {
        *self.sides.get_or_init(|| sums(self.series, |r| [r.max(0.0), r.min(0.0)]))
    }

    fn wealth(&self) -> &Wealth {
        self.wealth.get_or_init(|| Wealth::of(self.series))
    }

    fn total(&self) -> f64 {
        match self.terms.mode {
            Mode::Compounded => self.wealth().growth - 1.0,
            Mode::FixedCapital => self.sum,
        }
    }

    /// The deepest loss of the wealth that the returns make, from its running peak; the start is a
    /// peak too.
    pub fn max_drawdown(&self) -> Figure {
        self.least(1, Absent::None)?;
        Ok(self.wealth().deepest)
    }

    pub fn series(&self) -> &'a [f64] {
        self.series
    }

    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    pub fn count(&self) -> usize {
        self.series.len()
    }

    fn n(&self) -> f64 {
        self.series.len() as f64
    }

    fn least(&self, count: usize, reason: Absent) -> Result<(), Absent> {
        if self.series.len() < count { Err(reason) } else { Ok(()) }
    }

    fn annual_root(&self) -> f64 {
        sqrt(self.terms.periods_per_year)
    }

    pub fn total_return(&self) -> Figure {
        self.least(1, Absent::None)?;
        Ok(self.total())
    }

    pub fn cagr_periods(&self) -> Figure {
        self.grown(self.terms.periods_per_year / self.n())
    }

    /// By the calendar: 365 days of the time that passed.
    pub fn cagr_act365(&self, elapsed_ns: i64) -> Figure {
        const YEAR_NS: f64 = 365.0 * 86_400e9;
        if elapsed_ns <= 0 {
            return Err(Absent::ZeroElapsed);
        }
        self.grown(YEAR_NS / elapsed_ns as f64)
    }

    fn grown(&self, years: f64) -> Figure {
        self.least(1, Absent::None)?;
        let total = self.total();
        if total <= -1.0 {
            return Err(Absent::Ruin);
        }
        Ok(pow(1.0 + total, years) - 1.0)
    }

    pub fn mean(&self) -> Figure {
        self.least(1, Absent::None)?;
        Ok(self.mean)
    }

    /// The standard deviation of a sample.
    pub fn vol_period(&self) -> Figure {
        self.least(2, Absent::LessThanTwo)?;
        Ok(sqrt(self.squares.max(0.0) / (self.n() - 1.0)))
    }

    pub fn vol_ann(&self) -> Figure {
        Ok(self.vol_period()? * self.annual_root())
    }

    /// The deviation, if it is not zero but for rounding.
    fn spread(&self) -> Figure {
        let vol = self.vol_period()?;
        if vol <= 1e-15 * self.mean.abs() || vol == 0.0 {
            Err(Absent::ZeroVariance)
        } else {
            Ok(vol)
        }
    }

    /// The Sharpe ratio of one period.
    pub fn sharpe_period(&self) -> Figure {
        Ok((self.mean - self.terms.risk_free_period()) / self.spread()?)
    }

    pub fn sharpe(&self) -> Figure {
        Ok(self.sharpe_period()? * self.annual_root())
    }

    pub fn downside_dev_period(&self) -> Figure {
        self.least(1, Absent::None)?;
        Ok(sqrt(self.below / self.n()))
    }

    pub fn downside_dev_ann(&self) -> Figure {
        Ok(self.downside_dev_period()? * self.annual_root())
    }

    pub fn sortino(&self) -> Figure {
        self.least(2, Absent::LessThanTwo)?;
        let excess = self.mean - self.terms.target;
        Ok(ratio(excess, self.downside_dev_period()?, Absent::NoLosses)? * self.annual_root())
    }

    pub fn omega(&self) -> Figure {
        self.least(1, Absent::None)?;
        let [gains, losses] = self.sides();
        ratio(gains, -losses, Absent::NoLosses)
    }

    pub fn gain_to_pain(&self) -> Figure {
        self.least(1, Absent::None)?;
        let [gains, losses] = self.sides();
        ratio(gains + losses, -losses, Absent::NoLosses)
    }

    /// The skew of the population.
    pub fn skew(&self) -> Figure {
        self.spread()?;
        let (n, [cubes, _]) = (self.n(), self.higher());
        let variance = self.squares / n;
        Ok(cubes / n / (variance * sqrt(variance)))
    }

    /// The raw kurtosis of the population: three for a normal one.
    pub fn kurtosis(&self) -> Figure {
        self.spread()?;
        let (n, [_, fourths]) = (self.n(), self.higher());
        let variance = self.squares / n;
        Ok(fourths / n / (variance * variance))
    }

    pub fn skew_adj(&self) -> Figure {
        self.least(4, Absent::LessThanFour)?;
        let n = self.n();
        Ok(self.skew()? * sqrt(n * (n - 1.0)) / (n - 2.0))
    }

    pub fn excess_kurtosis_adj(&self) -> Figure {
        self.least(4, Absent::LessThanFour)?;
        let n = self.n();
        let inner = (n + 1.0) * (self.kurtosis()? - 3.0) + 6.0;
        Ok((n - 1.0) / ((n - 2.0) * (n - 3.0)) * inner)
    }

    pub fn best(&self) -> Figure {
        self.series.iter().copied().reduce(f64::max).ok_or(Absent::None)
    }

    pub fn worst(&self) -> Figure {
        self.series.iter().copied().reduce(f64::min).ok_or(Absent::None)
    }

    pub fn win_rate(&self) -> Figure {
        let wins = self.series.iter().filter(|r| **r > 0.0).count();
        let decided = self.series.len() - self.flat_periods();
        ratio(wins as f64, decided as f64, Absent::NoneDecided)
    }

    pub fn flat_periods(&self) -> usize {
        self.series.iter().filter(|r| **r == 0.0).count()
    }

    /// How straight the cumulative log return runs against time.
    pub fn stability(&self) -> Figure {
        self.least(2, Absent::LessThanTwo)?;
        if self.series.iter().any(|r| *r <= -1.0) {
            return Err(Absent::Ruin);
        }
        let mut grown = Total::default();
        let middle = (self.n() - 1.0) / 2.0;
        let levels = self.series.iter().map(|r| {
            grown.add(log1p(*r));
            grown.value()
        });
        let levels: Vec<f64> = levels.collect();
        let mean = sums(&levels, |level| [level])[0] / self.n();
        let (mut xy, mut xx, mut yy) = (Total::default(), Total::default(), Total::default());
        for (at, level) in levels.iter().enumerate() {
            let (x, y) = (at as f64 - middle, level - mean);
            xy.add(x * y);
            xx.add(x * x);
            yy.add(y * y);
        }
        if yy.value() == 0.0 {
            return Err(Absent::ZeroVariance);
        }
        Ok(xy.value() * xy.value() / (xx.value() * yy.value()))
    }

    pub fn autocorrelation(&self, lag: usize) -> Figure {
        self.spread()?;
        let late = self.series.iter().skip(lag);
        let products = late.zip(self.series).map(|(a, b)| (a - self.mean) * (b - self.mean));
        Ok(super::sum::sum(products) / self.squares)
    }

    /// Lo's Sharpe ratio over `horizon` periods, serial correlation counted.
    pub fn sharpe_lo(&self, horizon: usize) -> Figure {
        let q = horizon as f64;
        let mut total = Total::default();
        for lag in 1..horizon {
            total.add((horizon - lag) as f64 * self.autocorrelation(lag)?);
        }
        let radicand = q + 2.0 * total.value();
        if radicand <= 0.0 {
            return Err(Absent::NegativeRadicand);
        }
        Ok(self.sharpe_period()? * q / sqrt(radicand))
    }
}

/// Figures of a series against another of the same periods.
#[derive(Clone, Copy, Debug)]
pub struct Against {
    pub beta: Figure,
    pub alpha_period: Figure,
    pub alpha_ann: Figure,
    pub tracking_error: Figure,
    pub information_ratio: Figure,
    pub correlation: Figure,
}

impl Against {
    /// All of them absent for one reason.
    pub const fn absent(reason: Absent) -> Self {
        let none = Err(reason);
        Self {
            beta: none,
            alpha_period: none,
            alpha_ann: none,
            tracking_error: none,
            information_ratio: none,
            correlation: none,
        }
    }

    pub fn new(returns: &Returns<'_>, benchmark: &[f64]) -> Self {
        let other = Returns::new(benchmark, returns.terms);
        let (own, n) = (returns.series, returns.n());
        assert_eq!(own.len(), benchmark.len(), "a benchmark has the same periods");
        let both = own.iter().zip(benchmark);
        let shared = super::sum::sum(both.map(|(r, b)| (r - returns.mean) * (b - other.mean)));
        let risk_free = returns.terms.risk_free_period();
        let beta = other.spread().map(|_| shared / other.squares);
        let alpha = beta.map(|beta| (returns.mean - risk_free) - beta * (other.mean - risk_free));
        let differences: Vec<f64> = own.iter().zip(benchmark).map(|(r, b)| r - b).collect();
        let active = Returns::new(&differences, Terms { risk_free: 0.0, ..returns.terms });
        let correlation =
            other.spread().and_then(|b| Ok(shared / (n - 1.0) / (returns.spread()? * b)));
        Self {
            beta,
            alpha_period: alpha,
            alpha_ann: alpha.map(|alpha| pow(1.0 + alpha, returns.terms.periods_per_year) - 1.0),
            tracking_error: active.vol_ann(),
            information_ratio: active.sharpe(),
            correlation,
        }
    }
}
