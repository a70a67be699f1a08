//! From the currencies of wallets to the one of equity, at the mids of the pairs between them.
//!
//! Absent on purpose: chains over a third currency. A currency without a pair converts to nothing
//! and is named by the ledger.

use qt_model::ids::InstrumentId;
use qt_model::instrument::Instruments;
use qt_model::order::Currency;
use rust_decimal::Decimal;

use super::amount::{Amount, Precision, Wallet};
use super::contract::DoublePx;

#[derive(Clone, Debug, Default)]
pub(super) struct Rates {
    home: Option<Currency>,
    pairs: Vec<Pair>,
}

/// An instrument whose price is the price of one currency in another.
#[derive(Clone, Copy, Debug)]
struct Pair {
    instrument: InstrumentId,
    currency: Currency,
    px_digits: u32,
    /// Whether the price is what one unit of `home` costs, rather than one of the currency.
    is_inverse: bool,
    mark: Option<DoublePx>,
}

impl Rates {
    pub(super) fn new(home: Currency, instruments: &Instruments) -> Self {
        let named = |text: &Option<Box<str>>| Currency::new(text.as_deref()?).ok();
        let pairs = instruments.by_symbol().filter_map(|(id, instrument)| {
            let base = named(&instrument.terms.base)?;
            let quote = named(&instrument.terms.quote)?;
            let (currency, is_inverse) = match () {
                () if quote == home => (base, false),
                () if base == home => (quote, true),
                () => return None,
            };
            let px_digits = u32::from(instrument.px_scale.digits());
            Some(Pair { instrument: id, currency, px_digits, is_inverse, mark: None })
        });
        Self { home: Some(home), pairs: pairs.collect() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Takes a mark; says whether it is one of a pair.
    pub(super) fn mark(&mut self, instrument: InstrumentId, mark: DoublePx) -> bool {
        let pair = self.pairs.iter_mut().find(|pair| pair.instrument == instrument);
        pair.is_some_and(|pair| pair.mark.replace(mark) != Some(mark))
    }

    fn pair(&self, currency: Currency) -> Option<(&Pair, DoublePx)> {
        let marked = |pair: &'_ Pair| pair.mark.filter(|mark| mark.units() > 0);
        let of = self.pairs.iter().filter(|pair| pair.currency == currency);
        of.filter_map(|pair| Some((pair, marked(pair)?))).next()
    }

    pub(super) fn has(&self, currency: Currency) -> bool {
        self.home == Some(currency) || self.pair(currency).is_some()
    }

    /// An amount of a wallet in the currency of equity, rounded to the nearest even.
    pub(super) fn convert(&self, wallet: &Wallet, amount: Amount, home: Precision) -> Amount {
        if self.home == Some(wallet.currency) || amount.is_zero() {
            return amount;
        }
        let Some((pair, mark)) = self.pair(wallet.currency) else { return Amount::ZERO };
        let doubled = Decimal::from_i128_with_scale(i128::from(mark.units()), pair.px_digits);
        let px = doubled / Decimal::TWO;
        let number = wallet.precision.decimal(amount);
        home.amount(if pair.is_inverse { number / px } else { number * px })
    }
}
