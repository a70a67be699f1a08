//! Writing a run while it happens.
//!
//! Streams are staged under another name and get theirs at the end, so that a file with its final
//! name is whole. Memory: one row group a stream. The lock on the folder is gone with the process.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use qt_model::record::{Batch, Kind, Metric, Slot};
use qt_model::time::Ts;
use qt_model::words::{RunStatus, Word};

use super::error::RunError;
use super::manifest::{Manifest, OutputFile};
use super::metrics;
use crate::digest::Digest;
use crate::frame::{End, Header};
use crate::parquet_file::ParquetWriter;

/// The streams of a run: a kind of record and the name of its file.
pub const STREAMS: &[(Kind, &str)] = &[
    (Kind::InputRow, "inputs"),
    (Kind::Decision, "decisions"),
    (Kind::Intent, "intents"),
    (Kind::Verdict, "verdicts"),
    (Kind::Order, "orders"),
    (Kind::Fill, "fills"),
    (Kind::FillQuality, "fill_quality"),
    (Kind::RoundTrip, "round_trips"),
    (Kind::Position, "positions"),
    (Kind::Account, "accounts"),
    (Kind::Equity, "equity"),
    (Kind::Finding, "findings"),
];

pub(super) const LOCK: &str = ".lock";

/// Rows of a row group: small, since a run writes many streams at once.
const ROW_GROUP_RECORDS: usize = 8192;

/// The name of a stream's file, without its ending.
pub(super) fn stream(kind: Kind) -> Option<&'static str> {
    STREAMS.iter().find(|(known, _)| *known == kind).map(|(_, name)| *name)
}

/// Below the folder of a run: of the main lane itself, of others a folder each.
pub(super) fn lane_folder(lanes: &[String], lane: usize) -> PathBuf {
    if lane == 0 { PathBuf::new() } else { Path::new("lanes").join(&lanes[lane]) }
}

/// Writes one run. See the module.
#[derive(Debug)]
pub struct RunWriter {
    folder: PathBuf,
    manifest: Manifest,
    streams: BTreeMap<(usize, Kind), Stream>,
    _lock: File,
}

#[derive(Debug)]
struct Stream {
    /// Below the folder of the run, as it will be called.
    path: PathBuf,
    staged: PathBuf,
    writer: ParquetWriter<File>,
    digest: Digest,
    batch: Batch,
}

impl RunWriter {
    /// Makes `root/<kind>/<date>/<run-id>/`; `date` is the day of the run's start. An existing folder
    /// is refused. `lanes` names the lanes, the main one first.
    pub fn create(root: &Path, manifest: Manifest, lanes: &[&str]) -> Result<Self, RunError> {
        let date = manifest.started.get(..10).unwrap_or("undated");
        let folder = root.join(manifest.kind.word()).join(date).join(&manifest.run_id);
        Self::create_at(&folder, manifest, lanes)
    }

