//! `kill -9` while recording: every record that was acknowledged is there, and none is there twice.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use qt::stream::crash;
use rustix::process::{Pid, Signal, kill_process};

use crate::frame::World;

/// Records of a session. Trades go straight, fills through the log.
const RECORDS: u64 = 3_000;

/// A stream whose records no other session has.
fn session(number: u64) -> String {
    let mut text = String::from(
        r#"{"k":"stream","schema":1,"instruments":[{"sym":"a:X","px_scale":2,"qty_scale":0},{"sym":"a:Y","px_scale":2,"qty_scale":0}]}"#,
    );
    text.push('\n');
    for at in 0..RECORDS {
        let seq = number * RECORDS + at;
        let ts = 1_723_075_200_000_000_000 + seq * 1_000_000;
        let sym = if at % 2 == 0 { "a:X" } else { "a:Y" };
        let line = if at % 3 == 2 {
            format!(
                r#"{{"k":"fill","ts_recv":{ts},"sym":"{sym}","fill_id":"f{seq}","side":"buy","px":1.00,"qty":1,"seq":{seq}}}"#
            )
        } else {
            format!(r#"{{"k":"trade","ts_recv":{ts},"sym":"{sym}","px":1.00,"qty":1,"seq":{seq}}}"#)
        };
        writeln!(text, "{line}").unwrap();
    }
    text.push_str(r#"{"k":"end","records":3000,"digest":""}"#);
    text.push('\n');
    text
}

/// The numbers of the records of a table in a session, in the order in which they are recorded.
fn numbers(session: u64, table: &str) -> Vec<u64> {
    let is_fill = |at: &u64| at % 3 == 2;
    let of_table = |at: &u64| is_fill(at) == (table == "fill");
    (0..RECORDS).filter(of_table).map(|at| session * RECORDS + at).collect()
}

/// A catalog that is recorded to again and again.
struct Catalog {
    world: World,
    sessions: u64,
    acknowledged: BTreeMap<String, Vec<u64>>,
}

impl Catalog {
    fn new() -> Self {
        Self { world: World::new(), sessions: 0, acknowledged: BTreeMap::new() }
    }

    /// A recorder of the next session.
    fn recorder(&self, road: &str) -> Command {
        fs::write(self.world.path().join("in.ndjson"), session(self.sessions)).unwrap();
        let mut command = self.world.std(&format!(
            "record run --input in.ndjson --acks --road {road} --part-records 800 --part-age-s 1"
        ));
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        command
    }

    /// Runs a session to its end, or kills it after a while. Returns whether it was cut short.
    fn record(&mut self, mut command: Command, kill_after: Option<Duration>) -> bool {
        let mut child = command.spawn().unwrap();
        let pid = Pid::from_child(&child);
        if let Some(wait) = kill_after {
            // Not a wait for something to happen: any moment will do.
            std::thread::sleep(wait);
            // It may have ended already, which is a moment too.
            let _ = kill_process(pid, Signal::KILL);
        }
        let mut acks = String::new();
        child.stdout.take().unwrap().read_to_string(&mut acks).unwrap();
        let status = child.wait().unwrap();
        for line in acks.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
            self.acknowledge(&serde_json::from_str(line).unwrap());
        }
        self.sessions += 1;
        status.code().is_none()
    }

    fn acknowledge(&mut self, ack: &serde_json::Value) {
        let table = ack["table"].as_str().unwrap();
        let number = |key: &str| usize::try_from(ack[key].as_u64().unwrap()).unwrap();
        let (first, count) = (number("first"), number("count"));
        let all = numbers(self.sessions, table);
        let ours = self.acknowledged.entry(table.to_owned()).or_default();
        ours.extend(&all[first..first + count]);
    }

    /// Starts once more without anything to record, so that the log is loaded, and compares.
    fn check(&self, what: &str) {
        fs::write(self.world.path().join("none.ndjson"), "").unwrap();
        self.world.qt("record run --input none.ndjson").assert().success();
        let mut found: BTreeMap<String, BTreeMap<u64, u64>> = BTreeMap::new();
        // Killed early, a catalog may be empty, which replay answers with an exit code of its own.
        let replayed = self.world.qt("replay --ordering warn").output().unwrap();
        assert!(matches!(replayed.status.code(), Some(0 | 5)), "{what}: {replayed:?}");
        for line in String::from_utf8(replayed.stdout).unwrap().lines() {
            let record: serde_json::Value = serde_json::from_str(line).unwrap();
            if let Some(seq) = record["seq"].as_u64() {
                let kind = record["k"].as_str().unwrap().to_owned();
                *found.entry(kind).or_default().entry(seq).or_default() += 1;
            }
        }
        for (table, found) in &found {
            let twice: Vec<_> = found.iter().filter(|(_, count)| **count > 1).collect();
            assert!(twice.is_empty(), "{what}: {table} records are there twice: {twice:?}");
        }
        for (table, acknowledged) in &self.acknowledged {
            let lost: Vec<_> = acknowledged
                .iter()
                .filter(|seq| !found.get(table).is_some_and(|found| found.contains_key(seq)))
                .collect();
            assert!(lost.is_empty(), "{what}: acknowledged {table} records are lost: {lost:?}");
        }
    }
}

/// Fifty kills over five catalogs; the moments differ from test to test.
fn fifty_kills(seed: u64, road: &str) {
    let mut longest = time_of_a_whole_session(road);
    let mut state = seed;
    for catalog in 0..5 {
        let mut target = Catalog::new();
        let mut killed = 0;
        for _ in 0..200 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let wait = longest.mul_f64((state >> 40) as f64 / f64::from(1_u32 << 24));
            let command = target.recorder(road);
            if target.record(command, Some(wait)) {
                killed += 1;
            } else {
                // It had ended before: what is quicker than it was is killed sooner.
                longest = longest.min(wait);
            }
            if killed == 10 {
                break;
            }
        }
        assert_eq!(killed, 10, "recorders that were killed before their end");
        target.check(&format!("seed {seed}, catalog {catalog}"));
    }
}

