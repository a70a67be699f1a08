//! Damaged input, as a user meets it: an exit code, one line with a place, and never a bug report.

#![expect(clippy::unwrap_used, reason = "helpers of tests may stop where they stand, like tests")]

use std::fs;

use assert_cmd::Command;

use crate::frame::World;

fn made(world: &World, args: &str) -> Vec<u8> {
    world.qt(args).assert().success().get_output().stdout.clone()
}

fn replay(world: &World, bytes: &[u8], flags: &str) -> Command {
    fs::write(world.path().join("in"), bytes).unwrap();
    world.qt(&format!("replay --input in {flags}"))
}

#[test]
fn changed_bytes_are_bad_input_and_no_bug_of_ours() {
    let world = World::new();
    let synth = "synth --seed 1 --events 40 --symbols 1";
    let arrow = made(&world, &format!("{synth} -o arrow"));
    fs::write(world.path().join("all"), &arrow).unwrap();
    made(&world, "replay --input all --kinds trade -o parquet --out parquet");
    let parquet = fs::read(world.path().join("parquet")).unwrap();
    let mut refused = 0;
    for bytes in [arrow, parquet] {
        for at in (40..bytes.len()).step_by(bytes.len() / 24) {
            let mut changed = bytes.clone();
            changed[at..].iter_mut().take(3).for_each(|byte| *byte ^= 0xff);
            let output = replay(&world, &changed, "--verify").output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(matches!(output.status.code(), Some(0 | 3)), "{at}: {said}");
            assert!(!said.contains("bug"), "{at}: {said}");
            assert_eq!(said.is_empty(), output.status.success(), "{at}: {said}");
            refused += usize::from(!output.status.success());
        }
    }
    assert!(refused > 10, "{refused}");
}

#[test]
fn a_cut_stream_is_3_unless_that_is_allowed() {
    let world = World::new();
    for format in ["ndjson", "arrow"] {
        let whole = made(&world, &format!("synth --seed 1 --events 40 -o {format}"));
        let cut = &whole[..whole.len() * 3 / 4];
        let said = replay(&world, cut, "").assert().code(3).get_output().stderr.clone();
        let said = String::from_utf8(said).unwrap();
        assert!(said.contains("the stream is cut: "), "{said}");
        assert!(said.contains("hint: `--allow-truncated` accepts"), "{said}");
        replay(&world, cut, "--allow-truncated").assert().code(0);
    }
}
