//! The captures of cryptofeed, Bybit's archive and Kraken's answers.

use std::collections::BTreeMap;

use qt_market::book::State;
use qt_model::words::Side;
use serde_json::Value;

use super::account::{Account, plain};
use super::{account, figures, noted, number, text};
use crate::tally::left;

fn normal(value: &Value) -> String {
    plain(text(value).parse().unwrap())
}

fn members(value: &Value) -> BTreeMap<&String, &Value> {
    value.as_object().expect("members").iter().collect()
}

/// Prints of each instrument, and that no other has any.
fn check_prints(account: &Account, expected: &Value) {
    for (symbol, expected) in members(expected) {
        let one = account.one(symbol);
        one.check_prints(expected, "n");
        let first = &expected["first[id,t_ms,price,qty,aggressor]"];
        for (print, figure) in [(one.prints.first(), first), (one.prints.last(), &expected["last"])]
        {
            let print = print.unwrap();
            let found = (plain(print.px), plain(print.qty));
            assert_eq!(found, (normal(&figure[2]), normal(&figure[3])), "{symbol}");
            let side = if print.side == Some(Side::Buy) { "taker_buy" } else { "taker_sell" };
            assert_eq!(side, text(&figure[4]), "{symbol}");
            if let Some(id) = figure[0].as_str().and_then(|id| id.parse().ok()) {
                assert_eq!(print.id, Some(id), "{symbol}");
            }
        }
    }
    let all: usize = account.of.values().map(|one| one.prints.len()).sum();
    let expected: u64 = members(expected).values().map(|one| number(&one["n"])).sum();
    assert_eq!(all as u64, expected);
}

fn check_binance(file: &str, entry: &str) {
    let Some((account, notes)) = account(&format!("cryptofeed-ws/{file}")) else { return };
    let expected = figures(entry);
    check_prints(&account, &expected["trades"]);
    for (symbol, expected) in members(&expected["books"]) {
        let one = account.one(symbol);
        assert_eq!((one.snapshots, one.gaps, one.crossed), (1, 0, number(&expected["crossed"])));
        one.check_book(&expected["final"]);
        assert_eq!(one.book.last_id(), expected["last_u"].as_u64());
        let (same, other) = one.agreement();
        assert!(same >= number(&expected["bookTicker_same_u_match"]), "{symbol}");
        assert_eq!(other, number(&expected["bookTicker_same_u_differ"]), "{symbol}");
    }
    if let Some(counts) = expected.get("bookTicker_counts") {
        for (symbol, count) in members(counts) {
            assert_eq!(account.one(symbol).quotes, number(count), "{symbol}");
        }
    }
    assert_eq!(noted(&notes, left::GAP), 0);
}

#[test]
fn binance_with_its_answers_beside_it() {
    check_binance("BINANCE.ws.1.0", "cryptofeed-ws/BINANCE.ws.1.0 + BINANCE.http.0.0");
}

#[test]
fn binance_futures_with_terms_and_answers_beside_it() {
    check_binance("BINANCE_FUTURES.ws.1.0", "cryptofeed-ws/BINANCE_FUTURES.ws.1.0 + .http.0.0");
    let Some((account, _)) = account("cryptofeed-ws/BINANCE_FUTURES.ws.1.0") else { return };
    let terms = account.one("SUSHIUSDT").instrument.clone().unwrap();
    assert_eq!((terms.px_scale.digits(), terms.qty_scale.digits()), (3, 0));
    assert_eq!(terms.terms.tick.map(plain).as_deref(), Some("0.001"));
}

#[test]
fn coinbase_counts_matches_and_not_the_last_match() {
    let entry = "cryptofeed-ws/COINBASE.ws.28.0";
    let Some((account, notes)) = account(entry) else { return };
    let expected = figures(entry);
    check_prints(&account, &expected["trades_match_only (last_match excluded)"]);
    for (symbol, expected) in members(&expected["books"]) {
        let one = account.one(symbol);
        assert_eq!(one.deltas, number(&expected["l2updates"]), "{symbol}");
        assert_eq!(one.crossed, number(&expected["crossed_after_update"]), "{symbol}");
        assert_eq!(one.locked, number(&expected["locked"]), "{symbol}");
        assert_eq!(one.book.absent_deletes(), number(&expected["deletes_of_absent_level"]));
        one.check_book(&expected["final"]);
    }
    assert_eq!(noted(&notes, left::HISTORY), number(&expected["types"]["last_match"]));
}

