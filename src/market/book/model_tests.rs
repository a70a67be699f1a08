//! The quick book against two maps that are too simple to be wrong.

use std::collections::BTreeMap;

use proptest::prelude::*;
use qt_model::record::Level;
use qt_model::units::{Px, Qty};
use qt_model::words::Side;

use super::{PriceBook, Resting};

#[derive(Clone, Debug)]
enum Operation {
    Replace(Vec<Level>),
    Set(Level),
    KeepBest(usize),
}

#[derive(Default)]
struct Model {
    bids: BTreeMap<i64, i64>,
    asks: BTreeMap<i64, i64>,
}

impl Model {
    fn set(&mut self, level: &Level) {
        let side = if level.side == Side::Buy { &mut self.bids } else { &mut self.asks };
        if level.qty.is_zero() {
            side.remove(&level.px.mantissa());
        } else {
            side.insert(level.px.mantissa(), level.qty.mantissa());
        }
    }

    fn apply(&mut self, operation: &Operation) {
        match operation {
            Operation::Replace(levels) => {
                *self = Self::default();
                levels.iter().for_each(|level| self.set(level));
            }
            Operation::Set(level) => self.set(level),
            Operation::KeepBest(count) => {
                while self.bids.len() > *count {
                    self.bids.pop_first();
                }
                while self.asks.len() > *count {
                    self.asks.pop_last();
                }
            }
        }
    }
}

fn level() -> impl Strategy<Value = Level> {
    let px = prop_oneof![8 => -30_i64..30, 1 => Just(i64::MIN), 1 => Just(i64::MAX)];
    let side = prop_oneof![Just(Side::Buy), Just(Side::Sell)];
    (px, 0_i64..4, side).prop_map(|(px, qty, side)| Level {
        px: Px::new(px),
        qty: Qty::new(qty).expect("sizes are drawn from zero up"),
        side,
    })
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        1 => prop::collection::vec(level(), 0..60).prop_map(Operation::Replace),
        30 => level().prop_map(Operation::Set),
        1 => (0_usize..40).prop_map(Operation::KeepBest),
    ]
}

fn pairs(side: impl Iterator<Item = Resting>) -> Vec<(i64, i64)> {
    side.map(|resting| (resting.px.mantissa(), resting.qty.mantissa())).collect()
}

proptest! {
    #[test]
    fn the_book_equals_two_maps(operations in prop::collection::vec(operation(), 0..200)) {
        let (mut book, mut model) = (PriceBook::default(), Model::default());
        for operation in &operations {
            model.apply(operation);
            match operation {
                Operation::Replace(levels) => book.replace(levels),
                Operation::Set(level) => book.set(*level),
                Operation::KeepBest(count) => book.keep_best(*count),
            }
            let bids: Vec<_> = model.bids.iter().rev().map(|(px, qty)| (*px, *qty)).collect();
            let asks: Vec<_> = model.asks.iter().map(|(px, qty)| (*px, *qty)).collect();
            prop_assert_eq!(pairs(book.best_bid().into_iter()), bids.iter().take(1).copied().collect::<Vec<_>>());
            prop_assert_eq!(pairs(book.best_ask().into_iter()), asks.iter().take(1).copied().collect::<Vec<_>>());
            let is_crossed = bids.first().zip(asks.first()).is_some_and(|(bid, ask)| bid.0 > ask.0);
            prop_assert_eq!(book.is_crossed(), is_crossed);
            prop_assert_eq!(pairs(book.bids()), bids);
            prop_assert_eq!(pairs(book.asks()), asks);
        }
    }
}
