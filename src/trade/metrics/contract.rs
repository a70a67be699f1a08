//! What a size of an instrument is worth at a price, exactly.
//!
//! Prices come doubled: a mid lies between two ticks, and twice a mid is a whole number of units.
//! Profit is a difference of worths. Of an inverse contract the worth is rounded, half to even, at
//! the last digit of [`Money`]; of every other it is exact.

use qt_model::instrument::Instrument;
use qt_model::units::{Px, Scale};
use qt_model::words::Payoff;
use rust_decimal::Decimal;

use super::money::{Money, div_half_even};

/// Twice a price, in units of its instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Doubled(i64);

impl Doubled {
    /// Bid and ask; eighteen digits each leave room for the sum.
    #[inline]
    pub fn mid(bid: Px, ask: Px) -> Self {
        Self(bid.mantissa() + ask.mantissa())
    }

    #[inline]
    pub fn of(px: Px) -> Self {
        Self(px.mantissa() * 2)
    }

    pub const fn units(self) -> i64 {
        self.0
    }

    /// The price itself, exactly.
    pub fn to_decimal(self, px_scale: Scale) -> Decimal {
        let tenths = i128::from(self.0) * 5;
        Decimal::from_i128_with_scale(tenths, u32::from(px_scale.digits()) + 1).normalize()
    }
}

/// An instrument whose smallest profit has more digits than money.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{symbol}: scales {px} and {qty} with multiplier {multiplier} need more than 22 digits")]
pub struct ContractError {
    pub symbol: String,
    pub px: u8,
    pub qty: u8,
    pub multiplier: Decimal,
}

/// The terms by which sizes become money.
#[derive(Clone, Copy, Debug)]
pub struct Contract {
    payoff: Payoff,
    /// Money units of one unit of size at one unit of a doubled price.
    linear: i128,
    /// Of an inverse contract: twice the money units of one unit of size at a price of one unit.
    inverse: i128,
}

const BEYOND: &str = "an amount of money stays within 10^16 of its currency";

impl Contract {
    pub fn new(instrument: &Instrument) -> Result<Self, ContractError> {
        let multiplier = instrument.terms.multiplier.unwrap_or(Decimal::ONE).normalize();
        let payoff = instrument.terms.payoff.unwrap_or(Payoff::Linear);
        let (px, qty) = (instrument.px_scale.digits(), instrument.qty_scale.digits());
        let error = || {
            let symbol = instrument.symbol.as_str().to_owned();
            ContractError { symbol, px, qty, multiplier }
        };
        let unit = |digits: i64| {
            let power = 10_i128.checked_pow(u32::try_from(digits).ok()?)?;
            multiplier.mantissa().checked_mul(power)
        };
        let spare = i64::from(Money::DIGITS) - i64::from(qty) - i64::from(multiplier.scale());
        let linear = unit(spare - i64::from(px)).filter(|unit| unit % 2 == 0).ok_or_else(error)?;
        let inverse = match payoff {
            Payoff::Inverse => {
                let twice = unit(spare + i64::from(px)).and_then(|unit| unit.checked_mul(2));
                twice.ok_or_else(error)?
            }
            Payoff::Linear | Payoff::Quanto => 0,
        };
        Ok(Self { payoff, linear: linear / 2, inverse })
    }

    /// What a signed size is worth. The profit of holding it is the difference of two worths.
    #[inline]
    pub fn worth(&self, qty: i64, px: Doubled) -> Money {
        match self.payoff {
            Payoff::Linear | Payoff::Quanto => self.notional(qty, px),
            // The base coin that the size buys; more of it is owed as the price falls.
            Payoff::Inverse if px.0 == 0 => Money::ZERO,
            Payoff::Inverse => {
                let coins = self.inverse.checked_mul(i128::from(qty)).expect(BEYOND);
                Money::from_units(-div_half_even(coins, i128::from(px.0)))
            }
        }
    }

    /// Price times size times multiplier, whatever the payoff: the weight of a fill in a mean.
    #[inline]
    pub fn notional(&self, qty: i64, px: Doubled) -> Money {
        let product = i128::from(qty) * i128::from(px.0);
        // Bits of both factors say whether the product fits, without a division.
        let bits = |value: i128| 128 - value.unsigned_abs().leading_zeros();
        assert!(bits(product) + bits(self.linear) <= 126, "{BEYOND}: {qty} at {}", px.0);
        Money::from_units(product * self.linear)
    }

    /// The mean price behind a notional and its size, to six digits below a price unit.
    pub fn mean_px(&self, notional: Money, qty: i64, px_scale: Scale) -> Option<Decimal> {
        const FINE: i128 = 1_000_000;
        let one =
            self.linear.checked_mul(2)?.checked_mul(i128::from(qty)).filter(|one| *one != 0)?;
        let (whole, rest) = (notional.units() / one, notional.units() % one);
        let mantissa = whole.checked_mul(FINE)?.checked_add(rest.checked_mul(FINE)? / one)?;
        let digits = u32::from(px_scale.digits()) + 6;
        Decimal::try_from_i128_with_scale(mantissa, digits).ok().map(|px| px.normalize())
    }

    /// What a size stands for, never negative: the value of a position, whatever the payoff.
    pub fn value(&self, qty: i64, px: Doubled) -> Money {
        self.worth(qty, px).abs()
    }
}

#[cfg(test)]
mod tests {
    use qt_model::instrument::Symbol;

    use super::*;

    fn contract(
        px: u8,
        qty: u8,
        multiplier: &str,
        payoff: Payoff,
    ) -> Result<Contract, ContractError> {
        let scale = |digits| Scale::new(digits).unwrap();
        let symbol = Symbol::new("test:X").unwrap();
        let mut instrument = Instrument::new(symbol, scale(px), scale(qty));
        instrument.terms.multiplier = Some(multiplier.parse().unwrap());
        instrument.terms.payoff = Some(payoff);
        Contract::new(&instrument)
    }

    #[track_caller]
    fn check(found: Money, expected: &str) {
        assert_eq!(found.to_decimal().unwrap(), expected.parse().unwrap());
    }

    #[test]
    fn worth_is_exact_between_ticks() {
        let spot = contract(2, 3, "1", Payoff::Linear).unwrap();
        check(spot.worth(1_500, Doubled::mid(Px::new(10_000), Px::new(10_001))), "150.0075");
        check(spot.worth(-2_000, Doubled::of(Px::new(-550))), "11");
        let future = contract(2, 0, "50", Payoff::Linear).unwrap();
        check(future.worth(3, Doubled::of(Px::new(400_025))), "600037.5");
        let inverse = contract(1, 0, "100", Payoff::Inverse).unwrap();
        // 100 dollars a contract: 10 contracts from 50000 to 40000 lose 0.005 of the coin.
        let at = |px| inverse.worth(10, Doubled::of(Px::new(px)));
        check(at(400_000) - at(500_000), "-0.005");
        assert!(contract(12, 11, "1", Payoff::Linear).is_err());
    }
}
