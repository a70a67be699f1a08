//! `qt catalog`: what is in it, adding, compacting, and one writer at a time.

use std::fs;

use predicates::str::contains;

use super::{files, market, records, replayed};
use crate::frame::{World, stdout};

#[test]
fn folders_name_what_is_in_them() {
    let world = market();
    let folder = world.path().join("data/trade/venue=sim/symbol=AAA/date=2024-08-08");
    let names: Vec<_> = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(names.iter().any(|name| name.to_str().unwrap().starts_with("part-")), "{names:?}");
    let meta = fs::read_to_string(folder.join("meta.json")).unwrap();
    for key in ["\"rows\"", "\"sha256\"", "\"px_scale\"", "\"first_ts_recv\"", "\"order\""] {
        assert!(meta.contains(key), "{key} in {meta}");
    }
    assert!(files(&world, "data").iter().all(|path| !path.to_str().unwrap().contains(".staged")));
}

#[test]
fn listings_count_what_a_replay_gives() {
    let world = market();
    let listing = stdout(&mut world.qt("catalog ls --json"));
    let rows = |line: &str| -> u64 { super::member(line, "rows").unwrap().parse().unwrap() };
    let total: u64 = listing.lines().map(rows).sum();
    assert_eq!(total, records(&replayed(&world, "")).len() as u64);
    let stat = stdout(&mut world.qt("catalog stat --kinds trade --symbols AAA --json"));
    assert_eq!(stat.lines().count(), 2, "{stat}");
    assert!(stdout(&mut world.qt("catalog ls")).starts_with("kind"));
}

#[test]
fn the_same_records_give_the_same_files() {
    let bytes = |world: &World| -> Vec<(String, Vec<u8>)> {
        let name = |path: &std::path::PathBuf| {
            path.strip_prefix(world.path()).unwrap().to_str().unwrap().to_owned()
        };
        files(world, "data").iter().map(|path| (name(path), fs::read(path).unwrap())).collect()
    };
    assert_eq!(bytes(&market()), bytes(&market()));
}

#[test]
fn adding_a_stream_keeps_every_record() {
    let world = market();
    let all = replayed(&world, "");
    let other = World::new();
    other.qt("catalog add --verify").write_stdin(all.clone()).assert().success();
    assert_eq!(records(&replayed(&other, "")), records(&all));
    let again = other.qt("catalog add").write_stdin(all.clone()).assert().code(2);
    again.stderr(contains("already has records").and_hint());
    other.qt("catalog add --force").write_stdin(all.clone()).assert().success();
    assert_eq!(records(&replayed(&other, "")), records(&all));
}

/// Both halves of a refusal: what is wrong, and what to do.
trait AndHint {
    fn and_hint(
        self,
    ) -> predicates::boolean::AndPredicate<Self, predicates::str::ContainsPredicate, str>
    where
        Self: Sized + predicates::Predicate<str>;
}

impl<P: predicates::Predicate<str>> AndHint for P {
    fn and_hint(
        self,
    ) -> predicates::boolean::AndPredicate<Self, predicates::str::ContainsPredicate, str> {
        use predicates::prelude::PredicateBooleanExt;
        self.and(contains("hint: `--force`"))
    }
}

#[test]
fn compaction_folds_parts_and_changes_no_record() {
    let world = World::new();
    let pieces = ["T01:00:00Z --hours 0.05", "T02:00:00Z --hours 0.05", "T03:00:00Z --hours 0.05"];
    for (seed, piece) in pieces.iter().enumerate() {
        let args = format!("synth --seed {seed} --symbols sim:AAA --start 2024-08-08{piece}");
        world.qt(&format!("{args} --to catalog")).assert().success();
    }
    let before = records(&replayed(&world, "--ordering warn"));
    let parts = || {
        files(&world, "data/trade").iter().filter(|p| p.extension().unwrap() == "parquet").count()
    };
    assert_eq!(parts(), 3);
    world.qt("catalog compact --dry-run").assert().success().stderr(contains("would compact"));
    assert_eq!(parts(), 3);
    world.qt("catalog compact").assert().success();
    assert_eq!(parts(), 1);
    assert_eq!(records(&replayed(&world, "--ordering warn")), before);
    let once: Vec<_> = files(&world, "data").iter().map(|path| fs::read(path).unwrap()).collect();
    world.qt("catalog compact").assert().success();
    let again: Vec<_> = files(&world, "data").iter().map(|path| fs::read(path).unwrap()).collect();
    assert!(once == again, "there is nothing left to fold");
}

#[test]
fn exact_repetitions_vanish_in_compaction() {
    let world = market();
    let day = world.path().join("data/trade/venue=sim/symbol=AAA/date=2024-08-08");
    let part = fs::read_dir(&day).unwrap().map(|e| e.unwrap().path());
    let part = part.into_iter().find(|p| p.extension().is_some_and(|e| e == "parquet")).unwrap();
    let all = records(&replayed(&world, ""));
    fs::copy(&part, day.join("part-999999-0000.parquet")).unwrap();
    world.qt("replay").assert().code(3).stderr(contains("ORDERING_VIOLATION_DUPLICATE"));
    world.qt("catalog compact").assert().success();
    assert_eq!(records(&replayed(&world, "")), all);
}

#[test]
fn two_writers_refuse_each_other() {
    let world = World::new();
    let mut first = world
        .std("catalog add")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut feed = first.stdin.take().unwrap();
    use std::io::Write;
    let header = r#"{"k":"stream","schema":1,"qt":"0","instruments":[]}"#;
    // Enough for the reader to stop looking for a header and begin.
    writeln!(feed, "{header}\n{}", " ".repeat(70_000)).unwrap();
    feed.flush().unwrap();
    let lock = world.path().join("data/.writer.lock");
    while !lock.exists() {
        std::thread::yield_now();
    }
    let second = world.qt("synth --events 10 --to catalog").assert().code(2);
    second.stderr(contains("another process writes to this catalog"));
    drop(feed);
    first.wait().unwrap();
    world.qt("synth --events 10 --to catalog").assert().success();
}
