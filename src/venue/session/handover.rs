//! Leaving one connection for another without losing a message or hearing one twice.
//!
//! Both carry the same streams. While they overlap, what the old one says counts and what the new one
//! says waits; when the old one is left, what waited and was not heard yet is said. The new one was
//! subscribed before that, so whatever the old one had not delivered yet is among it. Streams number
//! what they send (updates, prints) or date it; a message that does neither is taken from the old one
//! until it is left. Pure: no sockets and no time.

use std::collections::{HashMap, VecDeque};

use hyper::body::Bytes;
use memchr::memmem;

/// So many messages may wait; then what was heard already is thrown out, and if that is not enough
/// the old connection is left at once.
const WAITING_MAX: usize = 65_536;

/// What was heard and what waits. It begins before the new connection is made.
#[derive(Debug, Default)]
pub(super) struct Handover {
    /// The number of the newest message that was heard, by stream.
    heard: HashMap<Box<[u8]>, u64>,
    waiting: VecDeque<Bytes>,
}

impl Handover {
    /// Takes note of a message of the old connection, which is heard at once.
    pub(super) fn old(&mut self, bytes: &[u8]) {
        if let Some((stream, number)) = place(bytes) {
            self.take(stream, number);
        }
    }

    /// Lets a message of the new connection wait; `false` if there is no more room, and the old one
    /// has to be left.
    #[must_use]
    pub(super) fn new_one(&mut self, bytes: Bytes) -> bool {
        self.waiting.push_back(bytes);
        if self.waiting.len() >= WAITING_MAX {
            let Self { heard, waiting } = self;
            waiting.retain(|bytes| is_new(heard, bytes));
        }
        self.waiting.len() < WAITING_MAX
    }

    /// Leaves the old connection: the messages of the new one that were not heard.
    pub(super) fn leave(&mut self) -> impl Iterator<Item = Bytes> + use<> {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.retain(|bytes| match place(bytes) {
            Some((stream, number)) => self.take(stream, number),
            None => false,
        });
        waiting.into_iter()
    }

    /// Whether a message of the new connection, once it is alone, is to be heard: it may be behind
    /// the one that was left.
    pub(super) fn alone(&mut self, bytes: &[u8]) -> bool {
        place(bytes).is_none_or(|(stream, number)| self.take(stream, number))
    }

    /// Whether a number is newer than all that were heard of its stream; then it is the newest.
    fn take(&mut self, stream: &[u8], number: u64) -> bool {
        match self.heard.get_mut(stream) {
            Some(newest) if *newest >= number => false,
            Some(newest) => {
                *newest = number;
                true
            }
            None => {
                self.heard.insert(stream.into(), number);
                true
            }
        }
    }
}

fn is_new(heard: &HashMap<Box<[u8]>, u64>, bytes: &[u8]) -> bool {
    let is_heard = |(stream, number)| heard.get(stream).is_some_and(|newest| *newest >= number);
    place(bytes).is_none_or(|place| !is_heard(place))
}

