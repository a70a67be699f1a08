//! The log into the catalog, each file once.
//!
//! For each table: take the oldest files, write a claim that names them, add their records to the
//! catalog under the name that follows from their hashes, write a line to the manifest, move the
//! files to the archive, remove the claim. Killed before the claim, nothing has happened. Killed
//! behind it, the claim is found at the next start and the same is done again: parts that stand are
//! left as they are, a line in the manifest says that all parts stand, and files that have moved are
//! not moved again. A file whose hash the manifest knows was written twice, and is archived unread.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use qt_model::record::{Batch, Kind};
use qt_model::time::Ts;

use super::claim::Claim;
use super::dead::DeadLetters;
use super::folder::{Folder, Tier};
use super::manifest::{self, LoadedFile, Manifest};
use super::name::WalName;
use super::read::{ReadFailure, WalFile, declare, read};
use crate::catalog::Appender;
use crate::crash;
use crate::error::WriteError;
use crate::universe::Universe;

/// Where records go.
pub trait Insert: Sync {
    /// Adds a batch under a name that follows from its content; a batch that was added before is
    /// left out. Returns how many files that made.
    fn insert(&self, batch: &Batch, name: &str) -> Result<u64, WriteError>;

    /// The records of a batch that are not there yet, after inserts of it failed half way.
    fn missing(&self, batch: &Batch, name: &str) -> Result<Batch, WriteError>;
}

impl Insert for Appender {
    fn insert(&self, batch: &Batch, name: &str) -> Result<u64, WriteError> {
        self.append(batch, name)
    }

    fn missing(&self, batch: &Batch, name: &str) -> Result<Batch, WriteError> {
        Self::missing(self, batch, name)
    }
}

#[derive(Clone, Copy, Debug)]
pub struct LoadOptions {
    /// Files of a table wait so long for others to share a part with.
    pub linger_ns: i64,
    pub files_max: usize,
    pub rows_max: usize,
    /// Tables that are loaded at one time.
    pub tables_max: usize,
    /// How often an insert is tried, and the first wait between tries; each next is twice as long.
    pub tries: u32,
    pub wait: Duration,
    pub wait_max: Duration,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            linger_ns: 10_000_000_000,
            files_max: 256,
            rows_max: 50_000,
            tables_max: 4,
            tries: 3,
            wait: Duration::from_millis(500),
            wait_max: Duration::from_secs(5),
        }
    }
}

/// What a round did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    pub files: u64,
    pub rows: u64,
    pub parts: u64,
    pub dead_letters: u64,
    /// Files that the manifest knew already.
    pub repeats: u64,
    /// Files that make no sense, with the reason.
    pub corrupt: Vec<(String, String)>,
}

impl Loaded {
    /// Counts what another round did as well.
    pub fn add(&mut self, other: Self) {
        self.files += other.files;
        self.rows += other.rows;
        self.parts += other.parts;
        self.dead_letters += other.dead_letters;
        self.repeats += other.repeats;
        self.corrupt.extend(other.corrupt);
    }
}

