//! Several streams become one, in the total order.
//!
//! Invariants: the result depends on the records alone, not on how sources cut their batches; a
//! lane that is known to begin later stays closed until its time comes, so memory follows the
//! number of lanes that overlap and not the number of lanes. A derived record stays directly
//! behind the record that caused it.

use std::ops::Range;
use std::sync::Arc;

use qt_model::instrument::Instruments;
use qt_model::record::{Batch, Sequence, Source};
use qt_model::time::Ts;

use crate::lanes::{Lane, Queue, Ticket};
use crate::order::{Key, Ranks, Violation, Watch};

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

/// Merges sources into batches of `batch_records`. What the sources yield may be rows or columns.
#[derive(Debug)]
pub struct Merge<S: Source<B>, B: Sequence = Batch> {
    lanes: Vec<Lane<S, B>>,
    queue: Queue,
    ranks: Ranks,
    instruments: Arc<Instruments>,
    spare: Vec<B>,
    watch: Watch,
    rule: OrderRule,
    batch_records: usize,
    violations: u64,
    repeats: u64,
    pending: Option<MergeError<S::Error>>,
}

impl<B: Sequence, S: Source<B>> Merge<S, B> {
    /// Each source comes with a time before which it has nothing, if that is known.
    pub fn new(
        sources: impl IntoIterator<Item = (S, Option<Ts>)>,
        rule: OrderRule,
        batch_records: usize,
    ) -> Self {
        let mut lanes = Vec::new();
        let mut queue = Queue::default();
        for (lane, (source, bound)) in sources.into_iter().enumerate() {
            lanes.push(Lane::new(source));
            queue.push(Ticket::closed(bound.unwrap_or(Ts::MIN), lane));
        }
        Self {
            lanes,
            queue,
            ranks: Ranks::default(),
            instruments: Arc::default(),
            spare: Vec::new(),
            watch: Watch::default(),
            rule,
            batch_records,
            violations: 0,
            repeats: 0,
            pending: None,
        }
    }

    /// Records out of order that passed.
    pub fn violations(&self) -> u64 {
        self.violations
    }

    /// Repetitions that were dropped.
    pub fn repeats(&self) -> u64 {
        self.repeats
    }

    /// Reads on in a lane and queues it by its next record, unless it has no more.
    fn enter(&mut self, lane: usize) -> Result<(), MergeError<S::Error>> {
        let more = self.lanes[lane].refill().map_err(|error| MergeError::Source { lane, error })?;
        if !more {
            self.spare.push(self.lanes[lane].retire());
            return Ok(());
        }
        let instruments = self.lanes[lane].batch.instruments();
        if instruments.len() > self.instruments.len() {
            self.instruments = Arc::clone(instruments);
            self.ranks = Ranks::of(&self.instruments);
            // Ranks are relative, so those that wait are ranked anew.
            let tickets = self.queue.drain();
            for ticket in tickets {
                let fresh = if ticket.is_open() { self.ticket(ticket.lane()) } else { ticket };
                self.queue.push(fresh);
            }
        }
        self.queue.push(self.ticket(lane));
        Ok(())
    }

    fn ticket(&self, lane: usize) -> Ticket {
        let Lane { batch, at, .. } = &self.lanes[lane];
        Ticket::open(&batch.key(*at), &self.ranks, lane)
    }

    /// Hands out records of one lane for as long as no other lane's are due: neighbours as one run,
    /// unless one of them is out of order.
    fn run<T: Taker<B>>(&mut self, lane: usize, out: &mut T) -> Result<(), MergeError<S::Error>> {
        let bound = self.queue.first();
        loop {
            let start = self.lanes[lane].at;
            let limit = start.saturating_add(self.batch_records.saturating_sub(out.taken()));
            let (end, broken) = self.sound_end(lane, bound, limit, out);
            if end > start {
                out.take(&self.lanes[lane].batch, start..end);
                self.lanes[lane].at = end;
            }
            match broken {
                None => return self.go_on(lane),
                Some(broken) if self.pass(&broken, lane, out) => {}
                Some(broken) => return Err(self.refuse(lane, &broken)),
            }
        }
    }

