//! Bybit's archives of order books (`2024-12-01_XRPUSDT_ob500.data`): a message of its fifth
//! protocol on each line, without a time of reception.
//!
//! `ts` is when the venue sent the message and `cts` when its book changed, a tenth of a second
//! before. Nobody saw a message before it was sent, so `ts` and the declared latency make `ts_recv`.

use qt_model::time::Ts;
use qt_stream::error::ReadError;
use qt_stream::import::{About, Hints, ImportInput, Imported, Importer, Likeness, Look};
use qt_stream::lines::Lines;
use qt_stream::read::Options;

use super::capture::{Capture, Cut, Shape};
use super::survey;
use crate::bybit::Bybit;
use crate::epoch;
use crate::frame::{DecodeError, Frame};
use crate::listing::Scales;

/// See the module.
#[derive(Debug)]
pub(super) struct BybitOb500;

static ABOUT: About = About {
    name: "bybit-ob500",
    what: "archives of Bybit's order books: ob500 and ob200, zipped or not",
    example: "qt record import 2024-12-01_XRPUSDT_ob500.data.zip",
};

impl Importer for BybitOb500 {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn recognise(&self, look: &Look<'_>) -> Likeness {
        let is_book = look.first_line().starts_with(b"{\"topic\":\"orderbook.");
        if is_book { Likeness::Certain } else { Likeness::No }
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
        let scales = Scales { px: hints.px_scale, qty: hints.qty_scale };
        let decoder = Box::new(Bybit::new(&options.universe, scales));
        let shape = Sent { latency_ns: options.feed_latency_ns };
        Ok(Capture::open(input, Lines::new(bytes), shape, decoder, options).sorted())
    }
}

/// Messages that hold the time at which they were sent.
struct Sent {
    latency_ns: i64,
}

impl Shape for Sent {
    fn cut<'a>(&mut self, line: &'a [u8]) -> Result<Cut<'a>, DecodeError> {
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii();
        if line.is_empty() {
            return Ok(Cut::Nothing);
        }
        let ts_recv = sent(line).and_then(|ts| ts.checked_add_nanos(self.latency_ns));
        let ts_recv = ts_recv.ok_or_else(|| DecodeError::Field {
            field: "ts".to_owned(),
            expected: "milliseconds since 1970",
            found: String::from_utf8_lossy(&line[..line.len().min(60)]).into_owned(),
        })?;
        Ok(Cut::Message(Frame { ts_recv, bytes: line }))
    }
}

fn sent(line: &[u8]) -> Option<Ts> {
    let key = b"\"ts\":";
    let digits = line[memchr::memmem::find(line, key)? + key.len()..].trim_ascii_start();
    let end = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let count = std::str::from_utf8(&digits[..end]).ok()?.parse().ok()?;
    epoch::from_count(count)
}
