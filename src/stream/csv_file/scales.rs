//! Scales for the instruments of a CSV file, from the digits of its first rows.

use std::collections::BTreeMap;

use qt_model::decimal;
use qt_model::instrument::{Instrument, Symbol};
use qt_model::record::{FieldType, Kind};

use super::read::{LEVEL_PX, LEVEL_QTY};
use crate::json::scales::Need;
use crate::symbols::Symbols;

/// Declares the symbols of the first rows with the decimals that their numbers are written with.
pub(super) fn declare(window: &[u8], symbols: &mut Symbols) {
    let mut rows = csv::ReaderBuilder::new().flexible(true).from_reader(window);
    let Ok(columns) = rows.headers().cloned() else { return };
    let mut found: Vec<(String, Need, Need)> = Vec::new();
    let mut places = BTreeMap::new();
    for row in rows.records().flatten() {
        let cell = |name: &str| {
            let at =
                columns.iter().position(|column| column.trim_start_matches('\u{feff}') == name)?;
            row.get(at).filter(|cell| !cell.is_empty())
        };
        let (Some(symbol), Some(kind)) = (cell("sym"), cell("k").and_then(Kind::from_name)) else {
            continue;
        };
        let at = *places.entry(symbol.to_owned()).or_insert_with(|| {
            found.push((symbol.to_owned(), Need::default(), Need::default()));
            found.len() - 1
        });
        let (_, px, qty) = &mut found[at];
        if kind == Kind::InstrumentRow {
            px.see_scale(cell("px_scale"));
            qty.see_scale(cell("qty_scale"));
        }
        for field in kind.fields().iter().chain(&[LEVEL_PX, LEVEL_QTY]) {
            let need = match field.ty {
                FieldType::Px => &mut *px,
                FieldType::Qty => &mut *qty,
                _ => continue,
            };
            if let Some(text) =
                cell(field.name).filter(|text| decimal::decimals_of(text.as_bytes()).is_some())
            {
                need.see(text);
            }
        }
    }
    let instrument = |(symbol, px, qty): (String, Need, Need)| {
        Some(Instrument::new(Symbol::new(&symbol).ok()?, px.scale(), qty.scale()))
    };
    let found: Vec<_> = found.into_iter().filter_map(instrument).collect();
    // Only a table of four billion refuses; the rows say so again.
    let _ = symbols.declare_all(&found);
}
