//! The grid that prices stand on, and how many steps of it one price is from another.
//!
//! The step is odd times a power of two, and multiplying by the inverse of an odd number divides by
//! it exactly, modulo two to the 64th. So a product and a rotation count the steps; for what is not
//! on the grid, or not above, they make a number that is larger than any count a window has.

/// A step so small that the longest window stays within 62 bits.
const STEP_MAX: u64 = 1 << 50;

#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    /// Divides every price there is; zero before the first.
    step: u64,
    /// The inverse of the odd part of the step, and how many factors of two the step has.
    inverse: u64,
    twos: u32,
}

impl Grid {
    /// Of no prices yet.
    pub(super) const NEW: Self = Self { step: 0, inverse: 1, twos: 0 };

    /// The widest grid that holds these prices.
    pub(super) fn of(prices: impl Iterator<Item = i64>) -> Self {
        let divisor = prices.fold(0, |divisor, px| common_divisor(divisor, px.unsigned_abs()));
        let step = step_of(divisor);
        let twos = step.trailing_zeros();
        Self { step, inverse: inverse(step >> twos), twos }
    }

    /// Whether a price is on the grid.
    pub(super) fn holds(&self, px: i64) -> bool {
        self.step != 0 && px.unsigned_abs().is_multiple_of(self.step)
    }

    /// Takes a price onto the grid, whose step becomes as small as that needs.
    pub(super) fn admit(&mut self, px: i64) {
        if !self.holds(px) {
            let step = i64::try_from(self.step).expect("a step is far below 63 bits");
            *self = Self::of([step, px].into_iter());
        }
    }

    /// How many steps a key lies above another that is on the grid. For keys off the grid or below:
    /// a number above any place of a window.
    #[inline]
    pub(super) fn steps(&self, low: i64, key: i64) -> usize {
        // A window ends before the largest key, so no key far below wraps round into it.
        let distance = key.wrapping_sub(low) as u64;
        distance.wrapping_mul(self.inverse).rotate_right(self.twos) as usize
    }

    /// The key that many steps above.
    #[inline]
    pub(super) fn up(&self, low: i64, steps: usize) -> i64 {
        low.wrapping_add((steps as u64).wrapping_mul(self.step).cast_signed())
    }

    /// Where a window begins that has this best key in its upper part, with room above it.
    pub(super) fn low(&self, best: i64, len: usize) -> i64 {
        let (best, step, len) = (i128::from(best), i128::from(self.step), len as i128);
        let room_below = (best - i128::from(i64::MIN)) / step;
        let room_above = (i128::from(i64::MAX) - best) / step;
        let below = (len * 3 / 4).max(len - 1 - room_above).min(room_below);
        i64::try_from(best - below * step).expect("a window begins within the prices there are")
    }
}

/// The greatest number that divides both; every number divides zero.
fn common_divisor(mut a: u64, mut b: u64) -> u64 {
    while a != 0 {
        (a, b) = (b % a, a);
    }
    b
}

/// A divisor is a step where it is small enough; else a part of it is.
fn step_of(divisor: u64) -> u64 {
    let mut step = divisor.max(1);
    while step > STEP_MAX {
        step = if step.is_multiple_of(2) { step / 2 } else { 1 };
    }
    step
}

/// The inverse of an odd number modulo two to the 64th: each round doubles the bits that are right,
/// and three are at first.
fn inverse(odd: u64) -> u64 {
    (0..5).fold(odd, |x, _| x.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(x))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_step_divides_every_price() {
        let check = |prices: &[i64], step: u64| {
            assert_eq!(Grid::of(prices.iter().copied()).step, step, "{prices:?}");
            let mut grid = Grid::NEW;
            for px in prices {
                grid.admit(*px);
                assert!(grid.holds(*px), "{px} in {grid:?}");
            }
            assert!(prices.is_empty() || grid.step == step, "{prices:?} one by one");
        };
        check(&[], 1);
        check(&[0], 1);
        check(&[600_000, 0, -599_990], 10);
        check(&[600_000, 600_001], 1);
        check(&[i64::MIN], STEP_MAX);
        check(&[i64::MIN, i64::MAX], 1);
        // Ten to the sixteenth is too wide; a sixteenth of it is a step.
        check(&[10_000_000_000_000_000, 20_000_000_000_000_000], 625_000_000_000_000);
        check(&[8_000_000_000_000_000_003], 1);
    }

    proptest! {
        #[test]
        fn steps_are_counted_exactly(
            step in prop_oneof![1_u64..2_000, Just(STEP_MAX), Just(10_u64.pow(15)), Just(7 << 40)],
            low in any::<i64>(), steps in 0_usize..4096, off in any::<i64>(),
        ) {
            let grid = Grid::of([i64::try_from(step).unwrap()].into_iter());
            prop_assert_eq!(grid.step, step);
            let span = 4095 * i128::from(step);
            let low = low.min(i64::try_from(i128::from(i64::MAX) - span).unwrap());
            prop_assert_eq!(grid.steps(low, grid.up(low, steps)), steps);
            let distance = i128::from(off) - i128::from(low);
            let inside = distance >= 0 && distance <= span && distance % i128::from(step) == 0;
            prop_assert_eq!(grid.steps(low, off) < 4096, inside, "{} from {}", off, low);
        }

        #[test]
        fn a_window_holds_its_best_key_and_ends_in_time(
            best in prop_oneof![any::<i64>(), Just(i64::MIN), Just(i64::MAX)],
            step in prop_oneof![1_u64..2_000, Just(STEP_MAX)], len in prop_oneof![Just(256_usize), Just(4096)],
        ) {
            let grid = Grid::of([i64::try_from(step).unwrap()].into_iter());
            let low = grid.low(best, len);
            prop_assert!(grid.steps(low, best) < len);
            let end = i128::from(low) + (len as i128 - 1) * i128::from(step);
            prop_assert!(end <= i128::from(i64::MAX), "it ends at {}", end);
        }
    }
}
