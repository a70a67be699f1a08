//! What other people's tools read in our files: DuckDB, Polars, pyarrow, orjson and jq, without
//! options. Where a tool is not installed, its test says so and passes.

#![expect(clippy::unwrap_used, reason = "helpers of tests may stop where they stand, like tests")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::frame::{World, stdout};
use crate::pipes::{member, records, replayed};

/// The interpreter that has the readers, if there is one.
pub(crate) fn python() -> Option<PathBuf> {
    let named = std::env::var_os("QT_TEST_PYTHON").map(PathBuf::from);
    let local = Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/bin/python");
    let found = named.or(Some(local)).filter(|path| path.exists());
    if found.is_none() {
        eprintln!("skipped: no Python with the readers; scripts/setup-python makes one");
    }
    found
}

/// Trades and depth of three scales, whose prices and sizes need every digit.
fn world() -> World {
    let world = World::new();
    world.qt("synth --seed 11 --events 30000 --to catalog").assert().success();
    for (file, args) in [
        ("trades.parquet", "--kinds trade --symbols BTCUSDT"),
        ("trades.arrow", "--kinds trade --symbols BTCUSDT"),
        ("trades.ndjson", "--kinds trade --symbols BTCUSDT"),
        ("depth.parquet", "--kinds depth --symbols PEPEUSDT"),
        ("mixed.parquet", "--kinds trade"),
        ("mixed.arrow", "--kinds trade"),
    ] {
        world.qt(&format!("replay {args} --out {file}")).assert().success();
    }
    world
}

/// The exact sum of decimal texts: digits behind the point and all of them as one number.
fn sum(texts: impl Iterator<Item = String>) -> rust_decimal::Decimal {
    texts.map(|text| text.parse::<rust_decimal::Decimal>().unwrap()).sum()
}

#[test]
fn other_tools_read_our_files_exactly() {
    let Some(python) = python() else { return };
    let world = world();
    let trades = records(&replayed(&world, "--kinds trade --symbols BTCUSDT"));
    let all = records(&replayed(&world, "--kinds trade"));
    let expected = |lines: &[String], name: &str| {
        sum(lines.iter().map(|line| member(line, name).unwrap().to_owned()))
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/interop.py");
    let files = [
        "trades.parquet",
        "trades.arrow",
        "trades.ndjson",
        "depth.parquet",
        "mixed.parquet",
        "mixed.arrow",
    ];
    let output = Command::new(python).arg(script).arg(world.path()).args(files).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let mut seen = BTreeMap::new();
    for line in said.lines() {
        let answer: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| answer[key].as_str().unwrap_or_default().to_owned();
        let (reader, file) = (text("reader"), text("file"));
        *seen.entry(file.clone()).or_insert(0) += 1;
        let of = |name: &str| -> rust_decimal::Decimal {
            answer["sums"][name].as_str().unwrap_or_else(|| panic!("{line}")).parse().unwrap()
        };
        let lines = match file.as_str() {
            "trades.parquet" | "trades.arrow" | "trades.ndjson" => &trades,
            "mixed.parquet" | "mixed.arrow" => &all,
            // Levels are rows of their own; that sums are there says that decimals were read.
            "depth.parquet" => {
                assert!(of("px") > rust_decimal::Decimal::ZERO, "{line}");
                continue;
            }
            other => panic!("an answer about {other}"),
        };
        for name in ["px", "qty"] {
            assert_eq!(of(name), expected(lines, name), "{reader} reads {file}");
        }
        if file.ends_with(".parquet") {
            assert_eq!(answer["rows"], lines.len(), "{reader} reads {file}");
        }
    }
    assert_eq!(seen.len(), files.len(), "{seen:?}");
}

#[test]
fn jq_reads_and_filters_our_lines() {
    if Command::new("jq").arg("--version").output().is_err() {
        eprintln!("skipped: no jq");
        return;
    }
    let world = world();
    let stream = replayed(&world, "--kinds trade --symbols BTCUSDT");
    std::fs::write(world.path().join("x.ndjson"), &stream).unwrap();
    let filter = r#"select(.k == "trade" and .side == "buy")"#;
    let output = Command::new("jq")
        .args(["-c", filter, "x.ndjson"])
        .current_dir(world.path())
        .output()
        .unwrap();
    assert!(output.status.success());
    // What jq lets through is a stream again, without header and end.
    let back = stdout(world.qt("replay --input -").write_stdin(output.stdout));
    let bought = |line: &&String| member(line, "side") == Some("buy");
    let expected = records(&stream).iter().filter(bought).count();
    assert_eq!(records(&back).len(), expected);
}

/// Bars of a price that walks, as lines.
fn bars(count: u64) -> String {
    let mut lines = String::new();
    let mut state = 7_u64;
    let mut next = |below: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut close = 1_000_000;
    for minute in 0..count {
        let open = close;
        // Never unchanged: without changes the peers disagree on what an index is.
        close = open + 1 + next(400) - 200 - u64::from(next(2) == 0) * 2;
        let (high, low) = (open.max(close) + next(50), open.min(close) - next(50));
        let volume = 1 + next(5_000);
        let price = |cents: u64| format!("{}.{:02}", cents / 100, cents % 100);
        let (start, end) = (minute * 60_000_000_000, (minute + 1) * 60_000_000_000);
        let (open, high, low, close) = (price(open), price(high), price(low), price(close));
        lines.push_str(&format!(
            r#"{{"k":"bar","ts_event":{end},"ts_recv":{end},"sym":"x:A","clock":"time","step":60000000000,"open_ts":{start},"open":{open},"high":{high},"low":{low},"close":{close},"volume":{volume},"seq":{minute}}}"#
        ));
        lines.push('\n');
    }
    lines
}

#[test]
fn features_equal_those_of_other_libraries() {
    let Some(python) = python() else { return };
    let has = |module: &str| {
        let import = Command::new(&python).args(["-c", &format!("import {module}")]).output();
        import.is_ok_and(|output| output.status.success())
    };
    if !has("talib") {
        eprintln!("skipped: no TA-Lib; scripts/setup-python installs it");
        return;
    }
    let world = World::new();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/features.py");
    let list = Command::new(&python).arg(&script).arg("--list").output().unwrap().stdout;
    let list = String::from_utf8(list).unwrap();
    std::fs::write(world.path().join("bars.ndjson"), bars(3_000)).unwrap();
    let mut command = world.qt("features --only -i bars.ndjson --out rows.ndjson");
    command.args(["-f", list.trim()]).assert().success();
    let files = ["rows.ndjson", "bars.ndjson"].map(|file| world.path().join(file));
    let output = Command::new(python).arg(script).args(files).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.lines().count() >= 20, "{said}");
}

