//! Equity on a grid of equal periods or of sessions, and the returns between its samples.
//!
//! A sample is the last equity at or before its instant. The first is the starting equity at the
//! start; a last period that the grid cuts is kept, unless it is the only one. Memory: one double
//! a period, two with a benchmark. Absent on purpose: months, and what a market is worth while it is closed.

use std::sync::Arc;

use qt_market::calendar::Calendar;
use qt_model::time::{DAY_NANOS, Ts};

use super::along::{Marks, Steps};
use super::drawdown::Drawdown;
use super::returns::Mode;
use super::sum::Total;
use crate::ledger::DoublePx;
use crate::ledger::Money;

/// The grid: periods of one length, of a market that never closes or within its sessions.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    nanos: i64,
    sessions: Option<Sessions>,
}

/// The sessions of a market, and how many periods of them make a year.
#[derive(Clone, Debug, PartialEq)]
struct Sessions {
    calendar: Arc<Calendar>,
    periods_per_year: f64,
}

/// Why a length makes no grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a period of {0} ns makes no grid: expected a divisor of a day, a day, or a week")]
pub struct SampleError(pub i64);

const WEEK_NANOS: i64 = 7 * DAY_NANOS;
const YEAR_NANOS: i64 = 365 * DAY_NANOS;

impl Sample {
    pub const DAY: Self = Self { nanos: DAY_NANOS, sessions: None };

    /// A divisor of a day, a day, or a week, in nanoseconds.
    pub fn every(nanos: i64) -> Result<Self, SampleError> {
        let fits = nanos > 0 && DAY_NANOS % nanos == 0 || nanos == WEEK_NANOS;
        if fits { Ok(Self { nanos, sessions: None }) } else { Err(SampleError(nanos)) }
    }

    /// The same within sessions: days become sessions, sampled as they close, and of shorter periods
    /// those are left that end in a session. A year is that from `start` on. Weeks stay what they are,
    /// and so does everything where there is no session in that year.
    pub fn within(self, calendar: &Arc<Calendar>, start: Ts) -> Self {
        let end = start.checked_add_nanos(YEAR_NANOS).unwrap_or(Ts::MAX);
        let periods_per_year = match self.nanos {
            WEEK_NANOS => 0.0,
            DAY_NANOS => calendar.closes_within(start, end) as f64,
            nanos => calendar.open_ns(start, end) as f64 / nanos as f64,
        };
        if periods_per_year == 0.0 || calendar.is_always_open() {
            return self;
        }
        let calendar = Arc::clone(calendar);
        Self { sessions: Some(Sessions { calendar, periods_per_year }), ..self }
    }

    pub const fn nanos(&self) -> i64 {
        self.nanos
    }

    /// Whether the grid follows the sessions of a calendar.
    pub const fn has_sessions(&self) -> bool {
        self.sessions.is_some()
    }

    /// How many make a year.
    pub fn periods_per_year(&self) -> f64 {
        if let Some(sessions) = &self.sessions {
            return sessions.periods_per_year;
        }
        // Fifty-two weeks, as everyone counts them, though a year is longer by a day.
        if self.nanos == WEEK_NANOS { 52.0 } else { 365.0 * (DAY_NANOS / self.nanos) as f64 }
    }

    /// The first instant of the grid after `ts`; the end of time where a calendar has come to its end.
    fn after(&self, ts: Ts) -> Ts {
        match &self.sessions {
            None => self.tick_after(ts),
            Some(sessions) if self.nanos == DAY_NANOS => {
                sessions.calendar.next_close(ts).unwrap_or(Ts::MAX)
            }
            Some(sessions) => self.tick_within(&sessions.calendar, ts),
        }
    }

    /// The first instant of the clock after `ts`, whether or not anybody trades.
    fn tick_after(&self, ts: Ts) -> Ts {
        // Weeks begin on Mondays, and the epoch was a Thursday.
        let offset = if self.nanos == WEEK_NANOS { 4 * DAY_NANOS } else { 0 };
        let place = ts.nanos().saturating_sub(offset).div_euclid(self.nanos);
        Ts::from_nanos((place + 1).saturating_mul(self.nanos).saturating_add(offset))
    }

