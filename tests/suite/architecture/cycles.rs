//! The top-level modules of a crate form no circle.
//!
//! A name that the crate's root re-exports counts as the module it comes from, so a road through
//! the root is seen too. Absent on purpose: the root itself, which declares and may use them all.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{mentions, shipped_code};
use super::tree::SourceFile;

type Roads = BTreeMap<String, BTreeSet<String>>;

/// `room` is the folder of the crate, `files` everything in it that ships.
pub(super) fn complaints(room: &str, files: &[SourceFile]) -> Vec<String> {
    match circle(&roads(room, files)) {
        Some(modules) => vec![format!("{room}: modules in a circle: {}", modules.join(" -> "))],
        None => Vec::new(),
    }
}

fn roads(room: &str, files: &[SourceFile]) -> Roads {
    let modules: BTreeSet<String> = files.iter().filter_map(|file| module(room, file)).collect();
    let exported = exported(room, files, &modules);
    let mut roads = Roads::new();
    for file in files {
        let Some(from) = module(room, file) else { continue };
        for mention in mentions(&shipped_code(&file.text)) {
            let Some(name) = top_level_name(room, file, &mention.path) else { continue };
            let to = if modules.contains(name) {
                Some(name)
            } else {
                exported.get(name).map(|to| &**to)
            };
            if let Some(to) = to.filter(|to| *to != from) {
                roads.entry(from.clone()).or_default().insert(to.to_owned());
            }
        }
    }
    roads
}

/// The top-level module a file belongs to; `None` for the root.
fn module(room: &str, file: &SourceFile) -> Option<String> {
    let inside = file.path.strip_prefix(room)?.strip_prefix('/')?;
    let first = inside.split('/').next()?.trim_end_matches(".rs");
    (!matches!(inside, "lib.rs" | "main.rs")).then(|| first.to_owned())
}

/// What the root re-exports by name, and from where.
fn exported(
    room: &str,
    files: &[SourceFile],
    modules: &BTreeSet<String>,
) -> BTreeMap<String, String> {
    let mut exported = BTreeMap::new();
    for file in files.iter().filter(|file| module(room, file).is_none()) {
        for mention in mentions(&shipped_code(&file.text)) {
            let path = mention.path.trim_start_matches("crate::").trim_start_matches("self::");
            if let Some((from, name)) = path.split_once("::") {
                let name = name.rsplit("::").next().unwrap_or(name);
                if modules.contains(from) {
                    exported.insert(name.to_owned(), from.to_owned());
                }
            }
        }
    }
    exported
}

/// The first part of a path behind the crate's root, if the path begins there.
fn top_level_name<'a>(room: &str, file: &SourceFile, path: &'a str) -> Option<&'a str> {
    let is_top = |inside: &str| {
        !inside.contains('/') || inside.matches('/').count() == 1 && inside.ends_with("/mod.rs")
    };
    let at_top = file.path.strip_prefix(room)?.strip_prefix('/').is_some_and(is_top);
    let behind = match path.strip_prefix("crate::") {
        Some(behind) => behind,
        None if at_top => path.strip_prefix("super::")?,
        None => return None,
    };
    behind.split("::").next()
}

fn circle(roads: &Roads) -> Option<Vec<String>> {
    let mut finished = BTreeSet::new();
    roads.keys().find_map(|start| visit(start, roads, &mut Vec::new(), &mut finished))
}

/// Follows the roads from `at`; a module met again on the way back to itself closes a circle.
fn visit(
    at: &str,
    roads: &Roads,
    way: &mut Vec<String>,
    finished: &mut BTreeSet<String>,
) -> Option<Vec<String>> {
    if let Some(seen) = way.iter().position(|module| module == at) {
        let mut modules = way[seen..].to_vec();
        modules.push(at.to_owned());
        return Some(modules);
    }
    if finished.contains(at) {
        return None;
    }
    way.push(at.to_owned());
    for next in roads.get(at).into_iter().flatten() {
        if let Some(found) = visit(next, roads, way, finished) {
            return Some(found);
        }
    }
    way.pop();
    finished.insert(at.to_owned());
    None
}

#[cfg(test)]
mod tests {
    use super::super::{none, one};
    use super::*;

    fn check(files: &[(&str, &str)]) -> Vec<String> {
        let file =
            |(name, text): &(&str, &str)| SourceFile::of(&format!("src/market/{name}"), text);
        complaints("src/market", &files.iter().map(file).collect::<Vec<_>>())
    }

    #[test]
    fn a_road_without_return_is_fine() {
        none(&check(&[
            ("lib.rs", "mod book;\nmod bars;\nuse book::Book; use bars::Bar;"),
            ("book.rs", "use crate::bars::Bar;\nmod tests { use super::*; }"),
            ("bars.rs", "// crate::book\n#[cfg(test)]\nmod tests { use crate::book::Book; }"),
        ]));
    }

    #[test]
    fn two_modules_in_a_circle_are_found() {
        let complaints = check(&[
            ("book.rs", "use crate::{bars::Bar, other};"),
            ("bars.rs", "fn f() { crate::book::open() }"),
        ]);
        one(&complaints, "bars -> book -> bars");
    }

    #[test]
    fn a_circle_through_folders_and_super_is_found() {
        let complaints = check(&[
            ("book/mod.rs", "use super::bars;"),
            ("bars.rs", "use crate::merge::Merge;"),
            ("merge/heap.rs", "use crate::book::Book;\nuse super::Order;"),
        ]);
        one(&complaints, "bars -> merge -> book -> bars");
    }

    #[test]
    fn a_circle_through_the_root_is_found() {
        let complaints = check(&[
            ("lib.rs", "mod book;\nmod bars;\npub use book::{Book, Level};\npub use bars::Bar;"),
            ("book.rs", "use crate::Bar;"),
            ("bars.rs", "use crate::Level;"),
        ]);
        one(&complaints, "bars -> book -> bars");
    }
}
