//! What sizes of an instrument are worth, in the money of statistics.
//!
//! Worths are the ledger's, at a finer precision. Notionals are beside them: price times size times
//! multiplier, whatever the payoff, which is what means over fills are weighted by. What is summed over
//! many fills is summed in [`Grains`], which are exact, and becomes money once.

use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use qt_model::instrument::Instrument;
use qt_model::order::Currency;
use qt_model::units::Scale;
use rust_decimal::Decimal;

use crate::ledger::Money;
use crate::ledger::{Contract as Pays, DoublePx, LedgerError};

/// A sum of sizes times doubled prices of one instrument; of worths that are no such product, units of
/// money. Its [`Contract`] says what a grain is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Grains(i128);

impl Grains {
    #[inline]
    pub(super) fn product(qty: i64, px: DoublePx) -> Self {
        Self(i128::from(qty) * i128::from(px.units()))
    }

    #[inline]
    pub(super) fn abs(self) -> Self {
        Self(self.0.abs())
    }

    #[inline]
    fn checked(sum: Option<i128>) -> Self {
        Self(sum.expect("a sum of sizes times prices fits 38 digits"))
    }
}

impl Add for Grains {
    type Output = Self;

    #[inline]
    fn add(self, other: Self) -> Self {
        Self::checked(self.0.checked_add(other.0))
    }
}

impl Sub for Grains {
    type Output = Self;

    #[inline]
    fn sub(self, other: Self) -> Self {
        Self::checked(self.0.checked_sub(other.0))
    }
}

impl Neg for Grains {
    type Output = Self;

