//! Writing the files of one partition.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use qt_model::record::{Batch, Record};
use qt_model::time::Ts;
use tempfile::NamedTempFile;

use super::layout::Partition;
use super::lock::WriterLock;
use super::meta::{Meta, MetaFile, publish, sha256_of};
use super::scan::visible;
use crate::digest::Digest;
use crate::error::WriteError;
use crate::frame::{End, Header};
use crate::parquet_file::ParquetWriter;

/// Files that count as soon as they are there.
pub(super) const PART: &str = "part-";

/// Files that count once `meta.json` lists them: the result of a replacement.
pub(super) const WHOLE: &str = "whole-";

/// A file in the making, staged beside the place where it will stand.
#[derive(Debug)]
pub(super) struct PartWriter {
    folder: PathBuf,
    writer: ParquetWriter<NamedTempFile>,
    digest: Digest,
    span: Option<(Ts, Ts)>,
    rows: u64,
    single: Batch,
    provenance: BTreeMap<String, String>,
}

impl PartWriter {
    pub(super) fn create(
        root: &Path,
        partition: &Partition,
        header: &Header,
        row_group_records: usize,
    ) -> Result<Self, WriteError> {
        let folder = root.join(partition.folder());
        make_folder(root, &folder)?;
        let staged = tempfile::Builder::new().prefix(".staged-").tempfile_in(&folder)?;
        let writer = ParquetWriter::new(staged, partition.kind, header, row_group_records)?;
        Ok(Self {
            folder,
            writer,
            digest: Digest::default(),
            span: None,
            rows: 0,
            single: Batch::default(),
            provenance: header.provenance.clone(),
        })
    }

    pub(super) fn push(&mut self, batch: &Batch, record: Record<'_>) -> Result<(), WriteError> {
        let at = record.head().ts_recv;
        let (first, last) = self.span.unwrap_or((at, at));
        self.span = Some((first.min(at), last.max(at)));
        self.rows += 1;
        if self.single.instruments().len() < batch.instruments().len() {
            self.single.set_instruments(std::sync::Arc::clone(batch.instruments()));
        }
        // Digested in runs, since one record at a time would cost more than writing it.
        self.single.push(record);
        if self.single.len() >= 1024 {
            self.digest.update(&self.single);
            self.single.clear();
        }
        self.writer.push(batch, record)
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    pub(super) fn pending(&self) -> usize {
        self.writer.pending()
    }

    pub(super) fn flush(&mut self) -> Result<(), WriteError> {
        self.writer.flush()
    }

    /// Completes the file and gives it a free name of that prefix; returns what the note says of it.
    pub(super) fn finish(self, prefix: &str) -> Result<(MetaFile, Option<(Ts, Ts)>), WriteError> {
        let name = free_name(&self.folder, prefix, self.span.map(|(first, _)| first))?;
        self.finish_as(name)
    }

    /// Completes the file under that name.
    pub(super) fn finish_as(
        mut self,
        name: String,
    ) -> Result<(MetaFile, Option<(Ts, Ts)>), WriteError> {
        self.digest.update(&self.single);
        let (records, digest) = (self.digest.records(), self.digest.text());
        let end = End { records, digest, ..End::default() };
        let staged = self.writer.finish(&end)?;
        let sha256 = sha256_of(staged.path())?;
        publish(staged, &self.folder.join(&name))?;
        let provenance = self.provenance;
        Ok((MetaFile { name, rows: self.rows, sha256, provenance }, self.span))
    }
}

/// Makes a folder below the root. A name is durable once the folder that holds it is synced, so
/// each level that is new has its parent synced.
fn make_folder(root: &Path, folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    let levels = folder.ancestors().skip(1).take_while(|level| level.starts_with(root));
    levels.into_iter().try_for_each(|level| File::open(level)?.sync_all())
}

/// The digits of the time of day at which a file begins.
pub(super) fn time_digits(first: Option<Ts>) -> String {
    let text = first.unwrap_or_default().to_string();
    text[11..19].chars().filter(char::is_ascii_digit).collect()
}

/// `part-<time of the first record>-<number>.parquet`, the first number that is free.
fn free_name(folder: &Path, prefix: &str, first: Option<Ts>) -> io::Result<String> {
    let time = time_digits(first);
    for number in 0..u32::MAX {
        let name = format!("{prefix}{time}-{number:04}.parquet");
        if !folder.join(&name).try_exists()? {
            return Ok(name);
        }
    }
    Err(io::Error::other("no file name is free"))
}

/// Adds a file to the note of its partition.
pub(super) fn note(
    root: &Path,
    partition: &Partition,
    header: &Header,
    file: MetaFile,
    span: Option<(Ts, Ts)>,
) -> Result<(), WriteError> {
    let folder = root.join(partition.folder());
    let mut meta = Meta::read(&folder)?.unwrap_or_else(|| Meta::new(partition.kind.name()));
    meta.describe(partition, header);
    meta.rows += file.rows;
    meta.cover(span);
    meta.files.push(file);
    meta.files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(meta.write(&folder)?)
}

impl Meta {
    fn describe(&mut self, partition: &Partition, header: &Header) {
        let id =
            partition.symbol.as_ref().and_then(|symbol| header.instruments.find(symbol.as_str()));
        let instrument = id.map(|id| header.instruments.get(id));
        self.px_scale = instrument.map(|instrument| instrument.px_scale.digits());
        self.qty_scale = instrument.map(|instrument| instrument.qty_scale.digits());
    }

