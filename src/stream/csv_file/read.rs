//! CSV to batches.

use std::io::{Cursor, Read};
use std::sync::Arc;

use csv::ByteRecord;
use qt_model::decimal;
use qt_model::instrument::{Instrument, Symbol};
use qt_model::record::{Batch, Depth, Field, FieldType, Kind, Level, Row, Source, Value};
use qt_model::time::Ts;

use crate::columns::Carry;
use crate::error::{Problem, ReadError};
use crate::ndjson::general::{self, Need, Scales};
use crate::place::{At, Place};
use crate::read::Options;
use crate::symbols::Symbols;

const LOOK_AHEAD: u64 = 1 << 16;

/// A CSV stream as a source of batches.
pub struct CsvReader {
    input: Arc<str>,
    rows: csv::Reader<Box<dyn Read + Send>>,
    columns: Vec<String>,
    record: ByteRecord,
    options: Options,
    symbols: Symbols,
    carry: Carry,
    next_seq: u64,
    is_done: bool,
    pending: Option<ReadError>,
}

impl std::fmt::Debug for CsvReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CsvReader").field("input", &self.input).finish_non_exhaustive()
    }
}

/// A field that every level of a depth record has.
const fn level_field(name: &'static str, ty: FieldType) -> Field {
    Field { name, doc: "", ty, required: true }
}

const LEVEL_PX: Field = level_field("px", FieldType::Px);
const LEVEL_QTY: Field = level_field("qty", FieldType::Qty);
const LEVEL_SIDE: Field =
    level_field("side", FieldType::Word(<qt_model::words::Side as qt_model::words::Word>::WORDS));

impl CsvReader {
    pub fn open(
        input: &Arc<str>,
        mut reader: Box<dyn Read + Send>,
        options: Options,
    ) -> Result<Self, ReadError> {
        let mut window = Vec::new();
        let read = (&mut reader).take(LOOK_AHEAD).read_to_end(&mut window);
        read.map_err(|source| crate::input::read_failure(Place::whole(input), source))?;
        let mut symbols = Symbols::new(&options.universe);
        declare(&window, &mut symbols);
        let whole: Box<dyn Read + Send> = Box::new(Cursor::new(window).chain(reader));
        let mut rows = csv::ReaderBuilder::new().flexible(true).from_reader(whole);
        let place = Place { input: Arc::clone(input), at: At::Line(1) };
        let header = rows.byte_headers().map_err(|error| failure(&place, &error))?;
        let name = |cell: &[u8]| {
            let text = String::from_utf8_lossy(cell);
            text.trim_start_matches('\u{feff}').to_owned()
        };
        let columns: Vec<String> = header.iter().map(name).collect();
        if let Some(twice) =
            columns.iter().enumerate().find(|(at, name)| columns[..*at].contains(name))
        {
            let message = format!("the column `{}` stands twice in the header", twice.1);
            return Err(ReadError::Corrupt { place, message });
        }
        Ok(Self {
            input: Arc::clone(input),
            rows,
            columns,
            record: ByteRecord::new(),
            options,
            symbols,
            carry: None,
            next_seq: 0,
            is_done: false,
            pending: None,
        })
    }

    fn place(&self) -> Place {
        let line = self.record.position().map_or(0, csv::Position::line);
        Place { input: Arc::clone(&self.input), at: At::Line(line) }
    }

