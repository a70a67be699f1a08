//! REST: what a request is answered with. Pure but for the venue's state.

use qt_market::book::Resting;
use qt_model::record::Level;
use qt_model::time::Ts;
use qt_model::words::Side;
use serde_json::{Value, json};

use super::super::Market;
use super::messages;
use super::state::{Entry, Venue};

/// An answer, with what it costs.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
    pub(super) weight: u64,
}

/// Weight that one client may use in a minute.
pub(super) const fn weight_max(market: Market) -> u64 {
    match market {
        Market::Spot => 6_000,
        Market::UsdM | Market::CoinM => 2_400,
    }
}

pub(super) fn refuse(status: u16, code: i64, message: &str) -> Answer {
    Answer { status, body: json!({"code": code, "msg": message}).to_string(), weight: 1 }
}

fn done(body: String, weight: u64) -> Answer {
    Answer { status: 200, body, weight }
}

/// The market and the call of a path.
pub(super) fn route(path: &str) -> Option<(Market, &str)> {
    if let Some(call) = path.strip_prefix("/api/v3/") {
        return Some((Market::Spot, call));
    }
    path.strip_prefix("/fapi/v1/").map(|call| (Market::UsdM, call))
}

pub(super) fn answer(venue: &Venue, path: &str, query: &str, now: Ts) -> Answer {
    let Some((market, call)) = route(path) else { return missing(path) };
    match call {
        "ping" => done("{}".to_owned(), 1),
        "time" => done(json!({"serverTime": now.nanos() / 1_000_000}).to_string(), 1),
        "exchangeInfo" => exchange_info(venue, market, &parameters(query), now),
        "depth" => depth(venue, market, &parameters(query), now),
        _ => missing(path),
    }
}

fn missing(path: &str) -> Answer {
    refuse(404, -5000, &format!("Path {path}, Method GET is invalid"))
}

/// Names and values, decoded as in a URL.
fn parameters(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (unescape(name), unescape(value)))
        .collect()
}

fn unescape(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let hex = |byte: Option<u8>| char::from(byte?).to_digit(16);
        match byte {
            b'+' => out.push(b' '),
            b'%' => match (hex(bytes.next()), hex(bytes.next())) {
                (Some(high), Some(low)) => out.push(u8::try_from(high * 16 + low).unwrap_or(b'?')),
                _ => out.push(b'%'),
            },
            other => out.push(other),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn named<'a>(parameters: &'a [(String, String)], name: &str) -> Option<&'a str> {
    parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

fn find<'a>(venue: &'a Venue, market: Market, symbol: &str) -> Result<&'a Entry, Answer> {
    let is_plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || "-_.".contains(c);
    if symbol.is_empty() {
        let message = "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.";
        return Err(refuse(400, -1102, message));
    }
    if symbol.len() > 20 || !symbol.chars().all(is_plain) {
        let message = "Illegal characters found in parameter 'symbol'; legal range is \
                       '^[A-Z0-9-_.]{1,20}$'.";
        return Err(refuse(400, -1100, message));
    }
    venue.find(market, symbol).ok_or_else(|| refuse(400, -1121, "Invalid symbol."))
}

