//! Opening an input: what is it, and which reader takes it.
//!
//! An input is known by its first bytes, never by its name: zstd and gzip are unwrapped (also one
//! in the other), then Arrow, Parquet, CSV and NDJSON are told apart. Parquet needs a file, since
//! its directory stands at the end.

use std::fs::File;
use std::io::{BufReader, Chain, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use qt_model::record::{Batch, Kind, Source};

use crate::arrow_ipc::{self, ArrowReader};
use crate::braid::Strand;
use crate::csv_file::CsvReader;
use crate::error::ReadError;
use crate::frame::Header;
use crate::lines::read_some;
use crate::ndjson::NdjsonReader;
use crate::parquet_file::{self, ParquetReader, Span};
use crate::place::Place;
use crate::read::Options;

/// What the user named.
#[derive(Debug)]
pub enum Input {
    File(PathBuf),
    /// A pipe, with the name to show.
    Pipe(&'static str, Box<dyn PipeRead>),
}

/// A pipe that can be read on another thread.
pub trait PipeRead: Read + Send {}

impl<R: Read + Send> PipeRead for R {}

impl std::fmt::Debug for dyn PipeRead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a pipe")
    }
}

/// A reader of any encoding.
#[derive(Debug)]
pub enum AnyReader {
    Ndjson(Box<NdjsonReader>),
    Arrow(Box<ArrowReader>),
    Parquet(Box<ParquetReader>, Option<Box<Header>>),
    Csv(Box<CsvReader>),
    Empty,
}

impl AnyReader {
    /// Opens an input, reads its header and declares its instruments.
    pub fn open(input: Input, span: Span, mut options: Options) -> Result<Self, ReadError> {
        // A batch of no records would be an end that never comes.
        options.batch_records = options.batch_records.max(1);
        match input {
            Input::File(path) => Self::open_file(&path, span, options),
            Input::Pipe(name, pipe) => Self::open_bytes(&name.into(), Box::new(pipe), options),
        }
    }

    fn open_file(path: &Path, span: Span, options: Options) -> Result<Self, ReadError> {
        let name: Arc<str> = path.display().to_string().into();
        let io = |source| ReadError::io(&name, source);
        let mut file = File::open(path).map_err(io)?;
        if file.metadata().map_err(io)?.is_dir() {
            let message = "is a folder; a catalog is read with `--data`".to_owned();
            return Err(ReadError::Unreadable { place: Place::whole(&name), message });
        }
        let mut mark = [0_u8; 4];
        let read = fill(&mut file, &mut mark).map_err(io)?;
        if mark[..read] == parquet_file::MARK[..] {
            let description = parquet_file::describe(path, &options)?;
            let reader = ParquetReader::new(path, span, options);
            return Ok(Self::Parquet(Box::new(reader), description.header.map(Box::new)));
        }
        let whole = Cursor::new(mark[..read].to_vec()).chain(file);
        Self::open_bytes(&name, Box::new(whole), options)
    }

    fn open_bytes(
        name: &Arc<str>,
        reader: Box<dyn Read + Send>,
        options: Options,
    ) -> Result<Self, ReadError> {
        let (start, reader) = unwrapped(name, reader, options.allow_truncated)?;
        let unreadable = |message: &str| {
            let message = message.to_owned();
            Err(ReadError::Unreadable { place: Place::whole(name), message })
        };
        if start.starts_with(&arrow_ipc::IPC_MARK) {
            return ArrowReader::open(name, reader, true, options)
                .map(|r| Self::Arrow(Box::new(r)));
        }
        if start.starts_with(arrow_ipc::MARK) {
            return ArrowReader::open(name, reader, false, options)
                .map(|r| Self::Arrow(Box::new(r)));
        }
        if start.starts_with(parquet_file::MARK) {
            return unreadable(
                "Parquet cannot be read from a pipe, since its directory stands at the end; \
                 name the file instead",
            );
        }
        if start.starts_with(b"ARROW1") {
            return unreadable("an Arrow file; only Arrow streams can be read");
        }
        let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&start);
        let text = text.trim_ascii_start();
        if text.starts_with(b"k,") || text.starts_with(b"\"k\",") {
            return CsvReader::open(name, reader, options).map(|r| Self::Csv(Box::new(r)));
        }
        if text.is_empty() && start.len() < SNIFF {
            return Ok(Self::Empty);
        }
        if !text.starts_with(b"{") {
            return unreadable(
                "not a stream of records: expected NDJSON, CSV with a column `k` first, Arrow or \
                 Parquet, plain or in zstd or gzip",
            );
        }
        NdjsonReader::open(name, reader, options).map(|r| Self::Ndjson(Box::new(r)))
    }

    pub fn header(&self) -> Option<&Header> {
        match self {
            Self::Ndjson(reader) => reader.header(),
            Self::Arrow(reader) => reader.header(),
            Self::Parquet(_, header) => header.as_deref(),
            Self::Csv(_) | Self::Empty => None,
        }
    }

    /// Whether records lie as columns here.
    pub fn is_columns(&self) -> bool {
        match self {
            Self::Arrow(_) | Self::Parquet(..) => true,
            Self::Ndjson(_) | Self::Csv(_) | Self::Empty => false,
        }
    }

    /// The kind of all records, where they come as a table of one kind.
    pub fn table_kind(&self) -> Option<Kind> {
        match self {
            Self::Arrow(reader) => reader.table_kind(),
            Self::Parquet(_, header) => header.as_ref().and_then(|header| header.only_kind()),
            Self::Ndjson(_) | Self::Csv(_) | Self::Empty => None,
        }
    }
}

