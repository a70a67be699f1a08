//! The bytes of a file for its decoder, which believes what damaged headers say.
//!
//! Invariant: no more is reserved than the file holds, and the end of the file is an error when
//! asked for again and again: a list that claims two thousand million members would else be
//! skipped one by one behind it.

use std::fs::File;
use std::io::{BufReader, Error, ErrorKind, Read, Seek, SeekFrom};

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

/// How often a reader may meet the end of its file before it is told off.
const ENDS_MAX: u32 = 64;

/// A file that can be read from any place.
#[derive(Debug)]
pub(super) struct Chunks(pub(super) File);

/// Reads on from one place.
pub(super) struct Section {
    inner: BufReader<File>,
    ends: u32,
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        Length::len(&self.0)
    }
}

impl ChunkReader for Chunks {
    type T = Section;

    fn get_read(&self, start: u64) -> Result<Section> {
        let mut file = self.0.try_clone()?;
        file.seek(SeekFrom::Start(start))?;
        Ok(Section { inner: BufReader::new(file), ends: 0 })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let held = Length::len(&self.0).saturating_sub(start);
        if length as u64 > held {
            let message = format!("{length} bytes were announced at {start}, {held} are there");
            return Err(ParquetError::EOF(message));
        }
        self.0.get_bytes(start, length)
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
