//! Answers of Kraken over REST: `Trades` and `OHLC`, one JSON document or several in a row.
//!
//! Times are seconds with a fraction, as numbers; their text is read, since a float ends at the
//! seventh digit. An answer with bars ends with one that is still open: the one behind `last`.

use std::io::Read;
use std::sync::Arc;

use qt_model::instrument::Terms;
use qt_model::record::{Bar, Batch, Kind, Source};
use qt_model::time::Ts;
use qt_model::words::{BarClock, InstrumentClass, Side};
use qt_stream::error::{Problem, ReadError};
use qt_stream::import::{
    About, Hints, ImportInput, Imported, Importer, Likeness, Look, Notes, Sorted,
};
use qt_stream::place::{At, Place};
use qt_stream::read::Options;
use rust_decimal::Decimal;
use serde_json::value::RawValue;

use crate::desk::{self, Desk, Print};
use crate::frame::DecodeError;
use crate::json::{Elements, Tape, Value};
use crate::kraken;
use crate::listing::{Scales, Sighting, Style, Styles};

/// See the module.
#[derive(Debug)]
pub(super) struct KrakenRest;

static ABOUT: About = About {
    name: "kraken-rest",
    what: "answers of Kraken's REST interface: Trades and OHLC",
    example: "qt record import trades_XBTUSD.json",
};

/// The longest file: an answer has a thousand prints, a file may have a few hundred answers.
const LIMIT: u64 = 64 << 20;

impl Importer for KrakenRest {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn recognise(&self, look: &Look<'_>) -> Likeness {
        let text: Vec<u8> = look
            .start
            .iter()
            .take(512)
            .filter(|byte| !byte.is_ascii_whitespace())
            .copied()
            .collect();
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
        let is_answer = text.starts_with(b"{\"error\":[],\"result\":{\"");
        let has_rows = memchr::memmem::find(text, b"\":[[").is_some();
        if is_answer && has_rows { Likeness::Certain } else { Likeness::No }
    }

    fn survey(
        &self,
        input: ImportInput,
        hints: &Hints,
        options: &Options,
    ) -> Result<Option<Ts>, ReadError> {
        super::survey::survey(self, input, hints, options)
    }

    fn open(
        &self,
        mut input: ImportInput,
        hints: &Hints,
        options: &Options,
    ) -> Result<Imported, ReadError> {
        let place = Place::whole(&input.name);
        let mut bytes = Vec::new();
        let read = (&mut input.bytes).take(LIMIT + 1).read_to_end(&mut bytes);
        read.map_err(|source| ReadError::of_read(place.clone(), source))?;
        if bytes.len() as u64 > LIMIT {
            let message = format!("longer than {LIMIT} bytes; split it by its answers");
            return Err(ReadError::Unreadable { place, message });
        }
        // Prices and volumes come with all decimals of their pair.
        let styles = Styles { px: Style::Padded, qty: Style::Padded };
        let scales = Scales { px: hints.px_scale, qty: hints.qty_scale };
        let mut answers = Answers {
            desk: Desk::new(kraken::VENUE, styles, &options.universe, scales),
            name: Arc::clone(&input.name),
            options: options.clone(),
            notes: input.notes.clone(),
            whole: Batch::default(),
            row: 0,
            given: 0,
        };
        answers.read(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes))?;
        let (name, tolerance) = (Arc::clone(&input.name), options.tolerance.clone());
        Ok(Box::new(Sorted::new(Box::new(answers), &name, tolerance)))
    }
}

/// What the documents of a file hold.
struct Answers {
    desk: Desk,
    name: Arc<str>,
    options: Options,
    notes: Notes,
    whole: Batch,
    /// Rows counted over all documents.
    row: u64,
    /// Records handed out.
    given: usize,
}

impl Answers {
    fn read(&mut self, bytes: &[u8]) -> Result<(), ReadError> {
        let documents = serde_json::Deserializer::from_slice(bytes).into_iter::<&RawValue>();
        let mut documents = documents;
        while let Some(document) = documents.next() {
            let document = document.map_err(|error| {
                let at = At::Byte(documents.byte_offset() as u64);
                let place = Place { input: Arc::clone(&self.name), at };
                if error.is_eof() {
                    let message = "the document is cut".to_owned();
                    return ReadError::Truncated { place, message };
                }
                ReadError::Corrupt { place, message: format!("not JSON: {error}") }
            })?;
            let mut tape = Tape::default();
            let answer = tape.read(document.get().as_bytes());
            let answer = answer.and_then(|answer| self.answer(answer));
            answer.map_err(|error| ReadError::Unreadable {
                place: Place::whole(&self.name),
                message: error.to_string(),
            })??;
        }
        Ok(())
    }

    fn answer(&mut self, answer: Value<'_, '_>) -> Result<Result<(), ReadError>, DecodeError> {
        let answer = answer.object()?;
        if let Some(error) = answer.get("error").filter(|error| error.raw().contains('"')) {
            return Err(DecodeError::Refused(format!("the venue answered {}", error.raw())));
        }
        let result = answer.need("result")?.object()?;
        let last = result.get("last");
        for (pair, rows) in result.members().filter(|(key, _)| key != "last") {
            let rows = rows.array()?;
            let row = rows.clone().next().map(|row| row.array()).transpose()?;
            let outcome = match row.map(Iterator::count) {
                None => Ok(()),
                Some(8) => self.bars(&pair, rows, last)?,
                Some(_) => self.prints(&pair, rows),
            };
            if outcome.is_err() {
                return Ok(outcome);
            }
        }
        Ok(Ok(()))
    }

