//! Features as a plain table: a row for each row of features and a column for each feature, with
//! labels beside them. For tools that read tables and know nothing of streams.
//!
//! A row is what one record caused: its times, symbol and number, the values, and the labels that
//! stand behind it. Other records have no place here and are left out. Absent on purpose: a way
//! back; who wants to read rows again keeps the long form.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float64Array, RecordBatch, StringArray, TimestampNanosecondArray, UInt64Array,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use qt_model::record::{Batch, Feature, Head, Record};

use crate::columns::ts_type;
use crate::csv_file::from_csv;
use crate::error::WriteError;
use crate::frame::Header;
use crate::parquet_file::unfit;

/// The columns of a table of features.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WideColumns {
    pub features: Vec<String>,
    pub labels: Vec<String>,
}

/// What a table is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WideFormat {
    Parquet,
    Csv,
}

/// Where the header of the stream stands in a Parquet file, for people: readers of streams look
/// elsewhere, since this is none.
const NOTE: &str = "qt.features";

const HEAD: [&str; 6] = ["ts_event", "ts_recv", "sym", "seq", "warm", "flags"];

/// Writes one table. Rows gather until they fill a row group.
pub struct WideWriter<W: Write + Send> {
    columns: WideColumns,
    out: Out<W>,
    rows: Vec<Head>,
    symbols: Vec<String>,
    marks: Vec<(Option<u64>, Option<u64>)>,
    /// A column each, features and then labels.
    values: Vec<Vec<Option<f64>>>,
    row_group_rows: usize,
}

enum Out<W: Write + Send> {
    Parquet(Box<ArrowWriter<W>>, SchemaRef),
    Csv(Box<csv::Writer<W>>),
}

impl<W: Write + Send> std::fmt::Debug for WideWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WideWriter").field("columns", &self.columns).finish_non_exhaustive()
    }
}