#[test]
fn every_checksum_of_kraken_verifies_over_the_text_as_sent() {
    let entry = "cryptofeed-ws/KRAKEN.ws.50.0";
    let Some((account, notes)) = account(entry) else { return };
    let expected = figures(entry);
    let mut verified = 0;
    for (symbol, expected) in members(&expected["books"]) {
        let one = account.one(symbol);
        verified += number(&expected["crc32_ok"]);
        assert_eq!((one.gaps, one.book.state()), (0, State::Live), "{symbol}");
        assert_eq!(one.deltas, number(&expected["updates"]), "{symbol}");
        for (side, key) in [(Side::Buy, "best_bid"), (Side::Sell, "best_ask")] {
            let best = [normal(&expected[key][0]), normal(&expected[key][1])];
            assert_eq!(one.top(side, 1), [best], "{symbol}");
        }
        let counts = (one.book.bids().len() as u64, one.book.asks().len() as u64);
        assert_eq!(counts, (number(&expected["n_bids"]), number(&expected["n_asks"])), "{symbol}");
    }
    assert_eq!(noted(&notes, left::CHECKED), verified);
    assert_eq!((verified, noted(&notes, left::CHECKSUM)), (4269, 0));
}

#[test]
fn kraken_prints_and_tickers() {
    let entry = "cryptofeed-ws/KRAKEN.ws.48.0";
    let Some((account, _)) = account(entry) else { return };
    check_prints(&account, &figures(entry)["trades"]);
    let entry = "cryptofeed-ws/KRAKEN.ws.49.0";
    let Some((account, _)) = self::account(entry) else { return };
    let quotes: u64 = account.of.values().map(|one| one.quotes).sum();
    assert_eq!(quotes, number(&figures(entry)["message_kinds"]["array"]));
}

#[test]
fn every_checksum_of_okx_verifies() {
    let entry = "cryptofeed-ws/OKX.ws.1.0";
    let Some((account, notes)) = account(entry) else { return };
    let expected = figures(entry);
    check_prints(&account, &expected["trades"]);
    let mut verified = 0;
    for (symbol, expected) in members(&expected["books"]) {
        let one = account.one(symbol);
        verified += number(&expected["crc32_ok"]);
        for (side, key) in [(Side::Buy, "best_bid"), (Side::Sell, "best_ask")] {
            let best = [normal(&expected[key][0]), normal(&expected[key][1])];
            assert_eq!(one.top(side, 1), [best], "{symbol}");
        }
        let counts = (one.book.bids().len() as u64, one.book.asks().len() as u64);
        assert_eq!(counts, (number(&expected["n_bids"]), number(&expected["n_asks"])), "{symbol}");
    }
    assert_eq!((noted(&notes, left::CHECKED), verified), (290, 290));
    let quotes: u64 = account.of.values().map(|one| one.quotes).sum();
    assert_eq!(quotes, number(&expected["types"]["tickers"]));
}

#[test]
fn the_second_protocol_of_bybit() {
    let entry = "cryptofeed-ws/BYBIT.ws.25.0";
    let Some((account, _)) = account(entry) else { return };
    let expected = figures(entry);
    check_prints(&account, &expected["trades"]);
    for (symbol, expected) in members(&expected["books"]) {
        let one = account.one(symbol);
        assert_eq!(one.crossed, number(&expected["crossed_after_delta"]), "{symbol}");
        one.check_book(&expected["final"]);
    }
}

#[test]
fn bitstamp_with_its_answers_beside_it() {
    let Some((account, _)) = account("cryptofeed-ws/BITSTAMP.ws.1.0") else { return };
    let expected = figures("cryptofeed-ws/BITSTAMP.ws.1.0 + .http.0.0");
    check_prints(&account, &expected["trades"]);
    for (symbol, expected) in members(&expected["books"]) {
        let one = account.one(symbol);
        assert_eq!((one.snapshots, one.crossed), (1, number(&expected["crossed"])), "{symbol}");
        one.check_book(&expected["final"]);
    }
}

