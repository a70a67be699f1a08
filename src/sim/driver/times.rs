//! Columns checked as a whole: all numbers are looked at, and no one alone, in a loop without a branch.

use qt_market::features::wide;

/// Whether something holds of all pairs of two columns that are equally long.
#[inline(always)]
fn all_pairs(one: &[i64], other: &[i64], holds: impl Fn(i64, i64) -> bool) -> bool {
    let (other, mut all, mut at) = (&other[..one.len()], true, 0);
    while at < one.len() {
        all &= holds(one[at], other[at]);
        at += 1;
    }
    all
}

/// Whether no time lies before the one before it.
#[inline(always)]
fn rise(times: &[i64]) -> bool {
    all_pairs(&times[..times.len().saturating_sub(1)], times.get(1..).unwrap_or(&[]), |a, b| a <= b)
}

/// Whether times go up, none of them behind the time of its reception nor further before it than a bound.
pub(super) fn are_in_turn(event: &[i64], received: &[i64], bound: u64) -> bool {
    // A difference that does not fit its type is beyond any bound as well.
    let is_known =
        |at: i64, now: i64| (at <= now) & (now.wrapping_sub(at).cast_unsigned() <= bound);
    wide(
        #[inline(always)]
        || all_pairs(event, received, is_known) & rise(event),
    )
}

/// Whether times go up, and no bid lies above its ask.
pub(super) fn are_sound(times: &[i64], (bid, ask): (&[i64], &[i64])) -> bool {
    wide(
        #[inline(always)]
        || rise(times) & all_pairs(bid, ask, |bid, ask| bid <= ask),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_pair_that_breaks_a_rule_is_found_wherever_it_lies() {
        for len in [0_i64, 1, 2, 7, 64, 131] {
            let times: Vec<i64> = (0..len).collect();
            assert!(are_in_turn(&times, &times, 0) && are_sound(&times, (&times, &times)));
            for at in 0..times.len() {
                let with = |change: i64| {
                    let mut other = times.clone();
                    other[at] += change;
                    other
                };
                // Received before it happened; too long on its way; in another order.
                assert!(!are_in_turn(&times, &with(-1), 0));
                assert!(!are_in_turn(&times, &with(9), 8) && are_in_turn(&times, &with(9), 9));
                assert_eq!(are_in_turn(&with(-2), &times, 9), at == 0);
                assert_eq!(are_sound(&with(-2), (&times, &times)), at == 0);
                assert!(!are_sound(&times, (&with(1), &times)));
            }
        }
        assert!(!are_in_turn(&[i64::MIN], &[i64::MAX], u64::MAX - 1));
    }
}
