//! The stretch of the stream that both clocks are in: what has happened at the venue, and what has
//! not been received yet.
//!
//! A stream is ordered by receive time; the venue needs event time. A record happens at its event
//! time, but never after it is received, never before an earlier record of its instrument, and
//! never earlier than the look-ahead reaches back: such a record is counted, since its venue side is
//! late. A gap that names no instrument is one in each: it parts what comes before it from what comes
//! behind, by both clocks. So a window of one look-ahead suffices to know all that has happened by some instant.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use qt_model::ids::InstrumentId;
use qt_model::record::{ColumnTable, Depth, Head, Kind, Level, Record, Table};
use qt_model::time::Ts;

use super::feed::Feed;
use super::records::Records;
use super::times::are_in_turn;
use crate::exchange::Latency;

/// One batch of the stream. A copy shares it.
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    pub(super) records: Records,
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
            None => self.records.ts_recv(at).nanos(),
        }
    }

    /// When each record of its table is received.
    pub(super) fn times<'a>(&'a self, table: &'a ColumnTable) -> &'a [i64] {
        self.received.as_deref().unwrap_or_else(|| table.ts_recv())
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

/// Columns whose records happen in their order, each at its own time, and behind all that was there
/// before: they need no place in a list.
#[derive(Clone, Debug)]
pub(super) struct Run {
    table: ColumnTable,
    chunk: u32,
    /// The first that is still to happen.
    next: usize,
}

impl Run {
    #[inline]
    fn due(&self) -> Due {
        Due { at: self.table.ts_event()[self.next], chunk: self.chunk, index: self.next as u32 }
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Window {
    chunks: VecDeque<Chunk>,
    /// All records from some instant on by their time at the venue, of which the first have passed.
    dues: Vec<Due>,
    passed: usize,
    /// What happens behind all of those.
    runs: VecDeque<Run>,
    /// The last instant at which anything happens that is here.
    latest: i64,
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
            runs: VecDeque::new(),
            latest: i64::MIN,
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

    pub(super) fn push(&mut self, records: Records) {
        let Some(last) = records.len().checked_sub(1) else { return };
        let number = self.pushed;
        self.pushed = self.pushed.wrapping_add(1);
        match &records {
            Records::Columns(table) if self.is_in_turn(table) => {
                self.run(table.clone(), number);
            }
            Records::Rows(_) | Records::Columns(_) => self.list(&records, number),
        }
        let received = self
            .feed
            .is_delayed()
            .then(|| (0..=last).map(|at| self.feed.receive(records.ts_recv(at)).nanos()).collect());
        self.horizon = self.horizon.max(records.ts_recv(last).nanos());
        let behind = self.records;
        self.records += records.len() as u64;
        self.chunks.push_back(Chunk { records, received, number, behind });
    }

    /// Whether records happen in their order, each at its own time, behind all that is here.
    fn is_in_turn(&self, table: &ColumnTable) -> bool {
        let (event, received) = (table.ts_event(), table.ts_recv());
        // No instant of an instrument lies behind the latest of all.
        let is_behind = event.first().is_none_or(|first| *first >= self.latest);
        let Ok(bound) = u64::try_from(self.lookahead_ns) else { return false };
        is_behind && are_in_turn(event, received, bound)
    }

    fn run(&mut self, table: ColumnTable, chunk: u32) {
        let last = *table.ts_event().last().expect("a batch has records");
        *self.last_of(table.instrument()) = last;
        self.latest = last;
        self.runs.push_back(Run { table, chunk, next: 0 });
    }

    /// Gives each record its own place, which may lie before records of runs.
    fn list(&mut self, records: &Records, chunk: u32) {
        while let Some(mut run) = self.runs.pop_front() {
            while run.next < run.table.len() {
                self.dues.push(run.due());
                run.next += 1;
            }
        }
        self.dues.reserve(records.len());
        for index in 0..records.len() {
            let mut at = match records {
                Records::Rows(batch) => self.happens(batch.head(index)),
                Records::Columns(table) => table.with(index, |record| self.happens(record.head())),
            };
            if records.kind(index) == Kind::Gap && records.instrument(index).is_none() {
                at = self.happens_to_all(at);
            }
            self.latest = self.latest.max(at);
            self.insert(Due { at, chunk, index: index as u32 });
        }
    }

    fn last_of(&mut self, instrument: InstrumentId) -> &mut i64 {
        let place = instrument.index();
        if self.last_by_instrument.len() <= place {
            self.last_by_instrument.resize(place + 1, self.last_of_all);
        }
        &mut self.last_by_instrument[place]
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
        if let Some(instrument) = head.instrument {
            let last = self.last_of(instrument);
            at = at.max(*last);
            *last = at;
        }
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
        let last = chunk.received(chunk.records.len() - 1);
        let is_complete = self.is_ended || self.horizon.saturating_sub(self.lookahead_ns) > last;
        is_complete.then_some(chunk)
    }

    /// The next record by the time of the venue.
    #[inline]
    pub(super) fn next_due(&self) -> Option<Due> {
        match self.dues.get(self.passed) {
            Some(due) => Some(*due),
            None => self.runs.front().map(Run::due),
        }
    }

    /// Shows a due record.
    #[inline]
    pub(super) fn with<R>(&self, due: Due, look: impl FnOnce(&Record<'_>) -> R) -> R {
        self.records_of(due).with(due.index as usize, look)
    }

    #[inline]
    fn records_of(&self, due: Due) -> &Records {
        &self.chunk_of(due).records
    }

    /// The row of a due record and its levels, where it is one of depth.
    #[inline]
    pub(super) fn depth_of(&self, due: Due) -> Option<(&Depth, &[Level])> {
        let Records::Rows(batch) = self.records_of(due) else { return None };
        let slot = batch.slots()[due.index as usize];
        let row = slot.index as usize;
        (slot.kind == Kind::Depth).then(|| (&batch.rows::<Depth>()[row], batch.levels(row)))
    }

    /// The place of a due record in the stream.
    #[inline]
    pub(super) fn place_of(&self, due: Due) -> u64 {
        self.chunk_of(due).place(due.index as usize)
    }

    #[inline]
    pub(super) fn chunk_of(&self, due: Due) -> &Chunk {
        let first = self.chunks.front().expect("a due record has its batch").number;
        &self.chunks[due.chunk.wrapping_sub(first) as usize]
    }

    /// The records in the list that are still to happen, by the time of the venue: before all runs.
    #[inline]
    pub(super) fn dues(&self) -> &[Due] {
        &self.dues[self.passed..]
    }

    /// When the first run begins to happen, once the list is done.
    pub(super) fn first_of_runs(&self) -> Option<i64> {
        self.runs.front().map(|run| run.due().at)
    }

    /// When the first of the records behind the list happens that does not go on with these.
    pub(super) fn first_of_others(&self, table: &ColumnTable) -> Option<i64> {
        let others = self.runs.iter().find(|run| !run.table.is_like(table));
        others.map(|run| run.due().at)
    }

    /// Takes what happens up to an instant and lies behind the list, a part of a batch at a time, and
    /// says which: the table, whether it is the one at hand, and their places.
    pub(super) fn happen_until(
        &mut self,
        now: i64,
        at_hand: &Chunk,
        mut look: impl FnMut(&ColumnTable, bool, Range<usize>),
    ) -> Option<Due> {
        let mut last = None;
        while let Some(run) = self.runs.front_mut() {
            let rest = &run.table.ts_event()[run.next..];
            let count = rest.partition_point(|at| *at <= now);
            if count == 0 {
                break;
            }
            let places = run.next..run.next + count;
            run.next += count - 1;
            last = Some(run.due());
            run.next += 1;
            look(&run.table, run.chunk == at_hand.number, places);
            if run.next < run.table.len() {
                break;
            }
            self.runs.pop_front();
        }
        last
    }

    /// The row of a due record, where it is of that kind. Most are of the batch at hand.
    #[inline]
    pub(super) fn row_of<'a, T: Table>(&'a self, due: Due, at_hand: &'a Chunk) -> Option<&'a T> {
        let is_at_hand = due.chunk == at_hand.number;
        let records = if is_at_hand { &at_hand.records } else { self.records_of(due) };
        let Records::Rows(batch) = records else { return None };
        let slot = batch.slots()[due.index as usize];
        (slot.kind == T::KIND).then(|| &batch.rows::<T>()[slot.index as usize])
    }

    /// So many of the list have happened.
    #[inline]
    pub(super) fn pass(&mut self, count: usize) {
        self.passed += count;
    }

    /// What was due next has happened.
    #[inline]
    pub(super) fn pass_next(&mut self) {
        if self.passed < self.dues.len() {
            self.passed += 1;
        } else if let Some(run) = self.runs.front_mut() {
            run.next += 1;
            if run.next == run.table.len() {
                self.runs.pop_front();
            }
        }
    }

    /// Forgets the first batch, all of which has been received and has happened.
    pub(super) fn pop(&mut self) -> Option<Records> {
        // Now and then, however small the batches are.
        if self.passed > self.dues.len() / 2 {
            self.dues.drain(..self.passed);
            self.passed = 0;
        }
        self.chunks.pop_front().map(|chunk| chunk.records)
    }

    /// The last instant of the stream that is known.
    pub(super) fn last(&self) -> Ts {
        Ts::from_nanos(self.horizon.max(self.feed.last()))
    }
}
