//! CSV to batches.

use std::io::{Cursor, Read};
use std::sync::Arc;

use csv::ByteRecord;
use qt_model::record::{Batch, Depth, Field, FieldType, Kind, Level, Row, Source, Value};
use qt_model::time::Ts;

use super::bytes::{Bounded, Watch};
use super::scales;
use crate::columns::{Carry, out_of_place};
use crate::error::{Problem, ReadError};
use crate::instruments::check_values;
use crate::json::general::{self, Scales};
use crate::lines::LINE_LIMIT;
use crate::place::{At, Place};
use crate::read::Options;
use crate::symbols::Symbols;

const LOOK_AHEAD: u64 = 1 << 16;

/// A CSV stream as a source of batches.
pub struct CsvReader {
    input: Arc<str>,
    rows: csv::Reader<Bounded>,
    watch: Watch,
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

pub(super) const LEVEL_PX: Field = level_field("px", FieldType::Px);
pub(super) const LEVEL_QTY: Field = level_field("qty", FieldType::Qty);
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
        read.map_err(|source| ReadError::of_read(Place::whole(input), source))?;
        let mut symbols = Symbols::new(&options.universe);
        // A row that the window cuts would declare a symbol that does not exist.
        let whole_rows = match window.len() as u64 {
            LOOK_AHEAD => memchr::memrchr(b'\n', &window).map_or(0, |at| at + 1),
            _ => window.len(),
        };
        scales::declare(&window[..whole_rows], &mut symbols);
        let (whole, watch) = Bounded::new(Box::new(Cursor::new(window).chain(reader)));
        let mut rows = csv::ReaderBuilder::new().flexible(true).from_reader(whole);
        let place = Place { input: Arc::clone(input), at: At::Line(1) };
        let header = rows.byte_headers().map_err(|error| failure(&place, &watch, &error))?;
        watch.row();
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
            watch,
            columns,
            record: ByteRecord::new(),
            options,
            symbols,
            carry: Carry::default(),
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

    /// Reads the row at hand; its cells and the columns are borrowed while the reader changes.
    fn row(&mut self, batch: &mut Batch) -> Result<(), ReadError> {
        let record = std::mem::take(&mut self.record);
        let columns = std::mem::take(&mut self.columns);
        let cell = |name: &str| Self::cell(&columns, &record, name);
        let read = match row_begins(columns.len(), record.len(), &cell) {
            Ok((kind, number)) => self.read_cells(kind, number, &cell, batch),
            Err(problem) => {
                // It may be a level of the record before it, which is then no longer whole.
                let open = std::mem::take(&mut self.carry).open;
                self.carry.is_refused = open.is_some();
                Err(problem)
            }
        };
        (self.record, self.columns) = (record, columns);
        read.or_else(|problem| self.refuse(problem))
    }

    fn refuse(&self, problem: Problem) -> Result<(), ReadError> {
        let text = Some(line_of(&self.record).into());
        let error = ReadError::Record { place: self.place(), problem: Box::new(problem), text };
        self.options.tolerance.judge(error)
    }

    fn read_cells<'a>(
        &mut self,
        kind: Kind,
        number: u32,
        cell: &impl Fn(&str) -> Result<Option<&'a str>, Problem>,
        batch: &mut Batch,
    ) -> Result<(), Problem> {
        if number > 0 {
            return self.continue_depth(number, cell);
        }
        flush(&mut self.carry, batch);
        self.carry.is_refused = kind == Kind::Depth;
        let head = general::head_of_text(
            cell,
            kind,
            &mut self.symbols,
            general::Fill {
                has_header: false,
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
                // An empty text is an empty cell; only its being required tells it from none.
                None if field.required && field.ty == FieldType::Text => Value::Text("".into()),
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
            let levels = level_of(cell, scales)?.into_iter().collect();
            self.carry = Carry { open: Some((depth, levels)), is_refused: false };
            return Ok(());
        }
        if let (Kind::InstrumentRow, Some(id)) = (kind, head.instrument) {
            check_values(self.symbols.instrument(id), &values)?;
        }
        if let (Kind::Other, [Value::Text(kind), Value::Text(json)]) = (kind, values.as_slice()) {
            general::check_other(kind, json)?;
        }
        batch.push_values(kind, head, &mut values, &[]).map_err(misfit)
    }

    fn continue_depth<'a>(
        &mut self,
        number: u32,
        cell: &impl Fn(&str) -> Result<Option<&'a str>, Problem>,
    ) -> Result<(), Problem> {
        if self.carry.is_refused {
            return Ok(());
        }
        let Some((depth, levels)) = &mut self.carry.open else {
            self.carry.is_refused = true;
            return Err(out_of_place(number, None));
        };
        let scales = Scales::of(&self.symbols, depth.head.instrument);
        let level = match number as usize == levels.len() {
            true => level_of(cell, scales),
            false => Err(out_of_place(number, Some(levels.len()))),
        };
        match level {
            Ok(level) => levels.extend(level),
            // A level that cannot be read takes its record with it: a book must not be bent.
            Err(problem) => {
                self.carry = Carry { open: None, is_refused: true };
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
            Err(error) => return Err(failure(&self.place(), &self.watch, &error)),
        }
        self.watch.row();
        if self.options.allow_truncated && self.watch.is_open_ended() {
            // Cut in the middle of a number, a row still looks like one.
            flush(&mut self.carry, batch);
            return Ok(false);
        }
        self.row(batch)?;
        Ok(true)
    }
}

/// What a row is: its kind, and the number of its level.
fn row_begins<'a>(
    columns: usize,
    cells: usize,
    cell: &impl Fn(&str) -> Result<Option<&'a str>, Problem>,
) -> Result<(Kind, u32), Problem> {
    if cells != columns {
        return Err(Problem::Columns { expected: columns, found: cells });
    }
    let name = cell("k")?.ok_or(Problem::NoKind)?;
    let other = (name == Kind::Other.name()).then_some(Kind::Other);
    let kind = Kind::from_name(name).or(other);
    let kind =
        kind.ok_or_else(|| Problem::field("k", "a kind that `qt schema` lists", name.as_bytes()))?;
    let number = match cell("level")?.filter(|_| kind == Kind::Depth) {
        Some(text) => {
            text.parse().map_err(|_| Problem::field("level", "a whole number", text.as_bytes()))?
        }
        None => 0,
    };
    Ok((kind, number))
}

/// The row as a line of CSV, to put aside as it came.
fn line_of(record: &ByteRecord) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    writer.write_byte_record(record).expect("a vector takes every byte");
    let mut line = writer.into_inner().expect("a vector takes every byte");
    line.truncate(line.trim_ascii_end().len());
    line
}

fn flush(carry: &mut Carry, batch: &mut Batch) {
    if let Some((depth, levels)) = carry.open.take() {
        batch.push_row(depth, &levels);
    }
}

fn failure(place: &Place, watch: &Watch, error: &csv::Error) -> ReadError {
    let place = place.clone();
    if watch.is_too_long() {
        let message = format!("a row is longer than {LINE_LIMIT} bytes: is a quote left open?");
        return ReadError::Corrupt { place, message };
    }
    match error.kind() {
        csv::ErrorKind::Io(source) => {
            let source = std::io::Error::new(source.kind(), source.to_string());
            ReadError::of_read(place, source)
        }
        _ => ReadError::Corrupt { place, message: error.to_string() },
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
