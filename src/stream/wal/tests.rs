//! The log as a whole: what is written comes into the catalog once, whatever happens on the way.

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use qt_model::instrument::{Instrument, Instruments, Symbol};
use qt_model::record::{Batch, Head, Kind, Source, Trade};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};

use super::*;
use crate::catalog::{Appender, Catalog, CatalogWriter, Selection};
use crate::error::WriteError;
use crate::parquet_file::ParquetReader;
use crate::parquet_file::Span;
use crate::read::Options;

const START: i64 = 1_723_075_200_000_000_000;

fn at(second: i64) -> Ts {
    Ts::from_nanos(START + second * 1_000_000_000)
}

/// Trades of two symbols, numbered from `first`, one a second.
fn trades(first: u64, count: u64) -> Batch {
    let mut table = Instruments::default();
    let scale = |digits| Scale::new(digits).unwrap();
    for symbol in ["a:X", "a:Y"] {
        let symbol = Symbol::new(symbol).unwrap();
        table.declare(Instrument::new(symbol, scale(2), scale(3))).unwrap();
    }
    let ids = [table.find("a:X").unwrap(), table.find("a:Y").unwrap()];
    let mut batch = Batch::new(table.into());
    for seq in first..first + count {
        let ts = at(seq.cast_signed());
        let head = Head::new(ts, ts, seq, Some(ids[(seq % 2) as usize]));
        let (px, qty) = (Px::new(100 + seq.cast_signed()), Qty::new(5).unwrap());
        batch.push_row(Trade { head, px, qty, side: None, id: Some(seq) }, &[]);
    }
    batch
}

/// The numbers of the trades in a catalog, sorted: a repetition stays a repetition.
fn loaded(root: &Path) -> Vec<u64> {
    let mut seqs = Vec::new();
    let options = Options::default();
    for part in Catalog::new(root).parts(&Selection::default(), &options).unwrap() {
        let mut reader = ParquetReader::new(&part.path, Span::ALL, options.clone());
        let mut batch = Batch::default();
        while reader.next(&mut batch).unwrap() {
            seqs.extend(batch.iter().map(|record| record.head().seq));
        }
    }
    seqs.sort_unstable();
    seqs
}

struct World {
    root: tempfile::TempDir,
    appender: Appender,
    folder: Folder,
}

impl World {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let lock = CatalogWriter::lock(root.path()).unwrap();
        let appender = Appender::new(&lock, root.path(), &Default::default(), 1 << 17);
        let folder = Folder::of(root.path());
        Self { root, appender, folder }
    }

    fn wal(&self) -> WalWriter {
        WalWriter::open(&self.folder, Bounds::default()).unwrap()
    }

    fn loader(&self) -> Loader {
        let options = LoadOptions { wait: Duration::ZERO, ..LoadOptions::default() };
        Loader::open(&self.folder, options, at(100)).unwrap()
    }

    fn drain(&self) -> Loaded {
        self.loader().round(&self.appender, at(100), true).unwrap()
    }

    fn count(&self, tier: Tier) -> u64 {
        self.folder.stat(tier).unwrap().files
    }
}

#[test]
fn what_is_written_comes_into_the_catalog_once() {
    let world = World::new();
    let mut wal = world.wal();
    for first in [0, 10, 20] {
        wal.write(Kind::Trade, &trades(first, 10), at(first.cast_signed())).unwrap();
    }
    let done = world.drain();
    assert_eq!((done.files, done.rows, done.parts), (3, 30, 2));
    assert_eq!(loaded(world.root.path()), (0..30).collect::<Vec<_>>());
    assert_eq!((world.count(Tier::Pending), world.count(Tier::Archive)), (0, 3));
    assert_eq!(world.drain(), Loaded::default());
}

#[test]
fn a_batch_that_was_written_twice_is_loaded_once() {
    let world = World::new();
    let mut wal = world.wal();
    wal.write(Kind::Trade, &trades(0, 10), at(0)).unwrap();
    wal.write(Kind::Trade, &trades(0, 10), at(1)).unwrap();
    assert_eq!((world.drain().repeats, loaded(world.root.path()).len()), (1, 10));
    // Its hash is remembered over a restart.
    wal.write(Kind::Trade, &trades(0, 10), at(2)).unwrap();
    assert_eq!((world.drain().repeats, loaded(world.root.path()).len()), (1, 10));
}

#[test]
fn files_are_numbered_on_and_temporaries_go() {
    let world = World::new();
    world.wal().write(Kind::Trade, &trades(0, 1), at(0)).unwrap();
    world.drain();
    let left = world.folder.path(Tier::Pending).join(".wal-x1");
    fs::write(&left, "half a fi").unwrap();
    let written = world.wal().write(Kind::Trade, &trades(1, 1), at(1)).unwrap();
    assert_eq!(written.name.number, 1);
    assert!(!left.exists());
}

