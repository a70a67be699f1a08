//! Looking through a capture before it is imported: which instruments it holds, and how many decimals
//! their numbers need.
//!
//! Venues write more decimals than their instruments have, or fewer, so that the first message tells
//! too little; a whole capture tells it, beside tick and lot where they are stated. A capture that
//! comes through a pipe is not surveyed and keeps the wide scales of its first messages.

use qt_model::ids::InstrumentId;
use qt_model::record::{Bar, Batch, Depth, Quote, Source, Trade};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};
use qt_stream::error::ReadError;
use qt_stream::import::{Hints, ImportInput, Importer, Notes};
use qt_stream::place::Place;
use qt_stream::read::Options;
use qt_stream::tolerance::Tolerance;
use qt_stream::universe::Universe;
use rust_decimal::Decimal;

/// Reads a capture to its end and declares its instruments; when its first record was received.
pub(super) fn survey(
    importer: &dyn Importer,
    input: ImportInput,
    hints: &Hints,
    options: &Options,
) -> Result<Option<Ts>, ReadError> {
    let name = input.name.clone();
    // What is wrong with the capture is said when it is imported.
    let apart = Options {
        universe: Universe::default(),
        tolerance: Tolerance::skip(),
        allow_truncated: true,
        ..options.clone()
    };
    let input = ImportInput { notes: Notes::default(), ..input };
    let mut source = importer.open(input, hints, &apart)?;
    let (mut batch, mut first, mut needs) = (Batch::default(), None, Needs::default());
    while matches!(source.next(&mut batch), Ok(true)) {
        first = first.or_else(|| batch.slots().first().map(|slot| slot.ts_recv));
        needs.take(&batch);
    }
    let found = apart.universe.snapshot();
    let declared = found.iter().enumerate().map(|(at, instrument)| {
        let mut instrument = instrument.clone();
        let digits = needs.of.get(at).copied().unwrap_or_default();
        if !digits.is_seen {
            return instrument;
        }
        let (tick, lot) = (decimals(instrument.terms.tick), decimals(instrument.terms.lot));
        let px = hints.px_scale.or(Scale::new(digits.px.max(tick)).ok());
        let qty = hints.qty_scale.or(Scale::new(digits.qty.max(lot)).ok());
        instrument.px_scale = px.unwrap_or(instrument.px_scale);
        instrument.qty_scale = qty.unwrap_or(instrument.qty_scale);
        instrument
    });
    let declared: Vec<_> = declared.collect();
    options.universe.declare_all(&declared).map_err(|error| ReadError::Unreadable {
        place: Place::whole(&name),
        message: error.to_string(),
    })?;
    Ok(first)
}

fn decimals(step: Option<Decimal>) -> u8 {
    step.and_then(|step| u8::try_from(step.normalize().scale()).ok()).unwrap_or(0)
}

/// Decimals that the numbers of each instrument need, by its id.
#[derive(Debug, Default)]
struct Needs {
    of: Vec<Digits>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Digits {
    is_seen: bool,
    px: u8,
    qty: u8,
}

impl Needs {
    fn take(&mut self, batch: &Batch) {
        let table = batch.instruments();
        self.of.resize(self.of.len().max(table.len()), Digits::default());
        let mut see = |id: Option<InstrumentId>, pxs: &[Option<Px>], qtys: &[Option<Qty>]| {
            let Some(id) = id else { return };
            let (instrument, digits) = (table.get(id), &mut self.of[id.index()]);
            digits.is_seen = true;
            for px in pxs.iter().flatten() {
                digits.px = need(px.mantissa(), instrument.px_scale, digits.px);
            }
            for qty in qtys.iter().flatten() {
                digits.qty = need(qty.mantissa(), instrument.qty_scale, digits.qty);
            }
        };
        for Trade { head, px, qty, .. } in batch.rows() {
            see(head.instrument, &[Some(*px)], &[Some(*qty)]);
        }
        for Quote { head, bid_px, bid_qty, ask_px, ask_qty, .. } in batch.rows() {
            see(head.instrument, &[*bid_px, *ask_px], &[*bid_qty, *ask_qty]);
        }
        for Bar { head, open, high, low, close, volume, buy_volume, .. } in batch.rows() {
            let prices = [*open, *high, *low, *close].map(Some);
            see(head.instrument, &prices, &[Some(*volume), *buy_volume]);
        }
        for (at, Depth { head, .. }) in batch.rows().iter().enumerate() {
            for level in batch.levels(at) {
                see(head.instrument, &[Some(level.px)], &[Some(level.qty)]);
            }
        }
    }
}

/// The decimals that a mantissa needs, at least as many as are needed already.
#[inline]
fn need(mantissa: i64, scale: Scale, mut needed: u8) -> u8 {
    while needed < scale.digits() {
        let spare = Scale::new(scale.digits() - needed).unwrap_or(Scale::ZERO);
        if mantissa % spare.unit() == 0 {
            break;
        }
        needed += 1;
    }
    needed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_at_the_end_need_no_decimals() {
        let scale = Scale::new(8).unwrap();
        assert_eq!(need(6_183_763_000_000, scale, 0), 2);
        assert_eq!(need(6_183_700_000_000, scale, 2), 2);
        assert_eq!(need(1, scale, 2), 8);
        assert_eq!(need(0, scale, 0), 0);
    }
}
