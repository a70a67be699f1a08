//! Features of all symbols of a stream: batches in, rows behind the records that caused them out.
//!
//! Invariant: what comes out depends on the records alone, not on how they are cut into batches.
//! Absent on purpose: clocks and threads.

mod lane;

use std::sync::Arc;

use qt_model::ids::InstrumentId;
use qt_model::instrument::{Instruments, Symbol};
use qt_model::record::{Bar, BarColumns, Batch, Depth, Feature, Head, QuoteColumns, Record};

use super::feed::BookFrom;
use super::graph::Scratch;
use super::latest::{Latest, NoFeatures};
use super::rows::{Grid, Marks, Row, Rows, Sheet};
use super::work::Program;
use lane::{Lane, Plain, each};

/// How an engine works.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// The name of the rows.
    pub set: Arc<str>,
    pub book: BookFrom,
    /// Leave the records out that caused the rows.
    pub only: bool,
    /// Leave rows out until every feature has had a value.
    pub warm_only: bool,
    /// Keep one row of so many of each symbol.
    pub every: u64,
    /// Symbols without an event for so long are forgotten.
    pub forget_after_ns: i64,
    /// Rows whose cause came to us so long after the venue's time are flagged as stale.
    pub stale_after_ns: Option<i64>,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            set: "features".into(),
            book: BookFrom::Quotes,
            only: false,
            warm_only: false,
            every: 1,
            forget_after_ns: 3_600 * 1_000_000_000,
            stale_after_ns: None,
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
    /// Symbols with events in the batch at hand.
    touched: Vec<usize>,
    /// The rows of the batch at hand.
    sheet: Sheet,
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

impl Engine {
    pub fn new(program: Program, options: EngineOptions, wanted: Wanted) -> Self {
        Self {
            program,
            options,
            wanted,
            symbols: Vec::new(),
            scratch: Scratch::default(),
            touched: Vec::new(),
            sheet: Sheet::default(),
        }
    }

    pub fn program(&self) -> &Program {
        &self.program
    }

    pub fn options(&self) -> &EngineOptions {
        &self.options
    }

