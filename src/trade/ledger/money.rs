//! Money of the account as an integer: units of 10^-22 of its currency.
//!
//! Invariant: sums are exact. Ten to the 22 is the largest power of ten that a double holds, so the
//! way to `f64` rounds twice at most. Up to 10^16 of a currency fit; beyond, arithmetic panics.
//! Absent on purpose: currencies. All amounts of one run's statistics are in its account's.

use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use qt_model::decimal::MONEY_DECIMALS;
use rust_decimal::Decimal;

use super::amount::{Amount, Precision, power_of_ten};

/// An exact amount of the account's currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money(i128);

const BEYOND: &str = "an amount of money stays within 10^16 of its currency";

impl Money {
    /// Digits behind the point.
    pub const DIGITS: u32 = 22;
    pub const ZERO: Self = Self(0);

    pub const fn from_units(units: i128) -> Self {
        Self(units)
    }

    #[inline]
    pub const fn units(self) -> i128 {
        self.0
    }

    /// The same amount; `None` where it has digits below the last, or lies out of range.
    pub fn exact(amount: Decimal) -> Option<Self> {
        let (mantissa, scale) = (amount.mantissa(), amount.scale());
        if scale <= Self::DIGITS {
            let power = power_of_ten(Self::DIGITS - scale);
            return mantissa.checked_mul(power).map(Self);
        }
        let step = power_of_ten(scale - Self::DIGITS);
        (mantissa % step == 0).then(|| Self(mantissa / step))
    }

    /// The nearest amount, half to even: for what a division made. `None` out of range.
    pub fn nearest(amount: Decimal) -> Option<Self> {
        Self::exact(amount.round_dp(Self::DIGITS))
    }

    /// An amount of a ledger that keeps so many digits.
    #[inline]
    pub fn of_ledger(amount: Amount, precision: Precision) -> Self {
        match Self::unit_of(precision) {
            Some(unit) => Self::scaled(amount, unit),
            None => Self::of_finer(amount, precision),
        }
    }

    #[cold]
    fn of_finer(amount: Amount, precision: Precision) -> Self {
        Self::nearest(precision.decimal(amount)).expect(BEYOND)
    }

    /// So many of its units to one of the ledger's.
    #[inline]
    fn scaled(amount: Amount, unit: i64) -> Self {
        // Most amounts are short, which takes one product.
        let units = amount.units();
        match i64::try_from(units) {
            Ok(short) => Self(i128::from(short) * i128::from(unit)),
            Err(_) => Self::long_scaled(units, unit),
        }
    }

    #[cold]
    fn long_scaled(units: i128, unit: i64) -> Self {
        Self(units.checked_mul(i128::from(unit)).expect(BEYOND))
    }

    pub(crate) fn precision() -> Precision {
        Precision::of(Self::DIGITS).expect("a ledger could keep as many digits")
    }

    /// The exact amount, where the 28 digits of a decimal hold it.
    pub fn to_decimal(self) -> Option<Decimal> {
        let (mut mantissa, mut digits) = (self.0, Self::DIGITS);
        while digits > 0 && mantissa % 10 == 0 {
            mantissa /= 10;
            digits -= 1;
        }
        Decimal::try_from_i128_with_scale(mantissa, digits).ok()
    }

    /// The amount with as many digits as a decimal holds, half to even: for records.
    pub fn to_decimal_nearest(self) -> Decimal {
        Self::precision().decimal(Amount::from_units(self.0))
    }

    /// The amount as records keep it: to [`MONEY_DECIMALS`], half to even. Sums of amounts that are
    /// kept are sums of what is read.
    #[must_use]
    pub fn kept(self) -> Self {
        const UNIT: i128 = 10_i128.pow(Money::DIGITS - MONEY_DECIMALS as u32);
        let (whole, rest) = (self.0.div_euclid(UNIT), self.0.rem_euclid(UNIT));
        let is_up = 2 * rest > UNIT || 2 * rest == UNIT && whole & 1 == 1;
        Self((whole + i128::from(is_up)) * UNIT)
    }

