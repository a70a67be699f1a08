//! Bars from their columns, without a detour by values: as columns where nothing is missing, else row by
//! row.
//!
//! Invariant: a row is taken here only where it has all that a bar must have, in range; it is then
//! what the general way makes of it. Every other row is left to that, which knows what to say.

use std::cell::Cell;
use std::ops::Range;

use arrow::array::{Array, AsArray, UInt64Array};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::TimestampNanosecondType;
use qt_model::record::{Bar, BarStep, Head, SharedBars};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::{BarClock, Word};
use rust_decimal::Decimal;

use super::cells::{DecimalCells, Numbers, WordCells};
use super::convert::column;
use super::plain::{Heads, Plain, shared, size};
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
        // We write columns that say nothing, too.
        let optional = |name| Some(decimals(name)?.filter(|cells| cells.has_values(rows.len())));
        let open_ts = column(rows.table, "open_ts", &ts_type()).ok()??;
        Some(Self {
            clock: rows.words("clock", BarClock::WORDS).ok()??,
            step: decimals("step")??,
            last_step: Cell::new(None),
            open_ts: Numbers::new(open_ts.as_primitive()),
            px: [decimals("open")??, decimals("high")??, decimals("low")??, decimals("close")??],
            volume: decimals("volume")??,
            buy_volume: optional("buy_volume")?,
            notional: optional("notional")?,
            trades: rows.whole("trades").ok()?.filter(|it| it.null_count() < it.len()),
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

/// Bars of one clock and one step that say no more than every bar does, in columns in which nothing is
/// missing.
#[derive(Debug)]
pub(crate) struct WholeBars {
    of: BarStep,
    open_ts: ScalarBuffer<i64>,
    px: [ScalarBuffer<i64>; 4],
    volume: ScalarBuffer<i64>,
}

impl WholeBars {
    /// The bars of a table that has rows, at the scales of its instruments.
    pub(super) fn of(rows: &Rows<'_>, px: Scale, qty: Scale) -> Option<Self> {
        let bars = Bars::of(rows)?;
        let is_bare = bars.buy_volume.is_none() && bars.notional.is_none() && bars.trades.is_none();
        let clock = bars.clock.only().filter(|_| is_bare).and_then(BarClock::from_index)?;
        let (step, mantissa) = (bars.step(0)?, bars.step.mantissa(0));
        let is_one_step = (1..rows.len()).all(|row| bars.step.mantissa(row) == mantissa);
        let [open, high, low, close] = &bars.px;
        is_one_step.then_some(Self {
            of: BarStep { clock, step },
            open_ts: bars.open_ts.plain()?.clone(),
            px: [open.plain(px)?, high.plain(px)?, low.plain(px)?, close.plain(px)?],
            volume: bars.volume.plain_sizes(qty)?,
        })
    }

    pub(super) fn bars<'a>(
        &'a self,
        heads: Heads<'a>,
        rows: &Range<usize>,
    ) -> impl Iterator<Item = Bar> + use<'a> {
        let open_ts = &self.open_ts[rows.clone()];
        let [open, high, low, close] = self.px.each_ref().map(|px| &px[rows.clone()]);
        let (volume, BarStep { clock, step }) = (&self.volume[rows.clone()], self.of);
        (0..rows.len()).map(move |at| Bar {
            head: heads.get(at),
            clock,
            step,
            open_ts: Ts::from_nanos(open_ts[at]),
            open: Px::new(open[at]),
            high: Px::new(high[at]),
            low: Px::new(low[at]),
            close: Px::new(close[at]),
            volume: size(volume[at]),
            buy_volume: None,
            notional: None,
            trades: None,
        })
    }

    pub(super) fn shared(&self, plain: &Plain, records: &Range<usize>) -> SharedBars {
        let part = |column| shared(column, records);
        let [open, high, low, close] = self.px.each_ref().map(part);
        SharedBars {
            of: self.of,
            ts_event: part(&plain.event),
            ts_recv: part(&plain.recv),
            seq: shared(&plain.seq, records),
            open_ts: part(&self.open_ts),
            open,
            high,
            low,
            close,
            volume: part(&self.volume),
        }
    }
}
