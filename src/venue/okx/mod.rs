//! OKX: books with sequence numbers and, in older recordings, a checksum; prints; tickers.
//!
//! The checksum covers the 25 best levels of each side as text, bid and ask in turn, as a signed
//! number of 32 bits. It has been zero since 2026, when `seqId` and `prevSeqId` had long taken its
//! place; both are checked where they are given.

use qt_model::instrument::Terms;
use qt_model::record::{Batch, Level};
use qt_model::time::Ts;
use qt_model::words::{DepthAction, GapReason, InstrumentClass, Side};
use qt_stream::universe::Universe;

use crate::desk::{About, Desk, Ids, Print, Touch};
use crate::frame::{DecodeError, Decoder, Frame};
use crate::json::{Object, Tape, Value};
use crate::levels;
use crate::listing::{Listed, Scales, Sighting, Style, Styles};
use crate::tally::{Tally, left};
use crate::text_book::TextBook;

/// The venue in the names of its instruments.
pub const VENUE: &str = "okx";

/// How many levels of each side the checksum covers.
const CHECKED_LEVELS: usize = 25;

/// The decoder. See the module.
#[derive(Debug)]
pub struct Okx {
    desk: Desk,
    tape: Tape,
    /// By slot.
    books: Vec<Book>,
    levels: Vec<Level>,
    /// The text that the last checksum was taken over.
    checked: String,
}

#[derive(Debug)]
struct Book {
    sent: TextBook,
    is_live: bool,
    has_deltas: bool,
    last: Option<u64>,
    updated: Option<Ts>,
}

/// What an update says of its place.
struct Proof {
    last: Option<u64>,
    prev: Option<u64>,
    checksum: Option<i64>,
}

impl Okx {
    /// A decoder whose instruments go to `universe`.
    pub fn new(universe: &Universe, scales: Scales) -> Self {
        let styles = Styles { px: Style::Short, qty: Style::Short };
        let desk = Desk::new(VENUE, styles, universe, scales);
        Self {
            desk,
            tape: Tape::default(),
            books: Vec::new(),
            levels: Vec::new(),
            checked: String::new(),
        }
    }

