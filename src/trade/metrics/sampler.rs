//! Equity on a grid of equal periods, and the returns between its samples.
//!
//! A sample is the last equity at or before its instant. The first is the starting equity at the
//! start; a last period that the grid cuts is kept, unless it is the only one. Memory: one double
//! a period, two with a benchmark. Absent on purpose: sessions of a calendar, and months.

use qt_model::time::{DAY_NANOS, Ts};

use super::along::Steps;
use super::drawdown::Drawdown;
use super::returns::Mode;
use super::sum::Total;
use crate::ledger::DoublePx;
use crate::ledger::Money;

/// The length of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    nanos: i64,
}

/// Why a length makes no grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a period of {0} ns makes no grid: expected a divisor of a day, a day, or a week")]
pub struct SampleError(pub i64);

impl Sample {
    pub const DAY: Self = Self { nanos: DAY_NANOS };

    /// A divisor of a day, a day, or a week, in nanoseconds.
    pub fn every(nanos: i64) -> Result<Self, SampleError> {
        let fits = nanos > 0 && DAY_NANOS % nanos == 0 || nanos == 7 * DAY_NANOS;
        if fits { Ok(Self { nanos }) } else { Err(SampleError(nanos)) }
    }

    pub const fn nanos(self) -> i64 {
        self.nanos
    }

    /// How many make a year of a market that never closes.
    pub fn periods_per_year(self) -> f64 {
        // Fifty-two weeks, as everyone counts them, though a year is longer by a day.
        if self.nanos == 7 * DAY_NANOS { 52.0 } else { 365.0 * (DAY_NANOS / self.nanos) as f64 }
    }

    /// The first instant of the grid after `ts`.
    fn after(self, ts: Ts) -> Ts {
        // Weeks begin on Mondays, and the epoch was a Thursday.
        let offset = if self.nanos == 7 * DAY_NANOS { 4 * DAY_NANOS } else { 0 };
        let place = ts.nanos().saturating_sub(offset).div_euclid(self.nanos);
        Ts::from_nanos((place + 1).saturating_mul(self.nanos).saturating_add(offset))
    }
}

/// Samples equity. See the module.
#[derive(Clone, Debug)]
pub(super) struct Sampler {
    sample: Sample,
    mode: Mode,
    capital: Money,
    next: Ts,
    last_ts: Ts,
    /// Equity at the last sample, and now.
    previous: Money,
    equity: Money,
    flows: Money,
    returns: Vec<f64>,
    benchmark: Option<Benchmark>,
    is_broken: bool,
    drawdown: Drawdown<Money>,
    loss_squares: Total,
}

#[derive(Clone, Debug)]
struct Benchmark {
    previous: Option<DoublePx>,
    now: Option<DoublePx>,
    returns: Vec<f64>,
}

/// What was sampled.
#[derive(Clone, Debug)]
pub(super) struct Sampled {
    pub returns: Vec<f64>,
    /// Of the same periods, where a benchmark was given and known from the start.
    pub benchmark: Option<Vec<f64>>,
    /// Equity came to zero or below: the returns mean nothing.
    pub is_broken: bool,
    pub is_last_partial: bool,
    pub first: Ts,
    pub last: Ts,
    pub drawdown: super::drawdown::Drawdowns,
    pub ulcer: Option<f64>,
}

impl Sampler {
    pub(super) fn new(
        sample: Sample,
        mode: Mode,
        capital: Money,
        start: Ts,
        equity: Money,
        keep: usize,
    ) -> Self {
        let fixed = (mode == Mode::FixedCapital).then_some(capital);
        Self {
            sample,
            mode,
            capital,
            next: sample.after(start),
            last_ts: start,
            previous: equity,
            equity,
            flows: Money::ZERO,
            returns: Vec::new(),
            benchmark: None,
            is_broken: false,
            drawdown: Drawdown::new(start, equity, fixed, keep),
            loss_squares: Total::default(),
        }
    }

    /// Follows a second price on the same grid.
    pub(super) fn with_benchmark(&mut self) {
        self.benchmark = Some(Benchmark { previous: None, now: None, returns: Vec::new() });
    }

    #[inline]
    pub(super) fn equity(&mut self, ts: Ts, equity: Money) {
        self.advance(ts);
        self.equity = equity;
    }

    /// The equities of some marks; most stretches end before a sample is due.
    pub(super) fn along(&mut self, steps: &Steps, since: Ts, marks: &[(Ts, DoublePx)]) {
        let Some((end, _)) = marks.last() else { return };
        let first = if *end > self.next { 0 } else { marks.len() - 1 };
        for (ts, mark) in &marks[first..] {
            self.equity((*ts).max(since), steps.money(steps.words.equity(*mark)));
        }
    }

    #[inline]
    pub(super) fn benchmark(&mut self, ts: Ts, px: DoublePx) {
        self.advance(ts);
        if let Some(benchmark) = &mut self.benchmark {
            benchmark.now = Some(px);
            benchmark.previous.get_or_insert(px);
        }
    }

