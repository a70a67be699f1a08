//! Sums over the last so many values.
//!
//! Sums are of differences from a value near the window's mean, and are taken anew each time as many
//! values have come as the window holds, or 64 where it holds fewer: the error does not grow with
//! the stream, and what comes out depends on the values alone.

use crate::features::value::NONE;
use crate::features::wide::wide;

/// The sums of a window that slides; those of squares as well, where they are asked for.
#[derive(Clone, Debug)]
pub(crate) struct Moments<const SQUARES: bool> {
    size: usize,
    /// The last values, in as many places as some whole windows have; the next goes to `at`.
    values: Vec<f64>,
    places: usize,
    at: usize,
    /// What values are taken less of, so that squares of large numbers do not meet.
    shift: f64,
    sum: f64,
    squares: f64,
    last: f64,
    /// How many equal values came last.
    equal: usize,
}

/// What is asked of the values of a window, beside their variance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Mean,
    Sum,
}

/// After so many values at least are sums taken anew: seldom enough to cost little, and often enough
/// for the shift to stay near the mean.
const ROUND: usize = 64;

impl<const SQUARES: bool> Moments<SQUARES> {
    pub(crate) fn new(size: usize) -> Self {
        let places = size * ROUND.div_ceil(size);
        let (at, shift, sum, squares, last, equal) = (0, 0.0, 0.0, 0.0, f64::NAN, 0);
        Self { size, values: Vec::new(), places, at, shift, sum, squares, last, equal }
    }

