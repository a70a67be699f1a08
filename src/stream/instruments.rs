//! An instrument as a record, and a record as an instrument.

use qt_model::instrument::{Instrument, Symbol, TableError, Terms};
use qt_model::record::{Head, InstrumentRow, Row, Value};
use qt_model::units::{Scale, ScaleError};

use crate::error::Problem;

/// The instrument that the fields of an `instrument` record describe.
pub(crate) fn from_values(symbol: Symbol, values: &mut [Value<'_>]) -> Result<Instrument, Problem> {
    let head = Head::new(Default::default(), Default::default(), 0, None);
    let row = InstrumentRow::from_values(head, values)
        .map_err(|at| Problem::field(InstrumentRow::FIELDS[at].name, "its type", b"another"))?;
    let scale = |field, digits: u64| {
        u8::try_from(digits)
            .map_err(|_| ScaleError(i64::try_from(digits).unwrap_or(i64::MAX)))
            .and_then(Scale::new)
            .map_err(|source| Problem::Scale { field, source })
    };
    let mut instrument = Instrument::new(
        symbol,
        scale("px_scale", row.px_scale)?,
        scale("qty_scale", row.qty_scale)?,
    );
    let boxed = |text: Option<String>| text.map(String::into_boxed_str);
    instrument.terms = Terms {
        class: row.class,
        payoff: row.payoff,
        tick: row.tick,
        lot: row.lot,
        multiplier: row.multiplier,
        base: boxed(row.base),
        quote: boxed(row.quote),
        settle: boxed(row.settle),
        root: boxed(row.root),
        expiry: row.expiry,
    };
    Ok(instrument)
}

/// An `instrument` record may not ask for digits that the instrument in use does not have: from
/// lines, where it declares the instrument, and from columns, where it is a row like any other.
pub(crate) fn check_values(known: &Instrument, values: &[Value<'_>]) -> Result<(), Problem> {
    let [Value::U64(px), Value::U64(qty), ..] = values else { return Ok(()) };
    let limit = u64::from(Scale::MAX.digits());
    for (field, digits) in [("px_scale", *px), ("qty_scale", *qty)] {
        if digits > limit {
            let found = i64::try_from(digits).unwrap_or(i64::MAX);
            return Err(Problem::Scale { field, source: ScaleError(found) });
        }
    }
    let (known_px, known_qty) = (known.px_scale.digits(), known.qty_scale.digits());
    if *px > u64::from(known_px) || *qty > u64::from(known_qty) {
        let symbol = known.symbol.clone();
        let source = TableError::Widened { symbol, px: known_px, qty: known_qty };
        return Err(Problem::Table { source });
    }
    Ok(())
}

/// The record that describes an instrument, but for its head.
pub fn row_of(instrument: &Instrument, head: Head) -> InstrumentRow {
    let Instrument { px_scale, qty_scale, terms, .. } = instrument;
    let owned = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
    InstrumentRow {
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
