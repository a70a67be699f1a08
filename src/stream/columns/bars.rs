//! Bars from their columns, without a detour by values: all at once where nothing is missing, else row
//! by row.
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
use super::read::Sink;
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

    /// Takes all rows, if nothing is missing in any; says whether it did.
    pub(super) fn all(&self, rows: &Rows<'_>, sink: &mut Sink<'_>) -> bool {
        let Some(bars) = self.whole(rows) else { return false };
        sink.batch.extend_rows(bars);
        sink.ordinals.extend(rows.ordinals().into_iter().flatten());
        true
    }

    fn whole(&self, rows: &Rows<'_>) -> Option<impl Iterator<Item = Bar>> {
        // Of a table without rows there are no scales, so from here on there is a first row.
        let (event, recv, seq, (px, qty)) = rows.plain_heads()?;
        let open_ts = self.open_ts.plain()?.clone();
        let [open, high, low, close] = &self.px;
        let prices = [open.plain(px)?, high.plain(px)?, low.plain(px)?, close.plain(px)?];
        let volume = self.volume.plain_sizes(qty)?;
        let clock = self.clock.get(0).ok()??;
        let is_one_clock =
            (0..rows.len()).all(|row| matches!(self.clock.get(row), Ok(Some(it)) if it == clock));
        let clock = BarClock::from_index(clock)?;
        let is_bare = self.buy_volume.is_none() && self.notional.is_none() && self.trades.is_none();
        let step = self.step(0)?;
        let mantissa = self.step.mantissa(0);
        let is_one_step = (0..rows.len()).all(|row| self.step.mantissa(row) == mantissa);
        let ids = rows.heads.ids.of_rows.clone();
        (is_bare && is_one_clock && is_one_step).then(|| {
            (0..recv.len()).map(move |row| Bar {
                head: Head {
                    ts_event: Ts::from_nanos(event[row]),
                    ts_recv: Ts::from_nanos(recv[row]),
                    seq: seq[row],
                    instrument: ids.get(row),
                    has_event_time: true,
                },
                clock,
                step,
                open_ts: Ts::from_nanos(open_ts[row]),
                open: Px::new(prices[0][row]),
                high: Px::new(prices[1][row]),
                low: Px::new(prices[2][row]),
                close: Px::new(prices[3][row]),
                volume: Qty::new(volume[row]).unwrap_or_default(),
                buy_volume: None,
                notional: None,
                trades: None,
            })
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