#[test]
fn rows_gather_until_there_are_enough_or_they_are_old() {
    let world = World::new();
    let mut wal = WalWriter::open(&world.folder, Bounds { rows: 25, ..Bounds::default() }).unwrap();
    assert_eq!(wal.gather(Kind::Trade, &trades(0, 10), at(0)).unwrap(), None);
    assert_eq!(wal.gather(Kind::Trade, &trades(10, 10), at(0)).unwrap(), None);
    let full = wal.gather(Kind::Trade, &trades(20, 10), at(0)).unwrap();
    assert_eq!(full.map(|written| written.rows), Some(30));
    assert_eq!(wal.gather(Kind::Trade, &trades(30, 5), at(5)).unwrap(), None);
    let almost = Ts::from_nanos(at(6).nanos() - 1);
    assert_eq!(wal.flush_due(almost).unwrap(), []);
    assert_eq!(wal.flush_due(at(6)).unwrap().len(), 1);
    assert_eq!((wal.gathered_rows(), world.drain().rows), (0, 35));
}

#[test]
fn young_files_wait_for_others() {
    let world = World::new();
    world.wal().write(Kind::Trade, &trades(0, 1), at(0)).unwrap();
    let loader = world.loader();
    assert_eq!(loader.round(&world.appender, at(9), false).unwrap(), Loaded::default());
    assert_eq!(loader.round(&world.appender, at(10), false).unwrap().files, 1);
}

#[test]
fn a_bad_line_becomes_a_dead_letter_and_the_rest_goes_on() {
    let world = World::new();
    let written = world.wal().write(Kind::Trade, &trades(0, 3), at(0)).unwrap();
    // The writer of the file was wrong, so its checksum is right.
    let path = world.folder.file(Tier::Pending, &written.name);
    let text = fs::read_to_string(&path).unwrap();
    let (first, body) = text.split_once('\n').unwrap();
    let bad = body.replacen("\"px\":1.01", "\"px\":oops", 1);
    let sum = |text: &str| format!("{:08x}", crc32fast::hash(text.as_bytes()));
    fs::write(&path, format!("{}\n{bad}", first.replace(&sum(body), &sum(&bad)))).unwrap();
    let done = world.drain();
    assert_eq!((done.rows, done.dead_letters), (2, 1));
    assert_eq!(loaded(world.root.path()), [0, 2]);
    let dead = DeadLetters::of(&world.folder);
    let [file] = dead.files().unwrap()[..] else { panic!("one file of letters") };
    let letters = dead.read(&file).unwrap();
    assert_eq!(letters[0].line, 3);
    assert!(letters[0].reason.contains("JSON"), "{}", letters[0].reason);
    assert!(letters[0].text.as_deref().unwrap().contains("oops"));
    // Mended by hand, it can be tried again; the other way it stays.
    let accept = |_: &Head| Ok(());
    let mut wal = world.wal();
    assert_eq!(dead.replay(&file, &mut wal, at(5), &accept).unwrap().left.len(), 1);
    let path = world.folder.file(Tier::DeadLetters, &file);
    let mended = fs::read_to_string(&path).unwrap().replace("oops", "1.01");
    fs::write(&path, mended).unwrap();
    let refuse = |_: &Head| Err("not today".to_owned());
    assert_eq!(dead.replay(&file, &mut wal, at(5), &refuse).unwrap().left[0].reason, "not today");
    let replayed = dead.replay(&file, &mut wal, at(5), &accept).unwrap();
    assert_eq!((replayed.left.len(), dead.files().unwrap().len()), (0, 0));
    world.drain();
    assert_eq!(loaded(world.root.path()), [0, 1, 2]);
}

#[test]
fn refused_records_can_be_tried_again() {
    let world = World::new();
    let mut wal = world.wal();
    let dead = DeadLetters::of(&world.folder);
    let name = WalName { ts: at(0), number: 77, table: Kind::Trade };
    dead.refuse(&name, &trades(0, 2), &["future".to_owned(), "past".to_owned()]).unwrap();
    let reasons: Vec<_> = dead.read(&name).unwrap().into_iter().map(|it| it.reason).collect();
    assert_eq!(reasons, ["future", "past"]);
    let odd = |head: &Head| if head.seq == 1 { Err("odd".to_owned()) } else { Ok(()) };
    let replayed = dead.replay(&name, &mut wal, at(1), &odd).unwrap();
    assert_eq!((replayed.written.map(|it| it.rows), replayed.left.len()), (Some(1), 1));
    assert_eq!(world.drain().rows, 1);
}

