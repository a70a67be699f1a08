//! The one thread that writes: parts of the catalog, files of the log, and the log into the catalog.
//!
//! Direct rows are kept until their part stands, so that a failed insert can be tried again, and in
//! the end written to the log. A batch keeps its name from try to try: partitions that took it
//! before the failure do not take it twice. Inserting and loading, which may take their time, are
//! errands: one at a time, on a thread of its own, while the log is written here.

mod finish;

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use qt_model::record::{Batch, Kind};
use qt_model::time::Ts;
use qt_stream::wal::{Disk, Folder, Insert, LoadError, Loaded, Loader, Tier, WalWriter, Written};

use super::counters::Counters;
use super::errand::{Done, Errand, Sealed};
use super::inbox::{Inbox, Job, Next, Portion};
use super::pipeline::Clock;
use super::probe::Probe;
use super::retry::Retry;

#[derive(Clone, Copy, Debug)]
pub struct WriterOptions {
    /// When direct rows become parts: that many over all tables, or that old.
    pub part_rows: usize,
    pub part_age_ns: i64,
    /// How often the log is looked at.
    pub poll_ns: i64,
    /// How often an insert is tried before its rows go to the log.
    pub tries: u32,
    /// How long shutting down may take before what is left goes to the log.
    pub finish: Duration,
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self {
            part_rows: 131_072,
            part_age_ns: 30_000_000_000,
            poll_ns: 1_000_000_000,
            tries: 5,
            finish: Duration::from_secs(30),
        }
    }
}

/// Where rows are safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Catalog,
    Log,
    /// A database.
    Store,
    /// The log in front of the database.
    StoreLog,
}

impl Place {
    /// The log in front of a place.
    pub(super) fn log(self) -> Self {
        match self {
            Self::Catalog | Self::Log => Self::Log,
            Self::Store | Self::StoreLog => Self::StoreLog,
        }
    }
}

/// Rows of a table that are safe: `first` and so many behind it, as they came in this session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    pub table: Kind,
    pub first: u64,
    pub count: u64,
    pub place: Place,
}

pub(super) type Acks = Box<dyn FnMut(Acknowledged) + Send>;

pub(super) struct Writer {
    pub(super) store: Arc<dyn Insert + Send + Sync>,
    /// What the store is.
    pub(super) place: Place,
    /// Whether the store answers, where that is asked.
    pub(super) probe: Option<Arc<Probe>>,
    pub(super) folder: Folder,
    pub(super) wal: WalWriter,
    pub(super) loader: Arc<Loader>,
    pub(super) disk: Disk,
    pub(super) counters: Arc<Counters>,
    pub(super) acks: Acks,
    pub(super) options: WriterOptions,
    /// What the names of direct batches begin with: no other session has it.
    pub(super) session: String,
    pub(super) state: State,
}

/// What is on its way.
#[derive(Debug)]
pub(super) struct State {
    gathering: BTreeMap<Kind, Vec<Portion>>,
    gathered_rows: usize,
    since: Option<Ts>,
    sealed: VecDeque<Arc<Sealed>>,
    errand: Option<Errand>,
    /// Whether the last errand was an insert: loading gets its turn.
    has_inserted: bool,
    was_reachable: bool,
    number: u64,
    retry: Retry,
    try_at: Ts,
    /// Rows that the log gathers, by table.
    in_log: BTreeMap<Kind, Vec<(u64, u64)>>,
    load_retry: Retry,
    load_at: Ts,
}

impl State {
    pub(super) fn new(seed: u64) -> Self {
        let load_retry = Retry::new(Duration::from_secs(5), Duration::from_secs(300), 50, seed);
        Self {
            gathering: BTreeMap::new(),
            gathered_rows: 0,
            since: None,
            sealed: VecDeque::new(),
            errand: None,
            has_inserted: false,
            was_reachable: true,
            number: 0,
            retry: Retry::of_store(seed),
            try_at: Ts::MIN,
            in_log: BTreeMap::new(),
            load_retry,
            load_at: Ts::MIN,
        }
    }
}

impl Writer {
    /// Works until the inbox is closed and empty.
    pub(super) fn run(mut self, inbox: &Arc<Inbox>, clock: &Clock) -> io::Result<()> {
        loop {
            let takes_direct = self.unacknowledged() < 2 * self.options.part_rows;
            let next = inbox.take(Duration::from_millis(50), takes_direct);
            let is_closed = matches!(next, Next::Closed);
            let now = clock();
            if let Next::Job(job) = next {
                self.accept(*job, now)?;
            }
            if is_closed {
                return self.finish(clock, inbox);
            }
            self.tick(now, inbox)?;
        }
    }

    fn unacknowledged(&self) -> usize {
        let sealed: usize = self.state.sealed.iter().map(|sealed| sealed.batch.len()).sum();
        self.state.gathered_rows + sealed + self.state.errand.as_ref().map_or(0, Errand::rows)
    }

