//! Drawdowns, met one observation at a time.
//!
//! Equity is compared exactly; a depth becomes a double once per episode. Memory: the deepest
//! episodes up to a bound, and sums over all of them. An episode opens at the last peak before
//! equity falls below it and closes at the first observation that is back at the peak.

use qt_model::time::Ts;

use super::along::{Marks, Steps};
use super::sum::Total;
use super::value::{Absent, Figure, ratio};
use crate::ledger::Money;

/// What a drawdown is measured in: exact money, or wealth grown from returns.
pub trait Amount: Copy + PartialOrd {
    /// This amount as a share of a peak, less one.
    fn loss_from(self, peak: Self) -> f64;

    /// The difference to a peak as a share of fixed capital.
    fn loss_of(self, peak: Self, capital: Self) -> f64;
}

impl Amount for Money {
    // The difference is exact, so that a small loss keeps all its digits.
    fn loss_from(self, peak: Self) -> f64 {
        (self - peak).per(peak)
    }

    fn loss_of(self, peak: Self, capital: Self) -> f64 {
        (self - peak).per(capital)
    }
}

impl Amount for f64 {
    fn loss_from(self, peak: Self) -> f64 {
        self / peak - 1.0
    }

    fn loss_of(self, peak: Self, capital: Self) -> f64 {
        (self - peak) / capital
    }
}

/// One stretch under water.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Episode {
    pub peak: Ts,
    pub trough: Ts,
    /// `None` while it is open.
    pub recovery: Option<Ts>,
    /// Negative; of fixed capital where that was asked for, else of the peak.
    pub depth: f64,
}

impl Episode {
    /// Time under water; an open one counts to `end`.
    pub fn duration_ns(&self, end: Ts) -> i64 {
        self.recovery.unwrap_or(end).since(self.peak)
    }
}

/// Follows equity from its start. See the module.
#[derive(Clone, Debug)]
pub struct Drawdown<M> {
    capital: Option<M>,
    keep: usize,
    peak: M,
    peak_ts: Ts,
    /// The lowest since the peak, while under water.
    trough: Option<(M, Ts)>,
    last_ts: Ts,
    worst: Option<f64>,
    deepest: Vec<Episode>,
    episodes: u64,
    depth_sum: Total,
    duration_sum: i128,
    duration_max: i64,
}

/// What a finished run says about its drawdowns.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawdowns {
    /// Zero where equity never fell.
    pub max: f64,
    /// The deepest first; the earlier first among equals.
    pub deepest: Vec<Episode>,
    pub episodes: u64,
    pub depth_sum: f64,
    pub duration_sum_ns: i128,
    pub duration_max_ns: i64,
}

impl<M: Amount> Drawdown<M> {
    /// Begins at the starting equity, which is the first peak. `keep` bounds the table of the
    /// deepest; `capital` asks for losses as a share of it.
    pub fn new(ts: Ts, start: M, capital: Option<M>, keep: usize) -> Self {
        Self {
            capital,
            keep,
            peak: start,
            peak_ts: ts,
            trough: None,
            last_ts: ts,
            worst: None,
            deepest: Vec::new(),
            episodes: 0,
            depth_sum: Total::default(),
            duration_sum: 0,
            duration_max: 0,
        }
    }

    #[inline]
    pub fn observe(&mut self, ts: Ts, equity: M) {
        self.last_ts = ts;
        if equity >= self.peak {
            if let Some((trough, at)) = self.trough.take() {
                self.close(trough, at, Some(ts));
            }
            self.peak = equity;
            self.peak_ts = ts;
        } else if self.trough.is_none_or(|(trough, _)| equity < trough) {
            self.trough = Some((equity, ts));
        }
    }

    /// The loss of an amount against the running peak, zero or negative.
    pub fn loss(&self, equity: M) -> f64 {
        match self.capital {
            Some(capital) => equity.loss_of(self.peak, capital),
            None => equity.loss_from(self.peak),
        }
    }

    #[cold]
    fn close(&mut self, trough: M, at: Ts, recovery: Option<Ts>) {
        let depth = self.loss(trough);
        let episode = Episode { peak: self.peak_ts, trough: at, recovery, depth };
        let duration = episode.duration_ns(self.last_ts);
        self.episodes += 1;
        self.depth_sum.add(depth);
        self.duration_sum += i128::from(duration);
        self.duration_max = self.duration_max.max(duration);
        self.worst = Some(self.worst.map_or(depth, |worst| worst.min(depth)));
        let place = self.deepest.partition_point(|known| known.depth <= depth);
        if place < self.keep {
            self.deepest.truncate(self.keep - 1);
            self.deepest.insert(place, episode);
        }
    }

    /// Ends at the last observation, or at `end` where that is later.
    pub fn finish(mut self, end: Ts) -> Drawdowns {
        self.last_ts = self.last_ts.max(end);
        if let Some((trough, at)) = self.trough.take() {
            self.close(trough, at, None);
        }
        Drawdowns {
            max: self.worst.unwrap_or(0.0),
            deepest: self.deepest,
            episodes: self.episodes,
            depth_sum: self.depth_sum.value(),
            duration_sum_ns: self.duration_sum,
            duration_max_ns: self.duration_max,
        }
    }
}

