//! Records in ClickHouse: against a double that checks what is sent and fails on request, and against a
//! real server where one is named by `QT_TEST_CLICKHOUSE_URL`, such as http://localhost:8123.

#![expect(clippy::unwrap_used, reason = "helpers of tests may stop where they stand, like tests")]

mod double;
mod failures;
mod grades;
mod kill;
mod server;
mod wire;

use std::fmt::Write as _;
use std::fs;

use assert_cmd::Command;
use qt::model::record::Kind;

use crate::frame::{World, stderr, stdout};
use double::{Double, Fault};

/// A stream of trades and fills whose numbers nobody else has.
fn session(first: u64, records: u64) -> String {
    let mut text = String::from(
        r#"{"k":"stream","schema":1,"instruments":[{"sym":"a:X","px_scale":2,"qty_scale":0},{"sym":"a:Y","px_scale":4,"qty_scale":0}]}"#,
    );
    text.push('\n');
    for seq in first..first + records {
        let ts = 1_723_075_200_000_000_000 + seq * 1_000_000;
        let sym = if seq.is_multiple_of(2) { "a:X" } else { "a:Y" };
        let own = match is_fill(seq) {
            true => format!(r#""k":"fill","fill_id":"f{seq}","side":"buy""#),
            false => r#""k":"trade""#.to_owned(),
        };
        writeln!(text, r#"{{{own},"ts_recv":{ts},"sym":"{sym}","px":1.25,"qty":1,"seq":{seq}}}"#)
            .unwrap();
    }
    writeln!(text, r#"{{"k":"end","records":{records},"digest":""}}"#).unwrap();
    text
}

fn is_fill(seq: u64) -> bool {
    seq % 3 == 2
}

fn trades(first: u64, records: u64) -> Vec<u64> {
    (first..first + records).filter(|seq| !is_fill(*seq)).collect()
}

fn fills(first: u64, records: u64) -> Vec<u64> {
    (first..first + records).filter(|seq| is_fill(*seq)).collect()
}

fn sorted(mut seqs: Vec<u64>) -> Vec<u64> {
    seqs.sort_unstable();
    seqs
}

fn qt(world: &World, double: &Double, args: &str) -> Command {
    let mut command = world.qt(args);
    command.env("QT_CLICKHOUSE_URL", double.url());
    command
}

#[test]
fn what_is_added_is_there_once_however_often_it_is_added() {
    let double = Double::start();
    let world = World::new().with("in.ndjson", &session(0, 900));
    qt(&world, &double, "store add --input in.ndjson").assert().success();
    assert_eq!(double.seqs(Kind::Trade), trades(0, 900));
    assert_eq!(double.seqs(Kind::Fill), fills(0, 900));
    for settings in double.settings("trade") {
        assert_eq!(settings["async_insert"], "0");
        assert_eq!(settings["insert_deduplicate"], "1");
        assert_eq!(settings["insert_deduplication_token"].len(), 64);
        assert_eq!(settings["decompress"], "1");
        assert!(!settings.contains_key("database"), "tables are named in full");
    }
    // Known by their hashes, the blocks are not even sent.
    let said = stderr(&mut qt(&world, &double, "store add --input in.ndjson"));
    assert!(said.contains("2 blocks were there already"), "{said}");
    assert_eq!(double.settings("trade").len(), 1);
}

#[test]
fn an_import_that_was_cut_short_goes_on_where_it_ended() {
    let double = Double::start();
    let world = World::new().with("in.ndjson", &session(0, 900));
    // The trades arrive, and nobody hears of it.
    double.fail("INSERT INTO `q`.`trade`", Fault::Mute, 1);
    qt(&world, &double, "store add --input in.ndjson").assert().code(4);
    assert_eq!((double.blocks(Kind::Trade), double.blocks(Kind::Fill)), (1, 0));
    qt(&world, &double, "store add --input in.ndjson").assert().success();
    assert_eq!((double.seqs(Kind::Trade), double.repeats(Kind::Trade)), (trades(0, 900), 1));
    assert_eq!(double.seqs(Kind::Fill), fills(0, 900));
}

#[test]
fn other_records_of_a_time_that_is_covered_are_refused() {
    let double = Double::start();
    let world = World::new().with("a.ndjson", &session(0, 90)).with("b.ndjson", &session(60, 90));
    qt(&world, &double, "store add --input a.ndjson").assert().success();
    let mut again = qt(&world, &double, "store add --input b.ndjson");
    let said = stderr(&mut again);
    again.assert().code(2);
    assert!(said.contains("has trade records of a:X from 2024-08-08T00:00:00.0"), "{said}");
    assert_eq!(double.seqs(Kind::Trade), trades(0, 90));
    let world = world.with("c.ndjson", &session(90, 90));
    qt(&world, &double, "store add --input c.ndjson").assert().success();
    assert_eq!(double.seqs(Kind::Trade), trades(0, 180));
}

#[test]
fn both_sinks_get_all_and_each_says_so() {
    let double = Double::start();
    let world = World::new().with("in.ndjson", &session(0, 3_000));
    let said = stdout(&mut qt(&world, &double, "record run --input in.ndjson --acks"));
    let mut safe = std::collections::BTreeMap::<String, u64>::new();
    for line in said.lines() {
        let ack: serde_json::Value = serde_json::from_str(line).unwrap();
        let place = ack["place"].as_str().unwrap().to_owned();
        *safe.entry(place).or_default() += ack["count"].as_u64().unwrap();
    }
    let expected =
        [("catalog", 2_000), ("clickhouse", 2_000), ("clickhouse-log", 1_000), ("log", 1_000)];
    assert_eq!(safe, expected.map(|(place, count)| (place.to_owned(), count)).into());
    assert_eq!(sorted(double.seqs(Kind::Trade)), trades(0, 3_000));
    assert_eq!(sorted(double.seqs(Kind::Fill)), fills(0, 3_000));
    let replayed = stdout(&mut world.qt("replay --kinds trade"));
    assert_eq!(replayed.lines().count(), 2_000 + 2);
}

#[test]
fn the_catalog_alone_or_the_database_alone() {
    let double = Double::start();
    let world = World::new().with("in.ndjson", &session(0, 30));
    qt(&world, &double, "record run --input in.ndjson --to catalog").assert().success();
    assert_eq!(double.blocks(Kind::Trade), 0);
    qt(&world, &double, "--data other record run --input in.ndjson --to clickhouse")
        .assert()
        .success();
    assert_eq!(double.seqs(Kind::Trade), trades(0, 30));
    assert!(!world.path().join("other/trade").exists());
    let world = World::new()
        .with("in.ndjson", &session(30, 30))
        .with("r.toml", "to = [\"clickhouse\"]\nroad = \"wal-first\"\n");
    qt(&world, &double, "record run r.toml --input in.ndjson").assert().success();
    assert_eq!(sorted(double.seqs(Kind::Trade)), trades(0, 60));
}

#[test]
fn statements_can_be_read_before_they_are_made() {
    let world = World::new();
    let mut command = world.qt("store create --dry-run");
    command.env("QT_CLICKHOUSE_URL", "http://nowhere.invalid:8123/q");
    let statements = stdout(&mut command);
    assert!(statements.starts_with("CREATE DATABASE IF NOT EXISTS `q`;\n"), "{statements}");
    for part in [
        "CREATE TABLE IF NOT EXISTS `q`.`_wal_dedup`",
        "CREATE TABLE IF NOT EXISTS `q`.`depth`",
        "CREATE VIEW IF NOT EXISTS `q`.`ohlcv_1m`",
        "`bids_px_scaled` Array(Int64)",
        "TTL loaded_at + toIntervalDay(183)",
        "ENGINE = ReplacingMergeTree",
    ] {
        assert!(statements.contains(part), "{part}");
    }
    assert!(!statements.contains("Float32"));
}

#[test]
fn a_synthetic_market_goes_straight_into_the_database() {
    let double = Double::start();
    let world = World::new();
    let args = "synth --seed 1 --events 500 --symbols a:X --to clickhouse";
    qt(&world, &double, args).assert().success();
    assert_eq!(double.blocks(Kind::Depth), 1);
    fs::write(world.path().join("t.csv"), "time,price\n").unwrap();
    let refused = stderr(&mut qt(&world, &double, "record import t.csv --to clickhouse -o ndjson"));
    assert!(refused.contains("--to catalog or clickhouse writes no stream"), "{refused}");
}
