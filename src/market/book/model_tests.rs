//! The quick book against two maps that are too simple to be wrong.

use std::collections::BTreeMap;

use proptest::prelude::*;
use qt_model::record::Level;
use qt_model::units::{Px, Qty};
use qt_model::words::Side;

use super::ladder::Ladder;
use super::{PriceBook, Resting};

#[derive(Clone, Debug)]
enum Operation {
    Replace(Vec<Level>),
    Set(Level),
    KeepBest(usize),
    Gap,
}

#[derive(Default)]
struct Model {
    bids: BTreeMap<i64, i64>,
    asks: BTreeMap<i64, i64>,
    absent_deletes: u64,
}

impl Model {
    /// Whether a delete found nothing.
    fn set(&mut self, level: &Level) -> bool {
        let side = if level.side == Side::Buy { &mut self.bids } else { &mut self.asks };
        if level.qty.is_zero() {
            return side.remove(&level.px.mantissa()).is_none();
        }
        side.insert(level.px.mantissa(), level.qty.mantissa());
        false
    }

    fn clear(&mut self) {
        self.bids.clear();
        self.asks.clear();
    }

    fn apply(&mut self, operation: &Operation) {
        match operation {
            Operation::Replace(levels) => {
                self.clear();
                // A snapshot says nothing of what is not in it.
                levels.iter().for_each(|level| _ = self.set(level));
            }
            Operation::Set(level) => self.absent_deletes += u64::from(self.set(level)),
            Operation::Gap => self.clear(),
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

/// Prices about one price on a grid: near and far, with some between the prices of the grid, and
/// the ends of all prices there are.
#[derive(Clone, Copy, Debug)]
struct Grid {
    middle: i64,
    step: i64,
    reach: i64,
}

fn grid() -> impl Strategy<Value = Grid> {
    let middle = prop_oneof![
        4 => Just(0_i64), 4 => Just(6_000_000), 1 => Just(i64::MIN), 1 => Just(i64::MAX),
    ];
    let step = prop_oneof![
        4 => Just(1_i64), 2 => Just(10), 2 => Just(1_000_000), 1 => 1_i64..1_000,
        1 => Just(3 << 54),
    ];
    let reach = prop_oneof![4 => Just(30_i64), 3 => Just(700), 1 => Just(20_000)];
    (middle, step, reach).prop_map(|(middle, step, reach)| Grid { middle, step, reach })
}

fn level(grid: Grid) -> impl Strategy<Value = Level> {
    let on_grid = move |steps: i64| grid.middle.saturating_add(steps.saturating_mul(grid.step));
    let px = prop_oneof![
        30 => (-30_i64..30).prop_map(on_grid),
        60 => (-grid.reach..grid.reach).prop_map(on_grid),
        1 => (-30_i64..30).prop_map(move |off| grid.middle.saturating_add(off)),
        1 => prop_oneof![Just(i64::MIN), Just(i64::MAX), any::<i64>()],
    ];
    let side = prop_oneof![Just(Side::Buy), Just(Side::Sell)];
    (px, 0_i64..4, side).prop_map(|(px, qty, side)| Level {
        px: Px::new(px),
        qty: Qty::new(qty).expect("sizes are drawn from zero up"),
        side,
    })
}

fn operation(grid: Grid) -> impl Strategy<Value = Operation> {
    prop_oneof![
        1 => prop::collection::vec(level(grid), 0..60).prop_map(Operation::Replace),
        60 => level(grid).prop_map(Operation::Set),
        1 => (0_usize..40).prop_map(Operation::KeepBest),
        1 => Just(Operation::Gap),
    ]
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    grid().prop_flat_map(|grid| prop::collection::vec(operation(grid), 0..600))
}

fn pairs(side: impl Iterator<Item = Resting>) -> Vec<(i64, i64)> {
    side.map(|resting| (resting.px.mantissa(), resting.qty.mantissa())).collect()
}

/// All that a book says of one side, against the levels that the model has there, best first.
fn compare(book: &PriceBook, side: Side, expected: &[(i64, i64)]) {
    let levels = || -> Box<dyn ExactSizeIterator<Item = Resting> + '_> {
        match side {
            Side::Buy => Box::new(book.bids()),
            Side::Sell => Box::new(book.asks()),
        }
    };
    let best = if side == Side::Buy { book.best_bid() } else { book.best_ask() };
    assert_eq!(pairs(best.into_iter()), expected.iter().take(1).copied().collect::<Vec<_>>());
    assert_eq!(levels().len(), expected.len());
    assert_eq!(pairs(levels()), expected);
    let mut rest = levels();
    assert_eq!(
        (rest.next().is_some(), rest.len()),
        (!expected.is_empty(), expected.len().max(1) - 1)
    );
    let deepest = book.deepest(side).map(Px::mantissa);
    assert_eq!(deepest, expected.last().map(|(px, _)| *px));
    for (px, qty) in expected {
        assert_eq!(book.at(side, Px::new(*px)).map(Qty::mantissa), Some(*qty));
        let beside = px.wrapping_add(1);
        let found = expected.iter().find(|level| level.0 == beside).map(|level| level.1);
        assert_eq!(book.at(side, Px::new(beside)).map(Qty::mantissa), found);
    }
}

proptest! {
    #[test]
    fn the_book_equals_two_maps(operations in operations()) {
        let (mut book, mut model) = (PriceBook::default(), Model::default());
        for (at, operation) in operations.iter().enumerate() {
            model.apply(operation);
            match operation {
                Operation::Replace(levels) => book.replace(levels),
                Operation::Set(level) => book.set(*level),
                Operation::KeepBest(count) => book.keep_best(*count),
                Operation::Gap => book.gap(),
            }
            let bids: Vec<_> = model.bids.iter().rev().map(|(px, qty)| (*px, *qty)).collect();
            let asks: Vec<_> = model.asks.iter().map(|(px, qty)| (*px, *qty)).collect();
            let is_crossed = bids.first().zip(asks.first()).is_some_and(|(bid, ask)| bid.0 > ask.0);
            prop_assert_eq!(book.is_crossed(), is_crossed);
            prop_assert_eq!(book.absent_deletes(), model.absent_deletes);
            // All levels of a deep book after each change would be the square of the work.
            if at % 16 == 0 || at + 1 == operations.len() {
                compare(&book, Side::Buy, &bids);
                compare(&book, Side::Sell, &asks);
            } else {
                prop_assert_eq!(pairs(book.bids().take(3)), bids.iter().take(3).copied().collect::<Vec<_>>());
                prop_assert_eq!(pairs(book.asks().take(3)), asks.iter().take(3).copied().collect::<Vec<_>>());
            }
        }
    }
}

/// Numbers that anybody can draw again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: i64) -> i64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % bound.unsigned_abs()).cast_signed()
    }
}

