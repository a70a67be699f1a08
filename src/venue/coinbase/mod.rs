//! Coinbase's exchange feed: `level2` books, `match` prints.
//!
//! The `level2` channel promises every change, so there are no numbers to check. `side` is the
//! side of the maker. `last_match` repeats the print before the subscription and is no print of the
//! session. `ticker` comes with each print and tells of the touch without sizes: it is left out.

use qt_model::instrument::Terms;
use qt_model::record::{Batch, Level};
use qt_model::time::Ts;
use qt_model::words::{DepthAction, InstrumentClass, Side};
use qt_stream::universe::Universe;

use crate::desk::{About, Desk, Ids, Print};
use crate::frame::{DecodeError, Decoder, Frame};
use crate::json::{Object, Tape, Value};
use crate::levels::{self, TextLevel};
use crate::listing::{Listed, Scales, Sighting, Stated, Style, Styles};
use crate::tally::{Tally, left};

/// The venue in the names of its instruments.
pub const VENUE: &str = "coinbase";

/// The decoder. See the module.
#[derive(Debug)]
pub struct Coinbase {
    desk: Desk,
    tape: Tape,
    levels: Vec<Level>,
}

impl Coinbase {
    /// A decoder whose instruments go to `universe`.
    pub fn new(universe: &Universe, scales: Scales) -> Self {
        let styles = Styles { px: Style::Short, qty: Style::Short };
        let desk = Desk::new(VENUE, styles, universe, scales);
        Self { desk, tape: Tape::default(), levels: Vec::new() }
    }

    fn list<'s>(
        &mut self,
        message: &Object<'_>,
        sighting: impl FnOnce() -> Sighting<'s>,
    ) -> Result<Listed, DecodeError> {
        let product = message.need("product_id")?.text()?;
        let pair = product.split_once('-');
        let terms = || Terms {
            class: Some(InstrumentClass::Spot),
            base: pair.map(|(base, _)| base.into()),
            quote: pair.map(|(_, quote)| quote.into()),
            ..Terms::default()
        };
        self.desk.list(&product, terms, sighting)
    }

    fn message(
        &mut self,
        message: Value<'_, '_>,
        ts_recv: Ts,
        batch: &mut Batch,
    ) -> Result<(), DecodeError> {
        if message.is_array() {
            return self.products(message);
        }
        let message = message.object()?;
        let kind = message.need("type")?.text()?;
        match &*kind {
            "l2update" => {
                let changes = message.need("changes")?;
                let mut text = Vec::new();
                for change in changes.array()? {
                    let Some([of, px, qty]) = change.array()?.exactly() else {
                        return Err(changes.refuse("lists of side, price and size"));
                    };
                    let side = side(of)?;
                    text.push(TextLevel {
                        side,
                        px: px.digits()?,
                        qty: qty.digits()?,
                        third: None,
                    });
                }
                self.book(&message, DepthAction::Delta, &text, ts_recv, batch)
            }
            "match" => self.print(&message, ts_recv, batch),
            "snapshot" => {
                let mut text = Vec::new();
                levels::read(message.need("bids")?, Side::Buy, &mut text)?;
                levels::read(message.need("asks")?, Side::Sell, &mut text)?;
                self.book(&message, DepthAction::Snapshot, &text, ts_recv, batch)
            }
            "last_match" => self.desk.leave(left::HISTORY),
            "subscriptions" | "heartbeat" | "error" => self.desk.leave(left::CONTROL),
            _ => self.desk.leave(left::OTHER_EVENT),
        }
    }

    fn book(
        &mut self,
        message: &Object<'_>,
        action: DepthAction,
        text: &[TextLevel<'_>],
        ts_recv: Ts,
        batch: &mut Batch,
    ) -> Result<(), DecodeError> {
        let ts_event = message.get("time").map(|time| time.instant()).transpose()?;
        let listed = self.list(message, || levels::sighting(text))?;
        self.levels.clear();
        levels::resolve(text, listed, &mut self.levels)?;
        self.desk.open(ts_recv, batch);
        let about = About { listed, ts_event, ts_recv };
        self.desk.depth(about, action, Ids::default(), &self.levels, batch);
        Ok(())
    }

    fn print(
        &mut self,
        message: &Object<'_>,
        ts_recv: Ts,
        batch: &mut Batch,
    ) -> Result<(), DecodeError> {
        let (px, qty) = (message.need("price")?.digits()?, message.need("size")?.digits()?);
        let side = Some(side(message.need("side")?)?.opposite());
        let ts_event = Some(message.need("time")?.instant()?);
        let id = message.get("trade_id").map(|id| id.u64()).transpose()?;
        let listed = self.list(message, || Sighting::of(px, qty))?;
        let print = Print { px: listed.px("price", px)?, qty: listed.qty("size", qty)?, side, id };
        self.desk.open(ts_recv, batch);
        self.desk.trade(About { listed, ts_event, ts_recv }, print, batch);
        Ok(())
    }

    /// The answer with the terms of all products.
    fn products(&mut self, list: Value<'_, '_>) -> Result<(), DecodeError> {
        for product in list.array()? {
            let product = product.object()?;
            let name = product.need("id")?.text()?;
            let step = |key: &str| product.get(key).map(|step| step.money()).transpose();
            let (tick, lot) = (step("quote_increment")?, step("base_increment")?);
            let text = |key: &str| -> Result<Option<Box<str>>, DecodeError> {
                let text = product.get(key).map(|text| text.text()).transpose()?;
                Ok(text.map(|text| text.as_ref().into()))
            };
            let terms = Terms {
                class: Some(InstrumentClass::Spot),
                tick,
                lot,
                base: text("base_currency")?,
                quote: text("quote_currency")?,
                ..Terms::default()
            };
            self.desk.listing.state(&name, Stated { terms, ..Stated::default() })?;
        }
        Ok(())
    }
}

fn side(value: Value<'_, '_>) -> Result<Side, DecodeError> {
    match &*value.text()? {
        "buy" => Ok(Side::Buy),
        "sell" => Ok(Side::Sell),
        _ => Err(value.refuse("buy or sell")),
    }
}

impl Decoder for Coinbase {
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