    pub(crate) fn size(&self) -> usize {
        self.size
    }

    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.values.len() >= self.size
    }

    pub(crate) fn push(&mut self, value: f64) {
        self.run(&[value], Level::Mean, &mut [0.0], &mut [0.0]);
    }

    pub(crate) fn mean(&self) -> f64 {
        if self.equal >= self.size { self.last } else { self.shift + self.sum / self.size as f64 }
    }

    /// Pushes a block of values and reads the window behind each: its level and, where squares are
    /// summed, its population variance. Windows of equal values have their value and no variance.
    /// Whether all have both for certain.
    pub(crate) fn run(
        &mut self,
        input: &[f64],
        ask: Level,
        level: &mut [f64],
        variance: &mut [f64],
    ) -> bool {
        wide(
            #[inline(always)]
            || self.go_on(input, ask, level, variance),
        )
    }

    #[inline(always)]
    fn go_on(
        &mut self,
        input: &[f64],
        ask: Level,
        level: &mut [f64],
        variance: &mut [f64],
    ) -> bool {
        let is_warm = self.is_full();
        let mut from = if self.is_full() { 0 } else { self.fill(input, ask, level, variance) };
        while from < input.len() {
            // Both the places that values take and those of the values that they push out lie one
            // behind the other as far as this.
            let end = if self.at < self.size { self.size } else { self.places };
            let to = input.len().min(from + end - self.at);
            let squares = if SQUARES { &mut variance[from..to] } else { &mut [] };
            self.slide(&input[from..to], &mut level[from..to], squares);
            self.read(ask, &mut level[from..to], squares);
            if self.at == self.places {
                self.begin_anew();
            }
            from = to;
        }
        self.level_out(input, ask, level, variance);
        // A sum that is not finite makes all that follow so, and the shift of the next round as well.
        is_warm && (self.shift + self.sum + self.squares).is_finite()
    }

    /// Takes values until the window is full; how many they were. The last one may have something
    /// to read behind it.
    #[cold]
    fn fill(
        &mut self,
        input: &[f64],
        ask: Level,
        level: &mut [f64],
        variance: &mut [f64],
    ) -> usize {
        let count = (self.size - self.values.len()).min(input.len());
        if self.values.is_empty() {
            self.values.reserve_exact(self.places);
            self.shift = input.first().copied().unwrap_or_default();
        }
        self.values.extend_from_slice(&input[..count]);
        self.at = self.values.len();
        level[..count].fill(NONE);
        if SQUARES {
            variance[..count].fill(NONE);
        }
        if self.is_full() {
            self.values.resize(self.places, 0.0);
            self.sum = self.values[..self.size].iter().map(|value| value - self.shift).sum();
            self.begin_anew();
            let last = count - 1..count;
            level[last.clone()].fill(self.sum);
            let squares = if SQUARES { &mut variance[last.clone()] } else { &mut [] };
            squares.fill(self.squares);
            self.read(ask, &mut level[last], squares);
        }
        count
    }

    /// Takes the sums anew from the values of the window, the last of which lies before `at`.
    #[inline(always)]
    fn begin_anew(&mut self) {
        self.shift += self.sum / self.size as f64;
        let (shift, window) = (self.shift, &self.values[self.at - self.size..self.at]);
        // Four sums, which do not wait for each other.
        let (mut sums, mut squares) = ([0.0; 4], [0.0; 4]);
        let mut add = |values: &[f64]| {
            for ((value, sum), square) in values.iter().zip(&mut sums).zip(&mut squares) {
                let part = value - shift;
                *sum += part;
                *square += part * part;
            }
        };
        let (fours, rest) = window.as_chunks::<4>();
        fours.iter().for_each(|four| add(four));
        add(rest);
        self.sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
        self.squares = (squares[0] + squares[1]) + (squares[2] + squares[3]);
        if self.at == self.places {
            self.at = 0;
        }
    }

    /// Slides a full window over values; the sums behind each. What a value changes does not wait
    /// for the one before and comes first; then the sums, which do.
    #[inline(always)]
    fn slide(&mut self, input: &[f64], sums: &mut [f64], squares: &mut [f64]) {
        let Self { size, places, at, shift, .. } = *self;
        let oldest = if at < size { at + places - size } else { at - size };
        // Where there is one window of places, values go where those lie that they push out; else
        // they lie further on, and some push out others of this block.
        if places > size {
            self.values[at..][..input.len()].copy_from_slice(input);
        }
        let olds = &self.values[oldest..][..input.len()];
        for ((value, old), sum) in input.iter().zip(olds).zip(sums.iter_mut()) {
            *sum = value - old;
        }
        for ((value, old), square) in input.iter().zip(olds).zip(squares.iter_mut()) {
            *square = (value - old) * ((value - shift) + (old - shift));
        }
        if places == size {
            self.values[at..][..input.len()].copy_from_slice(input);
        }
        self.at = at + input.len();
        let mut sum = self.sum;
        if SQUARES {
            let mut square = self.squares;
            for (sums, squares) in sums.iter_mut().zip(squares.iter_mut()) {
                sum += *sums;
                square += *squares;
                (*sums, *squares) = (sum, square);
            }
            self.squares = square;
        } else {
            for sums in sums.iter_mut() {
                sum += *sums;
                *sums = sum;
            }
        }
        self.sum = sum;
    }

    /// Makes of sums what was asked for.
    #[inline(always)]
    fn read(&self, ask: Level, sums: &mut [f64], squares: &mut [f64]) {
        let count = self.size as f64;
        let one = 1.0 / count;
        for (square, sum) in squares.iter_mut().zip(sums.iter()) {
            let mean = sum * one;
            let variance = *square * one - mean * mean;
            *square = if variance > 0.0 { variance } else { 0.0 };
        }
        let (factor, base) = match ask {
            Level::Mean => (one, self.shift),
            Level::Sum => (1.0, self.shift * count),
        };
        sums.iter_mut().for_each(|sum| *sum = base + *sum * factor);
    }

    /// Puts down exactly what windows say whose values are all equal.
    fn level_out(&mut self, input: &[f64], ask: Level, level: &mut [f64], variance: &mut [f64]) {
        let Some(last) = input.last() else { return };
        if !self.has_equals(input) {
            let trailing = input.iter().rev().take_while(|value| is_same(value, last)).count();
            let goes_on = trailing == input.len() && is_same(last, &self.last);
            self.equal = trailing + if goes_on { self.equal } else { 0 };
            self.last = *last;
            return;
        }
        let whole = if ask == Level::Sum { self.size as f64 } else { 1.0 };
        for (at, value) in input.iter().enumerate() {
            self.equal = if is_same(value, &self.last) { self.equal + 1 } else { 1 };
            self.last = *value;
            if self.equal >= self.size {
                level[at] = value * whole;
                if SQUARES {
                    variance[at] = 0.0;
                }
            }
        }
    }

    /// Whether a window of equal values may cover a place of a block: it covers half of its size on one
    /// side of the place at least, where three values are looked at. Beyond the block anything may be.
    #[inline]
    fn may_be_flat(&self, input: &[f64], at: usize) -> bool {
        let half = (self.size - 1) / 2;
        let (Some(from), Some(to)) = (at.checked_sub(half), input.get(at + half)) else {
            return true;
        };
        let (quarter, next) = (half.div_ceil(2), half.min(1));
        let is = |value: &f64| is_same(value, &input[at]);
        // All are asked, so that nothing waits for an answer.
        let before = is(&input[from]) & is(&input[at - quarter]) & is(&input[at - next]);
        let behind = is(to) & is(&input[at + quarter]) & is(&input[at + next]);
        before | behind
    }

    /// Whether some window that ends in the block holds equal values alone. Such a window either
    /// reaches back to before the block or covers a place whose number its size divides.
    fn has_equals(&self, input: &[f64]) -> bool {
        let head = input.iter().take_while(|value| is_same(value, &self.last)).count();
        if head > 0 && self.equal + head >= self.size {
            return true;
        }
        let places = (self.size - 1..input.len()).step_by(self.size);
        places.filter(|at| self.may_be_flat(input, *at)).any(|at| {
            let same = |value: &&f64| is_same(value, &input[at]);
            let before = input[..at].iter().rev().take(self.size).take_while(same).count();
            let behind = input[at..].iter().take(self.size).take_while(same).count();
            before + behind >= self.size
        })
    }
}

