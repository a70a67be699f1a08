//! A book that keeps its numbers as they were sent, for the checksums that venues take over text.
//!
//! Invariants: the same levels as the records say; each side in order, the best at its end. What is
//! kept of a level is its part of the checksum, made once when the level is set.

use qt_model::record::Level;
use qt_model::units::{Px, Qty};
use qt_model::words::Side;

use crate::levels::TextLevel;

/// One side: a key that ascends towards the best price, and the text of the level.
type Ladder = Vec<(i64, String)>;

#[derive(Debug)]
pub(crate) struct TextBook {
    bids: Ladder,
    asks: Ladder,
    /// Writes the part of a checksum that is of one level.
    part: fn(px: &str, qty: &str, out: &mut String),
}

impl TextBook {
    pub(crate) fn new(part: fn(px: &str, qty: &str, out: &mut String)) -> Self {
        Self { bids: Vec::new(), asks: Vec::new(), part }
    }

    pub(crate) fn clear(&mut self) {
        self.bids.clear();
        self.asks.clear();
    }

    /// Applies levels; the two lists are of equal length and order.
    pub(crate) fn apply(&mut self, levels: &[Level], text: &[TextLevel<'_>]) {
        for (level, text) in levels.iter().zip(text) {
            let (ladder, key) = match level.side {
                Side::Buy => (&mut self.bids, level.px.mantissa()),
                // The complement turns the order around.
                Side::Sell => (&mut self.asks, !level.px.mantissa()),
            };
            match ladder.binary_search_by_key(&key, |(key, _)| *key) {
                Ok(at) if level.qty.is_zero() => drop(ladder.remove(at)),
                Ok(at) => {
                    ladder[at].1.clear();
                    (self.part)(text.px, text.qty, &mut ladder[at].1);
                }
                Err(_) if level.qty.is_zero() => {}
                Err(at) => {
                    let mut part = String::with_capacity(text.px.len() + text.qty.len() + 1);
                    (self.part)(text.px, text.qty, &mut part);
                    ladder.insert(at, (key, part));
                }
            }
        }
    }

    /// From the highest price down.
    pub(crate) fn bids(&self) -> impl Iterator<Item = &str> {
        self.bids.iter().rev().map(|(_, part)| part.as_str())
    }

    /// From the lowest price up.
    pub(crate) fn asks(&self) -> impl Iterator<Item = &str> {
        self.asks.iter().rev().map(|(_, part)| part.as_str())
    }

    /// Takes off what lies beyond that many levels of a side, and adds it to `out` as deletes.
    pub(crate) fn keep_best(&mut self, depth_levels: usize, out: &mut Vec<Level>) {
        let delete = |px: i64, side| Level { px: Px::new(px), qty: Qty::ZERO, side };
        let beyond = self.bids.len().saturating_sub(depth_levels);
        out.extend(self.bids.drain(..beyond).map(|(key, _)| delete(key, Side::Buy)));
        let beyond = self.asks.len().saturating_sub(depth_levels);
        out.extend(self.asks.drain(..beyond).map(|(key, _)| delete(!key, Side::Sell)));
    }
}
