//! Dukascopy: `.bi5` files of ticks of an hour, or of candles.
//!
//! A file says neither its instrument nor its time; both stand in its path, where months count from
//! zero: `EURUSD/2019/01/04/00h_ticks.bi5` is of 4 February 2019. Times are UTC. Sizes are 32-bit
//! floats of millions; their shortest decimals are taken as what was meant, in units of the base.

use std::io::{BufReader, Read};
use std::sync::Arc;

use lzma_rust2::LzmaReader;
use qt_model::decimal;
use qt_model::record::{Bar, Batch, Quote, Source};
use qt_model::time::{Date, Ts};
use qt_model::units::{Px, Qty, Scale};

use super::roster::{Known, Roster};
use super::{About, Hints, ImportInput, Imported, Importer, Likeness, Look, Sorted};
use crate::error::{Problem, ReadError};
use crate::lines::read_some;
use crate::place::{At, Place};
use crate::read::Options;

#[derive(Debug)]
pub(super) struct Dukascopy;

static ABOUT: About = About {
    name: "dukascopy",
    what: "Dukascopy .bi5: ticks and candles, in folders of instrument, year, month (from 00) and day",
    example: "qt record import EURUSD/2019/01/04/00h_ticks.bi5",
};

/// More memory than this no file of ours asks for, in KiB.
const MEMORY: u32 = 64 << 10;

impl Importer for Dukascopy {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn recognise(&self, look: &Look<'_>) -> Likeness {
        let named = look.path.and_then(|path| path.extension()).is_some_and(|it| it == "bi5");
        // Properties of LZMA as every encoder sets them, and a dictionary of at most 32 MiB.
        let is_lzma = matches!(look.start, [0x5d, 0, 0, _, 0..=2, ..]);
        match (named, is_lzma || look.start.is_empty()) {
            (true, true) => Likeness::Certain,
            (false, true) if !look.start.is_empty() => Likeness::Likely,
            (true | false, _) => Likeness::No,
        }
    }

    fn open(
        &self,
        input: ImportInput,
        hints: &Hints,
        options: &Options,
    ) -> Result<Imported, ReadError> {
        let name = Arc::clone(&input.name);
        let unreadable =
            |message: String| ReadError::Unreadable { place: Place::whole(&name), message };
        let said =
            Said::of(&Look { start: b"", path: input.path.as_deref() }).ok_or_else(|| {
                unreadable(
                    "instrument and time stand in the path; expected one such as \
                 EURUSD/2019/01/04/00h_ticks.bi5, where months count from 00"
                        .to_owned(),
                )
            })?;
        let source = Rows::new(input, said, hints, options)
            .map_err(|problem| unreadable(problem.to_string()))?;
        Ok(Box::new(Sorted::new(Box::new(source), &name, options.tolerance.clone())))
    }
}

