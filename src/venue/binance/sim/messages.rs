//! Records as the messages that the venue sends of them. Pure.

use qt_model::record::{Depth, Level, Mark, Quote, Trade};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty};
use qt_model::words::Side;

use super::super::Market;
use super::instruments::Face;

/// The unit of times in messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum TimeUnit {
    #[default]
    Millis,
    Micros,
}

impl TimeUnit {
    pub(super) fn count(self, ts: Ts) -> i64 {
        match self {
            Self::Millis => ts.nanos().div_euclid(1_000_000),
            Self::Micros => ts.nanos().div_euclid(1_000),
        }
    }
}

/// The numbers of a depth update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ids {
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) prev: u64,
}

fn put(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

fn event(face: &Face, name: &str, ts: i64) -> Vec<u8> {
    format!(r#"{{"e":"{name}","E":{ts},"s":"{}""#, face.name).into_bytes()
}

pub(super) fn trade(face: &Face, row: &Trade, id: u64, unit: TimeUnit) -> Vec<u8> {
    let ts = unit.count(row.head.ts_event);
    let mut out = event(face, "trade", ts);
    put(&mut out, &format!(r#","t":{id}"#));
    price_and_size(face, row, &mut out);
    put(&mut out, &format!(r#","T":{ts},"m":{},"M":true}}"#, buyer_is_maker(row)));
    out
}

pub(super) fn agg_trade(face: &Face, row: &Trade, id: u64, unit: TimeUnit) -> Vec<u8> {
    let ts = unit.count(row.head.ts_event);
    let mut out = event(face, "aggTrade", ts);
    put(&mut out, &format!(r#","a":{id}"#));
    price_and_size(face, row, &mut out);
    let maker = buyer_is_maker(row);
    put(&mut out, &format!(r#","f":{id},"l":{id},"T":{ts},"m":{maker}}}"#));
    out
}

fn price_and_size(face: &Face, row: &Trade, out: &mut Vec<u8>) {
    put(out, r#","p":"#);
    face.px(row.px, out);
    put(out, r#","q":"#);
    face.qty(row.qty, out);
}

/// A seller who came met a buyer who rested.
fn buyer_is_maker(row: &Trade) -> bool {
    row.side == Some(Side::Sell)
}

pub(super) fn quote(face: &Face, row: &Quote, id: u64, unit: TimeUnit) -> Vec<u8> {
    let ts = unit.count(row.head.ts_event);
    let mut out = match face.market {
        Market::Spot => format!(r#"{{"u":{id},"s":"{}""#, face.name),
        Market::UsdM | Market::CoinM => {
            format!(r#"{{"e":"bookTicker","u":{id},"s":"{}""#, face.name)
        }
    }
    .into_bytes();
    let side =
        |px: Option<Px>, qty: Option<Qty>| (px.unwrap_or_default(), qty.unwrap_or(Qty::ZERO));
    let (bid, bid_qty) = side(row.bid_px, row.bid_qty);
    let (ask, ask_qty) = side(row.ask_px, row.ask_qty);
    put(&mut out, r#","b":"#);
    face.px(bid, &mut out);
    put(&mut out, r#","B":"#);
    face.qty(bid_qty, &mut out);
    put(&mut out, r#","a":"#);
    face.px(ask, &mut out);
    put(&mut out, r#","A":"#);
    face.qty(ask_qty, &mut out);
    if face.market != Market::Spot {
        put(&mut out, &format!(r#","T":{ts},"E":{ts}"#));
    }
    out.push(b'}');
    out
}

pub(super) fn update(
    face: &Face,
    row: &Depth,
    ids: Ids,
    levels: &[Level],
    unit: TimeUnit,
) -> Vec<u8> {
    let ts = unit.count(row.head.ts_event);
    let Ids { first, last, prev } = ids;
    let mut out = match face.market {
        Market::Spot => event(face, "depthUpdate", ts),
        Market::UsdM | Market::CoinM => {
            format!(r#"{{"e":"depthUpdate","E":{ts},"T":{ts},"s":"{}""#, face.name).into_bytes()
        }
    };
    put(&mut out, &format!(r#","U":{first},"u":{last}"#));
    if face.market != Market::Spot {
        put(&mut out, &format!(r#","pu":{prev}"#));
    }
    put(&mut out, r#","b":"#);
    side(face, levels.iter().filter(|level| level.side == Side::Buy), &mut out);
    put(&mut out, r#","a":"#);
    side(face, levels.iter().filter(|level| level.side == Side::Sell), &mut out);
    out.push(b'}');
    out
}

/// `[["price","size"],…]`.
pub(super) fn side<'a>(face: &Face, levels: impl Iterator<Item = &'a Level>, out: &mut Vec<u8>) {
    out.push(b'[');
    for (at, level) in levels.enumerate() {
        put(out, if at == 0 { "[" } else { ",[" });
        face.px(level.px, out);
        out.push(b',');
        face.qty(level.qty, out);
        out.push(b']');
    }
    out.push(b']');
}

/// The best levels, again and again.
pub(super) fn picture(
    face: &Face,
    row: &Depth,
    ids: Ids,
    best: &[Level],
    unit: TimeUnit,
) -> Vec<u8> {
    if face.market != Market::Spot {
        return update(face, row, ids, best, unit);
    }
    let mut out = format!(r#"{{"lastUpdateId":{},"bids":"#, ids.last).into_bytes();
    side(face, best.iter().filter(|level| level.side == Side::Buy), &mut out);
    put(&mut out, r#","asks":"#);
    side(face, best.iter().filter(|level| level.side == Side::Sell), &mut out);
    out.push(b'}');
    out
}

pub(super) fn mark(face: &Face, row: &Mark, funding: &str, unit: TimeUnit) -> Vec<u8> {
    let ts = unit.count(row.head.ts_event);
    let index = row.index_px.unwrap_or(row.mark_px);
    let mut out = event(face, "markPriceUpdate", ts);
    let due = ts - ts.rem_euclid(8 * 3_600_000) + 8 * 3_600_000;
    put(
        &mut out,
        &format!(
            r#","p":"{}","i":"{index}","P":"{}","r":"{funding}","T":{due}}}"#,
            row.mark_px, row.mark_px
        ),
    );
    out
}
