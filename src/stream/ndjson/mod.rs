//! NDJSON: one record a line.
//!
//! Reading takes the quick road for lines in the shape that we write, and the general one for all
//! others; both give equal records. A stream may open with a `stream` record and then must close
//! with an `end`; without a header it is taken as it is, and scales come from its first records.

pub(crate) mod encode;
pub(crate) mod general;
mod line;
pub(crate) mod object;
mod quick;

pub use encode::Encoder;

use std::io::Read;
use std::sync::Arc;

use qt_model::instrument::{Instrument, Symbol};
use qt_model::record::{Batch, Source};
use qt_model::time::Ts;

use crate::digest::Digest;
use crate::error::{Problem, ReadError};
use crate::frame::{End, Header, SCHEMA};
use crate::lines::{LINE_LIMIT, Line, Lines};
use crate::place::{At, Place};
use crate::read::Options;
use crate::symbols::Symbols;

/// How many bytes are looked at for the scales of a stream without a header.
const LOOK_AHEAD: usize = 1 << 16;

/// A stream of NDJSON as a source of batches.
#[derive(Debug)]
pub struct NdjsonReader {
    input: Arc<str>,
    lines: Lines,
    options: Options,
    symbols: Symbols,
    quick: quick::Quick,
    header: Option<Header>,
    state: State,
    digest: Option<Digest>,
    /// How many records of the batch at hand the digest has taken in.
    digested: usize,
    records: u64,
    last: Ts,
    /// An error that waits until the records before it are handed out.
    pending: Option<ReadError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// No header was seen: any end will do.
    Bare,
    /// A header was seen: an `end` must follow.
    Open,
    /// The `end` was seen.
    Closed,
}

impl NdjsonReader {
    /// Reads the header, if there is one, and declares its instruments.
    pub fn open(
        input: &Arc<str>,
        reader: Box<dyn Read + Send>,
        options: Options,
    ) -> Result<Self, ReadError> {
        let mut quick = quick::Quick::default();
        quick.feed_latency_ns = options.feed_latency_ns;
        let mut this = Self {
            input: Arc::clone(input),
            lines: Lines::new(reader),
            symbols: Symbols::new(&options.universe),
            digest: options.verify.then(Digest::default),
            options,
            quick,
            header: None,
            state: State::Bare,
            digested: 0,
            records: 0,
            last: Ts::MIN,
            pending: None,
        };
        this.read_header()?;
        Ok(this)
    }

    pub fn header(&self) -> Option<&Header> {
        self.header.as_ref()
    }

    fn place(&self) -> Place {
        Place { input: Arc::clone(&self.input), at: At::Line(self.lines.number()) }
    }

    fn io(&self, source: std::io::Error) -> ReadError {
        crate::input::read_failure(self.place(), source)
    }

    fn read_header(&mut self) -> Result<(), ReadError> {
        let input = Arc::clone(&self.input);
        let start = self
            .lines
            .peek(1)
            .map_err(|source| crate::input::read_failure(Place::whole(&input), source))?;
        if !start.starts_with(b"{") && !start.is_empty() {
            self.skip_mark()?;
        }
        let window = self
            .lines
            .peek(LOOK_AHEAD)
            .map_err(|source| crate::input::read_failure(Place::whole(&input), source));
        let window = window?;
        let first = &window[..memchr::memchr(b'\n', window).unwrap_or(window.len())];
        if !first.starts_with(br#"{"k":"stream""#) && !is_frame(first, "stream") {
            let found = scales_needed(window);
            return self.declare_found(found);
        }
        let line = match self.lines.next() {
            Ok(Some(Line::Text(line))) => line.to_vec(),
            Ok(Some(Line::TooLong)) => {
                let message = format!("the header is longer than {LINE_LIMIT} bytes");
                return Err(ReadError::Corrupt { place: self.place(), message });
            }
            Ok(None) => return Ok(()),
            Err(source) => return Err(self.io(source)),
        };
        self.take_header(&line)
    }

