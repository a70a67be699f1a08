//! Expressions: events gather in columns, and a batch of them runs through the plan at once.

use std::ops::Range;
use std::sync::Arc;

use qt_model::instrument::Instrument;
use qt_model::record::{Bar, BarColumns, Depth, Level, Quote, QuoteColumns, Record};

use super::super::base::Clock;
use super::super::feed::{BookFrom, Clocks, Columns, Fed, Feed};
use super::super::graph::{Plan, Scratch, State};
use super::super::places::Places;
use super::super::rows::Sheet;

#[derive(Debug)]
pub(crate) struct Expressions {
    instrument: Instrument,
    from: BookFrom,
    clocks: Clocks,
    feed: Feed,
    state: State,
    columns: Columns,
    /// Where the rows of the events of this batch lie.
    places: Places,
    /// Events of this batch before which the state begins anew.
    resets: Vec<usize>,
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
            places: Places::default(),
            resets: Vec::new(),
        }
    }

    pub(super) fn record(&mut self, record: &Record<'_>) -> Fed {
        self.event(|feed, clocks, columns| feed.record(record, clocks, columns))
    }

    #[inline]
    pub(super) fn quote(&mut self, row: &Quote) -> Fed {
        self.event(|feed, clocks, columns| feed.quote(row, clocks, columns))
    }

    /// Takes quotes that are plain; how many.
    #[inline]
    pub(super) fn plain(&mut self, rows: &[Quote], idle_max: i64) -> usize {
        self.feed.plain(rows, idle_max, self.clocks, &mut self.columns)
    }

    /// How many of the first of some quotes are plain.
    pub(super) fn plain_first(&self, quotes: &QuoteColumns<'_>, idle_max: i64) -> usize {
        self.feed.plain_first(quotes, idle_max, self.clocks, &self.columns)
    }

    /// Takes plain quotes and computes their rows, which begin there. What came before is finished.
    pub(super) fn quotes(
        &mut self,
        quotes: &QuoteColumns<'_>,
        first: usize,
        scratch: &mut Scratch,
        sheet: &mut Sheet,
    ) {
        assert_eq!(self.columns.rows(), 0, "events that came before have their rows");
        let quotes = self.feed.quotes(quotes, &self.columns);
        self.state.quotes(&quotes, first, scratch, sheet);
    }

    /// The same of bars.
    pub(super) fn plain_bars(&mut self, bars: &BarColumns<'_>, idle_max: i64) -> usize {
        self.feed.plain_bars(bars, idle_max, self.clocks, &mut self.columns)
    }

    #[inline]
    pub(super) fn depth(&mut self, row: &Depth, levels: &[Level]) -> Fed {
        self.event(|feed, clocks, columns| feed.depth(row, levels, clocks, columns))
    }

    #[inline]
    pub(super) fn bar(&mut self, row: &Bar) -> Fed {
        self.event(|feed, clocks, columns| feed.bar(row, clocks, columns))
    }

    #[inline]
    fn event(&mut self, take: impl FnOnce(&mut Feed, Clocks, &mut Columns) -> Fed) -> Fed {
        let event = self.columns.rows();
        let fed = take(&mut self.feed, self.clocks, &mut self.columns);
        if let Fed::Reset { .. } = fed {
            self.resets.push(event);
        }
        fed
    }

    #[inline]
    pub(super) fn put(&mut self, row: Option<usize>) {
        self.places.put(row);
    }

    pub(super) fn put_plain(&mut self, rows: Range<usize>) {
        self.places.put_all(rows);
    }

    pub(super) fn value(&self, feature: usize) -> Option<f64> {
        self.state.held().get(feature).copied()
    }

    pub(super) fn gap(&mut self) {
        self.feed.gap();
    }

    pub(super) fn forget(&mut self) {
        self.feed.flush(&mut self.columns);
        self.feed = Feed::new(&self.instrument, self.from);
        self.resets.push(self.columns.rows());
    }

    /// Runs the events through the plan, from one reset to the next.
    pub(super) fn finish(&mut self, scratch: &mut Scratch, sheet: &mut Sheet) {
        let Self { feed, state, columns, places, resets, .. } = self;
        if columns.rows() == 0 && resets.is_empty() {
            return;
        }
        feed.close(columns);
        assert_eq!(places.len(), columns.rows(), "each event has its place");
        let mut start = 0;
        for reset in resets.drain(..) {
            state.run(columns, start..reset, places, scratch, sheet);
            state.reset();
            start = reset;
        }
        state.run(columns, start..columns.rows(), places, scratch, sheet);
        columns.clear();
        places.clear();
    }
}
