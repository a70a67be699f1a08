//! The map in `docs/ARCHITECTURE.md`: one row per room, read by people and by the guards.

use std::collections::BTreeSet;

use super::source::code_only;

/// The first cells of the map's heading. The cells behind `floor` are purity, job and heavy crates.
const HEADING: &str = "| room | floor |";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Room {
    /// `cmd` or `src/<name>`.
    pub path: String,
    pub floor: u8,
    pub pure: bool,
    /// Heavy crates that enter the house here and nowhere else.
    pub heavy: Vec<String>,
}

impl Room {
    /// The crate as manifests write it.
    pub(super) fn package(&self) -> String {
        format!("qt-{}", self.path.trim_start_matches("src/"))
    }
}

pub(super) fn rooms(document: &str) -> Vec<Room> {
    let rows = table(document, HEADING);
    assert!(!rows.is_empty(), "docs/ARCHITECTURE.md has no table that begins `{HEADING}`");
    rows.iter().map(|row| room(row)).collect()
}

/// The rows of the table under `heading`, without the heading and its rule.
pub(super) fn table(document: &str, heading: &str) -> Vec<Vec<String>> {
    let below = document.lines().skip_while(|line| !line.starts_with(heading)).skip(2);
    below.take_while(|line| line.starts_with('|')).map(cells).collect()
}

/// The words of a cell that stand in backticks.
pub(super) fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The members of the workspace, as their paths.
pub(super) fn members(manifest: &str) -> Vec<String> {
    let manifest: toml::Table = manifest.parse().expect("the root manifest is TOML");
    let members = manifest["workspace"]["members"].as_array().expect("members is a list");
    members.iter().map(|member| member.as_str().expect("a member is a path").to_owned()).collect()
}

pub(super) fn complaints(rooms: &[Room], folders: &[String], members: &[String]) -> Vec<String> {
    let mapped: BTreeSet<_> = rooms.iter().map(|room| &room.path).collect();
    let standing: BTreeSet<_> = folders.iter().collect();
    // An example is a guest: it is built with the house and is no part of it.
    let built: BTreeSet<_> = members.iter().filter(|path| !path.starts_with("examples/")).collect();
    let mut complaints = Vec::new();
    for path in standing.difference(&mapped) {
        complaints.push(format!("{path} stands and is not on the map"));
    }
    for path in mapped.difference(&standing) {
        complaints.push(format!("{path} is on the map and does not stand"));
    }
    for path in standing.symmetric_difference(&built) {
        complaints.push(format!("{path} is either a folder or a workspace member, not both"));
    }
    complaints
}

/// The front door re-exports; it defines nothing and brings nothing in.
pub(super) fn door_complaints(text: &str, shipped: &[String]) -> Vec<String> {
    let code = code_only(text);
    let defines = ["fn ", "struct ", "enum ", "trait ", "impl ", "mod ", "static ", "macro_rules"];
    let found = defines.iter().filter(|word| code.lines().any(|line| has_word(line, word)));
    let found = found.map(|word| format!("src/lib.rs: a `{}` belongs in a room", word.trim()));
    let foreign = shipped.iter().filter(|name| !name.starts_with("qt-"));
    found.chain(foreign.map(|name| format!("Cargo.toml: {name} enters at a room"))).collect()
}

fn has_word(line: &str, word: &str) -> bool {
    let line = line.trim_start();
    line.starts_with(word) || line.contains(&format!(" {word}"))
}

fn cells(row: &str) -> Vec<String> {
    row.trim().trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
}

fn room(row: &[String]) -> Room {
    let [path, floor, purity, _job, heavy] = row else {
        panic!("a row of the map has five cells: {row:?}");
    };
    Room {
        path: quoted(path).pop().unwrap_or_else(|| panic!("no `path` in {row:?}")),
        floor: floor.parse().unwrap_or_else(|_| panic!("floor {floor:?} in {row:?}")),
        pure: match purity.as_str() {
            "pure" => true,
            "rim" => false,
            other => panic!("purity is pure or rim, not {other:?}"),
        },
        heavy: quoted(heavy),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{none, one};
    use super::*;

    const MAP: &str = "\
words
| room | floor | purity | job | heavy |
| --- | --- | --- | --- | --- |
| `cmd` | 6 | rim | terminal | `clap` |
| `src/stream` | 2 | rim | files | `arrow`, `zstd` |
| `src/model` | 1 | pure | units | – |

| room | floor | elsewhere |
";

    fn paths(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_map_is_read_as_written() {
        let rooms = rooms(MAP);
        assert_eq!(rooms.len(), 3);
        assert_eq!(rooms[1].heavy, ["arrow", "zstd"]);
        assert_eq!((rooms[0].package(), rooms[1].package()), ("qt-cmd".into(), "qt-stream".into()));
        assert!(rooms[2].pure && rooms[2].heavy.is_empty());
    }

    #[test]
    fn a_folder_off_the_map_is_found() {
        let (rooms, both) = (rooms(MAP), paths(&["cmd", "src/model", "src/stream"]));
        none(&complaints(&rooms, &both, &both));
        none(&complaints(&rooms, &both, &[&both[..], &paths(&["examples/desk"])].concat()));
        let three = paths(&["cmd", "src/attic", "src/model", "src/stream"]);
        one(&complaints(&rooms, &three, &three), "src/attic stands");
        let single = paths(&["cmd", "src/model"]);
        one(&complaints(&rooms, &single, &single), "src/stream is on the map");
        one(&complaints(&rooms, &both, &single), "src/stream is either");
    }

    #[test]
    fn logic_in_the_front_door_is_found() {
        let door = "//! fn of the house\n#[doc(inline)]\npub use qt_model as model;";
        none(&door_complaints(door, &paths(&["qt-model"])));
        one(&door_complaints(door, &paths(&["qt-model", "clap"])), "clap enters at a room");
        one(&door_complaints("pub fn open() -> u8 { 1 }", &[]), "`fn`");
    }
}
