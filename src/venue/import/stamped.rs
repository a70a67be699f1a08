//! Captures with a time before each message: `1723161253937085768 {"stream":…}`.
//!
//! The time is the recorder's, in nanoseconds (nineteen digits) or microseconds (sixteen), the same
//! throughout a file. Which market the messages are of shows in them; where it does not, the name of
//! the file or `--venue` tells.

use qt_model::time::Ts;
use qt_stream::error::ReadError;
use qt_stream::import::{About, Hints, ImportInput, Imported, Importer, Likeness, Look};
use qt_stream::lines::Lines;
use qt_stream::place::Place;
use qt_stream::read::Options;

use super::capture::{Capture, Cut, PEEK, Shape};
use super::survey;
use crate::binance::{Binance, Market};
use crate::frame::{DecodeError, Decoder, Frame};
use crate::hyperliquid::{self, Hyperliquid};
use crate::listing::Scales;

/// See the module.
#[derive(Debug)]
pub(super) struct Stamped;

static ABOUT: About = About {
    name: "stamped-json",
    what: "captures of Binance and Hyperliquid with the local time before each message",
    example: "qt record import btcusdt_20240808.gz",
};

impl Importer for Stamped {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn recognise(&self, look: &Look<'_>) -> Likeness {
        let first = look.lines().find(|line| !line.trim_ascii().is_empty()).unwrap_or_default();
        match stamp(first) {
            Ok((_, _, message)) if message.starts_with(b"{") => Likeness::Certain,
            _ => Likeness::No,
        }
    }

    fn survey(
        &self,
        input: ImportInput,
        hints: &Hints,
        options: &Options,
    ) -> Result<Option<Ts>, ReadError> {
        survey::survey(self, input, hints, options)
    }

    fn open(
        &self,
        mut input: ImportInput,
        hints: &Hints,
        options: &Options,
    ) -> Result<Imported, ReadError> {
        let bytes = std::mem::replace(&mut input.bytes, Box::new(std::io::empty()));
        let mut lines = Lines::new(bytes);
        let whole = Place::whole(&input.name);
        let start = lines.peek(PEEK).map_err(|source| ReadError::of_read(whole, source))?;
        let mark = if start.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        let of = Of::tell(start, &input, hints)?;
        let subject = hints.symbol.clone().or_else(|| subject(start));
        lines.pass(mark);
        let scales = Scales { px: hints.px_scale, qty: hints.qty_scale };
        let decoder: Box<dyn Decoder> = match of {
            Of::Binance(market) => {
                let mut binance = Binance::new(market, &options.universe, scales);
                if let Some(subject) = subject {
                    binance.set_subject(&subject.to_uppercase());
                }
                Box::new(binance)
            }
            Of::Hyperliquid => Box::new(Hyperliquid::new(&options.universe, scales)),
        };
        input.notes.add(format!("{}: read as a capture of {}", input.name, of.venue()), 0);
        Ok(Capture::open(input, lines, Stamps::default(), decoder, options).sorted())
    }
}

/// Whose messages a capture holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    Binance(Market),
    Hyperliquid,
}

