//! The general road: every message of the market streams and of REST, in any shape that JSON allows.

use qt_model::record::Level;
use qt_model::time::Ts;
use qt_model::words::Side;

use super::market::Market;
use super::said::{ClosedBar, MarkPrice, Prints, Said, aggressor, left};
use super::terms;
use crate::desk::{Desk, Print, Touch};
use crate::epoch;
use crate::frame::DecodeError;
use crate::json::{Object, Value};
use crate::levels;
use crate::listing::{Listed, Sighting};
use crate::sequence::Update;

/// What a reader of messages works with.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub market: Market,
    pub desk: &'a mut Desk,
    /// The instrument of a message that names none.
    pub subject: Option<&'a str>,
    /// Where the levels of the one depth message go.
    pub levels: &'a mut Vec<Level>,
}

impl Reader<'_> {
    pub(super) fn read(&mut self, message: Value<'_, '_>) -> Result<Vec<Said>, DecodeError> {
        if message.is_array() {
            return self.events(message, None);
        }
        let object = message.object()?;
        let Some(stream) = object.get("stream") else {
            return Ok(vec![self.event(&object, None)?]);
        };
        let (stream, data) = (stream.text()?, object.need("data")?);
        if data.is_array() {
            return self.events(data, Some(&stream));
        }
        Ok(vec![self.event(&data.object()?, Some(&stream))?])
    }

    fn events(
        &mut self,
        list: Value<'_, '_>,
        stream: Option<&str>,
    ) -> Result<Vec<Said>, DecodeError> {
        list.array()?.map(|event| self.event(&event.object()?, stream)).collect()
    }

    fn event(&mut self, event: &Object<'_>, stream: Option<&str>) -> Result<Said, DecodeError> {
        if let Some(market) = event.get("st").map(|st| st.u64()).transpose()? {
            let is_ours = (market == 2) == (self.market == Market::CoinM);
            if !is_ours {
                return Ok(Said::Left(left::OTHER_MARKET));
            }
        }
        let Some(name) = event.get("e") else { return self.nameless(event, stream) };
        match &*name.text()? {
            "depthUpdate" => self.update(event, stream),
            "trade" => self.print(event, Prints::Single),
            "aggTrade" => self.print(event, Prints::Aggregate),
            "bookTicker" => self.quote(event),
            "markPriceUpdate" => self.mark(event),
            "kline" => self.bar(&event.need("k")?.object()?),
            "forceOrder" => Ok(Said::Left(left::LIQUIDATION)),
            _ => Ok(Said::Left(left::OTHER_EVENT)),
        }
    }

    fn nameless(&mut self, event: &Object<'_>, stream: Option<&str>) -> Result<Said, DecodeError> {
        if event.has("lastUpdateId") {
            return self.snapshot(event, stream);
        }
        if event.has("symbols") {
            terms::read(event, self.market, self.desk)?;
            return Ok(Said::Left(left::CONTROL));
        }
        if ["b", "B", "a", "A"].iter().all(|key| event.has(key)) {
            return self.quote(event);
        }
        if ["result", "id", "code", "error", "msg"].iter().any(|key| event.has(key)) {
            return Ok(Said::Left(left::CONTROL));
        }
        Err(DecodeError::Refused(
            "neither an event nor a snapshot of Binance; is it from another venue (`--venue`)?"
                .into(),
        ))
    }

    fn update(&mut self, event: &Object<'_>, stream: Option<&str>) -> Result<Said, DecodeError> {
        let symbol = event.need("s")?.text()?;
        let listed = self.depth(&symbol, event.need("b")?, event.need("a")?)?;
        let ts_event = moment(event)?;
        let (first, last) = (event.need("U")?.u64()?, event.need("u")?.u64()?);
        let prev = event.get("pu").map(|prev| prev.u64()).transpose()?;
        if is_picture(stream) {
            return Ok(Said::Picture { listed, ts_event, last });
        }
        Ok(Said::Update { listed, ts_event, update: Update { first, last, prev } })
    }

    fn snapshot(&mut self, event: &Object<'_>, stream: Option<&str>) -> Result<Said, DecodeError> {
        let symbol = self.symbol_of_snapshot(event, stream)?;
        let listed = self.depth(&symbol, event.need("bids")?, event.need("asks")?)?;
        let (ts_event, last) = (moment(event)?, event.need("lastUpdateId")?.u64()?);
        if is_picture(stream) {
            return Ok(Said::Picture { listed, ts_event, last });
        }
        Ok(Said::Snapshot { listed, ts_event, last })
    }

    fn symbol_of_snapshot(
        &self,
        event: &Object<'_>,
        stream: Option<&str>,
    ) -> Result<String, DecodeError> {
        if let Some(symbol) = event.get("symbol") {
            return Ok(symbol.text()?.into_owned());
        }
        let of_stream = stream.and_then(|stream| stream.split('@').next());
        let named = of_stream.map(str::to_uppercase).or_else(|| self.subject.map(str::to_owned));
        named.or_else(|| self.desk.listing.only()).ok_or_else(|| {
            let message = "the snapshot does not name its instrument; pass --symbol";
            DecodeError::Refused(message.to_owned())
        })
    }

    fn depth(
        &mut self,
        symbol: &str,
        bids: Value<'_, '_>,
        asks: Value<'_, '_>,
    ) -> Result<Listed, DecodeError> {
        if !self.levels.is_empty() {
            return Err(DecodeError::Refused("two books in one message".to_owned()));
        }
        let mut text = Vec::new();
        levels::read(bids, Side::Buy, &mut text)?;
        levels::read(asks, Side::Sell, &mut text)?;
        let listed = self.list(symbol, || levels::sighting(&text))?;
        levels::resolve(&text, listed, self.levels)?;
        Ok(listed)
    }

    fn list<'s>(
        &mut self,
        symbol: &str,
        sighting: impl FnOnce() -> Sighting<'s>,
    ) -> Result<Listed, DecodeError> {
        let market = self.market;
        self.desk.list(symbol, || market.terms(symbol), sighting)
    }

    fn print(&mut self, event: &Object<'_>, stream: Prints) -> Result<Said, DecodeError> {
        let (px, qty) = (event.need("p")?.digits()?, event.need("q")?.digits()?);
        let symbol = event.need("s")?.text()?;
        let key = if stream == Prints::Single { "t" } else { "a" };
        let (id, ts_event) = (event.need(key)?.u64()?, event.need("T")?.time()?);
        let side = Some(aggressor(event.need("m")?.bool()?));
        if let Some(kind) = event.get("X")
            && kind.text()? != "MARKET"
        {
            return Ok(Said::Left(left::NOT_MARKET));
        }
        let listed = self.list(&symbol, || Sighting::of(px, qty))?;
        let (px, qty) = (listed.px("p", px)?, listed.qty("q", qty)?);
        if qty.is_zero() || px.mantissa() == 0 {
            return Ok(Said::Left(left::NO_SIZE));
        }
        let print = Print { px, qty, side, id: Some(id) };
        Ok(Said::Print { listed, ts_event, stream, print })
    }

    fn quote(&mut self, event: &Object<'_>) -> Result<Said, DecodeError> {
        let symbol = event.need("s")?.text()?;
        let mut texts = [""; 4];
        for (text, key) in texts.iter_mut().zip(["b", "B", "a", "A"]) {
            *text = event.need(key)?.digits()?;
        }
        let [bid, bid_qty, ask, ask_qty] = texts;
        let sides = [(bid, bid_qty), (ask, ask_qty)];
        let listed = self.list(&symbol, || Sighting::of_all(sides))?;
        let id = event.get("u").map(|id| id.u64()).transpose()?;
        let bid = (listed.px("b", bid)?, listed.qty("B", bid_qty)?);
        let ask = (listed.px("a", ask)?, listed.qty("A", ask_qty)?);
        Ok(Said::Quote { listed, ts_event: moment(event)?, quote: Touch::new(bid, ask, id) })
    }

    fn mark(&mut self, event: &Object<'_>) -> Result<Said, DecodeError> {
        let symbol = event.need("s")?.text()?;
        let px = event.need("p")?;
        // The mark has more decimals than the market trades with, so it shows no scale: an
        // instrument that is known by its mark alone waits for its first quote, print or book.
        let listed = match self.desk.listing.find(symbol.as_bytes()) {
            Some(listed) => listed,
            None if self.desk.listing.is_stated(&symbol) => {
                self.list(&symbol, Sighting::default)?
            }
            None => return Ok(Said::Left(left::EARLY_MARK)),
        };
        let index = event.get("i").filter(is_filled).map(|index| index.money()).transpose()?;
        let rate = event.get("r").filter(is_filled).map(|rate| rate.money()).transpose()?;
        let due = event.get("T").map(|due| due.u64()).transpose()?.filter(|due| *due != 0);
        let due = due.and_then(epoch::from_count);
        let mark = MarkPrice { mark: px.money()?, index, funding: rate.map(|rate| (rate, due)) };
        Ok(Said::Mark { listed, ts_event: event.need("E")?.time()?, mark })
    }

    fn bar(&mut self, bar: &Object<'_>) -> Result<Said, DecodeError> {
        if !bar.need("x")?.bool()? {
            return Ok(Said::Left(left::OPEN_BAR));
        }
        let symbol = bar.need("s")?.text()?;
        let (open_ts, last) = (bar.need("t")?.time()?, bar.need("T")?);
        // `T` is the last millisecond inside the bar.
        let close_ts = last.u64()?.checked_add(1).and_then(epoch::from_count);
        let close_ts = close_ts.filter(|close| *close > open_ts);
        let close_ts = close_ts.ok_or_else(|| last.refuse("a time behind the open"))?;
        let mut sighting = Sighting::of(bar.need("o")?.digits()?, bar.need("v")?.digits()?);
        for key in ["h", "l", "c"] {
            sighting.px(bar.need(key)?.digits()?);
        }
        let listed = self.list(&symbol, || sighting)?;
        let px = |key: &str| listed.px(key, bar.need(key)?.digits()?);
        let qty = |key: &str| bar.get(key).map(|qty| listed.qty(key, qty.digits()?)).transpose();
        let volume = listed.qty("v", bar.need("v")?.digits()?)?;
        let bar = ClosedBar {
            open_ts,
            close_ts,
            prices: [px("o")?, px("h")?, px("l")?, px("c")?],
            volume,
            buy_volume: qty("V")?,
            notional: bar.get("q").map(|notional| notional.money()).transpose()?,
            trades: bar.get("n").map(|trades| trades.u64()).transpose()?,
        };
        Ok(Said::Bar { listed, bar })
    }
}

/// Whether a stream sends the best levels only: `btcusdt@depth20@100ms`.
fn is_picture(stream: Option<&str>) -> bool {
    let kind = stream.and_then(|stream| stream.split('@').nth(1));
    let count = kind.and_then(|kind| kind.strip_prefix("depth"));
    count.is_some_and(|count| count.starts_with(|first: char| first.is_ascii_digit()))
}

fn is_filled(value: &Value<'_, '_>) -> bool {
    value.raw() != "\"\""
}

/// The matching engine's time where it is given, else the time of sending.
fn moment(event: &Object<'_>) -> Result<Option<Ts>, DecodeError> {
    event.get("T").or_else(|| event.get("E")).map(|at| at.time()).transpose()
}
