//! What the venues say about each instrument, in the units that orders are in.

use qt_model::ids::InstrumentId;
use qt_model::instrument::{Instrument, Instruments};
use qt_model::order::Currency;
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::RejectReason;
use rust_decimal::Decimal;

/// One instrument.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    /// Its venue's place in the exchange.
    pub(super) venue: usize,
    pub(super) px_scale: Scale,
    pub(super) qty_scale: Scale,
    tick: i64,
    lot: i64,
    /// What a buyer of a spot instrument receives, where it has a name.
    pub(super) base: Option<Currency>,
    /// When the contract ends, where it does.
    pub(super) expiry: Option<Ts>,
    /// Its place among the symbols.
    pub(super) rank: u32,
    /// The instruments of its venue that trade the same base, itself among them.
    pub(super) siblings: Vec<InstrumentId>,
}

impl Terms {
    pub(super) fn new(instrument: &Instrument, venue: usize) -> Self {
        let terms = &instrument.terms;
        Self {
            venue,
            px_scale: instrument.px_scale,
            qty_scale: instrument.qty_scale,
            tick: step(terms.tick, instrument.px_scale),
            lot: step(terms.lot, instrument.qty_scale),
            base: terms.base.as_ref().and_then(|text| Currency::new(text).ok()),
            expiry: terms.expiry,
            rank: 0,
            siblings: Vec::new(),
        }
    }

    #[inline]
    pub(super) fn lot(&self) -> i64 {
        self.lot
    }

    #[inline]
    pub(super) fn tick(&self) -> i64 {
        self.tick
    }

    pub(super) fn check_px(&self, px: Px) -> Result<(), RejectReason> {
        if px.mantissa() % self.tick == 0 { Ok(()) } else { Err(RejectReason::OffTick) }
    }

    pub(super) fn check_qty(&self, qty: Qty) -> Result<(), RejectReason> {
        match qty.mantissa() {
            0 => Err(RejectReason::TooSmall),
            // Most often a unit is a lot, which takes no division.
            units if self.lot != 1 && units % self.lot != 0 => Err(RejectReason::OffLot),
            _ => Ok(()),
        }
    }

    /// The nearest multiple of the tick that is not better for the order than a number of units.
    pub(super) fn away(&self, units: i128, is_up: bool) -> Px {
        let tick = i128::from(self.tick);
        let down = units.div_euclid(tick) * tick;
        let units = if is_up && down != units { down + tick } else { down };
        Px::new(i64::try_from(units).unwrap_or(if units > 0 { i64::MAX } else { i64::MIN }))
    }
}

/// A tick or lot in units of a scale; one unit where none is stated, or it is no whole number of
/// units.
fn step(step: Option<Decimal>, scale: Scale) -> i64 {
    let units = step.and_then(|step| step.checked_mul(Decimal::from(scale.unit())));
    let whole = units.map(|units| units.normalize()).filter(|units| units.scale() == 0);
    whole
        .and_then(|units| i64::try_from(units.mantissa()).ok())
        .filter(|units| *units > 0)
        .unwrap_or(1)
}

/// The names of all venues and the terms of all instruments.
pub(super) fn terms_of(instruments: &Instruments) -> (Vec<Box<str>>, Vec<Terms>) {
    let mut venues: Vec<Box<str>> = Vec::new();
    let mut terms = Vec::with_capacity(instruments.len());
    for instrument in instruments.iter() {
        let name = instrument.symbol.venue();
        let known = venues.iter().position(|venue| **venue == *name);
        let venue = known.unwrap_or_else(|| {
            venues.push(name.into());
            venues.len() - 1
        });
        terms.push(Terms::new(instrument, venue));
    }
    let known: Vec<_> = instruments.by_symbol().map(|(id, _)| id).collect();
    for (rank, id) in (0..).zip(&known) {
        terms[id.index()].rank = rank;
    }
    for at in 0..terms.len() {
        let Terms { venue, base, .. } = terms[at];
        let is_sibling = |id: &&InstrumentId| {
            let other: &Terms = &terms[id.index()];
            base.is_some() && other.venue == venue && other.base == base
        };
        terms[at].siblings = known.iter().filter(is_sibling).copied().collect();
    }
    (venues, terms)
}

/// The terms of an instrument that an order names; it may name one that nobody knows.
pub(super) fn find(terms: &[Terms], instrument: InstrumentId) -> Result<&Terms, RejectReason> {
    terms.get(instrument.index()).ok_or(RejectReason::UnknownInstrument)
}

#[cfg(test)]
mod tests {
    use qt_model::instrument::Symbol;

    use super::*;

    fn terms(tick: Option<Decimal>, lot: Option<Decimal>) -> Terms {
        let scale = Scale::new(2).unwrap();
        let mut instrument = Instrument::new(Symbol::new("v:X").unwrap(), scale, scale);
        (instrument.terms.tick, instrument.terms.lot) = (tick, lot);
        Terms::new(&instrument, 0)
    }

    #[test]
    fn steps_are_whole_units_or_one() {
        assert_eq!(terms(Some(Decimal::new(25, 2)), None).tick(), 25);
        assert_eq!(terms(Some(Decimal::new(5, 3)), None).tick(), 1); // finer than the scale
        assert_eq!(terms(Some(Decimal::ZERO), Some(Decimal::TWO)).tick(), 1);
        assert_eq!(terms(None, Some(Decimal::TWO)).lot(), 200);
    }

    #[test]
    fn what_is_off_the_grid_is_refused() {
        let terms = terms(Some(Decimal::new(25, 2)), Some(Decimal::new(10, 2)));
        assert_eq!(terms.check_px(Px::new(-75)), Ok(()));
        assert_eq!(terms.check_px(Px::new(76)), Err(RejectReason::OffTick));
        let qty = |units| terms.check_qty(Qty::new(units).unwrap());
        assert_eq!(
            [qty(0), qty(5), qty(20)],
            [Err(RejectReason::TooSmall), Err(RejectReason::OffLot), Ok(())]
        );
        assert_eq!([terms.away(76, true), terms.away(76, false)], [Px::new(100), Px::new(75)]);
        assert_eq!([terms.away(-76, true), terms.away(75, true)], [Px::new(-75), Px::new(75)]);
    }
}
