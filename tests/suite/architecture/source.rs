//! Rust source as the guards see it: code without comments and literals, and the paths in it.
//!
//! Invariant: blanking keeps every line break, so a line number in the code is one in the file.
//! Absent on purpose: macros. A path put together by a macro is not seen.

use super::tree::SourceFile;

const TEST_ONLY: &str = "#[cfg(test)]";

/// A path as written or imported, such as `std::fs::read`, with `!` behind a macro's name.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mention {
    pub line: usize,
    pub path: String,
}

/// The code of a file that ships: no comments, no literals, no test modules.
pub(super) fn shipped_code(text: &str) -> String {
    without_test_items(&code_only(text))
}

/// Drops the files of modules that are declared for tests only, and folders named `tests`.
pub(super) fn without_test_files(files: Vec<SourceFile>) -> Vec<SourceFile> {
    let mut test_files = Vec::new();
    for file in &files {
        let folder = module_folder(&file.path);
        for module in test_modules(&code_only(&file.text)) {
            test_files.push((format!("{folder}/{module}.rs"), format!("{folder}/{module}/")));
        }
    }
    let is_test = |path: &str| {
        let declared =
            test_files.iter().any(|(file, under)| path == file || path.starts_with(under));
        declared || path.contains("/tests/")
    };
    files.into_iter().filter(|file| !is_test(&file.path)).collect()
}

/// Every path in `code`, with grouped imports written out.
pub(super) fn mentions(code: &str) -> Vec<Mention> {
    let mut found = inline_paths(code);
    found.extend(imports(code));
    found.sort();
    found.dedup();
    found
}

/// `text` with spaces in place of comments, strings and characters.
pub(super) fn code_only(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        match opaque_end(bytes, at) {
            Some(end) => {
                blank(&mut code, at, end);
                at = end;
            }
            None => at += 1,
        }
    }
    String::from_utf8(code).expect("blanking begins and ends at ASCII bytes")
}

fn opaque_end(text: &[u8], at: usize) -> Option<usize> {
    let rest = &text[at..];
    match rest {
        [b'/', b'/', ..] => Some(at + find(rest, b"\n").unwrap_or(rest.len())),
        [b'/', b'*', ..] => Some(at + block_comment_len(rest)),
        [b'"', ..] => Some(at + string_len(rest)),
        [b'r', b'#' | b'"', ..] => raw_string_len(rest).map(|len| at + len),
        [b'\'', ..] => char_len(rest).map(|len| at + len),
        _ => None,
    }
}

/// Block comments nest.
fn block_comment_len(text: &[u8]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        match &text[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] if depth == 1 => return at + 2,
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    text.len()
}

