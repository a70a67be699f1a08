//! Lists of price and size, as nearly every venue sends its book.

use qt_model::record::Level;
use qt_model::words::Side;

use crate::frame::DecodeError;
use crate::json::Value;
use crate::listing::{Listed, Sighting};

/// The text of one level.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TextLevel<'a> {
    pub side: Side,
    pub px: &'a str,
    pub qty: &'a str,
}

/// Reads `[["price","size",…],…]`; what stands behind the size is passed over.
pub(crate) fn read<'a>(
    list: Value<'a, '_>,
    side: Side,
    out: &mut Vec<TextLevel<'a>>,
) -> Result<(), DecodeError> {
    for pair in list.array()? {
        let pair = pair.array()?;
        let [px, qty, ..] = pair.as_slice() else {
            return Err(list.refuse("pairs of price and size"));
        };
        out.push(TextLevel { side, px: px.digits()?, qty: qty.digits()? });
    }
    Ok(())
}

/// What the levels show of their instrument.
pub(crate) fn sighting<'a>(levels: &[TextLevel<'a>]) -> Sighting<'a> {
    let mut sighting = Sighting::default();
    for level in levels {
        sighting.px(level.px);
        sighting.qty(level.qty);
    }
    sighting
}

/// The levels at the scales of their instrument.
pub(crate) fn resolve(
    levels: &[TextLevel<'_>],
    listed: Listed,
    out: &mut Vec<Level>,
) -> Result<(), DecodeError> {
    for level in levels {
        let (px, qty) = (listed.px("price", level.px)?, listed.qty("size", level.qty)?);
        out.push(Level { px, qty, side: level.side });
    }
    Ok(())
}
