//! How long messages travel, by operation.
//!
//! Invariant: a delay follows from the seed, the operation and the number of the message alone,
//! never from the order of calls or from threads. Absent on purpose: queues on the road, so that
//! a later message can overtake; whoever delivers decides about that.

use std::sync::Arc;

use qt_model::time::Ts;

use crate::dice::mix;

/// What travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// The market's news, from the venue to us, on top of what the data says.
    Feed,
    /// A new order, to the venue.
    Place,
    Amend,
    Cancel,
    /// A report, from the venue to us.
    Response,
}

impl Operation {
    pub const ALL: [Self; 5] = [Self::Feed, Self::Place, Self::Amend, Self::Cancel, Self::Response];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Feed => "feed",
            Self::Place => "place",
            Self::Amend => "amend",
            Self::Cancel => "cancel",
            Self::Response => "response",
        }
    }
}

/// How long one kind of message takes.
#[derive(Clone, Debug, PartialEq)]
pub enum Delay {
    Constant {
        ns: i64,
    },
    /// Log-normal around a median.
    LogNormal {
        median_ns: i64,
        sigma: f64,
    },
    /// One of several, each with its probability.
    Table(Steps),
    /// As measured: what was seen last at the time of sending.
    Recorded(Recording),
}

/// Delays as they were measured, each with the time at which its message was sent, in that order.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording(Arc<[(Ts, i64)]>);

impl Recording {
    /// `None` where there is nothing, or where times go back.
    pub fn new(seen: Vec<(Ts, i64)>) -> Option<Self> {
        let is_sound = !seen.is_empty() && seen.is_sorted_by_key(|(ts, _)| *ts);
        is_sound.then(|| Self(seen.into()))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Tells recordings apart in a line of text.
    pub fn digest(&self) -> u64 {
        let mixed = |word: u64, next: i64| mix(word ^ next as u64);
        self.0
            .iter()
            .fold(self.0.len() as u64, |word, (ts, ns)| mixed(mixed(word, ts.nanos()), *ns))
    }

    /// What was seen last at that time; before the first, the first.
    fn at(&self, at: Ts) -> i64 {
        let after = self.0.partition_point(|(ts, _)| *ts <= at);
        self.0[after.saturating_sub(1)].1
    }
}

impl Default for Delay {
    fn default() -> Self {
        Self::Constant { ns: 0 }
    }
}

/// Delays with the probabilities that add up to one.
#[derive(Clone, Debug, PartialEq)]
pub struct Steps(Vec<Step>);

#[derive(Clone, Copy, Debug, PartialEq)]
struct Step {
    probability: f64,
    /// The probability of this delay and of those before it.
    up_to: f64,
    ns: i64,
}

/// Why delays with probabilities are no table.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum StepsError {
    #[error("the probabilities add up to {0}: expected 1")]
    Sum(f64),
    #[error("a probability of {0}: expected one between 0 and 1")]
    Probability(f64),
}

impl Steps {
    pub fn new(steps: impl IntoIterator<Item = (f64, i64)>) -> Result<Self, StepsError> {
        let mut sum = 0.0;
        let mut table = Vec::new();
        for (probability, ns) in steps {
            if !(0.0..=1.0).contains(&probability) {
                return Err(StepsError::Probability(probability));
            }
            sum += probability;
            table.push(Step { probability, up_to: sum, ns });
        }
        // Tenths do not add up exactly; a whole step that is missing does not pass.
        if (sum - 1.0).abs() > 1e-6 {
            return Err(StepsError::Sum(sum));
        }
        Ok(Self(table))
    }

    /// The probability and the delay of each.
    pub(super) fn iter(&self) -> impl Iterator<Item = (f64, i64)> + '_ {
        self.0.iter().map(|step| (step.probability, step.ns))
    }

    fn at(&self, unit: f64) -> i64 {
        let step = self.0.iter().find(|step| unit <= step.up_to);
        step.or(self.0.last()).map_or(0, |step| step.ns)
    }
}

/// The delays of a venue.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LatencyConfig {
    pub feed: Delay,
    pub place: Delay,
    pub amend: Delay,
    pub cancel: Delay,
    pub response: Delay,
}

impl LatencyConfig {
    #[inline]
    pub fn of(&self, operation: Operation) -> &Delay {
        match operation {
            Operation::Feed => &self.feed,
            Operation::Place => &self.place,
            Operation::Amend => &self.amend,
            Operation::Cancel => &self.cancel,
            Operation::Response => &self.response,
        }
    }

    pub fn of_mut(&mut self, operation: Operation) -> &mut Delay {
        match operation {
            Operation::Feed => &mut self.feed,
            Operation::Place => &mut self.place,
            Operation::Amend => &mut self.amend,
            Operation::Cancel => &mut self.cancel,
            Operation::Response => &mut self.response,
        }
    }
}

