//! Files to batches.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use qt_model::record::{Batch, Kind, Source};

use super::entry::{Label, checksum, content_hash};
use crate::error::ReadError;
use crate::frame::Header;
use crate::ndjson::NdjsonReader;
use crate::place::At;
use crate::read::Options;
use crate::tolerance::{Refused, Tolerance};
use crate::universe::Universe;

/// A file of the log that was read.
#[derive(Debug)]
pub struct WalFile {
    pub table: Kind,
    pub hash: String,
    pub first_line: Vec<u8>,
    /// The records that could be read, in order.
    pub rows: Vec<Batch>,
    /// The lines that could not.
    pub bad: Vec<Refused>,
}

impl WalFile {
    pub fn len(&self) -> usize {
        self.rows.iter().map(Batch::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadFailure {
    /// It makes no sense and never will.
    #[error("{0}")]
    Corrupt(String),
    #[error(transparent)]
    Io(#[from] io::Error),
}

fn corrupt(message: impl Into<String>) -> ReadFailure {
    ReadFailure::Corrupt(message.into())
}

/// Declares the instruments of a file, before any file that shares them is read: scales are then
/// the widest of all.
pub(super) fn declare(path: &Path, universe: &Universe) -> Result<(), ReadFailure> {
    let mut first = Vec::new();
    io::BufRead::read_until(&mut io::BufReader::new(fs::File::open(path)?), b'\n', &mut first)?;
    let header = Header::parse(&first).map_err(|problem| corrupt(format!("line 1: {problem}")))?;
    let declared = universe.declare_all(header.instruments.iter());
    declared.map_err(|error| corrupt(format!("line 1: {error}")))
}

/// Reads a file whole: it is no larger than the writer's bounds. Instruments go to the universe.
pub fn read(path: &Path, universe: &Universe) -> Result<WalFile, ReadFailure> {
    read_bytes(&path.display().to_string(), fs::read(path)?, universe)
}

/// The same, of bytes that have a name.
pub fn read_bytes(name: &str, bytes: Vec<u8>, universe: &Universe) -> Result<WalFile, ReadFailure> {
    let at = memchr::memchr(b'\n', &bytes).ok_or_else(|| corrupt("it has no first line"))?;
    let (first, body) = (&bytes[..at], &bytes[at + 1..]);
    let label: Label =
        serde_json::from_slice(first).map_err(|error| corrupt(format!("line 1: {error}")))?;
    let table = Kind::from_name(&label.table)
        .or_else(|| (label.table == Kind::Other.name()).then_some(Kind::Other))
        .ok_or_else(|| corrupt(format!("line 1: no table `{}`", label.table)))?;
    let found = checksum(body);
    if found != label.crc32 {
        let expected = &label.crc32;
        return Err(corrupt(format!("the checksum is {found}, line 1 says {expected}")));
    }
    let lines = memchr::memchr_iter(b'\n', body).count() as u64;
    if lines != label.count {
        return Err(corrupt(format!("{lines} lines, line 1 says {}", label.count)));
    }
    let (hash, first_line) = (content_hash(table, body), first.to_vec());
    let (rows, bad) = parse(name, table, bytes, universe)?;
    Ok(WalFile { table, hash, first_line, rows, bad })
}

/// The lines as a stream whose `end` is not owed: the count has been checked.
fn parse(
    name: &str,
    table: Kind,
    bytes: Vec<u8>,
    universe: &Universe,
) -> Result<(Vec<Batch>, Vec<Refused>), ReadFailure> {
    let tolerance = Tolerance::keep();
    let options = Options {
        universe: universe.clone(),
        tolerance: tolerance.clone(),
        allow_truncated: true,
        ..Options::default()
    };
    let name: Arc<str> = name.into();
    let failed = |error: ReadError| match error {
        ReadError::Io { cause, .. } => ReadFailure::Io(cause),
        other => corrupt(other.to_string()),
    };
    let mut reader =
        NdjsonReader::open(&name, Box::new(io::Cursor::new(bytes)), options).map_err(failed)?;
    let mut rows = Vec::new();
    let mut misplaced = Vec::new();
    loop {
        let mut batch = Batch::default();
        if !reader.next(&mut batch).map_err(failed)? {
            break;
        }
        if batch.only_kind() != Some(table) {
            misplaced.push(batch.iter().find(|r| r.kind() != table).map(|r| r.kind().name()));
            continue;
        }
        rows.push(batch);
    }
    if let Some(kind) = misplaced.into_iter().flatten().next() {
        return Err(corrupt(format!("a {kind} record in a file of table `{}`", table.name())));
    }
    let mut bad = tolerance.take_refused();
    bad.sort_by_key(|refused| match refused.at {
        At::Line(line) => line,
        At::Whole | At::Byte(_) | At::Row(_) => 0,
    });
    Ok((rows, bad))
}