    pub(super) fn accept(&mut self, job: Job, now: Ts) -> io::Result<()> {
        match job {
            Job::Direct(portion) => {
                self.state.since.get_or_insert(now);
                self.state.gathered_rows += portion.batch.len();
                self.state.gathering.entry(portion.kind).or_default().push(portion);
                Ok(())
            }
            Job::Wal(portion) => {
                let Portion { kind, first, batch } = portion;
                let range = (first, batch.len() as u64);
                self.state.in_log.entry(kind).or_default().push(range);
                self.log(now, |wal| wal.gather(kind, &batch, now).map(Vec::from_iter))
            }
        }
    }

    /// What is due at that time.
    pub(super) fn tick(&mut self, now: Ts, inbox: &Arc<Inbox>) -> io::Result<()> {
        self.log(now, |wal| wal.flush_due(now))?;
        let is_old = |since: Ts| now.since(since) >= self.options.part_age_ns;
        if self.state.gathered_rows >= self.options.part_rows
            || self.state.since.is_some_and(is_old)
        {
            self.seal();
        }
        if let Some(errand) = self.state.errand.take_if(|errand| errand.is_over()) {
            self.conclude(errand.done(), now)?;
        }
        self.look_at_store();
        self.begin(now, inbox);
        self.look_at_disk(now, false)?;
        Counters::set(&self.counters.unacknowledged_rows, self.unacknowledged() as u64);
        Ok(())
    }

    /// Writes to the log, and notes how long that took and what is safe now.
    fn log(
        &mut self,
        now: Ts,
        write: impl FnOnce(&mut WalWriter) -> io::Result<Vec<Written>>,
    ) -> io::Result<()> {
        let started = Instant::now();
        let written = write(&mut self.wal);
        if written.as_ref().is_ok_and(|files| !files.is_empty()) {
            Counters::peak(&self.counters.log_ns_max, nanos(started.elapsed()));
        }
        self.note_written(written, now)
    }

    /// A log that cannot be written is what the disk policy is for; its rows stay in memory.
    fn note_written(&mut self, written: io::Result<Vec<Written>>, now: Ts) -> io::Result<()> {
        match written {
            Ok(written) => {
                for file in written {
                    Counters::add(&self.counters.wal_files, 1);
                    let kind = file.name.table;
                    for range in self.state.in_log.remove(&kind).unwrap_or_default() {
                        self.acknowledge(kind, range, self.place.log());
                    }
                }
                Ok(())
            }
            Err(error) => {
                tracing::error!("writing the log: {error}");
                self.look_at_disk(now, true)
            }
        }
    }

    fn acknowledge(&mut self, table: Kind, (first, count): (u64, u64), place: Place) {
        Counters::add(&self.counters.acknowledged, count);
        (self.acks)(Acknowledged { table, first, count, place });
    }

    /// Closes what was gathered: these rows become parts together.
    fn seal(&mut self) {
        for (kind, portions) in std::mem::take(&mut self.state.gathering) {
            let ranges = portions.iter().map(|it| (it.first, it.batch.len() as u64)).collect();
            let mut batch = Batch::default();
            for portion in portions {
                if batch.instruments().len() < portion.batch.instruments().len() {
                    batch.set_instruments(Arc::clone(portion.batch.instruments()));
                }
                batch.push_range(&portion.batch, 0, portion.batch.len());
            }
            let name = format!("{}-{}", self.session, self.state.number);
            self.state.number += 1;
            self.state.sealed.push_back(Arc::new(Sealed { kind, name, batch, ranges }));
        }
        (self.state.gathered_rows, self.state.since) = (0, None);
    }

    /// Sends for what is due, if nothing is on its way.
    fn begin(&mut self, now: Ts, inbox: &Arc<Inbox>) {
        if self.state.errand.is_some() {
            return;
        }
        let may_insert = now >= self.state.try_at && !self.state.sealed.is_empty();
        let may_load = now >= self.state.load_at;
        if may_load && (self.state.has_inserted || !may_insert) {
            let (store, loader) = (Arc::clone(&self.store), Arc::clone(&self.loader));
            self.state.has_inserted = false;
            self.state.errand = Some(Errand::load(loader, store, now, inbox));
        } else if may_insert && let Some(sealed) = self.state.sealed.pop_front() {
            self.state.has_inserted = true;
            self.state.errand = Some(Errand::insert(sealed, Arc::clone(&self.store), inbox));
        }
    }

