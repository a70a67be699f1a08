//! `qt schema`, and the files in the tree that come from it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use predicates::str::{contains, is_empty, starts_with};

use crate::frame::{World, golden, qt, stdout};

#[test]
fn the_committed_schemas_are_what_the_kinds_say() {
    let world = World::new();
    world.qt("schema --to schemas").assert().code(0).stdout(is_empty()).stderr(is_empty());
    let mut written = BTreeSet::new();
    for file in fs::read_dir(world.path().join("schemas")).unwrap() {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        golden(Path::new("schemas").join(&name), &fs::read_to_string(file.path()).unwrap());
        written.insert(name);
    }
    let committed = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas")).unwrap();
    let committed = committed.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(written, committed, "a schema of a kind that is gone, or the reverse");
}

#[test]
fn the_committed_page_is_what_the_kinds_say() {
    golden("docs/records.md", &stdout(&mut qt("schema --markdown")));
}

#[test]
fn kinds_are_listed_and_shown_one_by_one() {
    let list = stdout(&mut qt("schema"));
    let names: Vec<_> = list.lines().filter_map(|line| line.split(' ').next()).collect();
    for name in &names {
        let schema = stdout(&mut qt(&format!("schema {name}")));
        let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
        assert_eq!(schema["title"], **name);
    }
    assert!(names.contains(&"stream") && names.contains(&"trade"), "{names:?}");
    let lines = stdout(&mut qt("schema --json"));
    assert_eq!(lines.lines().count(), names.len());
    qt("schema --arrow depth")
        .assert()
        .code(0)
        .stdout(contains("level            uint32 not null\n"));
    qt("schema --arrow trade --json")
        .assert()
        .code(0)
        .stdout(starts_with("{\"name\":\"ts_event\""));
}

#[test]
fn a_misspelt_kind_is_usage_with_a_suggestion() {
    let answer = qt("schema trades").assert().code(2).stdout(is_empty());
    answer.stderr("qt: there is no kind of record `trades`\nhint: did you mean `trade`?\n");
    let answer = qt("schema --arrow zebra-crossing").assert().code(2);
    answer.stderr(contains("hint: `qt schema` lists them\n"));
    let answer = qt("schema --arrow end").assert().code(2);
    answer.stderr(starts_with("qt: `end` has no columns\n"));
}

#[test]
fn schemas_are_not_overwritten_unless_forced() {
    let world = World::new().with("schemas/trade.json", "mine");
    let answer = world.qt("schema --to schemas").assert().code(2);
    answer.stderr("qt: schemas/trade.json exists\nhint: `--force` overwrites it\n");
    let count = || fs::read_dir(world.path().join("schemas")).unwrap().count();
    assert_eq!(count(), 1, "nothing is written when one file is in the way");
    let dry = world.qt("schema --to schemas --force --dry-run").assert().code(0);
    dry.stderr(contains("qt: would write schemas/trade.json\n"));
    assert_eq!(count(), 1);
    world.qt("schema --to schemas --force").assert().code(0).stderr(is_empty());
    assert!(count() > 20, "{}", count());
}
