//! The kinds that make up a market, from their columns without a detour by values.

use std::mem::take;

use arrow::array::{Array, UInt64Array};
use qt_model::record::{Depth, Head, Level, Quote, Trade};
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::{DepthAction, Side, Word};

use super::cells::{DecimalCells, WordCells};
use super::plain::{Own, Plain};
use super::read::{Blame, Carry, Sink};
use super::rows::Rows;
use crate::error::{Problem, ReadError};

/// Ends the reading of a table whose columns cannot be read at all.
macro_rules! columns_or_refuse {
    ($sink:ident, $columns:expr) => {
        match (|| -> Result<_, Problem> { Ok($columns) })() {
            Ok(columns) => columns,
            Err(problem) => return ($sink.judge)(Blame::Table, problem),
        }
    };
}

#[inline]
fn whole(column: &Option<UInt64Array>, row: usize) -> Option<u64> {
    column.as_ref().filter(|column| !column.is_null(row)).map(|column| column.value(row))
}

#[inline]
fn word<W: Word>(column: &Option<WordCells>, row: usize) -> Result<Option<W>, Problem> {
    match column {
        Some(cells) => Ok(cells.get(row)?.and_then(W::from_index)),
        None => Ok(None),
    }
}

#[inline]
fn px(column: &Option<DecimalCells>, row: usize, scale: Scale) -> Result<Option<Px>, Problem> {
    match column {
        Some(cells) => Ok(cells.get(row, scale)?.map(Px::new)),
        None => Ok(None),
    }
}

#[inline]
fn qty(column: &Option<DecimalCells>, row: usize, scale: Scale) -> Result<Option<Qty>, Problem> {
    let Some(cells) = column else { return Ok(None) };
    match cells.get(row, scale)? {
        Some(mantissa) => Qty::new(mantissa).map(Some).map_err(|negative| {
            Problem::field("qty", "a size of zero or more", negative.0.to_string().as_bytes())
        }),
        None => Ok(None),
    }
}

#[cold]
fn required(kind: &'static str, field: &'static str) -> Problem {
    Problem::Missing { kind, field, expected: "a value in every row".to_owned() }
}

/// Trades or quotes of a table where nothing is missing; `None`, and nothing done, where a row
/// needs a closer look.
fn quick(rows: &Rows<'_>, sink: &mut Sink<'_>) -> Option<()> {
    let plain = Plain::of(rows)?;
    plain.extend(0..plain.records(), sink.batch);
    sink.ordinals.extend(rows.ordinals().into_iter().flatten());
    Some(())
}

pub(super) fn trades(rows: &Rows<'_>, sink: &mut Sink<'_>) -> Result<(), ReadError> {
    if quick(rows, sink).is_some() {
        return Ok(());
    }
    let (px_cells, qty_cells, sides, ids) = columns_or_refuse!(
        sink,
        (
            rows.decimals("px")?,
            rows.decimals("qty")?,
            rows.words("side", Side::WORDS)?,
            rows.whole("id")?,
        )
    );
    let trade = |row: usize| -> Result<Trade, Problem> {
        let head = rows.head(row)?;
        let (px_scale, qty_scale) = rows.scales(&head);
        Ok(Trade {
            head,
            px: px(&px_cells, row, px_scale)?.ok_or_else(|| required("trade", "px"))?,
            qty: qty(&qty_cells, row, qty_scale)?.ok_or_else(|| required("trade", "qty"))?,
            side: word(&sides, row)?,
            id: whole(&ids, row),
        })
    };
    each(rows, sink, trade)
}

pub(super) fn quotes(rows: &Rows<'_>, sink: &mut Sink<'_>) -> Result<(), ReadError> {
    if quick(rows, sink).is_some() {
        return Ok(());
    }
    let (bid_px, bid_qty, ask_px, ask_qty, ids) = columns_or_refuse!(
        sink,
        (
            rows.decimals("bid_px")?,
            rows.decimals("bid_qty")?,
            rows.decimals("ask_px")?,
            rows.decimals("ask_qty")?,
            rows.whole("id")?,
        )
    );
    let quote = |row: usize| -> Result<Quote, Problem> {
        let head = rows.head(row)?;
        let (px_scale, qty_scale) = rows.scales(&head);
        Ok(Quote {
            head,
            bid_px: px(&bid_px, row, px_scale)?,
            bid_qty: qty(&bid_qty, row, qty_scale)?,
            ask_px: px(&ask_px, row, px_scale)?,
            ask_qty: qty(&ask_qty, row, qty_scale)?,
            id: whole(&ids, row),
        })
    };
    each(rows, sink, quote)
}

/// Reads one row per record.
#[inline]
fn each<T: qt_model::record::Table>(
    rows: &Rows<'_>,
    sink: &mut Sink<'_>,
    read: impl Fn(usize) -> Result<T, Problem>,
) -> Result<(), ReadError> {
    for row in 0..rows.len() {
        match read(row) {
            Ok(record) => {
                sink.batch.extend_rows([record]);
                sink.ordinals.extend(rows.ordinal(row));
            }
            Err(problem) => (sink.judge)(Blame::Row(row), problem)?,
        }
    }
    Ok(())
}

