//! What waits at the best prices and what becomes of it.

use qt_model::words::{DepthAction, MboAction, Side};

use super::tape::Tape;
use super::{list_of, near};
use crate::features::{BookFrom, EngineOptions};

use Side::{Buy, Sell};

fn book() -> EngineOptions {
    EngineOptions { book: BookFrom::Depth, ..EngineOptions::default() }
}

fn of(tape: &Tape, feature: &str) -> Vec<Option<f64>> {
    tape.rows_with(feature, 1_000, book()).iter().map(|row| row.values[0]).collect()
}

/// Ten levels a side, 100 at the best bid and 40 at the best ask.
fn ten() -> Tape {
    let bids = (0..10).map(|at| (Buy, 9_999 - 2 * at, 100 - at));
    let asks = (0..10).map(|at| (Sell, 10_001 + at, 40 + at));
    Tape::new().depth(DepthAction::Snapshot, &bids.chain(asks).collect::<Vec<_>>())
}

fn delta(tape: Tape, levels: &[(Side, i64, i64)]) -> Tape {
    tape.depth(DepthAction::Delta, levels)
}

#[test]
fn sums_and_slopes_of_levels() {
    let last = |feature: &str| *of(&ten(), feature).last().unwrap();
    assert!(near(last("bid_depth"), (96..=100).sum::<i64>() as f64));
    assert!(near(last("bid_depth_10"), (91..=100).sum::<i64>() as f64));
    assert!(near(last("ask_depth_10"), (40..=49).sum::<i64>() as f64));
    // Eighteen ticks from the first bid to the tenth, nine from the first ask.
    assert!(near(last("bid_slope"), 955.0 / 18.0));
    assert!(near(last("ask_slope"), 445.0 / 9.0));
    let nine = delta(ten(), &[(Buy, 9_999, 0)]);
    assert_eq!(of(&nine, "bid_slope").last(), Some(&None));
}

#[test]
fn what_is_taken_added_and_traded_at_the_best_prices() {
    let tape = delta(ten(), &[(Buy, 9_999, 70)]);
    let tape = delta(tape, &[(Buy, 9_999, 90), (Sell, 10_001, 41)]);
    let tape = tape.trade(9_999, 25, Some(Sell));
    let tape = delta(tape, &[(Buy, 9_999, 50)]);
    let tape = delta(tape, &[(Buy, 9_999, 0)]);
    let book = |feature: &str| {
        let mut values = of(&tape, &format!("{feature}, px"));
        values.remove(3);
        values.into_iter().map(Option::unwrap).collect::<Vec<_>>()
    };
    assert_eq!(book("bid_removed"), [0.0, 30.0, 0.0, 40.0, 0.0], "another price is no removal");
    assert_eq!(book("bid_added"), [0.0, 0.0, 20.0, 0.0, 0.0]);
    assert_eq!(book("ask_added"), [0.0, 0.0, 1.0, 0.0, 0.0]);
    assert_eq!(book("best_traded"), [0.0, 0.0, 0.0, 25.0, 0.0]);
    // 70 were taken in all, 25 of them by a print.
    assert!(near(*of(&tape, "cancel_ratio(5)").last().unwrap(), 45.0 / 70.0));
    let still = (0..5).fold(ten(), |tape, _| delta(tape, &[(Buy, 1, 1)]));
    assert_eq!(of(&still, "cancel_ratio(5)").last(), Some(&None), "nothing was taken");
}

#[test]
fn best_prices_live_until_there_is_a_better_or_none() {
    let tape = delta(ten().wait(400_000_000), &[(Buy, 10_000, 5)]);
    let tape = delta(tape.wait(900_000_000), &[(Buy, 10_000, 0), (Sell, 10_001, 0)]);
    let tape = delta(tape, &[(Buy, 1, 1)]);
    let lives = of(&tape, "best_lifetime");
    // Half a second; then one second of the bid and one and a half of the ask; then none ended.
    assert_eq!(lives, [None, Some(500.0), Some(1_250.0), Some(1_250.0)]);
    assert!(near(*of(&tape, "sma(best_lifetime, 2)").last().unwrap(), 875.0));
}

#[test]
fn absorption_is_what_was_traded_over_what_was_offered() {
    let tape = ten().trade(9_999, 50, Some(Sell)).trade(9_000, 7, Some(Sell));
    let tape = delta(tape, &[(Buy, 9_999, 150)]).trade(9_999, 100, Some(Sell));
    let expected = [Some(0.5), Some(0.5), Some(1.0)];
    assert_eq!(of(&tape, "absorption"), expected, "100 at first and 50 more; 150 were taken");
    let alone = tape.rows_with("absorption, mid", 1_000, book());
    assert_eq!(alone.last().unwrap().values[0], Some(1.0), "beside columns of the book as well");
    assert!(near(*of(&tape, "liquidity_absorption(2)").last().unwrap(), 0.5 + 2.0 / 3.0 * 0.5));
}

#[test]
fn the_set_has_all_but_orders_from_depth() {
    let tape = (0..300).fold(ten(), |tape, at| {
        delta(tape, &[(Buy, 10_000, at % 2 * 9), (Sell, 10_001, 40 + at / 2 % 7)])
    });
    let rows = tape.rows_with(&list_of("queue"), 1_000, book());
    let last = rows.last().unwrap();
    let absent: Vec<usize> =
        last.values.iter().enumerate().filter(|(_, it)| it.is_none()).map(|(at, _)| at).collect();
    assert_eq!(absent, [6, 7], "sizes do not say how many orders there are");
}

#[test]
fn orders_tell_how_many_wait() {
    let add = |tape: Tape, id, side, px, qty| tape.order(MboAction::Add, id, side, px, qty, false);
    let tape = add(Tape::new(), 1, Buy, 9_999, 5);
    let tape = add(tape, 2, Sell, 10_001, 7);
    let tape = tape.order(MboAction::Add, 3, Buy, 9_999, 4, true);
    let tape = add(tape, 4, Sell, 10_001, 1);
    let tape = tape.order(MboAction::Trade, 1, Buy, 9_999, 5, false);
    let tape = tape.order(MboAction::Cancel, 1, Buy, 9_999, 5, false);
    let options = EngineOptions { book: BookFrom::Orders, ..EngineOptions::default() };
    let rows = tape.rows_with("bid_orders, ask_orders, bid_qty, mid", 2, options.clone());
    let all = |row: &qt_model::record::Feature| {
        row.values.iter().map(|it| it.unwrap_or(-1.0)).collect::<Vec<_>>()
    };
    let rows: Vec<_> = rows.iter().map(all).collect();
    // One side alone; both; two records of one event; a print changes nothing; then a cancel.
    assert_eq!(rows.len(), 4, "{rows:?}");
    assert_eq!(rows[0], [-1.0; 4]);
    assert_eq!(rows[1], [1.0, 1.0, 5.0, 100.0]);
    assert_eq!(rows[2], [2.0, 2.0, 9.0, 100.0]);
    assert_eq!(rows[3], [1.0, 2.0, 4.0, 100.0]);
    let lob = tape.run(crate::features::Program::lob("lob16").unwrap(), 3, options);
    assert_eq!(lob.last().unwrap().values[4], Some(4.0));
}
