//! The book of one symbol, from whichever records tell it, and when it has an event.

use qt_model::record::{Depth, Level, Mbo};
use qt_model::words::{DepthAction, MboAction};

use super::feed::BookFrom;
use crate::book::{Applied, Effect, OrderBook, PriceBook};

/// What a record was to the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// No event.
    Nothing,
    Event,
    /// An event that has nothing to do with what was before it: the book began anew after a gap.
    Anew,
}

#[derive(Debug)]
pub(crate) struct Books {
    from: BookFrom,
    prices: PriceBook,
    orders: OrderBook,
    had_gap: bool,
    /// Whether orders changed since the last event: an event has several records.
    has_changed: bool,
}

impl Books {
    pub(crate) fn new(from: BookFrom) -> Self {
        let (prices, orders) = (PriceBook::default(), OrderBook::default());
        Self { from, prices, orders, had_gap: false, has_changed: false }
    }

    /// The book by price.
    pub(crate) fn prices(&self) -> &PriceBook {
        match self.from {
            BookFrom::Quotes | BookFrom::Depth => &self.prices,
            BookFrom::Orders => self.orders.prices(),
        }
    }

    /// The book by order, where there is one.
    pub(crate) fn orders(&self) -> Option<&OrderBook> {
        (self.from == BookFrom::Orders).then_some(&self.orders)
    }

    pub(crate) fn depth(&mut self, row: &Depth, levels: &[Level]) -> Turn {
        if self.from != BookFrom::Depth || self.prices.apply(row, levels) == Applied::Ignored {
            return Turn::Nothing;
        }
        // A book that begins anew after a gap has nothing to do with what was before it.
        if row.action == DepthAction::Snapshot && std::mem::take(&mut self.had_gap) {
            return Turn::Anew;
        }
        Turn::Event
    }

    pub(crate) fn order(&mut self, row: &Mbo) -> Turn {
        if self.from != BookFrom::Orders {
            return Turn::Nothing;
        }
        match self.orders.apply(row) {
            Effect::Ignored => return Turn::Nothing,
            Effect::Changed => self.has_changed = true,
            Effect::Unchanged | Effect::Unknown | Effect::Incomplete | Effect::TooLarge => {}
        }
        if row.more || !std::mem::take(&mut self.has_changed) {
            return Turn::Nothing;
        }
        let begins = row.snapshot || row.action == MboAction::Clear;
        if begins && std::mem::take(&mut self.had_gap) { Turn::Anew } else { Turn::Event }
    }

    pub(crate) fn gap(&mut self) {
        self.had_gap = true;
        self.has_changed = false;
        self.prices.gap();
        self.orders.gap();
    }
}
