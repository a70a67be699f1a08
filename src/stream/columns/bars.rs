//! Bars from their columns, row by row without a detour by values.
//!
//! Invariant: a row is taken here only where it has all that a bar must have, in range; it is then
//! what the general way makes of it. Every other row is left to that, which knows what to say.

use std::cell::Cell;

use arrow::array::{Array, AsArray, UInt64Array};
use arrow::datatypes::TimestampNanosecondType;
use qt_model::record::{Bar, Head};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::{BarClock, Word};
use rust_decimal::Decimal;

use super::cells::{DecimalCells, Numbers, WordCells};
use super::convert::column;
use super::rows::Rows;
use super::schema::ts_type;

/// The columns of a table of bars. See the module.
pub(super) struct Bars {
    clock: WordCells,
    step: DecimalCells,
    /// The step that was read last: those of a table are mostly one.
    last_step: Cell<Option<(i128, Decimal)>>,
    open_ts: Numbers<TimestampNanosecondType>,
    px: [DecimalCells; 4],
    volume: DecimalCells,
    buy_volume: Option<DecimalCells>,
    notional: Option<DecimalCells>,
    trades: Option<UInt64Array>,
}

impl Bars {
    /// `None` where a column that every bar needs is missing or of a type that holds something else.
    pub(super) fn of(rows: &Rows<'_>) -> Option<Self> {
        let decimals = |name| rows.decimals(name).ok();
        let open_ts = column(rows.table, "open_ts", &ts_type()).ok()??;
        Some(Self {
            clock: rows.words("clock", BarClock::WORDS).ok()??,
            step: decimals("step")??,
            last_step: Cell::new(None),
            open_ts: Numbers::new(open_ts.as_primitive()),
            px: [decimals("open")??, decimals("high")??, decimals("low")??, decimals("close")??],
            volume: decimals("volume")??,
            buy_volume: decimals("buy_volume")?,
            notional: decimals("notional")?,
            trades: rows.whole("trades").ok()?,
        })
    }

    /// The bar of a row that has a head; `None` where something needs a closer look.
    #[inline]
    pub(super) fn get(&self, row: usize, head: Head, (px, qty): (Scale, Scale)) -> Option<Bar> {
        head.instrument?;
        let price = |at: usize| self.px[at].get(row, px).ok().flatten().map(Px::new);
        let size = |cells: &DecimalCells| match cells.get(row, qty).ok()? {
            Some(mantissa) => Some(Some(Qty::new(mantissa).ok()?)),
            None => Some(None),
        };
        Some(Bar {
            head,
            clock: self.clock.get(row).ok()?.and_then(BarClock::from_index)?,
            step: self.step(row)?,
            open_ts: Ts::from_nanos(self.open_ts.get(row)?),
            open: price(0)?,
            high: price(1)?,
            low: price(2)?,
            close: price(3)?,
            volume: size(&self.volume)??,
            buy_volume: match &self.buy_volume {
                Some(cells) => size(cells)?,
                None => None,
            },
            notional: match &self.notional {
                Some(cells) => cells.money(row).ok()?,
                None => None,
            },
            trades: self.trades.as_ref().filter(|it| !it.is_null(row)).map(|it| it.value(row)),
        })
    }

    #[inline]
    fn step(&self, row: usize) -> Option<Decimal> {
        let mantissa = self.step.mantissa(row)?;
        if let Some((known, step)) = self.last_step.get()
            && known == mantissa
        {
            return Some(step);
        }
        let step = self.step.money(row).ok()??;
        self.last_step.set(Some((mantissa, step)));
        Some(step)
    }
}
