//! The terms of instruments as blocks.

use std::sync::Arc;

use qt_model::instrument::{Instrument, Instruments, Symbol};
use qt_model::record::{Batch, Head, InstrumentRow};

use super::read::{blocks, rows};
use super::write::{Unfit, encode};
use crate::tables::{Cell, Table};

/// One instrument as a block of the table of instruments.
pub(crate) fn encode_instrument(instrument: &Instrument) -> Result<Vec<u8>, Unfit> {
    let mut table = Instruments::default();
    let id = table.declare(instrument.clone()).expect("one instrument fits a table");
    let mut batch = Batch::new(Arc::new(table));
    let head = Head::new(Default::default(), Default::default(), 0, Some(id));
    batch.push_row(InstrumentRow::of(instrument, head), &[]);
    encode(&Table::of_instruments(), &batch, &[0])
}

/// The instruments of an answer, in its order.
pub(crate) fn decode_instruments(table: &Table, answer: &[u8]) -> Result<Vec<Instrument>, String> {
    // A row that names its instrument needs a table that has it; these rows are that table.
    let at = table.columns.iter().position(|column| column.cell == Cell::Symbol);
    let at = at.expect("the table of instruments has symbols");
    let mut columns = table.columns.clone();
    columns.remove(at);
    let (mut found, mut batch) = (Vec::new(), Batch::default());
    for block in blocks(answer, &table.columns)? {
        for row in 0..block.rows() {
            let symbol = Symbol::new(block.text(at, row));
            found.push(symbol.map_err(|error| format!("has a symbol: {error}"))?);
        }
        rows(table, &columns, &block.without(at), None, &mut batch)?;
    }
    let terms = batch.rows::<InstrumentRow>().iter().cloned();
    terms
        .zip(found)
        .map(|(row, symbol)| {
            row.instrument(symbol).map_err(|(field, error)| format!("has a `{field}`: {error}"))
        })
        .collect()
}
