//! Captures of cryptofeed: text lines with the address of the venue or the time of reception.
//!
//! `ADDRESS <-> t` is a connect, `ADDRESS <- t: …` a message of ours, `t: …` one of the venue,
//! `ADDRESS -> t: …` an answer over HTTP. `t` is seconds as text, with zeros at the end lost. The
//! answers lie in files of their own (`BINANCE.http.0.0` beside `BINANCE.ws.1.0`); whoever imports
//! the messages imports them along.

use std::path::{Path, PathBuf};

use qt_model::time::Ts;
use qt_stream::error::ReadError;
use qt_stream::import::{
    About, Hints, ImportInput, Imported, Importer, Likeness, Look, Meter, members,
};
use qt_stream::lines::Lines;
use qt_stream::place::Place;
use qt_stream::read::Options;
use qt_stream::universe::Universe;

use super::capture::{Capture, Cut, PEEK, Shape};
use super::survey;
use crate::binance::{Binance, Market};
use crate::epoch;
use crate::frame::{DecodeError, Decoder, Frame};
use crate::listing::Scales;
use crate::{bitfinex, bitmex, bitstamp, bybit, coinbase, kraken, okx};

/// See the module.
#[derive(Debug)]
pub(super) struct Cryptofeed;

static ABOUT: About = About {
    name: "cryptofeed",
    what: "captures of cryptofeed: Binance, Bitfinex, BitMEX, Bitstamp, Bybit, Coinbase, Kraken, OKX",
    example: "qt record import BINANCE.ws.1.0",
};

/// A venue that such a capture may be of.
struct Of {
    venue: &'static str,
    /// What its addresses hold, and none of the others' do.
    hosts: &'static [&'static str],
    /// What its files are called.
    file: &'static str,
    decoder: fn(&Universe, Scales) -> Box<dyn Decoder>,
}

/// By the length of the name of the file, so that the longer one is tried first.
const VENUES: &[Of] = &[
    Of {
        venue: "binance-coinm",
        hosts: &["//dstream.binance", "//dapi.binance"],
        file: "BINANCE_DELIVERY",
        decoder: |universe, scales| Box::new(Binance::new(Market::CoinM, universe, scales)),
    },
    Of {
        venue: "binance-usdm",
        hosts: &["//fstream.binance", "//fapi.binance"],
        file: "BINANCE_FUTURES",
        decoder: |universe, scales| Box::new(Binance::new(Market::UsdM, universe, scales)),
    },
    Of {
        venue: "binance",
        hosts: &["//stream.binance", "//api.binance", "//data-stream.binance"],
        file: "BINANCE",
        decoder: |universe, scales| Box::new(Binance::new(Market::Spot, universe, scales)),
    },
    Of {
        venue: bitfinex::VENUE,
        hosts: &["bitfinex.com"],
        file: "BITFINEX",
        decoder: |universe, scales| Box::new(bitfinex::Bitfinex::new(universe, scales)),
    },
    Of {
        venue: bitstamp::VENUE,
        hosts: &["bitstamp.net"],
        file: "BITSTAMP",
        decoder: |universe, scales| Box::new(bitstamp::Bitstamp::new(universe, scales)),
    },
    Of {
        venue: coinbase::VENUE,
        hosts: &["pro.coinbase.com", "exchange.coinbase.com"],
        file: "COINBASE",
        decoder: |universe, scales| Box::new(coinbase::Coinbase::new(universe, scales)),
    },
    Of {
        venue: bitmex::VENUE,
        hosts: &["bitmex.com"],
        file: "BITMEX",
        decoder: |universe, scales| Box::new(bitmex::Bitmex::new(universe, scales)),
    },
    Of {
        venue: kraken::VENUE,
        hosts: &["//ws.kraken.com", "//api.kraken.com"],
        file: "KRAKEN",
        decoder: |universe, scales| Box::new(kraken::Kraken::new(universe, scales)),
    },
    Of {
        venue: bybit::VENUE,
        hosts: &["bybit.com"],
        file: "BYBIT",
        decoder: |universe, scales| Box::new(bybit::Bybit::new(universe, scales)),
    },
    Of {
        venue: okx::VENUE,
        hosts: &["okx.com", "okex.com"],
        file: "OKX",
        decoder: |universe, scales| Box::new(okx::Okx::new(universe, scales)),
    },
];

impl Importer for Cryptofeed {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn recognise(&self, look: &Look<'_>) -> Likeness {
        let first = look.lines().find(|line| !line.trim_ascii().is_empty()).unwrap_or_default();
        let is_address = first.starts_with(b"wss://") || first.starts_with(b"https://");
        let has_arrow = [&b" <-> "[..], b" <- ", b" -> "]
            .iter()
            .any(|arrow| memchr::memmem::find(first, arrow).is_some());
        if is_address && has_arrow {
            let is_part =
                first.starts_with(b"https://") && look.path.is_some_and(has_messages_beside);
            return if is_part { Likeness::Part } else { Likeness::Certain };
        }
        let is_message = matches!(cut(first), Ok(Cut::Message(_)));
        if is_message { Likeness::Likely } else { Likeness::No }
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
        let of = tell(start, &input, hints)?;
        let scales = Scales { px: hints.px_scale, qty: hints.qty_scale };
        let decoder = (of.decoder)(&options.universe, scales);
        let beside = input.path.as_deref().map(answers_beside).unwrap_or_default();
        let notes = input.notes.clone();
        notes.add(format!("{}: read as a capture of {}", input.name, of.venue), 0);
        let mut capture = Capture::open(input, lines, TimedLines, decoder, options);
        for path in beside {
            for member in members(&path)? {
                let answers = member.open(options, &notes, &Meter::default())?;
                notes.add(format!("{}: read along", member.name()), 0);
                capture.and(answers.name, answers.bytes)?;
            }
        }
        Ok(capture.sorted())
    }
}

