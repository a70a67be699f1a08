//! One symbol of an engine, and how runs of its records are fed.

use qt_model::ids::InstrumentId;
use qt_model::record::{BarColumns, Batch, Head, Kind, Quote, QuoteColumns, Table};
use qt_model::time::Ts;

use super::EngineOptions;
use crate::features::feed::Fed;
use crate::features::flags;
use crate::features::graph::Scratch;
use crate::features::node::BLOCK;
use crate::features::rows::Sheet;
use crate::features::work::Work;

/// One symbol.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) work: Work,
    /// Events so far.
    pub(super) events: u64,
    /// Whether it has events in the batch at hand.
    pub(super) is_touched: bool,
    /// When it was last heard of, and when it had its last event.
    last: Option<Ts>,
    pub(super) last_event: Option<Ts>,
}

impl Lane {
    pub(super) fn new(work: Work) -> Self {
        Self { work, events: 0, is_touched: false, last: None, last_event: None }
    }
}

/// How many quotes are taken at once, where they come as columns.
const STRETCH: usize = BLOCK;

/// A run of records of one symbol. Rows that carry no flag are only counted, until something else
/// comes: then they are put down at once.
pub(super) struct Plain<'a> {
    lane: &'a mut Lane,
    options: &'a EngineOptions,
    sheet: &'a mut Sheet,
    rows: usize,
}

impl<'a> Plain<'a> {
    pub(super) fn new(
        lane: &'a mut Lane,
        options: &'a EngineOptions,
        sheet: &'a mut Sheet,
    ) -> Self {
        Self { lane, options, sheet, rows: 0 }
    }

    /// Feeds quotes from a place on as far as they are of one symbol; how many they were.
    pub(super) fn quotes(&mut self, batch: &Batch, from: usize, id: InstrumentId) -> usize {
        let (options, may_skip) = (self.options, self.may_skip());
        let (slots, mut at) = (&batch.slots()[from..], 0);
        let rows = &batch.rows::<Quote>()[slots[0].index as usize..];
        let is_alone = batch.only_kind().is_some();
        // Most runs are long or of a single record: it looks ahead further as one goes on.
        let mut ahead = 4;
        loop {
            let slots = &slots[at..];
            let slots = &slots[..slots.len().min(ahead)];
            let count = match is_alone {
                true => slots.len(),
                false => slots.iter().take_while(|slot| slot.kind == Kind::Quote).count(),
            };
            let next = &rows[at..at + count];
            let Some(row) = next.first().filter(|row| row.head.instrument == Some(id)) else {
                return at;
            };
            let plain = match may_skip {
                true => self.lane.work.plain(next, options.forget_after_ns),
                false => 0,
            };
            ahead = (2 * ahead).min(256);
            if plain == 0 {
                self.feed(&row.head, |work| work.quote(row));
                at += 1;
                continue;
            }
            at += plain;
            self.rows += plain;
            let last = Some(next[plain - 1].head.ts_recv);
            (self.lane.last, self.lane.last_event) = (self.lane.last.max(last), last);
        }
    }

    /// Whether no flag can come of a record by itself, and all rows are wanted.
    fn may_skip(&self) -> bool {
        self.options.every == 1 && self.options.stale_after_ns.is_none()
    }

    /// Feeds quotes of the symbol and computes their rows: those that are plain as columns, some at a
    /// time so that a cache holds them.
    pub(super) fn columns(mut self, quotes: &QuoteColumns<'_>, scratch: &mut Scratch) {
        let (idle_max, may_skip) = (self.options.forget_after_ns, self.may_skip());
        let (mut at, mut ahead) = (0, STRETCH);
        while at < quotes.len() {
            let next = quotes.slice(at..quotes.len().min(at + ahead));
            let plain = if may_skip { self.lane.work.plain_first(&next, idle_max) } else { 0 };
            // Where quotes are odd, it looks no further ahead than pays.
            ahead = if plain < next.len() { 16 } else { (2 * ahead).min(STRETCH) };
            if plain == 0 {
                let row = next.row(0);
                self.feed(&row.head, |work| work.quote(&row));
                at += 1;
                continue;
            }
            self.finish(scratch);
            let first = self.sheet.open_plain(plain).start;
            self.sheet.close();
            self.lane.work.quotes(&next.slice(0..plain), first, scratch, self.sheet);
            self.lane.events += plain as u64;
            let last = Some(Ts::from_nanos(next.cells().ts_recv[plain - 1]));
            (self.lane.last, self.lane.last_event) = (self.lane.last.max(last), last);
            at += plain;
        }
        self.finish(scratch);
    }

