//! Features of all symbols of a stream: batches in, rows behind the records that caused them out.
//!
//! Invariant: what comes out depends on the records alone, not on how they are cut into batches.
//! Absent on purpose: clocks and threads.

use std::sync::Arc;

use qt_model::ids::InstrumentId;
use qt_model::instrument::{Instruments, Symbol};
use qt_model::record::{Batch, Feature, Head, Record};
use qt_model::time::Ts;

use super::feed::{BookFrom, Fed};
use super::graph::Scratch;
use super::work::{Program, Work};

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
    program: Program,
    options: EngineOptions,
    wanted: Wanted,
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
    Known(Lane),
}

/// One symbol.
#[derive(Debug)]
struct Lane {
    work: Box<dyn Work>,
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
    pub fn new(program: Program, options: EngineOptions, wanted: Wanted) -> Self {
        Self {
            program,
            options,
            wanted,
            symbols: Vec::new(),
            scratch: Scratch::default(),
            touched: Vec::new(),
            causes: Vec::new(),
        }
    }

    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Appends the records of a batch to `out`, each row of features behind its cause.
    pub fn batch(&mut self, batch: &Batch, out: &mut Batch) {
        self.gather(batch);
        for at in &self.touched {
            if let Slot::Known(lane) = &mut self.symbols[*at] {
                lane.work.run(&mut self.scratch);
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
                lane.work.clear();
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
                true => {
                    let work = self.program.work(instrument, self.options.book);
                    Slot::Known(Lane { work, rows: 0, last: Ts::MIN })
                }
                false => Slot::Unwanted,
            };
        }
        let Slot::Known(lane) = &mut self.symbols[symbol] else { return None };
        let ts = record.head().ts_recv;
        let is_idle = ts.nanos().saturating_sub(lane.last.nanos()) > self.options.forget_after_ns;
        if is_idle && lane.last != Ts::MIN {
            lane.work.forget();
        }
        let row = lane.work.rows();
        let flags = match lane.work.record(record) {
            Fed::Nothing => return None,
            Fed::Row { flags } | Fed::Reset { flags } => flags,
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
                    lane.work.gap();
                }
            }
        }
    }
}

impl Lane {
    /// The row of an event, unless it is left out.
    fn row(&mut self, cause: &Cause, head: Head, options: &EngineOptions) -> Option<Feature> {
        let is_due = options.every == 1 || self.rows.is_multiple_of(options.every);
        self.rows += 1;
        let row = self.work.read(cause.row, is_due)?;
        if options.warm_only && !row.is_warm {
            return None;
        }
        Some(Feature {
            head,
            set: options.set.clone(),
            values: row.values,
            warm: row.warm,
            flags: Some(cause.flags),
        })
    }
}
