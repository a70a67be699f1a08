//! Parquet files to batches, row group by row group.

use std::collections::VecDeque;
use std::fmt::Display;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::statistics::Statistics;
use qt_model::record::{Batch, Kind, Level, Source};
use qt_model::time::Ts;

use super::chunks::Chunks;
use super::strands::Tail;
use super::tables::Tables;
use super::{END_KEY, HEADER_KEY, SPAN_KEY};
use crate::braid::Strand;
use crate::columns::{
    Blame, Carry, ColumnScales, Plain, RowReader, Sink, close, guess_kind, schema,
};
use crate::contain::contained;
use crate::digest::Digest;
use crate::error::{Problem, ReadError};
use crate::frame::{End, Header, SCHEMA};
use crate::place::{At, Place};
use crate::read::{Options, verify};
use crate::symbols::Symbols;

/// Rows are read in blocks of at most so many, however large a batch may be.
const BATCH_ROWS_MAX: usize = 1 << 16;

/// A half-open range of `ts_recv`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub from: Ts,
    pub to: Ts,
}

impl Span {
    pub const ALL: Self = Self { from: Ts::MIN, to: Ts::MAX };

    #[inline]
    pub fn contains(&self, ts: Ts) -> bool {
        self.from <= ts && ts < self.to
    }

    /// Whether anything between `first` and `last`, both included, lies inside.
    pub fn touches(&self, first: Ts, last: Ts) -> bool {
        first < self.to && self.from <= last
    }
}

/// What the footer of a file says of it.
#[derive(Clone, Debug)]
pub struct Description {
    pub kind: Kind,
    pub header: Option<Header>,
    pub end: Option<End>,
    pub rows: u64,
    /// The first and last `ts_recv`, where the file says so.
    pub span: Option<(Ts, Ts)>,
}

/// One file as a source of batches. It is opened at the first call, so that a merge over many
/// files holds only those open whose time has come.
pub struct ParquetReader {
    path: PathBuf,
    input: Arc<str>,
    pub(super) options: Options,
    pub(super) span: Span,
    pub(super) state: State,
    pub(super) digest: Option<Digest>,
    pub(super) carry: Carry,
    spare: Vec<Level>,
    read: u64,
    /// An error that waits until the records before it are handed out.
    pub(super) pending: Option<ReadError>,
    /// Where the file is read as strands: those that were decoded and not handed out yet, and the
    /// record that may go on in the next table.
    pub(super) ready: VecDeque<Strand>,
    pub(super) tail: Option<Tail>,
}

pub(super) enum State {
    Closed,
    Open(Box<Open>),
    Done,
}

pub(super) struct Open {
    tables: Tables,
    rows: RowReader,
    symbols: Symbols,
    kind: Kind,
    end: Option<End>,
}

impl std::fmt::Debug for ParquetReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParquetReader").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Reads the footer of a file and declares its instruments.
pub fn describe(path: &Path, options: &Options) -> Result<Description, ReadError> {
    let input: Arc<str> = path.display().to_string().into();
    let metadata = load(&input, &chunks(&input, path)?)?;
    let description = describe_footer(&input, &metadata)?;
    if let Some(header) = &description.header {
        let declared = options.universe.declare_all(header.instruments.iter());
        declared.map_err(|problem| corrupt(&input, problem.to_string()))?;
    }
    Ok(description)
}

fn chunks(input: &Arc<str>, path: &Path) -> Result<Chunks, ReadError> {
    File::open(path).and_then(Chunks::new).map_err(|source| ReadError::io(input, source))
}

fn load(input: &Arc<str>, file: &Chunks) -> Result<ArrowReaderMetadata, ReadError> {
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    decoded(|| ArrowReaderMetadata::load(file, options))
        .map_err(|error| corrupt(input, format!("a damaged footer: {error}")))
}

/// Runs a part of the decoder over damaged bytes as over good ones.
fn decoded<T, E: Display>(decode: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    contained(decode).and_then(|result| result.map_err(|error| error.to_string()))
}