    /// Where the records of a lane end that are due and in order, and what breaks the order there.
    fn sound_end<T: Taker<B>>(
        &mut self,
        lane: usize,
        bound: Option<Ticket>,
        limit: usize,
        out: &T,
    ) -> (usize, Option<Broken>) {
        let start = self.lanes[lane].at;
        let mut at = start;
        loop {
            at = self.rising_end(lane, at..limit, bound);
            let end = self.tie_end(lane, at..limit, bound);
            if end == at {
                return (at, None);
            }
            if let Err((good, broken)) = self.check(lane, start, at..end, out) {
                return (good, Some(broken));
            }
            at = end;
        }
    }

    /// Queues a lane by what comes next in it.
    fn go_on(&mut self, lane: usize) -> Result<(), MergeError<S::Error>> {
        if self.lanes[lane].at == self.lanes[lane].batch.len() {
            return self.enter(lane);
        }
        self.queue.push(self.ticket(lane));
        Ok(())
    }

    /// Where records end whose times rise and lie before those of all other lanes: nothing else
    /// of them needs comparing.
    #[inline]
    fn rising_end(&mut self, lane: usize, places: Range<usize>, bound: Option<Ticket>) -> usize {
        let batch = &self.lanes[lane].batch;
        let (start, end) = (places.start, batch.len().min(places.end));
        let after = self.watch.time().unwrap_or(Ts::MIN);
        let before = bound.map_or(Ts::MAX, |it| it.ts_recv());
        let mut end = batch.rising_end(start..end, after, before);
        // A derived record stays behind its cause, which is looked at more closely.
        if end > start && end < batch.len() && !batch.kind(end).is_market() {
            end -= 1;
        }
        if end > start {
            self.watch.set(batch.key(end - 1));
        }
        end
    }

    /// Where the records of a lane end that are due and share one time, or came with what did; the
    /// first of these places where there is no room or nothing is due.
    fn tie_end(&self, lane: usize, places: Range<usize>, bound: Option<Ticket>) -> usize {
        let batch = &self.lanes[lane].batch;
        let len = batch.len();
        let (start, mut end) = (places.start, places.start);
        while end < len.min(places.end) {
            let is_market = batch.kind(end).is_market();
            let is_later = end > start && batch.ts_recv(end) != batch.ts_recv(end - 1);
            if is_later && is_market {
                break;
            }
            let is_due = bound.is_none_or(|bound| {
                let ts_recv = batch.ts_recv(end);
                ts_recv < bound.ts_recv()
                    || ts_recv == bound.ts_recv()
                        && Ticket::open(&batch.key(end), &self.ranks, lane) < bound
            });
            // A derived record stays behind its cause, whatever else is due at that time.
            if !is_due && (end == start || is_later || is_market) {
                break;
            }
            end += 1;
        }
        // The causes are out; what they caused belongs to the same batch.
        while end > start
            && end < len
            && !batch.kind(end).is_market()
            && batch.ts_recv(end) == batch.ts_recv(end - 1)
        {
            end += 1;
        }
        end
    }

    /// Whether records may follow those before them; else how many may, and what breaks. `start` is
    /// the first that is not handed out yet.
    fn check<T: Taker<B>>(
        &mut self,
        lane: usize,
        start: usize,
        places: Range<usize>,
        out: &T,
    ) -> Result<(), (usize, Broken)> {
        let batch = &self.lanes[lane].batch;
        for at in places {
            let key = batch.key(at);
            if let Some((violation, previous)) = self.watch.check(key, &self.instruments) {
                let last = if at > start { Some((batch, at - 1)) } else { out.last() };
                let is_repeat = violation == Violation::Duplicate
                    && last.is_some_and(|(batch_of_last, last)| {
                        batch_of_last.is_same(last, batch, at)
                    });
                return Err((at, Broken { violation, key, previous, is_repeat }));
            }
        }
        Ok(())
    }

