//! Hyperliquid: whole pictures of twenty levels a side, and prints.
//!
//! `l2Book` is always the full picture, so every one is a snapshot and nothing has to be sequenced.
//! The first `trades` message after a subscription tells of prints before it; they are real and come
//! once, so they are kept, at the moment they were received.

use qt_model::instrument::Terms;
use qt_model::record::{Batch, Level};
use qt_model::time::Ts;
use qt_model::words::{DepthAction, InstrumentClass, Payoff, Side};
use qt_stream::universe::Universe;

use crate::desk::{About, Desk, Ids, Print};
use crate::frame::{DecodeError, Decoder, Frame};
use crate::json::{Object, Tape, Value};
use crate::levels::{self, TextLevel};
use crate::listing::{Listed, Scales, Sighting, Style, Styles};
use crate::tally::{Tally, left};

/// The venue in the names of its instruments.
pub const VENUE: &str = "hyperliquid";

/// The decoder. See the module.
#[derive(Debug)]
pub struct Hyperliquid {
    desk: Desk,
    tape: Tape,
    levels: Vec<Level>,
}

impl Hyperliquid {
    /// A decoder whose instruments go to `universe`.
    pub fn new(universe: &Universe, scales: Scales) -> Self {
        let styles = Styles { px: Style::Short, qty: Style::Short };
        let desk = Desk::new(VENUE, styles, universe, scales);
        Self { desk, tape: Tape::default(), levels: Vec::new() }
    }

    fn list<'s>(
        &mut self,
        coin: &str,
        sighting: impl FnOnce() -> Sighting<'s>,
    ) -> Result<Listed, DecodeError> {
        // Spot pairs are named `@107` or `PURR/USDC`, all others are perpetuals.
        let is_spot = coin.starts_with('@') || coin.contains('/');
        let class = if is_spot { InstrumentClass::Spot } else { InstrumentClass::Perpetual };
        let payoff = (!is_spot).then_some(Payoff::Linear);
        self.desk.list(coin, || Terms { class: Some(class), payoff, ..Terms::default() }, sighting)
    }

    fn message(
        &mut self,
        message: Value<'_, '_>,
        ts_recv: Ts,
        batch: &mut Batch,
    ) -> Result<(), DecodeError> {
        let message = message.object()?;
        let channel = message.need("channel")?.text()?;
        match &*channel {
            "l2Book" => self.book(&message.need("data")?.object()?, ts_recv, batch),
            "trades" => self.trades(message.need("data")?, ts_recv, batch),
            "subscriptionResponse" | "pong" => self.desk.leave(left::CONTROL),
            _ => self.desk.leave(left::OTHER_EVENT),
        }
    }

    fn book(
        &mut self,
        book: &Object<'_>,
        ts_recv: Ts,
        batch: &mut Batch,
    ) -> Result<(), DecodeError> {
        let (coin, sides) = (book.need("coin")?.text()?, book.need("levels")?);
        let Some([bids, asks]) = sides.array()?.exactly() else {
            return Err(sides.refuse("bids and asks"));
        };
        let mut text = Vec::new();
        read_side(bids, Side::Buy, &mut text)?;
        read_side(asks, Side::Sell, &mut text)?;
        let ts_event = Some(book.need("time")?.time()?);
        let listed = self.list(&coin, || levels::sighting(&text))?;
        self.levels.clear();
        levels::resolve(&text, listed, &mut self.levels)?;
        self.desk.open(ts_recv, batch);
        let about = About { listed, ts_event, ts_recv };
        self.desk.depth(about, DepthAction::Snapshot, Ids::default(), &self.levels, batch);
        Ok(())
    }

    fn trades(
        &mut self,
        list: Value<'_, '_>,
        ts_recv: Ts,
        batch: &mut Batch,
    ) -> Result<(), DecodeError> {
        let prints: Result<Vec<_>, _> =
            list.array()?.map(|print| self.print(&print.object()?, ts_recv)).collect();
        let prints = prints?;
        self.desk.open(ts_recv, batch);
        prints.into_iter().for_each(|(about, print)| self.desk.trade(about, print, batch));
        Ok(())
    }

    fn print(&mut self, print: &Object<'_>, ts_recv: Ts) -> Result<(About, Print), DecodeError> {
        let coin = print.need("coin")?.text()?;
        let (px, qty) = (print.need("px")?.digits()?, print.need("sz")?.digits()?);
        let side = print.need("side")?;
        let side = match &*side.text()? {
            "B" => Some(Side::Buy),
            "A" => Some(Side::Sell),
            _ => return Err(side.refuse("B or A")),
        };
        let ts_event = Some(print.need("time")?.time()?);
        let id = print.get("tid").map(|id| id.u64()).transpose()?;
        let listed = self.list(&coin, || Sighting::of(px, qty))?;
        let (px, qty) = (listed.px("px", px)?, listed.qty("sz", qty)?);
        Ok((About { listed, ts_event, ts_recv }, Print { px, qty, side, id }))
    }
}

fn read_side<'a>(
    list: Value<'a, '_>,
    side: Side,
    out: &mut Vec<TextLevel<'a>>,
) -> Result<(), DecodeError> {
    for level in list.array()? {
        let level = level.object()?;
        let (px, qty) = (level.need("px")?.digits()?, level.need("sz")?.digits()?);
        out.push(TextLevel { side, px, qty, third: None });
    }
    Ok(())
}

impl Decoder for Hyperliquid {
    fn frame(&mut self, frame: Frame<'_>, batch: &mut Batch) -> Result<(), DecodeError> {
        let mut tape = std::mem::take(&mut self.tape);
        let read = tape.read(frame.bytes);
        let outcome = read.and_then(|message| self.message(message, frame.ts_recv, batch));
        self.tape = tape;
        outcome
    }

    fn reply(&mut self, _: &str, frame: Frame<'_>, batch: &mut Batch) -> Result<(), DecodeError> {
        self.frame(frame, batch)
    }

    fn tally(&self) -> &Tally {
        &self.desk.tally
    }
}