fn corrupt(input: &Arc<str>, message: impl Into<String>) -> ReadError {
    ReadError::Corrupt { place: Place::whole(input), message: message.into() }
}

fn note<'a>(metadata: &'a ParquetMetaData, key: &str) -> Option<&'a str> {
    let notes = metadata.file_metadata().key_value_metadata()?;
    notes.iter().find(|note| note.key == key)?.value.as_deref()
}

fn describe_footer(
    input: &Arc<str>,
    metadata: &ArrowReaderMetadata,
) -> Result<Description, ReadError> {
    let footer = metadata.metadata();
    let parse = |text: &str| Header::parse(text.as_bytes());
    let header = note(footer, HEADER_KEY).map(parse).transpose();
    let header = header.map_err(|problem| corrupt(input, problem.to_string()))?;
    if let Some(found) = header.as_ref().map(|header| header.schema).filter(|found| *found > SCHEMA)
    {
        return Err(ReadError::Schema { place: Place::whole(input), found, known: SCHEMA });
    }
    let end = note(footer, END_KEY).map(|text| End::parse(text.as_bytes())).transpose();
    let end = end.map_err(|problem| corrupt(input, problem.to_string()))?;
    let kind =
        header.as_ref().and_then(Header::only_kind).or_else(|| guess_kind(metadata.schema()));
    let Some(kind) = kind else {
        let names: Vec<_> =
            metadata.schema().fields().iter().map(|field| field.name().as_str()).collect();
        let message = format!("the columns {} are those of no record kind", names.join(", "));
        return Err(ReadError::Unreadable { place: Place::whole(input), message });
    };
    let rows = u64::try_from(footer.file_metadata().num_rows()).unwrap_or_default();
    let span = note(footer, SPAN_KEY).and_then(|text| {
        let (first, last) = text.split_once('/')?;
        Some((Ts::from_nanos(first.parse().ok()?), Ts::from_nanos(last.parse().ok()?)))
    });
    Ok(Description { kind, header, end, rows, span })
}

/// The types that we want the columns as: narrow decimals, dictionaries for words and symbols.
fn wanted(kind: Kind, found: &SchemaRef) -> SchemaRef {
    let ours = schema(kind, ColumnScales::of(&Default::default()), false, Default::default());
    let field = |found: &Arc<Field>| {
        let Ok(own) = ours.field_with_name(found.name()) else { return Arc::clone(found) };
        let ty = match (found.data_type(), own.data_type()) {
            (DataType::Decimal128(precision @ ..=18, scale), DataType::Decimal64(..)) => {
                DataType::Decimal64(*precision, *scale)
            }
            (
                DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View,
                DataType::Dictionary(..),
            ) => own.data_type().clone(),
            (found, _) => found.clone(),
        };
        Arc::new(found.as_ref().clone().with_data_type(ty))
    };
    Arc::new(Schema::new(found.fields().iter().map(field).collect::<Vec<_>>()))
}

impl ParquetReader {
    pub fn new(path: &Path, span: Span, options: Options) -> Self {
        let digest = (options.verify && span == Span::ALL).then(Digest::default);
        Self {
            path: path.to_owned(),
            input: path.display().to_string().into(),
            options,
            span,
            state: State::Closed,
            digest,
            carry: Carry::default(),
            spare: Vec::new(),
            read: 0,
            pending: None,
            ready: VecDeque::new(),
            tail: None,
        }
    }