    #[inline]
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / 1e22
    }

    /// Its units as a double within two in the last place, quicker than the nearest: for ratios taken
    /// at each event.
    #[inline]
    pub(crate) fn approximate(self) -> f64 {
        // By its size: the halves of a negative number would cancel.
        let size = Self::approximate_of(self.0.unsigned_abs());
        if self.0 < 0 { -size } else { size }
    }

    /// The same of a product of units.
    #[inline]
    pub(crate) fn approximate_product(a: u64, b: u64) -> f64 {
        Self::approximate_of(u128::from(a) * u128::from(b))
    }

    #[inline]
    fn approximate_of(size: u128) -> f64 {
        const WORD: f64 = 18_446_744_073_709_551_616.0;
        // The high half is below 2^63, and a signed word is converted in one step.
        (size >> 64) as i64 as f64 * WORD + (size as u64) as f64
    }

    /// So many units make one of a ledger that keeps such digits, where those are whole.
    #[inline]
    pub(crate) fn unit_of(precision: Precision) -> Option<i64> {
        let digits = Self::DIGITS.checked_sub(precision.digits())?;
        i64::try_from(power_of_ten(digits)).ok()
    }

    /// This amount as a multiple of another, converted once.
    #[inline]
    pub fn per(self, other: Self) -> f64 {
        self.0 as f64 / other.0 as f64
    }

    #[inline]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    #[inline]
    pub const fn signum(self) -> i32 {
        self.0.signum() as i32
    }

    #[must_use]
    #[inline]
    pub const fn abs(self) -> Self {
        Self(self.0.abs())
    }

    /// The share `part / whole` of this amount, cut towards zero. What is left is the rest: shares
    /// taken one after the other add up.
    #[must_use]
    #[inline]
    pub fn share(self, part: i64, whole: i64) -> Self {
        assert!(whole > 0 && (0..=whole).contains(&part), "a share of {part} of {whole}");
        if part == whole || self.is_zero() {
            return self;
        }
        if part == 0 {
            return Self::ZERO;
        }
        self.share_of(part, whole)
    }

    #[inline(never)]
    fn share_of(self, part: i64, whole: i64) -> Self {
        let (part, whole) = (i128::from(part), i128::from(whole));
        // Quotient and rest apart, so that the product stays small.
        Self(self.0 / whole * part + self.0 % whole * part / whole)
    }
}

impl Add for Money {
    type Output = Self;

    #[inline]
    fn add(self, other: Self) -> Self {
        Self(self.0.checked_add(other.0).expect(BEYOND))
    }
}

impl Sub for Money {
    type Output = Self;

    #[inline]
    fn sub(self, other: Self) -> Self {
        Self(self.0.checked_sub(other.0).expect(BEYOND))
    }
}

impl Neg for Money {
    type Output = Self;

    #[inline]
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl AddAssign for Money {
    #[inline]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Money {
    #[inline]
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn decimals_come_and_go_without_loss() {
        for text in ["0", "-0.02", "12345678901.2345", "0.0000000000000000000001", "-99999.5"] {
            let amount: Decimal = text.parse().unwrap();
            assert_eq!(Money::exact(amount).unwrap().to_decimal(), Some(amount), "{text}");
        }
        let fine: Decimal = "0.00000000000000000000001".parse().unwrap();
        assert_eq!(Money::exact(fine), None);
        assert_eq!(Money::nearest(fine), Some(Money::ZERO));
        assert_eq!(Money::exact("99999999999999999".parse().unwrap()), None);
    }

    proptest! {
        #[test]
        fn an_approximation_is_near(high in any::<i64>(), low in any::<u64>(), shift in 0_u32..127) {
            let units = (i128::from(high) << 64 | i128::from(low)) >> shift;
            let (near, exact) = (Money::from_units(units).approximate(), units as f64);
            prop_assert!((near - exact).abs() <= 4.5e-16 * exact.abs());
        }

        #[test]
        fn what_is_kept_is_what_records_show(units in any::<i64>(), zeros in 0_u32..6) {
            let money = Money::from_units(i128::from(units) * 10_i128.pow(zeros));
            let shown = qt_model::decimal::kept(money.to_decimal().unwrap());
            prop_assert_eq!(money.kept().to_decimal(), Some(shown));
        }

        #[test]
        fn shares_add_up(units in any::<i64>(), part in 0_i64..1000, more in 1_i64..1000) {
            let (all, whole) = (Money::from_units(i128::from(units)), part + more);
            let share = all.share(part, whole);
            let exact = i128::from(units) * i128::from(part) / i128::from(whole);
            prop_assert_eq!(share, Money::from_units(exact));
            prop_assert_eq!((all - share).share(more, more), all - share);
        }
    }
}