#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("the store does not take {table}: {source}")]
    Store { table: &'static str, source: WriteError },
    #[error("reading the log: {0}")]
    Io(#[from] io::Error),
    #[error("{file}: claimed by a loader and gone")]
    Missing { file: String },
}

/// Loads files. One per log: the lock of the catalog sees to that.
#[derive(Debug)]
pub struct Loader {
    folder: Folder,
    options: LoadOptions,
    manifest: Mutex<Manifest>,
    dead: DeadLetters,
}

impl Loader {
    pub fn open(folder: &Folder, options: LoadOptions, now: Ts) -> io::Result<Self> {
        folder.prepare()?;
        let manifest = Mutex::new(Manifest::open(folder, now)?);
        Ok(Self { folder: folder.clone(), options, manifest, dead: DeadLetters::of(folder) })
    }

    /// Finishes what a crash interrupted, then loads what is due; all there is if `drain`.
    pub fn round(&self, store: &dyn Insert, now: Ts, drain: bool) -> Result<Loaded, LoadError> {
        let mut all = Loaded::default();
        for claim in Claim::left(&self.folder)? {
            all.add(self.finish(&claim, None, store, now)?);
        }
        loop {
            let due = self.due(now, drain)?;
            let is_last = due.is_empty();
            let mut failed = None;
            for tables in due.chunks(self.options.tables_max.max(1)) {
                for done in self.side_by_side(tables, store, now) {
                    match done {
                        Ok(loaded) => all.add(loaded),
                        Err(error) => failed = failed.or(Some(error)),
                    }
                }
            }
            if let Some(error) = failed {
                return Err(error);
            }
            if is_last || !drain {
                return Ok(all);
            }
        }
    }

    /// Different tables at one time: they share no partition.
    fn side_by_side(
        &self,
        tables: &[(Kind, Vec<WalName>)],
        store: &dyn Insert,
        now: Ts,
    ) -> Vec<Result<Loaded, LoadError>> {
        if let [(table, names)] = tables {
            return vec![self.table(*table, names, store, now)];
        }
        thread::scope(|scope| {
            let running: Vec<_> = tables
                .iter()
                .map(|(table, names)| scope.spawn(move || self.table(*table, names, store, now)))
                .collect();
            running.into_iter().map(|it| it.join().expect("a loader does not panic")).collect()
        })
    }

    /// The oldest files of each table that has waited long enough.
    fn due(&self, now: Ts, drain: bool) -> io::Result<Vec<(Kind, Vec<WalName>)>> {
        let mut tables: BTreeMap<Kind, Vec<WalName>> = BTreeMap::new();
        for name in self.folder.files(Tier::Pending)? {
            tables.entry(name.table).or_default().push(name);
        }
        let is_due = |names: &[WalName]| {
            let waited = names.first().is_some_and(|n| now.since(n.ts) >= self.options.linger_ns);
            drain || waited || names.len() >= self.options.files_max
        };
        let mut due: Vec<_> = tables.into_iter().filter(|(_, names)| is_due(names)).collect();
        due.iter_mut().for_each(|(_, names)| names.truncate(self.options.files_max));
        Ok(due)
    }

    fn table(
        &self,
        table: Kind,
        names: &[WalName],
        store: &dyn Insert,
        now: Ts,
    ) -> Result<Loaded, LoadError> {
        let mut loaded = Loaded::default();
        let mut taken: Vec<(WalName, WalFile)> = Vec::new();
        let (universe, names) = self.declare_all(names, &mut loaded)?;
        let mut rows = 0;
        for name in names {
            let path = self.folder.file(Tier::Pending, &name);
            match read(&path, &universe) {
                Ok(file) if file.table != table => {
                    let reason =
                        format!("it holds `{}`, its name says otherwise", file.table.name());
                    self.corrupt(&name, reason, &mut loaded)?;
                }
                Ok(file) if self.manifest().knows_hash(&file.hash) => {
                    self.folder.shift(&name, Tier::Pending, Tier::Archive)?;
                    loaded.repeats += 1;
                }
                Ok(file) if taken.iter().any(|(_, known)| known.hash == file.hash) => {
                    self.folder.shift(&name, Tier::Pending, Tier::Archive)?;
                    loaded.repeats += 1;
                }
                Ok(file) => {
                    rows += file.len();
                    taken.push((name, file));
                    if rows >= self.options.rows_max {
                        break;
                    }
                }
                Err(ReadFailure::Corrupt(reason)) => self.corrupt(&name, reason, &mut loaded)?,
                Err(ReadFailure::Io(source)) => return Err(source.into()),
            }
        }
        if taken.is_empty() {
            return Ok(loaded);
        }
        let listed = taken
            .iter()
            .map(|(name, file)| LoadedFile { name: name.to_string(), sha256: file.hash.clone() });
        let claim = Claim::new(table.name(), listed.collect());
        claim.write(&self.folder)?;
        crash::point("wal.claim");
        loaded.add(self.finish(&claim, Some((universe, taken)), store, now)?);
        Ok(loaded)
    }

    /// Declares the instruments of all files, and leaves out those that have no sound first line.
    fn declare_all(
        &self,
        names: &[WalName],
        loaded: &mut Loaded,
    ) -> Result<(Universe, Vec<WalName>), LoadError> {
        let universe = Universe::default();
        let mut sound = Vec::new();
        for name in names {
            match declare(&self.folder.file(Tier::Pending, name), &universe) {
                Ok(()) => sound.push(*name),
                Err(ReadFailure::Corrupt(reason)) => self.corrupt(name, reason, loaded)?,
                Err(ReadFailure::Io(source)) => return Err(source.into()),
            }
        }
        Ok((universe, sound))
    }

    fn corrupt(&self, name: &WalName, reason: String, loaded: &mut Loaded) -> io::Result<()> {
        self.folder.shift(name, Tier::Pending, Tier::Corrupt)?;
        loaded.corrupt.push((name.to_string(), reason));
        Ok(())
    }

    /// All steps behind the claim. Each may have been done before.
    fn finish(
        &self,
        claim: &Claim,
        taken: Option<(Universe, Vec<(WalName, WalFile)>)>,
        store: &dyn Insert,
        now: Ts,
    ) -> Result<Loaded, LoadError> {
        let mut loaded = Loaded::default();
        if !self.manifest().knows_batch(&claim.batch) {
            let (universe, files) = match taken {
                Some(taken) => taken,
                None => self.read_again(claim)?,
            };
            for (name, file) in &files {
                self.dead.put(name, &file.first_line, &file.bad)?;
                loaded.dead_letters += file.bad.len() as u64;
            }
            let batch = together(&universe, &files);
            if !batch.is_empty() {
                loaded.parts += self.insert(&batch, &claim.batch, store)?;
            }
            crash::point("wal.insert");
            loaded.rows = batch.len() as u64;
            self.manifest().append(&manifest::Loaded {
                at_ns: now.nanos(),
                table: claim.table.clone(),
                batch: claim.batch.clone(),
                rows: loaded.rows,
                dead_letters: loaded.dead_letters,
                files: claim.files.clone(),
            })?;
            crash::point("wal.manifest");
        }
        for name in claim.names() {
            if self.folder.file(Tier::Pending, &name).try_exists()? {
                self.folder.shift(&name, Tier::Pending, Tier::Archive)?;
                crash::point("wal.archive");
            }
            loaded.files += 1;
        }
        claim.release(&self.folder)?;
        crash::point("wal.release");
        Ok(loaded)
    }

    fn read_again(&self, claim: &Claim) -> Result<(Universe, Vec<(WalName, WalFile)>), LoadError> {
        let universe = Universe::default();
        let missing = |name: &WalName| LoadError::Missing { file: name.to_string() };
        let paths: Vec<_> =
            claim.names().map(|name| (name, self.folder.file(Tier::Pending, &name))).collect();
        for (name, path) in &paths {
            declare(path, &universe).map_err(|_| missing(name))?;
        }
        let mut files = Vec::new();
        for (name, path) in paths {
            files.push((name, read(&path, &universe).map_err(|_| missing(&name))?));
        }
        Ok((universe, files))
    }

    fn insert(&self, batch: &Batch, name: &str, store: &dyn Insert) -> Result<u64, LoadError> {
        let mut wait = self.options.wait;
        let mut tries = 1;
        loop {
            match store.insert(batch, name) {
                Ok(parts) => return Ok(parts),
                Err(source) if tries >= self.options.tries => {
                    let table = batch.only_kind().map_or("records", Kind::name);
                    return Err(LoadError::Store { table, source });
                }
                Err(_) => {
                    thread::sleep(wait);
                    wait = (wait * 2).min(self.options.wait_max);
                    tries += 1;
                }
            }
        }
    }

    fn manifest(&self) -> MutexGuard<'_, Manifest> {
        self.manifest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn together(universe: &Universe, files: &[(WalName, WalFile)]) -> Batch {
    let mut batch = Batch::new(universe.snapshot());
    for rows in files.iter().flat_map(|(_, file)| &file.rows) {
        batch.push_range(rows, 0, rows.len());
    }
    batch
}
