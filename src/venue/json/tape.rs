//! Where each value of a message lies, found in one pass over its bytes.
//!
//! Invariants: what is on a tape is JSON as RFC 8259 has it, in UTF-8, and whole; a value's parts lie
//! behind it in the order sent, keys before what they name. The tape of one message is the room of the
//! next: nothing is allocated once it is long enough. Absent on purpose: numbers, undone escapes, and a
//! limit of depth, since nothing recurses.

use crate::frame::DecodeError;

use super::Value;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Tape {
    nodes: Vec<Node>,
    /// The lists and objects that are still open, the innermost last.
    open: Vec<u32>,
}

/// A value, or the key before one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub start: u32,
    pub end: u32,
    /// The node behind this one and all that it holds.
    pub past: u32,
    pub is_escaped: bool,
}

/// The text of a message and its nodes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tree<'a> {
    pub text: &'a str,
    pub nodes: &'a [Node],
}

impl Tape {
    /// Reads a message; the value is the message as a whole.
    pub(crate) fn read<'a>(
        &'a mut self,
        bytes: &'a [u8],
    ) -> Result<Value<'a, 'static>, DecodeError> {
        let fault = |byte, message: &str| DecodeError::Json { byte, message: message.to_owned() };
        if u32::try_from(bytes.len()).is_err() {
            return Err(fault(0, "longer than four gigabytes"));
        }
        let text = std::str::from_utf8(bytes)
            .map_err(|error| fault(error.valid_up_to(), "expected UTF-8"))?;
        self.nodes.clear();
        self.open.clear();
        let mut scanner = Scanner { bytes, at: 0, tape: self };
        if let Err(expected) = scanner.scan() {
            let is_cut = scanner.at >= bytes.len();
            let end = if is_cut { ", and the message ends here" } else { "" };
            return Err(fault(scanner.at, &format!("expected {expected}{end}")));
        }
        Ok(Value::new("the message", Tree { text, nodes: &self.nodes }, 0))
    }
}

/// What was expected where the scanner stands.
type Fault = &'static str;

struct Scanner<'a, 't> {
    bytes: &'a [u8],
    at: usize,
    tape: &'t mut Tape,
}

impl Scanner<'_, '_> {
    fn scan(&mut self) -> Result<(), Fault> {
        loop {
            let is_opened = self.value()?;
            // A value that is over may have been the last of what holds it, and so on outwards.
            let mut is_due = is_opened;
            while !is_due {
                let Some(open) = self.tape.open.last().copied() else { return self.end() };
                is_due = self.goes_on(open)?;
            }
        }
    }

    /// Reads a value, or opens one that holds others; whether the first of those is due.
    fn value(&mut self) -> Result<bool, Fault> {
        let start = self.next();
        match start {
            Some(b'"') => {
                let first = self.at;
                let is_escaped = self.text()?;
                self.push(first, is_escaped);
            }
            Some(b'{' | b'[') => return self.opened(),
            Some(b'-' | b'0'..=b'9') => {
                let first = self.at;
                self.number()?;
                self.push(first, false);
            }
            Some(b't') => self.word(b"true")?,
            Some(b'f') => self.word(b"false")?,
            Some(b'n') => self.word(b"null")?,
            _ => return Err("a value"),
        }
        Ok(false)
    }

    fn opened(&mut self) -> Result<bool, Fault> {
        let is_object = self.bytes[self.at] == b'{';
        let node = self.tape.nodes.len();
        self.at += 1;
        self.push(self.at - 1, false);
        self.tape.open.push(index(node));
        let next = self.next();
        match (is_object, next) {
            (true, Some(b'}')) | (false, Some(b']')) => self.close(index(node)),
            (true, _) => {
                self.key()?;
                return Ok(true);
            }
            (false, _) => return Ok(true),
        }
        Ok(false)
    }

