//! Files to import, with compression and archives taken off.
//!
//! A zip archive counts as a folder of its members. A file can be opened again and again; a pipe
//! once, and an archive that comes through one is put aside on disk, since its directory stands at
//! the end.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::DeflateDecoder;
use zip::{CompressionMethod, ZipArchive};

use super::{ImportInput, Look, Notes};
use crate::error::ReadError;
use crate::input::{fill, unwrapped};
use crate::place::Place;
use crate::read::Options;

/// How many bytes of an input are shown to those who recognise it.
pub const START: usize = 16 << 10;

const ZIP: &[u8] = b"PK\x03\x04";

/// One thing to import: a file, or a member of an archive.
#[derive(Clone, Debug)]
pub struct Member {
    name: Arc<str>,
    path: PathBuf,
    start: Vec<u8>,
    part: Option<Packed>,
}

/// Where a member lies in its archive.
#[derive(Clone, Debug)]
struct Packed {
    archive: Arc<Path>,
    at: u64,
    bytes: u64,
    is_deflated: bool,
    crc32: u32,
}

/// What there is to import at a path: the file, or the members of an archive by name.
pub fn members(path: &Path) -> Result<Vec<Member>, ReadError> {
    let name: Arc<str> = path.display().to_string().into();
    let io = |source| ReadError::io(&name, source);
    let mut file = File::open(path).map_err(io)?;
    let mut mark = [0; 4];
    let read = fill(&mut file, &mut mark).map_err(io)?;
    if &mark[..read] == ZIP {
        return archived(&name, path, file);
    }
    let mut member = Member { name, path: path.to_owned(), start: Vec::new(), part: None };
    member.start = member.first_bytes()?;
    Ok(vec![member])
}

fn archived(name: &Arc<str>, path: &Path, mut file: File) -> Result<Vec<Member>, ReadError> {
    let corrupt = |message: String| ReadError::Corrupt { place: Place::whole(name), message };
    let broken = |error| corrupt(format!("the zip archive is damaged or cut: {error}"));
    file.rewind().map_err(|source| ReadError::io(name, source))?;
    let mut archive = ZipArchive::new(file).map_err(broken)?;
    let whole: Arc<Path> = path.into();
    let mut all = Vec::new();
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(broken)?;
        if !entry.is_file() {
            continue;
        }
        let inner = entry.name().map_err(broken)?.into_owned();
        let is_deflated = match entry.compression() {
            CompressionMethod::Stored => false,
            CompressionMethod::Deflated => true,
            other => {
                return Err(corrupt(format!("{inner} is packed with {other}; expected deflate")));
            }
        };
        if entry.encrypted() {
            return Err(corrupt(format!("{inner} is encrypted")));
        }
        let at = entry.data_start().ok_or_else(|| corrupt(format!("{inner} has no place")))?;
        let (bytes, crc32) = (entry.compressed_size(), entry.crc32());
        let part = Packed { archive: Arc::clone(&whole), at, bytes, is_deflated, crc32 };
        let name = format!("{name}/{inner}").into();
        let start = Vec::new();
        all.push(Member { name, path: path.join(&inner), start, part: Some(part) });
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    for member in &mut all {
        member.start = member.first_bytes()?;
    }
    Ok(all)
}

impl Member {
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The file on disk: of a member of an archive, the archive.
    pub fn file(&self) -> &Path {
        self.part.as_ref().map_or(&self.path, |part| &part.archive)
    }

