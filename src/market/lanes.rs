//! The lanes of a merge, and the queue that says whose turn it is.

use qt_model::record::{Sequence, Source};
use qt_model::time::Ts;

use crate::order::{Key, Ranks};

/// One stream into a merge.
#[derive(Debug)]
pub(crate) struct Lane<S, B> {
    source: Option<S>,
    pub(crate) batch: B,
    /// The next record of `batch`.
    pub(crate) at: usize,
    /// Records of this lane before `batch`.
    pub(crate) before: u64,
}

impl<B: Sequence, S: Source<B>> Lane<S, B> {
    pub(crate) fn new(source: S) -> Self {
        Self { source: Some(source), batch: B::default(), at: 0, before: 0 }
    }

    /// Fills the batch anew; `false` once there is nothing more.
    pub(crate) fn refill(&mut self) -> Result<bool, S::Error> {
        let Some(source) = &mut self.source else { return Ok(false) };
        loop {
            self.before += self.batch.len() as u64;
            self.at = 0;
            if !source.next(&mut self.batch)? {
                return Ok(false);
            }
            if !self.batch.is_empty() {
                return Ok(true);
            }
        }
    }

    /// Lets go of the source; its buffers serve the next lane.
    pub(crate) fn retire(&mut self) -> B {
        self.source = None;
        let mut batch = std::mem::take(&mut self.batch);
        batch.clear();
        batch
    }
}

/// The place of a lane's next record, as numbers that compare at once. A lane that is closed yet
/// comes before all records of its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket {
    ts_recv: Ts,
    /// Zero for a closed lane, else one more than the rank.
    rank: u64,
    seq: u64,
    lane: u32,
}

impl Ticket {
    pub(crate) fn closed(bound: Ts, lane: usize) -> Self {
        Self { ts_recv: bound, rank: 0, seq: 0, lane: lane as u32 }
    }

    pub(crate) fn open(key: &Key, ranks: &Ranks, lane: usize) -> Self {
        Self { ts_recv: key.ts_recv, rank: ranks.rank(key) + 1, seq: key.seq, lane: lane as u32 }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.rank > 0
    }

    pub(crate) fn lane(&self) -> usize {
        self.lane as usize
    }

    #[inline]
    pub(crate) fn ts_recv(&self) -> Ts {
        self.ts_recv
    }
}

/// Tickets, least first: few in a sorted list, many in a heap.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// Greatest first, so that the least is cheap to take.
    few: Vec<Ticket>,
    many: std::collections::BinaryHeap<std::cmp::Reverse<Ticket>>,
}

/// Up to here, moving a few tickets beats walking a heap.
const FEW: usize = 16;

impl Queue {
    pub(crate) fn push(&mut self, ticket: Ticket) {
        // Everything in `few` is less than everything in `many`.
        let is_among_few = match self.few.first() {
            Some(greatest) => ticket < *greatest || self.many.is_empty(),
            None => true,
        };
        if is_among_few {
            let at = self.few.iter().rposition(|known| *known > ticket).map_or(0, |at| at + 1);
            self.few.insert(at, ticket);
            if self.few.len() > FEW {
                self.many.push(std::cmp::Reverse(self.few.remove(0)));
            }
        } else {
            self.many.push(std::cmp::Reverse(ticket));
        }
    }

    pub(crate) fn pop(&mut self) -> Option<Ticket> {
        let ticket = self.few.pop()?;
        if self.few.is_empty() {
            self.refill();
        }
        Some(ticket)
    }

    /// The least ticket.
    #[inline]
    pub(crate) fn first(&self) -> Option<Ticket> {
        self.few.last().copied()
    }

    /// Takes all tickets out.
    pub(crate) fn drain(&mut self) -> Vec<Ticket> {
        let many = std::mem::take(&mut self.many).into_iter().map(|ticket| ticket.0);
        let few = std::mem::take(&mut self.few);
        many.chain(few).collect()
    }

    fn refill(&mut self) {
        while self.few.len() < FEW / 2
            && let Some(std::cmp::Reverse(ticket)) = self.many.pop()
        {
            self.few.insert(0, ticket);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn tickets_come_out_least_first(steps in proptest::collection::vec((0_i64..50, any::<bool>()), 0..200)) {
            let mut queue = Queue::default();
            let mut model = Vec::new();
            for (lane, (ts, take)) in steps.into_iter().enumerate() {
                let ticket = Ticket::closed(Ts::from_nanos(ts), lane);
                queue.push(ticket);
                model.push(ticket);
                model.sort();
                prop_assert_eq!(queue.first(), model.first().copied());
                if take {
                    prop_assert_eq!(queue.pop(), Some(model.remove(0)));
                }
            }
            for expected in model {
                prop_assert_eq!(queue.pop(), Some(expected));
            }
            prop_assert_eq!(queue.pop(), None);
        }
    }
}
