//! `qt features`: rows behind their causes, the same by every road.

use std::fs;

use predicates::str::contains;

use super::{market, member, records, replayed};
use crate::frame::{World, stdout};

const LIST: &str = "ema(mid,20), z(imbalance,50), spread > sma(spread,50), vwap(20), cum(ofi)";

fn features(world: &World, args: &[&str], input: &str) -> String {
    let mut command = world.qt("features");
    let output = command.args(args).write_stdin(input.to_owned()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn each_row_stands_behind_the_record_that_caused_it() {
    let world = market();
    let stream = replayed(&world, "");
    let with = features(&world, &["-f", LIST], &stream);
    let lines = records(&with);
    let is_row = |line: &String| line.starts_with(r#"{"k":"feature""#);
    let rows = lines.iter().filter(|line| is_row(line)).count();
    let causes = records(&stream);
    let of = |kind: &str| {
        let mark = format!("{{\"k\":\"{kind}\"");
        causes.iter().filter(|line| line.starts_with(&mark)).count()
    };
    assert_eq!(rows, of("quote") + of("trade"));
    for pair in lines.windows(2).filter(|pair| is_row(&pair[1])) {
        for name in ["ts_event", "ts_recv", "sym", "seq"] {
            assert_eq!(member(&pair[0], name), member(&pair[1], name), "{pair:?}");
        }
    }
    let passed: Vec<_> = lines.into_iter().filter(|line| !is_row(line)).collect();
    assert_eq!(passed, causes, "all else passes as it came");
    world.qt("replay --verify -i -").write_stdin(with).assert().success();
}

#[test]
fn pipes_files_encodings_batches_and_threads_give_the_same_rows() {
    let world = market();
    let stream = replayed(&world, "");
    let expected = features(&world, &["--only", "--set", "core15"], &stream);
    fs::write(world.path().join("day.ndjson"), &stream).unwrap();
    let roads = [
        "features --only -i day.ndjson",
        "features --only --from 2024-08-08 --to 2024-08-10",
        "features --only --from 2024-08-08 --to 2024-08-10 --threads 1",
    ];
    for road in roads {
        assert_eq!(records(&stdout(&mut world.qt(road))), records(&expected), "{road}");
    }
    for batch in ["1", "7", "100000"] {
        let mut command = world.qt(roads[1]);
        let rows = stdout(command.env("QT_STREAM_BATCH_RECORDS", batch));
        assert_eq!(records(&rows), records(&expected), "batches of {batch}");
    }
    let arrow = world.qt("replay -o arrow").output().unwrap().stdout;
    let mut command = world.qt("features --only -o arrow");
    let arrow = command.write_stdin(arrow).output().unwrap().stdout;
    let mut back = world.qt("replay -i -");
    let text = String::from_utf8(back.write_stdin(arrow).output().unwrap().stdout).unwrap();
    assert_eq!(records(&text), records(&expected), "arrow");
}

/// Rows become records on their way to a file of their own, and no records on their way to lines or Arrow.
#[test]
fn arrow_holds_what_lines_hold_whatever_is_asked() {
    let world = market();
    let stream = replayed(&world, "");
    let asked: [&[&str]; 10] = [
        &["-f", LIST],
        &["--set", "core15", "--only"],
        &["--set", "core15", "--warm-only"],
        &["--set", "ml10", "--every", "7"],
        &["--set", "vol", "--of", "AAA", "--stale-after", "1ns"],
        &["--set", "lob27", "--book", "depth"],
        &["--set", "core15", "--symbols", "sim:BBB", "--kinds", "quote,trade"],
        &["-f", "ema(mid,9)", "--limit", "1001"],
        &["-f", "ema(mid,9)", "--shadow-parity"],
        &["-f", "vwap(20)", "--only", "--limit", "1"],
    ];
    for args in asked {
        let lines = features(&world, args, &stream);
        let mut command = world.qt("features -o arrow");
        let arrow = command.args(args).write_stdin(stream.clone()).output().unwrap().stdout;
        let mut back = world.qt("replay --verify -i -");
        let text = String::from_utf8(back.write_stdin(arrow).output().unwrap().stdout).unwrap();
        assert_eq!(records(&text), records(&lines), "{args:?}");
        let [found, expected] = [&text, &lines].map(|it| it.lines().last().expect("an end"));
        assert_eq!(member(found, "digest"), member(expected, "digest"), "{args:?}");
    }
}

#[test]
fn labels_stand_behind_rows_and_end_without_values() {
    let world = market();
    let stream = replayed(&world, "");
    let plain = features(&world, &["--set", "ml10"], &stream);
    let with = features(&world, &["--set", "ml10", "--labels", "dir_10s,fwd_10s"], &stream);
    world.qt("replay --verify -i -").write_stdin(with.clone()).assert().success();
    let lines = records(&with);
    let is_label = |line: &String| line.starts_with(r#"{"k":"label""#);
    let rest: Vec<_> = lines.iter().filter(|line| !is_label(line)).cloned().collect();
    assert_eq!(rest, records(&plain), "labels change nothing else");
    let labels: Vec<_> = lines.iter().filter(|line| is_label(line)).collect();
    let rows = rest.iter().filter(|line| line.starts_with(r#"{"k":"feature""#)).count();
    assert_eq!(labels.len(), 2 * rows);
    let known = labels.iter().filter(|line| member(line, "value").is_some()).count();
    assert!(known > rows && known < 2 * rows, "the last ten seconds have none: {known} of {rows}");
    world.qt("features --labels up_10s").write_stdin("").assert().code(2);
}

#[test]
fn flags_choose_rows() {
    let world = market();
    let stream = replayed(&world, "");
    let count = |args: &[&str]| {
        let rows = features(&world, &[&["--only", "-f", "sma(mid,50)"], args].concat(), &stream);
        records(&rows).len()
    };
    let all = count(&[]);
    let warm = count(&["--warm-only"]);
    assert_eq!(all - warm, 2 * 49, "two symbols warm up");
    assert!(count(&["--every", "10"]).abs_diff(all / 10) <= 2);
    assert!(count(&["--of", "AAA"]) + count(&["--of", "sim:BBB"]) == all);
    assert_eq!(count(&["--limit", "3"]), 3);
    assert!(count(&["--book", "depth"]) > all);
}

#[test]
fn causality_is_proved_over_files_and_the_catalog() {
    let world = market();
    let proof = world.qt("features --causality --date 2024-08-08").assert().success();
    proof.stdout(contains("no value depends on records behind it"));
    world.qt("features --causality").write_stdin("").assert().code(2);
}

#[test]
fn what_is_wrong_with_a_list_is_pointed_at() {
    let world = World::new();
    let wrong = |list: &str, message: &str| {
        let mut command = world.qt("features");
        let outcome = command.args(["-f", list]).write_stdin("").assert().code(2);
        outcome.stderr(contains(message.to_owned()));
    };
    wrong("emma(mid,20)", "no function `emma`; did you mean `ema`?\n  emma(mid,20)\n  ^^^^");
    wrong("ema(mid,-1)", "expected a whole number from 1 to 1000000, found `(-1)`");
    wrong("mid +", "found the end");
    world.qt("features --set core51").write_stdin("").assert().code(2).stderr(contains("core15"));
}

#[test]
fn odd_markets_end_in_rows_and_not_in_panics() {
    let world = World::new();
    let all = "crossed,stale,gaps,reorder,duplicates,clock-skew";
    let stream = stdout(&mut world.qt(&format!("synth --seed 9 --hours 0.05 --faults {all}")));
    let rows = features(&world, &["--only", "--book", "depth"], &stream);
    assert!(records(&rows).len() > 100);
    let huge = r#"{"k":"quote","ts_recv":1,"sym":"x:A","bid_px":0,"bid_qty":0,"ask_px":0,"ask_qty":0}
{"k":"quote","ts_recv":2,"sym":"x:A","bid_px":999999999999999999,"bid_qty":1,"ask_px":999999999999999999,"ask_qty":1}
{"k":"quote","ts_recv":3,"sym":"x:B","bid_px":1,"ask_px":2}
"#;
    assert_eq!(records(&features(&world, &["--only"], huge)).len(), 3);
}

#[test]
fn the_reference_page_is_what_the_registry_says() {
    let world = World::new();
    let page = stdout(&mut world.qt("features --reference"));
    crate::frame::golden("docs/features-reference.md", &page);
    world.qt("features --list").assert().success().stdout(contains("core15.rsi"));
}
