//! `qt explain`.

use predicates::str::contains;

use super::sample::{self, Plot};
use crate::frame::{World, golden, stdout};

#[test]
fn a_fill_is_told_from_its_decision_on() {
    let world = World::new();
    let run = sample::write(&world.path().join("runs"), 1, Plot::SHORT).run_id;
    let text = stdout(&mut world.qt(&format!("explain {run} --fill 3")));
    golden("tests/suite/runs/explain.txt", &text);
    for part in ["decision\n", "order\n", "queue\n", "fill\n", "price\n", "other fill models\n"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let json = stdout(&mut world.qt(&format!("explain {run} --fill 3 --json")));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(json["fill"]["what"].as_str().unwrap().contains("sim:BTCUSDT"), "{json}");
    let answer = world.qt(&format!("explain {run} --fill 999")).assert().code(2);
    answer.stderr(contains("qt: the run has no fill `999`\nhint: "));
}
