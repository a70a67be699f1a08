//! Sums of doubles that do not depend on luck: what rounding takes away is kept and added last.

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

/// How many sums of a slice run side by side.
const LANES: usize = 8;

/// `K` sums over a slice in one pass. Eight compensated sums a function run side by side, so that
/// additions need not wait for each other; the result is the same on every machine.
pub(super) fn sums<const K: usize>(values: &[f64], of: impl Fn(f64) -> [f64; K]) -> [f64; K] {
    let mut totals = [[Total::default(); LANES]; K];
    let (blocks, rest) = values.as_chunks::<LANES>();
    for block in blocks {
        for lane in 0..LANES {
            let terms = of(block[lane]);
            for (at, term) in terms.into_iter().enumerate() {
                totals[at][lane].add(term);
            }
        }
    }
    let mut result = totals.map(|lanes| {
        let mut total = Total::default();
        lanes.iter().for_each(|lane| total.add(lane.sum));
        lanes.iter().for_each(|lane| total.add(lane.lost));
        total
    });
    for &value in rest {
        for (total, term) in result.iter_mut().zip(of(value)) {
            total.add(term);
        }
    }
    result.map(|total| total.value())
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