impl Drawdown<Money> {
    /// The observations of some marks. Most lie between the last trough and the peak: whole blocks of
    /// them, which two comparisons of words tell.
    pub(super) fn along(&mut self, steps: &Steps, since: Ts, marks: Marks<'_>) {
        // Words are below an amount if they are below the next whole one.
        let above = |amount: Money| {
            let (units, unit) = (amount.units(), i128::from(steps.unit));
            let whole = units.div_euclid(unit) + i128::from(units.rem_euclid(unit) != 0);
            i64::try_from(whole).unwrap_or(if whole > 0 { i64::MAX } else { i64::MIN })
        };
        let mut peak = above(self.peak);
        let mut trough = self.trough.map_or(i64::MAX, |(trough, _)| above(trough));
        for block in marks.blocks() {
            let (low, high) = block.equities(steps.words);
            if high < peak && low >= trough {
                continue;
            }
            for (ts, mark) in block.iter() {
                let equity = steps.words.equity(mark);
                let is_peak = equity >= peak;
                if is_peak || equity < trough {
                    self.observe(ts.max(since), steps.money(equity));
                    (peak, trough) = if is_peak { (equity, i64::MAX) } else { (peak, equity) };
                }
            }
        }
        self.last_ts = marks.last().map_or(self.last_ts, |(ts, _)| ts.max(since));
    }

    /// Money came or went, and equity with it, without a profit or a loss: peak and trough move in
    /// proportion. Rounded, since a proportion need not be a whole amount.
    pub fn rescale(&mut self, before: Money, after: Money) {
        if before <= Money::ZERO || after <= Money::ZERO {
            return;
        }
        let factor = after.per(before);
        let scaled = |amount: Money| Money::from_units((amount.units() as f64 * factor) as i128);
        self.peak = if self.peak == before { after } else { scaled(self.peak) };
        self.trough = self
            .trough
            .map(|(trough, at)| (if trough == before { after } else { scaled(trough) }, at));
    }
}

impl Drawdowns {
    pub fn avg_depth(&self) -> Figure {
        ratio(self.depth_sum, self.episodes as f64, Absent::NoDrawdown)
    }

    pub fn avg_duration_ns(&self) -> Figure {
        ratio(self.duration_sum_ns as f64, self.episodes as f64, Absent::NoDrawdown)
    }

    pub fn underwater_share(&self, elapsed_ns: i64) -> Figure {
        ratio(self.duration_sum_ns as f64, elapsed_ns as f64, Absent::ZeroElapsed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = qt_model::time::DAY_NANOS;

    fn run(equity: &[&str], capital: Option<&str>, keep: usize) -> Drawdowns {
        let money = |text: &str| Money::exact(text.parse().unwrap()).unwrap();
        let mut drawdown = Drawdown::new(day(0), money(equity[0]), capital.map(money), keep);
        for (at, text) in equity.iter().enumerate() {
            drawdown.observe(day(at), money(text));
        }
        drawdown.finish(day(equity.len() - 1))
    }

    fn day(at: usize) -> Ts {
        Ts::from_nanos(i64::try_from(at).unwrap() * DAY)
    }

    const EQUITY: [&str; 15] = [
        "100000",
        "99250.5",
        "101300",
        "104120.25",
        "98700",
        "95010.75",
        "99999",
        "104120.25",
        "105500",
        "103200",
        "104900",
        "102750.5",
        "103000",
        "105000",
        "105250",
    ];

    #[test]
    fn episodes_of_fifteen_days() {
        let found = run(&EQUITY, None, 5);
        let expected = [
            (day(3), day(5), Some(day(7)), -0.087_490_185_626_715_26),
            (day(8), day(11), None, -0.026_061_611_374_407_583),
            (day(0), day(1), Some(day(2)), -0.007_495),
        ];
        assert_eq!(found.deepest.len(), expected.len());
        for (found, (peak, trough, recovery, depth)) in found.deepest.iter().zip(expected) {
            assert_eq!((found.peak, found.trough, found.recovery), (peak, trough, recovery));
            assert!((found.depth / depth - 1.0).abs() < 1e-12, "{}", found.depth);
        }
        assert_eq!(found.duration_max_ns, 6 * DAY);
        assert!((found.underwater_share(14 * DAY).unwrap() - 12.0 / 14.0).abs() < 1e-15);
        assert!((run(&EQUITY, Some("100000"), 5).max + 0.091_095).abs() < 1e-15);
        assert_eq!(run(&EQUITY, None, 1).deepest.len(), 1);
        assert_eq!(run(&EQUITY, None, 0).deepest.len(), 0);
    }

    #[test]
    fn a_run_that_only_falls_or_only_rises() {
        let found = run(&["100", "90", "80"], None, 5);
        assert_eq!((found.episodes, found.deepest[0].recovery), (1, None));
        assert!((found.max + 0.2).abs() < 1e-15);
        let found = run(&["100", "100", "120"], None, 5);
        assert_eq!((found.episodes, found.avg_depth()), (0, Err(Absent::NoDrawdown)));
        // The first of two equal depths stands first.
        let found = run(&["100", "90", "100", "90", "100"], None, 5);
        assert_eq!(found.deepest[0].trough, day(1));
    }
}
