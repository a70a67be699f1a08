//! `qt diff`.

use std::fs;

use predicates::str::contains;

use super::sample::{self, Plot};
use crate::frame::{World, stdout};

#[test]
fn equal_runs_are_equal_whatever_their_names() {
    let world = World::new();
    let root = world.path().join("runs");
    let (a, b) = (sample::write(&root, 1, Plot::SHORT), sample::write(&root, 2, Plot::SHORT));
    assert_ne!(a.run_id, b.run_id);
    assert_eq!(a.content_sha256, b.content_sha256);
    let answer = world.qt(&format!("diff {} {}", a.run_id, b.run_id)).assert().code(0);
    answer.stdout("the runs are equal\n");
    let json = stdout(&mut world.qt(&format!("diff {} {} --json", a.run_id, b.run_id)));
    assert_eq!(json.lines().count(), 2, "a header and an end");
}

#[test]
fn runs_that_part_are_told_at_their_first_difference() {
    let world = World::new();
    let root = world.path().join("runs");
    let a = sample::write(&root, 1, Plot::SHORT).run_id;
    let b = sample::write(&root, 2, Plot { departs: Some(200), ..Plot::SHORT }).run_id;
    let c = sample::write(&root, 3, Plot { seed: 8, steps: 300, ..Plot::SHORT }).run_id;
    let text = |a: &str, b: &str| {
        let output = world.qt(&format!("diff {a} {b}")).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stdout).unwrap()
    };
    let found = text(&a, &b);
    // What they were given is the same, and so are the decisions before the departure.
    assert!(found.starts_with("decision\n  #"), "{found}");
    let first: Vec<&str> = found.lines().take_while(|line| !line.is_empty()).collect();
    let time = first.iter().find(|line| line.contains(" ts_recv: ")).expect("they part in time");
    let times: Vec<&str> = time.split(": ").nth(1).unwrap().split(" | ").collect();
    // Step 200 begins at 01:40; chances are drawn anew from there.
    assert!(times.iter().all(|it| *it >= "2024-08-08T01:40"), "{times:?}");
    for entity in ["\norder\n", "\nfill\n", "\nattribution\n", "\nmetric\n"] {
        assert!(found.contains(entity), "{entity}: {found}");
    }
    // The other way around the sides change places and nothing else.
    let back = text(&b, &a);
    let swapped = |line: &str| -> Option<String> {
        let (key, sides) = line.split_once(": ")?;
        let (a, b) = sides.split_once(" | ")?;
        Some(format!("{key}: {b} | {a}"))
    };
    let expected: Vec<String> =
        found.lines().map(|it| swapped(it).unwrap_or(it.to_owned())).collect();
    assert_eq!(back.lines().collect::<Vec<_>>(), expected);
    assert!(text(&a, &c).starts_with("input\n  seed: 7 | 8\n"));
    let json = world.qt(&format!("diff {a} {b} --json")).output().unwrap();
    let json = String::from_utf8(json.stdout).unwrap();
    let line = json.lines().nth(1).unwrap();
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!((line["k"].as_str(), line["entity"].as_str()), (Some("diff"), Some("decision")));
    world.qt("replay --verify -i -").write_stdin(json).assert().success();
}

#[test]
fn what_cannot_be_compared_is_said_with_its_code() {
    let world = World::new();
    let root = world.path().join("runs");
    let a = sample::write(&root, 1, Plot::SHORT).run_id;
    world.qt(&format!("diff {a} nowhere")).assert().code(2).stderr(contains("no run in ./runs"));
    world.qt(&format!("diff {a}")).assert().code(2);
    let b = sample::write(&root, 2, Plot::SHORT).run_id;
    let folder = root.join("backtest/2024-08-08").join(&b);
    let fills = fs::read(folder.join("fills.parquet")).unwrap();
    fs::write(folder.join("fills.parquet"), &fills[..fills.len() - 20]).unwrap();
    world.qt(&format!("diff {a} {b}")).assert().code(3).stderr(contains("fills.parquet"));
}
