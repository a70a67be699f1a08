//! `kill -9` and servers that go away while recording into a database: every record that was
//! acknowledged is there, and none is there twice.

use std::collections::BTreeSet;
use std::io::Read;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::*;

/// Records of a session.
const RECORDS: u64 = 1_500;

/// A recorder that is run again and again, and what it said was safe.
struct Recording {
    world: World,
    road: &'static str,
    sessions: u64,
    safe: BTreeSet<u64>,
}

impl Recording {
    fn new(road: &'static str) -> Self {
        Self { world: World::new(), road, sessions: 0, safe: BTreeSet::new() }
    }

    /// Runs a session, or kills it after a while. Whether it was cut short.
    fn run(&mut self, url: &str, kill_after: Option<Duration>) -> bool {
        let first = self.sessions * RECORDS;
        fs::write(self.world.path().join("in.ndjson"), session(first, RECORDS)).unwrap();
        let road = self.road;
        let mut command = self.world.std(&format!(
            "record run --input in.ndjson --to clickhouse --acks --road {road} --part-records 400"
        ));
        command.env("QT_CLICKHOUSE_URL", url).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        if let Some(wait) = kill_after {
            // Not a wait for something to happen: any moment will do.
            std::thread::sleep(wait);
            let _ = kill_process(Pid::from_child(&child), Signal::KILL);
        }
        let mut acks = String::new();
        child.stdout.take().unwrap().read_to_string(&mut acks).unwrap();
        let status = child.wait().unwrap();
        for line in acks.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
            let ack: serde_json::Value = serde_json::from_str(line).unwrap();
            let of_table = match ack["table"].as_str().unwrap() {
                "trade" => trades(first, RECORDS),
                _ => fills(first, RECORDS),
            };
            let number = |key: &str| usize::try_from(ack[key].as_u64().unwrap()).unwrap();
            self.safe.extend(&of_table[number("first")..number("first") + number("count")]);
        }
        self.sessions += 1;
        status.code().is_none()
    }

    /// Starts once more with nothing to record, so that the log is loaded, and compares.
    fn check(&self, double: &Double) {
        fs::write(self.world.path().join("none.ndjson"), "").unwrap();
        qt(&self.world, double, "record run --input none.ndjson --to clickhouse")
            .assert()
            .success();
        let mut found = double.seqs(Kind::Trade);
        found.extend(double.seqs(Kind::Fill));
        let distinct: BTreeSet<u64> = found.iter().copied().collect();
        assert_eq!(distinct.len(), found.len(), "no record is there twice");
        let lost: Vec<_> = self.safe.difference(&distinct).collect();
        assert!(lost.is_empty(), "acknowledged records are lost: {lost:?}");
    }
}

fn kills(road: &'static str, mut state: u64) {
    let double = Double::start();
    let mut recording = Recording::new(road);
    let mut longest = Duration::from_secs(1);
    let mut killed = 0;
    while killed < 12 {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let wait = longest.mul_f64((state >> 40) as f64 / f64::from(1_u32 << 24));
        // Now and then an insert arrives and its answer does not.
        if state & 0x300 == 0 {
            double.fail("FORMAT Native", Fault::Mute, 1);
        }
        match recording.run(&double.url(), Some(wait)) {
            true => killed += 1,
            false => longest = longest.min(wait),
        }
        assert!(recording.sessions < 400, "recorders end before they are killed");
    }
    recording.check(&double);
}

#[test]
fn killed_on_the_direct_road() {
    kills("direct", 7);
}

#[test]
fn killed_on_the_road_through_the_log() {
    kills("wal-first", 8);
}

#[test]
fn a_whole_session_is_safe_and_there() {
    for road in ["direct", "wal-first"] {
        let double = Double::start();
        let mut recording = Recording::new(road);
        assert!(!recording.run(&double.url(), None));
        assert_eq!(recording.safe.len() as u64, RECORDS);
        recording.check(&double);
    }
}

#[test]
fn inserts_that_happened_without_an_answer_do_not_happen_again_from_the_log() {
    let double = Double::start();
    let mut recording = Recording::new("direct");
    // Each try arrives, none is answered: in the end the records go to the log.
    double.fail("INSERT INTO `q`.`trade`", Fault::Mute, 5);
    assert!(!recording.run(&double.url(), None));
    assert_eq!(recording.safe.len() as u64, RECORDS);
    recording.check(&double);
    assert!(double.repeats(Kind::Trade) >= 5, "{} repeats", double.repeats(Kind::Trade));
}

#[test]
fn a_server_that_was_away_gets_all_when_it_is_back() {
    let double = Double::start();
    let mut recording = Recording::new("direct");
    recording.run(&double.url(), None);
    double.set_down(true);
    recording.run(&double.url(), None);
    recording.run(&double.url(), Some(Duration::from_secs(2)));
    qt(&recording.world, &double, "store load").assert().code(4);
    double.set_down(false);
    let loaded = stderr(&mut qt(&recording.world, &double, "store load"));
    assert!(loaded.contains("records of"), "{loaded}");
    assert!(recording.safe.len() >= 2 * RECORDS as usize);
    recording.check(&double);
    let status = qt(&recording.world, &double, "record status").output().unwrap();
    assert!(status.status.success(), "{status:?}");
}
