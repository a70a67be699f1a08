//! Many variants in one pass.

use super::{content, day};
use crate::frame::{World, stdout};

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
    let run = |n: u32, sample: &str| {
        let args =
            format!("backtest ema-cross -i day.arrow --sample {sample} --json --param fast_n={n}");
        let text = stdout(&mut world.qt(&args));
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        value["metrics"]["trials"].as_f64()
    };
    assert_eq!(run(20, "1m"), Some(1.0));
    assert_eq!(run(30, "1m"), Some(2.0));
    assert_eq!(run(20, "1m"), Some(2.0), "the same again is no new trial");
    assert_eq!(run(20, "1d"), Some(3.0), "what is too short for a ratio was tried as well");
}

/// Cross-validation is cut from returns that no thread changes.
#[test]
fn a_sweep_is_kept_cross_validated_and_reported() {
    let world = day();
    let sweep = |threads: u32, folder: &str, cv: &str| {
        let args = format!(
            "backtest ema-cross -i day.arrow --sweep fast_n=10,20,40 --sweep slow_n=80..160:40 \
             --sample 5s --cv {cv} --threads {threads} --run-dir {folder} --json"
        );
        stdout(&mut world.qt(&args))
    };
    let lines = sweep(1, "one", "6/2");
    assert_eq!(sweep(2, "two", "6/2"), lines, "threads do not show");
    let kept = std::fs::read_to_string(world.path().join("one/points.ndjson")).unwrap();
    assert_eq!(kept, lines);
    let last: serde_json::Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    let cross = &last["cross_validation"];
    assert_eq!(cross["found"]["splits"].as_array().unwrap().len(), 15);
    assert_eq!(cross["found"]["path_sharpes"].as_array().unwrap().len(), 5);
    let share = cross["overfit"]["probability"].as_f64().unwrap();
    assert!((0.0..=1.0).contains(&share));
    let folds = sweep(2, "folds", "5");
    assert_eq!(folds.matches("\"test_sharpe\"").count(), 5);

    let text = stdout(&mut world.qt("report ./one"));
    for part in ["9 points over", "The best by sharpe", "probability of overfitting: "] {
        assert!(text.contains(part), "`{part}` is not in {text}");
    }
    world.qt("report ./one --html page.html --metric pnl_total").assert().success();
    let page = std::fs::read_to_string(world.path().join("page.html")).unwrap();
    assert!(page.contains("pnl_total by parameters"), "{page}");
    assert_eq!(page.matches("<rect class=\"loss\"").count(), 9, "a cell for each point");
    assert!(stdout(&mut world.qt("report ./one --md")).starts_with("# ema-cross"));
    assert_eq!(stdout(&mut world.qt("report ./one --json")), lines);
    let bad = world.qt("report ./one --metric nothing").assert().code(2);
    let said = String::from_utf8(bad.get_output().stderr.clone()).unwrap();
    assert!(said.contains("no point has a value of `nothing`"), "{said}");
    let verify = world.qt("backtest verify ./one").assert().code(2);
    let said = String::from_utf8(verify.get_output().stderr.clone()).unwrap();
    assert!(said.contains("it is a sweep"), "{said}");
    assert!(
        stdout(
            &mut world.qt("backtest ema-cross -i day.arrow --sweep fast_n=10,20 --cv 5 --no-run")
        )
        .contains("n/a")
    );
}

const PARTED: &str = "backtest ema-cross -i day.arrow --sample 1m --sweep fast_n=20..60:20 \
                      --sweep slow_n=100,200";

fn kept(world: &World, name: &str) -> String {
    std::fs::read_to_string(world.path().join(name)).unwrap()
}

/// What a command that is refused says.
fn refused(world: &World, args: &str, code: i32) -> String {
    let output = world.qt(args).assert().code(code);
    String::from_utf8(output.get_output().stderr.clone()).unwrap()
}

#[test]
fn shards_that_are_joined_are_the_sweep_to_the_byte() {
    // Of nothing but the whole, so that its ledger of trials has nothing else.
    let whole = day();
    let text = stdout(&mut whole.qt(&format!("{PARTED} --run-dir whole")));
    let world = day();
    for part in [3, 1, 2, 4] {
        let args = format!("{PARTED} --shard {part}/4 --run-dir part{part} --threads 1");
        world.qt(&args).assert().success();
    }
    let join = "backtest join ./part2 ./part4 ./part1 ./part3";
    let joined = stdout(&mut world.qt(&format!("{join} --run-dir whole")));
    assert_eq!(joined, text);
    assert_eq!(kept(&world, "whole/points.ndjson"), kept(&whole, "whole/points.ndjson"));
    assert_eq!(content(&world, "whole"), content(&whole, "whole"));
    let report = |world: &World| stdout(&mut world.qt("report ./whole --md"));
    assert_eq!(report(&world), report(&whole));
    let lines = stdout(&mut world.qt(&format!("{join} --no-run --json")));
    assert_eq!(lines, kept(&whole, "whole/points.ndjson"));

    let said = refused(&world, "backtest join ./part2 ./part3", 2);
    assert!(said.contains("shards 1/4, 4/4 are missing"), "{said}");
    let said = refused(&world, "backtest join ./part1 ./part2 ./part2", 2);
    assert!(said.contains("are both shard 2/4"), "{said}");
    let said = refused(&world, "backtest join ./whole", 2);
    assert!(said.contains("./whole: it is no shard: it has all its points"), "{said}");
    world.qt(&format!("{PARTED} --shard 1/4 --seed 7 --run-dir other")).assert().success();
    let said = refused(&world, "backtest join ./part2 ./part3 ./part4 ./other", 2);
    assert!(said.contains("are of different sweeps: seed is 7 and 42"), "{said}");
    let one = "backtest ema-cross -i day.arrow --sample 1m --no-band --run-dir one";
    world.qt(one).assert().success();
    assert!(refused(&world, "backtest join ./one", 2).contains("./one: it is no sweep"));
    assert!(refused(&world, "backtest join ./nothing", 2).contains("nothing"));
    let said = refused(&world, &format!("{join} --run-dir part1"), 2);
    assert!(said.contains("part1") && said.contains("exists"), "{said}");
    let points = kept(&world, "part1/points.ndjson").replace("\"point\":1", "\"point\":2");
    std::fs::write(world.path().join("part1/points.ndjson"), points).unwrap();
    let said = refused(&world, join, 3);
    assert!(said.contains("points.ndjson: it is not as it was written"), "{said}");
}

#[test]
fn points_at_random_and_shards_without_points_join_too() {
    let world = day();
    let sweep = "backtest ema-cross -i day.arrow --sample 1m --sweep fast_n=20..60 --random 3";
    for part in 1..=3 {
        world.qt(&format!("{sweep} --shard {part}/5 --run-dir part{part}")).assert().success();
    }
    assert!(
        refused(&world, &format!("{sweep} --shard 4/5"), 2).contains("the shard has no points")
    );
    let joined = stdout(&mut world.qt("backtest join ./part1 ./part2 ./part3 --no-run --json"));
    assert_eq!(joined.lines().count(), 3);
    let said = refused(&world, "backtest join ./part1 ./part3", 2);
    assert!(said.contains("shard 2/5 is missing"), "{said}");
}
