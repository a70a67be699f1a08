//! `qt synth` and `qt demo`.

use predicates::str::contains;

use super::records;
use crate::frame::{World, stdout};

fn synth(args: &str) -> String {
    stdout(&mut World::new().qt(&format!("synth {args}")))
}

#[test]
fn one_seed_gives_the_same_bytes() {
    let once = synth("--seed 5 --events 3000");
    assert_eq!(synth("--seed 5 --events 3000"), once);
    assert_eq!(synth("--seed 5 --events 3000 --threads 1"), once);
    assert_ne!(synth("--seed 6 --events 3000"), once);
    assert_eq!(records(&once).len(), 3000);
    let again = World::new().qt("replay --input - --verify").write_stdin(once).assert();
    again.success();
}

#[test]
fn a_stream_of_faults_still_replays() {
    let all = "gaps,duplicates,reorder,crossed,stale,clock-skew";
    let stream = synth(&format!("--seed 5 --events 20000 --faults {all}"));
    assert_ne!(stream, synth("--seed 5 --events 20000"));
    World::new().qt("replay --input - --verify").write_stdin(stream).assert().success();
}

#[test]
fn the_digest_of_a_seed_is_known() {
    // The same on every machine and for every thread count; a change of it is a change of meaning.
    let stream = synth("--seed 1 --events 10000");
    crate::frame::golden("tests/suite/pipes/synth-seed-1.end", stream.lines().last().unwrap());
}

#[test]
fn what_makes_no_market_is_refused() {
    let refused = |args: &str, said: &str| {
        World::new().qt(&format!("synth {args}")).assert().code(2).stderr(contains(said));
    };
    refused("--faults gasp", "gaps");
    refused("--hours 0", "--hours 0: expected a number above zero");
    refused("--symbols nobody", "--symbols");
    refused("--start soon", "--start soon");
}

#[test]
fn the_demo_runs_from_an_empty_folder() {
    let world = World::new().with("qt.toml", "data = 'elsewhere'");
    let shown = stdout(&mut world.qt("demo"));
    for step in ["qt synth", "qt catalog ls", "qt replay", "passes equal", "sim:BTCUSDT"] {
        assert!(shown.contains(step), "{step} in {shown}");
    }
    assert!(!world.path().join("elsewhere").exists());
}