    fn list<'s>(
        &mut self,
        name: &str,
        sighting: impl FnOnce() -> Sighting<'s>,
    ) -> Result<Listed, DecodeError> {
        let mut parts = name.splitn(3, '-');
        let (base, quote, ending) = (parts.next(), parts.next(), parts.next());
        let class = match ending {
            None => InstrumentClass::Spot,
            Some("SWAP") => InstrumentClass::Perpetual,
            Some(ending) if ending.contains('-') => InstrumentClass::Option,
            Some(_) => InstrumentClass::Future,
        };
        let terms = || Terms {
            class: Some(class),
            base: base.map(Into::into),
            quote: quote.map(Into::into),
            ..Terms::default()
        };
        self.desk.list(name, terms, sighting)
    }

    /// Whether changes of the whole book come for an instrument.
    fn has_book(&mut self, name: &str) -> bool {
        let listed = self.desk.listing.find(name.as_bytes());
        let book = listed.and_then(|listed| self.books.get(listed.slot));
        book.is_some_and(|book| book.has_deltas)
    }

    fn message(
        &mut self,
        message: Value<'_, '_>,
        ts_recv: Ts,
        batch: &mut Batch,
    ) -> Result<(), DecodeError> {
        let message = message.object()?;
        if message.has("event") || message.has("code") {
            return self.desk.leave(left::CONTROL);
        }
        let about = message.need("arg")?.object()?;
        let channel = about.need("channel")?.text()?;
        let data = message.need("data")?.array()?;
        match &*channel {
            "books" | "books5" | "books-l2-tbt" | "books50-l2-tbt" => {
                let name = about.need("instId")?.text()?;
                let action = message.get("action").map(|action| action.text()).transpose()?;
                let Some([data]) = data.exactly() else {
                    return Err(message.need("data")?.refuse("one book"));
                };
                let is_delta = action.as_deref() == Some("update");
                if channel == "books5" && self.has_book(&name) {
                    return self.desk.leave("pictures of a book that is known");
                }
                self.book(&name, is_delta, &data.object()?, ts_recv, batch)
            }
            "trades" | "trades-all" => {
                let prints = data.map(|print| self.print(&print.object()?, ts_recv));
                let prints = prints.collect::<Result<Vec<_>, _>>()?;
                self.desk.open(ts_recv, batch);
                prints.into_iter().for_each(|(about, print)| self.desk.trade(about, print, batch));
                Ok(())
            }
            "tickers" => {
                let touches = data.map(|ticker| self.ticker(&ticker.object()?, ts_recv));
                let touches = touches.collect::<Result<Vec<_>, _>>()?;
                self.desk.open(ts_recv, batch);
                touches.into_iter().for_each(|(about, touch)| self.desk.quote(about, touch, batch));
                Ok(())
            }
            _ => self.desk.leave(left::OTHER_EVENT),
        }
    }

    fn book(
        &mut self,
        name: &str,
        is_delta: bool,
        data: &Object<'_>,
        ts_recv: Ts,
        batch: &mut Batch,
    ) -> Result<(), DecodeError> {
        let mut text = Vec::new();
        levels::read(data.need("bids")?, Side::Buy, &mut text)?;
        levels::read(data.need("asks")?, Side::Sell, &mut text)?;
        let ts_event = Some(data.need("ts")?.time()?);
        let proof = Proof {
            last: sequence(data.get("seqId"))?,
            prev: sequence(data.get("prevSeqId"))?,
            checksum: data.get("checksum").map(checksum).transpose()?.filter(|sum| *sum != 0),
        };
        let listed = self.list(name, || levels::sighting(&text))?;
        self.levels.clear();
        levels::resolve(&text, listed, &mut self.levels)?;
        self.desk.open(ts_recv, batch);
        let about = About { listed, ts_event, ts_recv };
        self.books.resize_with(self.books.len().max(listed.slot + 1), Book::new);
        let book = &mut self.books[listed.slot];
        let before = book.updated.replace(ts_recv).unwrap_or(ts_recv);
        let breaks = is_delta
            && book.is_live
            && Option::zip(book.last, proof.prev).is_some_and(|(last, prev)| last != prev);
        if breaks {
            book.is_live = false;
            self.desk.tally.add(left::GAP);
            self.desk.gap(about, before, GapReason::Sequence, None, batch);
        }
        let book = &mut self.books[listed.slot];
        if !is_delta {
            book.sent.replace(&self.levels, &text);
            book.is_live = true;
        } else if book.is_live {
            book.sent.apply(&self.levels, &text);
        }
        book.has_deltas |= is_delta;
        book.last = proof.last.or(book.last);
        let action = if is_delta { DepthAction::Delta } else { DepthAction::Snapshot };
        let ids = Ids { first: None, last: proof.last, prev: proof.prev };
        self.desk.depth(about, action, ids, &self.levels, batch);
        self.check(about, proof.checksum, before, batch);
        Ok(())
    }

    fn check(&mut self, about: About, checksum: Option<i64>, before: Ts, batch: &mut Batch) {
        let Some(checksum) = checksum else { return };
        let book = &mut self.books[about.listed.slot];
        if !book.is_live {
            return self.desk.tally.add(left::NO_BOOK);
        }
        if i64::from(checksum_of(&book.sent, &mut self.checked)) == checksum {
            return self.desk.tally.add(left::CHECKED);
        }
        book.is_live = false;
        book.sent.clear();
        self.desk.tally.add(left::CHECKSUM);
        self.desk.gap(about, before, GapReason::Corrupt, None, batch);
    }

    fn print(&mut self, print: &Object<'_>, ts_recv: Ts) -> Result<(About, Print), DecodeError> {
        let (px, qty) = (print.need("px")?.digits()?, print.need("sz")?.digits()?);
        let side = print.need("side")?;
        let side = match &*side.text()? {
            "buy" => Some(Side::Buy),
            "sell" => Some(Side::Sell),
            _ => return Err(side.refuse("buy or sell")),
        };
        let (id, ts_event) = (print.need("tradeId")?.u64()?, print.need("ts")?.time()?);
        let listed = self.list(&print.need("instId")?.text()?, || Sighting::of(px, qty))?;
        let (px, qty) = (listed.px("px", px)?, listed.qty("sz", qty)?);
        let about = About { listed, ts_event: Some(ts_event), ts_recv };
        Ok((about, Print { px, qty, side, id: Some(id) }))
    }

    fn ticker(&mut self, ticker: &Object<'_>, ts_recv: Ts) -> Result<(About, Touch), DecodeError> {
        let filled = |key: &'static str| ticker.get(key).filter(|value| value.raw() != "\"\"");
        let side = |px, qty| -> Result<Option<(&str, &str)>, DecodeError> {
            let (Some(px), Some(qty)) = (filled(px), filled(qty)) else { return Ok(None) };
            Ok(Some((px.digits()?, qty.digits()?)))
        };
        let (bid, ask) = (side("bidPx", "bidSz")?, side("askPx", "askSz")?);
        let ts_event = Some(ticker.need("ts")?.time()?);
        let listed = self.list(&ticker.need("instId")?.text()?, || {
            Sighting::of_all(bid.into_iter().chain(ask))
        })?;
        let resolve = |side: Option<(&str, &str)>| {
            side.map(|(px, qty)| Ok((listed.px("px", px)?, listed.qty("sz", qty)?))).transpose()
        };
        let touch = Touch { bid: resolve(bid)?, ask: resolve(ask)?, id: None };
        Ok((About { listed, ts_event, ts_recv }, touch))
    }
}

