//! A recorder that is told what to do by a file.

use crate::frame::{World, stderr, stdout};

const TRADES: &str = r#"{"k":"stream","schema":1,"instruments":[{"sym":"a:X","px_scale":2,"qty_scale":0}]}
{"k":"trade","ts_recv":"2024-08-08T00:00:00Z","sym":"a:X","px":1.00,"qty":1,"seq":0}
{"k":"trade","ts_recv":"2024-08-08T00:00:01Z","sym":"a:X","px":1.00,"qty":1,"seq":1}
{"k":"end","records":2,"digest":""}
"#;

/// The places at which records were first safe.
fn places(world: &World, args: &str) -> Vec<String> {
    let lines = stdout(&mut world.qt(&format!("{args} --input in.ndjson --acks")));
    let place = |line: &str| {
        let ack: serde_json::Value = serde_json::from_str(line).unwrap();
        format!("{} in the {}", ack["count"], ack["place"].as_str().unwrap())
    };
    lines.lines().map(place).collect()
}

#[test]
fn a_file_says_which_road_and_a_flag_comes_before_it() {
    for (file, flags, expected) in [
        ("", "", "2 in the catalog"),
        ("road = \"wal-first\"\n", "", "2 in the log"),
        ("[roads]\ntrade = \"wal-first\"\n", "", "2 in the log"),
        ("road = \"wal-first\"\n[roads]\ntrade = \"direct\"\n", "", "2 in the catalog"),
        ("road = \"wal-first\"\n", "--road direct", "2 in the catalog"),
    ] {
        let world = World::new().with("in.ndjson", TRADES).with("road.toml", file);
        let found = places(&world, &format!("record run road.toml {flags}"));
        assert_eq!(found, [expected], "{file} {flags}");
    }
}

#[test]
fn authorities_that_cannot_be_read_are_named() {
    let world = World::new().with("qt.toml", "ca_file = \"ca.pem\"\n").with("letter", "Dear sir");
    for (file, expected) in [
        (None, "ca_file: reading ca.pem: No such file"),
        (Some("letter"), "ca_file: reading letter: no certificate in it; expected PEM"),
    ] {
        for command in ["record run --venue binance --symbols X", "replay --input clickhouse://h/q"]
        {
            let mut run = world.qt(command);
            run.envs(file.map(|file| ("QT_CA_FILE", file)));
            let said = stderr(&mut run);
            run.assert().code(2);
            assert!(said.contains(expected), "`{expected}` in\n{said}");
        }
    }
}

#[test]
fn a_venue_that_is_not_there_is_said_once() {
    let world = World::new();
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let urls = format!("--rest-url http://127.0.0.1:{port} --ws-url ws://127.0.0.1:{port}");
    let mut run = world.qt(&format!("record run --venue binance --symbols X {urls}"));
    let said = stderr(&mut run);
    run.assert().code(4);
    assert_eq!(said.matches("refused").count(), 1, "{said}");
}

#[test]
fn all_mistakes_of_a_file_are_said_with_their_places() {
    let file = "venue = \"binanse\"\nsymbols = 7\nsteams = [\"trade\"]\nstreams = [\"trades\"]\n\
                raw = \"yes\"\nmetrics = \"here\"\nroad = \"long\"\npart_age_s = 0\n\
                part_records = 9999999\ndisk_full = true\n[roads]\ntrade = 1\ntrades = \"direct\"\n";
    let world = World::new().with("bad.toml", file);
    let mut run = world.qt("record run bad.toml");
    let said = stderr(&mut run);
    run.assert().code(2);
    for expected in [
        "bad.toml:1:9: venue: expected one of binance, binance-usdm, found \"binanse\"",
        "bad.toml:2:11: symbols: expected a list of names of the venue, found 7",
        "bad.toml:3:1: steams: there is no key `steams`; did you mean `streams`?",
        "bad.toml:4:11: streams: expected a list of trade, depth, quote, mark, found an array",
        "bad.toml:5:7: raw: expected true or false, found \"yes\"",
        "bad.toml:6:11: metrics: expected an address such as",
        "bad.toml:7:8: road: expected one of direct, wal-first, found \"long\"",
        "bad.toml:8:14: part_age_s: expected a whole number from 1 to 3600, found 0",
        "bad.toml:9:16: part_records: expected a whole number from 1 to 4194304, found 9999999",
        "bad.toml:10:13: disk_full: expected one of halt, degrade, drop, found true",
        "bad.toml:12:9: roads.trade: expected one of direct, wal-first, found 1",
        "bad.toml:13:1: roads.trades: there is no key `trades`; did you mean `trade`?",
    ] {
        assert!(said.contains(expected), "`{expected}` in\n{said}");
    }
}

#[test]
fn a_venue_needs_instruments_and_a_recorder_something_to_record() {
    let world = World::new().with("venue.toml", "venue = \"binance\"\n").with("none.toml", "");
    for (args, expected) in [
        ("record run venue.toml", "no instruments to record"),
        ("record run --venue binance", "no instruments to record"),
        ("record run none.toml", "nothing to record"),
        ("record run absent.toml", "absent.toml"),
    ] {
        let mut run = world.qt(args);
        let said = stderr(&mut run);
        assert!(said.contains(expected), "{args}: {said}");
        run.assert().code(2);
    }
}