    /// Whether a record out of order may pass or be dropped; then it is done with.
    fn pass<T: Taker<B>>(&mut self, broken: &Broken, lane: usize, out: &mut T) -> bool {
        let at = self.lanes[lane].at;
        match self.rule {
            OrderRule::Warn => {
                self.violations += 1;
                out.take(&self.lanes[lane].batch, at..at + 1);
            }
            OrderRule::DropRepeats if broken.is_repeat => self.repeats += 1,
            OrderRule::DropRepeats | OrderRule::Strict => return false,
        }
        self.lanes[lane].at += 1;
        true
    }

    fn refuse(&self, lane: usize, broken: &Broken) -> MergeError<S::Error> {
        MergeError::Order {
            lane,
            record: self.lanes[lane].before + self.lanes[lane].at as u64,
            violation: broken.violation,
            found: broken.key.describe(&self.instruments),
            previous: broken.previous.describe(&self.instruments),
        }
    }
}

/// A record out of order.
struct Broken {
    violation: Violation,
    key: Key,
    previous: Key,
    /// Whether it says exactly what its predecessor said.
    is_repeat: bool,
}

/// What the records of a merge are handed to, a run at a time.
trait Taker<B> {
    fn take(&mut self, batch: &B, places: Range<usize>);

    /// How many were taken since the last call from outside.
    fn taken(&self) -> usize;

    /// The record taken last, if it can be looked at again.
    fn last(&self) -> Option<(&B, usize)>;

    fn know(&mut self, instruments: &Arc<Instruments>);
}

impl Taker<Self> for Batch {
    fn take(&mut self, batch: &Self, places: Range<usize>) {
        self.push_range(batch, places.start, places.end);
    }

    fn taken(&self) -> usize {
        self.len()
    }

    fn last(&self) -> Option<(&Self, usize)> {
        self.len().checked_sub(1).map(|last| (self, last))
    }

    fn know(&mut self, instruments: &Arc<Instruments>) {
        if self.instruments().len() < instruments.len() {
            self.set_instruments(Arc::clone(instruments));
        }
    }
}

/// Looks at records where they lie.
struct Visitor<F> {
    visit: F,
    taken: usize,
}

impl<B, F: FnMut(&B, Range<usize>)> Taker<B> for Visitor<F> {
    fn take(&mut self, batch: &B, places: Range<usize>) {
        self.taken += places.len();
        (self.visit)(batch, places);
    }

    fn taken(&self) -> usize {
        self.taken
    }

    fn last(&self) -> Option<(&B, usize)> {
        None
    }

    fn know(&mut self, _: &Arc<Instruments>) {}
}

impl<B: Sequence, S: Source<B>> Merge<S, B> {
    /// Shows the records that come next where they lie, without copying them: about as many as a
    /// batch holds, in runs of neighbours. Returns how many; none once there is nothing more.
    ///
    /// Repetitions cannot be dropped on this road, since what was shown is not kept.
    pub fn visit(
        &mut self,
        visit: impl FnMut(&B, Range<usize>),
    ) -> Result<usize, MergeError<S::Error>> {
        debug_assert!(self.rule != OrderRule::DropRepeats, "a visit keeps nothing to compare with");
        let mut visitor = Visitor { visit, taken: 0 };
        self.fill(&mut visitor)?;
        Ok(visitor.taken)
    }

    fn fill<T: Taker<B>>(&mut self, out: &mut T) -> Result<(), MergeError<S::Error>> {
        if let Some(error) = self.pending.take() {
            return Err(error);
        }
        while out.taken() < self.batch_records {
            let Some(ticket) = self.queue.pop() else { break };
            let step = if ticket.is_open() {
                out.know(&self.instruments);
                self.run(ticket.lane(), out)
            } else {
                self.lanes[ticket.lane()].batch = self.spare.pop().unwrap_or_default();
                self.enter(ticket.lane())
            };
            if let Err(error) = step {
                // What came before the error is handed out first.
                if out.taken() == 0 {
                    return Err(error);
                }
                self.pending = Some(error);
                break;
            }
        }
        Ok(())
    }
}

impl<S: Source> Source for Merge<S> {
    type Error = MergeError<S::Error>;

    fn next(&mut self, out: &mut Batch) -> Result<bool, Self::Error> {
        out.clear();
        self.fill(out)?;
        Ok(!out.is_empty())
    }
}
