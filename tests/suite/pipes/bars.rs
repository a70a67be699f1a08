//! `qt bars`: bars in their places, the same by every road.

use std::fs;

use predicates::str::contains;

use super::{market, member, records, replayed};
use crate::frame::{World, stdout};

fn bars(world: &World, args: &str, input: &str) -> String {
    let mut command = world.qt(&format!("bars {args}"));
    stdout(command.write_stdin(input.to_owned()))
}

#[test]
fn bars_stand_in_the_order_among_the_records() {
    let world = market();
    let stream = replayed(&world, "");
    let with = bars(&world, "--every 10s,25ticks", &stream);
    world.qt("replay --verify --ordering strict -i -").write_stdin(with.clone()).assert().success();
    let is_bar = |line: &String| line.starts_with(r#"{"k":"bar""#);
    let lines = records(&with);
    let passed: Vec<_> = lines.iter().filter(|line| !is_bar(line)).cloned().collect();
    assert_eq!(passed, records(&stream), "all else passes as it came");
    let made: Vec<_> = lines.iter().filter(|line| is_bar(line)).cloned().collect();
    assert!(made.iter().any(|bar| member(bar, "clock") == Some("tick")));
    assert_eq!(records(&bars(&world, "--every 10s,25ticks --only", &stream)), made);
    let traded = lines.iter().filter(|line| line.starts_with(r#"{"k":"trade""#)).count();
    let counted = |args: &str| -> usize {
        let all = records(&bars(&world, args, &stream));
        all.iter().map(|bar| member(bar, "trades").unwrap().parse::<usize>().unwrap()).sum()
    };
    assert_eq!(counted("--every 30s --only --unfinished"), traded, "each print once");
}

#[test]
fn pipes_files_encodings_and_batches_give_the_same_bars() {
    let world = market();
    let stream = replayed(&world, "");
    let expected = records(&bars(&world, "--only --every 7s,5volume,imbalance", &stream));
    assert!(expected.len() > 20);
    fs::write(world.path().join("day.ndjson"), &stream).unwrap();
    let flags = "bars --only --every 7s,5volume,imbalance";
    for road in ["-i day.ndjson", "--from 2024-08-08 --to 2024-08-10 --threads 1"] {
        for batch in ["1", "13", "100000"] {
            let mut command = world.qt(&format!("{flags} {road}"));
            let found = stdout(command.env("QT_STREAM_BATCH_RECORDS", batch));
            assert_eq!(records(&found), expected, "{road}, batches of {batch}");
        }
    }
    let parquet = world.path().join("bars.parquet");
    world.qt(&format!("{flags} -i day.ndjson --out {}", parquet.display())).assert().success();
    let back = stdout(&mut world.qt(&format!("replay -i {}", parquet.display())));
    assert_eq!(records(&back), expected);
}

#[test]
fn middles_of_quotes_have_a_decimal_more() {
    let world = World::new();
    let quotes = r#"{"k":"quote","ts_recv":1,"sym":"x:A","bid_px":"1.0","ask_px":"1.1"}
{"k":"quote","ts_recv":2000000000,"sym":"x:A","bid_px":"1.2","ask_px":"1.2"}
"#;
    let found = bars(&world, "--of mid --only --every 1s", quotes);
    let lines = records(&found);
    assert_eq!((lines.len(), member(&lines[0], "close")), (1, Some("1.05")), "{found}");
    world.qt("bars --of mid").write_stdin("").assert().code(2).stderr(contains("one decimal more"));
}

#[test]
fn sessions_come_from_a_calendar() {
    let world = World::new();
    let calendar = "[calendar]\nzone = \"America/New_York\"\nopen = \"09:30\"\nclose = \"16:00\"\n";
    fs::write(world.path().join("ny.toml"), calendar).unwrap();
    let trade = |at: &str| {
        format!(
            "{{\"k\":\"trade\",\"ts_recv\":\"2024-08-08T{at}Z\",\"sym\":\"x:A\",\"px\":1,\"qty\":1}}\n"
        )
    };
    let input = ["13:29:59", "13:30:00", "14:35:00", "20:00:00"].map(trade).concat();
    let mut command = world.qt("bars --only --unfinished --every 1h --calendar ny.toml");
    let output = command.write_stdin(input).assert().success();
    let output = output.stderr(contains("2 prints lay outside of sessions"));
    let text = String::from_utf8(output.get_output().stdout.clone()).unwrap();
    let opens: Vec<_> =
        records(&text).iter().map(|bar| member(bar, "open_ts").unwrap().to_owned()).collect();
    assert_eq!(opens, ["2024-08-08T13:30:00.000000000Z", "2024-08-08T14:30:00.000000000Z"]);
    fs::write(world.path().join("bad.toml"), "[hours]\n").unwrap();
    let refused = world.qt("bars --calendar bad.toml").write_stdin("").assert().code(2);
    refused.stderr(contains("expected a table [calendar]"));
}

#[test]
fn lengths_that_are_none_are_usage() {
    let world = World::new();
    for every in ["0m", "ticks", "5", "-1volume"] {
        let refused = world.qt(&format!("bars --every={every}")).write_stdin("").assert().code(2);
        refused.stderr(contains("expected a length such as 1m"));
    }
    let fine = r#"{"k":"trade","ts_recv":1,"sym":"x:A","px":1,"qty":1}"#;
    let refused = world.qt("bars --every 0.5volume").write_stdin(fine).assert().code(3);
    refused.stderr(contains("cannot take 0.5"));
}
