//! The pipeline with stores that fail, disks that fill and a clock of its own.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use qt_model::ids::FillId;
use qt_model::instrument::{Instrument, Instruments, Symbol};
use qt_model::record::{Batch, Fill, Head, Health, Kind, Source, Trade};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::{HealthState, Side};
use qt_stream::catalog::{Appender, Catalog, CatalogWriter, Selection};
use qt_stream::error::WriteError;
use qt_stream::parquet_file::{ParquetReader, Span};
use qt_stream::read::Options;
use qt_stream::wal::{DeadLetters, DiskPolicy, Folder, FreeSpace, Insert, Tier};

use super::buffers::Buffers;
use super::*;

const START: i64 = 1_723_075_200_000_000_000;

fn table() -> Arc<Instruments> {
    let mut table = Instruments::default();
    let symbol = Symbol::new("a:X").unwrap();
    let scale = Scale::new(2).unwrap();
    table.declare(Instrument::new(symbol, scale, scale)).unwrap();
    Arc::new(table)
}

fn head(seq: u64) -> Head {
    let ts = Ts::from_nanos(START + seq.cast_signed());
    Head::new(ts, ts, seq, table().find("a:X"))
}

fn trades(seqs: std::ops::Range<u64>) -> Batch {
    let mut batch = Batch::new(table());
    for seq in seqs {
        let (px, qty) = (Px::new(1), Qty::new(1).unwrap());
        batch.push_row(Trade { head: head(seq), px, qty, side: None, id: None }, &[]);
    }
    batch
}

fn fills(seqs: std::ops::Range<u64>) -> Batch {
    let mut batch = Batch::new(table());
    for seq in seqs {
        let row = Fill {
            head: head(seq),
            fill_id: FillId::from(format!("f{seq}").as_str()),
            order_id: None,
            client_order_id: None,
            venue_order_id: None,
            account: None,
            strategy: None,
            side: Side::Buy,
            px: Px::new(1),
            qty: Qty::new(1).unwrap(),
            fee: None,
            fee_currency: None,
            liquidity: None,
            trace_id: None,
        };
        batch.push_row(row, &[]);
    }
    batch
}

fn healths(seqs: std::ops::Range<u64>) -> Batch {
    let mut batch = Batch::new(table());
    for seq in seqs {
        let mut head = head(seq);
        head.instrument = None;
        let (part, state) = ("stage".to_owned(), HealthState::Ready);
        batch.push_row(Health { head, part, state, name: None, value: None, message: None }, &[]);
    }
    batch
}

/// Pushes all, and counts what became of them.
fn fates(buffers: &mut Buffers, batch: &Batch) -> (usize, Vec<Fate>) {
    let all = batch.iter().map(|record| buffers.push(batch, record, Ts::from_nanos(START)));
    let (kept, other): (Vec<_>, Vec<_>) = all.partition(|fate| *fate == Fate::Kept);
    (kept.len(), other)
}

#[test]
fn the_50_001st_row_evicts_a_latency_span_and_not_a_fill() {
    let bounds = Bounds { table_rows_max: 60_000, ..Bounds::default() };
    let mut buffers = Buffers::new(bounds);
    fates(&mut buffers, &fills(0..20_000));
    fates(&mut buffers, &healths(0..2));
    assert_eq!(fates(&mut buffers, &trades(0..29_998)), (29_998, vec![]));
    assert_eq!(buffers.rows(), 50_000);
    // Spans go first, the newest first; then the newest market record, which is the one that comes.
    let (kept, other) = fates(&mut buffers, &trades(0..3));
    assert_eq!(
        (kept, &other[..]),
        (0, &[Fate::Evicted(Kind::Health), Fate::Evicted(Kind::Health), Fate::Dropped,][..])
    );
    // A fill evicts market data, and is never evicted.
    let (_, other) = fates(&mut buffers, &fills(0..1));
    assert_eq!(other, [Fate::Evicted(Kind::Trade)]);
    assert_eq!((buffers.rows(), buffers.rows_of(Kind::Fill)), (50_000, 20_001));
    let left = buffers.take(Kind::Trade);
    assert_eq!(left.len(), 29_999);
}

