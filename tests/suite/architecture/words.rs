//! Plain rules about files: their length, their words, their place in an index.

use super::tree::SourceFile;

const LINES_MAX: usize = 500;

/// Words that no tracked file needs, split here so that this file holds none of them.
const FORBIDDEN: [(&str, &str); 6] = [
    (concat!("/ro", "ot/"), "a home folder"),
    (concat!("/ho", "me/"), "a home folder"),
    (concat!("/Us", "ers/"), "a home folder"),
    (concat!("PRIVATE", " KEY-----"), "a private key"),
    (concat!("<<<<", "<<< "), "a merge that was not finished"),
    (concat!(">>>>", ">>> "), "a merge that was not finished"),
];

pub(super) fn length_complaint(file: &SourceFile) -> Option<String> {
    let lines = file.text.lines().count();
    if lines <= LINES_MAX || file.path.contains("/tests/") {
        return None;
    }
    Some(format!("{} has {lines} lines: a folder, or a table, waiting to be seen", file.path))
}

pub(super) fn forbidden_complaints(file: &SourceFile) -> Vec<String> {
    let mut complaints = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        for (word, meaning) in FORBIDDEN.iter().filter(|(word, _)| line.contains(word)) {
            let place = format!("{}:{}", file.path, index + 1);
            complaints.push(format!("{place}: `{word}` looks like {meaning}"));
        }
    }
    complaints
}

/// Every document of a folder is linked from the folder's index.
pub(super) fn index_complaints(index: &str, files: &[String]) -> Vec<String> {
    let listed = |file: &&String| index.contains(&format!("]({file})"));
    let missing = files.iter().filter(|file| *file != "README.md").filter(|file| !listed(file));
    missing.map(|file| format!("{file} is not in the index")).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{none, one};
    use super::*;

    #[test]
    fn a_long_file_is_found() {
        let long = "x\n".repeat(LINES_MAX + 1);
        assert!(length_complaint(&SourceFile::of("src/a/b.rs", &long[2..])).is_none());
        assert!(length_complaint(&SourceFile::of("src/a/tests/b.rs", &long)).is_none());
        let complaint = length_complaint(&SourceFile::of("src/a/b.rs", &long));
        one(&complaint.into_iter().collect::<Vec<_>>(), "has 501 lines: a folder, or a table");
    }

    #[test]
    fn a_forbidden_word_is_found() {
        none(&forbidden_complaints(&SourceFile::of("a", "the root / home of it\n")));
        for (word, meaning) in FORBIDDEN {
            let file = SourceFile::of("a", &format!("fine\nsee {word}x\n"));
            one(&forbidden_complaints(&file), &format!("a:2: `{word}` looks like {meaning}"));
        }
    }

    #[test]
    fn a_document_off_the_index_is_found() {
        let index = "- [one](0001-one.md)";
        let files =
            |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        none(&index_complaints(index, &files(&["0001-one.md", "README.md"])));
        one(&index_complaints(index, &files(&["0001-one.md", "0002-two.md"])), "0002-two.md");
    }
}