/// Draws delays. Equal for all lanes of a run, so that they differ by what they are to differ by.
#[derive(Clone, Debug)]
pub struct Latency {
    config: LatencyConfig,
    seed: u64,
}

impl Latency {
    pub fn new(config: LatencyConfig, seed: u64) -> Self {
        Self { config, seed }
    }

    /// The delay in nanoseconds of the message with that number, sent at that time.
    #[inline]
    pub fn draw(&self, operation: Operation, at: Ts, counter: u64) -> i64 {
        let delay = self.config.of(operation);
        if let Delay::Constant { ns } = delay {
            return *ns;
        }
        self.drawn(delay, operation, at, counter)
    }

    fn drawn(&self, delay: &Delay, operation: Operation, at: Ts, counter: u64) -> i64 {
        match delay {
            Delay::Constant { ns } => *ns,
            Delay::LogNormal { median_ns, sigma } => {
                let normal = self.normal(operation, counter);
                let ns = *median_ns as f64 * libm::exp(sigma * normal);
                // A cast saturates, so that a wild sigma is a long wait and no panic.
                libm::round(ns) as i64
            }
            Delay::Table(steps) => steps.at(self.unit(operation, counter, 0)),
            Delay::Recorded(recording) => recording.at(at),
        }
    }

    /// A number in (0, 1] that belongs to this message.
    fn unit(&self, operation: Operation, counter: u64, part: u64) -> f64 {
        let salt = (operation as u64) << 8 | part;
        let word = mix(mix(self.seed ^ mix(salt)) ^ counter);
        ((word >> 11) + 1) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// Box and Muller's.
    fn normal(&self, operation: Operation, counter: u64) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(self.unit(operation, counter, 0)));
        radius * libm::cos(std::f64::consts::TAU * self.unit(operation, counter, 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(delay: Delay, seed: u64) -> Vec<i64> {
        let latency = Latency::new(LatencyConfig { place: delay, ..Default::default() }, seed);
        (0..20_000).map(|n| latency.draw(Operation::Place, Ts::default(), n)).collect()
    }

    #[test]
    fn a_delay_belongs_to_its_message() {
        let delay = || Delay::LogNormal { median_ns: 1_000_000, sigma: 0.4 };
        assert_eq!(draws(delay(), 7), draws(delay(), 7));
        assert_ne!(draws(delay(), 7), draws(delay(), 8));
        let mut both = LatencyConfig { place: delay(), ..Default::default() };
        both.cancel = delay();
        let latency = Latency::new(both, 7);
        let draw = |operation| latency.draw(operation, Ts::default(), 3);
        assert_ne!(draw(Operation::Place), draw(Operation::Cancel));
        assert_eq!(draw(Operation::Feed), 0);
    }

    #[test]
    fn a_log_normal_has_its_median_and_spread() {
        let mut found = draws(Delay::LogNormal { median_ns: 1_000_000, sigma: 0.4 }, 1);
        found.sort_unstable();
        let at = |share: f64| found[(share * found.len() as f64) as usize] as f64 / 1e6;
        assert!((at(0.5) - 1.0).abs() < 0.02, "{}", at(0.5));
        // One standard deviation up: e^0.4.
        assert!((at(0.841_345) - 1.491_825).abs() < 0.04, "{}", at(0.841_345));
    }

    #[test]
    fn a_table_is_drawn_by_its_probabilities() {
        let steps = Steps::new([(0.7, 1), (0.2, 2), (0.1, 9)]).unwrap();
        let found = draws(Delay::Table(steps), 5);
        let count = |ns| found.iter().filter(|found| **found == ns).count();
        assert!((13_700..14_300).contains(&count(1)), "{}", count(1));
        assert!((1_800..2_200).contains(&count(9)), "{}", count(9));
        assert_eq!(Steps::new([(0.5, 1), (0.4, 2)]), Err(StepsError::Sum(0.9)));
        assert_eq!(Steps::new([(-0.5, 1)]), Err(StepsError::Probability(-0.5)));
    }

    #[test]
    fn a_recording_gives_what_was_seen_last() {
        let seen = vec![(Ts::from_nanos(10), 5), (Ts::from_nanos(20), 7)];
        let recording = Recording::new(seen.clone()).unwrap();
        let other = Recording::new(vec![seen[0], (Ts::from_nanos(20), 8)]).unwrap();
        assert_ne!(recording.digest(), other.digest());
        assert_eq!(Recording::new(vec![seen[1], seen[0]]), None, "time does not go back");
        assert_eq!(Recording::new(Vec::new()), None);
        let config = LatencyConfig { feed: Delay::Recorded(recording), ..Default::default() };
        let latency = Latency::new(config, 1);
        let draw = |at| latency.draw(Operation::Feed, Ts::from_nanos(at), 0);
        assert_eq!([0, 10, 19, 20, 99].map(draw), [5, 5, 5, 7, 7]);
    }
}