/// Whose messages they are: what the user says, the addresses, the name of the file.
fn tell(start: &[u8], input: &ImportInput, hints: &Hints) -> Result<&'static Of, ReadError> {
    let has = |host: &str| memchr::memmem::find(start, host.as_bytes()).is_some();
    let seen = VENUES.iter().find(|of| of.hosts.iter().any(|host| has(host)));
    let file = input.path.as_deref().and_then(Path::file_name).unwrap_or_default();
    let file = file.to_string_lossy().to_uppercase();
    let named = |of: &&Of| file.split('.').next() == Some(of.file);
    let unreadable =
        |message: String| ReadError::Unreadable { place: Place::whole(&input.name), message };
    let all = || VENUES.iter().map(|of| of.venue).collect::<Vec<_>>().join(", ");
    let Some(venue) = &hints.venue else {
        return seen.or_else(|| VENUES.iter().find(named)).ok_or_else(|| {
            unreadable(format!("the lines do not tell their venue; pass --venue, one of {}", all()))
        });
    };
    let asked = VENUES.iter().find(|of| of.venue == venue);
    let asked =
        asked.ok_or_else(|| unreadable(format!("--venue {venue}: expected one of {}", all())))?;
    match seen {
        Some(seen) if seen.venue != asked.venue => {
            Err(unreadable(format!("--venue {venue}: these are messages of {}", seen.venue)))
        }
        _ => Ok(asked),
    }
}

/// The word that the files of one session begin with, and whether this one holds messages.
fn session(path: &Path) -> Option<(String, bool)> {
    let name = path.file_name()?.to_str()?;
    let (word, rest) = name.split_once('.')?;
    let is_ours = VENUES.iter().any(|of| of.file == word.to_uppercase());
    is_ours.then(|| (word.to_owned(), rest.starts_with("ws")))
}

/// The files of the same session in the same folder, those with messages or those with answers.
fn beside(path: &Path, with_messages: bool) -> Vec<PathBuf> {
    let (Some((word, _)), Some(folder)) = (session(path), path.parent()) else { return Vec::new() };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let of_session = |other: &PathBuf| session(other) == Some((word.clone(), with_messages));
    let mut found: Vec<_> = paths.filter(of_session).collect();
    found.sort();
    found
}

fn has_messages_beside(path: &Path) -> bool {
    !beside(path, true).is_empty()
}

/// The answers over HTTP that belong to a file of messages.
fn answers_beside(path: &Path) -> Vec<PathBuf> {
    match session(path) {
        Some((_, true)) => beside(path, false),
        _ => Vec::new(),
    }
}

/// Lines of such a capture.
struct TimedLines;

impl Shape for TimedLines {
    fn cut<'a>(&mut self, line: &'a [u8]) -> Result<Cut<'a>, DecodeError> {
        cut(line)
    }
}

fn cut(line: &[u8]) -> Result<Cut<'_>, DecodeError> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii();
    if line.is_empty() || line.starts_with(b"configuration: ") {
        return Ok(Cut::Nothing);
    }
    if !line.first().is_some_and(u8::is_ascii_digit) {
        let find = |arrow: &[u8]| memchr::memmem::find(line, arrow);
        // Of the arrows the first counts: those behind it are part of a message.
        let (sent, answered) = (find(b" <-"), find(b" -> "));
        return match (sent, answered) {
            (Some(sent), answered) if answered.is_none_or(|answered| sent < answered) => {
                Ok(Cut::Nothing)
            }
            (_, Some(at)) => {
                let (ts_recv, bytes) = timed(&line[at + 4..])?;
                let url = std::str::from_utf8(&line[..at]).unwrap_or_default();
                Ok(Cut::Reply(url, Frame { ts_recv, bytes }))
            }
            _ => Err(refuse(line, "a time, or an address and an arrow")),
        };
    }
    let (ts_recv, bytes) = timed(line)?;
    Ok(Cut::Message(Frame { ts_recv, bytes }))
}

/// `seconds: message`.
fn timed(line: &[u8]) -> Result<(Ts, &[u8]), DecodeError> {
    let at = line.iter().take(31).position(|byte| *byte == b':');
    let at = at.filter(|at| line.get(at + 1) == Some(&b' '));
    let at = at.ok_or_else(|| refuse(line, "seconds, a colon and a message"))?;
    let seconds = std::str::from_utf8(&line[..at]).ok().and_then(epoch::from_seconds);
    let ts_recv = seconds.ok_or_else(|| refuse(line, "seconds since 1970 before the colon"))?;
    Ok((ts_recv, &line[at + 2..]))
}

fn refuse(line: &[u8], expected: &'static str) -> DecodeError {
    let found = String::from_utf8_lossy(&line[..line.len().min(40)]).into_owned();
    DecodeError::Field { field: "line".to_owned(), expected, found }
}
