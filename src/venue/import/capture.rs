//! Reading a capture: lines, what each of them is, and the decoder that they go to.
//!
//! Invariants: what is held does not grow with the file; a line that cannot be read is an error with
//! its number, skipped only where the user asked for that; what a decoder left out is noted at the
//! end.

use std::io::Read;
use std::sync::Arc;

use qt_model::record::{Batch, Source};
use qt_model::time::Ts;
use qt_stream::error::{Problem, ReadError};
use qt_stream::import::{ImportInput, Imported, Notes, Sorted};
use qt_stream::lines::{Line, Lines};
use qt_stream::place::{At, Place};
use qt_stream::read::Options;

use crate::frame::{DecodeError, Decoder, Frame};

/// The longest line: the answer with the terms of every instrument is near ten megabytes.
const LINE_LIMIT: usize = 64 << 20;

/// How much of a capture is looked at to tell what it is of: more than the largest snapshot, which
/// may come first and says little.
pub(super) const PEEK: usize = 1 << 20;

/// What a line of a capture is.
#[derive(Debug)]
pub(super) enum Cut<'a> {
    Message(Frame<'a>),
    Reply(&'a str, Frame<'a>),
    /// A connect, a message of ours, a blank line.
    Nothing,
}

/// What the lines of a kind of capture look like.
pub(super) trait Shape: Send {
    fn cut<'a>(&mut self, line: &'a [u8]) -> Result<Cut<'a>, DecodeError>;
}

/// A file that was recorded beside the first one: its next line waits for its time.
pub(super) struct Beside {
    name: Arc<str>,
    lines: Lines,
    line: Vec<u8>,
    ts_recv: Option<Ts>,
}

/// A capture that is being read.
pub(super) struct Capture<S> {
    name: Arc<str>,
    lines: Lines,
    beside: Vec<Beside>,
    shape: S,
    decoder: Box<dyn Decoder>,
    options: Options,
    notes: Notes,
    is_over: bool,
    /// An error that waits for the records before it to be handed out.
    failure: Option<ReadError>,
}

impl<S: Shape + 'static> Capture<S> {
    pub(super) fn open(
        input: ImportInput,
        lines: Lines,
        shape: S,
        decoder: Box<dyn Decoder>,
        options: &Options,
    ) -> Self {
        Self {
            name: input.name,
            lines,
            beside: Vec::new(),
            shape,
            decoder,
            options: options.clone(),
            notes: input.notes,
            is_over: false,
            failure: None,
        }
    }

    /// Reads another file along with the first, each line at its time.
    pub(super) fn and(
        &mut self,
        name: Arc<str>,
        bytes: Box<dyn Read + Send>,
    ) -> Result<(), ReadError> {
        let lines = Lines::new(bytes);
        let mut beside = Beside { name, lines, line: Vec::new(), ts_recv: None };
        beside.step(&mut self.shape, &self.options)?;
        self.beside.push(beside);
        Ok(())
    }

    /// As a source in the order of a stream.
    pub(super) fn sorted(self) -> Imported {
        let (name, tolerance) = (Arc::clone(&self.name), self.options.tolerance.clone());
        Box::new(Sorted::new(Box::new(self), &name, tolerance))
    }

    /// Decodes the next line; `false` at the end of the capture.
    fn step(&mut self, batch: &mut Batch) -> Result<bool, ReadError> {
        let place = |number| Place { input: Arc::clone(&self.name), at: At::Line(number) };
        let line = match self.lines.next_within(LINE_LIMIT) {
            Ok(Some(Line::Text(line))) => line,
            Ok(Some(Line::TooLong)) => {
                let problem = Box::new(Problem::TooLong { limit: LINE_LIMIT });
                let place = place(self.lines.number());
                let error = ReadError::Record { place, problem, text: None };
                return self.options.tolerance.judge(error).map(|()| true);
            }
            Ok(None) => {
                // What was recorded beside it and later still counts.
                return self.catch_up(Ts::MAX, batch).map(|()| false);
            }
            Err(source) => {
                return Err(ReadError::of_read(place(self.lines.number() + 1), source));
            }
        };
        let outcome = match self.shape.cut(line) {
            Ok(Cut::Nothing) => return Ok(true),
            Ok(Cut::Message(frame)) => {
                if self.beside.iter().any(|it| it.ts_recv.is_some_and(|ts| ts <= frame.ts_recv)) {
                    // The line is borrowed while the others are read, so it is kept.
                    let (ts_recv, bytes) = (frame.ts_recv, frame.bytes.to_vec());
                    self.catch_up(ts_recv, batch)?;
                    self.decoder.frame(Frame { ts_recv, bytes: &bytes }, batch)
                } else {
                    self.decoder.frame(frame, batch)
                }
            }
            Ok(Cut::Reply(url, frame)) => self.decoder.reply(url, frame, batch),
            Err(error) => Err(error),
        };
        let Err(error) = outcome else { return Ok(true) };
        let place = Place { input: Arc::clone(&self.name), at: At::Line(self.lines.number()) };
        if self.lines.is_open_ended() {
            if self.options.allow_truncated {
                self.notes.add("cut off in the last line, which is left out", 1);
                return Ok(true);
            }
            let message = format!("the last line has no end, and {error}");
            return Err(ReadError::Truncated { place, message });
        }
        self.options.tolerance.judge(refused(place, &error)).map(|()| true)
    }

    /// Reads the other files as far as that time.
    fn catch_up(&mut self, until: Ts, batch: &mut Batch) -> Result<(), ReadError> {
        loop {
            let due = self.beside.iter_mut().filter(|it| it.ts_recv.is_some_and(|ts| ts <= until));
            let Some(beside) = due.min_by_key(|it| it.ts_recv) else { return Ok(()) };
            let outcome = match self.shape.cut(&beside.line) {
                Ok(Cut::Nothing) => Ok(()),
                Ok(Cut::Message(frame)) => self.decoder.frame(frame, batch),
                Ok(Cut::Reply(url, frame)) => self.decoder.reply(url, frame, batch),
                Err(error) => Err(error),
            };
            if let Err(error) = outcome {
                self.options.tolerance.judge(refused(beside.place(), &error))?;
            }
            beside.step(&mut self.shape, &self.options)?;
        }
    }
}

