//! `qt replay`: order, pace, cursors, encodings, and what it says of damage.

use std::fs;
use std::io::Write;

use predicates::prelude::*;
use predicates::str::{contains, starts_with};

use super::{market, member, records, replayed};
use crate::frame::{World, stderr, stdout};

const HEADER: &str = r#"{"k":"stream","schema":1,"qt":"0","instruments":[{"sym":"a:X","px_scale":2,"qty_scale":0}]}"#;

fn trade(ts: u64, seq: u64) -> String {
    format!(
        r#"{{"k":"trade","ts_event":{ts},"ts_recv":{ts},"sym":"a:X","px":1.5,"qty":2,"seq":{seq}}}"#
    )
}

#[test]
fn every_encoding_carries_the_same_records() {
    let world = market();
    let plain = replayed(&world, "");
    for format in ["ndjson", "arrow"] {
        let bytes = world.qt(&format!("replay -o {format}")).output().unwrap().stdout;
        let again = world.qt("replay --input - --verify").write_stdin(bytes).output().unwrap();
        assert!(again.status.success(), "{format}: {}", String::from_utf8_lossy(&again.stderr));
        assert_eq!(records(&String::from_utf8(again.stdout).unwrap()), records(&plain), "{format}");
    }
    let trades = replayed(&world, "--kinds trade");
    for name in ["t.parquet", "t.arrow", "t.csv", "t.ndjson"] {
        world.qt(&format!("replay --kinds trade --out {name}")).assert().success();
        let again = replayed(&world, &format!("--input {name} --verify"));
        assert_eq!(records(&again), records(&trades), "{name}");
    }
    world.qt("replay --out x.parquet").assert().code(2).stderr(contains("--kinds"));
    world.qt("replay --kinds trade --out t.csv").assert().code(2).stderr(contains("t.csv exists"));
}

#[test]
fn threads_and_batches_change_nothing() {
    let world = market();
    let expected = replayed(&world, "--threads 1");
    for threads in [2, 4] {
        assert_eq!(replayed(&world, &format!("--threads {threads}")), expected);
    }
    for size in [1, 7, 100_000] {
        let mut small = world.qt("replay");
        small.env("QT_STREAM_BATCH_RECORDS", size.to_string());
        assert_eq!(stdout(&mut small), expected, "batches of {size}");
    }
    world.qt("replay verify").assert().success().stdout(contains("passes equal"));
}

#[test]
fn a_cursor_goes_on_exactly_behind_its_record() {
    let world = market();
    let all = records(&replayed(&world, ""));
    for limit in [0, 1, 2, 3, 500, all.len() - 1, all.len()] {
        let head = replayed(&world, &format!("--limit {limit}"));
        let mut joined = records(&head);
        assert_eq!(joined.len(), limit);
        let Some(cursor) = member(head.lines().last().unwrap(), "cursor") else {
            assert_eq!(limit, 0, "only nothing has no place");
            continue;
        };
        joined.extend(records(&replayed(&world, &format!("--cursor {cursor}"))));
        assert!(joined == all, "resumed behind record {limit}");
    }
    world.qt("replay --cursor !").assert().code(2).stderr(contains("CURSOR_DECODE_FAILED"));
}

#[test]
fn several_files_merge_into_one_order() {
    let world = market();
    world.qt("replay --symbols AAA --out a.ndjson").assert().success();
    world.qt("replay --symbols BBB --out b.arrow").assert().success();
    let merged = replayed(&world, "--input a.ndjson b.arrow");
    assert_eq!(records(&merged), records(&replayed(&world, "")));
    let twice = world.qt("replay --input a.ndjson a.ndjson").assert().code(3);
    twice.stderr(contains("ORDERING_VIOLATION_DUPLICATE"));
}

#[test]
fn a_stream_out_of_order_is_an_error_unless_told() {
    let text = [
        HEADER,
        &trade(5, 0),
        &trade(4, 1),
        &trade(6, 2),
        r#"{"k":"end","records":3,"digest":"x"}"#,
    ];
    let world = World::new().with("x.ndjson", &text.join("\n"));
    let strict = world.qt("replay --input x.ndjson").assert().code(3);
    strict.stderr(
        contains("x.ndjson: ORDERING_VIOLATION_REGRESSION: record 1").and(contains("hint:")),
    );
    let warned = world.qt("replay --input x.ndjson --ordering warn").assert().code(0);
    warned.stderr(contains("1 records were out of order"));
}

