//! A book that keeps its numbers as they were sent, for the checksums that venues take over text.
//!
//! Invariant: the same levels as the records say, each side in order, best first for whoever reads.

use std::collections::BTreeMap;

use qt_model::record::Level;
use qt_model::units::{Px, Qty};
use qt_model::words::Side;

use crate::levels::TextLevel;

/// Price and size as sent.
type Sent = (Box<str>, Box<str>);

#[derive(Debug, Default)]
pub(crate) struct TextBook {
    bids: BTreeMap<Px, Sent>,
    asks: BTreeMap<Px, Sent>,
}

impl TextBook {
    pub(crate) fn clear(&mut self) {
        self.bids.clear();
        self.asks.clear();
    }

    /// Applies levels; the two lists are of equal length and order.
    pub(crate) fn apply(&mut self, levels: &[Level], text: &[TextLevel<'_>]) {
        for (level, text) in levels.iter().zip(text) {
            let side = self.side(level.side);
            if level.qty.is_zero() {
                side.remove(&level.px);
            } else {
                side.insert(level.px, (text.px.into(), text.qty.into()));
            }
        }
    }

    fn side(&mut self, side: Side) -> &mut BTreeMap<Px, Sent> {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    /// From the highest price down.
    pub(crate) fn bids(&self) -> impl Iterator<Item = (&str, &str)> {
        self.bids.values().rev().map(|(px, qty)| (&**px, &**qty))
    }

    /// From the lowest price up.
    pub(crate) fn asks(&self) -> impl Iterator<Item = (&str, &str)> {
        self.asks.values().map(|(px, qty)| (&**px, &**qty))
    }

    /// Takes off what lies beyond that many levels of a side, and adds it to `out` as deletes.
    pub(crate) fn keep_best(&mut self, depth_levels: usize, out: &mut Vec<Level>) {
        let qty = Qty::ZERO;
        while self.bids.len() > depth_levels
            && let Some((px, _)) = self.bids.pop_first()
        {
            out.push(Level { px, qty, side: Side::Buy });
        }
        while self.asks.len() > depth_levels
            && let Some((px, _)) = self.asks.pop_last()
        {
            out.push(Level { px, qty, side: Side::Sell });
        }
    }
}
