//! Who decides, and which keys mean nothing then.
//!
//! A stop that nobody reads is worse than none: whoever wrote it believes in it. So what the decider
//! of a file does not use is refused, not passed over.

use crate::toml_table::TomlTable;

/// What only rules use.
const RULES: [&str; 7] = ["exit", "size", "orders", "bracket", "schedule", "on", "every"];

/// What can decide, and the keys that mean nothing beside it.
const DECIDERS: [(&str, &[&str]); 5] = [
    ("entry", &[]),
    ("quote", &["exit", "orders", "bracket"]),
    ("regime", &["params", "features", "sets"]),
    ("process", &["features"]),
    ("native", &[]),
];

/// Complains unless one thing decides and all other keys concern it.
pub(super) fn check(top: &mut TomlTable<'_, '_>) {
    let given = DECIDERS.into_iter().filter_map(|(key, idle)| Some((key, idle, top.place(key)?)));
    let given: Vec<_> = given.collect();
    let [(decider, idle, _), others @ ..] = &given[..] else {
        let names = DECIDERS.map(|(key, _)| spoken(key)).join(", ");
        top.complain(0, "entry", format!("nothing decides: expected one of {names}"));
        return;
    };
    for (other, _, at) in others {
        let message = format!("{} decides already: one of them has to go", spoken(decider));
        top.complain(*at, other, message);
    }
    let rules: &[&str] = if has_rules(decider) { &[] } else { &RULES };
    for key in idle.iter().chain(rules) {
        if let Some(at) = top.place(key) {
            let message = format!("{} decides and has no use for it", spoken(decider));
            top.complain(at, key, message);
        }
    }
}

fn has_rules(decider: &str) -> bool {
    ["entry", "quote"].contains(&decider)
}

/// A key as people write it.
fn spoken(key: &str) -> String {
    if key == "native" { "`native`".to_owned() } else { format!("`[{key}]`") }
}