    /// A byte order mark before the first record.
    fn skip_mark(&mut self) -> Result<(), ReadError> {
        let input = Arc::clone(&self.input);
        let start = self
            .lines
            .peek(3)
            .map_err(|source| crate::input::read_failure(Place::whole(&input), source))?;
        if start.starts_with(b"\xef\xbb\xbf") {
            self.lines.pass(3);
        }
        Ok(())
    }

    fn take_header(&mut self, line: &[u8]) -> Result<(), ReadError> {
        let header = Header::parse(line).map_err(|problem| self.corrupt(&problem))?;
        if header.schema > SCHEMA {
            let (place, found) = (self.place(), header.schema);
            return Err(ReadError::Schema { place, found, known: SCHEMA });
        }
        let late = self.state == State::Closed;
        for instrument in header.instruments.iter() {
            let declared = match late {
                true => self.symbols.join(instrument.clone()),
                false => self.symbols.declare(instrument.clone()),
            };
            declared.map_err(|problem| self.corrupt(&problem))?;
        }
        self.header.get_or_insert(header);
        self.state = State::Open;
        self.records = 0;
        self.digest = self.options.verify.then(Digest::default);
        Ok(())
    }

    fn corrupt(&self, problem: &Problem) -> ReadError {
        ReadError::Corrupt { place: self.place(), message: problem.to_string() }
    }

    fn declare_found(
        &mut self,
        found: Vec<(String, general::Need, general::Need)>,
    ) -> Result<(), ReadError> {
        for (symbol, px, qty) in found {
            let Ok(symbol) = Symbol::new(&symbol) else { continue };
            let instrument = Instrument::new(symbol, px.scale(), qty.scale());
            self.symbols.declare(instrument).map_err(|problem| self.corrupt(&problem))?;
        }
        Ok(())
    }

    /// Reads one line into the batch. `false` at the end of the input.
    fn step(&mut self, batch: &mut Batch) -> Result<bool, ReadError> {
        let before = batch.len();
        let line = match self.lines.next() {
            Ok(Some(Line::Text(line))) => line,
            Ok(Some(Line::TooLong)) => {
                return self.refuse(Problem::TooLong { limit: LINE_LIMIT }, None);
            }
            Ok(None) => return Ok(false),
            Err(source) => return Err(self.io(source)),
        };
        if self.state != State::Closed && self.quick.push(line, &mut self.symbols, batch).is_some()
        {
            self.note(batch, before);
            return Ok(true);
        }
        // The general road needs the reader whole, so the line is copied out of its buffer.
        let line = line.to_vec();
        self.step_general(&line, batch)
    }

    #[inline]
    fn note(&mut self, batch: &mut Batch, before: usize) {
        if batch.instruments().len() < self.symbols.len() {
            batch.set_instruments(self.symbols.table());
        }
        if batch.len() > before {
            self.records += 1;
            let head = batch.head(before);
            self.last = head.ts_recv;
            self.quick.next_seq = head.seq.wrapping_add(1);
        }
    }

    #[cold]
    fn step_general(&mut self, line: &[u8], batch: &mut Batch) -> Result<bool, ReadError> {
        if line.iter().all(u8::is_ascii_whitespace) {
            return Ok(true);
        }
        let before = batch.len();
        let result = object::Object::parse(line).and_then(|object| {
            match object.get("k").and_then(object::string).as_deref() {
                Some("stream") => Ok(Some(Frame::Stream)),
                Some("end") => Ok(Some(Frame::End)),
                Some(_) | None => {
                    let fill = general::Fill {
                        seq: self.quick.next_seq,
                        latency_ns: self.options.feed_latency_ns,
                        last: self.last,
                    };
                    general::push(&object, line, &mut self.symbols, fill, batch).map(|()| None)
                }
            }
        });
        match result {
            Ok(None) if self.state == State::Closed => {
                let message = "a record stands behind the `end` of the stream".to_owned();
                Err(ReadError::Corrupt { place: self.place(), message })
            }
            Ok(None) => {
                self.note(batch, before);
                Ok(true)
            }
            Ok(Some(Frame::Stream)) => {
                self.digest_batch(batch);
                self.take_header(line)?;
                Ok(true)
            }
            Ok(Some(Frame::End)) => {
                self.digest_batch(batch);
                self.take_end(line)?;
                Ok(true)
            }
            Err(problem) => self.refuse(problem, Some(line)),
        }
    }

