//! Listings: aligned text for people, one JSON object a line for machines.

use crate::context::Context;
use crate::outcome::Outcome;

/// A cell of a listing: people read sizes in words, machines in numbers.
pub(crate) enum Cell {
    Text(String),
    Number(u64),
    Bytes(u64),
}

/// A listing, as text or JSON.
pub(crate) struct Table<'a> {
    columns: &'a [&'static str],
    rows: Vec<Vec<Cell>>,
}

impl<'a> Table<'a> {
    pub(crate) fn new(columns: &'a [&'static str]) -> Self {
        Self { columns, rows: Vec::new() }
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [Cell; N]) {
        self.rows.push(cells.into());
    }

    pub(crate) fn print(&self, context: &Context) -> anyhow::Result<Outcome> {
        context.print(if context.json() { self.json() } else { self.text() })?;
        Ok(Outcome::Done)
    }

    fn json(&self) -> String {
        let mut out = String::new();
        for row in &self.rows {
            let value = |cell: &Cell| match cell {
                Cell::Text(text) if text == "-" => serde_json::Value::Null,
                Cell::Text(text) => text.as_str().into(),
                Cell::Number(number) | Cell::Bytes(number) => (*number).into(),
            };
            let members = self.columns.iter().zip(row);
            let object: serde_json::Map<_, _> =
                members.map(|(name, cell)| ((*name).to_owned(), value(cell))).collect();
            out.push_str(&serde_json::Value::Object(object).to_string());
            out.push('\n');
        }
        out
    }

    fn text(&self) -> String {
        let text = |cell: &Cell| match cell {
            Cell::Text(text) => text.clone(),
            Cell::Number(number) => number.to_string(),
            Cell::Bytes(bytes) => size(*bytes),
        };
        let rows: Vec<Vec<String>> =
            self.rows.iter().map(|row| row.iter().map(text).collect()).collect();
        let width = |at: usize| {
            let widest = rows.iter().map(|row| row[at].len()).max().unwrap_or(0);
            widest.max(self.columns[at].len())
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let mut out = String::new();
        let mut line = |cells: &mut dyn Iterator<Item = &str>,
                        is_number: &dyn Fn(usize) -> bool| {
            let cells: Vec<String> = cells
                .enumerate()
                .map(|(at, cell)| match is_number(at) {
                    true => format!("{cell:>width$}", width = widths[at]),
                    false => format!("{cell:<width$}", width = widths[at]),
                })
                .collect();
            out.push_str(cells.join("  ").trim_end());
            out.push('\n');
        };
        let numbers: Vec<bool> = match self.rows.first() {
            Some(row) => row.iter().map(|cell| !matches!(cell, Cell::Text(_))).collect(),
            None => vec![false; self.columns.len()],
        };
        line(&mut self.columns.iter().copied(), &|at| numbers[at]);
        for row in &rows {
            line(&mut row.iter().map(String::as_str), &|at| numbers[at]);
        }
        out
    }
}

/// A number of bytes in the unit that leaves few digits.
fn size(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{value:.1} {}", units[unit]) }
}
