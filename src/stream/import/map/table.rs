//! A table of another program, Parquet or Arrow, as the lines of text that a map is about.
//!
//! The first line holds the names of the columns, then each row is a line. Exact types keep their
//! digits. Floats get the fewest digits that mean the same float, and no exponent; one that is not a
//! number is no value. A time with a zone ends in `Z`; one without a zone says none, as it does in a
//! text. Columns of lists, structures and bytes have no text, so they are not there.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufReader, Read};

use arrow::array::cast::AsArray;
use arrow::array::{Array, RecordBatch, RecordBatchReader};
use arrow::datatypes::{
    DataType, Float32Type, Float64Type, Schema, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use arrow::error::ArrowError;
use arrow::ipc::reader::{FileReader, StreamReader};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use qt_model::time::Ts;

use super::super::ImportInput;
use super::plan::Plan;
use crate::error::ReadError;
use crate::place::Place;

#[derive(Clone, Copy)]
enum Form {
    Parquet,
    ArrowFile,
    ArrowStream,
}

/// What they begin with.
const FORMS: [(&[u8], Form); 3] =
    [(b"PAR1", Form::Parquet), (b"ARROW1", Form::ArrowFile), (&[0xff; 4], Form::ArrowStream)];

const BATCH_ROWS: usize = 4_096;

/// An input that holds a table becomes its lines; any other stays what it is.
pub(super) fn as_lines(
    mut plan: Plan,
    mut input: ImportInput,
) -> Result<(Plan, ImportInput), ReadError> {
    let start = input.peek()?;
    let Some(form) = FORMS.iter().find(|(mark, _)| start.starts_with(mark)) else {
        return Ok((plan, input));
    };
    let unreadable = |error: &dyn std::fmt::Display| ReadError::Unreadable {
        place: Place::whole(&input.name),
        message: error.to_string(),
    };
    // The directory of a file is at its end, so it takes one that can be entered anywhere.
    let file = || {
        let path = input.path.as_ref().filter(|path| path.is_file()).ok_or_else(|| {
            unreadable(&"such a file does not come through a pipe or out of an archive; name it")
        })?;
        File::open(path).map_err(|error| ReadError::io(&input.name, error))
    };
    let separator = plan.separator;
    let lines: Box<dyn Read + Send> = match form.1 {
        Form::Parquet => {
            let reader = ParquetRecordBatchReaderBuilder::try_new(file()?)
                .and_then(|builder| builder.with_batch_size(BATCH_ROWS).build())
                .map_err(|error| unreadable(&error))?;
            Box::new(Lines::new(reader, separator))
        }
        Form::ArrowFile => {
            let reader = FileReader::try_new(BufReader::new(file()?), None);
            Box::new(Lines::new(reader.map_err(|error| unreadable(&error))?, separator))
        }
        Form::ArrowStream => {
            let bytes = std::mem::replace(&mut input.bytes, Box::new(io::empty()));
            let reader = StreamReader::try_new(bytes, None).map_err(|error| unreadable(&error))?;
            Box::new(Lines::new(reader, separator))
        }
    };
    plan.header = Some(true);
    input.bytes = lines;
    Ok((plan, input))
}

/// The text of a table, made a batch at a time.
struct Lines<R> {
    batches: R,
    separator: char,
    columns: Vec<usize>,
    text: String,
    at: usize,
    rows_before: usize,
}

impl<R: RecordBatchReader> Lines<R> {
    fn new(batches: R, separator: char) -> Self {
        let schema = batches.schema();
        let columns = 0..schema.fields().len();
        let columns: Vec<_> =
            columns.filter(|at| has_text(schema.field(*at).data_type())).collect();
        let mut lines =
            Self { batches, separator, columns, text: String::new(), at: 0, rows_before: 0 };
        lines.names(&schema);
        lines
    }

    fn names(&mut self, schema: &Schema) {
        let mut gap = "";
        let separator = self.separator.to_string();
        for at in &self.columns {
            self.text.push_str(gap);
            quote(&mut self.text, schema.field(*at).name(), self.separator);
            gap = &separator;
        }
        self.text.push('\n');
    }

    fn lay(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let options = FormatOptions::default();
        let cells: Result<Vec<_>, _> =
            self.columns.iter().map(|at| Cells::of(batch.column(*at), &options)).collect();
        let cells = cells?;
        let mut cell = String::new();
        for row in 0..batch.num_rows() {
            for (at, cells) in cells.iter().enumerate() {
                if at > 0 {
                    self.text.push(self.separator);
                }
                cell.clear();
                cells.write(row, &mut cell)?;
                if cell.contains(['\n', '\r']) {
                    let name = batch.schema_ref().field(self.columns[at]).name().clone();
                    let row = self.rows_before + row + 1;
                    let message = format!("row {row}: column `{name}` holds a line break");
                    return Err(ArrowError::CastError(message));
                }
                quote(&mut self.text, &cell, self.separator);
            }
            self.text.push('\n');
        }
        self.rows_before += batch.num_rows();
        Ok(())
    }
}

impl<R: RecordBatchReader> Read for Lines<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.at == self.text.len() {
            self.text.clear();
            self.at = 0;
            let Some(batch) = self.batches.next() else { return Ok(0) };
            let laid = batch.and_then(|batch| self.lay(&batch));
            laid.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        }
        let rest = &self.text.as_bytes()[self.at..];
        let count = rest.len().min(buf.len());
        buf[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}

/// A field as a line holds it.
fn quote(line: &mut String, field: &str, separator: char) {
    if field.contains([separator, '"']) {
        line.push('"');
        line.push_str(&field.replace('"', "\"\""));
        line.push('"');
    } else {
        line.push_str(field);
    }
}

fn has_text(kind: &DataType) -> bool {
    match kind {
        DataType::Dictionary(_, values) => has_text(values),
        _ => {
            kind.is_integer()
                || kind.is_floating()
                || kind.is_decimal()
                || kind.is_string()
                || matches!(
                    kind,
                    DataType::Boolean
                        | DataType::Timestamp(..)
                        | DataType::Date32
                        | DataType::Date64
                        | DataType::Time32(_)
                        | DataType::Time64(_)
                )
        }
    }
}

/// How the values of a column are written.
enum Cells<'a> {
    F32(&'a arrow::array::Float32Array),
    F64(&'a arrow::array::Float64Array),
    /// Nanoseconds since 1970, and whether they are of a zone.
    Time(Vec<Option<i64>>, bool),
    Other(ArrayFormatter<'a>),
}

impl<'a> Cells<'a> {
    fn of(column: &'a dyn Array, options: &FormatOptions<'a>) -> Result<Self, ArrowError> {
        Ok(match column.data_type() {
            DataType::Float32 => Self::F32(column.as_primitive::<Float32Type>()),
            DataType::Float64 => Self::F64(column.as_primitive::<Float64Type>()),
            DataType::Timestamp(unit, zone) => Self::Time(nanos(column, *unit)?, zone.is_some()),
            _ => Self::Other(ArrayFormatter::try_new(column, options)?),
        })
    }

    fn write(&self, row: usize, cell: &mut String) -> Result<(), ArrowError> {
        let written = match self {
            Self::F32(values) if values.is_null(row) || values.value(row).is_nan() => Ok(()),
            Self::F32(values) => write!(cell, "{}", values.value(row)),
            Self::F64(values) if values.is_null(row) || values.value(row).is_nan() => Ok(()),
            Self::F64(values) => write!(cell, "{}", values.value(row)),
            Self::Time(values, has_zone) => match values[row] {
                Some(nanos) if *has_zone => write!(cell, "{}", Ts::from_nanos(nanos)),
                Some(nanos) => {
                    let written = write!(cell, "{}", Ts::from_nanos(nanos));
                    cell.pop();
                    written
                }
                None => Ok(()),
            },
            Self::Other(values) => return values.value(row).write(cell),
        };
        written.map_err(|error| ArrowError::CastError(error.to_string()))
    }
}

fn nanos(column: &dyn Array, unit: TimeUnit) -> Result<Vec<Option<i64>>, ArrowError> {
    let (values, length): (Vec<_>, i64) = match unit {
        TimeUnit::Second => {
            (column.as_primitive::<TimestampSecondType>().iter().collect(), 1_000_000_000)
        }
        TimeUnit::Millisecond => {
            (column.as_primitive::<TimestampMillisecondType>().iter().collect(), 1_000_000)
        }
        TimeUnit::Microsecond => {
            (column.as_primitive::<TimestampMicrosecondType>().iter().collect(), 1_000)
        }
        TimeUnit::Nanosecond => {
            (column.as_primitive::<TimestampNanosecondType>().iter().collect(), 1)
        }
    };
    let scaled = |value: Option<i64>| match value {
        None => Ok(None),
        Some(value) => value
            .checked_mul(length)
            .map(Some)
            .ok_or_else(|| ArrowError::CastError(format!("a time beyond the year 2262: {value}"))),
    };
    values.into_iter().map(scaled).collect()
}
