//! Files of lines that only ever grow, written so that a crash costs the line at hand and no other.
//!
//! A crash may cut the last line. Whoever writes next begins behind a line feed, so that a line of his
//! own does not go down with the cut one; whoever reads leaves out what is no line.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Adds lines, each with its line feed. They are safe on disk when this returns.
pub fn append(path: &Path, lines: &[u8]) -> io::Result<()> {
    debug_assert!(lines.ends_with(b"\n"), "whole lines");
    let mut file = File::options().create(true).read(true).append(true).open(path)?;
    // One writer at a time: a line of another must not stand inside ours.
    file.lock()?;
    let length = file.metadata().as_ref().map_or(0, Metadata::len);
    let is_cut = length > 0 && last_byte(&mut file)? != b'\n';
    let mut text = Vec::with_capacity(lines.len() + 1);
    text.extend(is_cut.then_some(b'\n'));
    text.extend_from_slice(lines);
    file.write_all(&text)?;
    file.sync_all()?;
    if length == 0 {
        File::open(path.parent().filter(|it| it != &Path::new("")).unwrap_or(Path::new(".")))?
            .sync_all()?;
    }
    Ok(())
}

fn last_byte(file: &mut File) -> io::Result<u8> {
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last[0])
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_cut_line_takes_no_other_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.jsonl");
        append(&path, b"one\ntwo\n").unwrap();
        append(&path, b"three\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\nthree\n");
        for cut in 1..6 {
            fs::write(&path, &b"one\ntwo\nthree\n"[..13 - cut]).unwrap();
            append(&path, b"four\n").unwrap();
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.starts_with("one\ntwo\n") && text.ends_with("\nfour\n"), "{text:?}");
        }
    }
}