#[test]
fn a_cut_stream_is_finished_and_exits_3() {
    let world = World::new().with("x.ndjson", &[HEADER, &trade(5, 0), &trade(6, 1)].join("\n"));
    let cut = world.qt("replay --input x.ndjson").assert().code(3);
    let output = cut.get_output();
    let stream = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(records(&stream).len(), 2);
    assert!(stream.lines().last().unwrap().contains(r#""stopped":"truncated input""#));
    cut.stderr(contains("no `end` record after 2 records").and(contains("--allow-truncated")));
    world.qt("replay --input x.ndjson --allow-truncated").assert().code(0).stderr("");
}

#[test]
fn bad_records_fail_are_skipped_or_put_aside() {
    let bad = r#"{"k":"trade","ts_recv":6,"sym":"a:X","px":1.505,"qty":2,"seq":7}"#;
    let text = [HEADER, &trade(5, 0), bad, &trade(7, 1), r#"{"k":"end","records":3,"digest":"x"}"#];
    let world = World::new().with("x.ndjson", &text.join("\n"));
    let failed = world.qt("replay --input x.ndjson").assert().code(3);
    let message = "qt: x.ndjson: line 3: field `px`: the number has more than 2 decimals, the scale of its instrument, found 1.505";
    failed.stderr(starts_with(message));
    let skipped = world.qt("replay --input x.ndjson --on-error skip").assert().code(0);
    let stream = String::from_utf8(skipped.get_output().stdout.clone()).unwrap();
    assert_eq!(records(&stream).len(), 2);
    assert_eq!(member(stream.lines().last().unwrap(), "skipped"), Some("1"));
    skipped.stderr(contains("1 records could not be read and were left out"));
    world.qt("replay --input x.ndjson --quarantine bad.ndjson").assert().code(0);
    let aside = fs::read_to_string(world.path().join("bad.ndjson")).unwrap();
    assert!(aside.contains("line 3") && aside.contains("1.505"), "{aside}");
}

#[test]
fn changed_records_are_found_by_verify_alone() {
    let world = market();
    let stream = replayed(&world, "--kinds trade");
    let bent = stream.replacen("\"side\":\"buy\"", "\"side\":\"sell\"", 1);
    assert_ne!(bent, stream);
    world.qt("replay --input -").write_stdin(bent.clone()).assert().code(0);
    let found = world.qt("replay --input - --verify").write_stdin(bent).assert().code(3);
    found.stderr(contains("the `end` record says xxh3:"));
    let mut lines: Vec<&str> = stream.lines().collect();
    lines.remove(3);
    let found =
        world.qt("replay --input - --verify").write_stdin(lines.join("\n")).assert().code(3);
    found.stderr(contains("records, "));
}

#[test]
fn unknown_kinds_and_fields_pass() {
    let strange = r#"{"k":"weather","ts_recv":5,"sky":{"blue":[true,null]}}"#;
    let known = r#"{"k":"trade","ts_event":6,"sym":"a:X","px":1.50,"qty":2,"mood":"good"}"#;
    let world = World::new().with("x.ndjson", &[strange, known, ""].join("\n"));
    let stream = replayed(&world, "--input x.ndjson");
    let lines = records(&stream);
    assert_eq!(lines[0], strange);
    assert_eq!(member(&lines[1], "ts_recv"), Some("1970-01-01T00:00:00.000000006Z"));
    let through_arrow = world.qt("replay --input x.ndjson -o arrow").output().unwrap().stdout;
    let back = world.qt("replay --input - --verify").write_stdin(through_arrow).output().unwrap();
    assert_eq!(records(&String::from_utf8(back.stdout).unwrap()), lines);
}

#[test]
fn a_closed_pipe_is_a_quiet_success() {
    let world = market();
    for format in ["ndjson", "arrow", "csv", "table"] {
        let mut child = world
            .std(&format!("replay -o {format}"))
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{format}");
        assert!(output.stderr.is_empty(), "{format}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn a_signal_drains_and_writes_the_end() {
    use rustix::process::{Pid, Signal, kill_process};
    use std::io::{BufRead, BufReader, Read};
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let world = market();
        let mut child = world
            .std("replay --speed realtime")
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        stdout.read_line(&mut first).unwrap();
        kill_process(Pid::from_child(&child), signal).unwrap();
        let mut rest = String::new();
        stdout.read_to_string(&mut rest).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code));
        let end = rest.lines().last().unwrap();
        assert!(end.contains(r#""k":"end""#) && end.contains(r#""stopped":"signal""#), "{end}");
        let again = world.qt("replay --input - --verify").write_stdin(first + &rest).assert();
        again.success();
    }
}

#[test]
fn pace_changes_no_record() {
    let world = market();
    let fast = replayed(&world, "--limit 200");
    assert_eq!(replayed(&world, "--limit 200 --speed 100000x"), fast);
    world.qt("replay --speed fast").assert().code(2).stderr(contains("realtime"));
    world.qt("replay --speed -1x").assert().code(2);
}

#[test]
fn what_is_no_stream_is_refused_by_name() {
    let world = World::new().with("x.txt", "hello\n").with("empty", "").with("mark", "ARROW1\0\0");
    world.qt("replay --input x.txt").assert().code(3).stderr(contains("x.txt: not a stream"));
    world.qt("replay --input mark").assert().code(3).stderr(contains("only Arrow streams"));
    world.qt("replay --input gone").assert().code(4).stderr(contains("gone: No such file"));
    world.qt("replay --input .").assert().code(3).stderr(contains("is a folder"));
    world.qt("replay --input empty").assert().code(0);
    let parquet = world.qt("replay --input -").write_stdin("PAR1 and so on").assert().code(3);
    parquet.stderr(contains("name the file instead"));
    world.qt("replay").assert().code(2).stderr(contains("there is no catalog at"));
}

#[test]
fn a_damaged_wrapping_is_named() {
    let world = market();
    let plain = replayed(&world, "--kinds trade");
    let mut gzip = flate2_like(&plain);
    gzip.truncate(gzip.len() / 2);
    fs::File::create(world.path().join("x.gz")).unwrap().write_all(&gzip).unwrap();
    let said = stderr(&mut world.qt("replay --input x.gz"));
    assert!(said.contains("x.gz") && said.contains("cut"), "{said}");
    world.qt("replay --input x.gz").assert().code(3);
}

/// gzip with stored blocks, which needs no library.
fn flate2_like(text: &str) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let chunks: Vec<&[u8]> = text.as_bytes().chunks(65_535).collect();
    for (at, chunk) in chunks.iter().enumerate() {
        out.push(u8::from(at + 1 == chunks.len()));
        let length = u16::try_from(chunk.len()).unwrap();
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend_from_slice(chunk);
    }
    out.extend([0; 8]);
    out
}
