//! Records through real pipes: synth, catalog, replay and demo as users chain them.

#![expect(clippy::unwrap_used, reason = "helpers of tests may stop where they stand, like tests")]

mod bars;
mod catalog;
mod check;
mod crash;
mod features;
mod replay;
mod selection;
mod synth;

use std::fs;
use std::path::PathBuf;

use crate::frame::{World, stdout};

/// A world whose catalog holds a few thousand records of two instruments over two days.
pub(crate) fn market() -> World {
    let world = World::new();
    let args = "synth --seed 3 --symbols sim:AAA,sim:BBB --start 2024-08-08T23:58:00Z --hours 0.08";
    world.qt(&format!("{args} --to catalog")).assert().success();
    world
}

/// The lines of a stream, its `stream` and `end` left out.
pub(crate) fn records(stream: &str) -> Vec<String> {
    let is_frame =
        |line: &&str| line.starts_with(r#"{"k":"stream""#) || line.starts_with(r#"{"k":"end""#);
    stream.lines().filter(|line| !is_frame(line)).map(str::to_owned).collect()
}

/// The value of a member of a line, as its text.
pub(crate) fn member<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let key = format!("\"{name}\":");
    let rest = &line[line.find(&key)? + key.len()..];
    let rest = rest.strip_prefix('"').unwrap_or(rest);
    Some(&rest[..rest.find(['"', ',', '}'])?])
}

pub(crate) fn replayed(world: &World, args: &str) -> String {
    stdout(&mut world.qt(&format!("replay {args}")))
}

/// All files below a folder, sorted, by their path from there.
pub(crate) fn files(world: &World, folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![world.path().join(folder)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}
