//! A book that keeps its numbers as they were sent, for the checksums that venues take over text.
//!
//! Invariants: the same levels as the records say; each side in order, the best at its end. What is
//! kept of a level is its part of the checksum, made once when the level is set. Parts of levels that
//! are gone are the room of those to come: a book of steady size allocates nothing.

use qt_model::record::Level;
use qt_model::units::{Px, Qty};
use qt_model::words::Side;

use crate::levels::TextLevel;

/// One side: a key that ascends towards the best price, and the part of the level.
type Ladder = Vec<(i64, String)>;

#[derive(Debug)]
pub(crate) struct TextBook {
    bids: Ladder,
    asks: Ladder,
    spare: Vec<String>,
    /// Writes the part of a checksum that is of one level.
    part: fn(px: &str, qty: &str, out: &mut String),
}

impl TextBook {
    pub(crate) fn new(part: fn(px: &str, qty: &str, out: &mut String)) -> Self {
        Self { bids: Vec::new(), asks: Vec::new(), spare: Vec::new(), part }
    }

    pub(crate) fn clear(&mut self) {
        let all = self.bids.drain(..).chain(self.asks.drain(..));
        self.spare.extend(all.map(|(_, part)| part));
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
                Ok(at) if level.qty.is_zero() => self.spare.push(ladder.remove(at).1),
                Ok(at) => {
                    ladder[at].1.clear();
                    (self.part)(text.px, text.qty, &mut ladder[at].1);
                }
                Err(_) if level.qty.is_zero() => {}
                Err(at) => {
                    let mut part = self.spare.pop().unwrap_or_default();
                    part.clear();
                    (self.part)(text.px, text.qty, &mut part);
                    ladder.insert(at, (key, part));
                }
            }
        }
    }

    /// Makes the book anew. Snapshots begin at the best price, where each insertion would move all
    /// that came before it, so levels are appended and sorted once.
    pub(crate) fn replace(&mut self, levels: &[Level], text: &[TextLevel<'_>]) {
        self.clear();
        for (level, text) in levels.iter().zip(text) {
            let (ladder, key) = match level.side {
                Side::Buy => (&mut self.bids, level.px.mantissa()),
                Side::Sell => (&mut self.asks, !level.px.mantissa()),
            };
            let mut part = self.spare.pop().unwrap_or_default();
            part.clear();
            (self.part)(text.px, text.qty, &mut part);
            ladder.push((key, part));
        }
        let mut is_plain = levels.iter().all(|level| !level.qty.is_zero());
        for ladder in [&mut self.bids, &mut self.asks] {
            ladder.sort_by_key(|(key, _)| *key);
            is_plain &= ladder.is_sorted_by(|a, b| a.0 < b.0);
        }
        if !is_plain {
            // A price twice, or a size of nothing: what comes later counts.
            self.clear();
            self.apply(levels, text);
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
        let spare = &mut self.spare;
        let beyond = self.bids.len().saturating_sub(depth_levels);
        out.extend(self.bids.drain(..beyond).map(|(key, part)| {
            spare.push(part);
            delete(key, Side::Buy)
        }));
        let beyond = self.asks.len().saturating_sub(depth_levels);
        out.extend(self.asks.drain(..beyond).map(|(key, part)| {
            spare.push(part);
            delete(!key, Side::Sell)
        }));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn part(px: &str, qty: &str, out: &mut String) {
        out.extend([px, ":", qty]);
    }

    fn all(book: &TextBook) -> (Vec<&str>, Vec<&str>) {
        (book.bids().collect(), book.asks().collect())
    }

    proptest! {
        #[test]
        fn a_book_made_at_once_is_the_book_made_level_by_level(
            levels in prop::collection::vec((1_i64..12, 0_i64..3, any::<bool>()), 0..30),
        ) {
            let texts: Vec<_> = levels.iter().map(|(px, qty, _)| (px.to_string(), qty.to_string())).collect();
            let side = |is_bid| if is_bid { Side::Buy } else { Side::Sell };
            let (mut numbers, mut text) = (Vec::new(), Vec::new());
            for ((px, qty, is_bid), (px_text, qty_text)) in levels.iter().zip(&texts) {
                let (px, qty, side) = (Px::new(*px), Qty::new(*qty).unwrap(), side(*is_bid));
                numbers.push(Level { px, qty, side });
                text.push(TextLevel { side, px: px_text, qty: qty_text, third: None });
            }
            let (mut slow, mut quick) = (TextBook::new(part), TextBook::new(part));
            slow.apply(&numbers, &text);
            quick.apply(&numbers, &text);
            quick.replace(&numbers, &text);
            prop_assert_eq!(all(&slow), all(&quick));
            let (mut cut, mut also_cut) = (Vec::new(), Vec::new());
            slow.keep_best(2, &mut cut);
            quick.keep_best(2, &mut also_cut);
            prop_assert_eq!(cut, also_cut);
            prop_assert!(slow.bids().count() <= 2 && all(&slow) == all(&quick));
        }
    }
}
