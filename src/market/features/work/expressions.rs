//! Expressions: events gather in columns, and a batch of them runs through the plan at once.

use std::sync::Arc;

use qt_model::instrument::Instrument;
use qt_model::record::Record;

use super::super::base::Clock;
use super::super::feed::{BookFrom, Clocks, Columns, Fed, Feed};
use super::super::graph::{Plan, Scratch, State};
use super::{Row, Work};

#[derive(Debug)]
pub(super) struct Expressions {
    instrument: Instrument,
    from: BookFrom,
    clocks: Clocks,
    feed: Feed,
    state: State,
    columns: Columns,
    /// A column of results a feature.
    out: Vec<Vec<f64>>,
    /// Rows of this batch before which the state begins anew.
    resets: Vec<usize>,
    /// Which features have had a value.
    warm: Vec<bool>,
    /// Whether all have.
    is_warm: bool,
}

impl Expressions {
    pub(super) fn new(plan: &Arc<Plan>, instrument: &Instrument, from: BookFrom) -> Self {
        let clocks = Clocks {
            book: plan.uses_clock(Clock::Book),
            trade: plan.uses_clock(Clock::Trade),
            bar: plan.uses_clock(Clock::Bar),
        };
        Self {
            instrument: instrument.clone(),
            from,
            clocks,
            feed: Feed::new(instrument, from),
            state: State::new(plan),
            columns: Feed::columns(plan),
            out: vec![Vec::new(); plan.len()],
            resets: Vec::new(),
            warm: vec![false; plan.len()],
            is_warm: false,
        }
    }
}

impl Work for Expressions {
    fn record(&mut self, record: &Record<'_>) -> Fed {
        let row = self.columns.rows();
        let fed = self.feed.record(record, self.clocks, &mut self.columns);
        if let Fed::Reset { .. } = fed {
            self.resets.push(row);
        }
        fed
    }

    fn gap(&mut self) {
        self.feed.gap();
    }

    fn forget(&mut self) {
        self.feed = Feed::new(&self.instrument, self.from);
        self.resets.push(self.columns.rows());
    }

    /// Runs the events through the plan, from one reset to the next.
    fn run(&mut self, scratch: &mut Scratch) {
        let Self { state, columns, out, resets, .. } = self;
        let rows = columns.rows();
        let mut start = 0;
        for reset in resets.iter().copied().chain([rows]) {
            if reset > start {
                let base = |base| part(columns.get(base), start, reset);
                state.run(base, reset - start, scratch, out);
            }
            if reset < rows {
                state.reset();
            }
            start = reset;
        }
    }

    fn rows(&self) -> usize {
        self.columns.rows()
    }

    fn read(&mut self, row: usize, is_wanted: bool) -> Option<Row> {
        if self.resets.contains(&row) {
            self.warm.fill(false);
            self.is_warm = false;
        }
        if !self.is_warm {
            for (warm, column) in self.warm.iter_mut().zip(&self.out) {
                *warm |= !column[row].is_nan();
            }
            self.is_warm = self.warm.iter().all(|warm| *warm);
        }
        if !is_wanted {
            return None;
        }
        let value = |column: &Vec<f64>| Some(column[row]).filter(|value| !value.is_nan());
        let mask = || {
            let bits = self.warm.iter().enumerate();
            bits.fold(0, |mask, (bit, warm)| mask | u64::from(*warm) << bit)
        };
        Some(Row {
            values: self.out.iter().map(value).collect(),
            warm: (self.warm.len() <= 64).then(mask),
            is_warm: self.is_warm,
        })
    }

    fn clear(&mut self) {
        self.columns.clear();
        self.out.iter_mut().for_each(Vec::clear);
        self.resets.clear();
    }
}

/// The events of a column from one row to another; a column that nobody asked for is empty.
fn part(column: &[f64], from: usize, to: usize) -> &[f64] {
    if column.is_empty() { column } else { &column[from..to] }
}
