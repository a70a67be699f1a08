//! Features of all symbols of a stream: batches in, rows behind the records that caused them out.
//!
//! Invariant: what comes out depends on the records alone, not on how they are cut into batches.
//! Absent on purpose: clocks and threads.

use std::sync::Arc;

use qt_model::ids::InstrumentId;
use qt_model::instrument::{Instruments, Symbol};
use qt_model::record::{Batch, Feature, Head, Record};
use qt_model::time::Ts;

use super::base::Clock;
use super::feed::{BookFrom, Clocks, Columns, Fed, Feed};
use super::graph::{Plan, Scratch, State};

/// How an engine works.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// The name of the rows.
    pub set: String,
    pub book: BookFrom,
    /// Leave the records out that caused the rows.
    pub only: bool,
    /// Leave rows out until every feature has had a value.
    pub warm_only: bool,
    /// Keep one row of so many of each symbol.
    pub every: u64,
    /// Symbols without an event for so long are forgotten.
    pub forget_after_ns: i64,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            set: "features".to_owned(),
            book: BookFrom::Quotes,
            only: false,
            warm_only: false,
            every: 1,
            forget_after_ns: 3_600 * 1_000_000_000,
        }
    }
}

/// Chooses the symbols that have features.
pub type Wanted = Box<dyn Fn(&Symbol) -> bool + Send>;

/// Computes the features of a plan for every symbol.
pub struct Engine {
    plan: Arc<Plan>,
    options: EngineOptions,
    wanted: Wanted,
    clocks: Clocks,
    symbols: Vec<Slot>,
    scratch: Scratch,
    /// Symbols with rows in the batch at hand.
    touched: Vec<usize>,
    /// For each record of the batch at hand, its row, if it caused one.
    causes: Vec<Option<Cause>>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("set", &self.options.set).finish_non_exhaustive()
    }
}

#[derive(Debug)]
enum Slot {
    Unknown,
    Unwanted,
    Known(Box<Lane>),
}

/// One symbol.
#[derive(Debug)]
struct Lane {
    feed: Feed,
    state: State,
    columns: Columns,
    /// A column of results a feature.
    out: Vec<Vec<f64>>,
    /// Rows of this batch before which the state begins anew.
    resets: Vec<usize>,
    /// Which features have had a value.
    warm: Vec<bool>,
    rows: u64,
    last: Ts,
}

#[derive(Clone, Copy, Debug)]
struct Cause {
    symbol: usize,
    row: usize,
    flags: u64,
}

impl Engine {
    pub fn new(plan: Plan, options: EngineOptions, wanted: Wanted) -> Self {
        let clocks = Clocks {
            book: plan.uses_clock(Clock::Book),
            trade: plan.uses_clock(Clock::Trade),
            bar: plan.uses_clock(Clock::Bar),
        };
        Self {
            plan: Arc::new(plan),
            options,
            wanted,
            clocks,
            symbols: Vec::new(),
            scratch: Scratch::default(),
            touched: Vec::new(),
            causes: Vec::new(),
        }
    }

    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Appends the records of a batch to `out`, each row of features behind its cause.
    pub fn batch(&mut self, batch: &Batch, out: &mut Batch) {
        self.gather(batch);
        for at in &self.touched {
            if let Slot::Known(lane) = &mut self.symbols[*at] {
                lane.run(&mut self.scratch);
            }
        }
        if out.instruments().len() < batch.instruments().len() {
            out.set_instruments(Arc::clone(batch.instruments()));
        }
        for (at, cause) in self.causes.iter().enumerate() {
            let record = batch.get(at);
            let head = *record.head();
            if !self.options.only {
                out.push(record);
            }
            if let Some(cause) = cause
                && let Slot::Known(lane) = &mut self.symbols[cause.symbol]
                && let Some(row) = lane.row(cause, head, &self.options)
            {
                out.push_row(row, &[]);
            }
        }
        for at in self.touched.drain(..) {
            if let Slot::Known(lane) = &mut self.symbols[at] {
                lane.columns.clear();
                lane.out.iter_mut().for_each(Vec::clear);
                lane.resets.clear();
            }
        }
    }

    /// Turns the records of a batch into events of their symbols.
    fn gather(&mut self, batch: &Batch) {
        self.causes.clear();
        for record in batch.iter() {
            let cause = match record.head().instrument {
                Some(id) => self.feed(id, &record, batch.instruments()),
                None => {
                    self.common(&record);
                    None
                }
            };
            self.causes.push(cause);
        }
    }

