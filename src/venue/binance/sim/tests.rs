//! The venue as its clients meet it, without sockets: answers, control messages, messages.

use qt_model::instrument::{Instrument, Instruments, Symbol};
use qt_model::record::{Depth, Head, Level, Quote, Trade};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::{DepthAction, Side};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::super::Market;
use super::control;
use super::messages::{self, Ids, TimeUnit};
use super::rest;
use super::state::{Channel, Client, Venue};

const NOW: Ts = Ts::from_nanos(1_767_312_245_678_901_234);

fn table() -> Instruments {
    let mut table = Instruments::default();
    let scale = |digits| Scale::new(digits).unwrap();
    for symbol in ["binance:BTCUSDT", "binance-usdm:BTCUSDT"] {
        let symbol = Symbol::new(symbol).unwrap();
        table.declare(Instrument::new(symbol, scale(2), scale(3))).unwrap();
    }
    table
}

fn venue() -> Venue {
    let mut venue = Venue::default();
    venue.know(&table(), Market::Spot);
    venue
}

fn level(side: Side, px: i64, qty: i64) -> Level {
    Level { px: Px::new(px), qty: Qty::new(qty).unwrap(), side }
}

fn depth(action: DepthAction, last_id: u64) -> Depth {
    let head = Head::new(NOW, NOW, 0, table().find("binance:BTCUSDT"));
    Depth { head, action, first_id: None, last_id: Some(last_id), prev_id: None }
}

fn get(venue: &Venue, url: &str) -> (u16, Value) {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let answer = rest::answer(venue, path, query, NOW);
    (answer.status, serde_json::from_str(&answer.body).unwrap())
}

#[test]
fn wrong_questions_get_the_codes_of_the_venue() {
    let venue = venue();
    for (url, status, code) in [
        ("/api/v3/depth", 400, -1102),
        ("/api/v3/depth?symbol=", 400, -1102),
        ("/api/v3/depth?symbol=btcusdt", 400, -1100),
        ("/api/v3/depth?symbol=ETHUSDT", 400, -1121),
        ("/api/v3/depth?symbol=BTCUSDT&limit=ten", 400, -1100),
        ("/api/v3/depth?symbol=BTCUSDT&limit=0", 400, -1130),
        ("/fapi/v1/depth?symbol=BTCUSDT&limit=7", 400, -1130),
        ("/api/v3/exchangeInfo?symbol=NOPE", 400, -1121),
        ("/api/v3/exchangeInfo?symbols=BTCUSDT", 400, -1100),
        ("/api/v3/klines", 404, -5000),
        ("/api/v1/depth?symbol=BTCUSDT", 404, -5000),
    ] {
        let (found, body) = get(&venue, url);
        assert_eq!((found, &body["code"]), (status, &code.into()), "{url}");
        assert!(body["msg"].is_string());
    }
}

#[test]
fn books_have_the_shape_and_the_decimals_of_their_market() {
    let mut venue = venue();
    let levels = [level(Side::Buy, 10_000, 1_500), level(Side::Sell, 10_001, 20)];
    for at in 0..2 {
        let sent = venue.entries[at].apply(&depth(DepthAction::Snapshot, 77), &levels);
        assert_eq!(sent, None, "a first book goes out to nobody");
    }
    assert_eq!(
        get(&venue, "/api/v3/depth?symbol=BTCUSDT&limit=1").1,
        json!({"lastUpdateId": 77, "bids": [["100.00000000", "1.50000000"]], "asks": [["100.01000000", "0.02000000"]]})
    );
    assert_eq!(
        get(&venue, "/fapi/v1/depth?symbol=BTCUSDT&limit=5").1,
        json!({"lastUpdateId": 77, "E": 1_767_312_245_678_i64, "T": 1_767_312_245_678_i64, "bids": [["100.00", "1.500"]], "asks": [["100.01", "0.020"]]})
    );
    assert_eq!(get(&venue, "/api/v3/time").1, json!({"serverTime": 1_767_312_245_678_i64}));
    assert_eq!(get(&venue, "/fapi/v1/ping").1, json!({}));
}

#[test]
fn instruments_tell_their_ticks() {
    let venue = venue();
    let (_, spot) = get(&venue, "/api/v3/exchangeInfo?symbols=%5B%22BTCUSDT%22%5D");
    let symbol = &spot["symbols"][0];
    assert_eq!((&symbol["baseAsset"], &symbol["quoteAsset"]), (&"BTC".into(), &"USDT".into()));
    assert_eq!(symbol["filters"][0]["tickSize"], "0.01000000");
    assert_eq!(symbol["filters"][1]["stepSize"], "0.00100000");
    let (_, futures) = get(&venue, "/fapi/v1/exchangeInfo");
    let symbol = &futures["symbols"][0];
    assert_eq!(
        (&symbol["contractType"], &symbol["pricePrecision"]),
        (&"PERPETUAL".into(), &2.into())
    );
    assert_eq!(symbol["filters"][0]["tickSize"], "0.01");
    assert_eq!(futures["symbols"].as_array().unwrap().len(), 1);
}

fn client(venue: &mut Venue) -> u64 {
    let (sender, _) = mpsc::channel(1);
    venue.join(Client {
        market: Market::Spot,
        sender,
        waiting: Vec::new(),
        is_combined: false,
        unit: TimeUnit::Millis,
        streams: Default::default(),
    })
}

