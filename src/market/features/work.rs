//! The work of one symbol: records in, rows of values out. There are two kinds: expressions over
//! blocks of events, and the integer features of the book, event by event.

mod book;
mod expressions;

use std::ops::Range;
use std::sync::Arc;

use qt_model::instrument::Instrument;
use qt_model::record::{Bar, BarColumns, Depth, Level, Quote, QuoteColumns, Record};

use super::feed::{BookFrom, Fed};
use super::graph::{Plan, Scratch};
use super::lob::{LOB27, LobSet};
use super::rows::Sheet;

use book::BookWork;
use expressions::Expressions;

/// What an engine computes.
#[derive(Clone, Debug)]
pub enum Program {
    Expressions(Arc<Plan>),
    /// Integer features of the book.
    Lob(LobSet),
}

/// A feature was asked for that a program does not compute.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no feature `{name}` among {known}")]
pub struct UnknownFeature {
    pub name: String,
    /// All that there are, as a list to read.
    pub known: String,
}

impl Program {
    pub fn new(plan: Plan) -> Self {
        Self::Expressions(Arc::new(plan))
    }

    /// `lob16`, `lob22` or `lob27`.
    pub fn lob(name: &str) -> Option<Self> {
        Self::lob_at(name, LobSet::CADENCE_MS)
    }

    /// The same for events so many milliseconds apart, from 1 to 5000: windows that are named by
    /// seconds count the events of those.
    pub fn lob_at(name: &str, cadence_ms: u32) -> Option<Self> {
        let count = name.strip_prefix("lob")?.parse().ok()?;
        let is_set = [16, 22, 27].contains(&count);
        LobSet::new(count, cadence_ms).filter(|_| is_set).map(Self::Lob)
    }

    /// How many features there are: the width of a row.
    pub fn width(&self) -> usize {
        match self {
            Self::Expressions(plan) => plan.len(),
            Self::Lob(set) => set.len(),
        }
    }

    pub fn name(&self, feature: usize) -> &str {
        match self {
            Self::Expressions(plan) => &plan.names()[feature],
            Self::Lob(set) => LOB27[..set.len()][feature].0,
        }
    }

    pub fn names(&self) -> Vec<String> {
        (0..self.width()).map(|feature| self.name(feature).to_owned()).collect()
    }

    /// The place of a feature in a row.
    pub fn place(&self, name: &str) -> Result<usize, UnknownFeature> {
        (0..self.width())
            .find(|feature| self.name(*feature) == name)
            .ok_or_else(|| UnknownFeature { name: name.to_owned(), known: self.names().join(", ") })
    }

    /// The event of a symbol from which on a feature may be used, at the earliest. The toxicity of
    /// the integer features counts trades instead.
    pub fn warm_at(&self, feature: usize) -> u64 {
        match self {
            Self::Expressions(plan) => plan.warm_at(feature),
            Self::Lob(set) => set.warm_at(feature),
        }
    }

    /// How many steps an event takes.
    pub fn steps(&self) -> usize {
        match self {
            Self::Expressions(plan) => plan.steps(),
            Self::Lob(set) => set.len(),
        }
    }

    /// Begins the work for a symbol.
    pub(super) fn work(&self, instrument: &Instrument, from: BookFrom) -> Work {
        match self {
            Self::Expressions(plan) => {
                Work::Expressions(Box::new(Expressions::new(plan, instrument, from)))
            }
            Self::Lob(set) => Work::Book(Box::new(BookWork::new(*set, instrument, from))),
        }
    }
}

/// The state of one symbol.
#[derive(Debug)]
pub(super) enum Work {
    Expressions(Box<Expressions>),
    Book(Box<BookWork>),
}

impl Work {
    /// Takes a record; says whether it is an event. Each event is `put` before the next record.
    pub(super) fn record(&mut self, record: &Record<'_>) -> Fed {
        match (self, record) {
            (work, Record::Quote(view)) => work.quote(view.row),
            (work, Record::Depth(view)) => work.depth(view.row, view.levels),
            (work, Record::Bar(view)) => work.bar(view.row),
            (Self::Expressions(work), record) => work.record(record),
            (Self::Book(work), record) => work.record(record),
        }
    }

