//! `qt record import` and `qt record formats`, as a user meets them.

use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;

use crate::frame::{World, stdout};

const TRADES: &str = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n\
    bitmex,XBTUSD,1583020803145000,1583020803307160,7,sell,8531.5,2152\n\
    bitmex,XBTUSD,1583020803276000,1583020803336743,8,buy,8532,1\n";
const QUOTES: &str = "timestamp,bid,ask\n2013-01-01 22:00:00.295000+00:00,86.655,86.728\n";

fn records(stream: &str) -> Vec<&str> {
    let is_record =
        |line: &&str| !line.contains(r#""k":"stream""#) && !line.contains(r#""k":"end""#);
    stream.lines().filter(is_record).collect()
}

#[test]
fn files_go_to_the_catalog_or_to_a_stream() {
    let world = World::new().with("in/t.csv", TRADES).with("in/usdjpy.csv", QUOTES);
    let stream = stdout(&mut world.qt("record import in -o ndjson"));
    assert_eq!(records(&stream).len(), 3);
    assert!(records(&stream)[0].contains("truefx:USDJPY"), "{stream}");
    assert_eq!(stdout(&mut world.qt("record import in --to stream")), stream);
    world.qt("record import in").assert().success().stderr(contains("3 records in 2 files"));
    let listed = stdout(&mut world.qt("catalog ls"));
    assert!(listed.contains("bitmex:XBTUSD") && listed.contains("truefx:USDJPY"), "{listed}");
    let meta = "data/trade/venue=bitmex/symbol=XBTUSD/date=2020-03-01/meta.json";
    let meta = std::fs::read_to_string(world.path().join(meta)).unwrap();
    let meta: serde_json::Value = serde_json::from_str(&meta).unwrap();
    let origin = &meta["files"][0]["provenance"];
    assert_eq!((origin["source"].as_str(), origin["files"].as_str()), (Some("import"), Some("2")));
    // A second time it is there already.
    world.qt("record import in").assert().code(2).stderr(contains("--force"));
    world.qt("record import in --force").assert().success();
    assert_eq!(stdout(&mut world.qt("catalog ls")), listed);
    // What was written replays with a good digest.
    let replayed = stdout(&mut world.qt("replay"));
    World::new().qt("replay --input - --verify").write_stdin(replayed).assert().success();
}

#[test]
fn a_pipe_gives_what_the_file_gives() {
    let world = World::new().with("t.csv", TRADES);
    let of_file = stdout(&mut world.qt("record import t.csv -o ndjson"));
    let of_pipe = stdout(world.qt("record import - -o ndjson").write_stdin(TRADES));
    assert_eq!(records(&of_file), records(&of_pipe));
    assert_eq!(records(&of_file).len(), 2);
}

#[test]
fn a_dry_run_says_what_it_would_do_and_does_nothing() {
    let world = World::new().with("t.csv", TRADES);
    let said = "would import t.csv: tardis from 2020-03-01T00:00:03.307160000Z on";
    world.qt("record import t.csv --dry-run").assert().success().stderr(contains(said));
    assert!(!world.path().join("data").exists());
}

/// Found by chance: a name that promises candles, and lines that are none.
#[test]
fn candles_with_too_few_columns_are_refused() {
    let name = "ADABTC-1m-2021-11-27.csv";
    let few = "candles have 11 or 12 columns";
    for (text, said) in
        [("+\n", few), ("1,2\n", few), ("open_time,open\n1,2\n", "no column `high`")]
    {
        let world = World::new().with(name, text);
        let said = contains(name).and(contains(said));
        world.qt(&format!("record import {name} --format binance")).assert().code(3).stderr(said);
    }
}

#[test]
fn what_is_unknown_unclear_or_contradicted_is_usage() {
    let world = World::new()
        .with("t.csv", TRADES)
        .with("notes.txt", "hello\n")
        .with("bad.toml", "kind = \"trade\"\n[columns]\npx = \"price\"\n")
        .with("mixed/t.csv", TRADES)
        .with("mixed/readme.md", "# hello\n")
        .with("A_2012-06-21_1_2_orderbook_10.csv", "1,2,3,4\n");
    let refused = |args: &str, said: &str, hint: &str| {
        let both = contains(said).and(contains(hint));
        world.qt(&format!("record import {args}")).assert().code(2).stderr(both);
    };
    refused("notes.txt", "not recognised as any format", "--map");
    refused("notes.txt --map bad.toml", "bad.toml: ", "missing field `time`");
    refused("t.csv --format lobster", "is of format tardis, not lobster", "--format tardis");
    refused("t.csv --format tardy", "no such format", "did you mean `tardis`");
    refused("A_2012-06-21_1_2_orderbook_10.csv", "belongs to another file", "folder");
    refused("t.csv --px-scale 19", "--px-scale", "0 to 18");
    refused("t.csv --date tomorrow", "--date", "a day");
    refused("t.csv --to catalog -o ndjson", "--to catalog", "leave out");
    refused("t.csv --kinds trad", "no such kind", "trade");
    let said = "1 files of no known format were left out, the first: mixed/readme.md";
    world.qt("record import mixed").assert().success().stderr(contains(said));
}

#[test]
fn damaged_input_is_3_and_what_is_whole_is_written() {
    let cut = format!("{TRADES}bitmex,XBT");
    let world =
        World::new().with("cut.csv", &cut).with("bad.csv", &TRADES.replace("8532", "8532x"));
    let said = "cut.csv: line 4: the stream is cut";
    let found = world.qt("record import cut.csv -o ndjson").assert().code(3).stderr(contains(said));
    let stream = String::from_utf8(found.get_output().stdout.clone()).unwrap();
    assert_eq!(records(&stream).len(), 2);
    world.qt("record import cut.csv --allow-truncated -o ndjson").assert().success();
    let said = "bad.csv: line 3: field `price`: expected a decimal number, found 8532x";
    world.qt("record import bad.csv -o ndjson").assert().code(3).stderr(contains(said));
    let skipped = world.qt("record import bad.csv -o ndjson --on-error skip").assert().success();
    let stream = String::from_utf8(skipped.get_output().stdout.clone()).unwrap();
    assert!(stream.contains(r#""skipped":1"#), "{stream}");
}

#[test]
fn kinds_can_be_chosen_and_written_in_any_encoding() {
    let world = World::new().with("t.csv", TRADES);
    world.qt("record import t.csv --kinds trade --out t.parquet").assert().success();
    let stream = stdout(&mut world.qt("replay --input t.parquet"));
    assert_eq!(records(&stream).len(), 2);
    assert_eq!(
        records(&stdout(&mut world.qt("record import t.csv --kinds quote -o ndjson"))).len(),
        0
    );
}

#[test]
fn formats_are_listed_with_an_example_each() {
    let world = World::new();
    let listed = stdout(&mut world.qt("record formats --json"));
    let formats: Vec<serde_json::Value> =
        listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut names: Vec<&str> = formats.iter().map(|it| it["format"].as_str().unwrap()).collect();
    assert!(
        formats.iter().all(|it| it["example"].as_str().unwrap().starts_with("qt record import "))
    );
    for name in ["tardis", "binance", "databento", "lobster", "itch", "dukascopy", "lean", "map"] {
        assert!(names.contains(&name), "{name}");
    }
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "no two formats have one name");
}
