//! What is done to a recorded catalog: status, dead letters, verification, retention, export.

use std::fs;
use std::path::PathBuf;

use predicates::str::contains;
use serde_json::Value;

use crate::frame::{World, stderr, stdout};

const FUTURE: &str = r#"{"k":"stream","schema":1,"instruments":[{"sym":"a:X","px_scale":2,"qty_scale":0}]}
{"k":"trade","ts_recv":"2024-08-08T00:00:00Z","sym":"a:X","px":1.00,"qty":1,"seq":0}
{"k":"trade","ts_recv":"2024-08-08T00:00:01Z","sym":"a:X","px":1.00,"qty":1,"seq":1}
{"k":"trade","ts_recv":"2200-01-01T00:00:00Z","sym":"a:X","px":1.00,"qty":1,"seq":2}
{"k":"end","records":3,"digest":""}
"#;

fn recorded() -> World {
    let world = World::new().with("in.ndjson", FUTURE);
    world.qt("record run --input in.ndjson").assert().code(5);
    world
}

fn json(world: &World, args: &str) -> Value {
    let output = world.qt(args).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{args}: {output:?}"))
}

/// The files of the catalog that end so.
fn files(world: &World, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![world.path().join("data")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_str().unwrap().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn status_is_no_while_there_are_dead_letters() {
    let world = recorded();
    let said = json(&world, "--json record status");
    assert_eq!((&said["recording"], &said["degraded"]), (&false.into(), &true.into()));
    assert_eq!(said["tiers"]["dlq"]["files"], 1);
    world.qt("record status").assert().code(1);
    let letters = stdout(&mut world.qt("record dlq list"));
    assert!(letters.contains("lies in the future"), "{letters}");
    // It is still the future, so trying again changes nothing.
    world.qt("record dlq replay").assert().code(1);
    world.qt("record dlq purge").assert().success();
    world.qt("record status").assert().code(1);
    world.qt("record dlq purge --apply").assert().success();
    world.qt("record status").assert().success();
}

#[test]
fn letters_that_were_mended_come_into_the_catalog() {
    let world = recorded();
    let [file] = &files(&world, ".jsonl")
        .into_iter()
        .filter(|it| it.to_str().unwrap().contains("dlq"))
        .collect::<Vec<_>>()[..]
    else {
        panic!("one file of letters")
    };
    let mended =
        fs::read_to_string(file).unwrap().replace("2200-01-01T00:00:00", "2024-08-08T00:00:02");
    fs::write(file, mended).unwrap();
    world.qt("record dlq replay").assert().success();
    world.qt("record compact").assert().success();
    let trades = stdout(&mut world.qt("record export --kinds trade"));
    assert_eq!(trades.lines().count(), 5, "{trades}");
    world.qt("record verify").assert().success();
}

#[test]
fn verify_finds_a_file_that_was_changed() {
    let world = recorded();
    world.qt("record verify").assert().success();
    let [part] = &files(&world, ".parquet")[..] else { panic!("one part") };
    let whole = fs::read(part).unwrap();
    let mut bytes = whole.clone();
    bytes[20] ^= 1;
    fs::write(part, &bytes).unwrap();
    let mut verify = world.qt("record verify");
    let said = stderr(&mut verify);
    assert!(said.contains("its SHA-256 is"), "{said}");
    world.qt("record verify").assert().code(1);
    // A file that nobody noted is no part of the record.
    fs::write(part, &whole).unwrap();
    fs::copy(part, part.with_file_name("part-999999-0000.parquet")).unwrap();
    let said = stderr(&mut world.qt("record verify"));
    assert!(said.contains("meta.json does not name it"), "{said}");
    let row = json(&world, "--json record verify");
    assert_eq!((&row["rows"], &row["twice"]), (&4.into(), &2.into()));
}

#[test]
fn retention_says_first_and_deletes_only_when_told_to() {
    let world = recorded();
    let said = json(&world, "--json record retention");
    assert_eq!((&said["expired"], &said["deleted"]), (&1.into(), &0.into()));
    assert_eq!(files(&world, ".parquet").len(), 1);
    let said = json(&world, "--json record retention --apply --max-delete 0");
    assert_eq!(said["deleted"], 0);
    let said = json(&world, "--json record retention --apply");
    assert_eq!((&said["deleted"], &said["errors"]), (&1.into(), &0.into()));
    assert_eq!(files(&world, ".parquet").len(), 0);
}

/// A stream of so many trades of one instrument, from that second of the day on.
fn trades(from: u32, count: u32) -> String {
    let mut text = String::from(
        r#"{"k":"stream","schema":1,"instruments":[{"sym":"a:X","px_scale":2,"qty_scale":0}]}"#,
    );
    for second in from..from + count {
        text.push_str(&format!(
            "\n{{\"k\":\"trade\",\"ts_recv\":\"2024-08-08T00:00:{second:02}Z\",\"sym\":\"a:X\",\
             \"px\":1.00,\"qty\":1,\"seq\":{second}}}"
        ));
    }
    text.push_str(&format!("\n{{\"k\":\"end\",\"records\":{count},\"digest\":\"\"}}\n"));
    text
}

/// A catalog of one closed day in three parts of ten trades.
fn three_parts() -> World {
    let mut world = World::new();
    for from in [0, 10, 20] {
        world = world.with("in.ndjson", &trades(from, 10));
        world.qt("record run --input in.ndjson").assert().success();
    }
    assert_eq!(files(&world, ".parquet").len(), 3);
    world
}

fn kept_trades(world: &World) -> usize {
    let kept = stdout(&mut world.qt("replay --kinds trade"));
    kept.lines().filter(|line| line.starts_with(r#"{"k":"trade""#)).count()
}

#[test]
fn compaction_sets_aside_what_it_cannot_read_and_folds_the_rest() {
    let world = three_parts();
    let parts = files(&world, ".parquet");
    let mut changed = fs::read(&parts[1]).unwrap();
    changed[20] ^= 1;
    fs::write(&parts[1], changed).unwrap();
    // No note knows this one, and its footer is gone.
    let torn = parts[0].with_file_name("part-235959-0000.parquet");
    fs::write(&torn, &fs::read(&parts[0]).unwrap()[..200]).unwrap();
    let said = stderr(&mut world.qt("record compact"));
    assert!(said.contains("its SHA-256 is") && said.contains("2 files cannot be read"), "{said}");
    assert_eq!(kept_trades(&world), 20);
    let quarantine = world.path().join("data/quality/quarantine");
    let list = fs::read_to_string(quarantine.join("list.jsonl")).unwrap();
    assert_eq!(list.lines().count(), 2, "{list}");
    let names: Vec<_> = files(&world, ".parquet")
        .into_iter()
        .filter(|path| path.starts_with(&quarantine))
        .map(|path| path.file_name().unwrap().to_owned())
        .collect();
    assert_eq!(names, [parts[1].file_name().unwrap(), torn.file_name().unwrap()]);
    // It is said until somebody has looked, and does not come a second time.
    let status = world.qt("record status").assert().code(1);
    status.stdout(contains("2 files in quarantine"));
    world.qt("record compact").assert().success();
    world.qt("record verify").assert().success();
    fs::remove_dir_all(quarantine).unwrap();
    world.qt("record status").assert().success();
}

#[test]
fn compaction_of_damaged_files_is_incomplete() {
    let world = three_parts();
    let part = &files(&world, ".parquet")[2];
    fs::write(part, b"PAR1 no more").unwrap();
    world.qt("record compact --dry-run").assert().success();
    assert_eq!(files(&world, ".parquet").len(), 3, "a dry run moves nothing");
    world.qt("record compact").assert().code(5);
    assert_eq!(kept_trades(&world), 20);
}

#[test]
fn what_a_run_was_made_from_is_kept_as_long_as_the_run() {
    let world = recorded();
    let manifest = |symbol: &str, day: u32| {
        let dataset = format!(
            r#"{{"name":"market","digest":"","records":1,"kinds":["trade"],"symbols":["{symbol}"],
            "from":"2024-08-{day:02}T00:00:00Z","to":"2024-08-{day:02}T10:00:00Z"}}"#
        );
        format!(
            r#"{{"schema":1,"run_id":"x","kind":"backtest","status":"done","started":"",
            "input":{{"strategy":{{"id":"s","family":"s"}},"datasets":[{dataset}],"config":{{}},
            "config_sha256":"","code":{{"version":"0"}}}}}}"#
        )
    };
    let path = "runs/backtest/2024-08-09/x/manifest.json";
    for (text, expired, code) in [
        (manifest("a:X", 8), 0, 0),
        (manifest("a:Y", 8), 1, 0),
        (manifest("a:X", 9), 1, 0),
        // What a damaged manifest refers to may be anything.
        ("{".to_owned(), 0, 5),
    ] {
        let file = world.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, &text).unwrap();
        let said = json(&world, "--json record retention");
        let found = (&said["expired"], &said["kept_for_runs"]);
        assert_eq!(found, (&expired.into(), &(1 - expired).into()), "{text}");
        world.qt("record retention").assert().code(code);
    }
    world.qt("record retention --apply").assert().code(5);
    assert_eq!(files(&world, ".parquet").len(), 1);
    fs::remove_dir_all(world.path().join("runs")).unwrap();
    world.qt("record retention --apply").assert().success();
    assert_eq!(files(&world, ".parquet").len(), 0);
}

