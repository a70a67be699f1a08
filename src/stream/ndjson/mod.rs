//! NDJSON: one record a line.
//!
//! Reading takes the quick road for lines in the shape that we write, and the general one for all
//! others; both give equal records. A stream may open with a `stream` record and then must close
//! with an `end`; without a header it is taken as it is, and scales come from its first records.

pub(crate) mod quick;
#[cfg(test)]
mod tests;

pub use crate::json::encode::Encoder;

use std::io::Read;
use std::sync::Arc;

use qt_model::instrument::{Instrument, Symbol};
use qt_model::record::{Batch, Source};

use crate::digest::Digest;
use crate::error::{Problem, ReadError};
use crate::frame::{End, Header, SCHEMA};
use crate::json::{general, object, scales};
use crate::lines::{HEADER_LIMIT, LINE_LIMIT, Line, Lines};
use crate::place::{At, Place};
use crate::read::Options;
use crate::symbols::Symbols;

/// How many bytes are looked at for the scales of a stream without a header.
const LOOK_AHEAD: usize = 1 << 16;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// How a header begins that we wrote.
const OPENING: &[u8] = br#"{"k":"stream""#;

/// A stream of NDJSON as a source of batches.
#[derive(Debug)]
pub struct NdjsonReader {
    input: Arc<str>,
    lines: Lines,
    options: Options,
    symbols: Symbols,
    quick: quick::Quick,
    /// How lines open that are passed over.
    unread: Option<Vec<u8>>,
    header: Option<Header>,
    state: State,
    digest: Option<Digest>,
    /// How many records of the batch at hand the digest has taken in.
    digested: usize,
    records: u64,
    /// Whether nothing more is read: the input ended, or an error ended it.
    is_done: bool,
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
            unread: options
                .without
                .filter(|kind| options.passes_over(*kind))
                .map(|kind| format!(r#"{{"k":"{}","#, kind.name()).into_bytes()),
            options,
            quick,
            header: None,
            state: State::Bare,
            digested: 0,
            records: 0,
            is_done: false,
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
        ReadError::of_read(self.place(), source)
    }

    fn read_header(&mut self) -> Result<(), ReadError> {
        let whole = Place::whole(&self.input);
        let failed = |source| ReadError::of_read(whole.clone(), source);
        if self.lines.peek(3).map_err(failed)?.starts_with(BYTE_ORDER_MARK) {
            self.lines.pass(BYTE_ORDER_MARK.len());
        }
        // Only the first line is waited for: a live stream may not have more yet.
        let first = self.lines.peek_line(LOOK_AHEAD).map_err(failed)?;
        if !first.starts_with(OPENING) && !is_frame(first, "stream") {
            let found = scales::scales_needed(self.lines.peek(LOOK_AHEAD).map_err(failed)?);
            return self.declare_found(found);
        }
        let line = match self.lines.next_within(HEADER_LIMIT) {
            Ok(Some(Line::Text(line))) => line.to_vec(),
            Ok(Some(Line::TooLong)) => {
                let message = format!("the header is longer than {HEADER_LIMIT} bytes");
                return Err(ReadError::Corrupt { place: self.place(), message });
            }
            Ok(None) => return Ok(()),
            Err(source) => return Err(self.io(source)),
        };
        if self.lines.is_open_ended() && object::Object::parse(&line).is_err() {
            self.is_done = true;
            return self.cut("inside its header");
        }
        self.take_header(&line)
    }

    fn take_header(&mut self, line: &[u8]) -> Result<(), ReadError> {
        let header = Header::parse(line).map_err(|problem| self.corrupt(&problem))?;
        if header.schema > SCHEMA {
            let (place, found) = (self.place(), header.schema);
            return Err(ReadError::Schema { place, found, known: SCHEMA });
        }
        // Behind other records scales are in use already and cannot widen.
        let late = self.state != State::Bare || self.records > 0;
        let declared = if late {
            let joined = self.symbols.join_all(header.instruments.iter().cloned().collect());
            joined.into_iter().try_for_each(|joined| joined.map(|_| ()))
        } else {
            self.symbols.declare_all(header.instruments.iter())
        };
        declared.map_err(|problem| self.corrupt(&problem))?;
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
        found: Vec<(String, scales::Need, scales::Need)>,
    ) -> Result<(), ReadError> {
        let instrument = |(symbol, px, qty): (String, scales::Need, scales::Need)| {
            let symbol = Symbol::new(&symbol).ok()?;
            Some(Instrument::new(symbol, px.scale(), qty.scale()))
        };
        let found: Vec<_> = found.into_iter().filter_map(instrument).collect();
        self.symbols.declare_all(&found).map_err(|problem| self.corrupt(&problem))
    }

    /// Reads one line into the batch. `false` at the end of the input.
    fn step(&mut self, batch: &mut Batch) -> Result<bool, ReadError> {
        let line = match self.lines.next() {
            Ok(Some(Line::Text(line))) => line,
            Ok(Some(Line::TooLong)) => {
                return self.refuse(Problem::TooLong { limit: LINE_LIMIT }, None);
            }
            Ok(None) => return Ok(false),
            Err(source) => return Err(self.io(source)),
        };
        // The general road needs the reader whole, so the line is copied out of its buffer.
        let line = line.to_vec();
        self.step_general(&line, batch)
    }

    /// Reads the lines at hand that have a shape of the quick road, up to the first that has not.
    #[inline]
    fn run(&mut self, batch: &mut Batch) {
        let before = batch.len();
        while batch.len() < self.options.batch_records {
            let text = self.lines.at_hand();
            let read = self.quick.push(text, &mut self.symbols, batch);
            let Some(len) = read.or_else(|| passed_over(text, self.unread.as_deref()?)) else {
                break;
            };
            self.lines.pass_line(len);
        }
        self.records += (batch.len() - before) as u64;
        self.show_instruments(batch);
    }

    /// A record may have brought an instrument with it.
    fn show_instruments(&self, batch: &mut Batch) {
        if batch.instruments().len() < self.symbols.len() {
            batch.set_instruments(self.symbols.table());
        }
    }

    #[inline(never)]
    fn step_general(&mut self, line: &[u8], batch: &mut Batch) -> Result<bool, ReadError> {
        if line.iter().all(u8::is_ascii_whitespace) {
            return Ok(true);
        }
        let before = batch.len();
        let result = object::Object::parse(line).and_then(|object| {
            match object.get("k").and_then(object::string).as_deref() {
                Some("stream") => Ok(Found::Stream),
                Some("end") => Ok(Found::End),
                Some(_) | None if self.state == State::Closed => Ok(Found::Behind),
                Some(_) | None => {
                    let fill = general::Fill {
                        has_header: self.header.is_some(),
                        seq: self.quick.next_seq,
                        latency_ns: self.options.feed_latency_ns,
                        last: self.quick.last_recv,
                    };
                    general::push(&object, line, &mut self.symbols, fill, batch)
                        .map(|()| Found::Record)
                }
            }
        });
        match result {
            Ok(Found::Behind) => {
                let message = "a record stands behind the `end` of the stream".to_owned();
                return Err(ReadError::Corrupt { place: self.place(), message });
            }
            Ok(Found::Record) => {
                self.show_instruments(batch);
                if batch.len() > before {
                    self.records += 1;
                    self.quick.follow(batch.head(before));
                }
            }
            Ok(Found::Stream) => {
                self.digest_batch(batch);
                if self.state == State::Open {
                    self.cut("another `stream` record stands before its `end`")?;
                }
                self.take_header(line)?;
            }
            Ok(Found::End) => {
                self.digest_batch(batch);
                self.take_end(line)?;
            }
            Err(problem) if self.is_cut() => {
                return self.cut(&format!("inside its last line ({problem})")).map(|()| false);
            }
            Err(problem) => return self.refuse(problem, Some(line)),
        }
        Ok(true)
    }

    /// Whether a last line that makes no sense is the place where the input was cut: the stream
    /// owes an `end`, or the user said that it may be cut.
    fn is_cut(&self) -> bool {
        let owes = self.state == State::Open || self.options.allow_truncated;
        self.lines.is_open_ended() && owes
    }

    fn cut(&self, message: &str) -> Result<(), ReadError> {
        if self.options.allow_truncated {
            return Ok(());
        }
        Err(ReadError::Truncated { place: self.place(), message: message.to_owned() })
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
        match self.state {
            State::Open => self.cut(&format!("no `end` record after {} records", self.records)),
            State::Bare | State::Closed => Ok(()),
        }
    }
}

/// The length of the line at the start of a text, if it opens in the way of those that nobody asks
/// for.
fn passed_over(text: &[u8], unread: &[u8]) -> Option<usize> {
    let is_one = text.starts_with(unread);
    is_one.then(|| memchr::memchr(b'\n', text).map(|at| at + 1)).flatten()
}

/// What a line turned out to be.
enum Found {
    Record,
    Stream,
    End,
    /// A record behind the `end`.
    Behind,
}

/// Whether a line is a frame record of that kind, in any order of its keys.
fn is_frame(line: &[u8], kind: &str) -> bool {
    let Ok(object) = object::Object::parse(line) else { return false };
    object.get("k").and_then(object::string).is_some_and(|name| name == kind)
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
        while !self.is_done {
            if batch.is_empty()
                && let Err(source) = self.lines.peek_line(LINE_LIMIT)
            {
                self.is_done = true;
                return Err(self.io(source));
            }
            if self.state != State::Closed {
                self.run(batch);
            }
            if batch.len() >= self.options.batch_records {
                break;
            }
            if !batch.is_empty() && !self.lines.is_ready() {
                break;
            }
            let read = match self.step(batch) {
                Ok(false) => self.finish().map(|()| false),
                other => other,
            };
            match read {
                Ok(more) => self.is_done = !more,
                Err(error) => {
                    self.is_done = true;
                    self.pending = Some(error);
                }
            }
        }
        self.digest_batch(batch);
        if batch.is_empty()
            && let Some(error) = self.pending.take()
        {
            return Err(error);
        }
        Ok(!batch.is_empty())
    }
}