    /// What stands behind a value inside another: one more (`true`), or the end of that other.
    fn goes_on(&mut self, open: u32) -> Result<bool, Fault> {
        let first = self.tape.nodes[open as usize].start as usize;
        let is_object = self.bytes[first] == b'{';
        let next = self.next();
        match (is_object, next) {
            (true, Some(b',')) => {
                self.at += 1;
                self.next();
                self.key()?;
                Ok(true)
            }
            (false, Some(b',')) => {
                self.at += 1;
                Ok(true)
            }
            (true, Some(b'}')) | (false, Some(b']')) => {
                self.close(open);
                Ok(false)
            }
            (true, _) => Err("`,` or `}`"),
            (false, _) => Err("`,` or `]`"),
        }
    }

    fn close(&mut self, open: u32) {
        self.at += 1;
        self.tape.open.pop();
        let past = index(self.tape.nodes.len());
        let node = &mut self.tape.nodes[open as usize];
        (node.end, node.past) = (index(self.at), past);
    }

    fn end(&mut self) -> Result<(), Fault> {
        if self.next().is_none() { Ok(()) } else { Err("nothing behind the message") }
    }

    /// A key and its colon.
    fn key(&mut self) -> Result<(), Fault> {
        let first = self.at;
        if self.bytes.get(first) != Some(&b'"') {
            return Err("a key");
        }
        let is_escaped = self.text()?;
        // Keys are compared with names, so the escapes of one have to stand for a text.
        if is_escaped && serde_json::from_slice::<String>(&self.bytes[first..self.at]).is_err() {
            return Err("a key of whole characters");
        }
        self.push(first, is_escaped);
        if self.next() != Some(b':') {
            return Err("`:`");
        }
        self.at += 1;
        Ok(())
    }