fn string_len(text: &[u8]) -> usize {
    let mut at = 1;
    while at < text.len() {
        match text[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

/// `None` for a raw identifier, `r#type`.
fn raw_string_len(text: &[u8]) -> Option<usize> {
    let hashes = text[1..].iter().take_while(|byte| **byte == b'#').count();
    if text.get(1 + hashes) != Some(&b'"') {
        return None;
    }
    let close = [b"\"".as_slice(), &vec![b'#'; hashes]].concat();
    let body = 2 + hashes;
    let len = find(&text[body..], &close).map(|end| body + end + close.len());
    Some(len.unwrap_or(text.len()))
}

/// `None` for a lifetime.
fn char_len(text: &[u8]) -> Option<usize> {
    if text.get(1) == Some(&b'\\') {
        let tail = text.get(3..)?;
        return find(tail, b"'").map(|end| 3 + end + 1);
    }
    let continues = |byte: &u8| byte & 0b1100_0000 == 0b1000_0000;
    let width = 1 + text.get(2..)?.iter().take_while(|byte| continues(byte)).count();
    (text.get(1 + width) == Some(&b'\'')).then_some(width + 2)
}

fn without_test_items(code: &str) -> String {
    let mut bytes = code.as_bytes().to_vec();
    let mut from = 0;
    while let Some(found) = code[from..].find(TEST_ONLY) {
        let start = from + found;
        let end = start + item_len(&code[start..]);
        blank(&mut bytes, start, end);
        from = end;
    }
    String::from_utf8(bytes).expect("blanking begins and ends at ASCII bytes")
}

/// Up to the first semicolon, or to the brace that closes the first one opened.
fn item_len(code: &str) -> usize {
    let mut depth = 0;
    for (at, byte) in code.bytes().enumerate() {
        match byte {
            b';' if depth == 0 => return at + 1,
            b'{' => depth += 1,
            b'}' if depth == 1 => return at + 1,
            b'}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

/// The names in `#[cfg(test)] mod name;`.
fn test_modules(code: &str) -> Vec<String> {
    let items = code.match_indices(TEST_ONLY).map(|(at, _)| &code[at..][..item_len(&code[at..])]);
    let modules = items.filter_map(|item| {
        let (_, name) = item.strip_suffix(';')?.rsplit_once("mod ")?;
        Some(name.trim().to_owned())
    });
    modules.collect()
}

/// Where the modules declared in a file live.
fn module_folder(path: &str) -> String {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    match file {
        "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
        _ => path.trim_end_matches(".rs").to_owned(),
    }
}

fn inline_paths(code: &str) -> Vec<Mention> {
    let mut found = Vec::new();
    for (index, line) in code.lines().enumerate() {
        let mut rest = line;
        while let Some(start) = rest.find(is_word) {
            let after = &rest[start..];
            let end = path_len(after);
            let bang = after[end..].starts_with('!') && !after[end..].starts_with("!=");
            let path = format!("{}{}", &after[..end], if bang { "!" } else { "" });
            found.push(Mention { line: index + 1, path });
            rest = &after[end..];
        }
    }
    found
}

fn path_len(text: &str) -> usize {
    let mut end = word_len(text);
    while text[end..].starts_with("::") && text[end + 2..].starts_with(is_word) {
        end += 2 + word_len(&text[end + 2..]);
    }
    end
}

fn imports(code: &str) -> Vec<Mention> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("use ") {
        if code[..at].ends_with(is_word) {
            continue;
        }
        let tree = &code[at + 4..];
        let mut paths = Vec::new();
        write_out("", tree.split(';').next().unwrap_or(tree), &mut paths);
        let line = 1 + code[..at].matches('\n').count();
        found.extend(paths.into_iter().map(|path| Mention { line, path }));
    }
    found
}

fn write_out(before: &str, tree: &str, paths: &mut Vec<String>) {
    let tree = tree.trim();
    let Some((stem, inside)) = tree.split_once('{') else {
        let path = tree.split_whitespace().next().unwrap_or_default();
        if !path.is_empty() {
            paths.push(format!("{before}{path}").trim_start_matches("::").to_owned());
        }
        return;
    };
    let stem = format!("{before}{}", stem.trim());
    let inside = inside.trim_end().strip_suffix('}').unwrap_or(inside);
    for branch in branches(inside) {
        write_out(&stem, branch, paths);
    }
}

/// Splits at the commas that no brace encloses.
fn branches(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            b',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn word_len(text: &str) -> usize {
    text.find(|letter| !is_word(letter)).unwrap_or(text.len())
}

fn blank(bytes: &mut [u8], start: usize, end: usize) {
    let end = end.min(bytes.len());
    bytes[start..end].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let words: Vec<_> = code_only(text).split_whitespace().map(str::to_owned).collect();
        assert_eq!(words.join(" "), expected, "{text}");
        assert_eq!(code_only(text).matches('\n').count(), text.matches('\n').count(), "{text}");
    }

    #[test]
    fn comments_and_literals_are_not_code() {
        check("a // b\nc", "a c");
        check("a /* b /* c */ d */ e", "a e");
        check(r#"a "b \" c" d"#, "a d");
        check("a \"b\nc\" d", "a d");
        check(r###"a r#"b " c"# d"###, "a d");
        check("a b'\"' c", "a b c");
        check(r"a '\'' b '\u{e9}' c 'é' d", "a b c d");
        check("fn f<'a>(x: &'a str)", "fn f<'a>(x: &'a str)");
        check("r#type", "r#type");
    }

    #[test]
    fn test_items_do_not_ship() {
        let code = shipped_code("a\n#[cfg(test)]\nmod tests { fn f() { b } }\nc");
        assert_eq!(code.split_whitespace().collect::<Vec<_>>(), ["a", "c"]);
        let code = shipped_code("#[cfg(test)]\nmod tests;\nc");
        assert_eq!(code.trim(), "c");
    }

    #[test]
    fn test_files_do_not_ship() {
        let files = vec![
            SourceFile::of("src/a/lib.rs", "#[cfg(test)]\nmod model;\nmod book;"),
            SourceFile::of("src/a/model.rs", ""),
            SourceFile::of("src/a/model/deep.rs", ""),
            SourceFile::of("src/a/book.rs", "#[cfg(test)]\nmod twin;"),
            SourceFile::of("src/a/book/twin.rs", ""),
            SourceFile::of("src/a/tests/all.rs", ""),
        ];
        let left: Vec<_> = without_test_files(files).into_iter().map(|file| file.path).collect();
        assert_eq!(left, ["src/a/lib.rs", "src/a/book.rs"]);
    }

    #[test]
    fn grouped_imports_are_written_out() {
        let code = "pub use std::{fs::{self, File}, io as input};\nprintln!(); a != b";
        let found: Vec<_> = mentions(code).into_iter().map(|it| (it.line, it.path)).collect();
        for path in ["std::fs::self", "std::fs::File", "std::io"] {
            assert!(found.contains(&(1, path.to_owned())), "{path} in {found:?}");
        }
        assert!(found.contains(&(2, "println!".to_owned())), "{found:?}");
        assert!(found.contains(&(2, "a".to_owned())), "{found:?}");
    }
}
