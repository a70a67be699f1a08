//! Several streams become one, in the total order.
//!
//! Invariants: the result depends on the records alone, not on how sources cut their batches; a
//! lane that is known to begin later stays closed until its time comes, so memory follows the
//! number of lanes that overlap and not the number of lanes. A derived record stays directly
//! behind the record that caused it.

use std::cmp::Ordering;
use std::sync::Arc;

use qt_model::instrument::Instruments;
use qt_model::record::{Batch, Source};
use qt_model::time::Ts;

use crate::order::{Key, Violation, Watch};

/// What to do about a record out of order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderRule {
    /// It is an error.
    Strict,
    /// It is counted and passes.
    Warn,
    /// An exact repetition is dropped and counted; anything else is an error.
    DropRepeats,
}

/// A merge failed.
#[derive(Debug, thiserror::Error)]
pub enum MergeError<E> {
    #[error("{error}")]
    Source { lane: usize, error: E },
    #[error("{code}: record {record} ({found}) does not follow {previous}", code = violation.code())]
    Order {
        lane: usize,
        /// The number of the record in its lane, counting from zero.
        record: u64,
        violation: Violation,
        found: String,
        previous: String,
    },
}

/// One stream into the merge.
#[derive(Debug)]
struct Lane<S> {
    source: Option<S>,
    batch: Batch,
    at: usize,
    /// Records of this lane before `batch`.
    before: u64,
}

/// A lane and the place of its next record.
#[derive(Clone, Copy, Debug)]
struct Entry {
    key: EntryKey,
    lane: usize,
}

#[derive(Clone, Copy, Debug)]
enum EntryKey {
    /// Not opened yet; nothing in it lies before this.
    Closed(Ts),
    Open(Key),
}

/// Merges sources into batches of `batch_records`.
#[derive(Debug)]
pub struct Merge<S: Source> {
    lanes: Vec<Lane<S>>,
    /// A binary heap, least first. Its order needs the instruments, so it is kept by hand.
    heap: Vec<Entry>,
    instruments: Arc<Instruments>,
    spare: Vec<Batch>,
    watch: Watch,
    rule: OrderRule,
    batch_records: usize,
    violations: u64,
    repeats: u64,
    pending: Option<MergeError<S::Error>>,
}

impl<S: Source> Merge<S> {
    /// Each source comes with a time before which it has nothing, if that is known.
    pub fn new(
        sources: impl IntoIterator<Item = (S, Option<Ts>)>,
        rule: OrderRule,
        batch_records: usize,
    ) -> Self {
        let mut merge = Self {
            lanes: Vec::new(),
            heap: Vec::new(),
            instruments: Arc::default(),
            spare: Vec::new(),
            watch: Watch::default(),
            rule,
            batch_records,
            violations: 0,
            repeats: 0,
            pending: None,
        };
        for (lane, (source, bound)) in sources.into_iter().enumerate() {
            let batch = Batch::default();
            merge.lanes.push(Lane { source: Some(source), batch, at: 0, before: 0 });
            merge.push(Entry { key: EntryKey::Closed(bound.unwrap_or(Ts::MIN)), lane });
        }
        merge
    }

    /// Records out of order that passed.
    pub fn violations(&self) -> u64 {
        self.violations
    }

    /// Repetitions that were dropped.
    pub fn repeats(&self) -> u64 {
        self.repeats
    }

    /// The place of the last record handed out.
    pub fn last(&self) -> Option<Key> {
        self.watch.last()
    }

    pub fn instruments(&self) -> &Arc<Instruments> {
        &self.instruments
    }

    /// Fills the lane's batch; `false` once it has no more.
    fn refill(&mut self, lane: usize) -> Result<bool, MergeError<S::Error>> {
        let Lane { source, batch, at, before } = &mut self.lanes[lane];
        let Some(reader) = source else { return Ok(false) };
        *before += batch.len() as u64;
        *at = 0;
        let more = reader.next(batch).map_err(|error| MergeError::Source { lane, error })?;
        if !more {
            *source = None;
            let mut batch = std::mem::take(batch);
            batch.clear();
            self.spare.push(batch);
            return Ok(false);
        }
        if batch.instruments().len() > self.instruments.len() {
            self.instruments = Arc::clone(batch.instruments());
        }
        Ok(true)
    }

    /// Opens a lane whose time has come, or reads on in one; puts it back by its next record.
    fn enter(&mut self, lane: usize) -> Result<(), MergeError<S::Error>> {
        loop {
            if !self.refill(lane)? {
                return Ok(());
            }
            if !self.lanes[lane].batch.is_empty() {
                self.push_open(lane);
                return Ok(());
            }
        }
    }

    fn push_open(&mut self, lane: usize) {
        let Lane { batch, at, .. } = &self.lanes[lane];
        let key = EntryKey::Open(Key::of(&batch.get(*at)));
        self.push(Entry { key, lane });
    }