impl<W: Write + Send> WideWriter<W> {
    pub fn new(
        out: W,
        format: WideFormat,
        columns: WideColumns,
        header: &Header,
        row_group_rows: usize,
    ) -> Result<Self, WriteError> {
        let names = || HEAD.into_iter().chain(columns.names());
        let mut seen = BTreeSet::new();
        if let Some(twice) = names().find(|name| !seen.insert(*name)) {
            let message = format!("a table cannot have two columns `{twice}`; name the feature");
            return Err(WriteError::Unfit(message));
        }
        let out = match format {
            WideFormat::Parquet => {
                let schema = schema(&columns);
                let writer =
                    ArrowWriter::try_new(out, Arc::clone(&schema), Some(properties(header)));
                Out::Parquet(Box::new(writer.map_err(unfit)?), schema)
            }
            WideFormat::Csv => {
                let mut writer = csv::Writer::from_writer(out);
                writer.write_record(names()).map_err(from_csv)?;
                Out::Csv(Box::new(writer))
            }
        };
        let values = vec![Vec::new(); columns.features.len() + columns.labels.len()];
        let (rows, symbols, marks) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { columns, out, rows, symbols, marks, values, row_group_rows })
    }

    pub fn write(&mut self, batch: &Batch) -> Result<(), WriteError> {
        for record in batch.iter() {
            if let Record::Feature(view) = record {
                if self.rows.len() >= self.row_group_rows {
                    self.end_group()?;
                }
                self.row(view.row, batch)?;
            } else if let Record::Label(view) = record {
                let at = self.columns.labels.iter().position(|name| *name == view.row.name);
                let at = at.map(|at| self.columns.features.len() + at);
                let is_of_last = self.rows.last().is_some_and(|head| *head == view.row.head);
                if let (Some(at), true) = (at, is_of_last)
                    && let Some(value) = self.values[at].last_mut()
                {
                    *value = view.row.value;
                }
            }
        }
        Ok(())
    }

    fn row(&mut self, row: &Feature, batch: &Batch) -> Result<(), WriteError> {
        let (found, expected) = (row.values.len(), self.columns.features.len());
        if found != expected {
            return Err(WriteError::Unfit(format!(
                "a row of `{}` has {found} values; this table has {expected}",
                row.set
            )));
        }
        let symbol = row.head.instrument.map(|id| batch.instruments().get(id).symbol.as_str());
        self.symbols.push(symbol.unwrap_or_default().to_owned());
        self.rows.push(row.head);
        self.marks.push((row.warm, row.flags));
        let absent = std::iter::repeat(&None);
        for (column, value) in self.values.iter_mut().zip(row.values.iter().chain(absent)) {
            column.push(*value);
        }
        Ok(())
    }

    /// Writes the rows at hand.
    fn end_group(&mut self) -> Result<(), WriteError> {
        match &mut self.out {
            Out::Parquet(writer, schema) => {
                let nanos = |of: fn(&Head) -> i64| {
                    let column = self.rows.iter().map(of).collect::<Vec<_>>();
                    Arc::new(TimestampNanosecondArray::from(column).with_timezone("UTC"))
                        as ArrayRef
                };
                let numbers = |column: UInt64Array| Arc::new(column) as ArrayRef;
                let mut arrays = vec![
                    nanos(|head| head.ts_event.nanos()),
                    nanos(|head| head.ts_recv.nanos()),
                    Arc::new(StringArray::from_iter_values(&self.symbols)),
                    numbers(self.rows.iter().map(|head| Some(head.seq)).collect()),
                    numbers(self.marks.iter().map(|mark| mark.0).collect()),
                    numbers(self.marks.iter().map(|mark| mark.1).collect()),
                ];
                arrays.extend(self.values.iter().map(|column| {
                    Arc::new(column.iter().copied().collect::<Float64Array>()) as ArrayRef
                }));
                let table = RecordBatch::try_new(Arc::clone(schema), arrays)
                    .expect("columns are as many and as long as the schema says");
                writer.write(&table).map_err(unfit)?;
                writer.flush().map_err(unfit)?;
            }
            Out::Csv(writer) => {
                for (row, head) in self.rows.iter().enumerate() {
                    let number =
                        |number: Option<u64>| number.map_or(String::new(), |it| it.to_string());
                    let times = [head.ts_event.to_string(), head.ts_recv.to_string()];
                    let (warm, flags) = self.marks[row];
                    let rest = [
                        self.symbols[row].clone(),
                        head.seq.to_string(),
                        number(warm),
                        number(flags),
                    ];
                    // The shortest text that reads back as the same double.
                    let value = |column: &Vec<Option<f64>>| {
                        column[row].map_or(String::new(), |value| format!("{value:?}"))
                    };
                    let cells = times.into_iter().chain(rest).chain(self.values.iter().map(value));
                    writer.write_record(cells).map_err(from_csv)?;
                }
            }
        }
        self.rows.clear();
        self.symbols.clear();
        self.marks.clear();
        self.values.iter_mut().for_each(Vec::clear);
        Ok(())
    }

    /// Writes what is left and hands the file back.
    pub fn finish(mut self) -> Result<W, WriteError> {
        self.end_group()?;
        match self.out {
            Out::Parquet(writer, _) => writer.into_inner().map_err(unfit),
            Out::Csv(writer) => {
                writer.into_inner().map_err(|error| WriteError::Io(error.into_error()))
            }
        }
    }
}

impl WideColumns {
    fn names(&self) -> impl Iterator<Item = &str> {
        self.features.iter().chain(&self.labels).map(String::as_str)
    }
}

fn schema(columns: &WideColumns) -> SchemaRef {
    let head = HEAD.into_iter().map(|name| match name {
        "ts_event" | "ts_recv" => Field::new(name, ts_type(), false),
        "sym" => Field::new(name, DataType::Utf8, false),
        "seq" => Field::new(name, DataType::UInt64, false),
        _ => Field::new(name, DataType::UInt64, true),
    });
    let values = columns.names().map(|name| Field::new(name, DataType::Float64, true));
    Arc::new(Schema::new(head.chain(values).collect::<Vec<_>>()))
}

fn properties(header: &Header) -> WriterProperties {
    let level = ZstdLevel::try_new(3).expect("three is a level of zstd");
    let note = KeyValue::new(NOTE.to_owned(), header.to_json());
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(None)
        .set_created_by(format!("qt {}", header.qt))
        .set_key_value_metadata(Some(vec![note]))
        .build()
}