    /// Opens the file, to be read in tables of at most so many rows.
    pub(super) fn open(&mut self, table_rows: usize) -> Result<(), ReadError> {
        let input = &self.input;
        let file = chunks(input, &self.path)?;
        let plain = load(input, &file)?;
        let Description { kind, end, .. } = describe_footer(input, &plain)?;
        let options = ArrowReaderOptions::new()
            .with_skip_arrow_metadata(true)
            .with_schema(wanted(kind, plain.schema()));
        let typed = decoded(|| ArrowReaderMetadata::try_new(Arc::clone(plain.metadata()), options));
        // A file of other types than ours is read as it is, and its columns are converted.
        let metadata = typed.unwrap_or(plain);
        let groups = self.groups(&metadata);
        // The rest of a record whose beginning lies in a group that is passed over.
        self.carry.is_refused = groups.first().is_some_and(|first| *first > 0);
        let known = |name: &str| is_known(kind, name);
        let columns = metadata.schema().fields().iter().enumerate();
        let columns = columns.filter(|(_, field)| known(field.name())).map(|(at, _)| at);
        let mask = ProjectionMask::roots(metadata.parquet_schema(), columns);
        let rows_max = table_rows.clamp(1, BATCH_ROWS_MAX);
        let rows = RowReader::new(kind, metadata.schema(), self.options.feed_latency_ns);
        let rows = rows.map_err(|problem| ReadError::Unreadable {
            place: Place::whole(input),
            message: problem.to_string(),
        })?;
        let tables = Tables { file, metadata, mask, rows_max, groups: groups.into(), group: None };
        let symbols = Symbols::new(&self.options.universe);
        self.state = State::Open(Box::new(Open { tables, rows, symbols, kind, end }));
        Ok(())
    }

    /// The row groups whose statistics touch the range.
    fn groups(&self, metadata: &ArrowReaderMetadata) -> Vec<usize> {
        let footer = metadata.metadata();
        let all = 0..footer.num_row_groups();
        // Statistics in other units than ours would leave out what they should not.
        let unit = metadata.schema().field_with_name("ts_recv").ok().map(|field| field.data_type());
        if self.span == Span::ALL
            || !matches!(unit, Some(DataType::Timestamp(TimeUnit::Nanosecond, _)))
        {
            return all.collect();
        }
        let columns = footer.file_metadata().schema_descr().columns();
        let column = columns.iter().position(|column| column.path().string() == "ts_recv");
        let touches = |group: &usize| {
            let group = footer.row_group(*group);
            let statistics = column
                .filter(|column| *column < group.num_columns())
                .and_then(|column| group.column(column).statistics());
            let Some(Statistics::Int64(range)) = statistics else { return true };
            match (range.min_opt(), range.max_opt()) {
                (Some(min), Some(max)) => {
                    self.span.touches(Ts::from_nanos(*min), Ts::from_nanos(*max))
                }
                _ => true,
            }
        };
        all.filter(touches).collect()
    }

    fn step(&mut self, batch: &mut Batch) -> Result<(), ReadError> {
        let table = self.table()?;
        let read = match &table {
            Some(table) => self.rows(table, batch),
            None => {
                self.close(batch);
                Ok(())
            }
        };
        self.place(batch);
        if let Some(digest) = &mut self.digest {
            digest.update(batch);
        }
        if table.is_none() {
            return self.end();
        }
        read
    }

    /// Decodes the next table.
    pub(super) fn table(&mut self) -> Result<Option<RecordBatch>, ReadError> {
        let State::Open(open) = &mut self.state else { return Ok(None) };
        decoded(|| open.tables.next()).map_err(|error| {
            let place = Place { input: Arc::clone(&self.input), at: At::Row(self.read) };
            match error.rsplit_once("Disabled feature at compile time: ") {
                Some((_, what)) => {
                    let message = format!("a codec that this qt was built without: {what}");
                    ReadError::Unreadable { place, message }
                }
                None => ReadError::Corrupt { place, message: format!("damaged data: {error}") },
            }
        })
    }

    /// The columns of a table, where nothing is missing in them.
    pub(super) fn plain(&mut self, table: &RecordBatch) -> Option<Plain> {
        let State::Open(open) = &mut self.state else { return None };
        open.rows.plain(table, &mut open.symbols)
    }

    /// Notes rows that were handed on as columns.
    pub(super) fn pass_over(&mut self, rows: usize) {
        let State::Open(open) = &mut self.state else { return };
        open.rows.pass_over(rows);
        self.read += rows as u64;
    }