/// Equal to the bit, and so is what is made of them.
#[inline]
fn is_same(a: &f64, b: &f64) -> bool {
    a.to_bits() == b.to_bits()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn moments_equal_those_of_the_window_itself(
            values in proptest::collection::vec(99_000_i32..101_000, 1..400),
            size in 1_usize..40,
        ) {
            let values: Vec<f64> = values.iter().map(|value| f64::from(*value) / 7.0).collect();
            let (mut levels, mut variances) = (vec![0.0; values.len()], vec![0.0; values.len()]);
            Moments::<true>::new(size).run(&values, Level::Mean, &mut levels, &mut variances);
            for (at, (found, variance_found)) in levels.iter().zip(&variances).enumerate() {
                if at + 1 < size {
                    prop_assert!(found.is_nan() && variance_found.is_nan());
                    continue;
                }
                let window = &values[at + 1 - size..=at];
                let mean = window.iter().sum::<f64>() / size as f64;
                let variance = window.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / size as f64;
                prop_assert!((found - mean).abs() <= 1e-12 * mean.abs());
                // Differences are from a mean of before, up to the range of all values away.
                let bound = 1e-10 * variance + 1e-14 * (2_000.0_f64 / 7.0).powi(2);
                prop_assert!((variance_found - variance).abs() <= bound);
            }
        }
    }

    proptest! {
        /// Short steps of equal values, cut anywhere: exactly where they fill a window it is flat.
        #[test]
        fn windows_are_flat_where_all_their_values_are_equal(
            runs in proptest::collection::vec((0_u8..3, 1_usize..30), 1..20),
            size in 1_usize..25,
            piece in 1_usize..70,
        ) {
            let values: Vec<f64> = runs
                .iter()
                .flat_map(|(value, count)| std::iter::repeat_n(0.1 * f64::from(*value), *count))
                .collect();
            let mut moments = Moments::<true>::new(size);
            let (mut levels, mut variances) = (vec![0.0; values.len()], vec![0.0; values.len()]);
            let parts = levels.chunks_mut(piece).zip(variances.chunks_mut(piece));
            for (input, (level, variance)) in values.chunks(piece).zip(parts) {
                moments.run(input, Level::Mean, level, variance);
            }
            for (end, window) in (size..).zip(values.windows(size)) {
                let is_flat = window.iter().all(|value| is_same(value, &window[0]));
                if is_flat {
                    prop_assert_eq!(levels[end - 1].to_bits(), window[0].to_bits());
                }
                prop_assert_eq!(is_flat, variances[end - 1] == 0.0, "at {}", end);
            }
        }
    }

    #[test]
    fn equal_values_have_no_variance_whatever_came_before() {
        let values = [1e9, -3.3, 0.1, 0.1, 0.1, 0.1, 0.1];
        let (mut mean, mut variance) = ([0.0; 7], [0.0; 7]);
        Moments::<true>::new(5).run(&values, Level::Mean, &mut mean, &mut variance);
        assert_eq!((variance[6].to_bits(), mean[6].to_bits()), (0, 0.1_f64.to_bits()));
    }
}
