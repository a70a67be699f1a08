//! The quick road: updates, prints and quotes of known instruments, as Binance writes them today.
//!
//! `None` is no error: the general road takes the message then, and either understands it or says
//! what is wrong. A test holds the two to one answer.

use qt_model::record::Level;
use qt_model::words::Side;

use super::said::{Prints, Said, aggressor, left};
use crate::desk::{Print, Touch};
use crate::epoch;
use crate::listing::{Listed, Listing};
use crate::scan::Scan;
use crate::sequence::Update;

/// Reads a message; levels of depth go to `levels`, which is empty.
#[inline]
pub(super) fn read(bytes: &[u8], listing: &mut Listing, levels: &mut Vec<Level>) -> Option<Said> {
    let mut scan = Scan::new(bytes);
    let is_wrapped = scan.eat(b"{\"stream\":").is_some();
    if is_wrapped {
        // Pictures of the best levels wear the clothes of updates on futures.
        let stream = scan.text()?;
        let at = memchr::memchr(b'@', stream)?;
        let kind = &stream[at..];
        if kind.starts_with(b"@depth") && kind.get(6).is_some_and(u8::is_ascii_digit) {
            return None;
        }
        scan.eat(b",\"data\":")?;
    }
    let said = event(&mut scan, listing, levels)?;
    if is_wrapped {
        scan.eat(b"}")?;
    }
    scan.is_done().then_some(said)
}

#[inline]
fn event(scan: &mut Scan<'_>, listing: &mut Listing, levels: &mut Vec<Level>) -> Option<Said> {
    if scan.rest().starts_with(b"{\"u\":") {
        scan.eat(b"{")?;
        return quote(scan, listing);
    }
    scan.eat(b"{\"e\":")?;
    let name = scan.text()?;
    scan.eat(b",")?;
    match name {
        b"depthUpdate" => update(scan, listing, levels),
        b"bookTicker" => quote(scan, listing),
        b"trade" => print(scan, listing, Prints::Single),
        b"aggTrade" => print(scan, listing, Prints::Aggregate),
        _ => None,
    }
}

fn update(scan: &mut Scan<'_>, listing: &mut Listing, levels: &mut Vec<Level>) -> Option<Said> {
    let (mut sent, mut matched, mut listed): (_, _, Option<Listed>) = (None, None, None);
    let (mut first, mut last, mut prev) = (None, None, None);
    let mut sides = 0;
    loop {
        match scan.key()? {
            b"E" => sent = Some(scan.whole()?),
            b"T" => matched = Some(scan.whole()?),
            b"s" => listed = Some(listing.find(scan.text()?)?),
            b"U" => first = Some(scan.whole()?),
            b"u" => last = Some(scan.whole()?),
            b"pu" => prev = Some(scan.whole()?),
            key @ (b"b" | b"a") => {
                let Listed { px, qty, .. } = listed?;
                let side = if key == b"b" { Side::Buy } else { Side::Sell };
                scan.levels(side, (px, qty), levels)?;
                sides += if side == Side::Buy { 1 } else { 16 };
            }
            b"st" => scan.eat(b"1")?,
            _ => scan.pass()?,
        }
        if !scan.more()? {
            break;
        }
    }
    let ts_event = Some(epoch::from_count(matched.or(sent)?)?);
    let update = Update { first: first?, last: last?, prev };
    (sides == 17).then_some(Said::Update { listed: listed?, ts_event, update })
}

fn quote(scan: &mut Scan<'_>, listing: &mut Listing) -> Option<Said> {
    let (mut sent, mut matched, mut listed): (_, _, Option<Listed>) = (None, None, None);
    let (mut bid, mut bid_qty, mut ask, mut ask_qty, mut id) = (None, None, None, None, None);
    loop {
        match scan.key()? {
            b"E" => sent = Some(scan.whole()?),
            b"T" => matched = Some(scan.whole()?),
            b"u" => id = Some(scan.whole()?),
            b"s" => listed = Some(listing.find(scan.text()?)?),
            b"b" => bid = Some(scan.px(listed?.px)?),
            b"B" => bid_qty = Some(scan.qty(listed?.qty)?),
            b"a" => ask = Some(scan.px(listed?.px)?),
            b"A" => ask_qty = Some(scan.qty(listed?.qty)?),
            b"st" => scan.eat(b"1")?,
            _ => scan.pass()?,
        }
        if !scan.more()? {
            break;
        }
    }
    let ts_event = match matched.or(sent) {
        Some(count) => Some(epoch::from_count(count)?),
        None => None,
    };
    let quote = Touch::new((bid?, bid_qty?), (ask?, ask_qty?), id);
    Some(Said::Quote { listed: listed?, ts_event, quote })
}

fn print(scan: &mut Scan<'_>, listing: &mut Listing, stream: Prints) -> Option<Said> {
    let (mut traded, mut listed): (_, Option<Listed>) = (None, None);
    let (mut id, mut px, mut qty, mut buyer_is_maker) = (None, None, None, None);
    let mut is_market = true;
    loop {
        match (scan.key()?, stream) {
            (b"T", _) => traded = Some(scan.whole()?),
            (b"s", _) => listed = Some(listing.find(scan.text()?)?),
            (b"t", Prints::Single) | (b"a", Prints::Aggregate) => id = Some(scan.whole()?),
            (b"p", _) => px = Some(scan.px(listed?.px)?),
            (b"q", _) => qty = Some(scan.qty(listed?.qty)?),
            (b"m", _) => buyer_is_maker = Some(scan.bool()?),
            (b"X", _) => is_market = scan.text()? == b"MARKET",
            (b"st", _) => scan.eat(b"1")?,
            _ => scan.pass()?,
        }
        if !scan.more()? {
            break;
        }
    }
    let ts_event = epoch::from_count(traded?)?;
    let (px, qty, side) = (px?, qty?, Some(aggressor(buyer_is_maker?)));
    let (listed, id) = (listed?, id?);
    if !is_market {
        return Some(Said::Left(left::NOT_MARKET));
    }
    if qty.is_zero() || px.mantissa() == 0 {
        return Some(Said::Left(left::NO_SIZE));
    }
    let print = Print { px, qty, side, id: Some(id) };
    Some(Said::Print { listed, ts_event, stream, print })
}
