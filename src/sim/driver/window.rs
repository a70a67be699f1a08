//! The stretch of the stream that both clocks are in: what has happened at the venue, and what has
//! not been received yet.
//!
//! A stream is ordered by receive time; the venue needs event time. A record happens at its event
//! time, but never after it is received, never before an earlier record of its instrument, and
//! never earlier than the look-ahead reaches back: such a record is counted, since its venue side is
//! late. A gap that names no instrument is one in each: it parts what comes before it from what comes
//! behind, by both clocks. So a window of one look-ahead suffices to know all that has happened by some instant.

use std::collections::VecDeque;
use std::sync::Arc;

use qt_model::record::{Batch, Head, Kind, Slot, Table};
use qt_model::time::Ts;

use super::feed::Feed;
use crate::exchange::Latency;

/// One batch of the stream. A copy shares it.
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    pub(super) batch: Arc<Batch>,
    /// When each record is received, where that is later than the stream says.
    received: Option<Arc<[i64]>>,
    number: u32,
    /// How many records came before it.
    behind: u64,
}

impl Chunk {
    /// When we receive a record.
    #[inline]
    pub(super) fn received(&self, at: usize) -> i64 {
        match &self.received {
            Some(received) => received[at],
            None => self.batch.slots()[at].ts_recv.nanos(),
        }
    }

    /// The place of a record in the stream.
    #[inline]
    pub(super) fn place(&self, at: usize) -> u64 {
        self.behind + at as u64
    }
}

/// A record by the time at which it happens at the venue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due {
    pub(super) at: i64,
    chunk: u32,
    pub(super) index: u32,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Window {
    chunks: VecDeque<Chunk>,
    /// All records from some instant on by their time at the venue, of which the first have passed.
    dues: Vec<Due>,
    passed: usize,
    pushed: u32,
    records: u64,
    lookahead_ns: i64,
    feed: Feed,
    /// Nothing that is still to come is received before.
    horizon: i64,
    is_ended: bool,
    last_by_instrument: Vec<i64>,
    /// When something last happened to all of them.
    last_of_all: i64,
    late: u64,
}

impl Window {
    pub(super) fn new(lookahead_ns: i64, feed: Option<Latency>) -> Self {
        Self {
            chunks: VecDeque::new(),
            dues: Vec::new(),
            passed: 0,
            pushed: 0,
            records: 0,
            lookahead_ns,
            feed: Feed::new(feed),
            horizon: i64::MIN,
            is_ended: false,
            last_by_instrument: Vec::new(),
            last_of_all: i64::MIN,
            late: 0,
        }
    }

    /// Records whose event time lies further back than the look-ahead.
    pub(super) fn late(&self) -> u64 {
        self.late
    }

    pub(super) fn push(&mut self, batch: Arc<Batch>) {
        if batch.is_empty() {
            return;
        }
        let number = self.pushed;
        self.pushed = self.pushed.wrapping_add(1);
        self.dues.reserve(batch.len());
        for index in 0..batch.len() {
            let mut at = self.happens(batch.head(index));
            if batch.slots()[index].kind == Kind::Gap && batch.head(index).instrument.is_none() {
                at = self.happens_to_all(at);
            }
            self.insert(Due { at, chunk: number, index: index as u32 });
        }
        let received = self.feed.is_delayed().then(|| {
            let receive = |slot: &Slot| self.feed.receive(slot.ts_recv).nanos();
            batch.slots().iter().map(receive).collect()
        });
        self.horizon = self.horizon.max(batch.head(batch.len() - 1).ts_recv.nanos());
        let behind = self.records;
        self.records += batch.len() as u64;
        self.chunks.push_back(Chunk { batch, received, number, behind });
    }

    /// When a record happens at the venue.
    #[inline]
    fn happens(&mut self, head: &Head) -> i64 {
        let received = head.ts_recv.nanos();
        let mut at = head.ts_event.nanos().min(received);
        let earliest = received.saturating_sub(self.lookahead_ns);
        if at < earliest {
            at = earliest;
            self.late += 1;
        }
        let Some(instrument) = head.instrument else { return at };
        let place = instrument.index();
        if self.last_by_instrument.len() <= place {
            self.last_by_instrument.resize(place + 1, self.last_of_all);
        }
        let last = &mut self.last_by_instrument[place];
        at = at.max(*last);
        *last = at;
        at
    }

    #[cold]
    fn happens_to_all(&mut self, at: i64) -> i64 {
        let last = self.last_by_instrument.iter().copied().max();
        self.last_of_all = at.max(self.last_of_all).max(last.unwrap_or(at));
        self.last_by_instrument.fill(self.last_of_all);
        self.last_of_all
    }

    /// Streams are nearly in event order already: a record moves back over a few.
    #[inline]
    fn insert(&mut self, due: Due) {
        let mut here = self.dues.len();
        self.dues.push(due);
        while here > self.passed && self.dues[here - 1].at > due.at {
            self.dues.swap(here, here - 1);
            here -= 1;
        }
    }

    /// There is nothing more to come.
    pub(super) fn end(&mut self) {
        self.is_ended = true;
    }

    /// The first batch, once all that happens before its last record is received is here.
    pub(super) fn ready(&self) -> Option<&Chunk> {
        let chunk = self.chunks.front()?;
        let last = chunk.received(chunk.batch.len() - 1);
        let is_complete = self.is_ended || self.horizon.saturating_sub(self.lookahead_ns) > last;
        is_complete.then_some(chunk)
    }

    /// The next record by the time of the venue.
    #[inline]
    pub(super) fn next_due(&self) -> Option<Due> {
        self.dues.get(self.passed).copied()
    }

    #[inline]
    pub(super) fn batch_of(&self, due: Due) -> &Batch {
        &self.chunk_of(due).batch
    }

    #[inline]
    pub(super) fn chunk_of(&self, due: Due) -> &Chunk {
        let first = self.chunks.front().expect("a due record has its batch").number;
        &self.chunks[due.chunk.wrapping_sub(first) as usize]
    }

    /// All records that are still to happen, by the time of the venue.
    #[inline]
    pub(super) fn dues(&self) -> &[Due] {
        &self.dues[self.passed..]
    }

    /// The row of a due record, where it is of that kind. Most are of the batch at hand.
    #[inline]
    pub(super) fn row_of<'a, T: Table>(&'a self, due: Due, at_hand: &'a Chunk) -> Option<&'a T> {
        let is_at_hand = due.chunk == at_hand.number;
        let batch = if is_at_hand { &*at_hand.batch } else { self.batch_of(due) };
        let slot = batch.slots()[due.index as usize];
        (slot.kind == T::KIND).then(|| &batch.rows::<T>()[slot.index as usize])
    }

    /// So many have happened.
    #[inline]
    pub(super) fn pass(&mut self, count: usize) {
        self.passed += count;
    }

    /// Forgets the first batch, all of which has been received and has happened.
    pub(super) fn pop(&mut self) -> Option<Arc<Batch>> {
        // Now and then, however small the batches are.
        if self.passed > self.dues.len() / 2 {
            self.dues.drain(..self.passed);
            self.passed = 0;
        }
        self.chunks.pop_front().map(|chunk| chunk.batch)
    }

    /// The last instant of the stream that is known.
    pub(super) fn last(&self) -> Ts {
        Ts::from_nanos(self.horizon.max(self.feed.last()))
    }
}
