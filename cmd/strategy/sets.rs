//! `sets = ["core15@1"]`: the named sets that a strategy is written for.
//!
//! Indices and meanings of a set never change under one version, so a strategy that names a version
//! means the same for ever, and one that this program cannot serve does not start. The features of a
//! set are known to the rules by their names.

use qt_market::features::{SETS, set, unknown};
use qt_trade::script::{Definition, Source};

use crate::toml_table::TomlTable;

/// The sets of whole numbers of a book, each of which the next one goes on with.
const BOOKS: [(&str, u64); 3] = [("lob16", 1), ("lob22", 2), ("lob27", 3)];

/// A feature of a set that a file names.
#[derive(Clone, Copy, Debug)]
struct Member {
    set: &'static str,
    name: &'static str,
    expression: &'static str,
}

/// The sets that a file names, and where it does.
#[derive(Debug, Default)]
pub(super) struct Sets {
    at: usize,
    members: Vec<Member>,
}

impl Sets {
    pub(super) fn read(top: &mut TomlTable<'_, '_>) -> Self {
        let Some(at) = top.place("sets") else { return Self::default() };
        let expected = "a set with its version, or a list: \"core15@1\"";
        let mut sets = Self { at, members: Vec::new() };
        for text in top.texts("sets", expected).unwrap_or_default() {
            match find(&text) {
                // Whole numbers of a book come as rows of a stream, and rules have no names for them.
                Ok(name) => sets.members.extend(members(name)),
                Err(message) => top.complain(at, "sets", message),
            }
        }
        sets
    }

    /// Adds the features that expressions of the definition name and nobody has explained, and those
    /// that they name in turn. Others would cost time and warm-up for nothing.
    pub(super) fn explain(&self, definition: &mut Definition) -> Result<(), (usize, String)> {
        let expressions = definition.features.iter().map(|(_, source)| source);
        let mut texts: Vec<String> =
            expressions.chain(definition.sources()).map(|source| source.text.clone()).collect();
        while let Some(text) = texts.pop() {
            for word in text.split(|letter: char| !letter.is_alphanumeric() && letter != '_') {
                if definition.features.iter().any(|(known, _)| known == word) {
                    continue;
                }
                let mut meant = self.members.iter().filter(|member| member.name == word);
                let Some(Member { set, name, expression }) = meant.next() else { continue };
                if let Some(other) = meant.next() {
                    let message = format!("{set} and {} both have a feature `{name}`", other.set);
                    return Err((self.at, message));
                }
                let source = Source { key: format!("sets.{set}"), text: (*expression).to_owned() };
                definition.features.push(((*name).to_owned(), source));
                texts.push((*expression).to_owned());
            }
        }
        Ok(())
    }
}

fn members(name: &'static str) -> impl Iterator<Item = Member> {
    let features = set(name).map_or(&[][..], |set| set.features);
    features.iter().map(move |(feature, expression)| Member {
        set: name,
        name: feature,
        expression,
    })
}

/// All sets with their versions.
fn known() -> impl Iterator<Item = (&'static str, u64)> {
    SETS.iter().map(|set| (set.name, set.version)).chain(BOOKS)
}

/// The name of the set that a text such as `core15@1` means.
fn find(text: &str) -> Result<&'static str, String> {
    let (name, version) = match text.split_once('@') {
        Some((name, version)) => (name, Some(version)),
        None => (text, None),
    };
    let Some((name, current)) = known().find(|(known, _)| *known == name) else {
        return Err(unknown("set", name, known().map(|(name, _)| name)));
    };
    match version.map(str::parse::<u64>) {
        Some(Ok(wanted)) if wanted == current => Ok(name),
        Some(Ok(wanted)) => Err(format!(
            "it is written for version {wanted} of {name}, and this program has version {current}: \
             what the set means may be another thing"
        )),
        Some(Err(_)) | None => Err(format!("`{text}` names no version: expected {name}@{current}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_named_with_the_version_that_there_is() {
        assert_eq!(find("core15@1").unwrap(), "core15");
        assert_eq!(find("lob27@3").unwrap(), "lob27");
        for (text, said) in [
            ("core15", "names no version: expected core15@1"),
            ("core15@", "names no version"),
            ("core15@x", "names no version"),
            ("core15@2", "written for version 2 of core15, and this program has version 1"),
            ("core16@1", "did you mean `core15`?"),
            ("lob27@2", "version 2 of lob27, and this program has version 3"),
        ] {
            let message = find(text).unwrap_err();
            assert!(message.contains(said), "{text}: {message}");
        }
    }
}
