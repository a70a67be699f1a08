//! Instruments that `instrument` records declare, and what such a record may say of one in use.

use qt_model::instrument::{Instrument, Symbol, TableError};
use qt_model::record::{Head, InstrumentRow, Row, Value};
use qt_model::units::{Scale, ScaleError};

use crate::error::Problem;

/// The instrument that the fields of an `instrument` record describe.
pub(crate) fn from_values(symbol: Symbol, values: &mut [Value<'_>]) -> Result<Instrument, Problem> {
    let head = Head::new(Default::default(), Default::default(), 0, None);
    let row = InstrumentRow::from_values(head, values)
        .map_err(|at| Problem::field(InstrumentRow::FIELDS[at].name, "its type", b"another"))?;
    row.instrument(symbol).map_err(|(field, source)| Problem::Scale { field, source })
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