    pub fn look(&self) -> Look<'_> {
        Look { start: &self.start, path: Some(&self.path) }
    }

    /// How many bytes it takes on disk.
    pub fn bytes(&self) -> io::Result<u64> {
        match &self.part {
            Some(part) => Ok(part.bytes),
            None => Ok(std::fs::metadata(&self.path)?.len()),
        }
    }

    /// Opens it from the beginning. `meter` hears of each byte that is read from disk.
    pub fn open(
        &self,
        options: &Options,
        notes: &Notes,
        meter: &Meter,
    ) -> Result<ImportInput, ReadError> {
        let raw = Box::new(Metered { inner: self.raw()?, meter: meter.clone() });
        let (_, bytes) = unwrapped(&self.name, raw, options.allow_truncated)?;
        let path = Some(self.path.clone());
        let (name, notes) = (Arc::clone(&self.name), notes.clone());
        Ok(ImportInput { name, path, bytes, notes, is_packed: self.is_packed() })
    }

    /// Whether it is compressed, as its name says.
    fn is_packed(&self) -> bool {
        let is_one =
            |it: &std::ffi::OsStr| ["gz", "zst"].iter().any(|end| it.eq_ignore_ascii_case(end));
        self.part.is_some() || self.path.extension().is_some_and(is_one)
    }

    fn first_bytes(&self) -> Result<Vec<u8>, ReadError> {
        let (_, mut bytes) = unwrapped(&self.name, self.raw()?, false)?;
        first_bytes(&self.name, &mut bytes)
    }

    fn raw(&self) -> Result<Box<dyn Read + Send>, ReadError> {
        let io = |source| ReadError::io(&self.name, source);
        let mut file = File::open(self.file()).map_err(io)?;
        let Some(part) = &self.part else { return Ok(Box::new(file)) };
        file.seek(SeekFrom::Start(part.at)).map_err(io)?;
        let packed = io::BufReader::new(file).take(part.bytes);
        Ok(if part.is_deflated {
            Box::new(Checked::new(DeflateDecoder::new(packed), part.crc32))
        } else {
            Box::new(Checked::new(packed, part.crc32))
        })
    }
}

pub(super) fn first_bytes(name: &Arc<str>, bytes: &mut impl Read) -> Result<Vec<u8>, ReadError> {
    let mut start = vec![0; START];
    let read =
        fill(bytes, &mut start).map_err(|source| ReadError::of_read(Place::whole(name), source))?;
    start.truncate(read);
    Ok(start)
}

/// What comes through a pipe: its first bytes, and all of it to open once.
#[derive(Debug)]
pub enum Piped {
    Bytes {
        start: Vec<u8>,
        input: ImportInput,
    },
    /// An archive, put aside in a file that is gone with this value.
    Archive {
        members: Vec<Member>,
        file: tempfile::NamedTempFile,
    },
}

/// Takes what comes through a pipe.
pub fn piped(
    name: &'static str,
    mut reader: Box<dyn Read + Send>,
    notes: &Notes,
) -> Result<Piped, ReadError> {
    let name: Arc<str> = name.into();
    let io = |source| ReadError::io(&name, source);
    let mut mark = vec![0; 4];
    let read = fill(&mut reader, &mut mark).map_err(io)?;
    mark.truncate(read);
    let is_archive = mark == ZIP;
    let mut whole = io::Cursor::new(mark).chain(reader);
    if is_archive {
        let mut file = tempfile::NamedTempFile::new().map_err(io)?;
        io::copy(&mut whole, &mut file).map_err(io)?;
        return Ok(Piped::Archive { members: members(file.path())?, file });
    }
    let (_, mut bytes) = unwrapped(&name, Box::new(whole), false)?;
    let start = first_bytes(&name, &mut bytes)?;
    let bytes = Box::new(io::Cursor::new(start.clone()).chain(bytes));
    let input = ImportInput { name, path: None, bytes, notes: notes.clone(), is_packed: false };
    Ok(Piped::Bytes { start, input })
}

/// Compares the checksum of a member when it has been read to its end.
struct Checked<R> {
    expected: u32,
    inner: flate2::CrcReader<R>,
}

impl<R: Read> Checked<R> {
    fn new(inner: R, expected: u32) -> Self {
        Self { expected, inner: flate2::CrcReader::new(inner) }
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        if read == 0 && !buffer.is_empty() && self.inner.crc().sum() != self.expected {
            let message = "the checksum of the archive does not fit its member";
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        Ok(read)
    }
}

/// How far the files of an import have been read; clones share the count.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<AtomicU64>);

impl Meter {
    /// The bytes read since the last time somebody asked.
    pub fn take(&self) -> u64 {
        self.0.swap(0, Ordering::Relaxed)
    }
}

struct Metered {
    inner: Box<dyn Read + Send>,
    meter: Meter,
}

impl Read for Metered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.meter.0.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
