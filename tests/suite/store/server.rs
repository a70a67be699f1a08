//! Against a server: what comes back is what went in, and anybody reads it with plain SQL.
//!
//! `QT_TEST_CLICKHOUSE_URL` names one whose user may make databases. Without it these tests say that they
//! were skipped, and pass.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

/// A database of its own, which is dropped at the end.
struct Database {
    server: String,
    name: String,
}

impl Database {
    fn make() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let Some(server) = std::env::var("QT_TEST_CLICKHOUSE_URL").ok().filter(|it| !it.is_empty())
        else {
            eprintln!("skipped: QT_TEST_CLICKHOUSE_URL names no ClickHouse");
            return None;
        };
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        let name = format!("qt_test_{}_{number}", std::process::id());
        Some(Self { server: server.trim_end_matches('/').to_owned(), name })
    }

    fn qt(&self, world: &World, args: &str) -> Command {
        let mut command = world.qt(args);
        command.env("QT_CLICKHOUSE_URL", format!("{}/{}", self.server, self.name));
        command
    }

    /// What the server answers to a statement about this database, `db` in it.
    fn ask(&self, sql: &str) -> String {
        let sql = sql.replace("db.", &format!("`{}`.", self.name));
        let host = self.server.strip_prefix("http://").expect("the tests speak plain HTTP");
        let mut wire = TcpStream::connect(host).unwrap();
        let length = sql.len();
        write!(
            wire,
            "POST / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: \
             {length}\r\n\r\n{sql}"
        )
        .unwrap();
        let mut answer = String::new();
        wire.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
        if !head.to_lowercase().contains("chunked") {
            return body.to_owned();
        }
        let (mut rest, mut out) = (body, String::new());
        while let Some((size, after)) = rest.split_once("\r\n") {
            let size = usize::from_str_radix(size, 16).unwrap_or(0);
            out.push_str(&after[..size]);
            rest = after[size..].trim_start_matches("\r\n");
        }
        out
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.ask(&format!("DROP DATABASE IF EXISTS `{}`", self.name));
    }
}

fn end(stream: &str) -> serde_json::Value {
    serde_json::from_str(stream.lines().last().unwrap()).unwrap()
}

#[test]
fn a_replay_of_the_database_is_a_replay_of_the_catalog() {
    let Some(database) = Database::make() else { return };
    let world = World::new();
    let market =
        "synth --seed 5 --symbols binance:BTCUSDT,kraken:XBT/USD,binance:PEPEUSDT --hours 0.2";
    world.qt(&format!("{market} --to catalog")).assert().success();
    database.qt(&world, &format!("{market} --to clickhouse")).assert().success();
    for part in [
        "",
        "--kinds trade",
        "--kinds depth,quote --symbols PEPEUSDT",
        "--symbols kraken:*",
        "--from 2024-01-01T00:03:00Z --to 2024-01-01T00:04:00Z",
    ] {
        let here = end(&stdout(&mut world.qt(&format!("replay {part}"))));
        let args = format!("replay {part} --input clickhouse://");
        let there = end(&stdout(&mut database.qt(&world, &args)));
        assert_eq!(here, there, "{part}");
        assert!(here["records"].as_u64().unwrap() > 100, "{part}: {here}");
    }
    database.qt(&world, "replay verify --input clickhouse:// --kinds trade").assert().success();
}

#[test]
fn sql_reads_exact_decimals() {
    let Some(database) = Database::make() else { return };
    let world = World::new();
    let market = "synth --seed 6 --symbols binance:BTCUSDT,binance:PEPEUSDT --events 20000";
    world.qt(&format!("{market} --out m.ndjson")).assert().success();
    database.qt(&world, "store add --input m.ndjson").assert().success();
    let mut sum = rust_decimal::Decimal::ZERO;
    let mut count = 0;
    for line in fs::read_to_string(world.path().join("m.ndjson")).unwrap().lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        if record["k"] == "trade" {
            let number = |key: &str| -> rust_decimal::Decimal {
                record[key].to_string().trim_matches('"').parse().unwrap()
            };
            sum += number("px") + number("qty");
            count += 1;
        }
    }
    let answer = database.ask("SELECT count(), toString(sum(px) + sum(qty)) FROM db.trade");
    let (rows, total) = answer.trim_end().split_once('\t').unwrap();
    assert_eq!(rows, count.to_string());
    assert_eq!(total.parse::<rust_decimal::Decimal>().unwrap(), sum);
    let levels = database.ask("SELECT min(length(bids_px) = length(bids_qty)) FROM db.depth");
    assert_eq!(levels.trim_end(), "1");
}