    /// Feeds bars of the symbol, some at a time: what is fed is computed before it leaves the cache.
    pub(super) fn bars(mut self, bars: &BarColumns<'_>, scratch: &mut Scratch) {
        let (idle_max, may_skip) = (self.options.forget_after_ns, self.may_skip());
        let mut at = 0;
        while at < bars.len() {
            let next = bars.slice(at..bars.len().min(at + STRETCH));
            let plain = if may_skip { self.lane.work.plain_bars(&next, idle_max) } else { 0 };
            if plain == 0 {
                let row = next.row(0);
                self.feed(&row.head, |work| work.bar(&row));
                at += 1;
                continue;
            }
            self.rows += plain;
            self.finish(scratch);
            let last = Some(Ts::from_nanos(next.cells().ts_recv[plain - 1]));
            (self.lane.last, self.lane.last_event) = (self.lane.last.max(last), last);
            at += plain;
        }
        self.finish(scratch);
    }

    /// Computes what was fed one by one.
    fn finish(&mut self, scratch: &mut Scratch) {
        self.put();
        self.sheet.close();
        self.lane.work.finish(scratch, self.sheet);
    }

    #[inline]
    pub(super) fn feed(&mut self, head: &Head, take: impl FnOnce(&mut Work) -> Fed) {
        let lane = &mut *self.lane;
        let ts = head.ts_recv;
        let idle = lane.last.map(|last| ts.nanos().saturating_sub(last.nanos()));
        if idle.is_some_and(|idle| idle > self.options.forget_after_ns) {
            lane.work.forget();
        }
        lane.last = lane.last.max(Some(ts));
        let fed = take(&mut lane.work);
        if fed != Fed::Nothing {
            lane.last_event = Some(ts);
        }
        let is_late = |bound: i64| ts.since(head.ts_event) > bound;
        let fed = match self.options.stale_after_ns.is_some_and(is_late) {
            true => fed.with(flags::STALE_INPUT),
            false => fed,
        };
        let is_plain = fed == Fed::Row { flags: 0 };
        if is_plain && self.options.every == 1 && lane.work.can_wait() {
            self.rows += 1;
        } else {
            self.other(fed);
        }
    }

    /// Puts down what is not plain.
    #[inline(never)]
    fn other(&mut self, fed: Fed) {
        self.put();
        if let Fed::Row { flags } | Fed::Reset { flags } = fed {
            let is_due = self.lane.events.is_multiple_of(self.options.every);
            self.lane.events += 1;
            let row = is_due.then(|| self.sheet.open(flags));
            self.lane.work.put(row, self.sheet);
        }
        self.sheet.end_record();
    }

    /// Puts down the rows that were counted.
    pub(super) fn put(&mut self) {
        let rows = std::mem::take(&mut self.rows);
        if rows > 0 {
            self.lane.events += rows as u64;
            self.lane.work.put_plain(self.sheet.open_plain(rows));
        }
    }
}

/// Calls with the rows of one kind and one symbol that stand one behind the other from a place on,
/// and their places in the table of the kind. How many they were.
#[inline]
pub(super) fn each<T: Table>(
    batch: &Batch,
    from: usize,
    id: InstrumentId,
    mut take: impl FnMut(&T, usize),
) -> usize {
    let rows = batch.rows::<T>();
    let mut count = 0;
    for slot in batch.slots()[from..].iter().take_while(|slot| slot.kind == T::KIND) {
        let row = &rows[slot.index as usize];
        if row.head().instrument != Some(id) {
            break;
        }
        take(row, slot.index as usize);
        count += 1;
    }
    count
}
