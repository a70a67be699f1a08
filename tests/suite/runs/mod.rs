//! Runs as people meet them: listed, shown, reported, compared, explained.

#![expect(clippy::unwrap_used, reason = "helpers of tests may stop where they stand, like tests")]

mod compare;
mod explain;
mod report;
mod sample;

use predicates::str::contains;

use crate::frame::{World, stdout};
use sample::Plot;

#[test]
fn runs_are_listed_filtered_and_shown() {
    let world = World::new();
    assert_eq!(stdout(&mut world.qt("runs ls")).lines().count(), 1, "a header and nothing below");
    let root = world.path().join("runs");
    let first = sample::write(&root, 1, Plot::SHORT);
    let second = sample::write(&root, 2, Plot { seed: 8, ..Plot::SHORT });
    let list = stdout(&mut world.qt("runs ls"));
    let lines: Vec<&str> = list.lines().collect();
    assert!(lines[1].contains(&first.run_id) && lines[2].contains(&second.run_id), "{list}");
    assert!(lines[1].contains("  done  "), "{list}");
    for (filter, count) in [
        ("--strategy sam*", 2),
        ("--strategy other", 0),
        ("--kind live", 0),
        ("--status done --date 2024-08-08", 2),
        ("--date 2024-08-09", 0),
    ] {
        let found = stdout(&mut world.qt(&format!("runs ls --json {filter}")));
        assert_eq!(found.lines().count(), count, "{filter}");
    }
    let shown = stdout(&mut world.qt(&format!("runs show {}", first.run_id)));
    assert!(shown.contains("assumed: mark") && shown.contains(&first.content_sha256), "{shown}");
    let line = stdout(&mut world.qt(&format!("runs show {} --json", first.run_id)));
    let manifest: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(manifest["status"], "done");
}

#[test]
fn a_run_that_is_not_there_is_usage_and_a_damaged_one_is_input() {
    let world = World::new().with("runs/backtest/2024-08-08/x/manifest.json", "{\"schema\":1}");
    let answer = world.qt("runs show nowhere").assert().code(2);
    answer.stderr("qt: no run in ./runs is called `nowhere`\nhint: `qt runs ls` lists the runs\n");
    let answer = world.qt("runs show runs/backtest/2024-08-08/x").assert().code(3);
    answer.stderr(contains("x/manifest.json: missing field `run_id`"));
    let answer = world.qt("runs ls").assert().code(5);
    answer.stderr(contains("warning: ./runs/backtest/2024-08-08/x/manifest.json: missing field"));
    world.qt("runs ls --kind cat").assert().code(2).stderr(contains("expected one of replay, "));
}
