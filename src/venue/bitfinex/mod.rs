//! Bitfinex's second websocket protocol: arrays on numbered channels.
//!
//! A subscription gives a channel its number; all later messages are arrays that begin with it. Flag
//! 65536 appends a number to every array of a connection, which counts on by one: a hole ends the
//! books of all channels. Prints come twice, at once (`te`) and confirmed (`tu`): the first counts.

use std::collections::HashMap;
use std::sync::Arc;

use qt_model::instrument::Terms;
use qt_model::record::{Batch, Level};
use qt_model::time::Ts;
use qt_model::words::{DepthAction, GapReason, Side};
use qt_stream::universe::Universe;

use crate::desk::{About, Desk, Ids, Print};
use crate::frame::{DecodeError, Decoder, Frame};
use crate::json::{Object, Tape, Value};
use crate::levels::{self, TextLevel};
use crate::listing::{Listed, Scales, Sighting, Style, Styles};
use crate::tally::{Tally, left};

/// The venue in the names of its instruments.
pub const VENUE: &str = "bitfinex";

/// Appends a number to every array.
const SEQUENCE_FLAG: u64 = 65_536;

/// The decoder. See the module.
#[derive(Debug)]
pub struct Bitfinex {
    desk: Desk,
    tape: Tape,
    channels: HashMap<u64, Channel>,
    has_sequence: bool,
    last: Option<(u64, Ts)>,
    /// Books that a hole ended, whose gap is still to be written.
    ended: Vec<Ended>,
    levels: Vec<Level>,
}

#[derive(Clone, Copy, Debug)]
struct Ended {
    listed: Listed,
    from: Ts,
    missing: Option<u64>,
}

#[derive(Clone, Debug)]
struct Channel {
    kind: Kind,
    pair: Arc<str>,
    /// The instrument, once its book has begun.
    book: Option<Listed>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Book,
    Trades,
    Other,
}

impl Bitfinex {
    /// A decoder whose instruments go to `universe`.
    pub fn new(universe: &Universe, scales: Scales) -> Self {
        Self {
            desk: Desk::new(VENUE, Styles { px: Style::Short, qty: Style::Fine }, universe, scales),
            tape: Tape::default(),
            channels: HashMap::new(),
            has_sequence: false,
            last: None,
            ended: Vec::new(),
            levels: Vec::new(),
        }
    }