impl Source for AnyReader {
    type Error = ReadError;

    fn next(&mut self, batch: &mut Batch) -> Result<bool, ReadError> {
        match self {
            Self::Ndjson(reader) => reader.next(batch),
            Self::Arrow(reader) => reader.next(batch),
            Self::Parquet(reader, _) => reader.next(batch),
            Self::Csv(reader) => reader.next(batch),
            Self::Empty => {
                batch.clear();
                Ok(false)
            }
        }
    }
}

impl Source<Strand> for AnyReader {
    type Error = ReadError;

    fn next(&mut self, strand: &mut Strand) -> Result<bool, ReadError> {
        match self {
            Self::Parquet(reader, _) => reader.next(strand),
            Self::Arrow(reader) => reader.next(strand),
            Self::Ndjson(_) | Self::Csv(_) | Self::Empty => {
                let mut batch = Batch::default();
                let more = self.next(&mut batch)?;
                *strand = Strand::of_rows(batch);
                Ok(more)
            }
        }
    }
}

/// How many bytes tell encodings apart.
const SNIFF: usize = 64;

/// How many wrappings are taken off before we stop believing the input.
const WRAPPINGS: usize = 3;

pub(crate) type Sniffed = (Vec<u8>, Box<dyn Read + Send>);

/// Takes compression off and shows the first bytes of what is inside.
pub(crate) fn unwrapped(
    name: &Arc<str>,
    mut reader: Box<dyn Read + Send>,
    allow_truncated: bool,
) -> Result<Sniffed, ReadError> {
    for _ in 0..=WRAPPINGS {
        let mut start = vec![0; SNIFF];
        let read = fill(&mut reader, &mut start)
            .map_err(|source| ReadError::of_read(Place::whole(name), source))?;
        start.truncate(read);
        let whole: Chain<_, _> = Cursor::new(start.clone()).chain(reader);
        if start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
            let decoder = zstd::stream::read::Decoder::new(whole);
            let mut decoder = decoder.map_err(|source| ReadError::io(name, source))?;
            // A window beyond 128 MiB would break the bound on memory.
            decoder.window_log_max(27).map_err(|source| ReadError::io(name, source))?;
            reader = may_be_cut(decoder, allow_truncated);
        } else if start.starts_with(&[0x1f, 0x8b]) {
            let decoder = flate2::bufread::MultiGzDecoder::new(BufReader::new(whole));
            reader = may_be_cut(decoder, allow_truncated);
        } else {
            return Ok((start, Box::new(whole)));
        }
    }
    let message = "compressed more often than any tool would".to_owned();
    Err(ReadError::Corrupt { place: Place::whole(name), message })
}

/// Compressed data that breaks off, as an input that ends there, if the user allows that.
fn may_be_cut(decoder: impl Read + Send + 'static, allow_truncated: bool) -> Box<dyn Read + Send> {
    if allow_truncated { Box::new(Forgiving(decoder)) } else { Box::new(decoder) }
}

struct Forgiving<R>(R);

impl<R: Read> Read for Forgiving<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self.0.read(buffer) {
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(0),
            other => other,
        }
    }
}

/// Reads until the buffer is full or the input ends.
pub(crate) fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut had = 0;
    while had < buffer.len() {
        match read_some(reader, &mut buffer[had..])? {
            0 => break,
            read => had += read,
        }
    }
    Ok(had)
}
