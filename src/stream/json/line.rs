//! Lines in the making, on a page that grows.
//!
//! The pieces of a record are short. Appended one by one to a vector, each would ask for room and
//! cost a call; here a pen has room for all of them, and a piece of known length is a few moves.
//!
//! Invariant: one pen writes fewer than [`PLACES`] bytes.

use qt_model::decimal::{self, MAX_LEN};
use qt_model::time::{TEXT_LEN, Ts, TsWriter};
use qt_model::units::Scale;

/// More than any line of fixed fields has, than any [`LEVELS`] of a book and any [`FLOATS`].
const PLACES: usize = 1024;

/// From each place there is room for the longest piece.
const ROOM: usize = 2 * PLACES;

/// How many levels of a book one pen writes.
pub(super) const LEVELS: usize = 8;

/// How many floats one pen writes.
pub(super) const FLOATS: usize = 32;

#[derive(Debug, Default)]
pub(super) struct Page {
    /// All of it is initialised; the text ends at `at`.
    bytes: Vec<u8>,
    at: usize,
}

/// A text padded to a fixed length, so that it is copied as one block.
#[derive(Clone, Debug)]
pub(super) struct Padded {
    bytes: [u8; 144],
    len: usize,
}

impl Padded {
    /// The text must fit: symbols have a bound.
    pub(super) fn new(text: &[u8]) -> Self {
        let mut bytes = [0; 144];
        bytes[..text.len()].copy_from_slice(text);
        Self { bytes, len: text.len() }
    }
}

impl Page {
    pub(super) fn text(&self) -> &[u8] {
        &self.bytes[..self.at]
    }

    pub(super) fn clear(&mut self) {
        self.at = 0;
    }

    /// A pen at the end of the text.
    #[inline(always)]
    pub(super) fn pen(&mut self) -> Pen<'_> {
        if self.bytes.len() - self.at < ROOM {
            self.grow(ROOM);
        }
        let room = self.bytes[self.at..].first_chunk_mut();
        Pen { room: room.expect("room was made"), at: 0 }
    }

    #[cold]
    fn grow(&mut self, room: usize) {
        self.bytes.resize((2 * self.bytes.len()).max(self.at + room), 0);
    }

    /// Takes what a pen wrote.
    #[inline(always)]
    pub(super) fn take(&mut self, written: usize) {
        self.at += written;
    }

    /// Appends a text of any length.
    pub(super) fn extend(&mut self, text: &[u8]) {
        if self.bytes.len() - self.at < text.len() {
            self.grow(text.len());
        }
        self.bytes[self.at..self.at + text.len()].copy_from_slice(text);
        self.at += text.len();
    }
}

/// Writes pieces one behind the other. It knows its place by itself, where the page would have to
/// note it after each piece and look it up before the next.
pub(super) struct Pen<'p> {
    room: &'p mut [u8; ROOM],
    at: usize,
}

impl Pen<'_> {
    /// How many bytes were written.
    #[inline(always)]
    pub(super) fn written(self) -> usize {
        assert!(self.at < PLACES, "a pen wrote {} bytes", self.at);
        self.at
    }

    /// The place of the next bytes, so many of them.
    #[inline(always)]
    fn next<const N: usize>(&mut self) -> &mut [u8; N] {
        // The place is known to be one, so that its room needs no look.
        self.room[self.at % PLACES..].first_chunk_mut().expect("room for the longest piece")
    }

    /// Appends a text of known length.
    #[inline(always)]
    pub(super) fn put<const N: usize>(&mut self, text: &[u8; N]) {
        *self.next() = *text;
        self.at += N;
    }

    /// Appends the first bytes of a text, written whole.
    #[inline(always)]
    pub(super) fn part<const N: usize>(&mut self, text: &[u8; N], len: usize) {
        *self.next() = *text;
        self.at += len;
    }

    #[inline(always)]
    pub(super) fn padded(&mut self, text: &Padded) {
        // Most symbols are short, and a short block is two moves.
        if text.len <= 48 {
            let block: &[u8; 48] = text.bytes.first_chunk().expect("a part of the padding");
            self.part(block, text.len);
        } else {
            self.part(&text.bytes, text.len);
        }
    }

    #[inline(always)]
    pub(super) fn decimal(&mut self, mantissa: i64, scale: Scale) {
        self.at += decimal::put(mantissa, scale, self.next::<MAX_LEN>());
    }

    /// The shortest text that reads back to the same number, which is finite.
    #[inline]
    pub(super) fn float(&mut self, value: f64) {
        let mut buffer = zmij::Buffer::new();
        let text = buffer.format_finite(value).as_bytes();
        self.next::<24>()[..text.len()].copy_from_slice(text);
        self.at += text.len();
    }

    #[inline(always)]
    pub(super) fn whole(&mut self, value: u64) {
        self.at += decimal::put_whole(value, self.next::<MAX_LEN>());
    }

    #[inline(always)]
    pub(super) fn instant(&mut self, writer: &mut TsWriter, ts: Ts) {
        writer.put(ts, self.next::<TEXT_LEN>());
        self.at += TEXT_LEN;
    }
}