    fn conclude(&mut self, done: Done, now: Ts) -> io::Result<()> {
        match done {
            Done::Inserted { sealed, files, took } => {
                Counters::add(&self.counters.parts, files);
                Counters::peak(&self.counters.insert_ns_max, nanos(took));
                if took > SLOW {
                    let (rows, table) = (sealed.batch.len(), sealed.kind.name());
                    tracing::warn!("adding {rows} {table} records took {} s", took.as_secs());
                }
                self.state.retry.succeeded();
                for range in sealed.ranges.iter().copied() {
                    self.acknowledge(sealed.kind, range, self.place);
                }
                Ok(())
            }
            Done::Failed { sealed, error } => {
                Counters::add(&self.counters.insert_failures, 1);
                tracing::warn!("adding {} records: {error}", sealed.kind.name());
                let wait = self.state.retry.failed();
                if self.state.retry.tries() >= self.options.tries {
                    // Once it is known to be down, others are not kept waiting either.
                    return self.spill(sealed, now);
                }
                Counters::add(&self.counters.retries, 1);
                self.state.sealed.push_front(sealed);
                let wait = i64::try_from(wait.as_nanos()).unwrap_or(i64::MAX);
                self.state.try_at = now.checked_add_nanos(wait).unwrap_or(Ts::MAX);
                Ok(())
            }
            Done::Loaded(loaded) => {
                self.note_loaded(loaded, now);
                Ok(())
            }
        }
    }

    /// A store that is back is not kept waiting.
    fn look_at_store(&mut self) {
        let Some(probe) = &self.probe else { return };
        let is_reachable = probe.is_reachable();
        if is_reachable && !self.state.was_reachable {
            (self.state.try_at, self.state.load_at) = (Ts::MIN, Ts::MIN);
        }
        self.state.was_reachable = is_reachable;
    }

    /// Writes the rows that the store did not take to the log.
    fn spill(&mut self, sealed: Arc<Sealed>, now: Ts) -> io::Result<()> {
        // A store that cannot even be looked at has taken nothing that we know of; the loader will
        // not know either, so nothing is written until it answers.
        let written = match self.store.missing(&sealed.batch, &sealed.name) {
            Ok(missing) if missing.is_empty() => Ok(None),
            Ok(missing) => self.wal.write(sealed.kind, &missing, now).map(Some),
            Err(error) => Err(io::Error::other(error.to_string())),
        };
        match written {
            Ok(file) => {
                Counters::add(&self.counters.spilled, file.map_or(0, |file| file.rows));
                for range in sealed.ranges.iter().copied() {
                    self.acknowledge(sealed.kind, range, self.place.log());
                }
                Ok(())
            }
            Err(error) => {
                tracing::error!("writing {} records to the log: {error}", sealed.kind.name());
                self.state.sealed.push_front(sealed);
                self.state.try_at = now.checked_add_nanos(1_000_000_000).unwrap_or(Ts::MAX);
                self.look_at_disk(now, true)
            }
        }
    }

    fn note_loaded(&mut self, loaded: Result<Loaded, LoadError>, now: Ts) {
        Counters::add(&self.counters.load_rounds, 1);
        let wait = match loaded {
            Ok(loaded) => {
                self.state.load_retry.succeeded();
                Counters::add(&self.counters.parts, loaded.parts);
                Counters::add(&self.counters.loaded, loaded.rows);
                Counters::add(&self.counters.repeats, loaded.repeats);
                for (file, reason) in &loaded.corrupt {
                    tracing::warn!("{file} makes no sense and was put aside: {reason}");
                }
                self.options.poll_ns
            }
            Err(error) => {
                Counters::add(&self.counters.insert_failures, 1);
                tracing::warn!("{error}");
                i64::try_from(self.state.load_retry.failed().as_nanos()).unwrap_or(i64::MAX)
            }
        };
        self.state.load_at = now.checked_add_nanos(wait).unwrap_or(Ts::MAX);
    }

    /// Looks whether there is room. `failed` tells that a write just said that there is none.
    fn look_at_disk(&mut self, now: Ts, failed: bool) -> io::Result<()> {
        let folder = &self.folder;
        let size = || folder.stat(Tier::Pending).map_or(0, |stat| stat.bytes);
        let state = self.disk.check(now, size)?;
        Counters::set(&self.counters.disk_free_bytes, state.free_bytes);
        Counters::set(&self.counters.wal_bytes, state.wal_bytes);
        let is_full = state.is_full || failed;
        Counters::set(&self.counters.disk_full, u64::from(is_full));
        if is_full && self.disk.policy == qt_stream::wal::DiskPolicy::Halt {
            let (free, log) = (state.free_bytes, state.wal_bytes);
            let message = format!("no room: {free} bytes free on the disk, {log} in the log");
            return Err(io::Error::new(io::ErrorKind::StorageFull, message));
        }
        Ok(())
    }
}

fn nanos(took: Duration) -> u64 {
    u64::try_from(took.as_nanos()).unwrap_or(u64::MAX)
}

/// An insert that takes longer is worth a word.
const SLOW: Duration = Duration::from_secs(5);
