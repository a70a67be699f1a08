//! The book by order over real orders: against a plain book, and against what others computed.

use std::collections::BTreeMap;

use qt_market::book::{Effect, OrderBook};
use qt_model::ids::InstrumentId;
use qt_model::record::Mbo;
use qt_model::words::Side;
use serde_json::{Value, json};

use super::book::Book;
use super::figures::text;
use super::{Import, expected, one};
use qt_stream::import::Hints;

/// Both books of each instrument, which agree at the end of every event.
fn books(import: &Import) -> BTreeMap<InstrumentId, OrderBook> {
    let mut books = BTreeMap::<InstrumentId, (OrderBook, Book)>::new();
    for mbo in import.batch.rows::<Mbo>() {
        let (book, plain) = books.entry(mbo.head.instrument.unwrap()).or_default();
        assert_ne!(book.apply(mbo), Effect::Incomplete, "{mbo:?}");
        plain.apply(mbo);
        if !mbo.more {
            let best = |side| {
                let (resting, orders) = book.best(side)?;
                Some((resting.px.mantissa(), resting.qty.mantissa(), u64::from(orders)))
            };
            assert_eq!((best(Side::Buy), best(Side::Sell)), (plain.bid(), plain.ask()));
        }
    }
    for (book, plain) in books.values() {
        let levels = book.prices().levels(usize::MAX).map(|level| {
            let side = if level.side == Side::Buy { "b" } else { "a" };
            let orders = u64::from(book.orders_at(level.side, level.px));
            (side, level.px.mantissa(), level.qty.mantissa(), orders)
        });
        assert!(levels.eq(plain.levels()));
        assert_eq!((book.len(), book.repeated()), (plain.orders(), 0));
    }
    books.into_iter().map(|(id, (book, _))| (id, book)).collect()
}

/// Price and size of a best price, as the figures have them.
fn shown(import: &Import, id: InstrumentId, book: &OrderBook, side: Side) -> (String, i64, u32) {
    let known = import.batch.instruments().get(id);
    let (best, orders) = book.best(side).unwrap();
    (text(best.px.to_decimal(known.px_scale)), best.qty.mantissa(), orders)
}

#[test]
fn databento_orders_end_at_the_book_of_the_reference_decoder() {
    let Some(files) = expected("databento-dbn/") else { return };
    let mut compared = 0;
    for (path, figures) in files.iter().filter(|(path, _)| path.contains("mbo")) {
        let import = one(path, &Hints::default()).unwrap();
        let books = books(&import);
        let Some(at_end) = figures["mbo_book_at_end"].as_object() else { continue };
        for ((id, book), at_end) in books.iter().zip(at_end.values()) {
            assert_eq!(json!(book.len()), at_end["open_orders"], "{path}");
            for (side, key) in [(Side::Buy, "best_bid"), (Side::Sell, "best_ask")] {
                let expected = &at_end[format!("{key}[px,size,orders]")];
                if *expected != Value::Null {
                    let (px, qty, orders) = shown(&import, *id, book, side);
                    assert_eq!(json!([px, qty, orders]), *expected, "{path}");
                    compared += 1;
                }
            }
        }
    }
    assert!(compared >= 4, "{compared} best prices");
}

#[test]
fn itch_orders_end_at_the_books_that_others_computed() {
    let Some(files) = expected("itch50/") else { return };
    let import = one(&files[0].0, &Hints::default()).unwrap();
    let stocks = files[0].1["stocks"].as_object().unwrap();
    for (id, book) in books(&import) {
        let stock = import.batch.instruments().get(id).symbol.name();
        let figures = &stocks[stock];
        assert_eq!(json!(book.len()), figures["open_orders_at_end"], "{stock}");
        for (side, key) in [(Side::Buy, "best_bid_at_end"), (Side::Sell, "best_ask_at_end")] {
            let (px, qty, _) = shown(&import, id, &book, side);
            assert_eq!(json!([px, qty]), figures[key], "{stock}");
        }
    }
}

#[test]
fn lobster_orders_are_those_that_the_lines_leave() {
    let path = "lobster/AAPL_2012-06-21_34200000_57600000_message_10.csv";
    let Some(import) = one(path, &Hints::default()) else { return };
    // The file begins with a book whose orders it does not tell, so only its own are known.
    let mut left = BTreeMap::<u64, i64>::new();
    for line in std::fs::read_to_string(super::data(path).unwrap()).unwrap().lines() {
        let fields: Vec<&str> = line.split(',').collect();
        let (id, size): (u64, i64) = (fields[2].parse().unwrap(), fields[3].parse().unwrap());
        match (fields[1], left.get_mut(&id)) {
            ("1", _) => drop(left.insert(id, size)),
            ("2" | "4", Some(qty)) => *qty -= size,
            ("3", Some(qty)) => *qty = 0,
            _ => {}
        }
    }
    left.retain(|_, size| *size > 0);
    let book = books(&import).into_values().next().unwrap();
    assert_eq!(book.len(), left.len());
    for (id, size) in left {
        assert_eq!(book.order(id).map(|order| order.qty.mantissa()), Some(size));
        assert!(book.place(id).unwrap().qty_ahead.mantissa() >= 0);
    }
}