    fn list<'s>(
        &mut self,
        pair: &str,
        sighting: impl FnOnce() -> Sighting<'s>,
    ) -> Result<Listed, DecodeError> {
        self.desk.list(pair, Terms::default, sighting)
    }

    fn event(&mut self, event: &Object<'_>) -> Result<(), DecodeError> {
        match &*event.need("event")?.text()? {
            "conf" => {
                let flags = event.get("flags").map(|flags| flags.u64()).transpose()?;
                self.has_sequence = flags.is_some_and(|flags| flags & SEQUENCE_FLAG != 0);
            }
            "subscribed" => {
                // Raw books are of single orders.
                let is_raw = event.get("prec").is_some_and(|prec| prec.raw() == "\"R0\"");
                let kind = match &*event.need("channel")?.text()? {
                    "book" if !is_raw => Kind::Book,
                    "trades" => Kind::Trades,
                    _ => Kind::Other,
                };
                let pair = match event.get("pair") {
                    Some(pair) => Arc::from(&*pair.text()?),
                    None => Arc::from(""),
                };
                let channel = event.need("chanId")?.u64()?;
                self.channels.insert(channel, Channel { kind, pair, book: None });
            }
            // A connection begins: the numbers do as well.
            "info" => self.last = None,
            _ => {}
        }
        self.desk.tally.add(left::CONTROL);
        Ok(())
    }

    /// Takes the number at the end of an array; a hole ends all books.
    fn sequence(&mut self, number: Value<'_, '_>, ts_recv: Ts) -> Result<(), DecodeError> {
        let number = number.u64()?;
        let before = self.last.replace((number, ts_recv));
        let Some((last, from)) = before.filter(|(last, _)| last.wrapping_add(1) != number) else {
            return Ok(());
        };
        let missing = number.checked_sub(last).map(|step| step.saturating_sub(1));
        let books = self.channels.values_mut().filter_map(|channel| channel.book.take());
        self.ended.extend(books.map(|listed| Ended { listed, from, missing }));
        self.desk.tally.add(left::GAP);
        Ok(())
    }

    /// Writes the gaps of books that ended.
    fn write_ended(&mut self, ts_recv: Ts, batch: &mut Batch) {
        let mut ended = std::mem::take(&mut self.ended);
        if ended.is_empty() {
            return;
        }
        ended.sort_by_key(|ended| ended.listed.slot);
        self.desk.open(ts_recv, batch);
        for Ended { listed, from, missing } in ended {
            let about = About { listed, ts_event: None, ts_recv };
            self.desk.gap(about, from, GapReason::Sequence, missing, batch);
        }
    }

    fn book(
        &mut self,
        number: u64,
        pair: &str,
        payload: Value<'_, '_>,
        ts_recv: Ts,
        batch: &mut Batch,
    ) -> Result<(), DecodeError> {
        let mut text = Vec::new();
        let is_snapshot = payload.array()?.next().is_none_or(|first| first.is_array());
        if is_snapshot {
            for row in payload.array()? {
                text.push(level(row)?);
            }
        } else {
            text.push(level(payload)?);
        }
        let listed = self.list(pair, || levels::sighting(&text))?;
        self.levels.clear();
        levels::resolve(&text, listed, &mut self.levels)?;
        self.desk.open(ts_recv, batch);
        let channel = self.channels.get_mut(&number);
        if let Some(channel) = channel.filter(|_| is_snapshot) {
            channel.book = Some(listed);
        }
        let action = if is_snapshot { DepthAction::Snapshot } else { DepthAction::Delta };
        let about = About { listed, ts_event: None, ts_recv };
        self.desk.depth(about, action, Ids::default(), &self.levels, batch);
        Ok(())
    }

    fn print(
        &mut self,
        pair: &str,
        print: Value<'_, '_>,
        ts_recv: Ts,
        batch: &mut Batch,
    ) -> Result<(), DecodeError> {
        let Some(([id, time, amount, px], _)) = print.array()?.first() else {
            return Err(print.refuse("number, time, amount and price"));
        };
        let (px, amount) = (px.digits()?, amount.digits()?);
        let (qty, side) = signed(amount);
        let ts_event = Some(time.time()?);
        let listed = self.list(pair, || Sighting::of(px, qty))?;
        let (px, qty) = (listed.px("price", px)?, listed.qty("amount", qty)?);
        let print = Print { px, qty, side: Some(side), id: Some(id.u64()?) };
        self.desk.open(ts_recv, batch);
        self.desk.trade(About { listed, ts_event, ts_recv }, print, batch);
        Ok(())
    }

    fn message(
        &mut self,
        message: Value<'_, '_>,
        ts_recv: Ts,
        batch: &mut Batch,
    ) -> Result<(), DecodeError> {
        if !message.is_array() {
            return self.event(&message.object()?);
        }
        let refused = || DecodeError::Refused("expected a channel and its payload".to_owned());
        let Some(([number], rest)) = message.named("a channel message").array()?.first() else {
            return Err(refused());
        };
        let last = rest.clone().last().filter(|_| self.has_sequence);
        let count = rest.clone().count() - usize::from(last.is_some());
        let (mut payload, _) = rest.split_at(count);
        let (number, first) = (number.u64()?, payload.next().ok_or_else(refused)?);
        if let Some(last) = last {
            self.sequence(last, ts_recv)?;
        }
        let Some(channel) = self.channels.get(&number) else {
            // Of a subscription before the recording, or one whose answer is still to come.
            return self.desk.leave("messages of channels that are not known");
        };
        let (kind, pair) = (channel.kind, Arc::clone(&channel.pair));
        let tag = if first.is_text() { Some(first.text()?) } else { None };
        match (kind, tag.as_deref(), payload.next()) {
            (_, Some("hb"), _) => self.desk.tally.add(left::CONTROL),
            (Kind::Trades, Some("te"), Some(print)) => self.print(&pair, print, ts_recv, batch)?,
            (Kind::Trades, Some(_), _) => self.desk.tally.add("prints that come a second time"),
            (Kind::Trades, None, _) => self.desk.tally.add(left::HISTORY),
            (Kind::Book, None, _) => self.book(number, &pair, first, ts_recv, batch)?,
            _ => self.desk.tally.add(left::OTHER_EVENT),
        }
        self.write_ended(ts_recv, batch);
        Ok(())
    }
}

/// `[price, count, amount]`: bids have positive amounts, a count of zero deletes.
fn level<'a>(row: Value<'a, '_>) -> Result<TextLevel<'a>, DecodeError> {
    let Some([px, count, amount]) = row.array()?.exactly() else {
        return Err(row.refuse("price, count and amount"));
    };
    let (qty, side) = signed(amount.digits()?);
    let qty = if count.u64()? == 0 { "0" } else { qty };
    Ok(TextLevel { side, px: px.digits()?, qty, third: None })
}

/// An amount without its sign, and the side that the sign stands for.
fn signed(amount: &str) -> (&str, Side) {
    amount.strip_prefix('-').map_or((amount, Side::Buy), |qty| (qty, Side::Sell))
}

impl Decoder for Bitfinex {
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
