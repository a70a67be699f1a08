//! A book by price: what rests at each price of one instrument, from its depth records.
//!
//! Invariants: no level holds zero; each price stands once on its side; both sides are in order,
//! best first for whoever reads them. Records apply in stream order (`docs/decisions/0007`): a
//! snapshot replaces the book, a delta amends it, a gap ends it. Beside it: a book by order, which
//! makes one of these, and several of them seen as one. Absent on purpose: times, and any repair of
//! a crossed book, which is shown as it is.

mod consolidated;
mod ladder;
#[cfg(test)]
mod model_tests;
mod numbers;
#[cfg(test)]
mod order_tests;
mod orders;

use qt_model::record::{Depth, Level};
use qt_model::units::{Px, Qty};
use qt_model::words::{DepthAction, Side};

pub use consolidated::{Consolidated, Together};
pub use orders::{Effect, Order, OrderBook, OrderChange, OrderChanges, Place};

use ladder::Ladder;

/// Whether there is a book to look at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// No snapshot yet: deltas amend nothing.
    #[default]
    NoBook,
    Live,
    /// A gap ended the book: deltas amend nothing until the next snapshot.
    Broken,
}

/// What a depth record did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The book is a new one.
    Replaced,
    Amended,
    /// There was no book to amend.
    Ignored,
}

/// What rests at one price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resting {
    pub px: Px,
    pub qty: Qty,
}

/// The book of one instrument. See the module.
#[derive(Clone, Debug)]
pub struct PriceBook {
    /// Bids and asks, each in its place by [`Side`]: to pick one is no question to guess about.
    sides: [Ladder; 2],
    state: State,
    last_id: Option<u64>,
    absent_deletes: u64,
}

impl Default for PriceBook {
    fn default() -> Self {
        let sides = [Ladder::of_bids(), Ladder::of_asks()];
        Self { sides, state: State::default(), last_id: None, absent_deletes: 0 }
    }
}

impl PriceBook {
    #[inline]
    fn side(&self, side: Side) -> &Ladder {
        &self.sides[side as usize]
    }

    pub fn state(&self) -> State {
        self.state
    }

    /// The venue's last update number inside the book, where it gives one.
    pub fn last_id(&self) -> Option<u64> {
        self.last_id
    }

    /// How many deletes named a price that was not there. Venues send many: a book of limited depth
    /// never saw those levels.
    pub fn absent_deletes(&self) -> u64 {
        self.absent_deletes
    }

    /// Applies one depth record with its levels.
    #[inline]
    pub fn apply(&mut self, depth: &Depth, levels: &[Level]) -> Applied {
        match depth.action {
            DepthAction::Snapshot => {
                self.replace(levels);
                self.last_id = depth.last_id;
                Applied::Replaced
            }
            DepthAction::Delta if self.state == State::Live => {
                for level in levels {
                    self.set(*level);
                }
                self.last_id = depth.last_id.or(self.last_id);
                Applied::Amended
            }
            DepthAction::Delta => Applied::Ignored,
        }
    }

    /// Records are missing: what was a book is one no longer.
    pub fn gap(&mut self) {
        if self.state == State::Live {
            self.state = State::Broken;
        }
        self.sides.iter_mut().for_each(Ladder::clear);
        self.last_id = None;
    }

    /// Takes the levels as the whole book. Of two levels at one price the later counts.
    pub fn replace(&mut self, levels: &[Level]) {
        for (ladder, side) in self.sides.iter_mut().zip([Side::Buy, Side::Sell]) {
            ladder.fill(levels.iter().filter(|level| level.side == side));
        }
        self.state = State::Live;
    }

    /// Sets what rests at one price; a size of zero removes it.
    #[inline]
    pub fn set(&mut self, level: Level) {
        let was_there = self.sides[level.side as usize].set(level.px, level.qty);
        self.absent_deletes += u64::from(level.qty.is_zero() && !was_there);
    }

    #[inline]
    pub fn best_bid(&self) -> Option<Resting> {
        self.side(Side::Buy).best()
    }

    #[inline]
    pub fn best_ask(&self) -> Option<Resting> {
        self.side(Side::Sell).best()
    }

    /// From the highest price down.
    pub fn bids(&self) -> impl ExactSizeIterator<Item = Resting> {
        self.side(Side::Buy).iter()
    }

    /// From the lowest price up.
    pub fn asks(&self) -> impl ExactSizeIterator<Item = Resting> {
        self.side(Side::Sell).iter()
    }

    /// What rests at that price.
    pub fn at(&self, side: Side, px: Px) -> Option<Qty> {
        self.side(side).at(px)
    }

    /// The worst price of a side: beyond it the book says nothing.
    pub fn deepest(&self, side: Side) -> Option<Px> {
        self.side(side).worst().map(|resting| resting.px)
    }

    /// The best levels of both sides as a record holds them, bids first; all with `usize::MAX`.
    pub fn levels(&self, depth_levels: usize) -> impl Iterator<Item = Level> {
        let level = |side| move |Resting { px, qty }| Level { px, qty, side };
        let bids = self.bids().take(depth_levels).map(level(Side::Buy));
        bids.chain(self.asks().take(depth_levels).map(level(Side::Sell)))
    }

