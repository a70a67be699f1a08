//! Bitstamp: differences and whole pictures of books, prints.
//!
//! Changes are numbered by nothing but their time in microseconds. A snapshot over REST takes those
//! that are younger; whether one is missing cannot be told.

use qt_model::instrument::Terms;
use qt_model::record::{Batch, Level};
use qt_model::time::Ts;
use qt_model::words::{DepthAction, GapReason, InstrumentClass, Side};
use qt_stream::universe::Universe;

use crate::desk::{About, Desk, Ids, Print};
use crate::epoch;
use crate::frame::{DecodeError, Decoder, Frame};
use crate::json::{Object, Tape, Value};
use crate::levels;
use crate::listing::{Listed, Scales, Sighting, Style, Styles};
use crate::sequence::{Chain, Joined, Place, Rule, Update};
use crate::tally::{Tally, left};

/// The venue in the names of its instruments.
pub const VENUE: &str = "bitstamp";

/// The decoder. See the module.
#[derive(Debug)]
pub struct Bitstamp {
    desk: Desk,
    tape: Tape,
    /// By slot.
    chains: Vec<Chain>,
    levels: Vec<Level>,
}

impl Bitstamp {
    /// A decoder whose instruments go to `universe`.
    pub fn new(universe: &Universe, scales: Scales) -> Self {
        let styles = Styles { px: Style::Padded, qty: Style::Fine };
        let desk = Desk::new(VENUE, styles, universe, scales);
        Self { desk, tape: Tape::default(), chains: Vec::new(), levels: Vec::new() }
    }

    fn list<'s>(
        &mut self,
        name: &str,
        sighting: impl FnOnce() -> Sighting<'s>,
    ) -> Result<Listed, DecodeError> {
        let class = Some(InstrumentClass::Spot);
        self.desk.list(name, || Terms { class, ..Terms::default() }, sighting)
    }

    /// Reads the levels of a message; its instrument and its time in microseconds.
    fn read(&mut self, name: &str, data: &Object<'_>) -> Result<(Listed, u64), DecodeError> {
        let mut text = Vec::new();
        levels::read(data.need("bids")?, Side::Buy, &mut text)?;
        levels::read(data.need("asks")?, Side::Sell, &mut text)?;
        let time = data.need("microtimestamp")?.u64()?;
        let listed = self.list(name, || levels::sighting(&text))?;
        self.levels.clear();
        levels::resolve(&text, listed, &mut self.levels)?;
        while self.chains.len() <= listed.slot {
            self.chains.push(Chain::new(Rule::Spot));
        }
        Ok((listed, time))
    }

    fn change(
        &mut self,
        name: &str,
        data: &Object<'_>,
        ts_recv: Ts,
        batch: &mut Batch,
    ) -> Result<(), DecodeError> {
        let (listed, time) = self.read(name, data)?;
        self.desk.open(ts_recv, batch);
        let update = Update { first: 0, last: time, prev: None };
        if self.chains[listed.slot].update(update, &self.levels) == Place::Old {
            return self.desk.leave("depth updates that are old");
        }
        let about = About { listed, ts_event: epoch::from_count(time), ts_recv };
        let ids = Ids { last: Some(time), ..Ids::default() };
        self.desk.depth(about, DepthAction::Delta, ids, &self.levels, batch);
        Ok(())
    }

    fn snapshot(
        &mut self,
        name: &str,
        data: &Object<'_>,
        ts_recv: Ts,
        batch: &mut Batch,
    ) -> Result<(), DecodeError> {
        let (listed, time) = self.read(name, data)?;
        self.desk.open(ts_recv, batch);
        let about = About { listed, ts_event: epoch::from_count(time), ts_recv };
        match self.chains[listed.slot].snapshot(time, &mut self.levels) {
            Joined::Book { last } => {
                let ids = Ids { last: Some(last), ..Ids::default() };
                self.desk.depth(about, DepthAction::Snapshot, ids, &self.levels, batch);
            }
            Joined::Redundant => self.desk.tally.add("snapshots of a book that is known"),
            Joined::Stale => {
                self.desk.tally.add("snapshots too old to join");
                self.desk.gap(about, ts_recv, GapReason::NoSnapshot, None, batch);
            }
        }
        Ok(())
    }

    fn print(
        &mut self,
        name: &str,
        data: &Object<'_>,
        ts_recv: Ts,
        batch: &mut Batch,
    ) -> Result<(), DecodeError> {
        let either = |text: &'static str, number: &'static str| match data.get(text) {
            Some(value) => value.digits(),
            None => data.need(number)?.digits(),
        };
        let (px, qty) = (either("price_str", "price")?, either("amount_str", "amount")?);
        let side = data.need("type")?;
        let side = match side.u64()? {
            0 => Some(Side::Buy),
            1 => Some(Side::Sell),
            _ => return Err(side.refuse("0 for a buy or 1 for a sell")),
        };
        let id = data.get("id").map(|id| id.u64()).transpose()?;
        let ts_event = Some(data.need("microtimestamp")?.time()?);
        let listed = self.list(name, || Sighting::of(px, qty))?;
        let print =
            Print { px: listed.px("price", px)?, qty: listed.qty("amount", qty)?, side, id };
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
        let message = message.object()?;
        let event = message.need("event")?.text()?;
        match &*event {
            "data" | "trade" => self.event(&message, message.need("data")?, ts_recv, batch),
            "bts:request_reconnect" => self.desk.leave(left::OTHER_EVENT),
            _ => self.desk.leave(left::CONTROL),
        }
    }

    fn event(
        &mut self,
        message: &Object<'_>,
        data: Value<'_, '_>,
        ts_recv: Ts,
        batch: &mut Batch,
    ) -> Result<(), DecodeError> {
        let channel = message.need("channel")?.text()?;
        let (kind, name) = channel.rsplit_once('_').unwrap_or((&channel, ""));
        match kind {
            "diff_order_book" => self.change(name, &data.object()?, ts_recv, batch),
            "live_trades" => self.print(name, &data.object()?, ts_recv, batch),
            _ => self.desk.leave(left::OTHER_EVENT),
        }
    }
}

impl Decoder for Bitstamp {
    fn frame(&mut self, frame: Frame<'_>, batch: &mut Batch) -> Result<(), DecodeError> {
        let mut tape = std::mem::take(&mut self.tape);
        let read = tape.read(frame.bytes);
        let outcome = read.and_then(|message| self.message(message, frame.ts_recv, batch));
        self.tape = tape;
        outcome
    }

    fn reply(&mut self, url: &str, frame: Frame<'_>, batch: &mut Batch) -> Result<(), DecodeError> {
        let path = url.split('?').next().unwrap_or(url).trim_end_matches('/');
        let Some((_, name)) = path.split_once("/order_book/") else {
            return self.desk.leave(left::CONTROL);
        };
        let mut tape = Tape::default();
        let message = tape.read(frame.bytes)?.object()?;
        self.snapshot(name, &message, frame.ts_recv, batch)
    }

    fn tally(&self) -> &Tally {
        &self.desk.tally
    }
}
