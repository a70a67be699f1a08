//! Quantiles of durations in bounded memory.
//!
//! The first values are kept and their quantiles are exact. Beyond, values are counted in buckets
//! of a 64th of an octave; a quantile is then the middle of its bucket, within 0.8 percent. A value that
//! comes many times in a row is kept once, and buckets begin at the lowest that has a value: delays that
//! are all one, as over bars, take a few bytes.

use std::collections::VecDeque;

/// How many values are kept as they are.
const KEPT: u64 = 4096;

/// Buckets an octave, as a power of two.
const FINE: u32 = 6;

/// Counts of nanoseconds, or of anything else that is whole and not negative.
#[derive(Clone, Debug, Default)]
pub struct Quantiles {
    /// The first values, each with how many times it came in a row.
    kept: Vec<(u64, u32)>,
    /// Counts of the buckets from one on.
    buckets: VecDeque<u64>,
    first: usize,
    count: u64,
    sum: u128,
    max: u64,
}

impl Quantiles {
    #[inline]
    pub fn add(&mut self, value: u64) {
        self.count += 1;
        self.sum += u128::from(value);
        self.max = self.max.max(value);
        if self.count > KEPT {
            if !self.kept.is_empty() {
                self.sort_kept();
            }
            return self.count_in(place(value), 1);
        }
        match self.kept.last_mut() {
            Some((last, times)) if *last == value => *times += 1,
            Some(_) | None => self.kept.push((value, 1)),
        }
    }

    /// What was added to either.
    pub(super) fn joined(&self, other: &Self) -> Self {
        let mut both = Self {
            count: self.count + other.count,
            sum: self.sum + other.sum,
            max: self.max.max(other.max),
            ..Self::default()
        };
        for part in [self, other] {
            both.kept.extend_from_slice(&part.kept);
            for (bucket, count) in (part.first..).zip(&part.buckets).filter(|it| *it.1 > 0) {
                both.count_in(bucket, *count);
            }
        }
        if both.count > KEPT {
            both.sort_kept();
        }
        both
    }

    /// Puts what was kept into buckets.
    fn sort_kept(&mut self) {
        for (value, times) in std::mem::take(&mut self.kept) {
            self.count_in(place(value), times.into());
        }
    }

    #[inline]
    fn count_in(&mut self, bucket: usize, times: u64) {
        match self.buckets.get_mut(bucket.wrapping_sub(self.first)) {
            Some(count) => *count += times,
            None => self.widen(bucket, times),
        }
    }

    /// Begins or widens the range of buckets.
    #[cold]
    fn widen(&mut self, bucket: usize, times: u64) {
        if self.buckets.is_empty() {
            self.first = bucket;
        }
        while bucket < self.first {
            self.buckets.push_front(0);
            self.first -= 1;
        }
        if bucket - self.first >= self.buckets.len() {
            self.buckets.resize(bucket - self.first + 1, 0);
        }
        self.buckets[bucket - self.first] += times;
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    pub fn max(&self) -> Option<u64> {
        (self.count > 0).then_some(self.max)
    }

    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum as f64 / self.count as f64)
    }

    /// Type 7 while values are kept, the middle of a bucket after that.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let last = self.count.checked_sub(1)?;
        let at = share * last as f64;
        if self.buckets.is_empty() {
            let values = self.kept.iter();
            let values = values.flat_map(|(value, times)| (0..*times).map(|_| *value as f64));
            return super::tail::Sorted::new(values).quantile(share).ok();
        }
        let mut seen = 0;
        for (bucket, count) in (self.first..).zip(&self.buckets) {
            seen += count;
            if seen as f64 > at {
                return Some(middle(bucket).min(self.max as f64));
            }
        }
        Some(self.max as f64)
    }
}

/// Small values have a bucket each; each octave above has as many as the first had.
#[inline]
fn place(value: u64) -> usize {
    let octave = (64 - value.leading_zeros()).saturating_sub(FINE + 1);
    (u64::from(octave) << FINE) as usize + (value >> octave) as usize
}

fn middle(bucket: usize) -> f64 {
    let octave = (bucket >> FINE).saturating_sub(1);
    let low = (bucket - (octave << FINE)) as f64;
    let width = (1_u64 << octave) as f64;
    low * width + (width - 1.0) / 2.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn few_values_are_exact_and_many_are_close() {
        let mut few = Quantiles::default();
        [820, 2400, 2, 300].into_iter().for_each(|value| few.add(value));
        assert_eq!(few.quantile(0.5), Some(560.0));
        assert_eq!(Quantiles::default().quantile(0.5), None);
        let mut many = Quantiles::default();
        (0..100_000_u64).for_each(|value| many.add(value * 1000));
        for share in [0.01, 0.5, 0.9, 0.999] {
            let (found, expected) = (many.quantile(share).unwrap(), share * 99_999_000.0);
            assert!((found / expected - 1.0).abs() < 0.009, "{share}: {found} {expected}");
        }
        assert_eq!(many.max(), Some(99_999_000));
        assert!((many.mean().unwrap() - 49_999_500.0).abs() < 1e-6);
    }

    proptest! {
        #[test]
        fn values_are_counted_as_a_list_would_count_them(
            runs in prop::collection::vec((0_u64..1 << 40, 0_u32..40, 1_u32..400), 1..40),
            share in 0.0_f64..1.0,
        ) {
            let runs = runs.into_iter().map(|(value, shift, times)| (value >> shift, times));
            let values = runs.flat_map(|(value, times)| (0..times).map(move |_| value));
            let mut values: Vec<u64> = values.collect();
            let mut found = Quantiles::default();
            values.iter().for_each(|value| found.add(*value));
            values.sort_unstable();
            let place = share * (values.len() - 1) as f64;
            let (low, high) = (values[place as usize], values[libm::ceil(place) as usize]);
            let between = low as f64 + (high - low) as f64 * (place - libm::floor(place));
            let expected = match values.len() <= 4096 {
                true => between,
                // The middle of the bucket of the value whose rank lies above the share.
                false => middle(super::place(values[place as usize])).min(values[values.len() - 1] as f64),
            };
            let (mut even, mut odd) = (Quantiles::default(), Quantiles::default());
            values.iter().step_by(3).for_each(|value| even.add(*value));
            values.iter().enumerate().filter(|it| it.0 % 3 != 0).for_each(|it| odd.add(*it.1));
            let joined = even.joined(&odd);
            prop_assert_eq!(joined.quantile(share), found.quantile(share));
            prop_assert_eq!((joined.count, joined.sum, joined.max), (found.count, found.sum, found.max));
            let found = found.quantile(share).unwrap();
            prop_assert!((found - expected).abs() <= 1e-9 * expected, "{found} {expected}");
        }
    }

    #[test]
    fn every_value_lies_in_its_bucket() {
        for shift in 0..64 {
            for value in
                [1_u64 << shift, (1_u64 << shift) + (1_u64 << shift) / 3, u64::MAX >> shift]
            {
                let back = middle(place(value));
                assert!((back / value as f64 - 1.0).abs() < 0.008, "{value} {back}");
            }
        }
        assert!((0..100_000).map(place).is_sorted());
    }
}
