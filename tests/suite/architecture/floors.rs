//! Floors: a room depends on lower rooms only, and a heavy crate enters at the room on the map.

use super::map::Room;
use super::source::{mentions, shipped_code};
use super::tree::SourceFile;

/// Crates whose weight is felt in every build; each needs its room on the map before it enters.
const HEAVY: [&str; 12] = [
    "arrow",
    "parquet",
    "csv",
    "zstd",
    "flate2",
    "tokio",
    "clickhouse",
    "rusqlite",
    "axum",
    "clap",
    "indicatif",
    "tracing-subscriber",
];

/// What rooms may share: the one runtime, under the wires of venues and under those of databases.
const SHARED: [&str; 1] = ["tokio"];

/// Tests link what they like among crates, but a room's tests do not climb either.
const ALL_TABLES: [&str; 3] = ["dependencies", "build-dependencies", "dev-dependencies"];

const SHIPPED_TABLES: [&str; 2] = ["dependencies", "build-dependencies"];

/// The crates that a manifest names in `tables`, in order, once each.
pub(super) fn dependencies(manifest: &str, tables: &[&str]) -> Vec<String> {
    let manifest: toml::Table = manifest.parse().expect("a manifest is TOML");
    let named = tables.iter().filter_map(|table| manifest.get(*table)?.as_table());
    let mut names: Vec<String> = named.flat_map(|table| table.keys().cloned()).collect();
    names.sort();
    names.dedup();
    names
}

/// The crates that a room ships with.
pub(super) fn shipped(manifest: &str) -> Vec<String> {
    dependencies(manifest, &SHIPPED_TABLES)
}

pub(super) fn manifest_complaints(room: &Room, manifest: &str, rooms: &[Room]) -> Vec<String> {
    let names = dependencies(manifest, &ALL_TABLES);
    let upward = names.iter().filter_map(|name| refusal(room, name, rooms));
    upward.map(|why| format!("the manifest of {}: {why}", room.path)).collect()
}

pub(super) fn source_complaints(room: &Room, file: &SourceFile, rooms: &[Room]) -> Vec<String> {
    let mut complaints = Vec::new();
    for mention in mentions(&shipped_code(&file.text)) {
        let first = mention.path.split("::").next().unwrap_or_default();
        if !first.starts_with("qt_") {
            continue;
        }
        if let Some(why) = refusal(room, &first.replace('_', "-"), rooms) {
            complaints.push(format!("{}:{}: {why}", file.path, mention.line));
        }
    }
    complaints.dedup();
    complaints
}

pub(super) fn heavy_complaints(manifests: &[(&Room, String)]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (room, manifest) in manifests {
        let names = shipped(manifest);
        for name in names.iter().filter(|name| is_heavy(name, manifests)) {
            if !room.heavy.contains(name) {
                complaints.push(format!("{name} may not enter at {}; see the map", room.path));
            }
        }
        for name in room.heavy.iter().filter(|name| !names.contains(name)) {
            complaints.push(format!("the map brings {name} in at {}; it is not there", room.path));
        }
    }
    complaints.extend(entered_twice(manifests));
    complaints
}

/// Named heavy here, or on the map.
fn is_heavy(name: &str, manifests: &[(&Room, String)]) -> bool {
    HEAVY.contains(&name)
        || manifests.iter().any(|(room, _)| room.heavy.iter().any(|it| it == name))
}

fn entered_twice(manifests: &[(&Room, String)]) -> Vec<String> {
    let mut named: Vec<&String> = manifests.iter().flat_map(|(room, _)| &room.heavy).collect();
    named.sort();
    let twice =
        named.windows(2).filter(|pair| pair[0] == pair[1] && !SHARED.contains(&pair[0].as_str()));
    twice.map(|pair| format!("the map brings {} in at two rooms", pair[0])).collect()
}

/// Why `room` may not use the package, if it is a room and may not.
fn refusal(room: &Room, package: &str, rooms: &[Room]) -> Option<String> {
    if !package.starts_with("qt-") || room.package() == package {
        return None;
    }
    let Some(other) = rooms.iter().find(|other| other.package() == package) else {
        return Some(format!("{package} is no room on the map"));
    };
    let (here, there) = (room.floor, other.floor);
    (there >= here).then(|| format!("floor {here} may not see {package} on floor {there}"))
}

#[cfg(test)]
mod tests {
    use super::super::{none, one};
    use super::*;

    fn room(path: &str, floor: u8, heavy: &[&str]) -> Room {
        let heavy = heavy.iter().map(|name| (*name).to_owned()).collect();
        Room { path: path.to_owned(), floor, pure: false, heavy }
    }

    fn house() -> Vec<Room> {
        vec![
            room("cmd", 6, &["clap"]),
            room("src/stream", 2, &["arrow"]),
            room("src/market", 2, &[]),
            room("src/model", 1, &[]),
        ]
    }

    #[test]
    fn a_manifest_that_climbs_is_found() {
        let (rooms, uses) = (house(), |name: &str| format!("[dependencies]\n{name} = \"1\""));
        none(&manifest_complaints(&rooms[1], &uses("qt-model"), &rooms));
        none(&manifest_complaints(&rooms[0], &uses("qt-stream"), &rooms));
        one(&manifest_complaints(&rooms[3], &uses("qt-stream"), &rooms), "floor 1 may not see");
        one(&manifest_complaints(&rooms[1], &uses("qt-market"), &rooms), "on floor 2");
        one(&manifest_complaints(&rooms[1], &uses("qt-attic"), &rooms), "no room on the map");
        let tests = "[dev-dependencies]\nqt-stream.workspace = true";
        one(&manifest_complaints(&rooms[3], tests, &rooms), "may not see qt-stream");
    }

    #[test]
    fn a_source_that_climbs_is_found() {
        let rooms = house();
        let file = |text: &str| SourceFile::of("src/market/book.rs", text);
        none(&source_complaints(&rooms[2], &file("use qt_model::{Px, Qty};"), &rooms));
        none(&source_complaints(&rooms[2], &file("// qt_stream reads this"), &rooms));
        one(&source_complaints(&rooms[2], &file("\nuse qt_stream::Reader;"), &rooms), "book.rs:2");
        one(&source_complaints(&rooms[2], &file("qt_stream::open()"), &rooms), "qt-stream");
    }

    #[test]
    fn a_heavy_crate_at_the_wrong_room_is_found() {
        let rooms = house();
        let with = |cmd: &str, stream: &str, market: &str| {
            let text = |names: &str| {
                let lines = names.split_whitespace().map(|name| format!("{name} = \"1\"\n"));
                format!("[dependencies]\n{}", lines.collect::<String>())
            };
            heavy_complaints(&[
                (&rooms[0], text(cmd)),
                (&rooms[1], text(stream)),
                (&rooms[2], text(market)),
            ])
        };
        none(&with("clap serde", "arrow serde", "serde"));
        one(&with("clap", "arrow", "arrow"), "arrow may not enter at src/market");
        one(&with("clap tokio", "arrow", ""), "tokio may not enter at cmd");
        one(&with("clap", "serde", ""), "the map brings arrow in at src/stream");
    }

    #[test]
    fn a_heavy_crate_at_two_rooms_is_found() {
        let (one_door, other) =
            (room("src/stream", 2, &["arrow"]), room("src/store", 2, &["arrow"]));
        let manifest = "[dependencies]\narrow = \"1\"".to_owned();
        let complaints = heavy_complaints(&[(&one_door, manifest.clone()), (&other, manifest)]);
        one(&complaints, "at two rooms");
    }
}
