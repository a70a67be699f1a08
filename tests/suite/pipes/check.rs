//! `qt check`: gates over streams, files and the catalog, in every form of report.

use std::fs;

use predicates::str::contains;

use super::{market, member, records};
use crate::frame::{World, stdout};

const FAULTY: &str = "synth --seed 4 --hours 0.1 --symbols sim:AAA,sim:BBB --faults";

/// The rules that a stream breaks at or above a severity.
fn broken(world: &World, stream: &str, severities: &[&str]) -> Vec<String> {
    let mut check = world.qt("check --json");
    let output = check.write_stdin(stream.to_owned()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let wanted = |line: &&String| severities.contains(&member(line, "severity").unwrap());
    let lines = records(&text);
    let mut rules: Vec<String> =
        lines.iter().filter(wanted).map(|line| member(line, "rule").unwrap().to_owned()).collect();
    rules.sort();
    rules.dedup();
    rules
}

#[test]
fn a_sound_market_passes_from_a_pipe_a_file_and_the_catalog() {
    let world = market();
    let stream = super::replayed(&world, "");
    world.qt("check").write_stdin(stream.clone()).assert().success().stdout(contains("passed"));
    fs::write(world.path().join("day.ndjson"), stream).unwrap();
    for args in [
        "check -i day.ndjson",
        "check --catalog",
        "check --from 2024-08-08T23:58:00Z --to 2024-08-09T00:02:00Z",
        "check --symbols AAA",
    ] {
        world.qt(args).assert().success().stdout(contains(", 0 at or above error: passed"));
    }
    // Of the whole day that is asked for there are two minutes.
    world.qt("check --date 2024-08-08").assert().code(1).stdout(contains("coverage"));
}

#[test]
fn each_fault_of_a_synthetic_market_is_found() {
    let world = World::new();
    let cases = [
        ("gaps", &["gap"][..]),
        ("duplicates", &["duplicate"]),
        ("crossed", &["crossed"]),
        ("clock-skew", &["clock-behind"]),
        ("reorder", &["order-event"]),
    ];
    for (fault, rules) in cases {
        let stream = stdout(&mut world.qt(&format!("{FAULTY} {fault}")));
        let broken = broken(&world, &stream, &["info", "warning", "error"]);
        for rule in rules {
            assert!(broken.iter().any(|it| it == rule), "{fault}: {rule} is not in {broken:?}");
        }
    }
}

#[test]
fn the_gate_decides_the_exit_code() {
    let world = World::new();
    let stream = stdout(&mut world.qt(&format!("{FAULTY} gaps")));
    world.qt("check").write_stdin(stream.clone()).assert().code(1).stdout(contains("failed"));
    world.qt("check --fail-on critical").write_stdin(stream.clone()).assert().success();
    fs::write(
        world.path().join("rules.toml"),
        "fail_on = \"error\"\n[rules.gap]\nseverity = \"off\"\n[rules.sequence]\nallow = 100000\n\
         [symbols.\"sim:*\".crossed-book]\nseverity = \"info\"\n[rules.no-snapshot]\nseverity = \"info\"\n",
    )
    .unwrap();
    world.qt("check --rules rules.toml").write_stdin(stream).assert().success();
}

#[test]
fn a_letter_in_a_numeric_column_is_a_finding_with_its_line_and_a_cut_file_ends_with_three() {
    let world = World::new();
    let csv = "k,ts_event,ts_recv,sym,px,qty,side,id,seq\n\
        trade,2024-08-08T00:00:00Z,2024-08-08T00:00:00Z,x:A,1.5,1,buy,1,1\n\
        trade,2024-08-08T00:00:01Z,2024-08-08T00:00:01Z,x:A,1.6O,1,buy,2,2\n";
    fs::write(world.path().join("typo.csv"), csv).unwrap();
    let check = world.qt("check -i typo.csv").assert().code(1);
    check.stdout(contains("unreadable").and_all(&["line 3", "px", "1.6O", "2 findings"][..3]));
    let stream = stdout(&mut world.qt("synth --seed 1 --events 500"));
    let cut = &stream[..stream.len() / 2];
    world.qt("check").write_stdin(cut.to_owned()).assert().code(3).stdout(contains("unreadable"));
    world.qt("check -i absent.ndjson").assert().code(4);
}

trait AndAll {
    fn and_all(self, parts: &[&'static str]) -> impl predicates::Predicate<str>;
}

impl<P: predicates::Predicate<str> + Send + Sync + 'static> AndAll for P {
    fn and_all(self, parts: &[&'static str]) -> impl predicates::Predicate<str> {
        use predicates::prelude::{PredicateBooleanExt, PredicateBoxExt};
        parts.iter().fold(self.boxed(), |all, part| all.and(contains(*part)).boxed())
    }
}

#[test]
fn reports_for_machines_are_whole_documents() {
    let world = World::new();
    let stream = stdout(&mut world.qt(&format!("{FAULTY} gaps,crossed")));
    let report = |form: &str| {
        let mut check = world.qt(&format!("check --report {form}"));
        let output = check.write_stdin(stream.clone()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let sarif: serde_json::Value = serde_json::from_str(&report("sarif")).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    assert!(!results.is_empty());
    for result in results {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
    }
    let junit = report("junit");
    let failures = junit.matches("<failure ").count();
    assert!(junit.contains(&format!("failures=\"{failures}\"")) && failures > 0, "{junit}");
    assert_eq!(junit.matches("<testcase ").count(), rules.len());
    // The findings are a stream like any other.
    world.qt("replay --input - --verify").write_stdin(report("ndjson")).assert().success();
}

#[test]
fn a_rules_file_is_read_with_all_its_errors() {
    let world = World::new();
    let rules = "fail_on = \"eror\"\n[rules.silense]\nafter = \"15m\"\n[rules.silence]\nafter = 15\n\
        [rules.spread]\nmax = \"5\"\nsize = 1\n[calendar]\nzone = \"Mars/Base\"\n";
    fs::write(world.path().join("bad.toml"), rules).unwrap();
    let check = world.qt("check --rules bad.toml --list").assert().code(2);
    let parts = [
        "bad.toml:1:11: fail_on: expected",
        "bad.toml:2:8: rules.silense: unknown key; did you mean `silence`?",
        "bad.toml:5:9: rules.silence.after: expected a length of time",
        "bad.toml:7:7: rules.spread.max: expected a share",
        "bad.toml:8:1: rules.spread.size: unknown key",
        "bad.toml:10:8: calendar.zone: expected an IANA zone",
    ];
    check.stderr(contains("6 errors").and_all(&parts));
    world.qt("check --list").assert().success().stdout(contains("after = \"15m\""));
}

#[test]
fn a_day_that_is_graded_bad_is_refused_until_it_is_allowed() {
    let world = World::new();
    let synth = "synth --seed 5 --symbols sim:AAA --start 2024-08-08 --hours 3 --to catalog";
    world.qt(&format!("{synth} --faults gaps")).assert().success();
    world.qt("replay --date 2024-08-08 --limit 1").assert().success();
    world.qt("check --grade --date 2024-08-08 --json").assert().code(1);
    world.qt("catalog stat").assert().success().stdout(contains("bad"));
    let refused = world.qt("replay --date 2024-08-08").assert().code(1);
    refused.stderr(contains("is graded bad").and_all(&["--allow-bad-data", "qt check"]));
    let allowed = stdout(&mut world.qt("replay --date 2024-08-08 --allow-bad-data --limit 1"));
    assert!(allowed.contains(r#""grade":"bad""#), "the header names the grade: {allowed}");
    world.qt("features --date 2024-08-08").assert().code(1);
}