#[test]
fn a_closed_day_gets_its_grade_and_a_bad_one_is_unsound() {
    let world = recorded();
    let window = |dropped: u64| {
        format!(
            r#"{{"rules":1,"start":"2024-08-08T00:00:00.000000000Z","end":"2024-08-08T00:15:00.000000000Z","is_partial":false,"venues":[{{"venue":"a","events":9,"events_per_second_min":1,"events_per_second_avg":1,"offline_seconds":0,"silences":0}}],"received":9,"dropped":{dropped},"dropped_by_table":[],"queue_peak_percent":0,"reconnects":0,"hurried_seconds":0,"insert_failures":0,"frames_refused":0,"loss_ppm":0,"grade":"","reasons":[]}}"#
        )
    };
    let ledger = world.path().join("data/quality/2024-08-08.jsonl");
    fs::create_dir_all(ledger.parent().unwrap()).unwrap();
    fs::write(&ledger, format!("{}\n{}\n", window(0), window(1))).unwrap();
    world.qt("record compact").assert().success();
    let grade = |world: &World| json(world, "--json catalog stat")["grade"].clone();
    assert_eq!(grade(&world), "degraded");
    world.qt("record verify").assert().success();
    fs::write(&ledger, format!("{0}\n{0}\n{0}\n", window(1))).unwrap();
    world.qt("record compact").assert().success();
    assert_eq!(grade(&world), "bad");
    world.qt("record verify").assert().code(1);
}

#[test]
fn an_export_is_one_file_of_any_kind() {
    let world = recorded();
    world.qt("record export --kinds trade --out t.parquet").assert().success();
    let back = stdout(&mut world.qt("replay --input t.parquet"));
    assert_eq!(back.lines().count(), 4, "{back}");
    world.qt("record export --kinds quote").assert().code(5);
}
