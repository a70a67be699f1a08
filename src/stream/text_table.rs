//! Records for the eye: aligned columns on a terminal. Never read back.

use std::io::Write;

use qt_model::record::{Batch, Kind, Level, Record, Value};
use qt_model::words::Side;

use crate::error::WriteError;
use crate::json::encode;
use crate::json::general::Scales;

/// Writes a header and aligned rows for one kind; for several, a row of names and values each.
pub struct TableWriter<W> {
    out: W,
    only: Option<Kind>,
    has_begun: bool,
    line: Vec<u8>,
}

impl<W> std::fmt::Debug for TableWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TableWriter").field("only", &self.only).finish_non_exhaustive()
    }
}

const TIME_WIDTH: usize = 30;
const SYMBOL_WIDTH: usize = 18;
const CELL_WIDTH: usize = 16;

impl<W: Write> TableWriter<W> {
    pub fn new(out: W, only: Option<Kind>) -> Self {
        Self { out, only, has_begun: false, line: Vec::new() }
    }

    pub fn write(&mut self, batch: &Batch) -> Result<(), WriteError> {
        for record in batch.iter() {
            if !self.has_begun {
                self.has_begun = true;
                self.header()?;
            }
            self.row(batch, &record)?;
        }
        Ok(())
    }

    fn header(&mut self) -> Result<(), WriteError> {
        self.line.clear();
        pad(b"ts_recv", TIME_WIDTH, &mut self.line);
        pad(b"sym", SYMBOL_WIDTH, &mut self.line);
        match self.only {
            Some(kind) => {
                for field in kind.fields() {
                    pad(field.name.as_bytes(), CELL_WIDTH, &mut self.line);
                }
                if kind == Kind::Depth {
                    self.line.extend_from_slice(b"bids | asks");
                }
            }
            None => self.line.extend_from_slice(b"record"),
        }
        self.end_line()
    }

    fn row(&mut self, batch: &Batch, record: &Record<'_>) -> Result<(), WriteError> {
        let head = record.head();
        let instrument = head.instrument.map(|id| batch.instruments().get(id));
        let scales = instrument.map_or_else(Scales::default, |instrument| Scales {
            px: instrument.px_scale,
            qty: instrument.qty_scale,
        });
        self.line.clear();
        pad(&head.ts_recv.text(), TIME_WIDTH, &mut self.line);
        let symbol = instrument.map_or("", |instrument| instrument.symbol.as_str());
        pad(symbol.as_bytes(), SYMBOL_WIDTH, &mut self.line);
        if self.only.is_none() {
            pad(record.kind().name().as_bytes(), 10, &mut self.line);
        }
        let mut cell = Vec::new();
        for (at, field) in record.kind().fields().iter().enumerate() {
            cell.clear();
            match record.value(at) {
                Value::Absent if self.only.is_none() => continue,
                Value::Absent => cell.push(b'-'),
                value => encode::value(field, &value, scales, &mut cell),
            }
            let text = cell.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\""));
            let text = text.unwrap_or(&cell);
            if self.only.is_some() {
                pad(text, CELL_WIDTH, &mut self.line);
            } else {
                self.line.extend_from_slice(field.name.as_bytes());
                self.line.push(b' ');
                self.line.extend_from_slice(text);
                self.line.extend_from_slice(b"  ");
            }
        }
        if record.kind() == Kind::Depth {
            self.levels(record.levels(), scales);
        }
        self.end_line()
    }

    /// The first levels of both sides; a book of a thousand levels is not for the eye.
    fn levels(&mut self, levels: &[Level], scales: Scales) {
        const SHOWN: usize = 3;
        for (side, mark) in [(Side::Buy, ""), (Side::Sell, "| ")] {
            self.line.extend_from_slice(mark.as_bytes());
            let of_side = levels.iter().filter(|level| level.side == side);
            let count = of_side.clone().count();
            for level in of_side.take(SHOWN) {
                qt_model::decimal::write(level.px.mantissa(), scales.px, &mut self.line);
                self.line.push(b'@');
                qt_model::decimal::write(level.qty.mantissa(), scales.qty, &mut self.line);
                self.line.push(b' ');
            }
            if count > SHOWN {
                self.line.extend_from_slice(format!("+{} ", count - SHOWN).as_bytes());
            }
        }
    }

    fn end_line(&mut self) -> Result<(), WriteError> {
        let text = self.line.trim_ascii_end().len();
        self.line.truncate(text);
        self.line.push(b'\n');
        Ok(self.out.write_all(&self.line)?)
    }

    pub fn flush(&mut self) -> Result<(), WriteError> {
        Ok(self.out.flush()?)
    }

    pub fn finish(mut self) -> Result<W, WriteError> {
        self.out.flush()?;
        Ok(self.out)
    }
}

fn pad(text: &[u8], width: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(text);
    out.extend(std::iter::repeat_n(b' ', width.saturating_sub(text.len()).max(1)));
}