impl Of {
    fn venue(self) -> &'static str {
        match self {
            Self::Binance(market) => market.venue(),
            Self::Hyperliquid => hyperliquid::VENUE,
        }
    }

    fn named(name: &str) -> Option<Self> {
        if name == hyperliquid::VENUE {
            return Some(Self::Hyperliquid);
        }
        Market::of_venue(name).map(Self::Binance)
    }

    /// From what the user says, from the messages, or from the name of the file.
    fn tell(start: &[u8], input: &ImportInput, hints: &Hints) -> Result<Self, ReadError> {
        let unreadable = |message: String| {
            Err(ReadError::Unreadable { place: Place::whole(&input.name), message })
        };
        const VENUES: &str = "binance, binance-usdm, binance-coinm or hyperliquid";
        let seen = Self::seen(start);
        if let Some(venue) = &hints.venue {
            return match (Self::named(venue), seen) {
                (None, _) => unreadable(format!("--venue {venue}: expected {VENUES}")),
                (Some(named), Some(seen)) if named != seen => {
                    unreadable(format!("--venue {venue}: these are messages of {}", seen.venue()))
                }
                (Some(named), _) => Ok(named),
            };
        }
        let path = input.path.as_deref().and_then(|path| path.to_str()).unwrap_or_default();
        match seen.or_else(|| Self::of_path(&path.to_lowercase())) {
            Some(of) => Ok(of),
            None => {
                unreadable(format!("the messages do not tell their market; pass --venue {VENUES}"))
            }
        }
    }

    fn seen(start: &[u8]) -> Option<Self> {
        let has = |text: &str| memchr::memmem::find(start, text.as_bytes()).is_some();
        if has("\"channel\":") && has("\"coin\":") {
            return Some(Self::Hyperliquid);
        }
        // Contracts margined in the coin are priced in dollars and named with an ending.
        if has("USD_PERP\"") || has("\"st\":2") || has("_perp@") || has("USD_2") {
            return Some(Self::Binance(Market::CoinM));
        }
        let of_futures = ["\"pu\":", "\"X\":", "\"e\":\"bookTicker\"", "\"e\":\"markPriceUpdate\""];
        if of_futures.iter().any(|mark| has(mark)) {
            return Some(Self::Binance(Market::UsdM));
        }
        // What futures say in every such message is missing here.
        if has("\"M\":") || has("\"e\":\"depthUpdate\"") || has("@bookTicker\",\"data\":{\"u\":") {
            return Some(Self::Binance(Market::Spot));
        }
        has("\"e\":\"aggTrade\"").then_some(Self::Binance(Market::UsdM))
    }

    fn of_path(path: &str) -> Option<Self> {
        let has = |words: &[&str]| words.iter().any(|word| path.contains(word));
        if has(&["usdm", "binance-usdm", "futures", "fapi"]) {
            return Some(Self::Binance(Market::UsdM));
        }
        if has(&["coinm", "dapi", "/cm/", "cm_"]) {
            return Some(Self::Binance(Market::CoinM));
        }
        if has(&["hyperliquid"]) {
            return Some(Self::Hyperliquid);
        }
        has(&["spot"]).then_some(Self::Binance(Market::Spot))
    }
}

/// The instrument of the first messages, for those that name none.
fn subject(start: &[u8]) -> Option<String> {
    let key = b"\"s\":\"";
    let at = memchr::memmem::find(start, key)? + key.len();
    let end = at + memchr::memchr(b'"', &start[at..])?;
    std::str::from_utf8(&start[at..end]).ok().map(str::to_owned)
}

/// How many nanoseconds the last digit of a time stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Nanos,
    Micros,
}

/// The time before a message, its unit, and the message.
fn stamp(line: &[u8]) -> Result<(Ts, Unit, &[u8]), DecodeError> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let refuse = |expected| {
        let found = String::from_utf8_lossy(&line[..line.len().min(40)]).into_owned();
        Err(DecodeError::Field { field: "local time".to_owned(), expected, found })
    };
    let (unit, factor) = match digits {
        19 => (Unit::Nanos, 1),
        16 => (Unit::Micros, 1_000),
        _ => return refuse("19 digits (nanoseconds) or 16 (microseconds) before the message"),
    };
    if line.get(digits) != Some(&b' ') {
        return refuse("a space behind the time");
    }
    let number = line[..digits].iter().try_fold(0_i64, |number, byte| {
        number.checked_mul(10)?.checked_add(i64::from(byte - b'0'))
    });
    match number.and_then(|number| number.checked_mul(factor)) {
        Some(nanos) => Ok((Ts::from_nanos(nanos), unit, line[digits + 1..].trim_ascii())),
        None => refuse("a time before the year 2262"),
    }
}

/// Lines of such a capture, all in one unit.
#[derive(Debug, Default)]
struct Stamps {
    unit: Option<Unit>,
}

impl Shape for Stamps {
    fn cut<'a>(&mut self, line: &'a [u8]) -> Result<Cut<'a>, DecodeError> {
        if line.trim_ascii().is_empty() {
            return Ok(Cut::Nothing);
        }
        let (ts_recv, unit, bytes) = stamp(line)?;
        if *self.unit.get_or_insert(unit) != unit {
            return Err(DecodeError::Field {
                field: "local time".to_owned(),
                expected: "as many digits as in the lines before",
                found: String::from_utf8_lossy(&line[..line.len().min(20)]).into_owned(),
            });
        }
        Ok(Cut::Message(Frame { ts_recv, bytes }))
    }
}
