//! Reading and writing whole streams, for the tests of the codecs.

use std::io::{Cursor, Write};

use qt_model::record::{Batch, Kind, Sequence, Source};

use crate::braid::Strand;
use crate::error::ReadError;
use crate::frame::Header;
use crate::input::{AnyReader, Input};
use crate::parquet_file::Span;
use crate::read::Options;
use crate::sample;
use crate::tolerance::Tolerance;
use crate::write::{Format, StreamWriter};

/// What came out of an input: all its records, and the error that ended it.
pub(crate) struct Outcome {
    pub(crate) records: Vec<String>,
    pub(crate) error: Option<ReadError>,
}

impl Outcome {
    pub(crate) fn message(&self) -> String {
        self.error.as_ref().map(ToString::to_string).unwrap_or_default()
    }
}

pub(crate) fn verified() -> Options {
    Options { verify: true, batch_records: 7, ..Options::default() }
}

pub(crate) fn skipping() -> Options {
    Options { tolerance: Tolerance::skip(), ..Options::default() }
}

pub(crate) fn cut_allowed() -> Options {
    Options { allow_truncated: true, ..Options::default() }
}

/// Reads bytes as the input named `in`, to the end or the first error, and once more: an error must
/// be the last thing that a reader says.
pub(crate) fn read(bytes: &[u8], options: Options) -> Outcome {
    read_span(bytes, Span::ALL, options)
}

pub(crate) fn read_span(bytes: &[u8], span: Span, options: Options) -> Outcome {
    // Parquet needs a file; the handle keeps it until the reading is done.
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let input = || match bytes.starts_with(b"PAR1") {
        true => Input::File(file.path().to_owned()),
        false => Input::Pipe("in", Box::new(Cursor::new(bytes.to_vec()))),
    };
    let mut outcome = Outcome { records: Vec::new(), error: None };
    let tolerance = if options.tolerance.skips() { Tolerance::skip() } else { Tolerance::fail() };
    let twin = Options { tolerance, ..options.clone() };
    let mut reader = match AnyReader::open(input(), span, options) {
        Ok(reader) => reader,
        Err(error) => {
            outcome.error = Some(error);
            return outcome;
        }
    };
    let has_columns = matches!(reader, AnyReader::Parquet(..) | AnyReader::Arrow(_));
    let mut batch = Batch::default();
    loop {
        match reader.next(&mut batch) {
            Ok(true) => {
                assert!(!batch.is_empty(), "a batch without records is no answer");
                outcome.records.extend(sample::texts(&batch));
            }
            Ok(false) => break,
            Err(error) => {
                outcome.error = Some(error);
                let after = reader.next(&mut batch);
                assert!(matches!(after, Ok(false)), "a reader goes on after its error");
                break;
            }
        }
    }
    if has_columns {
        let (records, error) = read_columns(input(), span, twin);
        // Tables of columns are longer, so damage takes other neighbours with it.
        let is_damaged = outcome.message().contains("damaged data") && !error.is_empty();
        let both = records.len().min(outcome.records.len());
        assert_eq!(records[..both], outcome.records[..both], "columns say what rows say");
        assert!(is_damaged || records.len() == outcome.records.len(), "columns say all of it");
        assert!(is_damaged || error == outcome.message(), "{error}; {}", outcome.message());
    }
    outcome
}

/// The records and the error of an input by the road of columns.
fn read_columns(input: Input, span: Span, options: Options) -> (Vec<String>, String) {
    let mut reader = match AnyReader::open(input, span, options) {
        Ok(reader) => reader,
        Err(error) => return (Vec::new(), error.to_string()),
    };
    let (mut records, mut strand) = (Vec::new(), Strand::default());
    loop {
        match reader.next(&mut strand) {
            Ok(true) => {
                assert!(!strand.is_empty(), "a strand without records is no answer");
                records.extend(sample::texts(&strand.to_batch()));
            }
            Ok(false) => return (records, String::new()),
            Err(error) => {
                assert!(matches!(reader.next(&mut strand), Ok(false)), "goes on after its error");
                return (records, error.to_string());
            }
        }
    }
}

/// All strands of a source that must be good.
pub(crate) fn strands<S: Source<Strand, Error = ReadError>>(mut source: S) -> Vec<Strand> {
    let mut strands = Vec::new();
    loop {
        let mut strand = Strand::default();
        if !source.next(&mut strand).unwrap() {
            return strands;
        }
        strands.push(strand);
    }
}

/// Reads what must be good.
pub(crate) fn records(bytes: &[u8], options: Options) -> Vec<String> {
    let outcome = read(bytes, options);
    assert_eq!(outcome.message(), "");
    outcome.records
}

pub(crate) fn header_of(batch: &Batch, kinds: Option<&[Kind]>) -> Header {
    let header = Header::new(std::sync::Arc::clone(batch.instruments()));
    match kinds {
        Some(kinds) => header.with_kinds(kinds.iter().copied()),
        None => header,
    }
}

/// Writes batches as one stream; also its digest.
pub(crate) fn write(
    batches: &[&Batch],
    format: Format,
    kinds: Option<&[Kind]>,
) -> (Vec<u8>, String) {
    let header = header_of(batches[0], kinds);
    let mut writer = StreamWriter::new(Vec::new(), format, &header, 100).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    let (bytes, end) = writer.finish(crate::frame::End::default()).unwrap();
    (bytes, end.digest)
}

pub(crate) fn only(batch: &Batch, kind: Kind) -> Batch {
    let mut part = Batch::new(std::sync::Arc::clone(batch.instruments()));
    batch.iter().filter(|record| record.kind() == kind).for_each(|record| part.push(record));
    part
}

/// Cuts a stream at every byte: what is read is a beginning of `whole`, and the reader either says
/// that it was cut or damaged, or had all of it. Allowed to be cut, it says nothing.
pub(crate) fn check_cuts(bytes: &[u8], whole: &[String]) {
    // A long stream is cut at every so manyth byte, or a slow machine takes a minute.
    for length in (0..bytes.len()).step_by(1 + bytes.len() / 2_000) {
        let cut = read(&bytes[..length], Options::default());
        let shown = cut.message();
        assert_eq!(cut.records, whole[..cut.records.len()], "cut at {length}: {shown}");
        // Cut before its first line is whole, a stream is not known for one that owes an `end`.
        let is_line = cut.records.is_empty() && matches!(cut.error, Some(ReadError::Record { .. }));
        let said = is_line
            || matches!(cut.error, Some(ReadError::Truncated { .. } | ReadError::Corrupt { .. }));
        // Too short to be recognised, it is empty, or no stream at all.
        let is_unknown = matches!(cut.error, Some(ReadError::Unreadable { .. })) || length == 0;
        let is_whole = cut.error.is_none() && cut.records.len() == whole.len();
        assert!(said || is_unknown || is_whole, "cut at {length}: {shown:?}");
        if matches!(cut.error, Some(ReadError::Truncated { .. })) {
            let allowed = read(&bytes[..length], cut_allowed());
            assert_eq!(allowed.message(), "", "cut at {length}");
            assert_eq!(allowed.records, cut.records, "cut at {length}");
        }
    }
}