#[test]
fn prices_of_bitmex_come_from_the_level_that_an_update_names() {
    let entry = "cryptofeed-ws/BITMEX.ws.1.0";
    let Some((account, notes)) = account(entry) else { return };
    let expected = figures(entry);
    check_prints(&account, &expected["trades_insert_only"]);
    let kinds = &expected["message_kinds"];
    let snapshots: u64 = account.of.values().map(|one| one.snapshots).sum();
    assert_eq!(snapshots, number(&kinds["orderBookL2:partial"]));
    assert_eq!(noted(&notes, left::HISTORY), number(&kinds["trade:partial"]));
    assert_eq!(noted(&notes, "changes of levels that are not known"), 0);
    // No figure for the books: the venue's own quotes say what the touch is.
    for (symbol, one) in &account.of {
        assert_eq!((one.crossed, one.book.absent_deletes()), (0, 0), "{symbol}");
    }
}

#[test]
fn bitfinex_numbers_its_arrays_without_a_hole() {
    let entry = "cryptofeed-ws/BITFINEX.ws.11.0";
    let Some((account, notes)) = account(entry) else { return };
    assert_eq!(noted(&notes, left::GAP), 0);
    let snapshots: u64 = account.of.values().map(|one| one.snapshots).sum();
    assert_eq!(snapshots, number(&figures(entry)["message_kinds"]["book:subscribed"]));
    for (symbol, one) in &account.of {
        assert_eq!((one.gaps, one.crossed), (0, 0), "{symbol}");
    }
}

#[test]
fn the_archive_of_bybit() {
    let entry = "bybit-ob500/xrpusdt-ob500.data.zip";
    let Some((account, _)) = account(entry) else { return };
    let (one, expected) = (account.one("XRPUSDT"), figures(entry));
    assert_eq!((one.snapshots, one.deltas), (1, number(&expected["types"]["delta"])));
    assert_eq!((one.gaps, one.crossed), (number(&expected["u_gaps"]), 0));
    assert_eq!(one.book.last_id(), expected["last_u"].as_u64());
    assert_eq!(one.book.absent_deletes(), number(&expected["deletes_of_absent_level"]));
    one.check_book(&expected["final_book"]);
}

#[test]
fn prints_of_kraken_over_rest() {
    let entry = "kraken-rest/http_trades.json";
    let Some((account, _)) = account(entry) else { return };
    let (one, expected) = (account.one("XBTUSDT"), figures(entry));
    one.check_prints(&expected, "rows");
    assert_eq!(plain(one.taken_by(Side::Buy)), text(&expected["buy_volume"]));
    let times = [one.prints.first(), one.prints.last()].map(|print| print.unwrap().ts.nanos());
    assert_eq!(times.map(Some), [expected["first_ns"].as_i64(), expected["last_ns"].as_i64()]);
    let bars = &expected["bars_1m (floor to ms first)"];
    assert_eq!(one.bars().0 as u64, number(&bars["bars"]));
    assert_eq!(one.bars().1, text(&bars["canonical_sha256"]));
}

#[test]
fn bars_of_kraken_over_rest_end_before_the_open_one() {
    let entry = "kraken-rest/http_ohlc.json";
    let Some((account, notes)) = account(entry) else { return };
    let (one, expected) = (account.one("XBTUSDT"), figures(entry));
    assert_eq!(noted(&notes, "bars that are still open"), 1);
    assert_eq!(one.bars_given.len() as u64, number(&expected["rows"]) - 1);
    let volume: rust_decimal::Decimal = one.bars_given.iter().map(|bar| bar.volume).sum();
    assert_eq!(plain(volume), text(&expected["volume"]));
    assert!(one.bars_given.iter().all(|bar| bar.low > rust_decimal::Decimal::ZERO));
    assert!(
        one.bars_given
            .iter()
            .all(|bar| bar.step == rust_decimal::Decimal::from(60_000_000_000_u64))
    );
}
