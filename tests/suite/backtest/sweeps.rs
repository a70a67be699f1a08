//! Many variants in one pass.

use super::day;
use crate::frame::stdout;

const SWEEP: &str = "backtest ema-cross -i day.arrow --no-run --sample 1m \
                     --sweep fast_n=20..60:20 --sweep slow_n=100,200";

#[test]
fn threads_and_shards_do_not_show() {
    let world = day();
    let lines = |args: &str| stdout(&mut world.qt(&format!("{SWEEP} --json {args}")));
    let whole = lines("--threads 1");
    assert_eq!(whole.lines().count(), 6);
    assert_eq!(lines("--threads 3"), whole);
    let mut parts: Vec<String> = (1..=4)
        .flat_map(|part| {
            lines(&format!("--shard {part}/4")).lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    let number = |line: &String| {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        value["point"].as_u64().unwrap()
    };
    parts.sort_by_key(number);
    assert_eq!(parts.join("\n") + "\n", whole);
}

#[test]
fn a_point_of_a_sweep_is_the_run_with_its_values() {
    let world = day();
    let sweep = stdout(&mut world.qt(&format!("{SWEEP} --json")));
    let third: serde_json::Value = serde_json::from_str(sweep.lines().nth(2).unwrap()).unwrap();
    assert_eq!(third["params"]["fast_n"], 40.0);
    let alone = "backtest ema-cross -i day.arrow --no-run --sample 1m --json \
                 --param fast_n=40 --param slow_n=100";
    let alone: serde_json::Value = serde_json::from_str(&stdout(&mut world.qt(alone))).unwrap();
    assert_eq!(third["metrics"], alone["metrics"]);
    assert_eq!(third["outline"]["profit"], alone["band"][0]["profit"]);
}

#[test]
fn trials_are_counted_once_each() {
    let world = day();
    let run = |n: u32| {
        let args = format!("backtest ema-cross -i day.arrow --sample 1m --json --param fast_n={n}");
        let text = stdout(&mut world.qt(&args));
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        value["metrics"]["trials"].as_f64()
    };
    assert_eq!(run(20), Some(1.0));
    assert_eq!(run(30), Some(2.0));
    assert_eq!(run(20), Some(2.0), "the same again is no new trial");
}