/// The columns of a depth table that belong to a level.
struct LevelCells {
    sides: Option<WordCells>,
    px: Option<DecimalCells>,
    qty: Option<DecimalCells>,
}

impl LevelCells {
    /// The level of a row; `None` for the row of a record without levels.
    #[inline]
    fn get(
        &self,
        row: usize,
        (px_scale, qty_scale): (Scale, Scale),
    ) -> Result<Option<Level>, Problem> {
        let px = px(&self.px, row, px_scale)?;
        let qty = qty(&self.qty, row, qty_scale)?;
        let side = word(&self.sides, row)?;
        match (px, qty, side) {
            (Some(px), Some(qty), Some(side)) => Ok(Some(Level { px, qty, side })),
            (None, None, None) => Ok(None),
            _ => Err(required("depth", "side, px and qty")),
        }
    }
}

pub(super) fn depths(
    rows: &Rows<'_>,
    carry: &mut Carry,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    if quick_depths(rows, carry, sink).is_some() {
        return Ok(());
    }
    let (actions, first_ids, last_ids, prev_ids, numbers, levels) = columns_or_refuse!(
        sink,
        (
            rows.words("action", DepthAction::WORDS)?,
            rows.whole("first_id")?,
            rows.whole("last_id")?,
            rows.whole("prev_id")?,
            rows.numbers("level")?,
            LevelCells {
                sides: rows.words("side", Side::WORDS)?,
                px: rows.decimals("px")?,
                qty: rows.decimals("qty")?,
            },
        )
    );
    let open = |row: usize, head: Head| -> Result<Depth, Problem> {
        Ok(Depth {
            head,
            action: word(&actions, row)?.ok_or_else(|| required("depth", "action"))?,
            first_id: whole(&first_ids, row),
            last_id: whole(&last_ids, row),
            prev_id: whole(&prev_ids, row),
        })
    };
    let number = |row: usize| match &numbers {
        Some(numbers) => numbers.get(row).ok_or_else(|| required("depth", "level")),
        // Without the column each row is a record of its own.
        None => Ok(0),
    };
    let mut scales = (Scale::ZERO, Scale::ZERO);
    if let Some((depth, _)) = carry.open.as_ref() {
        scales = rows.scales(&depth.head);
    }
    for row in 0..rows.len() {
        let read = number(row).and_then(|number| {
            if number == 0 {
                flush(carry, sink);
                carry.is_refused = true;
                let depth = rows.head(row).and_then(|head| open(row, head))?;
                scales = rows.scales(&depth.head);
                sink.ordinals.extend(rows.ordinal(row));
                *carry = Carry { open: Some((depth, take(sink.spare))), is_refused: false };
            }
            if carry.is_refused {
                return Ok(());
            }
            let (_, taken) = carry.open.as_mut().ok_or_else(|| out_of_place(number, None))?;
            if number as usize != taken.len() {
                return Err(out_of_place(number, Some(taken.len())));
            }
            taken.extend(levels.get(row, scales)?);
            Ok(())
        });
        // A level that cannot be read takes its record with it: a book must not be bent.
        if let Err(problem) = read {
            if carry.open.take().is_some() && rows.ordinal(row).is_some() {
                sink.ordinals.pop();
            }
            carry.is_refused = true;
            (sink.judge)(Blame::Row(row), problem)?;
        }
    }
    Ok(())
}

/// Depth records of a table where nothing is missing. The last one stays open.
fn quick_depths(rows: &Rows<'_>, carry: &mut Carry, sink: &mut Sink<'_>) -> Option<()> {
    // A level goes on from the one before it, or opens a record.
    if carry.is_refused {
        return None;
    }
    let plain = Plain::of(rows)?;
    let Own::Depth(own) = &plain.own else { return None };
    let first = plain.start(0);
    // What goes on from the table before.
    if first > 0 {
        let (_, open) = carry.open.as_mut()?;
        if open.len() != own.level[0] as usize || open.last()?.side > own.level(0).side {
            return None;
        }
        open.extend((0..first).map(|row| own.level(row)));
    }
    let Some(last) = plain.records().checked_sub(1) else { return Some(()) };
    flush(carry, sink);
    plain.extend(0..last, sink.batch);
    let start = plain.start(last);
    let mut open = take(sink.spare);
    open.extend((start..rows.len()).map(|row| own.level(row)));
    carry.open = Some((own.depth(&plain, start), open));
    if rows.ordinals().is_some() {
        let starts = (0..=last).map(|record| plain.start(record));
        sink.ordinals.extend(starts.filter_map(|start| rows.ordinal(start)));
    }
    Some(())
}

/// A level whose number does not go on from the row before it.
#[cold]
pub(crate) fn out_of_place(found: u32, levels: Option<usize>) -> Problem {
    let expected = match levels {
        Some(0) | None => "0, which opens a record".to_owned(),
        Some(next) => format!("{next}, or 0, which opens the next record"),
    };
    Problem::field("level", expected, found.to_string().as_bytes())
}

/// Appends the record that was open.
#[inline]
pub(super) fn flush(carry: &mut Carry, sink: &mut Sink<'_>) {
    if let Some((depth, mut levels)) = carry.open.take() {
        sink.batch.extend_depth(depth, levels.drain(..));
        *sink.spare = levels;
    }
}