#[test]
fn the_newest_rows_go_first_and_others_may_follow() {
    let mut buffers = Buffers::new(Bounds { budget_rows: 4, ..Bounds::default() });
    fates(&mut buffers, &healths(0..4));
    fates(&mut buffers, &fills(0..2));
    buffers.take(Kind::Fill);
    fates(&mut buffers, &healths(7..8));
    let left: Vec<u64> = buffers.take(Kind::Health).iter().map(|it| it.head().seq).collect();
    assert_eq!(left, [0, 1, 7]);
}

#[test]
fn when_only_protected_rows_are_left_they_are_spilled() {
    let bounds = Bounds { budget_rows: 10, ..Bounds::default() };
    let mut buffers = Buffers::new(bounds);
    assert_eq!(fates(&mut buffers, &fills(0..11)), (10, vec![Fate::Spill]));
    assert_eq!(fates(&mut buffers, &trades(0..1)), (0, vec![Fate::Dropped]));
    let mut buffers = Buffers::new(Bounds::default());
    assert_eq!(fates(&mut buffers, &trades(0..10_001)), (10_000, vec![Fate::Dropped]));
    assert_eq!(fates(&mut buffers, &fills(0..10_001)), (10_000, vec![Fate::Spill]));
}

/// A catalog that can be taken down.
struct Shaky {
    store: Appender,
    is_down: Arc<AtomicBool>,
}

impl Insert for Shaky {
    fn insert(&self, batch: &Batch, name: &str) -> Result<u64, WriteError> {
        match self.is_down.load(Ordering::SeqCst) {
            true => Err(WriteError::Io(io::Error::other("down"))),
            false => self.store.insert(batch, name),
        }
    }

    fn missing(&self, batch: &Batch, name: &str) -> Result<Batch, WriteError> {
        Insert::missing(&self.store, batch, name)
    }
}

struct Room(Arc<AtomicU64>);

impl FreeSpace for Room {
    fn free_bytes(&self, _: &Path) -> io::Result<u64> {
        Ok(self.0.load(Ordering::SeqCst))
    }
}

struct World {
    root: tempfile::TempDir,
    time: Arc<AtomicI64>,
    is_down: Arc<AtomicBool>,
    free: Arc<AtomicU64>,
    acks: Arc<Mutex<Vec<Acknowledged>>>,
    counters: Arc<Counters>,
    settings: Settings,
}

impl World {
    fn new() -> Self {
        let mut settings = Settings::default();
        settings.load.linger_ns = 0;
        Self {
            root: tempfile::tempdir().unwrap(),
            time: Arc::new(AtomicI64::new(START + 1_000_000_000)),
            is_down: Arc::default(),
            free: Arc::new(AtomicU64::new(1 << 40)),
            acks: Arc::default(),
            counters: Arc::default(),
            settings,
        }
    }

    fn clock(&self) -> Clock {
        let time = Arc::clone(&self.time);
        Arc::new(move || Ts::from_nanos(time.load(Ordering::SeqCst)))
    }

    fn now(&self) -> Ts {
        self.clock()()
    }

    fn pass(&self, seconds: i64) {
        self.time.fetch_add(seconds * 1_000_000_000, Ordering::SeqCst);
    }

    fn start(&self) -> Pipeline {
        let lock = CatalogWriter::lock(self.root.path()).unwrap();
        let store = Appender::new(&lock, self.root.path(), &Default::default(), 1 << 17);
        let shaky = Shaky { store, is_down: Arc::clone(&self.is_down) };
        self.start_with(Arc::new(shaky), Place::Catalog)
    }

