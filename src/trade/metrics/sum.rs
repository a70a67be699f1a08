//! Sums of doubles that do not depend on luck: what rounding takes away is kept and added last.

use std::array::from_fn;

/// A running sum with Neumaier's compensation.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Total {
    sum: f64,
    lost: f64,
}

impl Total {
    /// The error of an addition by Knuth's way, without a branch; it equals Neumaier's.
    #[inline]
    pub(super) fn add(&mut self, value: f64) {
        let sum = self.sum + value;
        let back = sum - self.sum;
        self.lost += (self.sum - (sum - back)) + (value - back);
        self.sum = sum;
    }

    #[inline]
    pub(super) fn value(&self) -> f64 {
        self.sum + self.lost
    }
}

impl FromIterator<f64> for Total {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut total = Self::default();
        values.into_iter().for_each(|value| total.add(value));
        total
    }
}

/// The sum of a sequence, in its order.
pub(super) fn sum(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().collect::<Total>().value()
}

/// How many sums of a slice run side by side: as many as registers hold.
const LANES: usize = 16;

/// Sums side by side, laid out so that a lane is a place in a vector register.
#[derive(Clone, Copy)]
struct Lanes {
    sum: [f64; LANES],
    lost: [f64; LANES],
}

impl Lanes {
    /// The step of [`Total::add`], in every lane.
    #[inline]
    fn add(&mut self, values: &[f64; LANES]) {
        let (sum, lost) = (&self.sum, &self.lost);
        let next: [f64; LANES] = from_fn(|lane| sum[lane] + values[lane]);
        let back: [f64; LANES] = from_fn(|lane| next[lane] - sum[lane]);
        self.lost = from_fn(|lane| {
            lost[lane] + ((sum[lane] - (next[lane] - back[lane])) + (values[lane] - back[lane]))
        });
        self.sum = next;
    }

    fn joined(&self) -> Total {
        self.sum.iter().chain(&self.lost).copied().collect()
    }
}

/// `K` sums over a slice in one pass. Compensated sums run side by side, so that additions need not
/// wait for each other; the result is the same on every machine.
pub(super) fn sums<const K: usize>(values: &[f64], of: impl Fn(f64) -> [f64; K]) -> [f64; K] {
    let mut lanes = [Lanes { sum: [0.0; LANES], lost: [0.0; LANES] }; K];
    let (blocks, rest) = values.as_chunks::<LANES>();
    for block in blocks {
        let found: [[f64; K]; LANES] = from_fn(|lane| of(block[lane]));
        let terms: [[f64; LANES]; K] = from_fn(|at| from_fn(|lane| found[lane][at]));
        for (lanes, terms) in lanes.iter_mut().zip(&terms) {
            lanes.add(terms);
        }
    }
    let mut totals = lanes.map(|lanes| lanes.joined());
    for value in rest {
        for (total, term) in totals.iter_mut().zip(of(*value)) {
            total.add(term);
        }
    }
    totals.map(|total| total.value())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_beside_a_large_number() {
        let values = [1.0, 1e100, 1.0, -1e100];
        assert_eq!(sum(values).to_bits(), 2.0_f64.to_bits());
        let many: Vec<f64> = values.iter().copied().cycle().take(4004).collect();
        assert_eq!(sums(&many, |value| [value])[0].to_bits(), 2002.0_f64.to_bits());
    }

    #[test]
    fn sums_side_by_side_are_those_in_order() {
        let values: Vec<f64> = (1..1003).map(|n| 1.0 / f64::from(n)).collect();
        let [plain, squares] = sums(&values, |value| [value, value * value]);
        assert!((plain - sum(values.iter().copied())).abs() < 1e-15);
        assert!((squares - sum(values.iter().map(|value| value * value))).abs() < 1e-15);
    }
}
