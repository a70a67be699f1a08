//! The captures with a time before each message.

use qt_market::book::State;
use qt_model::time::Ts;
use qt_model::words::Side;
use qt_stream::import::Hints;
use serde_json::Value;

use super::account::{Account, plain};
use super::{account, data, figures, import, noted, number, text};
use crate::binance::{OLD_UPDATE, SEQUENCE_GAP};

const FOLDER: &str = "hftbacktest-raw";

/// Imports a file with the instants of its figures watched.
fn watched(names: &[&str], symbol: &str, expected: &Value) -> Option<(Account, u64, u64)> {
    let folder = data()?.join(FOLDER);
    let mut account = Account::default();
    let tops = expected.get("book_tops_before_local_minute").and_then(Value::as_array);
    let instants = tops.into_iter().flatten().map(|top| &top["local_ts_ns_before"]);
    account.of.entry(symbol.to_owned()).or_default().watch =
        instants.map(|instant| Ts::from_nanos(instant.as_i64().unwrap())).collect();
    let (mut old, mut gaps) = (0, 0);
    for name in names {
        let notes = import(&folder.join(name), &Hints::default(), &mut |batch| account.take(batch));
        old += noted(&notes, OLD_UPDATE);
        gaps += noted(&notes, SEQUENCE_GAP);
    }
    Some((account, old, gaps))
}

fn check(name: &str, symbol: &str) {
    // Old orders rest in the book at a finer lot than that of today, 0.00001.
    let decimals = if name.starts_with("spot") { (2, 6) } else { (1, 3) };
    if data().is_none() {
        return;
    }
    let expected = figures(&format!("{FOLDER}/{name}"));
    let Some((account, old, gaps)) = watched(&[name], symbol, &expected) else { return };
    let one = account.one(symbol);
    let terms = one.instrument.as_ref().expect("there are records");
    let scales = (terms.px_scale.digits(), terms.qty_scale.digits());
    assert_eq!(
        scales,
        if symbol.ends_with("PERP") { (2, 0) } else { decimals },
        "as few as needed"
    );
    let trades = &expected["trades"];
    one.check_prints(trades, "counted_price_and_qty_nonzero");
    assert_eq!(plain(one.taken_by(Side::Sell)), text(&trades["taker_sell_volume"]));
    let ids = [one.prints.first(), one.prints.last()].map(|print| print.and_then(|it| it.id));
    assert_eq!(ids, [trades["first_id"].as_u64(), trades["last_id"].as_u64()]);
    let bars = &expected["bars_1m_by_T"];
    assert_eq!(one.bars().0 as u64, number(&bars["bars"]));
    assert_eq!(one.bars().1, text(&bars["canonical_sha256"]));
    let depth = &expected["depth"];
    assert_eq!(one.deltas + old, number(&depth["events"]));
    assert_eq!((gaps, one.gaps), (number(&depth["chain_gaps"]), gaps));
    assert_eq!(one.crossed, number(&depth["crossed_after_event"]));
    assert_eq!(one.locked, number(&depth["locked_after_event"]));
    assert_eq!(one.quotes, number(&expected["counts"]["bookTicker"]));
    assert_eq!(one.marks, expected["counts"].get("markPrice").map_or(0, number));
    assert_eq!(one.fundings, one.marks);
    if expected.get("snapshot").is_none() {
        assert_eq!((one.snapshots, one.book.state()), (0, State::NoBook));
        assert_eq!(one.ignored_deltas, one.deltas);
        return;
    }
    assert_eq!(one.snapshots, 1);
    // The figures pair neighbours in the file, this pairs all: more of them, and none that differs.
    let (same, other) = one.agreement();
    assert!(same >= number(&depth["book_equal_bookTicker_at_same_u"]), "{same}");
    assert_eq!(other, number(&depth["book_differs_from_bookTicker_at_same_u"]));
    one.check_tops(&expected["book_tops_before_local_minute"]);
    one.check_book(&expected["book_at_end_of_file"]);
}

