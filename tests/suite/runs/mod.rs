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
fn a_run_whose_process_is_killed_is_listed_as_crashed() {
    use std::io::Write;
    let world = World::new();
    let stream = stdout(&mut world.qt("synth --seed 3 --symbols sim:BTCUSDT --events 30000"));
    let strategy = "examples/strategies/market-maker.toml";
    let strategy = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(strategy);
    let mut command = world.std("backtest");
    command.arg(strategy).args(["-i", "-"]).stdin(std::process::Stdio::piped());
    let mut child = command.stdout(std::process::Stdio::null()).spawn().unwrap();
    // All records but the end: the run waits for more.
    let records = stream.lines().filter(|line| !line.starts_with("{\"k\":\"end\""));
    let text: String = records.map(|line| format!("{line}\n")).collect();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(text.as_bytes()).unwrap();
    stdin.flush().unwrap();
    let status = || {
        let list = stdout(&mut world.qt("runs ls --json"));
        let run: Option<serde_json::Value> =
            list.lines().next().map(|it| serde_json::from_str(it).unwrap());
        run.map(|run| run["status"].as_str().unwrap().to_owned())
    };
    let looks = (0..400).find(|_| status().is_some());
    assert!(looks.is_some() && child.try_wait().unwrap().is_none(), "it runs until it is killed");
    assert_eq!(status().as_deref(), Some("running"));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(status().as_deref(), Some("crashed"));
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