    /// Computes the rows of a batch, which lie in memory of the engine until the next call. Once
    /// that has its size, nothing is allocated.
    pub fn annotate(&mut self, batch: &Batch) -> Rows<'_> {
        self.compute(batch, false);
        self.rows()
    }

    /// The same as columns.
    pub fn columns(&mut self, batch: &Batch) -> Grid<'_> {
        // Integer features come a row at a time.
        let turns = matches!(self.program, Program::Lob(_));
        self.compute(batch, !turns);
        if turns {
            self.sheet.turn();
        }
        Grid::new(&self.sheet)
    }

    /// Computes the rows of quotes and lays them down in columns that the caller keeps, one a feature,
    /// from a place on; NaN where there is no value. What lies there is written over, columns that are
    /// too short grow, and what lies behind the last row has no meaning. What else is known of the rows,
    /// and how many they are, lies in memory of the engine until the next call.
    pub fn quotes(
        &mut self,
        quotes: &QuoteColumns<'_>,
        instruments: &Instruments,
        out: &mut [Vec<f64>],
        from: usize,
    ) -> Marks<'_> {
        let of = (quotes.instrument(), quotes.len());
        self.lay(of, instruments, (out, from), |plain, scratch| plain.columns(quotes, scratch))
    }

    /// The same of bars.
    pub fn bars(
        &mut self,
        bars: &BarColumns<'_>,
        instruments: &Instruments,
        out: &mut [Vec<f64>],
        from: usize,
    ) -> Marks<'_> {
        let of = (bars.instrument(), bars.len());
        self.lay(of, instruments, (out, from), |plain, scratch| plain.bars(bars, scratch))
    }

    /// The rows of so many records of an instrument, which somebody feeds.
    fn lay(
        &mut self,
        (instrument, count): (InstrumentId, usize),
        instruments: &Instruments,
        (out, from): (&mut [Vec<f64>], usize),
        feed: impl FnOnce(Plain<'_>, &mut Scratch),
    ) -> Marks<'_> {
        let turns = matches!(self.program, Program::Lob(_));
        self.sheet.begin(self.program.width(), !turns);
        self.know(instrument, instruments);
        self.sheet.exchange(out);
        self.sheet.begin_at(from);
        let Self { symbols, options, sheet, scratch, .. } = self;
        match &mut symbols[instrument.index()] {
            Slot::Known(lane) => feed(Plain::new(lane, options, sheet), scratch),
            Slot::Unknown | Slot::Unwanted => (0..count).for_each(|_| sheet.end_record()),
        }
        if turns {
            self.sheet.turn();
        }
        self.sheet.exchange(out);
        Marks::new(&self.sheet)
    }

    fn compute(&mut self, batch: &Batch, by_column: bool) {
        self.sheet.begin(self.program.width(), by_column);
        let mut at = 0;
        while at < batch.len() {
            at += self.run(batch, at);
        }
        self.sheet.close();
        for at in self.touched.drain(..) {
            if let Slot::Known(lane) = &mut self.symbols[at] {
                lane.work.finish(&mut self.scratch, &mut self.sheet);
                lane.is_touched = false;
            }
        }
    }

    /// The rows of the batch that was annotated last.
    pub fn rows(&self) -> Rows<'_> {
        Rows::new(&self.sheet, self.options.warm_only)
    }

    /// What is known of a symbol by now.
    pub fn latest(&self, instrument: InstrumentId) -> Result<Latest<'_>, NoFeatures> {
        match self.symbols.get(instrument.index()) {
            Some(Slot::Known(lane)) => match lane.last_event {
                Some(ts) => Ok(Latest { program: &self.program, work: &lane.work, ts }),
                None => Err(NoFeatures::NoEvent),
            },
            Some(Slot::Unwanted) => Err(NoFeatures::Unwanted),
            Some(Slot::Unknown) | None => Err(NoFeatures::NoEvent),
        }
    }

    /// Appends the records of a batch to `out`, each row of features behind its cause.
    pub fn batch(&mut self, batch: &Batch, out: &mut Batch) {
        self.annotate(batch);
        let rows = self.rows();
        if out.instruments().len() < batch.instruments().len() {
            out.set_instruments(Arc::clone(batch.instruments()));
        }
        for at in 0..batch.len() {
            let record = batch.get(at);
            let head = *record.head();
            if !self.options.only {
                out.push(record);
            }
            if let Some(row) = rows.of(at) {
                out.push_row(row.record(head, &self.options.set), &[]);
            }
        }
    }

    /// Feeds records from a place on, as far as they are of one kind and one symbol: of most of
    /// those there are many. How many they were.
    fn run(&mut self, batch: &Batch, from: usize) -> usize {
        let first = batch.get(from);
        let Some(id) = first.head().instrument else {
            self.common(&first);
            self.sheet.end_record();
            return 1;
        };
        self.know(id, batch.instruments());
        let Self { symbols, options, touched, sheet, .. } = self;
        let Slot::Known(lane) = &mut symbols[id.index()] else {
            sheet.end_record();
            return 1;
        };
        let events = lane.events;
        let mut plain = Plain::new(lane, options, sheet);
        let count = match first {
            Record::Quote(_) => plain.quotes(batch, from, id),
            Record::Depth(_) => each(batch, from, id, |row: &Depth, depth| {
                plain.feed(&row.head, |work| work.depth(row, batch.levels(depth)));
            }),
            Record::Bar(_) => each(batch, from, id, |row: &Bar, _| {
                plain.feed(&row.head, |work| work.bar(row));
            }),
            _ => {
                plain.feed(first.head(), |work| work.record(&first));
                1
            }
        };
        plain.put();
        if lane.events > events && !std::mem::replace(&mut lane.is_touched, true) {
            touched.push(id.index());
        }
        count
    }

    /// Decides about a symbol when it is first met.
    fn know(&mut self, id: InstrumentId, instruments: &Instruments) {
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
                    Slot::Known(Lane::new(work))
                }
                false => Slot::Unwanted,
            };
        }
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

impl Row<'_> {
    /// The row as a record, with the head of its cause.
    pub fn record(&self, head: Head, set: &Arc<str>) -> Feature {
        let value = |value: &f64| Some(*value).filter(|value| !value.is_nan());
        Feature {
            head,
            set: Arc::clone(set),
            values: self.values.iter().map(value).collect(),
            warm: self.warm,
            flags: Some(self.flags),
        }
    }
}