#[test]
fn a_window_follows_the_touch_and_grows_where_the_market_is_deep() {
    let (mut book, mut model, mut dice) = (PriceBook::default(), Model::default(), Dice(7));
    let mut middle = 1_000_000_i64;
    for at in 0..40_000 {
        middle += dice.below(11) - 5;
        let reach = if at % 3 == 0 { 3_000 } else { 20 };
        let side = if dice.below(2) == 0 { Side::Buy } else { Side::Sell };
        let away = 1 + dice.below(reach);
        let px = 10 * if side == Side::Buy { middle - away } else { middle + away };
        // What the touch has passed goes, as trades take it.
        let passed: Vec<i64> = match side {
            Side::Buy => model.asks.range(..=px).map(|(px, _)| *px).collect(),
            Side::Sell => model.bids.range(px..).map(|(px, _)| *px).collect(),
        };
        let other = if side == Side::Buy { Side::Sell } else { Side::Buy };
        let gone =
            passed.into_iter().map(|px| Level { px: Px::new(px), qty: Qty::ZERO, side: other });
        let qty = Qty::new(dice.below(4)).expect("sizes are drawn from zero up");
        for level in gone.chain([Level { px: Px::new(px), qty, side }]) {
            model.absent_deletes += u64::from(model.set(&level));
            book.set(level);
        }
        let (bid, ask) = (model.bids.last_key_value(), model.asks.first_key_value());
        let best = [book.best_bid(), book.best_ask()]
            .map(|it| it.map(|it| (it.px.mantissa(), it.qty.mantissa())));
        assert_eq!(best, [bid, ask].map(|it| it.map(|(px, qty)| (*px, *qty))), "change {at}");
        if at % 2_000 == 0 {
            let bids: Vec<_> = model.bids.iter().rev().map(|(px, qty)| (*px, *qty)).collect();
            let asks: Vec<_> = model.asks.iter().map(|(px, qty)| (*px, *qty)).collect();
            compare(&book, Side::Buy, &bids);
            compare(&book, Side::Sell, &asks);
        }
    }
    assert_eq!(book.absent_deletes(), model.absent_deletes);
    assert!(model.bids.len() > 1_000 && model.asks.len() > 1_000, "the market is deep");
    assert!(
        book.sides.iter().all(|side| side.window() > 256),
        "{:?}",
        book.sides.each_ref().map(Ladder::window)
    );
}

#[test]
fn a_book_that_nobody_used_is_small() {
    assert!(size_of::<PriceBook>() <= 384, "{} bytes", size_of::<PriceBook>());
    let book = PriceBook::default();
    assert_eq!(book.sides.each_ref().map(Ladder::window), [0, 0]);
}
