//! From records to the inbox of the writing thread.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use qt_model::record::{Batch, Head, Kind, Record};
use qt_model::time::{Date, Ts};
use qt_stream::wal::{
    Bounds as WalBounds, DeadLetters, Disk, DiskLimits, DiskPolicy, FileSystem, Folder, FreeSpace,
    Insert, LoadOptions, Loader, WalName, WalWriter,
};

use super::buffers::{Bounds, Buffers, Fate};
use super::counters::Counters;
use super::inbox::{Inbox, Job, Portion};
use super::probe::Probe;
use super::tables::{Class, Mode, table};
use super::writer::{Acknowledged, Place, State, Writer, WriterOptions};

/// The wall clock, or one of a test.
pub type Clock = Arc<dyn Fn() -> Ts + Send + Sync>;

/// How to record.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub bounds: Bounds,
    pub writer: WriterOptions,
    pub wal: WalBounds,
    pub load: LoadOptions,
    pub limits: DiskLimits,
    pub policy: DiskPolicy,
    /// The road of tables that take another than the registry says.
    pub modes: Vec<(Kind, Mode)>,
}

/// Where to record.
pub struct Store {
    pub insert: Arc<dyn Insert + Send + Sync>,
    pub space: Box<dyn FreeSpace>,
    pub place: Place,
    pub probe: Option<Arc<Probe>>,
}

impl Store {
    /// A catalog, or what stands in for one.
    pub fn new(insert: Arc<dyn Insert + Send + Sync>) -> Self {
        Self { insert, space: Box::new(FileSystem), place: Place::Catalog, probe: None }
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a store")
    }
}

/// Takes records and hands them on. See the room.
pub struct Pipeline {
    buffers: Buffers,
    inbox: Arc<Inbox>,
    thread: Option<JoinHandle<io::Result<()>>>,
    counters: Arc<Counters>,
    modes: Vec<Mode>,
    /// The number of the next row of each table.
    numbers: Vec<u64>,
    policy: DiskPolicy,
    dead: DeadLetters,
    refused: Vec<(Batch, String)>,
    refused_files: u64,
}

impl std::fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipeline").field("rows", &self.buffers.rows()).finish_non_exhaustive()
    }
}

/// Rows that may wait for the writing thread, on each road: what comes while a part is written.
const INBOX_ROWS: usize = 131_072;

/// Rows that a source which waits hands over at one time.
const WAITING_ROWS: usize = 1_000;

/// A clock may run ahead of ours by so much.
const FUTURE_NANOS: i64 = 5_000_000_000;

impl Pipeline {
    /// Finishes what an earlier session left in the log, then starts the writing thread. The
    /// caller holds the lock of the catalog at `root`.
    pub fn start(
        root: &Path,
        settings: &Settings,
        store: Store,
        clock: &Clock,
        counters: &Arc<Counters>,
        acks: impl FnMut(Acknowledged) + Send + 'static,
    ) -> io::Result<Self> {
        let folder = Folder::of(root);
        let now = clock();
        let wal = WalWriter::open(&folder, settings.wal)?;
        // The writing thread has other work than to wait: a failed insert is tried at a later round.
        let load = LoadOptions { tries: 1, ..settings.load };
        let loader = Loader::open(&folder, load, now)?;
        let disk = Disk::new(root, settings.limits, settings.policy, store.space);
        let writer = Writer {
            store: store.insert,
            place: store.place,
            probe: store.probe,
            folder: folder.clone(),
            wal,
            loader: Arc::new(loader),
            disk,
            counters: Arc::clone(counters),
            acks: Box::new(acks),
            options: settings.writer,
            session: format!("{:x}", now.nanos()),
            state: State::new(now.nanos().unsigned_abs()),
        };
        let inbox = Arc::new(Inbox::new(INBOX_ROWS, INBOX_ROWS));
        let (theirs, clock, shared) = (Arc::clone(&inbox), Arc::clone(clock), Arc::clone(counters));
        let thread = thread::Builder::new().name("writer".to_owned()).spawn(move || {
            let ended = writer.run(&theirs, &clock);
            if ended.is_err() {
                Counters::set(&shared.writer_failed, 1);
                theirs.close();
            }
            ended
        })?;
        let mut modes: Vec<Mode> = Kind::ALL.iter().map(|kind| table(*kind).mode).collect();
        settings.modes.iter().for_each(|(kind, mode)| modes[kind.index()] = *mode);
        Ok(Self {
            buffers: Buffers::new(settings.bounds),
            inbox,
            thread: Some(thread),
            counters: Arc::clone(counters),
            modes,
            numbers: vec![0; Kind::ALL.len()],
            policy: settings.policy,
            dead: DeadLetters::of(&folder),
            refused: Vec::new(),
            refused_files: 0,
        })
    }

