//! Grades of days in the database: told by whoever has a ledger, and minded by whoever reads.

use super::*;

/// A ledger in which the venue of the session's records was bad for most of its day.
pub(super) fn ledger(bad: usize) -> String {
    let window = |at: usize| {
        let dropped = if at < bad { 7 } else { 0 };
        let (hour, minute) = (at / 4, at % 4 * 15);
        format!(
            r#"{{"rules":1,"start":"2024-08-08T{hour:02}:{minute:02}:00Z","end":"","is_partial":false,"venues":[{{"venue":"a","events":9,"events_per_second_min":1,"events_per_second_avg":1,"offline_seconds":0,"silences":0}}],"received":9,"dropped":{dropped},"dropped_by_table":[],"queue_peak_percent":1,"reconnects":0,"hurried_seconds":0,"insert_failures":0,"frames_refused":0,"loss_ppm":0,"grade":"","reasons":[]}}"#
        )
    };
    (0..96).map(|at| window(at) + "\n").collect()
}

#[test]
fn a_bad_day_of_the_database_is_refused_and_stat_shows_its_grade() {
    let double = Double::start();
    let world = World::new()
        .with("in.ndjson", &session(0, 90))
        .with("data/quality/2024-08-08.jsonl", &ledger(3));
    qt(&world, &double, "store add --input in.ndjson").assert().success();
    let text = stdout(&mut qt(&world, &double, "store stat --kinds trade"));
    assert!(text.lines().skip(1).all(|line| line.trim_end().ends_with('-')), "{text}");
    let told = stderr(&mut qt(&world, &double, "store load"));
    assert!(told.contains("1 days of venues are graded"), "{told}");
    let text = stdout(&mut qt(&world, &double, "store stat --kinds trade"));
    assert!(text.lines().skip(1).all(|line| line.trim_end().ends_with("bad")), "{text}");
    for command in ["replay", "features --set core15", "backtest ema-cross --no-run"] {
        let args = format!("{command} --input clickhouse://");
        let refused = qt(&world, &double, &args).assert().code(1).get_output().clone();
        let refused = String::from_utf8(refused.stderr).unwrap();
        for part in ["trade of a:X on 2024-08-08 in ", "is graded bad", "--allow-bad-data"] {
            assert!(refused.contains(part), "{command}: {refused}");
        }
    }
    // Only records of a market are judged.
    let fills = qt(&world, &double, "replay --kinds fill --input clickhouse://").assert();
    let fills = String::from_utf8(fills.get_output().stderr.clone()).unwrap();
    assert!(!fills.contains("graded bad"), "{fills}");
    // The last word counts.
    fs::write(world.path().join("data/quality/2024-08-08.jsonl"), ledger(0)).unwrap();
    qt(&world, &double, "store load").assert().success();
    let text = stdout(&mut qt(&world, &double, "store stat --kinds trade"));
    assert!(text.lines().skip(1).all(|line| line.trim_end().ends_with("good")), "{text}");
}

#[test]
fn grades_of_files_have_nowhere_to_go() {
    let world = World::new().with("in.ndjson", &session(0, 9));
    let refused = world.qt("check --grade --input in.ndjson").assert().code(2).get_output().clone();
    let refused = String::from_utf8(refused.stderr).unwrap();
    assert!(refused.contains("--grade has nowhere to note the grades of files"), "{refused}");
}

#[test]
fn a_bad_day_of_the_catalog_is_refused_before_anybody_noted_its_grade() {
    let world = World::new()
        .with("in.ndjson", &session(0, 90))
        .with("data/quality/2024-08-08.jsonl", &ledger(3));
    world.qt("record run --input in.ndjson").assert().success();
    let refused = world.qt("replay --date 2024-08-08").assert().code(1).get_output().clone();
    let refused = String::from_utf8(refused.stderr).unwrap();
    assert!(refused.contains("is graded bad"), "{refused}");
    let replayed = stdout(&mut world.qt("replay --date 2024-08-08 --allow-bad-data"));
    assert!(replayed.contains(r#""grade":"bad""#), "{replayed}");
    // A ledger that says nothing of the venue says nothing at all.
    let other = ledger(3).replace(r#""venue":"a""#, r#""venue":"b""#);
    fs::write(world.path().join("data/quality/2024-08-08.jsonl"), other).unwrap();
    world.qt("replay --date 2024-08-08").assert().success();
}