    fn prints(&mut self, pair: &str, rows: Elements<'_, '_>) -> Result<(), ReadError> {
        for row in rows {
            if let Err(error) = self.print(pair, row) {
                self.judge(&error)?;
            }
            self.row += 1;
        }
        Ok(())
    }

    fn print(&mut self, pair: &str, row: Value<'_, '_>) -> Result<(), DecodeError> {
        let Some(([px, qty, time, side, _, _], mut rest)) = row.array()?.first() else {
            return Err(row.refuse("price, volume, time, side, type, misc"));
        };
        let aggressor = match &*side.text()? {
            "b" => Side::Buy,
            "s" => Side::Sell,
            _ => return Err(side.refuse("b or s")),
        };
        let (px, qty) = (px.digits()?, qty.digits()?);
        let ts_event = time.seconds()?;
        let id = rest.next().map(|id| id.u64()).transpose()?;
        let listed = self.desk.list(pair, terms, || Sighting::of(px, qty))?;
        let (px, qty) = (listed.px("price", px)?, listed.qty("volume", qty)?);
        let about = self.about(listed, ts_event)?;
        let print = Print { px, qty, side: Some(aggressor), id };
        self.desk.open(about.ts_recv, &mut self.whole);
        self.desk.trade(about, print, &mut self.whole);
        Ok(())
    }

    fn bars(
        &mut self,
        pair: &str,
        rows: Elements<'_, '_>,
        last: Option<Value<'_, '_>>,
    ) -> Result<Result<(), ReadError>, DecodeError> {
        let open = |row: Value<'_, '_>| match row.array()?.next() {
            Some(time) => time.u64(),
            None => Err(row.refuse("a bar")),
        };
        let times = rows.clone().map(open).collect::<Result<Vec<_>, _>>()?;
        let steps = times.windows(2).filter_map(|pair| pair[1].checked_sub(pair[0]));
        let Some(step) = steps.filter(|step| *step > 0).min() else {
            return Err(DecodeError::Refused("one bar alone does not tell its length".to_owned()));
        };
        let last = last.map(|last| last.u64()).transpose()?.unwrap_or(u64::MAX);
        for (row, time) in rows.zip(times) {
            if time > last {
                self.notes.add("bars that are still open", 1);
            } else if let Err(error) = self.bar(pair, row, time, step)
                && let Err(error) = self.judge(&error)
            {
                return Ok(Err(error));
            }
            self.row += 1;
        }
        Ok(Ok(()))
    }

    fn bar(
        &mut self,
        pair: &str,
        row: Value<'_, '_>,
        time: u64,
        step: u64,
    ) -> Result<(), DecodeError> {
        let Some([_, open, high, low, close, _, volume, trades]) = row.array()?.exactly() else {
            return Err(row.refuse("time, four prices, vwap, volume and count"));
        };
        let second = |seconds: u64| {
            let nanos = i64::try_from(seconds).ok().and_then(|s| s.checked_mul(1_000_000_000));
            nanos.map(Ts::from_nanos).ok_or_else(|| row.refuse("seconds since 1970"))
        };
        let (open_ts, close_ts) = (second(time)?, second(time.saturating_add(step))?);
        let mut sighting = Sighting::default();
        for px in [open, high, low, close] {
            sighting.px(px.digits()?);
        }
        sighting.qty(volume.digits()?);
        let listed = self.desk.list(pair, terms, || sighting)?;
        let px = |value: Value<'_, '_>| listed.px("price", value.digits()?);
        let (prices, volume) =
            ([px(open)?, px(high)?, px(low)?, px(close)?], listed.qty("volume", volume.digits()?)?);
        let (trades, about) = (trades.u64()?, self.about(listed, close_ts)?);
        self.desk.open(about.ts_recv, &mut self.whole);
        let [open, high, low, close] = prices;
        let bar = Bar {
            head: self.desk.head(Kind::Bar, about),
            clock: BarClock::Time,
            step: Decimal::from(close_ts.since(open_ts)),
            open_ts,
            open,
            high,
            low,
            close,
            volume,
            buy_volume: None,
            notional: None,
            trades: Some(trades),
        };
        self.whole.push_row(bar, &[]);
        Ok(())
    }

    fn about(
        &self,
        listed: crate::listing::Listed,
        ts_event: Ts,
    ) -> Result<desk::About, DecodeError> {
        let ts_recv = ts_event.checked_add_nanos(self.options.feed_latency_ns);
        let ts_recv = ts_recv.ok_or_else(|| DecodeError::Refused("the time is too far".into()))?;
        Ok(desk::About { listed, ts_event: Some(ts_event), ts_recv })
    }

    fn judge(&self, error: &DecodeError) -> Result<(), ReadError> {
        let place = Place { input: Arc::clone(&self.name), at: At::Row(self.row) };
        let problem = Box::new(Problem::Row { message: error.to_string() });
        self.options.tolerance.judge(ReadError::Record { place, problem, text: None })
    }
}

fn terms() -> Terms {
    Terms { class: Some(InstrumentClass::Spot), ..Terms::default() }
}

impl Source for Answers {
    type Error = ReadError;

    fn next(&mut self, batch: &mut Batch) -> Result<bool, ReadError> {
        batch.clear();
        batch.set_instruments(Arc::clone(self.whole.instruments()));
        let end = self.whole.len().min(self.given + self.options.batch_records.max(1));
        for at in self.given..end {
            batch.push(self.whole.get(at));
        }
        self.given = end;
        Ok(!batch.is_empty())
    }
}