#[test]
fn a_second_time_adds_nothing() {
    let Some(database) = Database::make() else { return };
    let world = World::new().with("in.ndjson", &session(0, 900));
    for _ in 0..2 {
        database.qt(&world, "store add --input in.ndjson").assert().success();
    }
    // The server knows a block by its name, even where the table of names has forgotten it.
    database.ask("TRUNCATE TABLE db._wal_dedup");
    let again = stderr(&mut database.qt(&world, "store add --input in.ndjson"));
    assert!(again.contains("has trade records of a:X from"), "{again}");
    database.qt(&world, "record run --input in.ndjson --to clickhouse").assert().success();
    assert_eq!(database.ask("SELECT count() FROM db.fill").trim_end(), "300");
}

#[test]
fn the_tables_say_what_they_keep() {
    let Some(database) = Database::make() else { return };
    let world = World::new().with("in.ndjson", &session(0, 30));
    database.qt(&world, "store add --input in.ndjson").assert().success();
    let listed = stdout(&mut database.qt(&world, "--json store ls"));
    let first: serde_json::Value = serde_json::from_str(listed.lines().next().unwrap()).unwrap();
    assert_eq!((&first["kind"], &first["symbol"]), (&"trade".into(), &"a:X".into()));
    let kept = stdout(&mut database.qt(&world, "--json store retention"));
    for line in kept.lines() {
        let table: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!((&table["ttl"], &table["expired"]), (&"yes".into(), &0.into()), "{line}");
    }
    // Loaded long ago, as far as the table knows.
    database.ask(
        "ALTER TABLE db.trade UPDATE loaded_at = now() - toIntervalDay(200) WHERE seq < 9 SETTINGS \
         mutations_sync = 1",
    );
    let said = stdout(&mut database.qt(&world, "store retention"));
    assert!(said.contains("trade"), "{said}");
    database.qt(&world, "store retention --apply").assert().success();
    database.qt(&world, "replay --input clickhouse:// --kinds trade").assert().success();
}

#[test]
fn what_a_recorder_wrote_comes_back_in_order() {
    let Some(database) = Database::make() else { return };
    let world = World::new().with("in.ndjson", &session(0, 3_000));
    let args = "record run --input in.ndjson --to clickhouse --part-records 500";
    database.qt(&world, args).assert().success();
    let replayed = stdout(&mut database.qt(&world, "replay --input clickhouse://"));
    assert_eq!(end(&replayed)["records"], 3_000);
    let seqs: Vec<u64> = replayed
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["seq"].as_u64())
        .collect();
    assert_eq!(seqs, (0..3_000).collect::<Vec<_>>());
}

/// Files of vendors with books by price and by order, bars, quotes, definitions, and days that change.
const FILES: [&str; 8] = [
    "databento-dbn/futures_mbp-1_2024-07-01T23-58_2024-07-02T00-02.dbn.zst",
    "databento-dbn/orderbooks_mbo_2024-05-08T00-00-00_2024-05-08T00-00-02.dbn.zst",
    "databento-dbn/orderbooks_definition.dbn.zst",
    "bars/6EH4.XCME_1min_bars_20240101_20240131.csv.gz",
    "truefx/usdjpy-ticks.csv",
    "cryptofeed-ws/BYBIT.ws.25.0",
    "bybit-ob500/xrpusdt-ob500.data.zip",
    "itch50/ex20101224.TEST_ITCH_50.gz",
];

#[test]
fn what_vendors_sell_comes_back_with_the_digest_that_the_catalog_has() {
    for file in FILES {
        let Some(database) = Database::make() else { return };
        let Some(path) = crate::import::data(file) else { return };
        let (world, path) = (World::new(), path.display().to_string());
        world.qt(&format!("record import {path}")).assert().success();
        database.qt(&world, &format!("record import {path} --to clickhouse")).assert().success();
        let here = end(&stdout(&mut world.qt("replay")));
        let there = end(&stdout(&mut database.qt(&world, "replay --input clickhouse://")));
        assert_eq!(here, there, "{file}");
    }
}

#[test]
fn grades_are_kept_and_the_last_word_counts() {
    let Some(database) = Database::make() else { return };
    let world = World::new()
        .with("in.ndjson", &session(0, 90))
        .with("data/quality/2024-08-08.jsonl", &grades::ledger(3));
    database.qt(&world, "store add --input in.ndjson").assert().success();
    database.qt(&world, "replay --input clickhouse://").assert().success();
    database.qt(&world, "store load").assert().success();
    let grade = || database.ask("SELECT argMax(grade, said_at) FROM db._grades WHERE venue = 'a'");
    assert_eq!(grade().trim_end(), "bad");
    database.qt(&world, "replay --input clickhouse://").assert().code(1);
    // Looked at by itself, the little that there is of the day is in order.
    database.qt(&world, "check --grade --input clickhouse://").assert().success();
    assert_eq!(grade().trim_end(), "partial");
    database.qt(&world, "store load").assert().success();
    assert_eq!(grade().trim_end(), "bad", "said again after something else was said");
    database.qt(&world, "replay --date 2024-08-07 --input clickhouse://").assert().code(5);
}