    /// Takes records, without waiting but for protected rows that neither memory nor log can hold.
    pub fn push(&mut self, batch: &Batch, now: Ts) -> io::Result<()> {
        self.is_alive()?;
        Counters::add(&self.counters.received, batch.len() as u64);
        for record in batch.iter() {
            match plausible(record.head(), now) {
                Ok(()) => self.push_record(batch, record, now)?,
                Err(reason) => self.refuse(batch, record, reason),
            }
        }
        for kind in Kind::ALL {
            if self.buffers.is_full(*kind) {
                self.flush(*kind);
            }
        }
        Ok(())
    }

    fn push_record(&mut self, batch: &Batch, record: Record<'_>, now: Ts) -> io::Result<()> {
        let kind = record.kind();
        if self.counters.disk_full.load(Ordering::Relaxed) != 0 && self.is_given_up(kind) {
            self.counters.drop_rows(kind, 1);
            return Ok(());
        }
        loop {
            match self.buffers.push(batch, record, now) {
                Fate::Kept => return Ok(()),
                Fate::Evicted(victim) => {
                    self.counters.drop_rows(victim, 1);
                    return Ok(());
                }
                Fate::Dropped => {
                    self.counters.drop_rows(kind, 1);
                    return Ok(());
                }
                Fate::Spill => self.spill(kind)?,
            }
        }
    }

    /// Whether rows of a kind are dropped while there is no room on the disk.
    fn is_given_up(&self, kind: Kind) -> bool {
        match self.policy {
            DiskPolicy::Halt => false,
            DiskPolicy::Degrade => table(kind).class == Class::Market,
            DiskPolicy::Drop => true,
        }
    }

    fn refuse(&mut self, batch: &Batch, record: Record<'_>, reason: String) {
        Counters::add(&self.counters.refused, 1);
        let mut single = Batch::new(Arc::clone(batch.instruments()));
        single.push(record);
        self.refused.push((single, reason));
    }

    /// Hands on what is old enough.
    pub fn tick(&mut self, now: Ts) -> io::Result<()> {
        self.is_alive()?;
        let due: Vec<Kind> = self.buffers.due(now, false).collect();
        due.into_iter().for_each(|kind| {
            self.flush(kind);
        });
        Counters::set(&self.counters.buffered_rows, self.buffers.rows() as u64);
        let waited = self.buffers.oldest().map_or(0, |oldest| now.since(oldest).max(0));
        Counters::set(&self.counters.buffered_ns, waited.unsigned_abs());
        self.bury(now)
    }

    /// Writes refused records to the dead letters, a file per table.
    fn bury(&mut self, now: Ts) -> io::Result<()> {
        let refused = std::mem::take(&mut self.refused);
        for kind in Kind::ALL {
            let mut all = Batch::default();
            let mut reasons = Vec::new();
            for (single, reason) in refused.iter().filter(|it| it.0.only_kind() == Some(*kind)) {
                if all.instruments().len() < single.instruments().len() {
                    all.set_instruments(Arc::clone(single.instruments()));
                }
                all.push(single.get(0));
                reasons.push(reason.clone());
            }
            if !all.is_empty() {
                let name = WalName { ts: now, number: self.refused_files, table: *kind };
                self.dead.refuse(&name, &all, &reasons)?;
                self.refused_files += 1;
            }
        }
        Ok(())
    }

