//! What a size of an instrument is worth at a price, in units of the currency that it settles in.
//!
//! Prices come doubled, so that the middle of a bid and an ask is one. A linear worth is exact;
//! that of an inverse contract is a quotient, rounded to the nearest even at the precision of its
//! currency.

use qt_model::instrument::Instrument;
use qt_model::order::Currency;
use qt_model::units::Px;
use qt_model::words::{InstrumentClass, Payoff};
use rust_decimal::Decimal;

use super::LedgerError;
use super::amount::{Amount, Precision, divide_even, times};

/// Twice a price: exact for mids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct DoublePx(i64);

impl DoublePx {
    #[inline]
    pub fn of(px: Px) -> Self {
        Self::mid(px, px)
    }

    /// The middle of two prices. Prices are at most half of what fits, which decoders see to.
    #[inline]
    pub fn mid(bid: Px, ask: Px) -> Self {
        Self(bid.mantissa().saturating_add(ask.mantissa()))
    }

    #[inline]
    pub fn units(self) -> i64 {
        self.0
    }
}

/// How an instrument pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contract {
    pub settle: Currency,
    /// Whether a position is bought with cash, rather than held against margin.
    pub is_paid: bool,
    pays: Pays,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pays {
    /// Worth: doubled price · size · factor.
    Linear { factor: i128 },
    /// Worth: −size · factor / doubled price.
    Inverse { factor: i128 },
}

impl Contract {
    /// The precision that worths of the instrument need.
    pub(super) fn digits(instrument: &Instrument) -> u32 {
        let multiplier = instrument.terms.multiplier.map_or(0, |number| number.normalize().scale());
        match instrument.terms.payoff {
            Some(Payoff::Inverse) => Precision::LEAST.digits(),
            Some(Payoff::Linear | Payoff::Quanto) | None => {
                let scales = instrument.px_scale.digits() + instrument.qty_scale.digits();
                // One more for the half of a mid.
                u32::from(scales) + multiplier + 1
            }
        }
    }

    /// The currency that an instrument settles in: as it says, else the one that its payoff names.
    pub(super) fn settle(
        instrument: &Instrument,
        default: Currency,
    ) -> Result<Currency, LedgerError> {
        let terms = &instrument.terms;
        let payoff = match terms.payoff {
            Some(Payoff::Inverse) => &terms.base,
            Some(Payoff::Linear | Payoff::Quanto) | None => &terms.quote,
        };
        match terms.settle.as_ref().or(payoff.as_ref()) {
            Some(text) => Currency::new(text).map_err(|error| LedgerError::Currency {
                symbol: instrument.symbol.to_string(),
                error,
            }),
            None => Ok(default),
        }
    }

    pub(crate) fn new(
        instrument: &Instrument,
        settle: Currency,
        precision: Precision,
    ) -> Result<Self, LedgerError> {
        let terms = &instrument.terms;
        let multiplier = terms.multiplier.unwrap_or(Decimal::ONE).normalize();
        let too_fine = || LedgerError::TooFine { symbol: instrument.symbol.to_string() };
        let power = |digits: u32| 10_i128.checked_pow(digits).ok_or_else(too_fine);
        let (px, qty) = (instrument.px_scale.digits(), instrument.qty_scale.digits());
        let behind = u32::from(qty) + multiplier.scale();
        let pays = match terms.payoff {
            Some(Payoff::Inverse) => {
                // Twice, against the doubled price below the line.
                let digits = (precision.digits() + u32::from(px)).checked_sub(behind);
                let scale = power(digits.ok_or_else(too_fine)?)?;
                let factor = multiplier.mantissa().checked_mul(2 * scale).ok_or_else(too_fine)?;
                Pays::Inverse { factor }
            }
            Some(Payoff::Linear | Payoff::Quanto) | None => {
                let digits = precision.digits().checked_sub(u32::from(px) + behind);
                let scale = power(digits.ok_or_else(too_fine)?)?;
                let factor = multiplier.mantissa().checked_mul(scale).ok_or_else(too_fine)?;
                // The precision has a decimal to spare, so half of it is whole.
                Pays::Linear { factor: factor / 2 }
            }
        };
        let is_paid = matches!(
            terms.class,
            None | Some(InstrumentClass::Spot | InstrumentClass::Equity | InstrumentClass::Fx)
        );
        Ok(Self { settle, is_paid, pays })
    }

    /// What a signed size is worth at that price.
    #[inline]
    pub fn worth(&self, px: DoublePx, qty: i64) -> Amount {
        let (px, qty) = (i128::from(px.0), i128::from(qty));
        let units = match self.pays {
            Pays::Linear { factor } => times(px * qty, factor),
            Pays::Inverse { factor } => inverse_worth(px, qty, factor),
        };
        Amount::from_units(units.expect("what a position is worth fits 38 digits"))
    }

    /// Whether worths are a line over the price.
    pub fn is_linear(&self) -> bool {
        matches!(self.pays, Pays::Linear { .. })
    }

    /// What a signed size gains by a unit of doubled price, where that is the same at every price and
    /// not beyond 63 bits.
    pub(super) fn slope(&self, qty: i64) -> Option<i64> {
        i64::try_from(times(i128::from(qty), self.factor()?)?).ok()
    }

    /// What a unit of size gains by a unit of doubled price, where that is the same at every price.
    pub(crate) fn factor(&self) -> Option<i128> {
        match self.pays {
            Pays::Linear { factor } => Some(factor),
            Pays::Inverse { .. } => None,
        }
    }

    /// The price at which a size would be worth its cost, in units of price, for display and
    /// rules; `None` while flat.
    pub fn entry_px(&self, cost: Amount, qty: i64) -> Option<f64> {
        let (cost, qty) = (cost.units() as f64, qty as f64);
        let doubled = match self.pays {
            Pays::Linear { factor } => cost / (qty * factor as f64),
            Pays::Inverse { factor } => -qty * factor as f64 / cost,
        };
        doubled.is_finite().then_some(doubled / 2.0)
    }
}

/// Apart from what is linear, so that those who ask stay short.
#[inline(never)]
fn inverse_worth(px: i128, qty: i128, factor: i128) -> Option<i128> {
    if px == 0 {
        return Some(0);
    }
    qty.checked_mul(factor).map(|top| divide_even(-top, px))
}