#[test]
fn control_messages_are_answered_in_order() {
    let mut venue = venue();
    let id = client(&mut venue);
    let mut ask = |text: &str| -> Value {
        serde_json::from_str(&control::answer(&mut venue, id, text)).unwrap()
    };
    let subscribe = r#"{"method":"SUBSCRIBE","params":["btcusdt@trade","btcusdt@depth@100ms","nobody@trade"],"id":1}"#;
    assert_eq!(ask(subscribe), json!({"result": null, "id": 1}));
    assert_eq!(
        ask(r#"{"method":"LIST_SUBSCRIPTIONS","id":"x"}"#),
        json!({"result": ["btcusdt@depth@100ms", "btcusdt@trade", "nobody@trade"], "id": "x"})
    );
    assert_eq!(
        ask(r#"{"method":"UNSUBSCRIBE","params":["btcusdt@trade"],"id":2}"#),
        json!({"result": null, "id": 2})
    );
    assert_eq!(ask(r#"{"method":"SET_PROPERTY","params":["combined",true],"id":3}"#)["id"], 3);
    assert_eq!(ask(r#"{"method":"GET_PROPERTY","params":["combined"],"id":4}"#)["result"], true);
    for wrong in [
        "{",
        "[]",
        r#"{"id":1}"#,
        r#"{"method":"FETCH","id":1}"#,
        r#"{"method":"SUBSCRIBE","id":1}"#,
        r#"{"method":"SUBSCRIBE","params":[7],"id":1}"#,
        r#"{"method":"SUBSCRIBE","params":[],"id":{}}"#,
        r#"{"method":"SUBSCRIBE","params":[],"id":1,"more":1}"#,
        r#"{"method":"SET_PROPERTY","params":["combined"],"id":1}"#,
    ] {
        let answer = ask(wrong);
        assert!(answer["code"].is_i64() && answer["msg"].is_string(), "{wrong}: {answer}");
    }
    assert_eq!(venue.listeners(0, Channel::Trade).len(), 0);
    assert_eq!(venue.listeners(0, Channel::Depth).len(), 1);
    venue.leave(id);
    assert_eq!((venue.streams(), venue.listeners(0, Channel::Depth).len()), (0, 0));
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

#[test]
fn messages_have_the_fields_of_their_market_in_its_units() {
    let venue = venue();
    let (spot, futures) = (&venue.entries[0].face, &venue.entries[1].face);
    let head = Head::new(NOW, NOW, 0, table().find("binance:BTCUSDT"));
    let (px, qty) = (Px::new(10_000), Qty::new(1).unwrap());
    let trade = Trade { head, px, qty, side: Some(Side::Sell), id: Some(9) };
    assert_eq!(
        text(messages::trade(spot, &trade, 9, TimeUnit::Micros)),
        r#"{"e":"trade","E":1767312245678901,"s":"BTCUSDT","t":9,"p":"100.00000000","q":"0.00100000","T":1767312245678901,"m":true,"M":true}"#
    );
    assert_eq!(
        text(messages::agg_trade(futures, &trade, 9, TimeUnit::Millis)),
        r#"{"e":"aggTrade","E":1767312245678,"s":"BTCUSDT","a":9,"p":"100.00","q":"0.001","f":9,"l":9,"T":1767312245678,"m":true}"#
    );
    let (bid_px, bid_qty) = (Some(px), Some(qty));
    let quote = Quote { head, bid_px, bid_qty, ask_px: None, ask_qty: None, id: None };
    assert_eq!(
        text(messages::quote(spot, &quote, 5, TimeUnit::Millis)),
        r#"{"u":5,"s":"BTCUSDT","b":"100.00000000","B":"0.00100000","a":"0.00000000","A":"0.00000000"}"#
    );
    let ids = Ids { first: 3, last: 4, prev: 1 };
    let levels = [level(Side::Buy, 10_000, 0)];
    let update = |face, unit| {
        let bytes = messages::update(face, &depth(DepthAction::Delta, 4), ids, &levels, unit);
        serde_json::from_slice::<Value>(&bytes).unwrap()
    };
    assert_eq!(
        update(spot, TimeUnit::Millis),
        json!({"e": "depthUpdate", "E": 1_767_312_245_678_i64, "s": "BTCUSDT", "U": 3, "u": 4, "b": [["100.00000000", "0.00000000"]], "a": []})
    );
    assert_eq!(update(futures, TimeUnit::Millis)["pu"], 1);
    assert_eq!(update(futures, TimeUnit::Millis)["T"], 1_767_312_245_678_i64);
}

#[test]
fn a_later_snapshot_goes_out_as_what_changed() {
    let mut venue = venue();
    let entry = &mut venue.entries[0];
    let before = [level(Side::Buy, 100, 5), level(Side::Sell, 101, 5), level(Side::Sell, 102, 5)];
    entry.apply(&depth(DepthAction::Snapshot, 10), &before);
    let after = [level(Side::Buy, 100, 5), level(Side::Sell, 101, 7)];
    let (ids, levels) = entry.apply(&depth(DepthAction::Snapshot, 15), &after).unwrap();
    assert_eq!(ids, Ids { first: 11, last: 15, prev: 10 });
    assert_eq!(levels, [level(Side::Sell, 101, 7), level(Side::Sell, 102, 0)]);
    assert_eq!(entry.apply(&depth(DepthAction::Snapshot, 15), &after), None);
    // Numbers that nobody was told of would be a hole, so an empty update bridges them.
    let (ids, levels) = entry.apply(&depth(DepthAction::Snapshot, 20), &after).unwrap();
    assert_eq!((ids.first, ids.last, levels.len()), (16, 20, 0));
}