    /// Hands the rows of a table to the writing thread; `false` if it has no room.
    fn flush(&mut self, kind: Kind) -> bool {
        let since = self.buffers.since(kind);
        let batch = self.buffers.take(kind);
        let (first, count) = (self.numbers[kind.index()], batch.len() as u64);
        let portion = Portion { kind, first, batch };
        let job = match self.modes[kind.index()] {
            Mode::Direct => Job::Direct(portion),
            Mode::WalFirst => Job::Wal(portion),
        };
        match self.inbox.offer(Box::new(job)) {
            Ok(()) => {
                self.numbers[kind.index()] += count;
                true
            }
            Err(refused) => {
                let (Job::Direct(portion) | Job::Wal(portion)) = *refused;
                self.buffers.restore(kind, portion.batch, since);
                false
            }
        }
    }

    /// Hands protected rows to the log, and waits for it: they must not go.
    fn spill(&mut self, kind: Kind) -> io::Result<()> {
        let batch = self.buffers.take(kind);
        let (first, count) = (self.numbers[kind.index()], batch.len() as u64);
        let mut job = Box::new(Job::Wal(Portion { kind, first, batch }));
        while let Err(refused) = self.inbox.offer(job) {
            self.is_alive()?;
            job = refused;
            thread::sleep(Duration::from_millis(1));
        }
        self.numbers[kind.index()] += count;
        Counters::add(&self.counters.spilled, count);
        Ok(())
    }

    /// Takes records of a source that can wait, and waits for room as needed: nothing is dropped.
    pub fn push_waiting(&mut self, batch: &Batch, clock: &Clock) -> io::Result<()> {
        for from in (0..batch.len()).step_by(WAITING_ROWS) {
            let to = (from + WAITING_ROWS).min(batch.len());
            let mut piece = Batch::new(Arc::clone(batch.instruments()));
            piece.push_range(batch, from, to);
            self.wait_for_room(piece.len(), clock)?;
            self.push(&piece, clock())?;
        }
        Ok(())
    }

    /// Whether a batch of so many rows fits without anything giving way.
    pub fn has_room(&self, rows: usize) -> bool {
        self.buffers.has_room(rows)
    }

    /// Waits until a batch of so many rows fits.
    fn wait_for_room(&mut self, rows: usize, clock: &Clock) -> io::Result<()> {
        while !self.has_room(rows) {
            self.tick(clock())?;
            let due: Vec<Kind> = self.buffers.due(clock(), true).collect();
            let flushed = due.into_iter().map(|kind| self.flush(kind)).fold(false, |a, b| a | b);
            if !flushed {
                thread::sleep(Duration::from_millis(1));
            }
        }
        Ok(())
    }

    fn is_alive(&mut self) -> io::Result<()> {
        if self.thread.as_ref().is_some_and(|thread| !thread.is_finished()) {
            return Ok(());
        }
        let ended = self.thread.take().map(JoinHandle::join);
        match ended {
            Some(Ok(Err(error))) => Err(error),
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            Some(Ok(Ok(()))) | None => Err(io::Error::other("the writing thread has ended")),
        }
    }

    /// Hands everything on, and returns once it is written.
    pub fn finish(mut self, clock: &Clock) -> io::Result<()> {
        loop {
            let due: Vec<Kind> = self.buffers.due(clock(), true).collect();
            if due.is_empty() {
                break;
            }
            self.is_alive()?;
            let flushed = due.into_iter().map(|kind| self.flush(kind)).fold(false, |a, b| a | b);
            if !flushed {
                thread::sleep(Duration::from_millis(1));
            }
        }
        self.bury(clock())?;
        self.inbox.close();
        Counters::set(&self.counters.buffered_rows, 0);
        Counters::set(&self.counters.buffered_ns, 0);
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(ended)) => ended,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => Err(io::Error::other("the writing thread has ended")),
        }
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        self.inbox.close();
    }
}

/// Whether the times of a record can be right. What comes from the future would stand in the way of
/// all that follows.
pub fn plausible(head: &Head, now: Ts) -> Result<(), String> {
    let first = Date::new(2000, 1, 1).expect("a day").start();
    for (name, ts) in [("ts_event", head.ts_event), ("ts_recv", head.ts_recv)] {
        if ts.since(now) > FUTURE_NANOS {
            return Err(format!("{name} {ts} lies in the future; it is {now}"));
        }
        if ts < first {
            return Err(format!("{name} {ts} lies before 2000-01-01"));
        }
    }
    Ok(())
}