    /// Cash that came from outside, or went there. `equity` follows with it inside.
    pub(super) fn flow(&mut self, ts: Ts, amount: Money) {
        self.advance(ts);
        self.flows += amount;
        let before = self.equity;
        self.equity += amount;
        if self.mode == Mode::Compounded {
            self.drawdown.rescale(before, self.equity);
        }
    }

    #[inline]
    fn advance(&mut self, ts: Ts) {
        while ts > self.next {
            self.take(self.next);
            self.next = self.sample.after(self.next);
        }
    }

    fn take(&mut self, ts: Ts) {
        let gain = self.equity - self.flows - self.previous;
        match self.mode {
            Mode::Compounded if self.previous <= Money::ZERO => self.is_broken = true,
            Mode::Compounded => self.returns.push(gain.per(self.previous)),
            Mode::FixedCapital => self.returns.push(gain.per(self.capital)),
        }
        self.previous = self.equity;
        self.flows = Money::ZERO;
        self.last_ts = ts;
        self.drawdown.observe(ts, self.equity);
        let loss = self.drawdown.loss(self.equity);
        self.loss_squares.add(loss * loss);
        if let Some(benchmark) = &mut self.benchmark {
            let change = match (benchmark.previous, benchmark.now) {
                (Some(from), Some(to)) if from.units() != 0 => {
                    to.units() as f64 / from.units() as f64 - 1.0
                }
                (Some(_) | None, _) => 0.0,
            };
            benchmark.returns.push(change);
            benchmark.previous = benchmark.now;
        }
    }

    pub(super) fn finish(mut self, first: Ts, end: Ts) -> Sampled {
        self.advance(end);
        if self.next == end {
            self.take(end);
        }
        let is_last_partial = self.last_ts < end && self.last_ts > first;
        if is_last_partial {
            self.take(end);
        }
        let count = self.returns.len();
        let ulcer = libm::sqrt(self.loss_squares.value() / count as f64);
        Sampled {
            ulcer: (count > 0 && ulcer.is_finite()).then_some(ulcer),
            returns: self.returns,
            benchmark: self
                .benchmark
                .filter(|it| it.previous.is_some() && it.returns.len() == count)
                .map(|it| it.returns),
            is_broken: self.is_broken,
            is_last_partial,
            first,
            last: self.last_ts,
            drawdown: self.drawdown.finish(self.last_ts),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(text: &str) -> Money {
        Money::exact(text.parse().unwrap()).unwrap()
    }

    fn ts(text: &str) -> Ts {
        text.parse().unwrap()
    }

    fn sampler(start: &str) -> Sampler {
        Sampler::new(Sample::DAY, Mode::Compounded, Money::ZERO, ts(start), money("100"), 5)
    }

    #[test]
    fn samples_are_the_last_equity_at_midnight() {
        let start = "2024-02-28T15:00:00Z";
        let mut sampler = sampler(start);
        sampler.equity(ts("2024-02-28T20:00:00Z"), money("90"));
        sampler.equity(ts("2024-02-29T00:00:00Z"), money("110"));
        // A leap day without news.
        sampler.equity(ts("2024-03-01T00:00:00.000000001Z"), money("121"));
        let sampled = sampler.finish(ts(start), ts("2024-03-01T12:00:00Z"));
        let rounded: Vec<_> = sampled.returns.iter().map(|r| format!("{r:.12}")).collect();
        assert_eq!(rounded, ["0.100000000000", "0.000000000000", "0.100000000000"]);
        assert!(sampled.is_last_partial);
        assert_eq!(sampled.last, ts("2024-03-01T12:00:00Z"));
    }

    #[test]
    fn deposits_are_no_returns_and_a_short_run_has_none() {
        let start = "2024-03-01T00:00:00Z";
        let mut sampler = sampler(start);
        sampler.flow(ts("2024-03-01T10:00:00Z"), money("100"));
        sampler.equity(ts("2024-03-01T11:00:00Z"), money("210"));
        let sampled = sampler.clone().finish(ts(start), ts("2024-03-02T00:00:00Z"));
        assert_eq!(sampled.returns.len(), 1);
        assert!((sampled.returns[0] - 0.1).abs() < 1e-15, "{:?}", sampled.returns);
        assert!(!sampled.is_last_partial);
        assert!(sampler.finish(ts(start), ts("2024-03-01T12:00:00Z")).returns.is_empty());
    }

    #[test]
    fn equity_at_zero_breaks_what_follows() {
        let start = "2024-03-01T00:00:00Z";
        let mut sampler = sampler(start);
        sampler.equity(ts("2024-03-01T10:00:00Z"), money("0"));
        sampler.equity(ts("2024-03-02T10:00:00Z"), money("50"));
        let sampled = sampler.finish(ts(start), ts("2024-03-04T00:00:00Z"));
        assert!(sampled.is_broken);
    }

    #[test]
    fn grids_divide_a_day_or_are_weeks() {
        assert!(Sample::every(7).is_err() && Sample::every(0).is_err());
        let week = Sample::every(7 * DAY_NANOS).unwrap();
        assert_eq!(week.after(ts("2024-03-01T00:00:00Z")), ts("2024-03-04T00:00:00Z"));
        assert!(
            (Sample::every(60_000_000_000).unwrap().periods_per_year() - 525_600.0).abs() < 0.5
        );
    }
}
