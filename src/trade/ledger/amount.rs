//! Sums of money as integers: so many units of the last decimal that a currency is kept at.
//!
//! Invariant: addition is exact and checked. What has more decimals than the currency keeps is
//! rounded once, to the nearest even, when it is booked; nothing is rounded after.

use std::ops::{AddAssign, Neg, Sub, SubAssign};

use qt_model::order::Currency;
use rust_decimal::Decimal;

/// Money in units of a [`Precision`]. May be negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(i128);

/// How many decimals a currency is kept at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Precision(u8);

impl Precision {
    /// Finer than any venue bills.
    pub const LEAST: Self = Self(12);
    /// Beyond this a sum of a hundred trillion would not fit.
    pub const MOST: Self = Self(24);

    /// At least so many decimals; `None` beyond what can be kept.
    pub fn of(digits: u32) -> Option<Self> {
        let digits = u8::try_from(digits).ok().filter(|digits| *digits <= Self::MOST.0)?;
        Some(Self(digits.max(Self::LEAST.0)))
    }

    #[inline]
    pub fn digits(self) -> u32 {
        u32::from(self.0)
    }

    /// Rounds to the nearest even where the number is finer.
    pub fn amount(self, number: Decimal) -> Amount {
        // Most numbers are not finer, and short.
        let rounded = match number.scale() <= self.digits() {
            true => number,
            false => number.round_dp(self.digits()),
        };
        let shift = self.digits() - rounded.scale();
        let units = times(rounded.mantissa(), power_of_ten(shift));
        Amount(units.unwrap_or_else(|| panic!("{number} is beyond what a ledger can hold")))
    }

    /// The number, exactly while it has at most 28 digits, which is a quadrillion at twelve
    /// decimals.
    pub fn decimal(self, amount: Amount) -> Decimal {
        let (mut units, mut digits) = without_zeros(amount.0, self.digits());
        loop {
            match Decimal::try_from_i128_with_scale(units, digits) {
                Ok(number) => return number,
                Err(_) if digits > 0 => {
                    units = divide_even(units, 10);
                    digits -= 1;
                }
                Err(error) => {
                    panic!("{} units are beyond what a record can hold: {error}", amount.0)
                }
            }
        }
    }

    /// An amount times a rate, as short as it can be written; exact while it has at most 28 digits.
    pub fn product(self, amount: Amount, rate: Decimal) -> Decimal {
        if amount.is_zero() || rate.is_zero() {
            return Decimal::ZERO;
        }
        let units = times(amount.0, rate.mantissa());
        let exact = units.and_then(|units| {
            let (units, digits) = without_zeros(units, self.digits() + rate.scale());
            Decimal::try_from_i128_with_scale(units, digits).ok()
        });
        exact.unwrap_or_else(|| (self.decimal(amount) * rate).normalize())
    }

    /// For statistics and pictures.
    pub fn to_f64(self, amount: Amount) -> f64 {
        amount.0 as f64 / 10_f64.powi(i32::from(self.0))
    }
}

impl Amount {
    pub const ZERO: Self = Self(0);

    #[inline]
    pub fn from_units(units: i128) -> Self {
        Self(units)
    }

    #[inline]
    pub fn units(self) -> i128 {
        self.0
    }

    #[inline]
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    #[inline]
    #[must_use]
    pub fn abs(self) -> Self {
        Self(self.0.abs())
    }

    #[inline]
    fn checked(sum: Option<i128>) -> Self {
        Self(sum.expect("a sum of money fits 38 digits"))
    }

    /// The part `of / whole`, rounded to the nearest even.
    #[inline]
    pub(super) fn part(self, of: i64, whole: i64) -> Self {
        if of == whole { self } else { self.part_of(of, whole) }
    }

    #[inline(never)]
    fn part_of(self, of: i64, whole: i64) -> Self {
        let (of, whole) = (i128::from(of), i128::from(whole));
        // The remainder is below `whole`, so that no product here passes 64 bits twice.
        let exact = Self::checked((self.0 / whole).checked_mul(of));
        let rest = divide_even(self.0 % whole * of, whole);
        Self::checked(exact.0.checked_add(rest))
    }
}

impl std::ops::Add for Amount {
    type Output = Self;

    #[inline]
    fn add(self, other: Self) -> Self {
        Self::checked(self.0.checked_add(other.0))
    }
}