    /// Forgets what lies beyond that many levels of each side, for venues that send no deletes
    /// there.
    pub fn keep_best(&mut self, depth_levels: usize) {
        self.sides.iter_mut().for_each(|ladder| ladder.keep_best(depth_levels));
    }

    /// Whether a bid is above the best ask.
    #[inline]
    pub fn is_crossed(&self) -> bool {
        self.touch().is_some_and(|(bid, ask)| bid > ask)
    }

    /// Whether the best bid equals the best ask.
    #[inline]
    pub fn is_locked(&self) -> bool {
        self.touch().is_some_and(|(bid, ask)| bid == ask)
    }

    fn touch(&self) -> Option<(Px, Px)> {
        Some((self.best_bid()?.px, self.best_ask()?.px))
    }
}

#[cfg(test)]
mod tests {
    use qt_model::record::Head;
    use qt_model::time::Ts;

    use super::*;

    fn level(side: Side, px: i64, qty: i64) -> Level {
        Level { px: Px::new(px), qty: Qty::new(qty).unwrap(), side }
    }

    fn depth(action: DepthAction, last_id: u64) -> Depth {
        let head = Head::new(Ts::default(), Ts::default(), 0, None);
        Depth { head, action, first_id: None, last_id: Some(last_id), prev_id: None }
    }

    fn best(book: &PriceBook) -> (Option<i64>, Option<i64>) {
        let mantissa = |resting: Option<Resting>| resting.map(|resting| resting.px.mantissa());
        (mantissa(book.best_bid()), mantissa(book.best_ask()))
    }

    #[test]
    fn a_snapshot_begins_a_book_and_deltas_amend_it() {
        let mut book = PriceBook::default();
        let delta = depth(DepthAction::Delta, 8);
        assert_eq!(book.apply(&delta, &[level(Side::Buy, 9, 1)]), Applied::Ignored);
        assert_eq!((book.state(), best(&book)), (State::NoBook, (None, None)));
        let levels = [level(Side::Buy, 9, 1), level(Side::Buy, 10, 2), level(Side::Sell, 12, 3)];
        assert_eq!(book.apply(&depth(DepthAction::Snapshot, 7), &levels), Applied::Replaced);
        assert_eq!((book.last_id(), best(&book)), (Some(7), (Some(10), Some(12))));
        let change = [level(Side::Buy, 10, 0), level(Side::Sell, 11, 5)];
        assert_eq!(book.apply(&delta, &change), Applied::Amended);
        assert_eq!((book.last_id(), best(&book)), (Some(8), (Some(9), Some(11))));
        assert_eq!(book.at(Side::Sell, Px::new(12)), Qty::new(3).ok());
    }

    #[test]
    fn a_gap_ends_the_book_until_the_next_snapshot() {
        let mut book = PriceBook::default();
        book.gap();
        assert_eq!(book.state(), State::NoBook);
        book.apply(&depth(DepthAction::Snapshot, 1), &[level(Side::Buy, 9, 1)]);
        book.gap();
        let delta = depth(DepthAction::Delta, 3);
        assert_eq!(book.apply(&delta, &[level(Side::Buy, 9, 1)]), Applied::Ignored);
        assert_eq!((book.state(), best(&book)), (State::Broken, (None, None)));
        book.apply(&depth(DepthAction::Snapshot, 4), &[]);
        assert_eq!((book.state(), best(&book)), (State::Live, (None, None)));
    }

    #[test]
    fn a_crossed_or_locked_book_is_shown_as_it_is() {
        let mut book = PriceBook::default();
        book.replace(&[level(Side::Buy, 10, 1), level(Side::Sell, 10, 1)]);
        assert!(book.is_locked() && !book.is_crossed());
        book.set(level(Side::Buy, 11, 1));
        assert!(book.is_crossed() && !book.is_locked());
    }

    #[test]
    fn deleting_what_is_not_there_is_counted_and_no_more() {
        let mut book = PriceBook::default();
        book.replace(&[level(Side::Buy, 10, 1), level(Side::Buy, 10, 4), level(Side::Buy, 3, 0)]);
        book.set(level(Side::Buy, 4, 0));
        assert_eq!(book.absent_deletes(), 1);
        assert_eq!(book.levels(usize::MAX).collect::<Vec<_>>(), [level(Side::Buy, 10, 4)]);
    }

    #[test]
    fn the_best_levels_are_kept() {
        let mut book = PriceBook::default();
        book.replace(&[1, 2, 3].map(|px| level(Side::Buy, px, 1)));
        book.keep_best(2);
        assert_eq!((book.deepest(Side::Buy), book.deepest(Side::Sell)), (Some(Px::new(2)), None));
        assert_eq!(book.bids().map(|r| r.px.mantissa()).collect::<Vec<_>>(), [3, 2]);
    }
}
