//! BitMEX: tables with `partial`, `insert`, `update` and `delete`.
//!
//! An update of the book names a level by its number and gives no price; the price stands in the
//! `partial` or the `insert` before it, so the numbers are remembered as long as their levels live.

use std::collections::HashMap;

use qt_model::instrument::Terms;
use qt_model::record::{Batch, Level};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty};
use qt_model::words::{DepthAction, Side};
use qt_stream::universe::Universe;

use crate::desk::{About, Desk, Ids, Print, Touch};
use crate::frame::{DecodeError, Decoder, Frame};
use crate::json::{Object, Tape, Value};
use crate::listing::{Listed, Scales, Sighting, Style, Styles};
use crate::tally::{Tally, left};

/// The venue in the names of its instruments.
pub const VENUE: &str = "bitmex";

/// The decoder. See the module.
#[derive(Debug)]
pub struct Bitmex {
    desk: Desk,
    tape: Tape,
    /// By slot: the price of each level by its number; none before the first `partial`.
    books: Vec<Option<HashMap<u64, Px>>>,
}

/// One changed level.
struct Change {
    listed: Listed,
    ts_event: Option<Ts>,
    number: u64,
    level: Level,
}

impl Bitmex {
    /// A decoder whose instruments go to `universe`.
    pub fn new(universe: &Universe, scales: Scales) -> Self {
        let styles = Styles { px: Style::Short, qty: Style::Whole };
        let desk = Desk::new(VENUE, styles, universe, scales);
        Self { desk, tape: Tape::default(), books: Vec::new() }
    }