    #[inline]
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl AddAssign for Grains {
    #[inline]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Grains {
    #[inline]
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

/// The terms by which sizes become money.
#[derive(Clone, Copy, Debug)]
pub(super) struct Contract {
    pays: Pays,
    /// Money units of one unit of size at one unit of a doubled price.
    unit: i128,
    /// Money units of a grain of worth, where worths are whole multiples of size times price.
    grain: Option<i128>,
}

impl Contract {
    pub(super) fn new(instrument: &Instrument, currency: Currency) -> Result<Self, LedgerError> {
        let too_fine = || LedgerError::TooFine { symbol: instrument.symbol.to_string() };
        let pays = Pays::new(instrument, currency, Money::precision())?;
        let multiplier = instrument.terms.multiplier.unwrap_or(Decimal::ONE).normalize();
        let scales = u32::from(instrument.px_scale.digits() + instrument.qty_scale.digits());
        let digits = Money::DIGITS.checked_sub(scales + multiplier.scale() + 1);
        let power = digits.map(|digits| 10_i128.pow(digits)).ok_or_else(too_fine)?;
        // Half of ten, since prices come doubled.
        let unit = multiplier.mantissa().checked_mul(5 * power).ok_or_else(too_fine)?;
        // Above zero, so that what is more in grains is more in money.
        let grain = pays.factor().filter(|factor| *factor > 0);
        Ok(Self { pays, unit, grain })
    }

    /// Whether worths are a line over the price.
    pub(super) fn is_linear(&self) -> bool {
        self.pays.is_linear()
    }

    /// Price times size times multiplier, whatever the payoff.
    pub(super) fn notional(&self, qty: i64, px: DoublePx) -> Money {
        self.notional_of(Grains::product(qty, px))
    }

    /// What a signed size is worth, as it is summed. The profit of holding it is the difference of two.
    #[inline]
    pub(super) fn grains(&self, qty: i64, px: DoublePx) -> Grains {
        match self.grain {
            Some(_) => Grains::product(qty, px),
            None => Grains(self.pays.worth(px, qty).units()),
        }
    }

    /// A sum of worths.
    #[inline]
    pub(super) fn money(&self, worths: Grains) -> Money {
        let units = product(worths.0, self.grain.unwrap_or(1));
        Money::from_units(units.expect("a sum of worths fits 38 digits"))
    }

    /// A sum of sizes times prices.
    #[inline]
    pub(super) fn notional_of(&self, products: Grains) -> Money {
        let units = product(products.0, self.unit);
        Money::from_units(units.expect("a sum of notionals fits 38 digits"))
    }

    /// The mean price behind a notional and its size, to six digits below a price unit.
    pub(super) fn mean_px(&self, notional: Money, qty: i64, px_scale: Scale) -> Option<Decimal> {
        const FINE: i128 = 1_000_000;
        let one = self.unit.checked_mul(2)?.checked_mul(i128::from(qty)).filter(|one| *one != 0)?;
        let (whole, rest) = (notional.units() / one, notional.units() % one);
        let mantissa = whole.checked_mul(FINE)?.checked_add(rest.checked_mul(FINE)? / one)?;
        let digits = u32::from(px_scale.digits()) + 6;
        Decimal::try_from_i128_with_scale(mantissa, digits).ok().map(|px| px.normalize())
    }
}

/// A product that is exact. Most factors are so short that it cannot but fit, which takes half the steps.
#[inline]
fn product(sum: i128, unit: i128) -> Option<i128> {
    let spare = sum.unsigned_abs().leading_zeros() + unit.unsigned_abs().leading_zeros();
    if spare > 128 { Some(sum.wrapping_mul(unit)) } else { long_product(sum, unit) }
}

/// Apart, so that those who multiply stay short.
#[cold]
fn long_product(sum: i128, unit: i128) -> Option<i128> {
    sum.checked_mul(unit)
}

/// Half of a doubled price, exactly.
pub(super) fn decimal(px: DoublePx, px_scale: Scale) -> Decimal {
    let tenths = i128::from(px.units()) * 5;
    Decimal::from_i128_with_scale(tenths, u32::from(px_scale.digits()) + 1).normalize()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use qt_model::instrument::Symbol;
    use qt_model::units::Px;
    use qt_model::words::Payoff;

    use super::*;

    fn contract(
        px: u8,
        qty: u8,
        multiplier: &str,
        payoff: Payoff,
    ) -> Result<Contract, LedgerError> {
        let scale = |digits| Scale::new(digits).unwrap();
        let symbol = Symbol::new("test:X").unwrap();
        let mut instrument = Instrument::new(symbol, scale(px), scale(qty));
        instrument.terms.multiplier = Some(multiplier.parse().unwrap());
        instrument.terms.payoff = Some(payoff);
        Contract::new(&instrument, Currency::new("USD").unwrap())
    }

    #[track_caller]
    fn check(found: Money, expected: &str) {
        assert_eq!(found.to_decimal().unwrap(), expected.parse().unwrap());
    }

    #[test]
    fn worth_is_exact_between_ticks() {
        let spot = contract(2, 3, "1", Payoff::Linear).unwrap();
        let mid = DoublePx::mid(Px::new(10_000), Px::new(10_001));
        check(spot.money(spot.grains(1_500, mid)), "150.0075");
        check(spot.money(spot.grains(-2_000, DoublePx::of(Px::new(-550)))), "11");
        assert_eq!(decimal(mid, Scale::new(2).unwrap()), "100.005".parse().unwrap());
        let future = contract(2, 0, "50", Payoff::Linear).unwrap();
        let notional = future.notional(3, DoublePx::of(Px::new(400_025)));
        check(notional, "600037.5");
        assert_eq!(future.mean_px(notional, 3, Scale::new(2).unwrap()), "4000.25".parse().ok());
        assert!(contract(12, 11, "1", Payoff::Linear).is_err());
    }

    #[test]
    fn an_inverse_contract_is_worth_coins_and_has_a_notional() {
        let inverse = contract(1, 0, "100", Payoff::Inverse).unwrap();
        // 100 dollars a contract: 10 contracts from 50000 to 40000 lose 0.005 of the coin.
        let at = |qty, px| inverse.money(inverse.grains(qty, DoublePx::of(Px::new(px))));
        check(at(10, 400_000) - at(10, 500_000), "-0.005");
        check(at(-10, 500_000), "0.02");
        check(inverse.notional(10, DoublePx::of(Px::new(500_000))), "50000000");
    }

    proptest! {
        #[test]
        fn products_are_exact_or_none(
            a in any::<i128>(), b in any::<i128>(), by in (0_u32..127, 0_u32..127),
        ) {
            let (a, b) = (a >> by.0, b >> by.1);
            prop_assert_eq!(product(a, b), a.checked_mul(b));
        }

        #[test]
        fn a_sum_in_grains_is_the_sum_of_its_worths(
            fills in prop::collection::vec((-1_000_000_i64..1_000_000, 1_i64..1_000_000), 0..20),
            is_inverse in any::<bool>(),
        ) {
            let payoff = if is_inverse { Payoff::Inverse } else { Payoff::Linear };
            let contract = contract(2, 3, "0.25", payoff).unwrap();
            let of = |px: i64| DoublePx::of(Px::new(px));
            let mut found = (Grains::default(), Grains::default());
            for (qty, px) in &fills {
                found.0 += contract.grains(*qty, of(*px));
                found.1 += Grains::product(*qty, of(*px));
            }
            let worth: Money = fills.iter().map(|(qty, px)| contract.money(contract.grains(*qty, of(*px)))).sum();
            let notional: Money = fills.iter().map(|(qty, px)| contract.notional(*qty, of(*px))).sum();
            prop_assert_eq!(contract.money(found.0), worth);
            prop_assert_eq!(contract.notional_of(found.1), notional);
        }
    }
}
