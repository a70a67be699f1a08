//! When to try again: waits that double, up to a bound, with some chance in them.

use std::time::Duration;

/// Waits between tries. The chance in them is seeded, so that a run can be told again.
#[derive(Clone, Debug)]
pub struct Retry {
    pub base: Duration,
    pub max: Duration,
    /// How much of a wait is left to chance, in percent.
    pub jitter_percent: u64,
    tries: u32,
    state: u64,
}

impl Retry {
    pub fn new(base: Duration, max: Duration, jitter_percent: u64, seed: u64) -> Self {
        Self { base, max, jitter_percent: jitter_percent.min(100), tries: 0, state: seed | 1 }
    }

    /// Of the writer: one second, doubled up to half a minute.
    pub fn of_store(seed: u64) -> Self {
        Self::new(Duration::from_secs(1), Duration::from_secs(30), 50, seed)
    }

    pub fn tries(&self) -> u32 {
        self.tries
    }

    pub fn succeeded(&mut self) {
        self.tries = 0;
    }

    /// Counts a failure; how long to wait before the next try.
    pub fn failed(&mut self) -> Duration {
        let doubled = self.base.saturating_mul(1_u32.checked_shl(self.tries).unwrap_or(u32::MAX));
        self.tries = self.tries.saturating_add(1);
        let whole = doubled.min(self.max).as_nanos();
        let part = whole * u128::from(self.jitter_percent) / 100;
        // The whole wait less up to its part: no wait is longer than the bound.
        let less = part * u128::from(self.draw() >> 32) / u128::from(u32::MAX);
        Duration::from_nanos(u64::try_from(whole - less).unwrap_or(u64::MAX))
    }

    /// A step of xorshift: enough to keep clients from coming back all at once.
    fn draw(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_bound_and_begin_anew_after_a_success() {
        let mut retry = Retry::new(Duration::from_secs(1), Duration::from_secs(30), 0, 7);
        let waits: Vec<u64> = (0..7).map(|_| retry.failed().as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(retry.tries(), 7);
        retry.succeeded();
        assert_eq!((retry.tries(), retry.failed().as_secs()), (0, 1));
    }

    #[test]
    fn chance_shortens_a_wait_by_no_more_than_its_part() {
        let mut retry = Retry::of_store(42);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..200 {
            retry.succeeded();
            let wait = retry.failed();
            assert!((500..=1000).contains(&wait.as_millis()), "{wait:?}");
            seen.insert(wait);
        }
        assert!(seen.len() > 150);
        for _ in 0..100 {
            assert!(retry.failed() <= Duration::from_secs(30));
        }
    }
}
