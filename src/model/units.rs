//! Exact numbers: mantissas at a decimal scale that belongs to the instrument.
//!
//! Invariant: no operation here rounds or wraps. What does not fit is an `Option` or an error.
//! A `Px` of one instrument says nothing about a `Px` of another: compare and add within one
//! instrument only, and go through money to cross instruments. Absent on purpose: floats, except
//! the named way out (`to_f64`) for features and display.

use std::ops::{Add, Mul, Neg, Sub};

use rust_decimal::Decimal;

/// How many decimal digits stand behind the point; at most eighteen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scale(u8);

/// A scale beyond what an `i64` mantissa can carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("scale {0} is out of range: expected 0 to 18")]
pub struct ScaleError(pub i64);

const POW10: [i64; 19] = {
    let mut table = [1_i64; 19];
    let mut digit = 1;
    while digit < 19 {
        table[digit] = table[digit - 1] * 10;
        digit += 1;
    }
    table
};

impl Scale {
    pub const ZERO: Self = Self(0);
    pub const MAX: Self = Self(18);

    #[inline]
    pub const fn new(digits: u8) -> Result<Self, ScaleError> {
        if digits > Self::MAX.0 { Err(ScaleError(digits as i64)) } else { Ok(Self(digits)) }
    }

    #[inline]
    pub const fn digits(self) -> u8 {
        self.0
    }

    /// Ten to the power of this scale.
    #[inline]
    pub const fn unit(self) -> i64 {
        POW10[self.0 as usize]
    }

    /// `mantissa` at this scale, written at the scale `to`; `None` where a digit or the value
    /// would be lost.
    #[inline]
    pub fn rescale(self, mantissa: i64, to: Self) -> Option<i64> {
        if self == to {
            return Some(mantissa);
        }
        if to > self {
            return mantissa.checked_mul(POW10[usize::from(to.0 - self.0)]);
        }
        let step = POW10[usize::from(self.0 - to.0)];
        (mantissa % step == 0).then_some(mantissa / step)
    }
}

macro_rules! mantissa {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(i64);

        impl $name {
            #[inline]
            pub const fn mantissa(self) -> i64 {
                self.0
            }

            #[inline]
            pub fn checked_add(self, other: Self) -> Option<Self> {
                self.0.checked_add(other.0).map(Self)
            }

            #[inline]
            pub fn checked_sub(self, other: Self) -> Option<Self> {
                self.0.checked_sub(other.0).map(Self)
            }

            /// The exact value as money arithmetic takes it.
            pub fn to_decimal(self, scale: Scale) -> Decimal {
                Decimal::new(self.0, u32::from(scale.digits()))
            }

            /// The nearest double: for features, statistics and display only.
            #[inline]
            pub fn to_f64(self, scale: Scale) -> f64 {
                self.0 as f64 / scale.unit() as f64
            }
        }
    };
}

mantissa! {
    /// A price in units of its instrument's `px_scale`. May be negative (spreads, rates).
    Px
}

mantissa! {
    /// A size in units of its instrument's `qty_scale`. Never negative: direction lives in `Side`.
    Qty
}

impl Px {
    #[inline]
    pub const fn new(mantissa: i64) -> Self {
        Self(mantissa)
    }
}

/// A size below zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a size is never negative: found {0} units")]
pub struct NegativeQty(pub i64);

impl Qty {
    pub const ZERO: Self = Self(0);

    #[inline]
    pub const fn new(mantissa: i64) -> Result<Self, NegativeQty> {
        if mantissa < 0 { Err(NegativeQty(mantissa)) } else { Ok(Self(mantissa)) }
    }

    #[inline]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

/// Price times size, at the scale `px_scale + qty_scale`.
///
/// It has no order and no public number: the scale is invisible here, so the way on is
/// [`Notional::to_decimal`] with the instrument at hand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Notional(i128);

impl Mul<Qty> for Px {
    type Output = Notional;

    // Two i64 factors always fit in i128.
    #[inline]
    fn mul(self, qty: Qty) -> Notional {
        Notional(i128::from(self.0) * i128::from(qty.0))
    }
}

impl Notional {
    pub const ZERO: Self = Self(0);

    #[inline]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The exact amount; `None` beyond the 28 digits of money.
    pub fn to_decimal(self, px_scale: Scale, qty_scale: Scale) -> Option<Decimal> {
        let mut mantissa = self.0;
        let mut digits = u32::from(px_scale.digits()) + u32::from(qty_scale.digits());
        // Zeros at the end carry no value: shed them until the number fits, never another digit.
        while digits > 0 && mantissa % 10 == 0 {
            mantissa /= 10;
            digits -= 1;
        }
        Decimal::try_from_i128_with_scale(mantissa, digits).ok()
    }
}

impl Neg for Notional {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

/// One sum of exact money over many products; panics on overflow, which 38 digits rule out for
/// any market (`i128::MAX` is over 10^38, one product at most 10^37).
impl Add for Notional {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.checked_add(other.0).expect("a sum of notionals stays within 38 digits"))
    }
}

impl Sub for Notional {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.checked_sub(other.0).expect("a sum of notionals stays within 38 digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rescale_never_loses_a_digit() {
        let cents = Scale::new(2).unwrap();
        assert_eq!(cents.rescale(150, Scale::ZERO), None);
        assert_eq!(cents.rescale(200, Scale::ZERO), Some(2));
        assert_eq!(cents.rescale(2, Scale::MAX), Some(20_000_000_000_000_000));
        assert_eq!(Scale::ZERO.rescale(10, Scale::MAX), None);
        assert_eq!(Scale::new(19), Err(ScaleError(19)));
    }

    #[test]
    fn the_largest_product_fits() {
        let product = Px::new(i64::MIN) * Qty::new(i64::MAX).unwrap();
        assert_eq!(product, Notional(i128::from(i64::MIN) * i128::from(i64::MAX)));
    }

    #[test]
    fn a_tiny_price_times_a_huge_size_is_exact_money() {
        let px = Px::new(1); // 1e-11
        let qty = Qty::new(35_000_000_000).unwrap();
        let money = (px * qty).to_decimal(Scale::new(11).unwrap(), Scale::ZERO).unwrap();
        assert_eq!(money.to_string(), "0.35");
    }
}