    fn feed(
        &mut self,
        id: InstrumentId,
        record: &Record<'_>,
        instruments: &Instruments,
    ) -> Option<Cause> {
        let symbol = id.index();
        if self.symbols.len() <= symbol {
            let count = instruments.len().max(symbol + 1);
            self.symbols.resize_with(count, || Slot::Unknown);
        }
        if let Slot::Unknown = self.symbols[symbol] {
            let instrument = instruments.get(id);
            self.symbols[symbol] = match (self.wanted)(&instrument.symbol) {
                true => Slot::Known(Box::new(Lane::new(
                    &self.plan,
                    Feed::new(instrument, self.options.book),
                ))),
                false => Slot::Unwanted,
            };
        }
        let Slot::Known(lane) = &mut self.symbols[symbol] else { return None };
        let ts = record.head().ts_recv;
        let is_idle = ts.nanos().saturating_sub(lane.last.nanos()) > self.options.forget_after_ns;
        if is_idle && lane.last != Ts::MIN {
            lane.forget(Feed::new(instruments.get(id), self.options.book));
        }
        let row = lane.columns.rows();
        let flags = match lane.feed.record(record, self.clocks, &mut lane.columns) {
            Fed::Nothing => return None,
            Fed::Row { flags } => flags,
            Fed::Reset { flags } => {
                lane.resets.push(row);
                flags
            }
        };
        lane.last = ts;
        if row == 0 {
            self.touched.push(symbol);
        }
        Some(Cause { symbol, row, flags })
    }

    /// A record that names no instrument: a break in the data concerns all.
    fn common(&mut self, record: &Record<'_>) {
        if let Record::Gap(_) = record {
            for slot in &mut self.symbols {
                if let Slot::Known(lane) = slot {
                    lane.feed.gap();
                }
            }
        }
    }
}

impl Lane {
    fn new(plan: &Arc<Plan>, feed: Feed) -> Self {
        Self {
            feed,
            state: State::new(plan),
            columns: Feed::columns(plan),
            out: vec![Vec::new(); plan.len()],
            resets: Vec::new(),
            warm: vec![false; plan.len()],
            rows: 0,
            last: Ts::MIN,
        }
    }

    /// As if the symbol had never been seen, from its next event on.
    fn forget(&mut self, feed: Feed) {
        self.feed = feed;
        self.resets.push(self.columns.rows());
    }

    /// Runs the events of this batch through the plan, from one reset to the next.
    fn run(&mut self, scratch: &mut Scratch) {
        let Self { state, columns, out, resets, .. } = self;
        let rows = columns.rows();
        let mut start = 0;
        for reset in resets.iter().copied().chain([rows]) {
            if reset > start {
                state.run(
                    |base| part(columns.get(base), start, reset),
                    reset - start,
                    scratch,
                    out,
                );
            }
            if reset < rows {
                state.reset();
            }
            start = reset;
        }
    }

    /// The row of an event, unless it is left out.
    fn row(&mut self, cause: &Cause, head: Head, options: &EngineOptions) -> Option<Feature> {
        if self.resets.contains(&cause.row) {
            self.warm.fill(false);
        }
        for (warm, column) in self.warm.iter_mut().zip(&self.out) {
            *warm |= !column[cause.row].is_nan();
        }
        let is_warm = self.warm.iter().all(|warm| *warm);
        let is_due = self.rows.is_multiple_of(options.every);
        self.rows += 1;
        if !is_due || options.warm_only && !is_warm {
            return None;
        }
        let value = |column: &Vec<f64>| Some(column[cause.row]).filter(|value| !value.is_nan());
        let mask = || {
            let bits = self.warm.iter().enumerate();
            bits.fold(0, |mask, (bit, warm)| mask | u64::from(*warm) << bit)
        };
        Some(Feature {
            head,
            set: options.set.clone(),
            values: self.out.iter().map(value).collect(),
            warm: (self.warm.len() <= 64).then(mask),
            flags: Some(cause.flags),
        })
    }
}

/// The events of a column from one row to another; a column that nobody asked for is empty.
fn part(column: &[f64], from: usize, to: usize) -> &[f64] {
    if column.is_empty() { column } else { &column[from..to] }
}
