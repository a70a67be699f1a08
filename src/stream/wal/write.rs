//! Batches to files.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use qt_model::record::{Batch, Kind};
use qt_model::time::Ts;

use super::entry;
use super::folder::{Folder, Tier, publish};
use super::name::WalName;

/// When gathered rows become a file.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub age_ns: i64,
    pub rows: usize,
    pub bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { age_ns: 1_000_000_000, rows: 5_000, bytes: 50 << 20 }
    }
}

/// A file that is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub name: WalName,
    pub rows: u64,
    pub bytes: u64,
    pub hash: String,
}

/// Writes files to the log. Times come from the caller, who has a clock.
#[derive(Debug)]
pub struct WalWriter {
    folder: Folder,
    bounds: Bounds,
    number: u64,
    gathered: BTreeMap<Kind, Gathered>,
}

#[derive(Debug)]
struct Gathered {
    since: Ts,
    batch: Batch,
}

/// What a record takes as a line, roughly: enough to keep a file near its bound.
const LINE_BYTES: usize = 220;
const LEVEL_BYTES: usize = 24;

impl WalWriter {
    /// Goes on with the numbers behind the files that are there.
    pub fn open(folder: &Folder, bounds: Bounds) -> io::Result<Self> {
        folder.prepare()?;
        let mut number = 0;
        for tier in Tier::ALL {
            number =
                folder.files(tier)?.iter().fold(number, |next, name| next.max(name.number + 1));
        }
        Ok(Self { folder: folder.clone(), bounds, number, gathered: BTreeMap::new() })
    }

    /// Writes records of one kind as a file of their own.
    pub fn write(&mut self, kind: Kind, batch: &Batch, now: Ts) -> io::Result<Written> {
        debug_assert!(batch.iter().all(|record| record.kind() == kind), "one table a file");
        let (text, hash) = entry::encode(kind, batch);
        let name = WalName { ts: now, number: self.number, table: kind };
        publish(&self.folder.path(Tier::Pending), &name.to_string(), &text)?;
        self.number += 1;
        Ok(Written { name, rows: batch.len() as u64, bytes: text.len() as u64, hash })
    }

    /// Gathers records of one kind, and writes a file once there are enough. What is not returned
    /// is in memory only.
    pub fn gather(&mut self, kind: Kind, batch: &Batch, now: Ts) -> io::Result<Option<Written>> {
        let gathered = self.gathered.entry(kind).or_insert_with(|| Gathered {
            since: now,
            batch: Batch::new(Arc::clone(batch.instruments())),
        });
        if gathered.batch.is_empty() {
            gathered.since = now;
        }
        if gathered.batch.instruments().len() < batch.instruments().len() {
            gathered.batch.set_instruments(Arc::clone(batch.instruments()));
        }
        gathered.batch.push_range(batch, 0, batch.len());
        if gathered.batch.len() >= self.bounds.rows || gathered.bytes() >= self.bounds.bytes {
            return self.flush(kind, now);
        }
        Ok(None)
    }

    /// Writes what has waited long enough.
    pub fn flush_due(&mut self, now: Ts) -> io::Result<Vec<Written>> {
        let due = |gathered: &Gathered| now.since(gathered.since) >= self.bounds.age_ns;
        let kinds: Vec<Kind> =
            self.gathered.iter().filter(|(_, it)| due(it)).map(|(kind, _)| *kind).collect();
        self.flush_these(kinds, now)
    }

    /// Writes all that was gathered.
    pub fn flush_all(&mut self, now: Ts) -> io::Result<Vec<Written>> {
        let kinds = self.gathered.keys().copied().collect();
        self.flush_these(kinds, now)
    }

    fn flush_these(&mut self, kinds: Vec<Kind>, now: Ts) -> io::Result<Vec<Written>> {
        let mut all = Vec::new();
        for kind in kinds {
            all.extend(self.flush(kind, now)?);
        }
        Ok(all)
    }

    fn flush(&mut self, kind: Kind, now: Ts) -> io::Result<Option<Written>> {
        let Some(mut gathered) = self.gathered.remove(&kind) else { return Ok(None) };
        if gathered.batch.is_empty() {
            self.gathered.insert(kind, gathered);
            return Ok(None);
        }
        let written = self.write(kind, &gathered.batch, now);
        // A file that could not be written keeps its rows, for the next try.
        if written.is_ok() {
            gathered.batch.clear();
        }
        self.gathered.insert(kind, gathered);
        written.map(Some)
    }

    /// Rows in memory that no file has yet.
    pub fn gathered_rows(&self) -> usize {
        self.gathered.values().map(|gathered| gathered.batch.len()).sum()
    }
}

impl Gathered {
    fn bytes(&self) -> usize {
        LINE_BYTES * self.batch.len() + LEVEL_BYTES * self.batch.all_levels().len()
    }
}