fn time_of_a_whole_session(road: &str) -> Duration {
    let mut target = Catalog::new();
    let command = target.recorder(road);
    let started = Instant::now();
    assert!(!target.record(command, None));
    let took = started.elapsed();
    assert_eq!(target.acknowledged.values().map(Vec::len).sum::<usize>() as u64, RECORDS);
    target.check("a whole session");
    took
}

#[test]
fn killed_fifty_times_on_the_direct_road() {
    fifty_kills(1, "direct");
}

#[test]
fn killed_fifty_more_times_on_the_direct_road() {
    fifty_kills(2, "direct");
}

#[test]
fn killed_fifty_times_on_the_road_through_the_log() {
    fifty_kills(3, "wal-first");
}

#[test]
fn killed_fifty_more_times_on_the_road_through_the_log() {
    fifty_kills(4, "wal-first");
}

#[test]
fn killed_at_each_named_point() {
    // The raw frames of a venue have their points too; a stream has none.
    let points = crash::POINTS.iter().filter(|point| !["raw.sync", "ledger.sync"].contains(*point));
    for point in points {
        for times in [1, 2] {
            let mut target = Catalog::new();
            let road = if *point == "store.cut" { "direct" } else { "wal-first" };
            let mut command = target.recorder(road);
            command.env("QT_CRASH_AT", format!("{point}:{times}"));
            let cut = target.record(command, None);
            assert!(cut || times == 2, "the recorder never passed {point}");
            // The next one may die at the same place while it mends what the first one left.
            let mut command = target.recorder(road);
            command.env("QT_CRASH_AT", point);
            target.record(command, None);
            target.check(&format!("{point}:{times}"));
        }
    }
}
