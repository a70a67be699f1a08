//! All that happened, kept whole, and windows of it taken slowly: what definitions speak of.

use proptest::prelude::*;

use super::tape::Tape;

/// Quotes of a market, an event each.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    pub(super) bid: Vec<f64>,
    pub(super) ask: Vec<f64>,
    pub(super) bid_qty: Vec<f64>,
    pub(super) ask_qty: Vec<f64>,
    /// Seconds.
    pub(super) ts: Vec<f64>,
}

/// A step of the bid in ticks, the spread in ticks, both sizes, and the wait in milliseconds.
pub(super) type Step = (i64, i64, (i64, i64), i64);

pub(super) fn steps(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Step>> {
    let step = (-3_i64..=3, 0_i64..4, (0_i64..9, 0_i64..9), 0_i64..900);
    prop::collection::vec(step, count)
}

/// The tape of those steps, and the same as numbers.
pub(super) fn market(steps: &[Step]) -> (Tape, History) {
    let (mut tape, mut history, mut bid) = (Tape::new(), History::default(), 10_000);
    for (step, wide, (bid_qty, ask_qty), wait) in steps {
        bid += step;
        // The tape itself lets a tenth of a second pass with each event.
        tape = tape.wait(wait * 1_000_000).quote((bid, *bid_qty), (bid + wide, *ask_qty));
        history.bid.push(bid as f64 / 100.0);
        history.ask.push((bid + wide) as f64 / 100.0);
        history.bid_qty.push(*bid_qty as f64);
        history.ask_qty.push(*ask_qty as f64);
        history.ts.push(tape.now as f64 / 1e9);
    }
    (tape, history)
}

pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

pub(super) fn variance(values: &[f64]) -> f64 {
    if values.iter().all(|value| (value - values[0]).abs() == 0.0) {
        return 0.0;
    }
    let mean = mean(values);
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64
}

pub(super) fn deviation(values: &[f64]) -> f64 {
    variance(values).sqrt()
}

/// The last of so many values, if there are as many.
pub(super) fn last(values: &[f64], count: usize) -> Option<&[f64]> {
    values.len().checked_sub(count).map(|from| &values[from..])
}

/// The EMA of all values; none before there are as many as its period.
pub(super) fn ema(values: &[f64], period: usize) -> Option<f64> {
    let alpha = 2.0 / (period as f64 + 1.0);
    let smooth = |ema: f64, value: &f64| alpha * value + (1.0 - alpha) * ema;
    (values.len() >= period).then(|| values[1..].iter().fold(values[0], smooth))
}

impl History {
    /// As it was up to an event, that one included.
    pub(super) fn upto(&self, event: usize) -> Self {
        let cut = |values: &[f64]| values[..=event].to_vec();
        Self {
            bid: cut(&self.bid),
            ask: cut(&self.ask),
            bid_qty: cut(&self.bid_qty),
            ask_qty: cut(&self.ask_qty),
            ts: cut(&self.ts),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.ts.len()
    }

    pub(super) fn mids(&self) -> Vec<f64> {
        let mid = |(bid, ask): (&f64, &f64)| ((bid + ask) * 100.0).round() / 200.0;
        self.bid.iter().zip(&self.ask).map(mid).collect()
    }

    /// In hundredths, so that what is equal is equal.
    pub(super) fn spreads(&self) -> Vec<f64> {
        let ticks = |(bid, ask): (&f64, &f64)| ((ask - bid) * 100.0).round() / 100.0;
        self.bid.iter().zip(&self.ask).map(ticks).collect()
    }

    pub(super) fn returns(&self) -> Vec<f64> {
        self.mids().windows(2).map(|pair| (pair[1] - pair[0]) / pair[0]).collect()
    }

    /// Log returns with the times at which they are known.
    pub(super) fn log_returns(&self) -> Vec<(f64, f64)> {
        let mids = self.mids();
        (1..mids.len()).map(|at| (self.ts[at], libm::log(mids[at] / mids[at - 1]))).collect()
    }

    /// Events with something on a side: their imbalance.
    pub(super) fn imbalances(&self) -> Vec<f64> {
        let both = self.bid_qty.iter().zip(&self.ask_qty);
        both.filter(|(bid, ask)| *bid + *ask > 0.0)
            .map(|(bid, ask)| (bid - ask) / (bid + ask))
            .collect()
    }

    /// The mid at the last event that is as old as so many seconds.
    pub(super) fn mid_before(&self, seconds: f64) -> Option<f64> {
        let until = self.ts[self.len() - 1] - seconds;
        let at = self.ts.iter().rposition(|ts| *ts <= until + 1e-12)?;
        Some(self.mids()[at])
    }
}

/// Compares a feature with its definition at each event.
pub(super) fn hold(
    name: &str,
    found: &[Option<f64>],
    expected: impl Fn(usize) -> Option<f64>,
) -> Result<(), TestCaseError> {
    for (event, found) in found.iter().enumerate() {
        match (found, expected(event)) {
            (Some(found), Some(expected)) => {
                let bound = 1e-9 * expected.abs().max(1e-3);
                let is_near = (found - expected).abs() <= bound;
                prop_assert!(is_near, "{name} at event {event}: {found}, defined as {expected}");
            }
            (found, expected) => {
                prop_assert_eq!(*found, expected, "{} at event {}", name, event);
            }
        }
    }
    Ok(())
}
