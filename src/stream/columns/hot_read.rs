//! The kinds that make up a market, from their columns without a detour by values.

use std::mem::take;

use arrow::array::{Array, UInt64Array};
use arrow::datatypes::UInt32Type;
use qt_model::record::{Depth, Head, Level, Quote, Trade};
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::{DepthAction, Side, Word};

use super::cells::{DecimalCells, Numbers, WordCells};
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

pub(super) fn trades(rows: &Rows<'_>, sink: &mut Sink<'_>) -> Result<(), ReadError> {
    let (px_cells, qty_cells, sides, ids) = columns_or_refuse!(
        sink,
        (
            rows.decimals("px")?,
            rows.decimals("qty")?,
            rows.words("side", Side::WORDS)?,
            rows.whole("id")?,
        )
    );
    if quick_trades(rows, sink, &px_cells, &qty_cells, &sides, &ids).is_some() {
        return Ok(());
    }
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

/// The whole column where it has no absent value.
fn plain_whole(column: &Option<UInt64Array>) -> Option<&[u64]> {
    column.as_ref().filter(|column| column.null_count() == 0).map(|column| &column.values()[..])
}

/// Numbers that are there in every row or in none.
enum Whole<'a> {
    All(&'a [u64]),
    None,
}

impl<'a> Whole<'a> {
    fn of(column: &'a Option<UInt64Array>) -> Option<Self> {
        match column {
            Some(values) if values.null_count() == values.len() => Some(Self::None),
            Some(_) => plain_whole(column).map(Self::All),
            None => Some(Self::None),
        }
    }

    #[inline]
    fn get(&self, row: usize) -> Option<u64> {
        match self {
            Self::All(values) => Some(values[row]),
            Self::None => None,
        }
    }
}

/// Trades of a table where nothing is missing, checked column by column beforehand. `None`, and
/// nothing done, where a row needs a closer look.
fn quick_trades(
    rows: &Rows<'_>,
    sink: &mut Sink<'_>,
    px: &Option<DecimalCells>,
    qty: &Option<DecimalCells>,
    sides: &Option<WordCells>,
    ids: &Option<UInt64Array>,
) -> Option<()> {
    let (heads, px_scale, qty_scale) = rows.plain_heads()?;
    let px = px.as_ref()?.plain(px_scale)?;
    let qty = qty.as_ref()?.plain_sizes(qty_scale)?;
    let sides = sides.as_ref()?.plain::<Side>()?;
    let ids = Whole::of(ids)?;
    let trade = |row| Trade {
        head: heads.get(row),
        px: Px::new(px[row]),
        qty: Qty::new(qty[row]).unwrap_or_default(),
        side: sides.get(row),
        id: ids.get(row),
    };
    sink.batch.extend_rows((0..rows.len()).map(trade));
    sink.ordinals.extend(rows.ordinals().into_iter().flatten());
    Some(())
}

pub(super) fn quotes(rows: &Rows<'_>, sink: &mut Sink<'_>) -> Result<(), ReadError> {
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
    if quick_quotes(rows, sink, [&bid_px, &ask_px], [&bid_qty, &ask_qty], &ids).is_some() {
        return Ok(());
    }
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

/// Quotes of a table where nothing is missing.
fn quick_quotes(
    rows: &Rows<'_>,
    sink: &mut Sink<'_>,
    [bid_px, ask_px]: [&Option<DecimalCells>; 2],
    [bid_qty, ask_qty]: [&Option<DecimalCells>; 2],
    ids: &Option<UInt64Array>,
) -> Option<()> {
    let (heads, px_scale, qty_scale) = rows.plain_heads()?;
    let (bid_px, ask_px) = (bid_px.as_ref()?.plain(px_scale)?, ask_px.as_ref()?.plain(px_scale)?);
    let bid_qty = bid_qty.as_ref()?.plain_sizes(qty_scale)?;
    let ask_qty = ask_qty.as_ref()?.plain_sizes(qty_scale)?;
    let ids = Whole::of(ids)?;
    let quote = |row| Quote {
        head: heads.get(row),
        bid_px: Some(Px::new(bid_px[row])),
        bid_qty: Qty::new(bid_qty[row]).ok(),
        ask_px: Some(Px::new(ask_px[row])),
        ask_qty: Qty::new(ask_qty[row]).ok(),
        id: ids.get(row),
    };
    sink.batch.extend_rows((0..rows.len()).map(quote));
    sink.ordinals.extend(rows.ordinals().into_iter().flatten());
    Some(())
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
    let ids = [&first_ids, &last_ids, &prev_ids];
    if quick_depths(rows, carry, sink, &actions, ids, &numbers, &levels).is_some() {
        return Ok(());
    }
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
fn quick_depths(
    rows: &Rows<'_>,
    carry: &mut Carry,
    sink: &mut Sink<'_>,
    actions: &Option<WordCells>,
    [first_ids, last_ids, prev_ids]: [&Option<UInt64Array>; 3],
    numbers: &Option<Numbers<UInt32Type>>,
    levels: &LevelCells,
) -> Option<()> {
    let (heads, px_scale, qty_scale) = rows.plain_heads()?;
    let px = levels.px.as_ref()?.plain(px_scale)?;
    let qty = levels.qty.as_ref()?.plain_sizes(qty_scale)?;
    let sides = levels.sides.as_ref()?.plain::<Side>()?;
    let actions = actions.as_ref()?.plain::<DepthAction>()?;
    let ids = (Whole::of(first_ids)?, Whole::of(last_ids)?, Whole::of(prev_ids)?);
    let numbers = numbers.as_ref()?.plain()?;
    // A level goes on from the one before it, or opens a record.
    if carry.is_refused {
        return None;
    }
    let open = carry.open.as_ref().map(|(_, levels)| levels.len());
    let first = numbers.first().is_none_or(|first| *first == 0 || open == Some(*first as usize));
    if !first || numbers.windows(2).any(|pair| pair[1] != 0 && pair[1] != pair[0].wrapping_add(1)) {
        return None;
    }
    let level = |row: usize| Level {
        px: Px::new(px[row]),
        qty: Qty::new(qty[row]).unwrap_or_default(),
        side: sides.get(row).unwrap_or(Side::Buy),
    };
    let depth = |row: usize| Depth {
        head: heads.get(row),
        action: actions.get(row).unwrap_or(DepthAction::Delta),
        first_id: ids.0.get(row),
        last_id: ids.1.get(row),
        prev_id: ids.2.get(row),
    };
    let mut starts: Vec<usize> = Vec::with_capacity(rows.len() + 1);
    starts.extend((0..rows.len()).filter(|row| numbers[*row] == 0));
    // What goes on from the table before.
    let first = starts.first().copied().unwrap_or(rows.len());
    if let Some((_, open)) = carry.open.as_mut() {
        open.extend((0..first).map(level));
    }
    let Some(last) = starts.pop() else { return Some(()) };
    flush(carry, sink);
    sink.batch.extend_depths(
        starts.iter().map(|start| depth(*start)),
        (first..last).map(level),
        // Each record ends where the next begins.
        starts.iter().skip(1).chain([&last]).map(|end| (end - first) as u32),
    );
    let mut open = take(sink.spare);
    open.extend((last..rows.len()).map(level));
    carry.open = Some((depth(last), open));
    if rows.ordinals().is_some() {
        sink.ordinals.extend(starts.iter().chain([&last]).filter_map(|start| rows.ordinal(*start)));
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
