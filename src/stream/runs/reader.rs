//! Reading a run back.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use qt_model::instrument::Instruments;
use qt_model::record::{Batch, Kind, Record, Source, Table};
use qt_model::words::RunStatus;

use super::error::RunError;
use super::manifest::Manifest;
use super::metrics::{self, MetricRow};
use super::writer::{LOCK, lane_folder, stream};
use crate::parquet_file::{ParquetReader, Span, describe};
use crate::read::Options;

/// A run on disk.
#[derive(Debug)]
pub struct RunReader {
    folder: PathBuf,
    manifest: Manifest,
}

impl RunReader {
    pub fn open(folder: &Path) -> Result<Self, RunError> {
        let mut manifest = Manifest::read(folder)?;
        manifest.status = status(folder, manifest.status);
        Ok(Self { folder: folder.to_owned(), manifest })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The manifest; the status of a run whose process is gone is `crashed`.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// How many lanes there are; the first is the main one.
    pub fn lanes(&self) -> &[String] {
        &self.manifest.output.lanes
    }

    pub fn metrics(&self, lane: usize) -> Result<Vec<MetricRow>, RunError> {
        metrics::read(&self.folder.join(lane_folder(self.lanes(), lane)))
    }

    /// The file of a stream, where the run has it.
    pub fn path(&self, lane: usize, kind: Kind) -> Option<PathBuf> {
        let name = stream(kind)?;
        let folder = self.folder.join(lane_folder(self.lanes(), lane));
        let path = folder.join(format!("{name}.parquet"));
        path.is_file().then_some(path)
    }

    /// Streams the records of a kind through `each`, batch by batch. A stream that the run does not
    /// have is empty.
    pub fn each(
        &self,
        lane: usize,
        kind: Kind,
        mut each: impl FnMut(&Batch, Record<'_>),
    ) -> Result<(), RunError> {
        let Some((mut reader, table)) = self.source(lane, kind)? else { return Ok(()) };
        let mut batch = Batch::new(table);
        while reader.next(&mut batch)? {
            batch.iter().for_each(|record| each(&batch, record));
        }
        Ok(())
    }

    /// The stream of a kind as a source of batches, with its instruments.
    pub fn source(
        &self,
        lane: usize,
        kind: Kind,
    ) -> Result<Option<(ParquetReader, Arc<Instruments>)>, RunError> {
        let Some(path) = self.path(lane, kind) else { return Ok(None) };
        let options = Options::default();
        describe(&path, &options)?;
        let table = options.universe.snapshot();
        Ok(Some((ParquetReader::new(&path, Span::ALL, options), table)))
    }

    /// All rows of a kind: for streams that are known to be short, or for tests.
    pub fn rows<T: Table>(&self, lane: usize) -> Result<Vec<T>, RunError> {
        let mut rows = Vec::new();
        let Some((mut reader, table)) = self.source(lane, T::KIND)? else { return Ok(rows) };
        let mut batch = Batch::new(table);
        while reader.next(&mut batch)? {
            rows.extend_from_slice(batch.rows::<T>());
        }
        Ok(rows)
    }
}

/// What a manifest's status means now: `running` is true only while somebody holds the lock.
pub(super) fn status(folder: &Path, written: RunStatus) -> RunStatus {
    if written != RunStatus::Running {
        return written;
    }
    match File::open(folder.join(LOCK)).map(|file| file.try_lock()) {
        Ok(Err(TryLockError::WouldBlock)) => RunStatus::Running,
        Ok(Ok(()) | Err(TryLockError::Error(_))) | Err(_) => RunStatus::Crashed,
    }
}