    /// A text from its first quote to its last; whether it holds escapes.
    #[inline]
    fn text(&mut self) -> Result<bool, Fault> {
        self.at += 1;
        let mut is_escaped = false;
        loop {
            while let Some(eight) = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk) {
                let plain = plain_bytes(*eight);
                self.at += plain;
                if plain < eight.len() {
                    break;
                }
            }
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(is_escaped);
                }
                Some(b'\\') => {
                    is_escaped = true;
                    self.escape()?;
                }
                Some(0x20..) => self.at += 1,
                Some(0..0x20) | None => return Err("the end of a text"),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Fault> {
        self.at += 1;
        let hex = match self.bytes.get(self.at) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 0,
            Some(b'u') => 4,
            _ => return Err("an escape"),
        };
        self.at += 1;
        for _ in 0..hex {
            if !self.bytes.get(self.at).is_some_and(u8::is_ascii_hexdigit) {
                return Err("four hexadecimal digits");
            }
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), Fault> {
        if self.bytes[self.at] == b'-' {
            self.at += 1;
        }
        let zero = self.bytes.get(self.at) == Some(&b'0');
        let first = self.at;
        self.digits()?;
        if zero && self.at > first + 1 {
            self.at = first + 1;
            return Err("no digit behind a zero in front");
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.bytes.get(self.at) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    /// One digit and all behind it.
    #[inline]
    fn digits(&mut self) -> Result<(), Fault> {
        let first = self.at;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        if self.at > first { Ok(()) } else { Err("a digit") }
    }

    fn word(&mut self, word: &[u8]) -> Result<(), Fault> {
        let first = self.at;
        if !self.bytes[first..].starts_with(word) {
            return Err("a value");
        }
        self.at += word.len();
        self.push(first, false);
        Ok(())
    }

    /// Puts down what ends here.
    #[inline]
    fn push(&mut self, first: usize, is_escaped: bool) {
        let past = index(self.tape.nodes.len() + 1);
        let node = Node { start: index(first), end: index(self.at), past, is_escaped };
        self.tape.nodes.push(node);
    }

    /// The next byte that is no white space.
    #[inline]
    fn next(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.bytes.get(self.at) {
            self.at += 1;
        }
        self.bytes.get(self.at).copied()
    }
}

/// How many of eight bytes come before a quote, a backslash or a control character.
#[inline]
fn plain_bytes(bytes: [u8; 8]) -> usize {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGHS: u64 = ONES << 7;
    let word = u64::from_le_bytes(bytes);
    // Subtraction sets the high bit of a byte below the bound. It may borrow from the bytes above, so
    // the lowest bit alone is to be believed, which is the one asked for.
    let below = |word: u64, bound: u64| word.wrapping_sub(ONES * bound) & !word & HIGHS;
    let is = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    let stops = is(b'"') | is(b'\\') | below(word, 0x20);
    stops.trailing_zeros() as usize / 8
}

/// A place in a message, which is shorter than four gigabytes, or on its tape, which is no longer.
#[inline]
fn index(at: usize) -> u32 {
    at as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fault(text: &str) -> String {
        Tape::default().read(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_fault_names_its_byte_and_what_was_expected() {
        for (text, said) in [
            ("", "expected a value, and the message ends here (byte 0 of the message)"),
            (r#"{"a":}"#, "expected a value (byte 5 of the message)"),
            (r#"{"a" 1}"#, "expected `:` (byte 5 of the message)"),
            ("{1:2}", "expected a key (byte 1 of the message)"),
            ("[1 2]", "expected `,` or `]` (byte 3 of the message)"),
            ("[1}", "expected `,` or `]` (byte 2 of the message)"),
            ("[1,]", "expected a value (byte 3 of the message)"),
            (r#"{"a":1,}"#, "expected a key (byte 7 of the message)"),
            ("{} {}", "expected nothing behind the message (byte 3 of the message)"),
            ("[01]", "expected no digit behind a zero in front (byte 2 of the message)"),
            ("[1.]", "expected a digit (byte 3 of the message)"),
            ("[+1]", "expected a value (byte 1 of the message)"),
            (r#"["\x"]"#, "expected an escape (byte 3 of the message)"),
            (r#"["\u12"]"#, "expected four hexadecimal digits (byte 6 of the message)"),
            (r#"{"\ud800":1}"#, "expected a key of whole characters (byte 9 of the message)"),
            ("[nul]", "expected a value (byte 1 of the message)"),
            ("[\"a\u{1}\"]", "expected the end of a text (byte 3 of the message)"),
        ] {
            assert_eq!(fault(text), format!("not JSON: {said}"), "{text}");
        }
        let error = Tape::default().read(b"[\"\xff\"]").unwrap_err();
        assert!(matches!(error, DecodeError::Json { byte: 2, .. }), "{error}");
    }

    #[test]
    fn depth_costs_memory_and_no_stack() {
        let deep = ["[".repeat(200_000), "]".repeat(200_000)].concat();
        let mut tape = Tape::default();
        assert_eq!(tape.read(deep.as_bytes()).unwrap().raw().len(), deep.len());
        assert_eq!(tape.read(b"[[1],2]").unwrap().array().unwrap().count(), 2);
    }

    #[test]
    fn bytes_that_end_a_text_are_found_wherever_they_stand() {
        for stop in [b'"', b'\\', 0, 0x1f, b'\n'] {
            for at in 0..8 {
                let mut bytes = *b"a\xff\x80 !z\x7f#";
                bytes[at] = stop;
                assert_eq!(plain_bytes(bytes), at, "{stop} at {at}");
                bytes[7] = stop;
                assert_eq!(plain_bytes(bytes), at, "{stop} at {at} and behind it");
            }
        }
        assert_eq!(plain_bytes(*b"a\xff\x80 !z\x7f#"), 8);
    }

    /// Another parser's word on whether that is JSON. It takes half a surrogate in a key.
    fn is_json(text: &str) -> bool {
        serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
    }

    proptest! {
        #[test]
        fn what_is_json_is_a_matter_of_fact(
            text in r#"([\[\]{}:,"\\0-9.eEu+ \-]|true|"a"|null|"\\u00e9":|"k":|é){0,14}"#,
        ) {
            prop_assert_eq!(Tape::default().read(text.as_bytes()).is_ok(), is_json(&text));
        }

        #[test]
        fn damage_is_found_as_another_parser_finds_it(at in 0_usize..60, byte in 0x20_u8..0x7f) {
            let mut text = br#"{"a":[1.5,"x\n",{"b":null,"c":-2e+7}],"d":true,"e":"","f":[]}"#.to_vec();
            text[at] = byte;
            let text = String::from_utf8(text).unwrap();
            prop_assert_eq!(Tape::default().read(text.as_bytes()).is_ok(), is_json(&text));
        }
    }
}
