//! What a strategy sees of the market: the best prices, the last print, the latest features.
//!
//! One front serves any number of desks, since it holds nothing of ours. It is as old as the last
//! record that was received, never newer. It keeps books of its own, or is told what was best in one that
//! somebody else keeps. Absent on purpose: the venue's own time, and history.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "some kinds of record show what a market is; all others pass"
)]

use std::sync::Arc;

use qt_market::book::{PriceBook, Resting};
use qt_model::ids::InstrumentId;
use qt_model::instrument::Instruments;
use qt_model::record::{Depth, Feature, Level, Quote, Record};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty};
use qt_model::words::TradingStatus;

use crate::ledger::DoublePx;

/// Which records tell the best bid and ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TopFrom {
    #[default]
    Quotes,
    Depth,
}

/// What positions are valued at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MarkRule {
    /// The middle of the best bid and ask; the last price where there is no such thing.
    #[default]
    Mid,
    Last,
    /// The bid for a long position, the ask for a short one.
    ExitSide,
}

impl MarkRule {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mid => "mid",
            Self::Last => "last",
            Self::ExitSide => "exit_side",
        }
    }
}

/// The best prices of one instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Top {
    pub bid: Option<Resting>,
    pub ask: Option<Resting>,
}

impl Top {
    #[inline]
    pub fn of(book: &PriceBook) -> Self {
        Self { bid: book.best_bid(), ask: book.best_ask() }
    }

    /// Twice the middle, where both sides are there and not crossed.
    #[inline]
    pub fn mid(&self) -> Option<DoublePx> {
        let (bid, ask) = (self.bid?.px, self.ask?.px);
        (bid <= ask).then(|| DoublePx::mid(bid, ask))
    }
}

/// What is known of one instrument.
#[derive(Debug, Default)]
pub struct Seen {
    top: Top,
    last: Option<Px>,
    status: Option<TradingStatus>,
    updated: Option<Ts>,
    /// Absent where books are kept elsewhere.
    book: Option<Box<PriceBook>>,
    features: Vec<f64>,
    features_at: Option<Ts>,
}

impl Seen {
    pub fn top(&self) -> Top {
        self.top
    }

    /// The price of the last print, or the close of the last bar.
    pub fn last(&self) -> Option<Px> {
        self.last
    }

    pub fn status(&self) -> Option<TradingStatus> {
        self.status
    }

    /// When the best prices or the last print last came.
    pub fn updated(&self) -> Option<Ts> {
        self.updated
    }

    /// The levels that depth records tell. A strategy that looks at them has to say so, see
    /// [`Wants::and_levels`](super::Wants::and_levels): else a backtest need not keep them.
    pub fn book(&self) -> Option<&PriceBook> {
        self.book.as_deref()
    }

    /// The values of the last row, a NaN where there is none; empty before the first row.
    pub fn features(&self) -> &[f64] {
        &self.features
    }

    /// When the last row came.
    pub fn features_at(&self) -> Option<Ts> {
        self.features_at
    }

    /// What a position of that sign is valued at.
    #[inline]
    pub fn mark(&self, rule: MarkRule, position: i64) -> Option<DoublePx> {
        let last = || self.last.map(DoublePx::of);
        match rule {
            MarkRule::Mid => self.top.mid().or_else(last),
            MarkRule::Last => last(),
            MarkRule::ExitSide => {
                let side = if position < 0 { self.top.ask } else { self.top.bid };
                side.map(|resting| DoublePx::of(resting.px)).or_else(last)
            }
        }
    }
}

/// All instruments. See the module.
#[derive(Debug)]
pub struct Front {
    instruments: Arc<Instruments>,
    from: TopFrom,
    is_shown: bool,
    seen: Vec<Seen>,
    news: Option<InstrumentId>,
}

impl Front {
    pub fn new(instruments: Arc<Instruments>, from: TopFrom) -> Self {
        let mut seen = Vec::new();
        seen.resize_with(instruments.len(), Seen::default);
        let mut front = Self { instruments, from, is_shown: false, seen, news: None };
        front.keep_books(true);
        front
    }

