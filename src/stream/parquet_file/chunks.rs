//! The bytes of a file for its decoder, which believes what damaged headers say.
//!
//! Invariant: no more is reserved than the file holds, and the end of the file is an error when
//! asked for again and again: a list that claims two thousand million members would else be
//! skipped one by one behind it.

use std::fs::File;
use std::io::{BufReader, Error, ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

/// How often a reader may meet the end of its file before it is told off.
const ENDS_MAX: u32 = 64;

/// A file that can be read from any place.
#[derive(Clone, Debug)]
pub(super) struct Chunks {
    file: Arc<File>,
    len: u64,
}

/// Reads on from one place.
pub(super) struct Section {
    inner: BufReader<Onward>,
    ends: u32,
}

/// A place in a file that others read too: it asks the system for bytes and for nothing else.
struct Onward {
    file: Arc<File>,
    at: u64,
}

impl Chunks {
    pub(super) fn new(file: File) -> std::io::Result<Self> {
        let len = file.metadata()?.len();
        Ok(Self { file: Arc::new(file), len })
    }
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.len
    }
}

impl ChunkReader for Chunks {
    type T = Section;

    fn get_read(&self, start: u64) -> Result<Section> {
        let onward = Onward { file: Arc::clone(&self.file), at: start };
        Ok(Section { inner: BufReader::new(onward), ends: 0 })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let held = self.len.saturating_sub(start);
        if length as u64 > held {
            let message = format!("{length} bytes were announced at {start}, {held} are there");
            return Err(ParquetError::EOF(message));
        }
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, start)?;
        Ok(bytes.into())
    }
}

impl Read for Onward {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        if read == 0 && !buffer.is_empty() {
            self.ends += 1;
            if self.ends > ENDS_MAX {
                return Err(Error::new(ErrorKind::UnexpectedEof, "read far behind the end"));
            }
        }
        Ok(read)
    }
}
