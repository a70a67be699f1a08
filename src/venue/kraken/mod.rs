//! Kraken's first websocket protocol: books with a checksum in every update, prints, tickers.
//!
//! Updates have no numbers; the checksum says whether the book is right. It covers the ten best
//! levels of each side as text, so the book is kept as it was sent. A venue that sends the best 1000
//! levels sends no deletes for those that fall out: the delta gets them here, so that it applies.

use qt_model::instrument::Terms;
use qt_model::record::{Batch, Level};
use qt_model::time::Ts;
use qt_model::words::{DepthAction, GapReason, InstrumentClass, Side};
use qt_stream::universe::Universe;

use crate::desk::{About, Desk, Ids, Print, Touch};
use crate::epoch;
use crate::frame::{DecodeError, Decoder, Frame};
use crate::json::{Elements, Object, Tape, Value};
use crate::levels::{self, TextLevel};
use crate::listing::{Listed, Scales, Sighting, Style, Styles};
use crate::tally::{Tally, left};
use crate::text_book::TextBook;

/// The venue in the names of its instruments.
pub const VENUE: &str = "kraken";

/// How many levels of each side the checksum covers.
const CHECKED_LEVELS: usize = 10;

/// The decoder. See the module.
#[derive(Debug)]
pub struct Kraken {
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
    updated: Option<Ts>,
}

impl Kraken {
    /// A decoder whose instruments go to `universe`.
    pub fn new(universe: &Universe, scales: Scales) -> Self {
        let styles = Styles { px: Style::Padded, qty: Style::Padded };
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
        pair: &str,
        sighting: impl FnOnce() -> Sighting<'s>,
    ) -> Result<Listed, DecodeError> {
        let parts = pair.split_once('/');
        let terms = || Terms {
            class: Some(InstrumentClass::Spot),
            base: parts.map(|(base, _)| base.into()),
            quote: parts.map(|(_, quote)| quote.into()),
            ..Terms::default()
        };
        self.desk.list(pair, terms, sighting)
    }

    fn message(
        &mut self,
        message: Value<'_, '_>,
        ts_recv: Ts,
        batch: &mut Batch,
    ) -> Result<(), DecodeError> {
        if message.is_array() {
            return self.channel(message.named("a channel message"), ts_recv, batch);
        }
        let message = message.object()?;
        if !message.has("event") && !message.has("error") {
            let message = "expected an event or a channel message of Kraken";
            return Err(DecodeError::Refused(message.to_owned()));
        }
        self.desk.leave(left::CONTROL)
    }

    /// A message of a channel: its number, one payload or two, the channel, the pair.
    fn channel(
        &mut self,
        message: Value<'_, '_>,
        ts_recv: Ts,
        batch: &mut Batch,
    ) -> Result<(), DecodeError> {
        let short = || {
            let message = "a channel message of less than four parts";
            DecodeError::Refused(message.to_owned())
        };
        let (_, parts) = message.array()?.split_at(1);
        let count = parts.clone().count().checked_sub(2).ok_or_else(short)?;
        let (payloads, names) = parts.split_at(count);
        let first = payloads.clone().next().ok_or_else(short)?;
        let [channel, pair] = names.exactly().ok_or_else(short)?;
        let (channel, pair) = (channel.text()?, pair.text()?);
        let (kind, depth) = channel.split_once('-').unwrap_or((&channel, ""));
        match kind {
            "book" => {
                let depth_levels = depth.parse().unwrap_or(usize::MAX);
                self.book(payloads, &pair, depth_levels, ts_recv, batch)
            }
            "trade" => self.prints(first, &pair, ts_recv, batch),
            "ticker" => self.ticker(&first.object()?, &pair, ts_recv, batch),
            "spread" => self.spread(first, &pair, ts_recv, batch),
            _ => self.desk.leave(left::OTHER_EVENT),
        }
    }

    fn book(
        &mut self,
        payloads: Elements<'_, '_>,
        pair: &str,
        depth_levels: usize,
        ts_recv: Ts,
        batch: &mut Batch,
    ) -> Result<(), DecodeError> {
        let mut text = Vec::new();
        let (mut is_snapshot, mut checksum) = (false, None);
        for payload in payloads {
            let payload = payload.object()?;
            is_snapshot |= payload.has("as") || payload.has("bs");
            for (key, side) in
                [("bs", Side::Buy), ("b", Side::Buy), ("as", Side::Sell), ("a", Side::Sell)]
            {
                let Some(list) = payload.get(key) else { continue };
                levels::read(list, side, &mut text)?;
            }
            if let Some(value) = payload.get("c") {
                checksum = Some(value.u64()?);
            }
        }
        let ts_event = text.iter().filter_map(|level| epoch::from_seconds(level.third?)).max();
        let listed = self.list(pair, || levels::sighting(&text))?;
        self.levels.clear();
        levels::resolve(&text, listed, &mut self.levels)?;
        self.desk.open(ts_recv, batch);
        let about = About { listed, ts_event, ts_recv };
        self.apply(about, is_snapshot, &text, depth_levels, batch);
        if let Some(checksum) = checksum {
            self.check(about, checksum, batch);
        }
        Ok(())
    }