/// The stream of a message and its number there.
fn place(bytes: &[u8]) -> Option<(&[u8], u64)> {
    let stream = bytes.strip_prefix(b"{\"stream\":\"")?;
    let stream = &stream[..memchr::memchr(b'"', stream)?];
    let kind = &stream[memchr::memchr(b'@', stream)? + 1..];
    let key: &[u8] = match kind {
        b"trade" => b"\"t\":",
        b"aggTrade" => b"\"a\":",
        b"bookTicker" => b"\"u\":",
        _ if kind.starts_with(b"depth") => b"\"u\":",
        // Marks and bars have no number; each has a later time than the one before.
        _ => b"\"E\":",
    };
    let digits = &bytes[memmem::find(bytes, key)? + key.len()..];
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = std::str::from_utf8(&digits[..count]).ok()?.parse().ok()?;
    Some((stream, number))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(stream: usize, number: u64) -> Bytes {
        let text = match stream {
            0 => {
                format!(r#"{{"stream":"a@trade","data":{{"e":"trade","E":9,"t":{number},"T":9}}}}"#)
            }
            1 => format!(
                r#"{{"stream":"a@depth@100ms","data":{{"E":9,"U":1,"u":{number},"pu":0,"b":[]}}}}"#
            ),
            2 => format!(r#"{{"stream":"b@bookTicker","data":{{"u":{number},"s":"B","a":"7"}}}}"#),
            3 => format!(r#"{{"stream":"a@aggTrade","data":{{"E":9,"a":{number},"p":"1"}}}}"#),
            _ => format!(r#"{{"stream":"a@markPrice@1s","data":{{"E":{number},"p":"1.0"}}}}"#),
        };
        text.into()
    }

    #[test]
    fn every_stream_has_its_number() {
        for (stream, name) in
            ["a@trade", "a@depth@100ms", "b@bookTicker", "a@aggTrade", "a@markPrice@1s"]
                .into_iter()
                .enumerate()
        {
            assert_eq!(place(&message(stream, 42)), Some((name.as_bytes(), 42)));
        }
        for text in [r#"{"result":null,"id":1}"#, r#"{"stream":"a@trade","data":{"t":"x"}}"#, ""] {
            assert_eq!(place(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut handover = Handover::default();
        for number in 1..WAITING_MAX as u64 {
            assert!(handover.new_one(message(0, number)));
        }
        // Nearly all of it was heard by now, so there is room again.
        handover.old(&message(0, WAITING_MAX as u64 - 3));
        assert!(handover.new_one(message(0, WAITING_MAX as u64)));
        let left: Vec<_> =
            handover.waiting.iter().filter_map(|bytes| Some(place(bytes)?.1)).collect();
        let end = WAITING_MAX as u64;
        assert_eq!(left, [end - 2, end - 1, end]);
        let mut stuck = Handover::default();
        let full = (1..=WAITING_MAX as u64).all(|number| stuck.new_one(message(0, number)));
        assert!(!full, "the old connection says nothing, so it is left");
    }

    proptest! {
        /// Messages are sent in order; each connection delivers all from its subscription on, in
        /// order, each at its own pace. Whenever the old one is left, all is heard once and in order.
        #[test]
        fn all_is_heard_once_and_in_order(
            sent in prop::collection::vec(0_usize..5, 1..80),
            begun in 0_usize..80,
            subscribed in 0_usize..20,
            paces in prop::collection::vec(any::<bool>(), 0..160),
        ) {
            let mut numbers = [0_u64; 5];
            let sent: Vec<(usize, u64)> = sent
                .into_iter()
                .map(|stream| {
                    numbers[stream] += 1;
                    (stream, numbers[stream])
                })
                .collect();
            let begun = begun.min(sent.len());
            let subscribed = (begun + subscribed).min(sent.len());
            let mut heard: Vec<(usize, u64)> = sent[..begun].to_vec();
            let mut handover = Handover::default();
            let (mut old, mut new) = (begun, subscribed);
            // Subscribed means that the old connection may still owe what was sent before.
            for is_old in paces {
                if is_old && old < sent.len() {
                    let (stream, number) = sent[old];
                    handover.old(&message(stream, number));
                    heard.push(sent[old]);
                    old += 1;
                } else if !is_old && new < sent.len() && old >= subscribed {
                    let (stream, number) = sent[new];
                    prop_assert!(handover.new_one(message(stream, number)));
                    new += 1;
                }
            }
            // It is left once what was sent before the subscription has arrived on it.
            while old < subscribed {
                let (stream, number) = sent[old];
                handover.old(&message(stream, number));
                heard.push(sent[old]);
                old += 1;
            }
            for bytes in handover.leave() {
                let (name, number) = place(&bytes).unwrap();
                let stream = (0..5).find(|it| place(&message(*it, 1)).unwrap().0 == name).unwrap();
                heard.push((stream, number));
            }
            for (stream, number) in &sent[new..] {
                if handover.alone(&message(*stream, *number)) {
                    heard.push((*stream, *number));
                }
            }
            for stream in 0..5 {
                let of = |all: &[(usize, u64)]| -> Vec<u64> {
                    all.iter().filter(|it| it.0 == stream).map(|it| it.1).collect()
                };
                prop_assert_eq!(of(&heard), of(&sent), "stream {}", stream);
            }
        }
    }
}
