//! `kill -9` while the catalog is written: the old files or the new ones, never something between.

use std::path::PathBuf;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::{files, market, records, replayed};
use crate::frame::World;

/// Kills a command after a while that differs from round to round.
fn killed(world: &World, args: &str, round: u64) {
    let mut child = world
        .std(args)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    // Not a wait for something to happen: any moment will do, and most are between two writes.
    std::thread::sleep(Duration::from_micros(500 + round * 1_700 % 60_000));
    // It may have ended already, which is a moment too.
    let _ = kill_process(Pid::from_child(&child), Signal::KILL);
    child.wait().unwrap();
}

#[test]
fn compaction_killed_at_any_moment_loses_and_repeats_nothing() {
    for round in 0..6 {
        let world = market();
        let more =
            "synth --seed 9 --symbols sim:AAA,sim:BBB --start 2024-08-09T02:00:00Z --hours 0.02";
        world.qt(&format!("{more} --to catalog")).assert().success();
        let all = records(&replayed(&world, "--ordering warn"));
        killed(&world, "catalog compact", round * 37);
        assert_eq!(records(&replayed(&world, "--ordering warn")), all, "round {round}");
        world.qt("catalog compact").assert().success();
        assert_eq!(records(&replayed(&world, "--ordering warn")), all, "round {round}");
    }
}

#[test]
fn a_writer_killed_at_any_moment_leaves_whole_files() {
    for round in 0..6 {
        let world = World::new();
        let args = "synth --seed 9 --start 2024-08-09T02:00:00Z --hours 0.05 --to catalog";
        killed(&world, args, round * 41);
        // What is there can be read to its end, and checks out.
        let is_whole = |path: &PathBuf| path.extension().is_some_and(|it| it == "parquet");
        let whole: Vec<_> = files(&world, "data").into_iter().filter(is_whole).collect();
        if !whole.is_empty() {
            world.qt("replay --verify --input").args(whole).assert().success();
        }
        world.qt(&format!("{args} --force")).assert().success();
        let left = files(&world, "data");
        let is_leftover = |path: &&PathBuf| path.to_str().unwrap().contains("/.staged-");
        assert_eq!(left.iter().filter(is_leftover).count(), 0, "round {round}");
        world.qt("replay verify").assert().success();
    }
}
