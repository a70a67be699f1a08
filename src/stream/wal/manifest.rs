//! What was loaded: a line each, appended and synced. The line is the moment from which a file
//! counts as loaded.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};

use qt_model::time::{DAY_NANOS, Ts};
use serde::{Deserialize, Serialize};

use super::folder::Folder;

/// Files that went into the catalog together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loaded {
    /// When, in nanoseconds.
    pub at_ns: i64,
    pub table: String,
    /// The name of the parts in the catalog.
    pub batch: String,
    pub rows: u64,
    pub dead_letters: u64,
    pub files: Vec<LoadedFile>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadedFile {
    pub name: String,
    pub sha256: String,
}

/// How long a hash is remembered.
pub(super) const REMEMBERED_DAYS: i64 = 30;

/// The manifest with what a loader asks of it.
#[derive(Debug)]
pub struct Manifest {
    file: File,
    hashes: BTreeSet<String>,
    batches: BTreeSet<String>,
}

impl Manifest {
    /// The lines that can be read. The last one may be cut, by a crash while it was written: what
    /// it tells did not happen, and the loader does it again.
    pub fn lines(folder: &Folder) -> io::Result<Vec<Loaded>> {
        let text = match fs::read(folder.manifest()) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        Ok(text
            .split(|byte| *byte == b'\n')
            .filter_map(|l| serde_json::from_slice(l).ok())
            .collect())
    }

    /// Opens it for appending, and drops lines that are too old to matter.
    pub(super) fn open(folder: &Folder, now: Ts) -> io::Result<Self> {
        let oldest = now.nanos().saturating_sub(REMEMBERED_DAYS * DAY_NANOS);
        let all = Self::lines(folder)?;
        let kept: Vec<&Loaded> = all.iter().filter(|line| line.at_ns >= oldest).collect();
        let hashes = kept.iter().flat_map(|line| &line.files).map(|file| file.sha256.clone());
        let (hashes, batches) =
            (hashes.collect(), kept.iter().map(|line| line.batch.clone()).collect());
        let mut text = String::new();
        for line in &kept {
            text.push_str(&serde_json::to_string(line)?);
            text.push('\n');
        }
        // Written anew each time, which also takes away a cut line that the next would join.
        let path = folder.manifest();
        let parent = path.parent().expect("the manifest lies in the folder of the log");
        super::folder::publish(parent, "manifest.jsonl", text.as_bytes())?;
        let file = File::options().append(true).open(&path)?;
        Ok(Self { file, hashes, batches })
    }

    pub(super) fn knows_hash(&self, sha256: &str) -> bool {
        self.hashes.contains(sha256)
    }

    pub(super) fn knows_batch(&self, batch: &str) -> bool {
        self.batches.contains(batch)
    }

    pub(super) fn append(&mut self, line: &Loaded) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.file.write_all(&text)?;
        self.file.sync_data()?;
        self.hashes.extend(line.files.iter().map(|file| file.sha256.clone()));
        self.batches.insert(line.batch.clone());
        Ok(())
    }
}