impl Beside {
    fn place(&self) -> Place {
        Place { input: Arc::clone(&self.name), at: At::Line(self.lines.number()) }
    }

    /// Goes on to the next line with a time.
    fn step(&mut self, shape: &mut impl Shape, options: &Options) -> Result<(), ReadError> {
        loop {
            self.line.clear();
            self.ts_recv = None;
            match self.lines.next_within(LINE_LIMIT) {
                Ok(Some(Line::Text(line))) => self.line.extend_from_slice(line),
                Ok(Some(Line::TooLong)) => {
                    let problem = Box::new(Problem::TooLong { limit: LINE_LIMIT });
                    let error = ReadError::Record { place: self.place(), problem, text: None };
                    options.tolerance.judge(error)?;
                    continue;
                }
                Ok(None) => return Ok(()),
                Err(source) => return Err(ReadError::of_read(self.place(), source)),
            }
            match shape.cut(&self.line) {
                Ok(Cut::Message(frame) | Cut::Reply(_, frame)) => {
                    self.ts_recv = Some(frame.ts_recv);
                    return Ok(());
                }
                Ok(Cut::Nothing) => {}
                Err(error) => options.tolerance.judge(refused(self.place(), &error))?,
            }
        }
    }
}

impl<S: Shape + 'static> Source for Capture<S> {
    type Error = ReadError;

    fn next(&mut self, batch: &mut Batch) -> Result<bool, ReadError> {
        batch.clear();
        if let Some(error) = self.failure.take() {
            return Err(error);
        }
        while !self.is_over && batch.len() < self.options.batch_records {
            match self.step(batch) {
                Ok(more) => self.is_over = !more,
                Err(error) => (self.is_over, self.failure) = (true, Some(error)),
            }
            if self.is_over {
                for (reason, count) in self.decoder.tally().iter() {
                    self.notes.add(reason, count);
                }
            }
        }
        match self.failure.take_if(|_| batch.is_empty()) {
            Some(error) => Err(error),
            None => Ok(!self.is_over || !batch.is_empty()),
        }
    }
}

fn refused(place: Place, error: &DecodeError) -> ReadError {
    let problem = Box::new(Problem::Row { message: error.to_string() });
    ReadError::Record { place, problem, text: None }
}