    fn cover(&mut self, span: Option<(Ts, Ts)>) {
        let Some((first, last)) = span else { return };
        let (first, last) = (first.to_string(), last.to_string());
        if self.first_ts_recv.is_empty() || first < self.first_ts_recv {
            self.first_ts_recv = first;
        }
        if last > self.last_ts_recv {
            self.last_ts_recv = last;
        }
    }
}

/// Puts one file in the place of all files of a partition.
///
/// The new file does not count until the note names it, and the old ones do not from then on, so
/// a crash at any point leaves the one set or the other.
#[derive(Debug)]
pub struct Replacement {
    root: PathBuf,
    partition: Partition,
    header: Header,
    part: PartWriter,
    _lock: WriterLock,
}

impl Replacement {
    pub fn begin(
        root: &Path,
        partition: &Partition,
        header: &Header,
        row_group_records: usize,
    ) -> Result<Self, WriteError> {
        let lock = WriterLock::take(root)?;
        let part = PartWriter::create(root, partition, header, row_group_records)?;
        let (root, partition, header) = (root.to_owned(), partition.clone(), header.clone());
        Ok(Self { root, partition, header, part, _lock: lock })
    }

    pub fn write(&mut self, batch: &Batch) -> Result<(), WriteError> {
        batch.iter().try_for_each(|record| self.part.push(batch, record))
    }

    /// The moment of change.
    pub fn commit(self) -> Result<Meta, WriteError> {
        replace(&self.root, &self.partition, &self.header, self.part)
    }
}

/// Completes a file and puts it in the place of all that the partition holds.
pub(super) fn replace(
    root: &Path,
    partition: &Partition,
    header: &Header,
    part: PartWriter,
) -> Result<Meta, WriteError> {
    let folder = root.join(partition.folder());
    let old = visible(&folder)?;
    let known = Meta::read(&folder)?;
    let mut meta = Meta::new(partition.kind.name());
    meta.describe(partition, header);
    for path in &old {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let listed =
            known.as_ref().and_then(|meta| meta.files.iter().find(|file| file.name == name));
        meta.sources.push(match listed {
            Some(file) => file.clone(),
            None => {
                let (sha256, provenance) = (sha256_of(path)?, BTreeMap::new());
                MetaFile { name, rows: 0, sha256, provenance }
            }
        });
    }
    meta.grade = known.and_then(|known| known.grade);
    let (file, span) = part.finish(WHOLE)?;
    meta.rows = file.rows;
    meta.cover(span);
    meta.files.push(file);
    meta.write(&folder)?;
    for path in old {
        fs::remove_file(path)?;
    }
    Ok(meta)
}