#[test]
fn files_that_make_no_sense_are_put_aside() {
    let world = World::new();
    let damage: [fn(&str) -> String; 6] = [
        |text| text.replacen("\"px\":1.01", "\"px\":9.01", 1),
        |text| text[..text.len() - 20].to_owned(),
        |_| String::new(),
        |_| "no first line".to_owned(),
        |text| text.replacen("\"table\":\"trade\"", "\"table\":\"gold\"", 1),
        |text| text.replacen("\"count\":3", "\"count\":4", 1),
    ];
    let mut wal = world.wal();
    for change in damage {
        let written = wal.write(Kind::Trade, &trades(0, 3), at(0)).unwrap();
        let path = world.folder.file(Tier::Pending, &written.name);
        let text = fs::read_to_string(&path).unwrap();
        let changed = change(&text);
        assert_ne!(changed, text);
        fs::write(&path, changed).unwrap();
    }
    wal.write(Kind::Trade, &trades(5, 1), at(1)).unwrap();
    let done = world.drain();
    assert_eq!((done.corrupt.len(), done.rows), (6, 1), "{:?}", done.corrupt);
    assert_eq!((world.count(Tier::Corrupt), world.count(Tier::Pending)), (6, 0));
}

/// A store that is down, or goes down in the middle of its work.
struct Flaky<'a> {
    store: &'a Appender,
    failures: AtomicU32,
    works_first: bool,
    seen: Mutex<Vec<String>>,
}

impl<'a> Flaky<'a> {
    fn new(store: &'a Appender, failures: u32, works_first: bool) -> Self {
        Self { store, failures: failures.into(), works_first, seen: Mutex::default() }
    }
}

impl Insert for Flaky<'_> {
    fn insert(&self, batch: &Batch, name: &str) -> Result<u64, WriteError> {
        self.seen.lock().unwrap().push(name.to_owned());
        let is_down = self
            .failures
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if is_down.is_ok() {
            if self.works_first {
                self.store.insert(batch, name)?;
            }
            return Err(WriteError::Io(std::io::Error::other("down")));
        }
        self.store.insert(batch, name)
    }

    fn missing(&self, batch: &Batch, name: &str) -> Result<Batch, WriteError> {
        self.store.missing(batch, name)
    }
}

#[test]
fn a_store_that_is_down_for_long_gets_all_when_it_is_back() {
    for works_first in [false, true] {
        let world = World::new();
        let mut wal = world.wal();
        let loader = world.loader();
        let store = Flaky::new(&world.appender, 3 * 60, works_first);
        // An hour of one file a minute; each round fails three times.
        for minute in 0..60 {
            wal.write(Kind::Trade, &trades(minute * 10, 10), at(minute.cast_signed() * 60))
                .unwrap();
            let failed = loader.round(&store, at(minute.cast_signed() * 60 + 30), false);
            assert!(matches!(failed, Err(LoadError::Store { .. })), "{failed:?}");
        }
        loader.round(&store, at(3600), true).unwrap();
        assert_eq!(loaded(world.root.path()), (0..600).collect::<Vec<_>>());
        assert_eq!((world.count(Tier::Pending), world.count(Tier::Archive)), (0, 60));
        let names = store.seen.lock().unwrap();
        assert!(
            names[..180].iter().all(|name| *name == names[0]),
            "a claim is kept until it is done"
        );
    }
}

#[test]
fn folding_the_parts_does_not_bring_a_claimed_batch_back() {
    let world = World::new();
    world.wal().write(Kind::Trade, &trades(0, 10), at(0)).unwrap();
    let store = Flaky::new(&world.appender, 3, true);
    world.loader().round(&store, at(50), true).unwrap_err();
    assert_eq!(loaded(world.root.path()).len(), 10);
    // The notes know the parts, though the manifest does not: they are recognised by name.
    world.drain();
    assert_eq!(loaded(world.root.path()), (0..10).collect::<Vec<_>>());
}

#[test]
fn a_cut_line_of_the_manifest_is_done_again() {
    let world = World::new();
    world.wal().write(Kind::Trade, &trades(0, 10), at(0)).unwrap();
    world.drain();
    let path = world.root.path().join("wal/manifest.jsonl");
    let text = fs::read(&path).unwrap();
    fs::write(&path, &text[..text.len() / 2]).unwrap();
    assert_eq!(Manifest::lines(&world.folder).unwrap(), []);
    world.wal().write(Kind::Trade, &trades(10, 10), at(1)).unwrap();
    world.drain();
    assert_eq!(loaded(world.root.path()), (0..20).collect::<Vec<_>>());
    assert_eq!(Manifest::lines(&world.folder).unwrap().len(), 1);
}

#[test]
fn a_file_of_the_log_is_a_stream() {
    let world = World::new();
    let batch = trades(0, 4);
    let written = world.wal().write(Kind::Trade, &batch, at(0)).unwrap();
    let text = fs::read_to_string(world.folder.file(Tier::Pending, &written.name)).unwrap();
    let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&first["schema"], &first["table"], &first["count"]),
        (&1.into(), &"trade".into(), &4.into())
    );
    assert_eq!(first["columns"][3], "px");
    assert_eq!(first["crc32"].as_str().unwrap().len(), 8);
    assert_eq!(first["k"], "stream");
}