    fn less(&self, a: &Entry, b: &Entry) -> bool {
        let order = match (&a.key, &b.key) {
            (EntryKey::Open(a), EntryKey::Open(b)) => a.compare(b, &self.instruments),
            // A closed lane is opened before anything at its time is handed out.
            (EntryKey::Closed(a), EntryKey::Open(b)) => a.cmp(&b.ts_recv).then(Ordering::Less),
            (EntryKey::Open(a), EntryKey::Closed(b)) => a.ts_recv.cmp(b).then(Ordering::Greater),
            (EntryKey::Closed(a), EntryKey::Closed(b)) => a.cmp(b),
        };
        order.then(a.lane.cmp(&b.lane)) == Ordering::Less
    }

    fn push(&mut self, entry: Entry) {
        self.heap.push(entry);
        let mut at = self.heap.len() - 1;
        while at > 0 {
            let parent = (at - 1) / 2;
            if !self.less(&self.heap[at], &self.heap[parent]) {
                break;
            }
            self.heap.swap(at, parent);
            at = parent;
        }
    }

    fn pop(&mut self) -> Option<Entry> {
        if self.heap.is_empty() {
            return None;
        }
        let top = self.heap.swap_remove(0);
        let mut at = 0;
        loop {
            let mut least = at;
            for child in [2 * at + 1, 2 * at + 2] {
                if child < self.heap.len() && self.less(&self.heap[child], &self.heap[least]) {
                    least = child;
                }
            }
            if least == at {
                return Some(top);
            }
            self.heap.swap(at, least);
            at = least;
        }
    }

    /// Hands out records of one lane for as long as no other lane's are due.
    fn run(&mut self, lane: usize, out: &mut Batch) -> Result<(), MergeError<S::Error>> {
        let bound = self.heap.first().copied();
        let mut emitted: Option<Key> = None;
        loop {
            let Lane { batch, at, before, .. } = &mut self.lanes[lane];
            if *at == batch.len() {
                return self.enter(lane);
            }
            let record = batch.get(*at);
            let key = Key::of(&record);
            // A derived record stays behind its cause, whatever else is due at that time.
            let is_attached = !key.kind.is_market()
                && emitted.is_some_and(|emitted| emitted.ts_recv == key.ts_recv);
            let due = is_attached
                || bound.is_none_or(|bound| is_before(&key, lane, &bound, &self.instruments));
            if !due || out.len() >= self.batch_records && !is_attached {
                self.push_open(lane);
                return Ok(());
            }
            if let Some((violation, previous)) = self.watch.check(key, &self.instruments) {
                let is_repeat = violation == Violation::Duplicate
                    && self.rule == OrderRule::DropRepeats
                    && !out.is_empty()
                    && record == out.get(out.len() - 1);
                if is_repeat {
                    self.repeats += 1;
                    *at += 1;
                    continue;
                }
                if self.rule != OrderRule::Warn {
                    return Err(MergeError::Order {
                        lane,
                        record: *before + *at as u64,
                        violation,
                        found: key.describe(&self.instruments),
                        previous: previous.describe(&self.instruments),
                    });
                }
                self.violations += 1;
            }
            out.push(record);
            emitted = Some(key);
            *at += 1;
        }
    }
}

/// Whether a record comes before all that the bound stands for.
#[inline]
fn is_before(key: &Key, lane: usize, bound: &Entry, instruments: &Instruments) -> bool {
    match bound.key {
        EntryKey::Closed(ts) => key.ts_recv < ts,
        EntryKey::Open(other) => match key.ts_recv.cmp(&other.ts_recv) {
            Ordering::Less => true,
            Ordering::Greater => false,
            Ordering::Equal => {
                key.compare(&other, instruments).then(lane.cmp(&bound.lane)) == Ordering::Less
            }
        },
    }
}

impl<S: Source> Source for Merge<S> {
    type Error = MergeError<S::Error>;

    fn next(&mut self, out: &mut Batch) -> Result<bool, Self::Error> {
        out.clear();
        if let Some(error) = self.pending.take() {
            return Err(error);
        }
        while out.len() < self.batch_records {
            let Some(entry) = self.pop() else { break };
            let step = match entry.key {
                EntryKey::Closed(_) => {
                    self.lanes[entry.lane].batch = self.spare.pop().unwrap_or_default();
                    self.enter(entry.lane)
                }
                EntryKey::Open(_) => {
                    if out.instruments().len() < self.instruments.len() {
                        out.set_instruments(Arc::clone(&self.instruments));
                    }
                    self.run(entry.lane, out)
                }
            };
            if let Err(error) = step {
                // What came before the error is handed out first.
                if out.is_empty() {
                    return Err(error);
                }
                self.pending = Some(error);
                return Ok(true);
            }
        }
        Ok(!out.is_empty())
    }
}
