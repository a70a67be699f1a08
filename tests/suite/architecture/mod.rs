//! Guards of the house: what `docs/ARCHITECTURE.md` promises, checked against the tree.
//!
//! Every guard is a function over text that returns its complaints, so that its own tests can show
//! that it complains. The tests in this file run the guards over the real tree.
//! Absent on purpose: the compiler. The guards read text, and a determined author can fool them;
//! they stop accidents.

mod cycles;
mod dependencies;
mod floors;
mod map;
mod purity;
mod source;
mod tree;
mod words;

use map::Room;
use tree::SourceFile;

#[test]
fn the_map_shows_the_rooms_that_stand() {
    let root = tree::read("Cargo.toml");
    let mut folders = tree::folders("src");
    folders.push("cmd".to_owned());
    none(&map::complaints(&the_map(), &folders, &map::members(&root)));
}

#[test]
fn imports_only_go_down() {
    let rooms = the_map();
    let mut complaints = Vec::new();
    for room in &rooms {
        complaints.extend(floors::manifest_complaints(room, &manifest_of(room), &rooms));
        for file in sources_of(room) {
            complaints.extend(floors::source_complaints(room, &file, &rooms));
        }
    }
    none(&complaints);
}

#[test]
fn heavy_dependencies_enter_at_one_room() {
    let rooms = the_map();
    let manifests: Vec<_> = rooms.iter().map(|room| (room, manifest_of(room))).collect();
    none(&floors::heavy_complaints(&manifests));
}

#[test]
fn pure_rooms_stay_pure() {
    let mut complaints = Vec::new();
    for room in the_map().iter().filter(|room| room.pure) {
        for file in sources_of(room) {
            complaints.extend(purity::complaints(&file));
        }
    }
    none(&complaints);
}

#[test]
fn the_modules_of_a_room_do_not_circle() {
    let mut complaints = Vec::new();
    for room in &the_map() {
        complaints.extend(cycles::complaints(&room.path, &sources_of(room)));
    }
    none(&complaints);
}

#[test]
fn the_front_door_has_no_logic() {
    let shipped = floors::shipped(&tree::read("Cargo.toml"));
    none(&map::door_complaints(&tree::read("src/lib.rs"), &shipped));
}

#[test]
fn every_dependency_is_explained() {
    let rooms = the_map();
    let rooms = rooms.iter().map(|room| (room.path.clone(), manifest_of(room)));
    // The root package is no room; what the whole house is tested with is listed there.
    let root = ("the root".to_owned(), tree::read("Cargo.toml"));
    let manifests: Vec<_> = rooms.chain([root]).collect();
    none(&dependencies::complaints(
        &tree::read("docs/dependencies.md"),
        &tree::read("Cargo.toml"),
        &manifests,
    ));
}

#[test]
fn every_decision_is_in_the_index() {
    let index = tree::read("docs/decisions/README.md");
    none(&words::index_complaints(&index, &tree::files_in("docs/decisions")));
}

#[test]
fn no_file_grows_past_its_idea() {
    let mut complaints = Vec::new();
    for file in tree::rust_files("src").iter().chain(&tree::rust_files("cmd")) {
        complaints.extend(words::length_complaint(file));
    }
    none(&complaints);
}

#[test]
fn no_file_names_what_belongs_to_one_machine() {
    let mut complaints = Vec::new();
    for file in tree::tracked_files() {
        complaints.extend(words::forbidden_complaints(&file));
    }
    none(&complaints);
}

fn the_map() -> Vec<Room> {
    map::rooms(&tree::read("docs/ARCHITECTURE.md"))
}

fn manifest_of(room: &Room) -> String {
    tree::read(&format!("{}/Cargo.toml", room.path))
}

/// The sources of a room without those that exist for its tests only.
fn sources_of(room: &Room) -> Vec<SourceFile> {
    source::without_test_files(tree::rust_files(&room.path))
}

#[track_caller]
fn none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// For the guards' own tests: exactly one complaint, and it says `part`.
#[track_caller]
fn one(complaints: &[String], part: &str) {
    assert_eq!(complaints.len(), 1, "{complaints:?}");
    assert!(complaints[0].contains(part), "{complaints:?} does not say {part:?}");
}
