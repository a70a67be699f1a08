//! Choosing by time, symbol and kind.

use predicates::str::contains;

use super::{market, member, records, replayed};

#[test]
fn a_range_is_half_open() {
    let world = market();
    let all = records(&replayed(&world, ""));
    let time = |line: &String| member(line, "ts_recv").unwrap().to_owned();
    let cut = time(&all[all.len() / 2]);
    let before = records(&replayed(&world, &format!("--to {cut}")));
    let after = records(&replayed(&world, &format!("--from {cut}")));
    assert!(before.iter().all(|line| time(line) < cut));
    assert!(after.iter().all(|line| time(line) >= cut));
    assert_eq!([before, after].concat(), all);
}

#[test]
fn days_split_at_midnight_utc() {
    let world = market();
    let first = records(&replayed(&world, "--date 2024-08-08"));
    let second = records(&replayed(&world, "--date 2024-08-09"));
    assert!(!first.is_empty() && !second.is_empty());
    assert_eq!([first, second].concat(), records(&replayed(&world, "")));
    assert_eq!(
        records(&replayed(&world, "--from 2024-08-09 --to 2024-08-10")),
        records(&replayed(&world, "--date 2024-08-09")),
    );
}

#[test]
fn symbols_and_kinds_are_patterns_and_words() {
    let world = market();
    let of = |args: &str| records(&replayed(&world, args));
    let only = |args: &str, text: &str| {
        let lines = of(args);
        assert!(!lines.is_empty(), "{args}");
        assert!(lines.iter().all(|line| line.contains(text)), "{args}");
    };
    only("--symbols sim:AAA", r#""sym":"sim:AAA""#);
    only("--symbols A*", r#""sym":"sim:AAA""#);
    only("--symbols sim:?BB", r#""sym":"sim:BBB""#);
    only("--kinds quote", r#""k":"quote""#);
    assert_eq!(of("--symbols A*,B*").len(), of("").len());
    let files = of("--input - ");
    assert!(files.is_empty(), "standard input is empty here");
    world.qt("replay --kinds quotes").assert().code(2).stderr(contains("did you mean `quote`?"));
}

#[test]
fn files_are_sifted_as_the_catalog_is() {
    let world = market();
    world.qt("replay --out all.ndjson").assert().success();
    for args in ["--symbols BBB --kinds trade", "--date 2024-08-09", "--from 2024-08-09T00:00:30Z"]
    {
        let from_catalog = records(&replayed(&world, args));
        assert!(!from_catalog.is_empty(), "{args}");
        assert_eq!(records(&replayed(&world, &format!("--input all.ndjson {args}"))), from_catalog);
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let world = market();
    let refused = |args: &str, said: &str| {
        world.qt(&format!("replay {args}")).assert().code(2).stderr(contains(said));
    };
    refused("--date 2024-13-01", "a day such as");
    refused("--from tomorrow", "--from tomorrow: expected a time");
    refused("--from 2024-08-09 --to 2024-08-08", "nothing lies from");
    refused("--date 2024-08-08 --from 2024-08-08", "cannot be used with");
    let nothing = world.qt("replay --date 1999-01-01").assert().code(5);
    nothing.stderr(contains("nothing matches"));
}
