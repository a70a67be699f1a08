//! Lines of a byte stream, in blocks, in bounded memory.
//!
//! Invariant: a line is handed out whole, without its line feed and a carriage return before it.
//! A line beyond the limit is reported once and its bytes are passed over.

use std::io::Read;

/// No record of ours comes near this; a longer line is not a record.
pub const LINE_LIMIT: usize = 4 << 20;

/// A header names every instrument, and there may be a million.
pub const HEADER_LIMIT: usize = 1 << 28;

const BLOCK: usize = 1 << 18;

pub struct Lines {
    reader: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    /// The part of the buffer that is read and not yet handed out.
    start: usize,
    end: usize,
    at_eof: bool,
    /// The number of the last line handed out, counting from one.
    number: u64,
    /// How far behind `start` the next line feed lies, where somebody asked already.
    feed: Option<usize>,
    /// Whether the last line handed out ended with the input and not with a line feed.
    is_open_ended: bool,
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lines").field("number", &self.number).finish_non_exhaustive()
    }
}

/// What comes next.
#[derive(Debug)]
pub enum Line<'a> {
    Text(&'a [u8]),
    TooLong,
}

impl Lines {
    pub fn new(reader: Box<dyn Read + Send>) -> Self {
        Self {
            reader,
            buffer: vec![0; BLOCK],
            start: 0,
            end: 0,
            at_eof: false,
            number: 0,
            feed: None,
            is_open_ended: false,
        }
    }

    /// Whether the last line lacks its line feed: where an input is cut, it is cut there.
    pub fn is_open_ended(&self) -> bool {
        self.is_open_ended
    }

    pub fn number(&self) -> u64 {
        self.number
    }

    /// Whether a line can be had without waiting for more bytes.
    pub fn is_ready(&mut self) -> bool {
        self.feed = memchr::memchr(b'\n', &self.buffer[self.start..self.end]);
        self.feed.is_some()
    }

    /// What is at hand, for one that finds the ends of lines by itself; it says by `pass_line` what
    /// it took.
    #[inline]
    pub(crate) fn at_hand(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Steps over a line of that many bytes, its line feed included.
    #[inline]
    pub(crate) fn pass_line(&mut self, bytes: usize) {
        self.start += bytes;
        self.number += 1;
        self.feed = None;
    }

    /// The next line; `None` at the end of the input.
    pub(crate) fn next(&mut self) -> std::io::Result<Option<Line<'_>>> {
        self.next_within(LINE_LIMIT)
    }

    /// Like `next`, with a limit of its own.
    pub fn next_within(&mut self, limit: usize) -> std::io::Result<Option<Line<'_>>> {
        let mut searched = self.start;
        loop {
            let found = self.feed.take();
            let feed = || memchr::memchr(b'\n', &self.buffer[searched..self.end]);
            if let Some(at) = found.or_else(feed) {
                let line = self.start..searched + at;
                self.start = searched + at + 1;
                self.number += 1;
                return Ok(Some(Line::Text(trim(&self.buffer[line]))));
            }
            if self.at_eof {
                if self.start == self.end {
                    return Ok(None);
                }
                let line = self.start..self.end;
                self.start = self.end;
                self.number += 1;
                self.is_open_ended = true;
                return Ok(Some(Line::Text(trim(&self.buffer[line]))));
            }
            if self.end - self.start > limit {
                self.pass_over()?;
                self.number += 1;
                return Ok(Some(Line::TooLong));
            }
            let pending = self.end - self.start;
            self.read_more()?;
            searched = self.start + pending;
        }
    }

    /// Reads until that many bytes are at hand, or the input ends, and shows them.
    pub fn peek(&mut self, want: usize) -> std::io::Result<&[u8]> {
        while self.end - self.start < want && !self.at_eof {
            self.read_more()?;
        }
        Ok(&self.buffer[self.start..self.end])
    }

    /// The next line as far as it is at hand, up to that many bytes, without stepping over it.
    pub fn peek_line(&mut self, want: usize) -> std::io::Result<&[u8]> {
        let mut searched = 0;
        loop {
            let window = &self.buffer[self.start..self.end];
            if let Some(at) = memchr::memchr(b'\n', &window[searched..]) {
                let end = self.start + searched + at;
                return Ok(&self.buffer[self.start..end]);
            }
            searched = window.len();
            if searched >= want || self.at_eof {
                return Ok(&self.buffer[self.start..self.end]);
            }
            self.read_more()?;
        }
    }

    /// Steps over bytes that `peek` showed.
    pub fn pass(&mut self, bytes: usize) {
        self.feed = None;
        self.start = self.end.min(self.start + bytes);
    }

    fn read_more(&mut self) -> std::io::Result<()> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let read = read_some(&mut self.reader, &mut self.buffer[self.end..])?;
        self.end += read;
        self.at_eof = read == 0;
        Ok(())
    }

    fn pass_over(&mut self) -> std::io::Result<()> {
        loop {
            if let Some(at) = memchr::memchr(b'\n', &self.buffer[self.start..self.end]) {
                self.start += at + 1;
                return Ok(());
            }
            self.start = 0;
            self.end = read_some(&mut self.reader, &mut self.buffer)?;
            if self.end == 0 {
                self.at_eof = true;
                return Ok(());
            }
        }
    }
}

pub(crate) fn read_some(reader: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    loop {
        match reader.read(buffer) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

fn trim(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(text: &'static [u8]) -> Vec<Vec<u8>> {
        let mut lines = Lines::new(Box::new(text));
        let mut all = Vec::new();
        while let Some(Line::Text(line)) = lines.next().unwrap() {
            all.push(line.to_vec());
        }
        all
    }

    #[test]
    fn lines_end_with_a_feed_or_the_input() {
        assert_eq!(lines_of(b"a\r\nb\n\nc"), [&b"a"[..], b"b", b"", b"c"]);
        assert!(lines_of(b"").is_empty());
    }

    #[test]
    fn a_line_too_long_is_passed_over_and_counted() {
        let mut text = vec![b'x'; LINE_LIMIT * 2 + 7];
        text.extend_from_slice(b"\nnext\n");
        let mut lines = Lines::new(Box::new(std::io::Cursor::new(text)));
        assert!(matches!(lines.next().unwrap(), Some(Line::TooLong)));
        assert!(matches!(lines.next().unwrap(), Some(Line::Text(b"next"))));
        assert_eq!(lines.number(), 2);
        assert!(lines.buffer.len() <= LINE_LIMIT * 4);
    }
}