    /// Makes the run in a folder that the user named.
    pub fn create_at(
        folder: &Path,
        mut manifest: Manifest,
        lanes: &[&str],
    ) -> Result<Self, RunError> {
        assert!(!lanes.is_empty(), "a run has at least its main lane");
        if let Some(parent) = folder.parent() {
            fs::create_dir_all(parent).map_err(RunError::io(parent))?;
        }
        fs::create_dir(folder).map_err(|source| match source.kind() {
            std::io::ErrorKind::AlreadyExists => RunError::Exists { path: folder.to_owned() },
            _ => RunError::Io { path: folder.to_owned(), cause: source },
        })?;
        let path = folder.join(LOCK);
        let lock = File::create(&path).map_err(RunError::io(&path))?;
        lock.lock().map_err(RunError::io(&path))?;
        manifest.output.lanes = lanes.iter().map(|lane| (*lane).to_owned()).collect();
        manifest.write(folder)?;
        Ok(Self { folder: folder.to_owned(), manifest, streams: BTreeMap::new(), _lock: lock })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What will be written at the end; the caller fills in what it learns.
    pub fn manifest_mut(&mut self) -> &mut Manifest {
        &mut self.manifest
    }

    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Takes the records of a batch into the streams of their kinds; `lane` is a place in the list
    /// of lanes. A kind that no stream of a run holds is a broken promise of the caller.
    pub fn write(&mut self, lane: usize, batch: &Batch) -> Result<(), RunError> {
        for (at, Slot { kind, .. }) in batch.slots().iter().enumerate() {
            if !self.streams.contains_key(&(lane, *kind)) {
                let stream = self.open(lane, *kind, batch)?;
                self.streams.insert((lane, *kind), stream);
            }
            let stream = self.streams.get_mut(&(lane, *kind)).expect("it was opened just now");
            stream.push(batch, at).map_err(RunError::write(&self.folder.join(&stream.path)))?;
        }
        Ok(())
    }

    fn open(&self, lane: usize, kind: Kind, batch: &Batch) -> Result<Stream, RunError> {
        let name = stream(kind).unwrap_or_else(|| panic!("a run has no stream of {}", kind.name()));
        let below = lane_folder(&self.manifest.output.lanes, lane);
        let folder = self.folder.join(&below);
        fs::create_dir_all(&folder).map_err(RunError::io(&folder))?;
        let path = below.join(format!("{name}.parquet"));
        let staged = self.folder.join(&below).join(format!(".staged-{name}.parquet"));
        let file = File::create_new(&staged).map_err(RunError::io(&self.folder.join(&path)))?;
        let header = Header::new(std::sync::Arc::clone(batch.instruments())).with_kinds([kind]);
        let writer = ParquetWriter::new(file, kind, &header, ROW_GROUP_RECORDS)
            .map_err(RunError::write(&self.folder.join(&path)))?;
        let batch = Batch::new(std::sync::Arc::clone(batch.instruments()));
        Ok(Stream { path, staged, writer, digest: Digest::default(), batch })
    }

    /// The metrics of a lane.
    pub fn metrics(&self, lane: usize, metrics: &[Metric]) -> Result<(), RunError> {
        let folder = self.folder.join(lane_folder(&self.manifest.output.lanes, lane));
        fs::create_dir_all(&folder).map_err(RunError::io(&folder))?;
        metrics::write(&folder, metrics)
    }

    /// Gives the streams their names and then the manifest its end. `ended` is the wall clock's.
    pub fn finish(mut self, status: RunStatus, ended: Ts) -> Result<Manifest, RunError> {
        let streams = std::mem::take(&mut self.streams);
        for ((lane, kind), stream) in streams {
            let file = self.close(lane, kind, stream)?;
            self.manifest.output.files.push(file);
        }
        let started: Ts = self.manifest.started.parse().unwrap_or(ended);
        let millis = ended.since(started).max(0).unsigned_abs() / 1_000_000;
        self.manifest.status = status;
        self.manifest.ended = Some(ended.to_string());
        self.manifest.duration_ms = Some(millis);
        self.manifest.content_sha256 = self.manifest.content();
        self.manifest.write(&self.folder)?;
        Ok(self.manifest)
    }

    fn close(&self, lane: usize, kind: Kind, mut stream: Stream) -> Result<OutputFile, RunError> {
        let path = self.folder.join(&stream.path);
        stream.digest.update(&stream.batch);
        let (records, digest) = (stream.digest.records(), stream.digest.text());
        let end = End { records, digest: digest.clone(), ..End::default() };
        let file = stream.writer.finish(&end).map_err(RunError::write(&path))?;
        file.sync_all().map_err(RunError::io(&path))?;
        fs::rename(&stream.staged, &path).map_err(RunError::io(&path))?;
        Ok(OutputFile {
            lane: self.manifest.output.lanes[lane].clone(),
            kind: kind.name().to_owned(),
            path: stream.path.to_string_lossy().into_owned(),
            records,
            digest,
        })
    }
}

impl Stream {
    fn push(&mut self, batch: &Batch, at: usize) -> Result<(), crate::error::WriteError> {
        if self.batch.instruments().len() < batch.instruments().len() {
            self.batch.set_instruments(std::sync::Arc::clone(batch.instruments()));
        }
        let record = batch.get(at);
        // Digested in runs, since one record at a time would cost more than writing it.
        self.batch.push(record);
        if self.batch.len() >= 1024 {
            self.digest.update(&self.batch);
            self.batch.clear();
        }
        self.writer.push(batch, record)
    }
}