#[test]
fn spot_with_a_late_snapshot() {
    check("spot_btcusdt_20240808.gz", "BTCUSDT");
}

#[test]
fn spot_in_microseconds_without_a_snapshot() {
    check("spot_btcusdt_20230405.dat.gz", "BTCUSDT");
}

#[test]
fn dollar_margined_in_microseconds_with_marks() {
    check("usdm_btcusdt_20230404.dat.gz", "BTCUSDT");
}

#[test]
fn dollar_margined_in_july() {
    check("usdm_btcusdt_20240718.gz", "BTCUSDT");
}

#[test]
fn dollar_margined_in_august() {
    check("usdm_btcusdt_20240808.gz", "BTCUSDT");
}

#[test]
fn coin_margined() {
    check("cm_ethusd_perp_20240808.gz", "ETHUSD_PERP");
}

#[test]
fn a_day_that_continues_another_has_no_book_of_its_own_and_goes_on_with_it() {
    if data().is_none() {
        return;
    }
    let (first, second) = ("spot_btcusdt_20240808.gz", "spot_btcusdt_20240809.gz");
    let expected = figures(&format!("{FOLDER}/{second}"));
    let Some((alone, ..)) = watched(&[second], "BTCUSDT", &Value::Null) else { return };
    let one = alone.one("BTCUSDT");
    assert_eq!(one.book.state(), State::NoBook);
    assert_eq!(one.ignored_deltas, number(&expected["depth"]["events"]));
    one.check_prints(&expected["trades"], "counted_price_and_qty_nonzero");
    assert_eq!(one.bars().1, text(&expected["bars_1m_by_T"]["canonical_sha256"]));

    let Some((both, ..)) = watched(&[first, second], "BTCUSDT", &expected) else { return };
    let one = both.one("BTCUSDT");
    one.check_tops(&expected["book_tops_before_local_minute"]);
    one.check_book(&expected["book_at_end_of_file"]);
    assert_eq!(one.gaps, 0);
}

#[test]
fn clocks_may_disagree_and_run_backward() {
    let Some((account, _)) = account(&format!("{FOLDER}/usdm_btcusdt_20240808.gz")) else { return };
    let one = account.one("BTCUSDT");
    assert!(one.prints.iter().all(|print| print.ts_recv < print.ts), "the host was behind");
    let Some((spot, _)) = self::account(&format!("{FOLDER}/spot_btcusdt_20240808.gz")) else {
        return;
    };
    assert_eq!(spot.one("BTCUSDT").quotes_with_event_time, 0);
    let last = spot.one("BTCUSDT").prints.last().unwrap();
    assert_ne!(last.ts.date(), last.ts_recv.date(), "the file ends at local midnight");
}

#[test]
fn hyperliquid_is_pictures_and_prints() {
    let name = "hftbacktest-raw/hyperliquid_btcusd_20250126.gz";
    let Some((account, _)) = account(name) else { return };
    let (one, expected) = (account.one("BTC"), figures(name));
    let trades = &expected["trades"];
    one.check_prints(trades, "n");
    assert_eq!(plain(one.taken_by(Side::Buy)), text(&trades["buy_side_B_volume"]));
    assert_eq!(one.snapshots, number(&expected["channels"]["l2Book"]));
    assert_eq!((one.deltas, one.crossed), (0, number(&expected["crossed"])));
    assert_eq!((one.book.bids().len(), one.book.asks().len()), (20, 20));
    let last = &expected["last_top"];
    let normal = |value: &Value| plain(text(value).parse().unwrap());
    assert_eq!(one.top(Side::Buy, 1), [[normal(&last[1]), normal(&last[2])]]);
    assert_eq!(one.top(Side::Sell, 1), [[normal(&last[3]), normal(&last[4])]]);
    let first = Ts::from_nanos(expected["first_local_ts_ns"].as_i64().unwrap());
    let older = one.prints.iter().filter(|print| print.ts < first).count() as u64;
    assert_eq!(older, number(&trades["older_than_first_local_ts"]));
}