    #[inline]
    pub(super) fn quote(&mut self, row: &Quote) -> Fed {
        match self {
            Self::Expressions(work) => work.quote(row),
            Self::Book(work) => work.quote(row),
        }
    }

    /// Takes quotes from the first on, as long as each is the next row and carries no flag. How many
    /// they were: those of which all have to be looked at one by one are none.
    #[inline]
    pub(super) fn plain(&mut self, rows: &[Quote], idle_max: i64) -> usize {
        match self {
            Self::Expressions(work) => work.plain(rows, idle_max),
            Self::Book(_) => 0,
        }
    }

    /// How many of the first of some quotes are plain, and may be taken as columns.
    pub(super) fn plain_first(&self, quotes: &QuoteColumns<'_>, idle_max: i64) -> usize {
        match self {
            Self::Expressions(work) => work.plain_first(quotes, idle_max),
            Self::Book(_) => 0,
        }
    }

    /// Takes such quotes and computes their rows, which begin there. What came before is finished.
    pub(super) fn quotes(
        &mut self,
        quotes: &QuoteColumns<'_>,
        first: usize,
        scratch: &mut Scratch,
        sheet: &mut Sheet,
    ) {
        match self {
            Self::Expressions(work) => work.quotes(quotes, first, scratch, sheet),
            Self::Book(_) => unreachable!("integer features take quotes one by one"),
        }
    }

    /// The same of bars.
    pub(super) fn plain_bars(&mut self, bars: &BarColumns<'_>, idle_max: i64) -> usize {
        match self {
            Self::Expressions(work) => work.plain_bars(bars, idle_max),
            Self::Book(_) => 0,
        }
    }

    #[inline]
    pub(super) fn depth(&mut self, row: &Depth, levels: &[Level]) -> Fed {
        match self {
            Self::Expressions(work) => work.depth(row, levels),
            Self::Book(work) => work.depth(row, levels),
        }
    }

    #[inline]
    pub(super) fn bar(&mut self, row: &Bar) -> Fed {
        match self {
            Self::Expressions(work) => work.bar(row),
            // A book has none.
            Self::Book(_) => Fed::Nothing,
        }
    }

    /// Where the row of the last event lies; nowhere if it is not wanted.
    #[inline]
    pub(super) fn put(&mut self, row: Option<usize>, sheet: &mut Sheet) {
        match self {
            Self::Expressions(work) => work.put(row),
            Self::Book(work) => work.put(row, sheet),
        }
    }

    /// Whether rows may be put some at a time: expressions are computed at the end of a batch, and
    /// integer features when their event comes.
    #[inline]
    pub(super) fn can_wait(&self) -> bool {
        matches!(self, Self::Expressions(_))
    }

    /// Where the rows of the last events lie, which could wait.
    pub(super) fn put_plain(&mut self, rows: Range<usize>) {
        match self {
            Self::Expressions(work) => work.put_plain(rows),
            Self::Book(_) => unreachable!("integer features do not wait"),
        }
    }

    /// The last value of a feature, of those there are in a row.
    pub(super) fn value(&self, feature: usize) -> Option<f64> {
        match self {
            Self::Expressions(work) => work.value(feature),
            Self::Book(work) => work.value(feature),
        }
    }

    /// Data is missing from here on.
    pub(super) fn gap(&mut self) {
        match self {
            Self::Expressions(work) => work.gap(),
            Self::Book(work) => work.gap(),
        }
    }

    /// As if the symbol had never been seen, from its next event on.
    pub(super) fn forget(&mut self) {
        match self {
            Self::Expressions(work) => work.forget(),
            Self::Book(work) => work.forget(),
        }
    }

    /// Ends a batch: after this its rows are full.
    pub(super) fn finish(&mut self, scratch: &mut Scratch, sheet: &mut Sheet) {
        match self {
            Self::Expressions(work) => work.finish(scratch, sheet),
            // Its rows were full at once.
            Self::Book(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_costs_little_before_its_first_event() {
        let sizes = [size_of::<Expressions>(), size_of::<BookWork>()];
        assert!(sizes.iter().all(|size| *size <= 2_048), "{sizes:?}");
    }
}