/// What the path of a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    symbol: String,
    start: Ts,
    of: Of,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Of {
    Ticks,
    Candles { side: &'static str, step_ns: i64 },
}

const HOUR: i64 = 3_600_000_000_000;

impl Said {
    fn of(look: &Look<'_>) -> Option<Self> {
        let parts = look.parts();
        let (name, folders) = parts.split_last()?;
        let name = name.strip_suffix(".bi5")?;
        let number = |text: &String| text.parse::<u32>().ok().filter(|_| text.len() <= 4);
        let date = |year: u32, month: u32, day: u32| Date::new(year.cast_signed(), month + 1, day);
        if let Some(hour) = name.strip_suffix("h_ticks") {
            let [.., symbol, year, month, day] = folders else { return None };
            let date = date(number(year)?, number(month)?, number(day)?)?;
            let hour = hour.parse::<i64>().ok().filter(|hour| (0..24).contains(hour))?;
            let start = date.start().checked_add_nanos(hour * HOUR)?;
            return Some(Self { symbol: symbol.to_uppercase(), start, of: Of::Ticks });
        }
        let (side, rest) = name.split_once("_candles_")?;
        let side = match side {
            "bid" => "bid",
            "ask" => "ask",
            _ => return None,
        };
        // A file of minutes holds a day, one of hours a month, one of days a year.
        let (symbol, date, step_ns) = match (rest, folders) {
            ("min_1", [.., symbol, year, month, day]) => {
                (symbol, date(number(year)?, number(month)?, number(day)?)?, HOUR / 60)
            }
            ("hour_1", [.., symbol, year, month]) => {
                (symbol, date(number(year)?, number(month)?, 1)?, HOUR)
            }
            ("day_1", [.., symbol, year]) => (symbol, date(number(year)?, 0, 1)?, 24 * HOUR),
            _ => return None,
        };
        let (symbol, of) = (symbol.to_uppercase(), Of::Candles { side, step_ns });
        Some(Self { symbol, start: date.start(), of })
    }
}

/// How many decimals the whole numbers of a file have, where that is known.
fn decimals(symbol: &str) -> Option<u8> {
    const CURRENCIES: [&str; 19] = [
        "AUD", "CAD", "CHF", "CNH", "CZK", "DKK", "EUR", "GBP", "HKD", "ILS", "MXN", "NOK", "NZD",
        "PLN", "RON", "SEK", "SGD", "TRY", "ZAR",
    ];
    let (base, quote) = symbol.split_at_checked(3).filter(|(_, quote)| quote.len() == 3)?;
    let is_known = |it: &str| it == "USD" || CURRENCIES.contains(&it);
    match (base, quote) {
        ("XAU" | "XAG", _) => Some(3),
        (base, "JPY" | "HUF" | "RUB") if is_known(base) => Some(3),
        (base, quote) if is_known(base) && is_known(quote) => Some(5),
        _ => None,
    }
}

struct Rows {
    name: Arc<str>,
    bytes: Box<dyn Read + Send>,
    said: Said,
    roster: Roster,
    which: usize,
    options: Options,
    /// Bytes of rows so far.
    passed: u64,
}

/// Sizes are counted in thousandths of a unit, which are billionths of the file's millions.
const QTY: u8 = 3;

impl Rows {
    fn new(
        input: ImportInput,
        said: Said,
        hints: &Hints,
        options: &Options,
    ) -> Result<Self, Problem> {
        let symbol = hints.symbol.clone().unwrap_or_else(|| said.symbol.clone());
        let scale = |digits| Scale::new(digits).expect("the digits of the table are in range");
        let px = hints.px_scale.or_else(|| decimals(&symbol).map(scale)).ok_or_else(|| {
            let message = format!(
                "prices are whole numbers, and their decimals are not known for {symbol}; pass \
                 --px-scale (5 for most pairs of currencies, 3 in yen)"
            );
            Problem::Row { message }
        })?;
        let name = match &said.of {
            Of::Ticks => symbol,
            Of::Candles { side, .. } => format!("{symbol}.{side}"),
        };
        // The name was worked out from what the user said; it is not to be replaced again.
        let hints = Hints { symbol: None, ..hints.clone() };
        let mut roster = Roster::new(&hints, options);
        let which = roster.add("dukascopy", &name, (px, scale(QTY)))?;
        let mut bytes = BufReader::new(input.bytes);
        let is_empty = std::io::BufRead::fill_buf(&mut bytes).is_ok_and(<[u8]>::is_empty);
        let bytes: Box<dyn Read + Send> = if is_empty {
            // An hour without a tick is an empty file.
            Box::new(std::io::empty())
        } else {
            let reader = LzmaReader::new_mem_limit(bytes, MEMORY, None);
            Box::new(reader.map_err(|error| Problem::Row { message: format!("no LZMA: {error}") })?)
        };
        let options = options.clone();
        Ok(Self { name: input.name, bytes, said, roster, which, options, passed: 0 })
    }

    fn place(&self) -> Place {
        Place { input: Arc::clone(&self.name), at: At::Byte(self.passed) }
    }

    /// Reads a row of that many bytes; `false` at the end.
    fn fill(&mut self, row: &mut [u8]) -> Result<bool, ReadError> {
        let mut had = 0;
        while had < row.len() {
            let read = read_some(&mut self.bytes, &mut row[had..]);
            match read.map_err(|source| ReadError::of_read(self.place(), source))? {
                0 if had == 0 => return Ok(false),
                0 if self.options.allow_truncated => return Ok(false),
                0 => {
                    let message = format!("the file ends {had} bytes into a row of {}", row.len());
                    return Err(ReadError::Truncated { place: self.place(), message });
                }
                read => had += read,
            }
        }
        Ok(true)
    }

    fn step(&mut self, batch: &mut Batch) -> Result<bool, ReadError> {
        let mut row = [0; 24];
        let (length, is_ticks) = match self.said.of {
            Of::Ticks => (20, true),
            Of::Candles { .. } => (24, false),
        };
        if !self.fill(&mut row[..length])? {
            return Ok(false);
        }
        let known = self.roster.get(self.which);
        let made = match is_ticks {
            true => tick(&self.said, &row, known, self.options.feed_latency_ns, batch),
            false => candle(&self.said, &row, known, self.options.feed_latency_ns, batch),
        };
        if let Err(problem) = made {
            let error =
                ReadError::Record { place: self.place(), problem: Box::new(problem), text: None };
            self.options.tolerance.judge(error)?;
        }
        self.passed += length as u64;
        Ok(true)
    }
}

impl Source for Rows {
    type Error = ReadError;

    fn next(&mut self, batch: &mut Batch) -> Result<bool, ReadError> {
        batch.clear();
        batch.set_instruments(Arc::clone(self.roster.table()));
        while batch.len() < self.options.batch_records && self.step(batch)? {}
        Ok(!batch.is_empty())
    }
}

fn word(row: &[u8; 24], at: usize) -> [u8; 4] {
    [row[4 * at], row[4 * at + 1], row[4 * at + 2], row[4 * at + 3]]
}

fn px(row: &[u8; 24], at: usize) -> Px {
    Px::new(i64::from(u32::from_be_bytes(word(row, at))))
}

/// The size that a float of millions was written for.
fn qty(row: &[u8; 24], at: usize, known: &Known) -> Result<Qty, Problem> {
    let millions = f32::from_be_bytes(word(row, at)).to_string();
    let digits = known.qty_scale.digits() + 6;
    let misread = || {
        let expected = format!("millions with at most {digits} decimals; or pass --qty-scale");
        Problem::field("size", expected, millions.as_bytes())
    };
    let scale = Scale::new(digits).map_err(|_| misread())?;
    let mantissa = decimal::parse(millions.as_bytes(), scale).map_err(|_| misread())?;
    Qty::new(mantissa).map_err(|_| misread())
}

fn instant(said: &Said, row: &[u8; 24], unit: i64) -> Result<Ts, Problem> {
    let count = i64::from(u32::from_be_bytes(word(row, 0)));
    said.start
        .checked_add_nanos(count * unit)
        .ok_or_else(|| Problem::field("time", "a time before 2262", count.to_string().as_bytes()))
}

/// Milliseconds, ask, bid, size at the ask, size at the bid.
fn tick(
    said: &Said,
    row: &[u8; 24],
    known: &mut Known,
    latency_ns: i64,
    batch: &mut Batch,
) -> Result<(), Problem> {
    let ts = instant(said, row, 1_000_000)?;
    let (ask_px, bid_px) = (Some(px(row, 1)), Some(px(row, 2)));
    let (ask_qty, bid_qty) = (Some(qty(row, 3, known)?), Some(qty(row, 4, known)?));
    let recv = ts.checked_add_nanos(latency_ns).unwrap_or(ts);
    let head = known.head::<Quote>(Some(ts), recv);
    batch.push_row(Quote { head, bid_px, bid_qty, ask_px, ask_qty, id: None }, &[]);
    Ok(())
}

/// Seconds, open, close, low, high, volume: the close stands second.
fn candle(
    said: &Said,
    row: &[u8; 24],
    known: &mut Known,
    latency_ns: i64,
    batch: &mut Batch,
) -> Result<(), Problem> {
    let Of::Candles { step_ns, .. } = said.of else { return Ok(()) };
    let open_ts = instant(said, row, 1_000_000_000)?;
    let ts = open_ts.checked_add_nanos(step_ns).unwrap_or(open_ts);
    let (open, close, low, high) = (px(row, 1), px(row, 2), px(row, 3), px(row, 4));
    let volume = qty(row, 5, known)?;
    let recv = ts.checked_add_nanos(latency_ns).unwrap_or(ts);
    let head = known.head::<Bar>(Some(ts), recv);
    batch.push_row(Bar::timed(head, step_ns, open_ts, [open, high, low, close], volume), &[]);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn said(path: &str) -> Option<(String, String)> {
        let said = Said::of(&Look { start: b"", path: Some(Path::new(path)) })?;
        Some((said.symbol, said.start.to_string()[..16].to_owned()))
    }

    #[test]
    fn months_in_paths_count_from_zero() {
        for (path, start) in [
            ("EURUSD/2019/01/04/00h_ticks.bi5", "2019-02-04T00:00"),
            ("d/eurusd/2019/00/31/23h_ticks.bi5", "2019-01-31T23:00"),
            ("EURUSD/2019/11/31/BID_candles_min_1.bi5", "2019-12-31T00:00"),
            ("EURUSD/2019/11/ASK_candles_hour_1.bi5", "2019-12-01T00:00"),
            ("EURUSD/2019/BID_candles_day_1.bi5", "2019-01-01T00:00"),
        ] {
            assert_eq!(said(path), Some(("EURUSD".to_owned(), start.to_owned())), "{path}");
        }
        for path in [
            "EURUSD/2019/01/30/00h_ticks.bi5",
            "EURUSD/2019/12/01/00h_ticks.bi5",
            "EURUSD/2019/01/04/24h_ticks.bi5",
            "00h_ticks.bi5",
        ] {
            assert_eq!(said(path), None, "{path}");
        }
    }

    #[test]
    fn decimals_are_known_for_currencies_and_metals() {
        for (symbol, digits) in [
            ("EURUSD", Some(5)),
            ("USDJPY", Some(3)),
            ("XAUUSD", Some(3)),
            ("BTCUSD", None),
            ("USA500.IDX", None),
        ] {
            assert_eq!(decimals(symbol), digits, "{symbol}");
        }
    }
}
