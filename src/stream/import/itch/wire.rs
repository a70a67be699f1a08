//! How messages lie in a file, and the fields in them.
//!
//! A message stands behind its length in two bytes. Some writers leave the length at zero, and then
//! the type says how long the message is. Every step is at least one byte long, so no input loops.

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    Message {
        /// Where the message begins.
        body: usize,
        /// How many bytes it takes with what stands before it.
        whole: usize,
        /// Whether its length is written.
        is_counted: bool,
    },
    /// It is not here as a whole.
    More,
    Wrong {
        message: String,
    },
}

/// How long a message of a type is; `None` for a letter that is no type.
pub(super) const fn length_of(kind: u8) -> Option<usize> {
    Some(match kind {
        b'S' | b'W' => 12,
        b'R' => 39,
        b'H' => 25,
        b'Y' | b'N' => 20,
        b'L' => 26,
        b'V' | b'J' | b'U' => 35,
        b'K' => 28,
        b'h' => 21,
        b'A' | b'C' => 36,
        b'F' | b'Q' => 40,
        b'E' => 31,
        b'X' => 23,
        b'D' | b'B' => 19,
        b'P' => 44,
        b'I' => 50,
        b'O' => 48,
        _ => return None,
    })
}

#[inline]
pub(super) fn frame(bytes: &[u8]) -> Frame {
    let [high, low, rest @ ..] = bytes else { return Frame::More };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    let Some(kind) = rest.first() else { return Frame::More };
    let Some(expected) = length_of(*kind) else {
        let message = format!(
            "a message of type {:?}, which ITCH 5.0 does not have; is it another version, or not \
             framed by lengths?",
            char::from(*kind)
        );
        return Frame::Wrong { message };
    };
    if length != 0 && length != expected {
        let message = format!(
            "a message of type {:?} is {expected} bytes long; its length says {length}",
            char::from(*kind)
        );
        return Frame::Wrong { message };
    }
    let whole = 2 + expected;
    if bytes.len() < whole {
        return Frame::More;
    }
    Frame::Message { body: 2, whole, is_counted: length != 0 }
}

/// The bytes of one message, of the length of its type.
#[derive(Clone, Copy, Debug)]
pub(super) struct Body<'a>(pub(super) &'a [u8]);

impl Body<'_> {
    #[inline]
    pub(super) fn byte(self, at: usize) -> u8 {
        self.0[at]
    }

    #[inline]
    fn array<const N: usize>(self, at: usize) -> [u8; N] {
        let mut array = [0; N];
        array.copy_from_slice(&self.0[at..at + N]);
        array
    }

    #[inline]
    pub(super) fn u16(self, at: usize) -> u16 {
        u16::from_be_bytes(self.array(at))
    }

    #[inline]
    pub(super) fn u32(self, at: usize) -> u32 {
        u32::from_be_bytes(self.array(at))
    }

    #[inline]
    pub(super) fn u64(self, at: usize) -> u64 {
        u64::from_be_bytes(self.array(at))
    }

    /// The time of day in six bytes.
    #[inline]
    pub(super) fn time(self) -> i64 {
        let high = u64::from(self.u16(5)) << 32;
        (high | u64::from(self.u32(7))).cast_signed()
    }

    /// A stock in eight letters, filled up with spaces.
    #[inline]
    pub(super) fn stock(self, at: usize) -> [u8; 8] {
        self.array(at)
    }
}
