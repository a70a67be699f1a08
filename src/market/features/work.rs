//! The work of one symbol: records in, rows of values out. There are two kinds: expressions over
//! blocks of events, and the integer features of the book, event by event.

mod book;
mod expressions;

use std::fmt::Debug;
use std::sync::Arc;

use qt_model::instrument::Instrument;
use qt_model::record::Record;

use super::feed::{BookFrom, Fed};
use super::graph::{Plan, Scratch};
use super::lob::LOB27;

use book::BookWork;
use expressions::Expressions;

/// What an engine computes.
#[derive(Clone, Debug)]
pub enum Program {
    Expressions(Arc<Plan>),
    /// The first so many integer features of the book.
    Lob(usize),
}

impl Program {
    pub fn new(plan: Plan) -> Self {
        Self::Expressions(Arc::new(plan))
    }

    /// `lob16`, `lob22` or `lob27`.
    pub fn lob(name: &str) -> Option<Self> {
        let count = name.strip_prefix("lob")?.parse().ok()?;
        [16, 22, 27].contains(&count).then_some(Self::Lob(count))
    }

    pub fn names(&self) -> Vec<String> {
        match self {
            Self::Expressions(plan) => plan.names().to_vec(),
            Self::Lob(count) => {
                LOB27[..*count].iter().map(|(name, _)| (*name).to_owned()).collect()
            }
        }
    }

    /// How many steps an event takes.
    pub fn steps(&self) -> usize {
        match self {
            Self::Expressions(plan) => plan.steps(),
            Self::Lob(count) => *count,
        }
    }

    /// Begins the work for a symbol.
    pub(super) fn work(&self, instrument: &Instrument, from: BookFrom) -> Box<dyn Work> {
        match self {
            Self::Expressions(plan) => Box::new(Expressions::new(plan, instrument, from)),
            Self::Lob(count) => Box::new(BookWork::new(*count, instrument, from)),
        }
    }
}

/// The state of one symbol, and the rows of the batch at hand.
pub(super) trait Work: Debug + Send {
    /// Takes a record; says whether it makes the next row.
    fn record(&mut self, record: &Record<'_>) -> Fed;

    /// Data is missing from here on.
    fn gap(&mut self);

    /// As if the symbol had never been seen, from its next row on.
    fn forget(&mut self);

    /// Ends the gathering of a batch: after this, rows can be read.
    fn run(&mut self, scratch: &mut Scratch);

    /// Rows so far in this batch.
    fn rows(&self) -> usize;

    /// A row of this batch, if it is wanted. Rows are read once, in order, wanted or not.
    fn read(&mut self, row: usize, is_wanted: bool) -> Option<Row>;

    /// Forgets the rows, for the next batch.
    fn clear(&mut self);
}

/// The values of one event.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) values: Vec<Option<f64>>,
    pub(super) warm: Option<u64>,
    pub(super) is_warm: bool,
}
