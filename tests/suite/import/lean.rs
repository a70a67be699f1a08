//! Every archive of the Lean folders.

use qt_model::record::{Batch, Other};
use qt_model::units::Scale;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::compare::compare;
use super::figures::{self, Candle, Figures, Tick, put, text};
use super::{expected, import};
use qt_stream::import::Hints;

/// Midnight of a file's day on the clock of its folder, in milliseconds: New York is four hours
/// behind in all files of shares here, the broker always five.
fn midnight(path: &str) -> i64 {
    let name = path.rsplit('/').next().unwrap();
    let Ok(day) = name[..8.min(name.len())].parse::<u32>() else { return 0 };
    let date = qt_model::time::Date::new((day / 10_000).cast_signed(), day / 100 % 100, day % 100);
    let hours = if path.contains("/equity/") {
        4
    } else if path.contains("/fxcm/") {
        5
    } else {
        0
    };
    figures::ms(date.unwrap().start()) + hours * 3_600_000
}

/// Shares are priced in ten-thousandths.
fn unit(path: &str) -> Decimal {
    if path.contains("/equity/") { Decimal::from(10_000) } else { Decimal::ONE }
}

fn of_member(path: &str, batch: &Batch) -> Figures {
    let mut found = Figures::new();
    let midnight = midnight(path);
    let priced = |px: Decimal| Value::from(text(px * unit(path)));
    let is_tick = path.contains("/tick/");
    if path.contains("openinterest") {
        let rows = batch.rows::<Other>();
        let row = |other: &Other| {
            let json: Value = serde_json::from_str(&other.json).unwrap();
            let at = figures::ms(other.head.ts_event) - midnight;
            json!([at, json["open_interest"]])
        };
        put(&mut found, "rows", rows.len());
        put(&mut found, "first_row", row(&rows[0]));
        put(&mut found, "last_row", row(&rows[rows.len() - 1]));
        let times: Vec<i64> = rows.iter().map(|row| figures::ms(row.head.ts_event)).collect();
        figures::times(&mut found, &times);
    } else if is_tick && path.contains("_trade") {
        let ticks = figures::ticks(batch);
        figures::of_ticks(&mut found, &ticks);
        let times: Vec<i64> = ticks.iter().map(|tick| tick.ms).collect();
        figures::times(&mut found, &times);
        let row = |tick: &Tick| {
            json!([tick.ms - midnight, priced(tick.px), text(tick.qty), null, null, null])
        };
        put(&mut found, "first_row", row(&ticks[0]));
        put(&mut found, "last_row", row(&ticks[ticks.len() - 1]));
        let of_day = |tick: &Tick| Tick { ms: tick.ms - midnight, ..*tick };
        let of_day: Vec<Tick> = ticks.iter().map(of_day).collect();
        let bars = figures::minutes(&of_day, false);
        put(&mut found, "bars_1m_from_unsuspicious_ticks (ms after midnight ET)", bars);
    } else if is_tick {
        let touches = figures::touches(batch);
        figures::of_touches(&mut found, &touches);
        let times: Vec<i64> = touches.iter().map(|it| figures::ms(it.ts)).collect();
        figures::times(&mut found, &times);
        let row = |it: &figures::Touch| {
            let px = |px: Option<Decimal>| px.map_or(json!("0"), priced);
            let qty = |qty: Option<Decimal>| json!(qty.map_or("0".to_owned(), text));
            let at = figures::ms(it.ts) - midnight;
            match path.contains("/forex/") {
                true => json!([at, px(it.bid), px(it.ask)]),
                false => json!([
                    at,
                    px(it.bid),
                    qty(it.bid_qty),
                    px(it.ask),
                    qty(it.ask_qty),
                    null,
                    null,
                    null
                ]),
            }
        };
        put(&mut found, "first_row", row(&touches[0]));
        put(&mut found, "last_row", row(&touches[touches.len() - 1]));
        let mids = touches.iter().filter_map(|it| {
            let px = (it.bid? + it.ask?) / Decimal::TWO;
            Some(Tick { ms: figures::ms(it.ts) - midnight, px, qty: Decimal::ONE })
        });
        let mids: Vec<Tick> = mids.collect();
        put(&mut found, "mid_bars_1m (volume=tick count)", figures::minutes(&mids, true));
    } else {
        of_bars(path, midnight, batch, &mut found);
    }
    found
}

