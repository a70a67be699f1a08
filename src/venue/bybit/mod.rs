//! Bybit: the books and prints of its fifth protocol, and of the second one in old recordings.
//!
//! The fifth: a `snapshot`, then `delta`s whose `u` counts on by one; a new snapshot may come at any
//! time. The second has no such number, and lists its changes as `delete`, `update` and `insert`,
//! with prices as text and sizes as numbers.

use std::borrow::Cow;

use qt_model::instrument::Terms;
use qt_model::record::{Batch, Level};
use qt_model::time::Ts;
use qt_model::words::{DepthAction, GapReason, Side};
use qt_stream::universe::Universe;

use crate::desk::{About, Desk, Ids, Print};
use crate::epoch;
use crate::frame::{DecodeError, Decoder, Frame};
use crate::json::{Object, Tape, Value};
use crate::levels::{self, TextLevel};
use crate::listing::{Listed, Scales, Sighting, Style, Styles};
use crate::tally::{Tally, left};

/// The venue in the names of its instruments.
pub const VENUE: &str = "bybit";

/// The decoder. See the module.
#[derive(Debug)]
pub struct Bybit {
    desk: Desk,
    tape: Tape,
    /// By slot: the last update number of a live book, and when it came.
    books: Vec<Option<(u64, Ts)>>,
    levels: Vec<Level>,
}

/// One depth message, numbers still text.
struct Change<'a> {
    action: DepthAction,
    text: Vec<TextLevel<'a>>,
    ts_event: Option<Ts>,
    update: Option<u64>,
}

impl Bybit {
    /// A decoder whose instruments go to `universe`.
    pub fn new(universe: &Universe, scales: Scales) -> Self {
        let styles = Styles { px: Style::Short, qty: Style::Short };
        let desk = Desk::new(VENUE, styles, universe, scales);
        Self { desk, tape: Tape::default(), books: Vec::new(), levels: Vec::new() }
    }

    fn list<'s>(
        &mut self,
        name: &str,
        sighting: impl FnOnce() -> Sighting<'s>,
    ) -> Result<Listed, DecodeError> {
        self.desk.list(name, Terms::default, sighting)
    }

    fn message(
        &mut self,
        message: Value<'_, '_>,
        ts_recv: Ts,
        batch: &mut Batch,
    ) -> Result<(), DecodeError> {
        let message = message.object()?;
        let Some(topic) = message.get("topic") else {
            if ["success", "op", "ret_msg"].iter().any(|key| message.has(key)) {
                return self.desk.leave(left::CONTROL);
            }
            return Err(DecodeError::Refused("neither a topic of Bybit nor an answer".to_owned()));
        };
        let topic = topic.text()?;
        let (kind, rest) = topic.split_once('.').unwrap_or((&topic, ""));
        match kind {
            "orderbook" => {
                let (name, change) = fifth(&message)?;
                self.depth(&name, &change, ts_recv, batch)
            }
            "orderBookL2_25" | "orderBook_200" => {
                let name = rest.rsplit('.').next().unwrap_or(rest);
                self.depth(name, &second(&message)?, ts_recv, batch)
            }
            "publicTrade" | "trade" => self.prints(message.need("data")?, ts_recv, batch),
            _ => self.desk.leave(left::OTHER_EVENT),
        }
    }

    fn depth(
        &mut self,
        name: &str,
        change: &Change<'_>,
        ts_recv: Ts,
        batch: &mut Batch,
    ) -> Result<(), DecodeError> {
        let Change { action, ts_event, update, .. } = *change;
        let listed = self.list(name, || levels::sighting(&change.text))?;
        self.levels.clear();
        levels::resolve(&change.text, listed, &mut self.levels)?;
        self.desk.open(ts_recv, batch);
        let about = About { listed, ts_event, ts_recv };
        self.books.resize(self.books.len().max(listed.slot + 1), None);
        let book = &mut self.books[listed.slot];
        let mut prev = None;
        if let (DepthAction::Delta, Some((last, before)), Some(update)) = (action, *book, update) {
            if update <= last {
                return self.desk.leave("depth updates that are old");
            }
            prev = Some(last);
            if update != last + 1 {
                *book = None;
                self.desk.tally.add(left::GAP);
                let missing = Some(update - last - 1);
                self.desk.gap(about, before, GapReason::Sequence, missing, batch);
            }
        }
        let goes_on = action == DepthAction::Snapshot || self.books[listed.slot].is_some();
        self.books[listed.slot] = update.filter(|_| goes_on).map(|update| (update, ts_recv));
        let ids = Ids { first: None, last: update, prev };
        self.desk.depth(about, action, ids, &self.levels, batch);
        Ok(())
    }

    fn prints(
        &mut self,
        list: Value<'_, '_>,
        ts_recv: Ts,
        batch: &mut Batch,
    ) -> Result<(), DecodeError> {
        let prints = list.array()?.map(|print| self.print(&print.object()?, ts_recv));
        let prints = prints.collect::<Result<Vec<_>, _>>()?;
        self.desk.open(ts_recv, batch);
        prints.into_iter().for_each(|(about, print)| self.desk.trade(about, print, batch));
        Ok(())
    }

    fn print(&mut self, print: &Object<'_>, ts_recv: Ts) -> Result<(About, Print), DecodeError> {
        // Short keys are those of the fifth protocol, long ones of the second.
        let either = |short: &'static str, long: &'static str| match print.get(short) {
            Some(value) => Ok(value),
            None => print.need(long),
        };
        let (px, qty) = (either("p", "price")?.digits()?, either("v", "size")?.digits()?);
        let time = either("T", "trade_time_ms")?;
        let ts_event = time.digits()?.parse().ok().and_then(epoch::from_count);
        let ts_event = Some(ts_event.ok_or_else(|| time.refuse("milliseconds since 1970"))?);
        let side = side(either("S", "side")?)?;
        // Names of prints are numbers on spot and texts elsewhere.
        let id = print.get("i").and_then(|id| id.u64().ok());
        let listed = self.list(&either("s", "symbol")?.text()?, || Sighting::of(px, qty))?;
        let print = Print {
            px: listed.px("price", px)?,
            qty: listed.qty("size", qty)?,
            side: Some(side),
            id,
        };
        Ok((About { listed, ts_event, ts_recv }, print))
    }
}

