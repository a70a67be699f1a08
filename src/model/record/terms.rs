//! An instrument as a record, and a record as an instrument.

use super::{Head, InstrumentRow};
use crate::instrument::{Instrument, Symbol, Terms};
use crate::units::{Scale, ScaleError};

impl InstrumentRow {
    /// The record that describes an instrument, but for its head.
    pub fn of(instrument: &Instrument, head: Head) -> Self {
        let Instrument { px_scale, qty_scale, terms, .. } = instrument;
        let owned = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
        Self {
            head,
            px_scale: u64::from(px_scale.digits()),
            qty_scale: u64::from(qty_scale.digits()),
            class: terms.class,
            payoff: terms.payoff,
            tick: terms.tick,
            lot: terms.lot,
            multiplier: terms.multiplier,
            base: owned(&terms.base),
            quote: owned(&terms.quote),
            settle: owned(&terms.settle),
            root: owned(&terms.root),
            expiry: terms.expiry,
        }
    }

    /// The instrument that the record describes. On a misfit, the field and what is wrong with it.
    pub fn instrument(self, symbol: Symbol) -> Result<Instrument, (&'static str, ScaleError)> {
        let scale = |field, digits: u64| {
            u8::try_from(digits)
                .map_err(|_| ScaleError(i64::try_from(digits).unwrap_or(i64::MAX)))
                .and_then(Scale::new)
                .map_err(|source| (field, source))
        };
        let px_scale = scale("px_scale", self.px_scale)?;
        let qty_scale = scale("qty_scale", self.qty_scale)?;
        let boxed = |text: Option<String>| text.map(String::into_boxed_str);
        let terms = Terms {
            class: self.class,
            payoff: self.payoff,
            tick: self.tick,
            lot: self.lot,
            multiplier: self.multiplier,
            base: boxed(self.base),
            quote: boxed(self.quote),
            settle: boxed(self.settle),
            root: boxed(self.root),
            expiry: self.expiry,
        };
        Ok(Instrument { symbol, px_scale, qty_scale, terms })
    }
}