/// `-1` stands for none.
fn sequence(value: Option<Value<'_, '_>>) -> Result<Option<u64>, DecodeError> {
    value.filter(|value| value.raw() != "-1").map(|value| value.u64()).transpose()
}

fn checksum(value: Value<'_, '_>) -> Result<i64, DecodeError> {
    value.digits()?.parse().map_err(|_| value.refuse("a signed checksum"))
}

impl Book {
    fn new() -> Self {
        let sent = TextBook::new(part);
        Self { sent, is_live: false, has_deltas: false, last: None, updated: None }
    }
}

fn part(px: &str, qty: &str, out: &mut String) {
    out.push_str(px);
    out.push(':');
    out.push_str(qty);
}

/// Bid and ask in turn, as far as both sides go; then what is left of the longer one.
fn checksum_of(book: &TextBook, text: &mut String) -> i32 {
    text.clear();
    let (mut bids, mut asks) = (book.bids(), book.asks());
    for _ in 0..CHECKED_LEVELS {
        for part in bids.next().into_iter().chain(asks.next()) {
            if !text.is_empty() {
                text.push(':');
            }
            text.push_str(part);
        }
    }
    crc32fast::hash(text.as_bytes()).cast_signed()
}

impl Decoder for Okx {
    fn frame(&mut self, frame: Frame<'_>, batch: &mut Batch) -> Result<(), DecodeError> {
        if frame.bytes == b"pong" {
            return self.desk.leave(left::CONTROL);
        }
        let mut tape = std::mem::take(&mut self.tape);
        let read = tape.read(frame.bytes);
        let outcome = read.and_then(|message| self.message(message, frame.ts_recv, batch));
        self.tape = tape;
        outcome
    }

    fn reply(&mut self, _: &str, _: Frame<'_>, _: &mut Batch) -> Result<(), DecodeError> {
        self.desk.leave(left::CONTROL)
    }

    fn tally(&self) -> &Tally {
        &self.desk.tally
    }
}