fn side(value: Value<'_, '_>) -> Result<Side, DecodeError> {
    match &*value.text()? {
        "Buy" => Ok(Side::Buy),
        "Sell" => Ok(Side::Sell),
        _ => Err(value.refuse("Buy or Sell")),
    }
}

fn action(message: &Object<'_>) -> Result<DepthAction, DecodeError> {
    let kind = message.need("type")?;
    match &*kind.text()? {
        "snapshot" => Ok(DepthAction::Snapshot),
        "delta" => Ok(DepthAction::Delta),
        _ => Err(kind.refuse("snapshot or delta")),
    }
}

/// A message of the fifth protocol. `cts` is the time of the matching engine, `ts` that of sending.
fn fifth<'a>(message: &Object<'a>) -> Result<(Cow<'a, str>, Change<'a>), DecodeError> {
    let data = message.need("data")?.object()?;
    let mut text = Vec::new();
    levels::read(data.need("b")?, Side::Buy, &mut text)?;
    levels::read(data.need("a")?, Side::Sell, &mut text)?;
    let time = message.get("cts").map_or_else(|| message.need("ts"), Ok)?;
    let (ts_event, update) = (Some(time.time()?), Some(data.need("u")?.u64()?));
    let change = Change { action: action(message)?, text, ts_event, update };
    Ok((data.need("s")?.text()?, change))
}

/// A message of the second protocol.
fn second<'a>(message: &Object<'a>) -> Result<Change<'a>, DecodeError> {
    let (action, data) = (action(message)?, message.need("data")?);
    let mut text = Vec::new();
    match action {
        // Inverse contracts list the levels without a name around them.
        DepthAction::Snapshot if data.is_array() => rows(data, false, &mut text)?,
        DepthAction::Snapshot => rows(data.object()?.need("order_book")?, false, &mut text)?,
        DepthAction::Delta => {
            let data = data.object()?;
            rows(data.need("delete")?, true, &mut text)?;
            rows(data.need("update")?, false, &mut text)?;
            rows(data.need("insert")?, false, &mut text)?;
        }
    }
    let ts_event = message.get("timestamp_e6").map(|time| time.time()).transpose()?;
    Ok(Change { action, text, ts_event, update: None })
}

fn rows<'a>(
    list: Value<'a, '_>,
    is_delete: bool,
    out: &mut Vec<TextLevel<'a>>,
) -> Result<(), DecodeError> {
    for row in list.array()? {
        let row = row.object()?;
        let qty = if is_delete { "0" } else { row.need("size")?.digits()? };
        let (side, px) = (side(row.need("side")?)?, row.need("price")?.digits()?);
        out.push(TextLevel { side, px, qty, third: None });
    }
    Ok(())
}

impl Decoder for Bybit {
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