    fn refuse(&mut self, problem: Problem, line: Option<&[u8]>) -> Result<bool, ReadError> {
        let text = line.map(|line| line[..line.len().min(LINE_LIMIT)].into());
        let error = ReadError::Record { place: self.place(), problem: Box::new(problem), text };
        self.options.tolerance.judge(error).map(|()| true)
    }

    /// Takes what the batch holds into the digest, before a frame record closes or opens one.
    fn digest_batch(&mut self, batch: &Batch) {
        if let Some(digest) = &mut self.digest {
            digest.update_from(batch, self.digested);
            self.digested = batch.len();
        }
    }

    fn take_end(&mut self, line: &[u8]) -> Result<(), ReadError> {
        let end = End::parse(line).map_err(|problem| self.corrupt(&problem))?;
        if let Some(digest) = &self.digest
            && self.state == State::Open
        {
            crate::read::verify(&self.place(), &end, digest)?;
        }
        self.state = State::Closed;
        Ok(())
    }

    fn finish(&mut self) -> Result<(), ReadError> {
        if self.state == State::Open && !self.options.allow_truncated {
            let records = self.records;
            let message = format!("no `end` record after {records} records");
            return Err(ReadError::Truncated { place: self.place(), message });
        }
        Ok(())
    }
}

enum Frame {
    Stream,
    End,
}

/// Whether a line is a frame record of that kind, in any order of its keys.
fn is_frame(line: &[u8], kind: &str) -> bool {
    let Ok(object) = object::Object::parse(line) else { return false };
    object.get("k").and_then(object::string).is_some_and(|name| name == kind)
}

/// The digits that each symbol of the window needs. The last line may be cut, and is left out
/// unless it is the only one.
fn scales_needed(window: &[u8]) -> Vec<(String, general::Need, general::Need)> {
    let mut found: Vec<(String, general::Need, general::Need)> = Vec::new();
    for line in window.split(|byte| *byte == b'\n') {
        let Ok(object) = object::Object::parse(line) else { continue };
        let Some(symbol) = object.get("sym").and_then(object::string) else { continue };
        let at = found.iter().position(|(known, ..)| *known == symbol).unwrap_or_else(|| {
            found.push((symbol.into_owned(), Default::default(), Default::default()));
            found.len() - 1
        });
        let (_, px, qty) = &mut found[at];
        general::needs(&object, px, qty);
    }
    found
}

impl Source for NdjsonReader {
    type Error = ReadError;

    fn next(&mut self, batch: &mut Batch) -> Result<bool, ReadError> {
        batch.clear();
        batch.set_instruments(self.symbols.table());
        if let Some(error) = self.pending.take() {
            return Err(error);
        }
        self.digested = 0;
        let mut more = true;
        while more && batch.len() < self.options.batch_records {
            if !batch.is_empty() && !self.lines.is_ready() {
                break;
            }
            match self.step(batch) {
                Ok(read) => more = read,
                Err(error) => {
                    self.pending = Some(error);
                    break;
                }
            }
        }
        if !more && let Err(error) = self.finish() {
            self.pending = Some(error);
        }
        self.digest_batch(batch);
        if batch.is_empty()
            && let Some(error) = self.pending.take()
        {
            return Err(error);
        }
        Ok(more || !batch.is_empty())
    }
}