    fn tick_within(&self, calendar: &Calendar, mut ts: Ts) -> Ts {
        loop {
            let tick = self.tick_after(ts);
            // One at the close ends the session's last period.
            let before = Ts::from_nanos(tick.nanos() - 1);
            if calendar.is_open(before) {
                return tick;
            }
            match calendar.next_session(tick) {
                Some((open, _)) => ts = open,
                None => return Ts::MAX,
            }
        }
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
            next: sample.after(start),
            sample,
            mode,
            capital,
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
    pub(super) fn along(&mut self, steps: &Steps, since: Ts, marks: Marks<'_>) {
        let Some(end) = marks.last() else { return };
        let worth = |mark| steps.money(steps.words.equity(mark));
        if end.0 <= self.next {
            return self.equity(end.0.max(since), worth(end.1));
        }
        marks.iter().for_each(|(ts, mark)| self.equity(ts.max(since), worth(mark)));
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
        let is_last_partial = self.last_ts < end;
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
    fn deposits_are_no_returns_and_a_short_run_is_a_partial_period() {
        let start = "2024-03-01T00:00:00Z";
        let mut sampler = sampler(start);
        sampler.flow(ts("2024-03-01T10:00:00Z"), money("100"));
        sampler.equity(ts("2024-03-01T11:00:00Z"), money("210"));
        let sampled = sampler.clone().finish(ts(start), ts("2024-03-02T00:00:00Z"));
        assert_eq!(sampled.returns.len(), 1);
        assert!((sampled.returns[0] - 0.1).abs() < 1e-15, "{:?}", sampled.returns);
        assert!(!sampled.is_last_partial);
        let short = sampler.clone().finish(ts(start), ts("2024-03-01T12:00:00Z"));
        assert_eq!((short.returns, short.is_last_partial), (sampled.returns, true));
        assert!(sampler.finish(ts(start), ts(start)).returns.is_empty());
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

    /// Two sessions of six hours and a half around a change of clocks.
    fn sessions() -> Arc<Calendar> {
        let session = |open: &str, close: &str| (ts(open), ts(close));
        Arc::new(Calendar::new(vec![
            session("2024-03-08T14:30:00Z", "2024-03-08T21:00:00Z"),
            session("2024-03-11T13:30:00Z", "2024-03-11T20:00:00Z"),
        ]))
    }

    #[test]
    fn days_of_a_calendar_are_sampled_as_their_sessions_close() {
        let start = ts("2024-03-08T15:00:00Z");
        let sample = Sample::DAY.within(&sessions(), start);
        assert!((sample.periods_per_year() - 2.0).abs() < 1e-12);
        let mut sampler =
            Sampler::new(sample, Mode::Compounded, Money::ZERO, start, money("100"), 5);
        sampler.equity(ts("2024-03-08T20:00:00Z"), money("110"));
        // What moves while it is closed belongs to the next session.
        sampler.equity(ts("2024-03-10T00:00:00Z"), money("50"));
        sampler.equity(ts("2024-03-11T19:59:59Z"), money("121"));
        let sampled = sampler.finish(start, ts("2024-03-11T21:00:00Z"));
        let rounded: Vec<_> = sampled.returns.iter().map(|r| format!("{r:.12}")).collect();
        // The calendar ends here, and so does the grid: what is left is a partial period.
        assert_eq!(rounded, ["0.100000000000", "0.100000000000", "0.000000000000"]);
    }

    #[test]
    fn shorter_periods_end_in_sessions_and_weeks_know_none() {
        let hour = Sample::every(3_600_000_000_000).unwrap();
        let start = ts("2024-03-08T00:00:00Z");
        let within = hour.clone().within(&sessions(), start);
        assert!((within.periods_per_year() - 13.0).abs() < 1e-12);
        let mut grid = vec![start];
        while grid.len() < 16 {
            grid.push(within.after(grid[grid.len() - 1]));
        }
        assert_eq!(grid[1], ts("2024-03-08T15:00:00Z"));
        assert_eq!(grid[7], ts("2024-03-08T21:00:00Z"));
        assert_eq!(grid[8], ts("2024-03-11T14:00:00Z"));
        assert_eq!((grid[14], grid[15]), (ts("2024-03-11T20:00:00Z"), Ts::MAX));
        let week = Sample::every(WEEK_NANOS).unwrap();
        assert_eq!(week.clone().within(&sessions(), start), week);
        let later = ts("2026-01-01T00:00:00Z");
        assert_eq!(hour.clone().within(&sessions(), later), hour, "no session that year");
        assert_eq!(hour.clone().within(&Arc::default(), start), hour, "always open");
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
