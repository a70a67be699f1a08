//! What sizes of an instrument are worth, in the money of statistics.
//!
//! Worths are the ledger's, at a finer precision. Notionals are beside them: price times size times
//! multiplier, whatever the payoff, which is what means over fills are weighted by.

use qt_model::instrument::Instrument;
use qt_model::order::Currency;
use qt_model::units::Scale;
use rust_decimal::Decimal;

use crate::ledger::Money;
use crate::ledger::{Contract as Pays, DoublePx, LedgerError};

/// The terms by which sizes become money.
#[derive(Clone, Copy, Debug)]
pub(super) struct Contract {
    pays: Pays,
    /// Money units of one unit of size at one unit of a doubled price.
    unit: i128,
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
        Ok(Self { pays, unit })
    }

    /// What a signed size is worth. The profit of holding it is the difference of two worths.
    #[inline]
    pub(super) fn worth(&self, qty: i64, px: DoublePx) -> Money {
        Money::from_units(self.pays.worth(px, qty).units())
    }

    /// Price times size times multiplier, whatever the payoff.
    pub(super) fn notional(&self, qty: i64, px: DoublePx) -> Money {
        let product = i128::from(qty) * i128::from(px.units());
        Money::from_units(product.checked_mul(self.unit).expect("a notional fits 38 digits"))
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

    /// What a size stands for, never negative: the value of a position, whatever the payoff.
    pub(super) fn value(&self, qty: i64, px: DoublePx) -> Money {
        self.worth(qty, px).abs()
    }
}

/// Half of a doubled price, exactly.
pub(super) fn decimal(px: DoublePx, px_scale: Scale) -> Decimal {
    let tenths = i128::from(px.units()) * 5;
    Decimal::from_i128_with_scale(tenths, u32::from(px_scale.digits()) + 1).normalize()
}

#[cfg(test)]
mod tests {
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
        check(spot.worth(1_500, mid), "150.0075");
        check(spot.worth(-2_000, DoublePx::of(Px::new(-550))), "11");
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
        let at = |px| inverse.worth(10, DoublePx::of(Px::new(px)));
        check(at(400_000) - at(500_000), "-0.005");
        check(inverse.value(10, DoublePx::of(Px::new(500_000))), "0.02");
        check(inverse.notional(10, DoublePx::of(Px::new(500_000))), "50000000");
    }
}
