//! Foreign exchange: Dukascopy, HistData, TrueFX, FXCM; and bars.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::compare::compare;
use super::figures::{self, Candle, Figures, Tick, Touch, put, text};
use super::{expected, one};
use qt_stream::import::Hints;

fn bids(touches: &[Touch]) -> Vec<Tick> {
    let bid = |it: &Touch| Tick { ms: figures::ms(it.ts), px: it.bid.unwrap(), qty: Decimal::ONE };
    touches.iter().map(bid).collect()
}

fn of_quotes(touches: &[Touch]) -> Figures {
    let mut found = Figures::new();
    figures::of_touches(&mut found, touches);
    let times: Vec<i64> = touches.iter().map(|it| figures::ms(it.ts)).collect();
    figures::times(&mut found, &times);
    for key in ["first_utc_ms", "first_utc_ms (EST fixed UTC-5, no DST)"] {
        put(&mut found, key, times[0]);
    }
    put(&mut found, "last_utc_ms", times[times.len() - 1]);
    let minutes = figures::minutes(&bids(touches), true);
    for key in ["bid_bars_1m", "bid_bars_1m_utc"] {
        put(&mut found, &format!("{key} (volume=tick count)"), minutes.clone());
    }
    found
}

fn named(symbol: &str) -> Hints {
    Hints { symbol: Some(symbol.to_owned()), ..Hints::default() }
}

#[test]
fn dukascopy_ticks_and_candles() {
    let Some(files) = expected("dukascopy-bi5/") else { return };
    let millions = Decimal::from(1_000_000);
    for (path, figures) in files {
        let import = one(&path, &Hints::default()).unwrap();
        let size = |qty: Option<Decimal>| text(qty.unwrap() / millions);
        let mut found;
        if path.ends_with("_ticks.bi5") {
            let touches = figures::touches(&import.batch);
            found = of_quotes(&touches);
            let row = |it: &Touch| {
                let (bid, ask) = (text(it.bid.unwrap()), text(it.ask.unwrap()));
                json!([figures::ms(it.ts), bid, ask, size(it.bid_qty), size(it.ask_qty)])
            };
            put(&mut found, "first", row(&touches[0]));
            put(&mut found, "last", row(&touches[touches.len() - 1]));
            let first = figures::ms(touches[0].ts);
            put(&mut found, "hour_start_utc_ms", first.div_euclid(3_600_000) * 3_600_000);
            let sum = |side: fn(&Touch) -> Option<Decimal>| {
                let sum = touches.iter().filter_map(side).sum::<Decimal>() / millions;
                text(sum.round_dp(2))
            };
            put(&mut found, "sum_bid_vol", sum(|it| it.bid_qty));
            put(&mut found, "sum_ask_vol", sum(|it| it.ask_qty));
        } else {
            let candles = figures::candles(&import.batch, ".bid");
            found = Figures::new();
            figures::of_candles(&mut found, &candles);
            let row = |it: &Candle| {
                let [open, high, low, close] = it.px.map(text);
                json!([it.open_ms / 1000, open, close, low, high, text(it.volume / millions)])
            };
            put(&mut found, "first", row(&candles[0]));
            put(&mut found, "last", row(&candles[candles.len() - 1]));
            figures::again(&mut found, "day_high", "high");
            figures::again(&mut found, "day_low", "low");
            figures::again(&mut found, "bad_rows", "bad_ohlc_rows");
            let volume = candles.iter().map(|it| it.volume).sum::<Decimal>() / millions;
            put(&mut found, "sum_volume", text(volume.round_dp(2)));
            let none = candles.iter().filter(|it| it.volume.is_zero()).count();
            put(&mut found, "zero_volume_rows", none);
        }
        compare(&path, &figures, &Value::Object(found));
    }
}

#[test]
fn histdata_ticks_are_five_hours_behind_all_year() {
    let Some(mut files) = expected("histdata/") else { return };
    let (path, figures) = files.remove(0);
    let touches = figures::touches(&one(&path, &named("EURUSD")).unwrap().batch);
    let mut found = of_quotes(&touches);
    let row = |it: &Touch| json!([null, text(it.bid.unwrap()), text(it.ask.unwrap()), null]);
    put(&mut found, "first", row(&touches[0]));
    put(&mut found, "last", row(&touches[touches.len() - 1]));
    assert!(touches.iter().all(|it| it.bid_qty.is_none() && it.ask_qty.is_none()));
    compare(&path, &figures, &Value::Object(found));
}

#[test]
fn truefx_ticks() {
    let Some(mut files) = expected("truefx/") else { return };
    let (path, figures) = files.remove(0);
    let touches = figures::touches(&one(&path, &Hints::default()).unwrap().batch);
    let mut found = of_quotes(&touches);
    let row = |it: &Touch| json!([null, text(it.bid.unwrap()), text(it.ask.unwrap())]);
    put(&mut found, "first", row(&touches[0]));
    put(&mut found, "last", row(&touches[touches.len() - 1]));
    compare(&path, &figures, &Value::Object(found));
    // The one row without a fraction is read as a whole second.
    let whole = touches.iter().filter(|it| it.ts.nanos() % 1_000_000_000 == 0).count();
    assert_eq!(whole, 1);
}

fn bar(it: &Candle) -> [String; 4] {
    it.px.map(text)
}

#[test]
fn fxcm_bids_and_asks_are_bars_of_two_instruments() {
    let Some(files) = expected("fxcm/") else { return };
    for (path, figures) in files {
        let side = if path.contains("-bid-") { ".bid" } else { ".ask" };
        let candles = figures::candles(&one(&path, &Hints::default()).unwrap().batch, side);
        let mut found = Figures::new();
        figures::of_candles(&mut found, &candles);
        let row = |it: &Candle| {
            let [open, high, low, close] = bar(it);
            json!([null, open, high, low, close])
        };
        let (first, last) = (&candles[0], &candles[candles.len() - 1]);
        put(&mut found, "first", row(first));
        put(&mut found, "last", row(last));
        put(&mut found, "first_utc_ms", first.open_ms);
        put(&mut found, "last_utc_ms", last.open_ms);
        compare(&path, &figures, &Value::Object(found));
    }
}

#[test]
fn bars_of_a_month() {
    let Some(mut files) = expected("bars/") else { return };
    let (path, figures) = files.remove(0);
    let import = one(&path, &Hints::default()).unwrap();
    assert_eq!(import.batch.instruments().iter().next().unwrap().symbol.as_str(), "xcme:6EH4");
    let candles = figures::candles(&import.batch, "");
    let mut found = Figures::new();
    figures::of_candles(&mut found, &candles);
    let row = |it: &Candle| {
        let [open, high, low, close] = bar(it);
        json!([null, open, high, low, close, text(it.volume)])
    };
    put(&mut found, "first", row(&candles[0]));
    put(&mut found, "last", row(&candles[candles.len() - 1]));
    let mut days: BTreeMap<String, Vec<Candle>> = BTreeMap::new();
    for candle in &candles {
        let ts = qt_model::time::Ts::from_nanos(candle.open_ms * 1_000_000);
        days.entry(ts.date().to_string()).or_default().push(*candle);
    }
    let day = |all: &Vec<Candle>| {
        let mut of = Figures::new();
        figures::of_candles(&mut of, all);
        json!([of["open"], of["high"], of["low"], of["close"], of["volume"], all.len()])
    };
    let days: Figures = days.iter().map(|(date, all)| (date.clone(), day(all))).collect();
    put(&mut found, "utc_day_bars[o,h,l,c,v,n]", Value::Object(days));
    compare(&path, &figures, &Value::Object(found));
}
