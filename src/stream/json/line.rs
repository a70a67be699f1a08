//! One line in the making, in a buffer of its own.
//!
//! The pieces of a record are short. Copied one by one into a growing vector, each would cost a
//! call; here a piece of known length is a few moves, and the whole line is copied once.

use qt_model::decimal::{self, MAX_LEN};
use qt_model::units::Scale;

/// Longer than any line of fixed fields; a book goes out in pieces.
const CAPACITY: usize = 640;

/// Bytes that must stay free so that any single piece fits.
const ROOM: usize = 160;

#[derive(Debug)]
pub(super) struct Line {
    bytes: [u8; CAPACITY],
    len: usize,
}

impl Default for Line {
    fn default() -> Self {
        Self { bytes: [0; CAPACITY], len: 0 }
    }
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

impl Line {
    /// Appends a text of known length.
    #[inline(always)]
    pub(super) fn put<const N: usize>(&mut self, text: &[u8; N]) {
        self.bytes[self.len..self.len + N].copy_from_slice(text);
        self.len += N;
    }

    #[inline(always)]
    pub(super) fn padded(&mut self, text: &Padded) {
        // Most symbols are short, and a short block is two moves.
        if text.len <= 48 {
            let block: &[u8; 48] = text.bytes[..48].try_into().expect("a part of the padding");
            self.bytes[self.len..self.len + 48].copy_from_slice(block);
        } else {
            self.bytes[self.len..self.len + 144].copy_from_slice(&text.bytes);
        }
        self.len += text.len;
    }

    #[inline(always)]
    pub(super) fn decimal(&mut self, mantissa: i64, scale: Scale) {
        let (at, tail) = (self.len, &mut self.bytes[self.len..self.len + MAX_LEN]);
        let tail: &mut [u8; MAX_LEN] = tail.try_into().expect("of that length");
        self.len = at + decimal::put(mantissa, scale, tail);
    }

    #[inline(always)]
    pub(super) fn whole(&mut self, value: u64) {
        let (at, tail) = (self.len, &mut self.bytes[self.len..self.len + MAX_LEN]);
        let tail: &mut [u8; MAX_LEN] = tail.try_into().expect("of that length");
        self.len = at + decimal::put_whole(value, tail, 0);
    }

    /// Hands the bytes on and begins anew.
    #[inline(always)]
    pub(super) fn flush(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.bytes[..self.len]);
        self.len = 0;
    }

    /// Hands the bytes on if another piece might not fit.
    #[inline(always)]
    pub(super) fn make_room(&mut self, out: &mut Vec<u8>) {
        if self.len + ROOM > CAPACITY {
            self.flush(out);
        }
    }
}
