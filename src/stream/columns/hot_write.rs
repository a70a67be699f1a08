//! The tables of the kinds that make up a market, column by column without a detour by values.

use qt_model::record::{Batch, Depth, Level, Quote, Trade};
use qt_model::words::{DepthAction, Side, Word};

use super::write::Columns;
use crate::error::WriteError;

pub(super) fn trades(
    batch: &Batch,
    ordinals: &[u64],
    columns: &mut Columns<'_>,
) -> Result<(), WriteError> {
    let rows = batch.rows::<Trade>();
    columns.heads(rows.iter().map(|row| &row.head), ordinals.iter().copied());
    let value = |row: &Trade| (row.head.instrument, Some(row.px.mantissa()));
    columns.px("px", rows.iter().map(value))?;
    let value = |row: &Trade| (row.head.instrument, Some(row.qty.mantissa()));
    columns.qty("qty", rows.iter().map(value))?;
    columns.words(Side::WORDS, rows.iter().map(|row| row.side.map(Word::index)));
    columns.optional_u64(rows.iter().map(|row| row.id));
    columns.u64(rows.iter().map(|row| row.head.seq));
    Ok(())
}

pub(super) fn quotes(
    batch: &Batch,
    ordinals: &[u64],
    columns: &mut Columns<'_>,
) -> Result<(), WriteError> {
    let rows = batch.rows::<Quote>();
    columns.heads(rows.iter().map(|row| &row.head), ordinals.iter().copied());
    let value = |row: &Quote| (row.head.instrument, row.bid_px.map(|px| px.mantissa()));
    columns.px("bid_px", rows.iter().map(value))?;
    let value = |row: &Quote| (row.head.instrument, row.bid_qty.map(|qty| qty.mantissa()));
    columns.qty("bid_qty", rows.iter().map(value))?;
    let value = |row: &Quote| (row.head.instrument, row.ask_px.map(|px| px.mantissa()));
    columns.px("ask_px", rows.iter().map(value))?;
    let value = |row: &Quote| (row.head.instrument, row.ask_qty.map(|qty| qty.mantissa()));
    columns.qty("ask_qty", rows.iter().map(value))?;
    columns.optional_u64(rows.iter().map(|row| row.id));
    columns.u64(rows.iter().map(|row| row.head.seq));
    Ok(())
}

/// One line of a depth table: a level and the record that it belongs to.
#[derive(Clone, Copy)]
struct DepthLine<'a> {
    row: &'a Depth,
    ordinal: u64,
    number: u32,
    level: Option<&'a Level>,
}

pub(super) fn depths(
    batch: &Batch,
    ordinals: &[u64],
    columns: &mut Columns<'_>,
) -> Result<(), WriteError> {
    let rows = batch.rows::<Depth>();
    let mut lines = Vec::with_capacity(batch.all_levels().len() + rows.len());
    for (at, row) in rows.iter().enumerate() {
        let ordinal = ordinals.get(at).copied().unwrap_or_default();
        let levels = batch.levels(at);
        if levels.is_empty() {
            lines.push(DepthLine { row, ordinal, number: 0, level: None });
        }
        let line = |(number, level)| DepthLine { row, ordinal, number, level: Some(level) };
        lines.extend((0..).zip(levels).map(line));
    }
    columns.heads(lines.iter().map(|line| &line.row.head), lines.iter().map(|line| line.ordinal));
    columns.words(DepthAction::WORDS, lines.iter().map(|line| Some(line.row.action.index())));
    columns.optional_u64(lines.iter().map(|line| line.row.first_id));
    columns.optional_u64(lines.iter().map(|line| line.row.last_id));
    columns.optional_u64(lines.iter().map(|line| line.row.prev_id));
    let numbers = arrow::buffer::ScalarBuffer::from_iter(lines.iter().map(|line| line.number));
    columns.push(std::sync::Arc::new(arrow::array::UInt32Array::new(numbers, None)));
    columns.words(Side::WORDS, lines.iter().map(|line| line.level.map(|level| level.side.index())));
    let value = |line: &DepthLine<'_>| {
        (line.row.head.instrument, line.level.map(|level| level.px.mantissa()))
    };
    columns.px("px", lines.iter().map(value))?;
    let value = |line: &DepthLine<'_>| {
        (line.row.head.instrument, line.level.map(|level| level.qty.mantissa()))
    };
    columns.qty("qty", lines.iter().map(value))?;
    columns.u64(lines.iter().map(|line| line.row.head.seq));
    Ok(())
}
