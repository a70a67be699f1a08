//! `docs/dependencies.md` lists the external crates of the workspace and where each one enters.

use std::collections::BTreeMap;

use super::floors;
use super::map::{quoted, table};

const HEADING: &str = "| crate | enters at |";

/// `manifests` holds the path and the manifest of every room.
pub(super) fn complaints(
    document: &str,
    root: &str,
    manifests: &[(String, String)],
) -> Vec<String> {
    let written = written(document);
    let actual = actual(root, manifests);
    let mut complaints = Vec::new();
    for name in written.keys().filter(|name| !actual.contains_key(*name)) {
        complaints.push(format!("docs/dependencies.md explains {name}; nobody may use it"));
    }
    for (name, rooms) in &actual {
        match written.get(name) {
            None => complaints.push(format!("docs/dependencies.md does not explain {name}")),
            Some(cell) if cell != rooms => complaints.push(format!(
                "docs/dependencies.md: {name} enters at {}, not at {}",
                spoken(rooms),
                spoken(cell)
            )),
            Some(_) => {}
        }
    }
    complaints
}

fn written(document: &str) -> BTreeMap<String, Vec<String>> {
    let rows = table(document, HEADING);
    rows.iter().map(|row| (quoted(&row[0]).concat(), sorted(quoted(&row[1])))).collect()
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

/// Every external crate of the workspace with the rooms that ship it, or `tests` if none does.
fn actual(root: &str, manifests: &[(String, String)]) -> BTreeMap<String, Vec<String>> {
    let root: toml::Table = root.parse().expect("the root manifest is TOML");
    let all = root["workspace"]["dependencies"].as_table().expect("the workspace has dependencies");
    let external = all.iter().filter(|(_, value)| value.get("path").is_none());
    external.map(|(name, _)| (name.clone(), entrances(name, manifests))).collect()
}

fn entrances(name: &str, manifests: &[(String, String)]) -> Vec<String> {
    let holds = |names: Vec<String>| names.iter().any(|it| it == name);
    let shipping = manifests.iter().filter(|(_, manifest)| holds(floors::shipped(manifest)));
    let rooms = sorted(shipping.map(|(path, _)| path.clone()).collect());
    let tested = |manifest: &str| holds(floors::dependencies(manifest, &["dev-dependencies"]));
    if rooms.is_empty() && manifests.iter().any(|(_, manifest)| tested(manifest)) {
        return vec!["tests".to_owned()];
    }
    rooms
}

fn spoken(rooms: &[String]) -> String {
    if rooms.is_empty() { "no room".to_owned() } else { rooms.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::super::{none, one};
    use super::*;

    const ROOT: &str = "\
[workspace.dependencies]
qt-model = { path = \"src/model\" }
csv = \"1\"
proptest = \"1\"
";

    fn check(rows: &str, dependency: &str) -> Vec<String> {
        let document = format!("| crate | enters at | why |\n| --- | --- | --- |\n{rows}");
        let tests = "[dev-dependencies]\nproptest = \"1\"";
        let manifest = format!("[dependencies]\n{dependency}.workspace = true\n{tests}");
        complaints(&document, ROOT, &[("src/stream".to_owned(), manifest)])
    }

    #[test]
    fn a_table_that_lags_behind_is_found() {
        let (csv, proptest) = ("| `csv` | `src/stream` | x |\n", "| `proptest` | `tests` | x |\n");
        none(&check(&format!("{csv}{proptest}"), "csv"));
        one(&check(csv, "csv"), "does not explain proptest");
        one(&check(&format!("{csv}{proptest}| `rand` | `cmd` | x |\n"), "csv"), "explains rand");
        one(
            &check(&format!("{csv}{proptest}"), "other"),
            "csv enters at no room, not at src/stream",
        );
    }
}