#[test]
fn wide_tables_of_features_are_plain_tables() {
    let Some(python) = python() else { return };
    let world = World::new();
    world.qt("synth --seed 5 --events 6000 --symbols sim:A,sim:B --to catalog").assert().success();
    let flags = "features --date 2024-01-01 --set core15 --labels dir_1s,fwd_1s";
    let rows = stdout(&mut world.qt(&format!("{flags} --only")));
    let rows = records(&rows);
    let features: Vec<&String> = rows.iter().filter(|it| it.contains(r#""k":"feature""#)).collect();
    assert!(features.len() > 1_000);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/wide.py");
    for file in ["wide.parquet", "wide.csv"] {
        world.qt(&format!("{flags} --layout wide --out {file}")).assert().success();
        let read =
            Command::new(&python).arg(&script).arg(world.path().join(file)).output().unwrap();
        assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
        let seen: serde_json::Value = serde_json::from_slice(&read.stdout).unwrap();
        assert_eq!(seen["rows"], features.len(), "{file}");
        let columns = seen["columns"].as_array().unwrap();
        assert_eq!(columns.len(), 6 + 15 + 2);
        assert_eq!(
            (&columns[2], &columns[6], &columns[22]),
            (&"sym".into(), &"mid_price".into(), &"fwd_1s".into())
        );
        // The sum of the first feature, and how many labels have a value.
        let first = |line: &&String| -> f64 {
            let list = line.split_once("\"values\":[").unwrap().1;
            list.split([',', ']']).next().unwrap().parse().unwrap_or(0.0)
        };
        let expected: f64 = features.iter().map(first).sum();
        let found = seen["values"]["mid_price"][1].as_f64().unwrap();
        assert!((found - expected).abs() <= 1e-9 * expected, "{file}: {found} {expected}");
        let labels = rows.iter().filter(|it| it.contains(r#""name":"fwd_1s""#));
        let known = labels.filter(|it| member(it, "value").is_some()).count();
        assert_eq!(seen["values"]["fwd_1s"][0], known, "{file}");
    }
    let refused = world.qt(&format!("{flags} --layout wide -o arrow")).assert().code(2);
    refused.stderr(predicates::str::contains("Parquet or CSV"));
}
