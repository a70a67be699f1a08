//! What is done to a recorded catalog: status, dead letters, verification, retention, export.

use std::fs;
use std::path::PathBuf;

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
