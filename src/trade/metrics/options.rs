//! What statistics are asked for.

use qt_model::ids::InstrumentId;
use qt_model::order::Currency;

use super::bootstrap::Plan;
use super::inference::Trials;
use super::returns::{Mode, Terms};
use super::sampler::Sample;
use super::trades::Matching;
use crate::ledger::Money;

/// A time after a fill at which the mid is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Horizon(i64);

/// Why a text is no horizon.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no horizon: expected a whole number of ns, us, ms, s, m or h, such as 100ms")]
pub struct HorizonError(pub String);

const UNITS: [(&str, i64); 6] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

impl Horizon {
    pub fn parse(text: &str) -> Result<Self, HorizonError> {
        let error = || HorizonError(text.chars().take(40).collect());
        let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(error)?;
        let (number, unit) = text.split_at(digits);
        let unit = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(error)?.1;
        let nanos = number.parse::<i64>().ok().and_then(|number| number.checked_mul(unit));
        nanos.filter(|nanos| *nanos > 0).map(Self).ok_or_else(error)
    }

    pub const fn nanos(self) -> i64 {
        self.0
    }
}

impl std::fmt::Display for Horizon {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let fits = UNITS.iter().find(|(_, unit)| self.0 % unit == 0);
        let (name, unit) = fits.expect("every whole number is one of nanoseconds");
        write!(f, "{}{name}", self.0 / unit)
    }
}

/// How to measure a run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Of the account: all money is in it.
    pub currency: Currency,
    pub sample: Sample,
    /// Periods of a year; `None`: those of a market that never closes.
    pub periods_per_year: Option<f64>,
    pub mode: Mode,
    /// What returns are shares of in fixed-capital mode.
    pub capital: Money,
    /// The risk-free rate of a year.
    pub risk_free: f64,
    /// The least acceptable return of a period.
    pub target: f64,
    pub matching: Matching,
    /// Ascending and not empty.
    pub horizons: Vec<Horizon>,
    /// The place in `horizons` at which adverse selection ends and inventory begins.
    pub attribution: usize,
    /// How many of the deepest drawdowns are kept.
    pub deepest: usize,
    /// The instrument whose mid is the benchmark.
    pub benchmark: Option<InstrumentId>,
    pub bootstrap: Option<Plan>,
    /// Whether records of fills and trades are made, for a caller who takes them.
    pub rows: bool,
    /// All trials of the strategy's family, this one included.
    pub trials: Option<Trials>,
    /// Their mean correlation, where it is known.
    pub trial_correlation: Option<f64>,
}

impl Options {
    pub fn new(currency: Currency) -> Self {
        let horizons = [100_000_000, 1_000_000_000, 10_000_000_000].map(Horizon).to_vec();
        Self {
            currency,
            sample: Sample::DAY,
            periods_per_year: None,
            mode: Mode::Compounded,
            capital: Money::ZERO,
            risk_free: 0.0,
            target: 0.0,
            matching: Matching::Episode,
            horizons,
            attribution: 1,
            deepest: 5,
            benchmark: None,
            bootstrap: None,
            rows: true,
            trials: None,
            trial_correlation: None,
        }
    }

    pub fn terms(&self) -> Terms {
        Terms {
            periods_per_year: self
                .periods_per_year
                .unwrap_or_else(|| self.sample.periods_per_year()),
            risk_free: self.risk_free,
            target: self.target,
            mode: self.mode,
        }
    }

    pub(super) fn assert_sound(&self) {
        let ascend = self.horizons.windows(2).all(|pair| pair[0] < pair[1]);
        assert!(ascend && self.attribution < self.horizons.len(), "horizons: {:?}", self.horizons);
        let is_fixed = self.mode == Mode::FixedCapital;
        assert!(!is_fixed || self.capital > Money::ZERO, "fixed capital is above zero");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn horizons_read_back_in_their_largest_unit() {
        for (text, shown) in
            [("100ms", "100ms"), ("1000ms", "1s"), ("90s", "90s"), ("60s", "1m"), ("7ns", "7ns")]
        {
            assert_eq!(Horizon::parse(text).unwrap().to_string(), shown);
        }
        for text in ["", "ms", "0s", "1", "1.5s", "-1s", "99999999999h", "1 s"] {
            assert!(Horizon::parse(text).is_err(), "{text}");
        }
    }
}