impl Sub for Amount {
    type Output = Self;

    #[inline]
    fn sub(self, other: Self) -> Self {
        Self::checked(self.0.checked_sub(other.0))
    }
}

impl Neg for Amount {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl AddAssign for Amount {
    #[inline]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Amount {
    #[inline]
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl std::iter::Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, std::ops::Add::add)
    }
}

/// Looked up: money is scaled at each event.
#[inline]
pub(super) fn power_of_ten(digits: u32) -> i128 {
    const POWERS: [i128; 39] = {
        let mut powers = [1; 39];
        let mut at = 1;
        while at < powers.len() {
            powers[at] = powers[at - 1] * 10;
            at += 1;
        }
        powers
    };
    POWERS[digits as usize]
}

/// A product that is exact. Most factors are short, which takes a tenth of the steps.
#[inline]
pub(super) fn times(a: i128, b: i128) -> Option<i128> {
    match (i64::try_from(a), i64::try_from(b)) {
        (Ok(a), Ok(b)) => Some(i128::from(a) * i128::from(b)),
        _ => long_times(a, b),
    }
}

/// Apart, so that those who multiply stay short.
#[cold]
fn long_times(a: i128, b: i128) -> Option<i128> {
    a.checked_mul(b)
}

/// The same number with as few digits behind the point as it needs, of those it has.
fn without_zeros(mut units: i128, mut digits: u32) -> (i128, u32) {
    for count in [16, 8, 4, 2, 1] {
        // Below 2^64 divisions are quick, and what is longer has few zeros to lose.
        let has_zeros = match i64::try_from(units) {
            Ok(units) => units % power_of_ten(count) as i64 == 0,
            Err(_) => units % power_of_ten(count) == 0,
        };
        if digits >= count && has_zeros {
            units = match i64::try_from(units) {
                Ok(units) => i128::from(units / power_of_ten(count) as i64),
                Err(_) => units / power_of_ten(count),
            };
            digits -= count;
        }
    }
    (units, digits)
}

/// A quotient rounded to the nearest, ties to even. The divisor is not zero.
pub(super) fn divide_even(number: i128, by: i128) -> i128 {
    let (quotient, rest) = (number / by, number % by);
    let twice = rest.unsigned_abs() * 2;
    let is_up = twice > by.unsigned_abs() || twice == by.unsigned_abs() && quotient % 2 != 0;
    let away = if (number < 0) == (by < 0) { 1 } else { -1 };
    if is_up { quotient + away } else { quotient }
}

/// The money of one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wallet {
    pub currency: Currency,
    pub precision: Precision,
    /// What was there at the start and came in since: profit taken, fees, funding, deposits.
    pub booked: Amount,
    /// What positions are worth at their marks, above what they cost.
    pub unrealized: Amount,
    /// What open positions that are paid in full have cost.
    pub invested: Amount,
}

impl Wallet {
    pub fn equity(&self) -> Amount {
        self.booked + self.unrealized
    }

    /// Cash at hand.
    pub fn cash(&self) -> Amount {
        self.booked - self.invested
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotients_round_to_the_nearest_even() {
        let cases =
            [(7, 2, 4), (5, 2, 2), (3, 2, 2), (-5, 2, -2), (-7, 2, -4), (-8, 3, -3), (1, 3, 0)];
        for (number, by, expected) in cases {
            assert_eq!(divide_even(number, by), expected, "{number} / {by}");
        }
    }

    #[test]
    fn parts_add_up_where_products_are_wide() {
        let whole = i64::MAX;
        let amount = Amount(i128::from(i64::MAX) * 1_000_003);
        assert_eq!(amount.part(whole, whole), amount);
        let part = amount.part(whole / 3, whole);
        assert_eq!(part + (amount - part), amount);
    }

    #[test]
    fn numbers_keep_their_decimals_and_finer_ones_round_once() {
        let precision = Precision::of(0).unwrap();
        let check = |text: &str, expected: &str| {
            let amount = precision.amount(text.parse().unwrap());
            assert_eq!(precision.decimal(amount).to_string(), expected);
        };
        check("0.000000000001", "0.000000000001");
        check("-12.50", "-12.5");
        check("0.0000000000005", "0");
        check("0.0000000000015", "0.000000000002");
        assert_eq!(Precision::of(25), None);
    }
}