    /// The text of a cell; `None` where it is empty or its column is not there.
    fn cell<'a>(
        columns: &[String],
        record: &'a ByteRecord,
        name: &str,
    ) -> Result<Option<&'a str>, Problem> {
        let Some(at) = columns.iter().position(|column| column == name) else { return Ok(None) };
        let Some(cell) = record.get(at).filter(|cell| !cell.is_empty()) else { return Ok(None) };
        std::str::from_utf8(cell)
            .map(Some)
            .map_err(|error| Problem::NotUtf8 { byte: error.valid_up_to() })
    }

    fn row(&mut self, batch: &mut Batch) -> Result<(), Problem> {
        let record = std::mem::take(&mut self.record);
        let result = self.read_row(&record, batch);
        self.record = record;
        result
    }

    fn read_row(&mut self, record: &ByteRecord, batch: &mut Batch) -> Result<(), Problem> {
        let columns = std::mem::take(&mut self.columns);
        let result = self.read_cells(&columns, record, batch);
        self.columns = columns;
        result
    }

    fn read_cells(
        &mut self,
        columns: &[String],
        record: &ByteRecord,
        batch: &mut Batch,
    ) -> Result<(), Problem> {
        if record.len() != columns.len() {
            return Err(Problem::Columns { expected: columns.len(), found: record.len() });
        }
        let cell = |name: &str| Self::cell(columns, record, name);
        let name = cell("k")?.ok_or(Problem::NoKind)?;
        let kind = Kind::from_name(name)
            .ok_or_else(|| Problem::field("k", "a kind that `qt schema` lists", name.as_bytes()))?;
        let numbered = |text: &str| text.parse::<u32>().ok();
        let level = cell("level")?;
        let number = match level {
            Some(text) if kind == Kind::Depth => numbered(text)
                .ok_or_else(|| Problem::field("level", "a whole number", text.as_bytes()))?,
            Some(_) | None => 0,
        };
        if number > 0 {
            return self.continue_depth(&cell);
        }
        flush(&mut self.carry, batch);
        let head = general::head_of_text(
            &cell,
            kind,
            &mut self.symbols,
            general::Fill {
                seq: self.next_seq,
                latency_ns: self.options.feed_latency_ns,
                last: Ts::MIN,
            },
        )?;
        self.next_seq = head.seq.wrapping_add(1);
        let scales = Scales::of(&self.symbols, head.instrument);
        let mut values = Vec::with_capacity(kind.fields().len());
        for field in kind.fields() {
            values.push(match cell(field.name)? {
                Some(text) => {
                    let value = value(field, text, scales)?;
                    general::refuse_unscaled(kind, head.instrument, &value)?;
                    value
                }
                None if field.required => {
                    let expected = field.ty.expected().into_owned();
                    return Err(Problem::Missing {
                        kind: kind.name(),
                        field: field.name,
                        expected,
                    });
                }
                None => Value::Absent,
            });
        }
        batch.set_instruments(self.symbols.table());
        let misfit = |at: usize| {
            let field: &Field = &kind.fields()[at];
            Problem::field(field.name, field.ty.expected(), b"a value out of its range")
        };
        if kind == Kind::Depth {
            let depth = Depth::from_values(head, &mut values).map_err(misfit)?;
            let levels = level_of(&cell, scales)?.into_iter().collect();
            self.carry = Some((depth, levels));
            return Ok(());
        }
        batch.push_values(kind, head, &mut values, &[]).map_err(misfit)
    }

    fn continue_depth<'a>(
        &mut self,
        cell: &impl Fn(&str) -> Result<Option<&'a str>, Problem>,
    ) -> Result<(), Problem> {
        // Without an open record, this is the rest of one that was refused.
        let Some((depth, levels)) = &mut self.carry else { return Ok(()) };
        let scales = Scales::of(&self.symbols, depth.head.instrument);
        match level_of(cell, scales) {
            Ok(level) => levels.extend(level),
            Err(problem) => {
                self.carry = None;
                return Err(problem);
            }
        }
        Ok(())
    }

    /// Reads one row. `false` at the end.
    fn step(&mut self, batch: &mut Batch) -> Result<bool, ReadError> {
        match self.rows.read_byte_record(&mut self.record) {
            Ok(true) => {}
            Ok(false) => {
                flush(&mut self.carry, batch);
                return Ok(false);
            }
            Err(error) => return Err(failure(&self.place(), &error)),
        }
        if let Err(problem) = self.row(batch) {
            let text = Some(self.record.as_slice().into());
            let error = ReadError::Record { place: self.place(), problem: Box::new(problem), text };
            self.options.tolerance.judge(error)?;
        }
        Ok(true)
    }
}