    fn apply(
        &mut self,
        about: About,
        is_snapshot: bool,
        text: &[TextLevel<'_>],
        depth_levels: usize,
        batch: &mut Batch,
    ) {
        let slot = about.listed.slot;
        self.books.resize_with(self.books.len().max(slot + 1), Book::new);
        let book = &mut self.books[slot];
        if is_snapshot {
            book.sent.replace(&self.levels, text);
            book.is_live = true;
        } else if book.is_live {
            book.sent.apply(&self.levels, text);
        }
        if book.is_live {
            book.sent.keep_best(depth_levels, &mut self.levels);
        }
        let action = if is_snapshot { DepthAction::Snapshot } else { DepthAction::Delta };
        self.desk.depth(about, action, Ids::default(), &self.levels, batch);
    }

    fn check(&mut self, about: About, checksum: u64, batch: &mut Batch) {
        let book = &mut self.books[about.listed.slot];
        let before = book.updated.replace(about.ts_recv).unwrap_or(about.ts_recv);
        if !book.is_live {
            return self.desk.tally.add(left::NO_BOOK);
        }
        if u64::from(checksum_of(&book.sent, &mut self.checked)) == checksum {
            return self.desk.tally.add(left::CHECKED);
        }
        book.is_live = false;
        book.sent.clear();
        self.desk.tally.add(left::CHECKSUM);
        self.desk.gap(about, before, GapReason::Corrupt, None, batch);
    }

    fn prints(
        &mut self,
        list: Value<'_, '_>,
        pair: &str,
        ts_recv: Ts,
        batch: &mut Batch,
    ) -> Result<(), DecodeError> {
        let mut prints = Vec::new();
        for print in list.array()? {
            let Some(([px, qty, time, side], _)) = print.array()?.first() else {
                return Err(list.refuse("prints of price, size, time and side"));
            };
            let aggressor = match &*side.text()? {
                "b" => Side::Buy,
                "s" => Side::Sell,
                _ => return Err(side.refuse("b or s")),
            };
            let (px, qty) = (px.digits()?, qty.digits()?);
            let listed = self.list(pair, || Sighting::of(px, qty))?;
            let (px, qty) = (listed.px("price", px)?, listed.qty("volume", qty)?);
            let about = About { listed, ts_event: Some(time.seconds()?), ts_recv };
            prints.push((about, Print { px, qty, side: Some(aggressor), id: None }));
        }
        self.desk.open(ts_recv, batch);
        prints.into_iter().for_each(|(about, print)| self.desk.trade(about, print, batch));
        Ok(())
    }

    fn ticker(
        &mut self,
        ticker: &Object<'_>,
        pair: &str,
        ts_recv: Ts,
        batch: &mut Batch,
    ) -> Result<(), DecodeError> {
        // Price, whole lots, size.
        let side = |key| {
            let side = ticker.need(key)?;
            let parts = side.array()?.exactly::<3>();
            parts.ok_or_else(|| side.refuse("price, whole lots and size"))
        };
        let ([bid, _, bid_qty], [ask, _, ask_qty]) = (side("b")?, side("a")?);
        let texts = [bid.digits()?, bid_qty.digits()?, ask.digits()?, ask_qty.digits()?];
        self.touch(texts, pair, None, ts_recv, batch)
    }

    fn spread(
        &mut self,
        spread: Value<'_, '_>,
        pair: &str,
        ts_recv: Ts,
        batch: &mut Batch,
    ) -> Result<(), DecodeError> {
        let Some([bid, ask, time, bid_qty, ask_qty]) = spread.array()?.exactly() else {
            return Err(spread.refuse("bid, ask, time and two sizes"));
        };
        let texts = [bid.digits()?, bid_qty.digits()?, ask.digits()?, ask_qty.digits()?];
        self.touch(texts, pair, Some(time.seconds()?), ts_recv, batch)
    }

    fn touch(
        &mut self,
        [bid, bid_qty, ask, ask_qty]: [&str; 4],
        pair: &str,
        ts_event: Option<Ts>,
        ts_recv: Ts,
        batch: &mut Batch,
    ) -> Result<(), DecodeError> {
        let sides = [(bid, bid_qty), (ask, ask_qty)];
        let listed = self.list(pair, || Sighting::of_all(sides))?;
        let bid = (listed.px("bid", bid)?, listed.qty("bid size", bid_qty)?);
        let ask = (listed.px("ask", ask)?, listed.qty("ask size", ask_qty)?);
        self.desk.open(ts_recv, batch);
        let about = About { listed, ts_event, ts_recv };
        self.desk.quote(about, Touch::new(bid, ask, None), batch);
        Ok(())
    }
}

impl Book {
    fn new() -> Self {
        Self { sent: TextBook::new(part), is_live: false, updated: None }
    }
}

/// Digits only, without zeros in front.
fn part(px: &str, qty: &str, out: &mut String) {
    for text in [px, qty] {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let whole = whole.trim_start_matches('0');
        let fraction = if whole.is_empty() { fraction.trim_start_matches('0') } else { fraction };
        out.extend([whole, fraction]);
    }
}

/// The ten best asks, then the ten best bids. `text` is room: a checksum over one long text takes
/// less than one over many short ones.
fn checksum_of(book: &TextBook, text: &mut String) -> u32 {
    text.clear();
    text.extend(book.asks().take(CHECKED_LEVELS).chain(book.bids().take(CHECKED_LEVELS)));
    crc32fast::hash(text.as_bytes())
}

impl Decoder for Kraken {
    fn frame(&mut self, frame: Frame<'_>, batch: &mut Batch) -> Result<(), DecodeError> {
        let mut tape = std::mem::take(&mut self.tape);
        let read = tape.read(frame.bytes);
        let outcome = read.and_then(|message| self.message(message, frame.ts_recv, batch));
        self.tape = tape;
        outcome
    }

    fn reply(&mut self, _: &str, _: Frame<'_>, _: &mut Batch) -> Result<(), DecodeError> {
        // Terms of all pairs: nothing that a book needs.
        self.desk.tally.add(left::CONTROL);
        Ok(())
    }

    fn tally(&self) -> &Tally {
        &self.desk.tally
    }
}
