//! From votes to one action with a confidence.

use super::signals::{Direction, Signal};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Combine {
    Majority,
    Unanimous,
    Weighted,
}

/// How votes are counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Combination {
    pub combine: Combine,
    pub min_strength: f64,
    pub min_signals: usize,
    pub confidence: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Long,
    Short,
    Hold,
}

/// The outcome, and why it is nothing where it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Combined {
    pub action: Action,
    pub confidence: f64,
    /// The mean weight of the votes for it.
    pub alpha: f64,
    pub reason: &'static str,
}

impl Combined {
    fn hold(confidence: f64, reason: &'static str) -> Self {
        Self { action: Action::Hold, confidence, alpha: 0.0, reason }
    }
}

/// One side of the votes.
#[derive(Clone, Copy, Debug, Default)]
struct Side {
    count: usize,
    strength: f64,
    weighted: f64,
    alpha: f64,
}

impl Side {
    fn add(&mut self, signal: &Signal) {
        self.count += 1;
        self.strength += signal.strength;
        self.weighted += weight(signal) * signal.strength;
        self.alpha += signal.alpha;
    }

    fn mean(&self) -> f64 {
        self.strength / self.count as f64
    }
}

fn weight(signal: &Signal) -> f64 {
    if signal.alpha > 0.0 { signal.alpha } else { signal.strength }
}

impl Combination {
    pub fn of(&self, signals: impl Iterator<Item = Signal>) -> Combined {
        let (mut long, mut short, mut weights) = (Side::default(), Side::default(), 0.0);
        let counts = |signal: &Signal| {
            signal.direction != Direction::Neutral && signal.strength >= self.min_strength
        };
        for signal in signals.filter(counts) {
            weights += weight(&signal);
            match signal.direction {
                Direction::Long => long.add(&signal),
                Direction::Short | Direction::Neutral => short.add(&signal),
            }
        }
        let all = long.count + short.count;
        if all == 0 {
            return Combined::hold(0.0, "no_valid_signals");
        }
        let is_long = match self.combine {
            Combine::Weighted => long.weighted >= short.weighted,
            Combine::Majority | Combine::Unanimous => long.count >= short.count,
        };
        let (side, other) = if is_long { (long, short) } else { (short, long) };
        let is_even = match self.combine {
            Combine::Weighted => false,
            Combine::Majority => side.count == other.count,
            Combine::Unanimous => other.count > 0,
        };
        let confidence = match self.combine {
            Combine::Weighted => (side.weighted - other.weighted) / weights,
            Combine::Majority => side.count as f64 / all as f64 * side.mean(),
            Combine::Unanimous => side.mean(),
        };
        if is_even {
            return Combined::hold(confidence, "no_consensus");
        }
        if side.count < self.min_signals {
            return Combined::hold(confidence, "too_few_signals");
        }
        if confidence < self.confidence {
            return Combined::hold(confidence, "below_threshold");
        }
        let action = if is_long { Action::Long } else { Action::Short };
        Combined { action, confidence, alpha: side.alpha / side.count as f64, reason: "combined" }
    }
}