    /// Appends the rows of a table, without placing them.
    pub(super) fn rows(&mut self, table: &RecordBatch, batch: &mut Batch) -> Result<(), ReadError> {
        let read = self.with_sink(batch, |open, carry, sink| {
            open.rows.read(table, &mut open.symbols, carry, sink)
        });
        self.read += table.num_rows() as u64;
        read
    }

    /// Appends the record that is open: it is whole.
    pub(super) fn close(&mut self, batch: &mut Batch) {
        let closed = self.with_sink(batch, |_, carry, sink| {
            close(carry, sink);
            Ok(())
        });
        debug_assert!(closed.is_ok(), "nothing is judged here");
    }

    fn with_sink(
        &mut self,
        batch: &mut Batch,
        fill: impl FnOnce(&mut Open, &mut Carry, &mut Sink<'_>) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        let State::Open(open) = &mut self.state else { return Ok(()) };
        let (tolerance, first, input) = (&self.options.tolerance, self.read, &self.input);
        let mut judge = |blame: Blame, problem: Problem| match blame {
            Blame::Row(row) => {
                let place = Place { input: Arc::clone(input), at: At::Row(first + row as u64) };
                tolerance.judge(ReadError::Record { place, problem: Box::new(problem), text: None })
            }
            Blame::Table => {
                let (place, message) = (Place::whole(input), problem.to_string());
                Err(ReadError::Unreadable { place, message })
            }
        };
        let (ordinals, spare) = (&mut Vec::new(), &mut self.spare);
        fill(open, &mut self.carry, &mut Sink { batch, ordinals, spare, judge: &mut judge })
    }

    /// Gives the rows that were read their places.
    pub(super) fn place(&self, batch: &mut Batch) {
        if let State::Open(open) = &self.state {
            batch.place_all(open.kind);
        }
    }

    /// Everything was read; compares it with what was written, if that is asked for.
    pub(super) fn end(&mut self) -> Result<(), ReadError> {
        let State::Open(open) = std::mem::replace(&mut self.state, State::Done) else {
            return Ok(());
        };
        match (&self.digest, open.end) {
            (Some(digest), Some(end)) => verify(&Place::whole(&self.input), &end, digest),
            _ => Ok(()),
        }
    }

    /// Leaves out what lies outside the range, where row groups reach beyond it.
    pub(super) fn trim(&self, batch: &mut Batch) {
        let inside = |at: usize| self.span.contains(batch.head(at).ts_recv);
        if self.span == Span::ALL || (0..batch.len()).all(inside) {
            return;
        }
        let mut kept = Batch::new(Arc::clone(batch.instruments()));
        for record in batch.iter().filter(|record| self.span.contains(record.head().ts_recv)) {
            kept.push(record);
        }
        *batch = kept;
    }
}

fn is_known(kind: Kind, name: &str) -> bool {
    let head = ["ts_event", "ts_recv", "sym", "seq"];
    let level = ["level", "side", "px", "qty"];
    head.contains(&name)
        || kind == Kind::Depth && level.contains(&name)
        || kind.fields().iter().any(|field| field.name == name)
}

impl Source for ParquetReader {
    type Error = ReadError;

    fn next(&mut self, batch: &mut Batch) -> Result<bool, ReadError> {
        batch.clear();
        if let Some(error) = self.pending.take() {
            return Err(error);
        }
        if matches!(self.state, State::Closed)
            && let Err(error) = self.open(self.options.batch_records)
        {
            self.state = State::Done;
            return Err(error);
        }
        batch.set_instruments(self.options.universe.snapshot());
        while batch.is_empty() && !matches!(self.state, State::Done) {
            if let Err(error) = self.step(batch) {
                self.state = State::Done;
                self.pending = Some(error);
            }
            self.trim(batch);
        }
        match self.pending.take_if(|_| batch.is_empty()) {
            Some(error) => Err(error),
            None => Ok(!batch.is_empty()),
        }
    }
}
