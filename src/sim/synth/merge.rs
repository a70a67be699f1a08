//! Many feeds, one order: a heap of the next record of each.

use qt_model::record::Kind;

/// Where a feed stands among those that speak at the same instant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rank {
    /// By the text of the venue.
    pub(super) venue: u16,
    /// By the text of the name.
    pub(super) name: u32,
}

/// The order of a stream in one number: receive time, venue, kind, name. The sequence needs no
/// place here, since a feed yields each kind in sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(u128);

impl Key {
    #[inline]
    pub(super) fn new(recv_ns: i64, rank: Rank, kind: Kind) -> Self {
        // Flipping the sign bit makes the unsigned order that of the signed numbers.
        let recv = u128::from(recv_ns.cast_unsigned() ^ (1 << 63));
        let kind = u128::from(kind as u8);
        let venue = u128::from(rank.venue);
        Self(recv << 64 | venue << 48 | kind << 32 | u128::from(rank.name))
    }
}

/// A binary heap, smallest key on top, whose top is replaced in place.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    heap: Vec<(Key, u32)>,
}

impl Queue {
    pub(super) fn push(&mut self, key: Key, feed: u32) {
        let mut at = self.heap.len();
        self.heap.push((key, feed));
        while at > 0 && self.heap[at].0 < self.heap[(at - 1) / 2].0 {
            self.heap.swap(at, (at - 1) / 2);
            at = (at - 1) / 2;
        }
    }

    /// The feed whose record comes next.
    #[inline]
    pub(super) fn top(&self) -> Option<usize> {
        self.heap.first().map(|(_, feed)| *feed as usize)
    }

    /// The smallest key but the top's: until there, the top feed may speak on.
    #[inline]
    pub(super) fn runner_up(&self) -> Option<Key> {
        match &self.heap[..] {
            [] | [_] => None,
            [_, only] => Some(only.0),
            [_, left, right, ..] => Some(left.0.min(right.0)),
        }
    }

    #[inline]
    pub(super) fn replace_top(&mut self, key: Key) {
        self.heap[0].0 = key;
        self.sift_down();
    }

    pub(super) fn pop_top(&mut self) {
        self.heap.swap_remove(0);
        self.sift_down();
    }

    #[inline]
    fn sift_down(&mut self) {
        let mut at = 0;
        loop {
            let left = 2 * at + 1;
            let Some((left_key, _)) = self.heap.get(left) else { break };
            let is_right_less = self.heap.get(left + 1).is_some_and(|(right, _)| right < left_key);
            let child = left + usize::from(is_right_less);
            if self.heap[at].0 <= self.heap[child].0 {
                break;
            }
            self.heap.swap(at, child);
            at = child;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn time_comes_before_venue_before_kind_before_name() {
        let key = |recv, venue, kind, name| Key::new(recv, Rank { venue, name }, kind);
        let keys = [
            key(-1, 9, Kind::Quote, 9),
            key(0, 0, Kind::Quote, 9),
            key(0, 1, Kind::Trade, 9),
            key(0, 1, Kind::Quote, 0),
            key(0, 1, Kind::Quote, 1),
            key(1, 0, Kind::Gap, 0),
        ];
        assert!(keys.is_sorted());
    }

    proptest! {
        #[test]
        fn the_queue_merges_like_a_sort(
            lists in prop::collection::vec(prop::collection::vec(0_i64..50, 1..20), 1..20),
        ) {
            let rank = |name: u32| Rank { venue: 0, name };
            let key = |recv: i64, feed: u32| Key::new(recv, rank(feed), Kind::Trade);
            let mut expected = Vec::new();
            let mut queue = Queue::default();
            let mut rest: Vec<std::vec::IntoIter<i64>> = Vec::new();
            for (feed, mut list) in lists.into_iter().enumerate() {
                list.sort_unstable();
                expected.extend(list.iter().map(|recv| key(*recv, feed as u32)));
                let mut items = list.into_iter();
                queue.push(key(items.next().unwrap(), feed as u32), feed as u32);
                rest.push(items);
            }
            expected.sort_unstable();
            let mut merged = Vec::new();
            while let Some(feed) = queue.top() {
                merged.push(queue.heap[0].0);
                if let Some(runner_up) = queue.runner_up() {
                    prop_assert!(queue.heap[0].0 <= runner_up);
                }
                match rest[feed].next() {
                    Some(recv) => queue.replace_top(key(recv, feed as u32)),
                    None => queue.pop_top(),
                }
            }
            prop_assert_eq!(merged, expected);
        }
    }
}