    /// Whether it is to keep books of its own, before the first record. Without them records of depth
    /// pass it by, and [`Self::show`] tells what was best.
    pub fn keep_books(&mut self, keeps: bool) {
        self.is_shown = !keeps && self.from == TopFrom::Depth;
        for seen in &mut self.seen {
            seen.book = keeps.then(Box::default);
        }
    }

    /// Whether it has to be shown what is best in books that it does not keep.
    #[inline]
    pub fn is_shown(&self) -> bool {
        self.is_shown
    }

    pub fn instruments(&self) -> &Arc<Instruments> {
        &self.instruments
    }

    #[inline]
    pub fn seen(&self, instrument: InstrumentId) -> &Seen {
        &self.seen[instrument.index()]
    }

    /// Whether quotes tell the best bid and ask.
    pub fn is_quoted(&self) -> bool {
        self.from == TopFrom::Quotes
    }

    /// The instrument of which the last record changed the best prices or the last print.
    #[inline]
    pub fn news(&self) -> Option<InstrumentId> {
        self.news
    }

    /// Takes a record in.
    #[inline]
    pub fn market(&mut self, record: &Record<'_>) {
        let head = record.head();
        self.news = None;
        let Some(instrument) = head.instrument else {
            if let Record::Gap(_) = record {
                self.seen.iter_mut().for_each(Seen::gap);
            }
            return;
        };
        let is_quoted = self.from == TopFrom::Quotes;
        let seen = &mut self.seen[instrument.index()];
        let is_news = match record {
            Record::Quote(view) if is_quoted => seen.quote(view.row),
            Record::Depth(view) => {
                seen.depth(view.row, view.levels) && !is_quoted && seen.book_top()
            }
            Record::Trade(view) => seen.print(view.row.px),
            Record::Bar(view) => seen.print(view.row.close),
            Record::Gap(_) => {
                seen.gap();
                false
            }
            Record::Status(view) => {
                seen.status = Some(view.row.status);
                false
            }
            Record::Feature(view) => {
                seen.row(view.row);
                false
            }
            _ => false,
        };
        if is_news {
            seen.updated = Some(head.ts_recv);
            self.news = Some(instrument);
        }
    }

    /// Takes a record of depth whose book is kept elsewhere: what was best behind it, if that was
    /// another thing than before.
    #[inline]
    pub fn show(&mut self, now: Ts, best: Option<(InstrumentId, Top)>) {
        self.news = None;
        let Some((instrument, top)) = best else { return };
        let seen = &mut self.seen[instrument.index()];
        if seen.top != top {
            seen.top = top;
            seen.updated = Some(now);
            self.news = Some(instrument);
        }
    }

    /// Takes a row of features that was computed beside the stream.
    pub fn features(
        &mut self,
        instrument: InstrumentId,
        now: Ts,
        values: impl IntoIterator<Item = f64>,
    ) {
        let seen = &mut self.seen[instrument.index()];
        seen.features.clear();
        seen.features.extend(values);
        seen.features_at = Some(now);
    }
}

impl Seen {
    fn quote(&mut self, quote: &Quote) -> bool {
        let resting = |px: Option<Px>, qty: Option<Qty>| {
            px.map(|px| Resting { px, qty: qty.unwrap_or_default() })
        };
        self.top.bid = resting(quote.bid_px, quote.bid_qty);
        self.top.ask = resting(quote.ask_px, quote.ask_qty);
        true
    }

    /// Whether there is a book to look at.
    #[inline]
    fn depth(&mut self, depth: &Depth, levels: &[Level]) -> bool {
        let Some(book) = &mut self.book else { return false };
        book.apply(depth, levels);
        true
    }

    #[inline]
    fn book_top(&mut self) -> bool {
        let top = self.book.as_deref().map(Top::of).unwrap_or_default();
        let is_news = top != self.top;
        self.top = top;
        is_news
    }

    fn print(&mut self, px: Px) -> bool {
        self.last = Some(px);
        true
    }

    /// What was seen may be wrong: nothing is known until the market speaks again.
    fn gap(&mut self) {
        if let Some(book) = &mut self.book {
            book.gap();
        }
        self.top = Top::default();
    }

    fn row(&mut self, row: &Feature) {
        self.features.clear();
        self.features.extend(row.values.iter().map(|value| value.unwrap_or(f64::NAN)));
        self.features_at = Some(row.head.ts_recv);
    }
}