fn depth(venue: &Venue, market: Market, parameters: &[(String, String)], now: Ts) -> Answer {
    let entry = match find(venue, market, named(parameters, "symbol").unwrap_or_default()) {
        Ok(entry) => entry,
        Err(refused) => return refused,
    };
    let limit = match limit(market, named(parameters, "limit")) {
        Ok(limit) => limit,
        Err(refused) => return refused,
    };
    let mut body = format!(r#"{{"lastUpdateId":{}"#, entry.last).into_bytes();
    if market != Market::Spot {
        let ms = now.nanos() / 1_000_000;
        body.extend_from_slice(format!(r#","E":{ms},"T":{ms}"#).as_bytes());
    }
    let levels = |side: Side, resting: Vec<Resting>| {
        let level = move |it: Resting| Level { px: it.px, qty: it.qty, side };
        resting.into_iter().map(level).collect::<Vec<_>>()
    };
    let bids = levels(Side::Buy, entry.book.bids().take(limit).collect());
    let asks = levels(Side::Sell, entry.book.asks().take(limit).collect());
    body.extend_from_slice(br#","bids":"#);
    messages::side(&entry.face, bids.iter(), &mut body);
    body.extend_from_slice(br#","asks":"#);
    messages::side(&entry.face, asks.iter(), &mut body);
    body.push(b'}');
    done(String::from_utf8_lossy(&body).into_owned(), weight_of_depth(market, limit))
}

fn limit(market: Market, text: Option<&str>) -> Result<usize, Answer> {
    let default = if market == Market::Spot { 100 } else { 500 };
    let Some(text) = text else { return Ok(default) };
    let is_number =
        !text.is_empty() && text.len() <= 20 && text.bytes().all(|b| b.is_ascii_digit());
    if !is_number {
        let message = "Illegal characters found in parameter 'limit'; legal range is \
                       '^[0-9]{1,20}$'.";
        return Err(refuse(400, -1100, message));
    }
    let invalid = || refuse(400, -1130, "Data sent for parameter 'limit' is not valid.");
    let limit: usize = text.parse().unwrap_or(usize::MAX);
    match market {
        Market::Spot if limit == 0 => Err(invalid()),
        Market::Spot => Ok(limit.min(5_000)),
        Market::UsdM | Market::CoinM => {
            let known = [5, 10, 20, 50, 100, 500, 1_000];
            if known.contains(&limit) { Ok(limit) } else { Err(invalid()) }
        }
    }
}

fn weight_of_depth(market: Market, limit: usize) -> u64 {
    match (market, limit) {
        (Market::Spot, 0..=100) => 5,
        (Market::Spot, 101..=500) => 25,
        (Market::Spot, 501..=1_000) => 50,
        (Market::Spot, _) => 250,
        (_, 0..=50) => 2,
        (_, 51..=100) => 5,
        (_, 101..=500) => 10,
        (_, _) => 20,
    }
}

fn exchange_info(
    venue: &Venue,
    market: Market,
    parameters: &[(String, String)],
    now: Ts,
) -> Answer {
    let one = named(parameters, "symbol").map(|symbol| vec![symbol.to_owned()]);
    let many = match named(parameters, "symbols").map(serde_json::from_str::<Vec<String>>) {
        None => None,
        Some(Ok(names)) => Some(names),
        Some(Err(_)) => {
            let message = "Illegal characters found in parameter 'symbols'; legal range is \
                           '^\\[(\"[A-Z0-9-_.]{1,20}\"(,\"[A-Z0-9-_.]{1,20}\"){0,}){0,1}\\]$'.";
            return refuse(400, -1100, message);
        }
    };
    let mut symbols = Vec::new();
    match one.or(many) {
        None => symbols.extend(venue.of_market(market).map(|entry| entry.face.listing())),
        Some(names) => {
            for name in names {
                match find(venue, market, &name) {
                    Ok(entry) => symbols.push(entry.face.listing()),
                    Err(refused) => return refused,
                }
            }
        }
    }
    let weight = if market == Market::Spot { 20 } else { 1 };
    let mut body = json!({
        "timezone": "UTC", "serverTime": now.nanos() / 1_000_000,
        "rateLimits": rate_limits(market), "exchangeFilters": [], "symbols": symbols,
    });
    if market != Market::Spot {
        body["futuresType"] = "U_MARGINED".into();
        body["assets"] = json!([]);
    }
    done(body.to_string(), weight)
}

fn rate_limits(market: Market) -> Value {
    let limit = |kind: &str, interval: &str, number: u64, limit: u64| json!({"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": limit});
    match market {
        Market::Spot => json!([
            limit("REQUEST_WEIGHT", "MINUTE", 1, weight_max(market)),
            limit("ORDERS", "SECOND", 10, 50),
            limit("ORDERS", "DAY", 1, 160_000),
            limit("RAW_REQUESTS", "MINUTE", 5, 300_000),
        ]),
        Market::UsdM | Market::CoinM => json!([
            limit("REQUEST_WEIGHT", "MINUTE", 1, weight_max(market)),
            limit("ORDERS", "MINUTE", 1, 1_200),
            limit("ORDERS", "SECOND", 10, 300),
        ]),
    }
}