    /// A store that answers once the second flag is up; it puts up the first when it is asked.
    fn slow(&self) -> (Arc<Slow>, Arc<AtomicBool>, Arc<AtomicBool>) {
        let lock = CatalogWriter::lock(self.root.path()).unwrap();
        let store = Appender::new(&lock, self.root.path(), &Default::default(), 1 << 17);
        let (is_asked, may_answer) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        let (asked, may) = (Arc::clone(&is_asked), Arc::clone(&may_answer));
        (Arc::new(Slow { store, is_asked: asked, may_answer: may }), is_asked, may_answer)
    }

    fn start_with(&self, insert: Arc<dyn Insert + Send + Sync>, place: Place) -> Pipeline {
        let space = Box::new(Room(Arc::clone(&self.free)));
        let store = Store { space, place, ..Store::new(insert) };
        let acks = Arc::clone(&self.acks);
        let note = move |ack| acks.lock().unwrap().push(ack);
        let (root, clock) = (self.root.path(), self.clock());
        Pipeline::start(root, &self.settings, store, &clock, &self.counters, note).unwrap()
    }

    /// Waits until something is so: the writing thread has its own pace.
    fn until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        for _ in 0..2_000 {
            if holds() {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("{what}: {:?}", self.counters.snapshot());
    }

    fn acknowledged(&self, kind: Kind, place: Place) -> u64 {
        let acks = self.acks.lock().unwrap();
        let ours = acks.iter().filter(|ack| (ack.table, ack.place) == (kind, place));
        ours.map(|ack| ack.count).sum()
    }

    fn loaded(&self, kind: Kind) -> Vec<u64> {
        let mut seqs = Vec::new();
        let options = Options::default();
        let selection = Selection { kinds: Some(vec![kind]), ..Selection::default() };
        for part in Catalog::new(self.root.path()).parts(&selection, &options).unwrap() {
            let mut reader = ParquetReader::new(&part.path, Span::ALL, options.clone());
            let mut batch = Batch::default();
            while reader.next(&mut batch).unwrap() {
                seqs.extend(batch.iter().map(|record| record.head().seq));
            }
        }
        seqs.sort_unstable();
        seqs
    }
}

#[test]
fn market_data_goes_straight_and_fills_through_the_log() {
    let world = World::new();
    let mut pipeline = world.start();
    pipeline.push(&trades(0..2_500), world.now()).unwrap();
    pipeline.push(&fills(0..3), world.now()).unwrap();
    pipeline.finish(&world.clock()).unwrap();
    assert_eq!(world.acknowledged(Kind::Trade, Place::Catalog), 2_500);
    assert_eq!(world.acknowledged(Kind::Fill, Place::Log), 3);
    assert_eq!(world.loaded(Kind::Trade), (0..2_500).collect::<Vec<_>>());
    assert_eq!(world.loaded(Kind::Fill), [0, 1, 2]);
}

#[test]
fn parts_are_made_when_rows_are_old_enough() {
    let world = World::new();
    let mut pipeline = world.start();
    pipeline.push(&trades(0..10), world.now()).unwrap();
    world.pass(1);
    pipeline.tick(world.now()).unwrap();
    world.until("rows arrive", || world.counters.unacknowledged_rows.load(Ordering::SeqCst) == 10);
    assert_eq!(world.acknowledged(Kind::Trade, Place::Catalog), 0);
    world.pass(30);
    world.until("a part", || world.acknowledged(Kind::Trade, Place::Catalog) == 10);
    assert_eq!(world.loaded(Kind::Trade).len(), 10);
    pipeline.finish(&world.clock()).unwrap();
}

#[test]
fn a_store_that_is_down_sends_rows_to_the_log_and_gets_them_later() {
    let world = World::new();
    let mut pipeline = world.start();
    world.is_down.store(true, Ordering::SeqCst);
    for minute in 0..60 {
        pipeline.push(&trades(minute * 50..minute * 50 + 50), world.now()).unwrap();
        world.pass(60);
        pipeline.tick(world.now()).unwrap();
        std::thread::sleep(Duration::from_millis(2));
    }
    // Five tries, each after a longer wait; then the log takes what there is.
    world.until("the log", || {
        world.pass(60);
        world.acknowledged(Kind::Trade, Place::Log) == 3_000
    });
    assert!(world.loaded(Kind::Trade).is_empty());
    world.is_down.store(false, Ordering::SeqCst);
    world.until("the catalog", || {
        world.pass(600);
        world.loaded(Kind::Trade).len() == 3_000
    });
    pipeline.finish(&world.clock()).unwrap();
    assert_eq!(world.loaded(Kind::Trade), (0..3_000).collect::<Vec<_>>());
    assert_eq!(world.counters.dropped(), 0);
}

#[test]
fn a_session_that_ends_while_the_store_is_down_leaves_its_rows_in_the_log() {
    let mut world = World::new();
    world.settings.writer.finish = Duration::from_millis(50);
    world.is_down.store(true, Ordering::SeqCst);
    let mut pipeline = world.start();
    pipeline.push(&trades(0..100), world.now()).unwrap();
    pipeline.finish(&world.clock()).unwrap();
    assert_eq!(world.acknowledged(Kind::Trade, Place::Log), 100);
    world.is_down.store(false, Ordering::SeqCst);
    world.pass(10);
    world.start().finish(&world.clock()).unwrap();
    assert_eq!(world.loaded(Kind::Trade), (0..100).collect::<Vec<_>>());
}

/// A store that answers when it is told to.
struct Slow {
    store: Appender,
    is_asked: Arc<AtomicBool>,
    may_answer: Arc<AtomicBool>,
}

impl Insert for Slow {
    fn insert(&self, batch: &Batch, name: &str) -> Result<u64, WriteError> {
        self.is_asked.store(true, Ordering::SeqCst);
        while !self.may_answer.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.store.insert(batch, name)
    }

