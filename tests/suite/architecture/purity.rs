//! What pure code does not do: files, sockets, clocks, threads, output, chance, visible hash order.
//!
//! A hash map is allowed where its order cannot show; the line says so: `// order hidden: <why>`.

use super::source::{mentions, shipped_code};
use super::tree::SourceFile;

/// Paths that begin so are refused.
const ROADS_OUT: [&str; 7] =
    ["std::fs", "std::net", "std::env", "std::process", "std::thread", "std::io", "std::os"];

/// Paths that hold one of these names anywhere are refused.
const NAMES: [&str; 12] = [
    "SystemTime",
    "Instant",
    "thread_rng",
    "OsRng",
    "from_entropy",
    "from_os_rng",
    "getrandom",
    "print!",
    "println!",
    "eprint!",
    "eprintln!",
    "dbg!",
];

/// Paths that end so are refused. Every clock in use has a `now`.
const ENDINGS: [&str; 2] = ["::now", "rand::rng"];

const UNORDERED: [&str; 2] = ["HashMap", "HashSet"];

const PERMISSION: &str = "// order hidden: ";

pub(super) fn complaints(file: &SourceFile) -> Vec<String> {
    let lines: Vec<&str> = file.text.lines().collect();
    let mut complaints = Vec::new();
    for mention in mentions(&shipped_code(&file.text)) {
        let line = lines.get(mention.line - 1).copied().unwrap_or_default();
        if is_refused(&mention.path, line) {
            let place = format!("{}:{}", file.path, mention.line);
            complaints.push(format!("{place}: a pure room has no use for `{}`", mention.path));
        }
    }
    complaints
}

fn is_refused(path: &str, line: &str) -> bool {
    let holds = |name: &str| path.split("::").any(|part| part == name);
    if UNORDERED.iter().any(|name| holds(name)) {
        return !has_permission(line);
    }
    let leads_out = |road: &str| path == road || path.starts_with(&format!("{road}::"));
    ROADS_OUT.iter().any(|road| leads_out(road))
        || NAMES.iter().any(|name| holds(name))
        || ENDINGS.iter().any(|ending| path.ends_with(ending))
}

/// A permission without a reason is none.
fn has_permission(line: &str) -> bool {
    line.split_once(PERMISSION).is_some_and(|(_, reason)| !reason.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::{none, one};
    use super::*;

    #[track_caller]
    fn refused(text: &str, part: &str) {
        one(&complaints(&SourceFile::of("src/model/a.rs", text)), part);
    }

    #[track_caller]
    fn allowed(text: &str) {
        none(&complaints(&SourceFile::of("src/model/a.rs", text)));
    }

    #[test]
    fn roads_out_are_refused() {
        refused("use std::fs;", "std::fs");
        refused("fn f() {\n    std::net::TcpStream::connect(a);\n}", "a.rs:2: a pure room");
        refused("use std::{fmt, io::Write};", "std::io::Write");
        refused("let home = std::env::var(name);", "std::env::var");
        refused("std::process::exit(1);", "std::process");
        refused("std::thread::spawn(f);", "std::thread::spawn");
        refused("let f = ::std::fs::read;", "std::fs::read");
        allowed("use std::fmt;\nuse std::iter;\nuse std::time::Duration;");
    }

    #[test]
    fn clocks_chance_and_printing_are_refused() {
        refused("let t = SystemTime::now();", "SystemTime::now");
        refused("let t = Instant::now();", "Instant::now");
        refused("let t = Timestamp::now();", "Timestamp::now");
        refused("let r = rand::rng();", "rand::rng");
        refused("let r = thread_rng();", "thread_rng");
        for name in ["print", "println", "eprint", "eprintln", "dbg"] {
            refused(&format!("{name}!(x);"), name);
        }
        allowed("let now: Ts = input.now; writeln!(f, \"{x}\")");
    }

    #[test]
    fn hash_maps_need_a_reason() {
        refused("use std::collections::HashMap;", "HashMap");
        refused("ids: HashSet<u64>,", "HashSet");
        refused("ids: HashSet<u64>, // order hidden: ", "HashSet");
        allowed("ids: HashSet<u64>, // order hidden: membership only, never listed");
        allowed("ids: BTreeSet<u64>,");
    }

    #[test]
    fn comments_strings_and_tests_may_say_anything() {
        allowed("// std::fs is not used\nlet s = \"HashMap\";");
        allowed("#[cfg(test)]\nmod tests {\n    use std::fs;\n}");
        refused("#[cfg(test)]\nmod tests {}\nuse std::fs;", "a.rs:3");
    }
}