    fn list<'s>(
        &mut self,
        name: &str,
        sighting: impl FnOnce() -> Sighting<'s>,
    ) -> Result<Listed, DecodeError> {
        let listed = self.desk.list(name, Terms::default, sighting)?;
        self.books.resize(self.books.len().max(listed.slot + 1), None);
        Ok(listed)
    }

    fn message(
        &mut self,
        message: Value<'_, '_>,
        ts_recv: Ts,
        batch: &mut Batch,
    ) -> Result<(), DecodeError> {
        let message = message.object()?;
        let Some(table) = message.get("table") else {
            let is_answer = ["info", "success", "error", "subscribe"];
            if is_answer.iter().any(|key| message.has(key)) {
                return self.desk.leave(left::CONTROL);
            }
            return Err(DecodeError::Refused("neither a table of BitMEX nor an answer".to_owned()));
        };
        let (table, action) = (table.text()?, message.need("action")?.text()?);
        match (&*table, &*action) {
            ("orderBookL2" | "orderBookL2_25", action) => {
                self.book(action, &message, ts_recv, batch)
            }
            ("trade", "insert") => self.prints(&message, ts_recv, batch),
            ("trade", _) => self.desk.leave(left::HISTORY),
            ("quote", "insert" | "partial") => self.quotes(&message, ts_recv, batch),
            _ => self.desk.leave(left::OTHER_EVENT),
        }
    }

    fn book(
        &mut self,
        action: &str,
        message: &Object<'_>,
        ts_recv: Ts,
        batch: &mut Batch,
    ) -> Result<(), DecodeError> {
        let mut changes = Vec::new();
        for row in message.need("data")?.array()? {
            if let Some(change) = self.row(action, &row.object()?)? {
                changes.push(change);
            }
        }
        self.desk.open(ts_recv, batch);
        // A message may hold several instruments; the levels of each are one record.
        changes.sort_by_key(|change| change.listed.slot);
        for same in changes.chunk_by(|a, b| a.listed.slot == b.listed.slot) {
            let Change { listed, ts_event, .. } = same[0];
            let book = self.books[listed.slot].get_or_insert_default();
            if action == "partial" {
                book.clear();
            }
            for change in same {
                if change.level.qty.is_zero() {
                    book.remove(&change.number);
                } else {
                    book.insert(change.number, change.level.px);
                }
            }
            let is_snapshot = action == "partial";
            let action = if is_snapshot { DepthAction::Snapshot } else { DepthAction::Delta };
            let levels: Vec<_> = same.iter().map(|change| change.level).collect();
            let about = About { listed, ts_event, ts_recv };
            self.desk.depth(about, action, Ids::default(), &levels, batch);
        }
        Ok(())
    }

    /// One row of the book; none for a level that nobody knows.
    fn row(&mut self, action: &str, row: &Object<'_>) -> Result<Option<Change>, DecodeError> {
        let (symbol, number) = (row.need("symbol")?.text()?, row.need("id")?.u64()?);
        let side = side(row.need("side")?)?;
        let ts_event = row.get("timestamp").map(|time| time.instant()).transpose()?;
        let price = row.get("price").map(|px| px.digits()).transpose()?;
        let known = self.desk.listing.find(symbol.as_bytes());
        let book = known.and_then(|listed| self.books.get(listed.slot)?.as_ref());
        if book.is_none() && action != "partial" {
            self.desk.tally.add(left::NO_BOOK);
            return Ok(None);
        }
        let remembered = book.and_then(|book| book.get(&number)).copied();
        let (listed, px) = match (price, remembered, known) {
            (Some(text), _, _) => {
                let listed = self.list(&symbol, || Sighting::of(text, "0"))?;
                (listed, listed.px("price", text)?)
            }
            (None, Some(px), Some(listed)) => (listed, px),
            (None, _, _) => {
                self.desk.tally.add("changes of levels that are not known");
                return Ok(None);
            }
        };
        let qty = match action {
            "delete" => Qty::ZERO,
            _ => listed.qty("size", row.need("size")?.digits()?)?,
        };
        Ok(Some(Change { listed, ts_event, number, level: Level { px, qty, side } }))
    }

    fn prints(
        &mut self,
        message: &Object<'_>,
        ts_recv: Ts,
        batch: &mut Batch,
    ) -> Result<(), DecodeError> {
        let mut prints = Vec::new();
        for row in message.need("data")?.array()? {
            let row = row.object()?;
            let (px, qty) = (row.need("price")?.digits()?, row.need("size")?.digits()?);
            let listed = self.list(&row.need("symbol")?.text()?, || Sighting::of(px, qty))?;
            let side = row.get("side").filter(|side| side.raw() != "\"\"");
            let side = side.map(self::side).transpose()?;
            let (px, qty) = (listed.px("price", px)?, listed.qty("size", qty)?);
            let ts_event = Some(row.need("timestamp")?.instant()?);
            let print = Print { px, qty, side, id: None };
            prints.push((About { listed, ts_event, ts_recv }, print));
        }
        self.desk.open(ts_recv, batch);
        prints.into_iter().for_each(|(about, print)| self.desk.trade(about, print, batch));
        Ok(())
    }

    fn quotes(
        &mut self,
        message: &Object<'_>,
        ts_recv: Ts,
        batch: &mut Batch,
    ) -> Result<(), DecodeError> {
        let mut quotes = Vec::new();
        for row in message.need("data")?.array()? {
            let row = row.object()?;
            let pair = |px: &str, qty: &str| -> Result<Option<(&str, &str)>, DecodeError> {
                let (Some(px), Some(qty)) = (row.get(px), row.get(qty)) else { return Ok(None) };
                Ok(Some((px.digits()?, qty.digits()?)))
            };
            let (bid, ask) = (pair("bidPrice", "bidSize")?, pair("askPrice", "askSize")?);
            let prices = bid.into_iter().chain(ask).map(|(px, _)| (px, "0"));
            let symbol = row.need("symbol")?.text()?;
            let listed = self.list(&symbol, || Sighting::of_all(prices))?;
            let resolve = |side: Option<(&str, &str)>| {
                let both = |(px, qty)| Ok((listed.px("price", px)?, listed.qty("size", qty)?));
                side.map(both).transpose()
            };
            let ts_event = Some(row.need("timestamp")?.instant()?);
            let touch = Touch { bid: resolve(bid)?, ask: resolve(ask)?, id: None };
            quotes.push((About { listed, ts_event, ts_recv }, touch));
        }
        self.desk.open(ts_recv, batch);
        quotes.into_iter().for_each(|(about, touch)| self.desk.quote(about, touch, batch));
        Ok(())
    }
}

fn side(value: Value<'_, '_>) -> Result<Side, DecodeError> {
    match &*value.text()? {
        "Buy" => Ok(Side::Buy),
        "Sell" => Ok(Side::Sell),
        _ => Err(value.refuse("Buy or Sell")),
    }
}

impl Decoder for Bitmex {
    fn frame(&mut self, frame: Frame<'_>, batch: &mut Batch) -> Result<(), DecodeError> {
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