fn flush(carry: &mut Carry, batch: &mut Batch) {
    if let Some((depth, levels)) = carry.take() {
        batch.push_row(depth, &levels);
    }
}

fn failure(place: &Place, error: &csv::Error) -> ReadError {
    match error.kind() {
        csv::ErrorKind::Io(source) => {
            let source = std::io::Error::new(source.kind(), source.to_string());
            crate::input::read_failure(place.clone(), source)
        }
        _ => ReadError::Corrupt { place: place.clone(), message: error.to_string() },
    }
}

/// A cell as the type of its field: text and words stand as they are, all else as in JSON.
fn value<'a>(field: &Field, text: &'a str, scales: Scales) -> Result<Value<'a>, Problem> {
    match field.ty {
        FieldType::Text => Ok(Value::Text(text.into())),
        FieldType::Word(words) => {
            let at = words.iter().position(|word| *word == text);
            at.map(Value::Word)
                .ok_or_else(|| Problem::field(field.name, field.ty.expected(), text.as_bytes()))
        }
        _ => general::parse_value(field, text, scales),
    }
}

fn level_of<'a>(
    cell: &impl Fn(&str) -> Result<Option<&'a str>, Problem>,
    scales: Scales,
) -> Result<Option<Level>, Problem> {
    let (px, qty, side) = (cell("px")?, cell("qty")?, cell("side")?);
    let (Some(px), Some(qty), Some(side)) = (px, qty, side) else {
        return match (px, qty, side) {
            (None, None, None) => Ok(None),
            _ => Err(Problem::Missing {
                kind: "depth",
                field: "side",
                expected: "side, px and qty of the level".to_owned(),
            }),
        };
    };
    let (px, qty, side) = (
        value(&LEVEL_PX, px, scales)?,
        value(&LEVEL_QTY, qty, scales)?,
        value(&LEVEL_SIDE, side, scales)?,
    );
    match (px, qty, side) {
        (Value::Px(px), Value::Qty(qty), Value::Word(side)) => {
            let side = qt_model::words::Side::ALL[side];
            Ok(Some(Level { px, qty, side }))
        }
        _ => unreachable!("each value was made for its field"),
    }
}

/// Declares the symbols of the first rows with the decimals that their numbers are written with.
fn declare(window: &[u8], symbols: &mut Symbols) {
    let mut rows = csv::ReaderBuilder::new().flexible(true).from_reader(window);
    let Ok(columns) = rows.headers().cloned() else { return };
    let mut found: Vec<(String, Need, Need)> = Vec::new();
    for row in rows.records().flatten() {
        let cell = |name: &str| {
            let at =
                columns.iter().position(|column| column.trim_start_matches('\u{feff}') == name)?;
            row.get(at).filter(|cell| !cell.is_empty())
        };
        let (Some(symbol), Some(kind)) = (cell("sym"), cell("k").and_then(Kind::from_name)) else {
            continue;
        };
        let at = found.iter().position(|(known, ..)| known == symbol).unwrap_or_else(|| {
            found.push((symbol.to_owned(), Need::default(), Need::default()));
            found.len() - 1
        });
        let (_, px, qty) = &mut found[at];
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
    for (symbol, px, qty) in found {
        if let Ok(symbol) = Symbol::new(&symbol) {
            // A later input may have claimed the symbol at other scales; both are kept if they can.
            let _ = symbols.declare(Instrument::new(symbol, px.scale(), qty.scale()));
        }
    }
}

impl Source for CsvReader {
    type Error = ReadError;

    fn next(&mut self, batch: &mut Batch) -> Result<bool, ReadError> {
        batch.clear();
        batch.set_instruments(self.symbols.table());
        if let Some(error) = self.pending.take() {
            return Err(error);
        }
        while !self.is_done && batch.len() < self.options.batch_records {
            match self.step(batch) {
                Ok(more) => self.is_done = !more,
                Err(error) => {
                    self.is_done = true;
                    self.pending = Some(error);
                }
            }
        }
        if batch.is_empty()
            && let Some(error) = self.pending.take()
        {
            return Err(error);
        }
        Ok(!batch.is_empty())
    }
}
