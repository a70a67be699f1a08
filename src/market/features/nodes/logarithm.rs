//! The natural logarithm, the same to the bit for one number and for a block of them.
//!
//! A number is 2^k·(1 + f) with 1 + f between √½ and √2, and ln(1 + f) a series in s = f/(2 + f). Only
//! sums, products and one division: several are computed at once, and any machine gives the same.

use std::f64::consts::{FRAC_1_SQRT_2, LN_2};

/// A part of ln 2 whose multiples by an exponent are exact, and the rest.
const LN_2_HIGH: f64 = f64::from_bits(LN_2.to_bits() >> 21 << 21);
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// The logarithm of a number above zero; what it is not defined for is NaN or infinite.
#[inline(always)]
pub(crate) fn log(value: f64) -> f64 {
    if is_plain(value) { series(value) } else { libm::log(value) }
}

/// Turns numbers into their logarithms, and leaves what is absent as it is. Whether it is certain that
/// nothing is.
#[inline(always)]
pub(crate) fn log_all(values: &mut [f64]) -> bool {
    if values.iter().fold(true, |all, value| all & is_plain(*value)) {
        values.iter_mut().for_each(|value| *value = series(*value));
        true
    } else {
        let present = values.iter_mut().filter(|value| !value.is_nan());
        present.for_each(|value| *value = log(*value));
        false
    }
}

/// Whether a number is above zero, finite, and has all its bits.
#[inline(always)]
fn is_plain(value: f64) -> bool {
    (f64::MIN_POSITIVE..=f64::MAX).contains(&value)
}

#[inline(always)]
fn series(value: f64) -> f64 {
    let off = value.to_bits().wrapping_sub(FRAC_1_SQRT_2.to_bits());
    let exponent = f64::from((off.cast_signed() >> 52) as i32);
    let f = f64::from_bits(value.to_bits().wrapping_sub(off >> 52 << 52)) - 1.0;
    let s = f / (2.0 + f);
    // ln(1 + f) = 2s + 2s³/3 + 2s⁵/5 + …; beyond s¹⁹ nothing is left of a double.
    let z = s * s;
    let (w, term) = (z * z, |place: i32| 2.0 / f64::from(2 * place + 1));
    let odd = term(1) + w * (term(3) + w * (term(5) + w * (term(7) + w * term(9))));
    let even = term(2) + w * (term(4) + w * (term(6) + w * term(8)));
    let rest = z * (odd + z * even);
    // f − s·f is 2s: so much of the sum has no error.
    exponent * LN_2_HIGH + ((f - s * (f - rest)) + exponent * LN_2_LOW)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(value: f64) {
        let (found, expected) = (log(value), libm::log(value));
        let bound = 4.5e-16 * expected.abs();
        assert!((found - expected).abs() <= bound, "{value:e}: {found:e}, {expected:e}");
    }

    #[test]
    fn ends_and_middles() {
        let next = |value: f64, by: i64| f64::from_bits(value.to_bits().wrapping_add_signed(by));
        for middle in [1.0, FRAC_1_SQRT_2, 2.0 * FRAC_1_SQRT_2, 2.0, f64::MIN_POSITIVE, 1e300] {
            (-3..=3).for_each(|by| check(next(middle, by)));
        }
        check(f64::MAX);
        check(5e-324);
        assert_eq!(log(1.0).to_bits(), 0.0_f64.to_bits());
        assert!(log(-1.0).is_nan() && log(0.0).is_infinite() && log(f64::INFINITY).is_infinite());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn it_is_the_logarithm(bits in 1_u64..0x7ff0_0000_0000_0000, part in -0.01_f64..0.01) {
            check(f64::from_bits(bits));
            check(1.0 + part);
            let mut block = [1.0 + part, f64::from_bits(bits), 3.5];
            log_all(&mut block);
            let single = [1.0 + part, f64::from_bits(bits), 3.5].map(log);
            prop_assert_eq!(block.map(f64::to_bits), single.map(f64::to_bits));
        }
    }
}