fn of_bars(path: &str, midnight: i64, batch: &Batch, found: &mut Figures) {
    let trades = figures::candles(batch, "");
    if !trades.is_empty() {
        figures::of_candles(found, &trades);
        let row = |it: &Candle| {
            let px = it.px.map(|px| text(px * unit(path)));
            let at = if midnight == 0 { Value::Null } else { json!(it.open_ms - midnight) };
            json!([at, px[0], px[1], px[2], px[3], text(it.volume)])
        };
        put(found, "first_row", row(&trades[0]));
        put(found, "last_row", row(&trades[trades.len() - 1]));
        let session = (9 * 60 + 30) * 60_000..16 * 60 * 60_000;
        let regular: Vec<_> =
            trades.iter().filter(|it| session.contains(&(it.open_ms - midnight))).collect();
        let volume = text(regular.iter().map(|it| it.volume).sum());
        put(
            found,
            "regular_session_0930_1600_ET",
            json!({ "rows": regular.len(), "volume": volume }),
        );
        return;
    }
    let (bids, asks) = (figures::candles(batch, ".bid"), figures::candles(batch, ".ask"));
    let touches = figures::touches(batch);
    figures::of_touches(found, &touches);
    let times: Vec<i64> = touches.iter().map(|it| figures::ms(it.ts)).collect();
    figures::times(found, &times);
    let empty = touches.iter().filter(|it| it.bid.is_none() || it.ask.is_none()).count();
    put(found, "rows_with_empty_bid_or_ask", empty);
    // The last row that has both sides.
    let last = touches.iter().filter_map(|it| it.bid.zip(it.ask)).next_back();
    put(found, "bid_close_last", last.map(|(bid, _)| text(bid)));
    put(found, "ask_close_last", last.map(|(_, ask)| text(ask)));
    figures::again(found, "close_crossed", "crossed");
    let is_with = |it: &Candle, others: &[Candle]| {
        others.binary_search_by_key(&it.open_ms, |other| other.open_ms).is_ok()
    };
    let bids_with = bids.iter().filter(|it| is_with(it, &asks));
    put(found, "bid_high", bids_with.map(|it| it.px[1]).max().map(text));
    let asks_with = asks.iter().filter(|it| is_with(it, &bids));
    put(found, "ask_low", asks_with.map(|it| it.px[2]).min().map(text));
    // The close of a row is the quote; its bars are looked up by the time that they began.
    let row = |it: &figures::Touch| -> Value {
        let close = |px: Option<Decimal>| px.map_or(Value::Null, |px| text(px * unit(path)).into());
        let nothing = Value::Null;
        let mut row = vec![nothing; 11];
        (row[4], row[9]) = (close(it.bid), close(it.ask));
        row.into()
    };
    put(found, "first_row", row(&touches[0]));
    put(found, "last_row", row(&touches[touches.len() - 1]));
}

#[test]
fn every_archive_holds_what_others_found_in_it() {
    let Some(files) = expected("lean/") else { return };
    let (mut archives, mut compared) = (0, 0);
    for (path, members) in files.iter().filter(|(path, _)| path.ends_with(".zip")) {
        // One file has sizes with the noise of floats, which no exact scale can hold.
        let hints = match path.ends_with("coinbase/minute/btcusd/20180404_quote.zip") {
            true => Hints { qty_scale: Scale::new(8).ok(), round: true, ..Hints::default() },
            false => Hints::default(),
        };
        let found = import(path, &hints).unwrap();
        assert_eq!(found.len(), members.as_object().unwrap().len(), "{path}");
        for (name, import) in found {
            assert_eq!(import.format, "lean");
            let found = Value::Object(of_member(path, &import.batch));
            compared += compare(&format!("{path}/{name}"), &members[&name], &found);
        }
        archives += 1;
    }
    assert!(archives > 30 && compared > 500, "{archives} archives, {compared} figures");
}

#[test]
fn factors_and_mappings_are_kept_as_they_are_written() {
    let Some(files) = expected("lean/equity/usa/factor_files") else { return };
    for (path, figures) in files {
        let (_, import) = import(&path, &Hints::default()).unwrap().remove(0);
        let rows = import.batch.rows::<Other>();
        assert_eq!(rows.len() as u64, figures["rows"].as_u64().unwrap(), "{path}");
        let row = |other: &Other| -> Value { serde_json::from_str(&other.json).unwrap() };
        let found = |other: &Other| {
            let row = row(other);
            json!([row["price_factor"], row["split_factor"], row["reference_px"]])
        };
        for (key, other) in [("first", &rows[0]), ("last", &rows[rows.len() - 1])] {
            let expected = &figures[key].as_array().unwrap()[1..];
            assert_eq!(found(other), Value::from(expected.to_vec()), "{path}");
        }
    }
}