    fn missing(&self, batch: &Batch, name: &str) -> Result<Batch, WriteError> {
        Insert::missing(&self.store, batch, name)
    }
}

#[test]
fn a_store_that_takes_its_time_does_not_hold_up_the_log() {
    let world = World::new();
    let (slow, is_asked, may_answer) = world.slow();
    let mut pipeline = world.start_with(slow, Place::Catalog);
    pipeline.push(&trades(0..2_000), world.now()).unwrap();
    world.until("an insert", || {
        world.pass(31);
        is_asked.load(Ordering::SeqCst)
    });
    pipeline.push(&fills(0..3), world.now()).unwrap();
    world.until("fills in the log", || {
        world.pass(1);
        pipeline.tick(world.now()).unwrap();
        world.acknowledged(Kind::Fill, Place::Log) == 3
    });
    assert_eq!(world.acknowledged(Kind::Trade, Place::Catalog), 0);
    may_answer.store(true, Ordering::SeqCst);
    world.until("trades", || world.acknowledged(Kind::Trade, Place::Catalog) == 2_000);
    pipeline.finish(&world.clock()).unwrap();
    assert_eq!(world.loaded(Kind::Fill), [0, 1, 2]);
}

#[test]
fn a_database_that_hangs_does_not_hold_up_the_end_and_what_it_was_sent_lies_in_the_log() {
    let mut world = World::new();
    world.settings.writer.finish = Duration::from_millis(50);
    let (slow, is_asked, may_answer) = world.slow();
    let mut pipeline = world.start_with(slow, Place::Store);
    pipeline.push(&trades(0..100), world.now()).unwrap();
    world.until("an insert", || {
        world.pass(31);
        pipeline.tick(world.now()).unwrap();
        is_asked.load(Ordering::SeqCst)
    });
    pipeline.push(&trades(100..120), world.now()).unwrap();
    // It ends although the insert does not.
    pipeline.finish(&world.clock()).unwrap();
    assert_eq!(world.acknowledged(Kind::Trade, Place::StoreLog), 120);
    assert!(world.loaded(Kind::Trade).is_empty());
    may_answer.store(true, Ordering::SeqCst);
    world.until("what was left to itself", || world.loaded(Kind::Trade).len() == 100);
    assert_eq!(Folder::of(world.root.path()).stat(Tier::Pending).unwrap().files, 2);
}

#[test]
fn records_with_impossible_times_become_dead_letters() {
    let world = World::new();
    let mut pipeline = world.start();
    let mut batch = trades(0..1);
    let trade = |event: i64| {
        let mut head = head(9);
        head.ts_event = Ts::from_nanos(event);
        let (px, qty) = (Px::new(1), Qty::new(1).unwrap());
        Trade { head, px, qty, side: None, id: None }
    };
    let now = world.now().nanos();
    batch.push_row(trade(now + 5_000_000_000), &[]);
    batch.push_row(trade(now + 5_000_000_001), &[]);
    batch.push_row(trade(946_684_799_999_999_999), &[]);
    batch.push_row(trade(946_684_800_000_000_000), &[]);
    pipeline.push(&batch, world.now()).unwrap();
    pipeline.finish(&world.clock()).unwrap();
    assert_eq!((world.loaded(Kind::Trade).len(), world.counters.snapshot().refused), (3, 2));
    let dead = DeadLetters::of(&Folder::of(world.root.path()));
    let [file] = dead.files().unwrap()[..] else { panic!("one file") };
    let reasons: Vec<String> = dead.read(&file).unwrap().into_iter().map(|it| it.reason).collect();
    assert!(reasons[0].contains("lies in the future"), "{reasons:?}");
    assert!(reasons[1].contains("before 2000"), "{reasons:?}");
}

#[test]
fn a_full_disk_halts_or_drops_as_the_policy_says() {
    for policy in [DiskPolicy::Halt, DiskPolicy::Degrade, DiskPolicy::Drop] {
        let mut world = World::new();
        world.settings.policy = policy;
        let mut pipeline = world.start();
        pipeline.push(&trades(0..5), world.now()).unwrap();
        world.free.store(499_999_999, Ordering::SeqCst);
        world.pass(61);
        if policy == DiskPolicy::Halt {
            world.until("a halt", || pipeline.tick(world.now()).is_err());
            assert_eq!(world.counters.snapshot().writer_failed, 1);
            continue;
        }
        world.until("full", || world.counters.disk_full.load(Ordering::SeqCst) == 1);
        pipeline.push(&trades(5..15), world.now()).unwrap();
        pipeline.push(&fills(0..3), world.now()).unwrap();
        world.free.store(1 << 40, Ordering::SeqCst);
        world.pass(61);
        world.until("room", || world.counters.disk_full.load(Ordering::SeqCst) == 0);
        pipeline.push(&trades(15..20), world.now()).unwrap();
        pipeline.finish(&world.clock()).unwrap();
        assert_eq!(world.loaded(Kind::Trade), [0, 1, 2, 3, 4, 15, 16, 17, 18, 19], "{policy:?}");
        let kept = if policy == DiskPolicy::Drop { 0 } else { 3 };
        assert_eq!(world.loaded(Kind::Fill).len(), kept, "{policy:?}");
        assert_eq!(world.counters.dropped(), 10 + 3 - kept as u64);
    }
}

#[test]
fn two_recorders_on_one_catalog_refuse_each_other() {
    let world = World::new();
    let pipeline = world.start();
    let refused = CatalogWriter::lock(world.root.path()).unwrap_err().to_string();
    assert!(refused.contains("another process writes to this catalog"), "{refused}");
    pipeline.finish(&world.clock()).unwrap();
    CatalogWriter::lock(world.root.path()).unwrap();
    assert_eq!(Folder::of(world.root.path()).stat(Tier::Pending).unwrap().files, 0);
}
