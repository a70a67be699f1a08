//! Arrow IPC to batches.

use std::io::Read;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::datatypes::Schema;
use arrow::ipc::reader::StreamDecoder;
use qt_model::record::{Batch, Kind, Level, Source};

use super::channel::{Channel, Group, decode, salvage, schema_of};
use super::message::{Bytes, Message};
use super::{CONTROL, END_OF_STREAM, HEADER_KEY, MARK};
use crate::columns::{Blame, Carry, ORDINAL, RowReader, Sink, close, guess_kind};
use crate::digest::Digest;
use crate::error::{Problem, ReadError};
use crate::frame::{End, Header, SCHEMA};
use crate::place::{At, Place};
use crate::read::{Options, verify};
use crate::symbols::Symbols;

/// A stream of Arrow IPC as a source of batches.
pub struct ArrowReader {
    input: Arc<str>,
    pub(super) bytes: Bytes,
    options: Options,
    pub(super) symbols: Symbols,
    header: Option<Header>,
    pub(super) channels: Vec<Channel>,
    pub(super) is_plain: bool,
    pub(super) is_done: bool,
    /// Whether a plain stream's end-of-stream mark was seen.
    is_ended: bool,
    /// An error that waits until the records before it are handed out.
    pub(super) pending: Option<ReadError>,
    pub(super) digest: Option<Digest>,
    spare: Vec<Level>,
    /// A plain stream's first table, read to learn its schema.
    pub(super) first: Option<RecordBatch>,
    /// What was gathered of an interleaved stream and is not read yet.
    pub(super) group: Option<Group>,
    /// The least number that the next record of an interleaved stream may have.
    pub(super) next: u64,
}

impl std::fmt::Debug for ArrowReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArrowReader").field("input", &self.input).finish_non_exhaustive()
    }
}

impl ArrowReader {
    /// Reads up to the header and declares its instruments.
    pub fn open(
        input: &Arc<str>,
        reader: Box<dyn Read + Send>,
        is_plain: bool,
        options: Options,
    ) -> Result<Self, ReadError> {
        let mut this = Self {
            input: Arc::clone(input),
            bytes: Bytes::new(input, reader),
            symbols: Symbols::new(&options.universe),
            digest: options.verify.then(Digest::default),
            options,
            header: None,
            channels: Vec::new(),
            is_plain,
            is_done: false,
            is_ended: false,
            pending: None,
            spare: Vec::new(),
            first: None,
            group: None,
            next: 0,
        };
        let opened = if is_plain { this.open_plain() } else { this.open_interleaved() };
        this.forgive(opened)?;
        Ok(this)
    }

    pub fn header(&self) -> Option<&Header> {
        self.header.as_ref()
    }

    /// The kind of all records of a plain stream.
    pub fn table_kind(&self) -> Option<Kind> {
        let table = self.channels.first().filter(|_| self.is_plain);
        table.map(|channel| channel.kind)
    }

    fn open_plain(&mut self) -> Result<(), ReadError> {
        let mut decoder = StreamDecoder::new();
        let schema = loop {
            if let Some(schema) = schema_of(&decoder) {
                break schema;
            }
            match self.bytes.message()? {
                Message::Whole(mut buffer) => {
                    let table = decode(&mut decoder, &mut buffer);
                    self.first = table.map_err(|error| self.damaged(&error))?;
                }
                // The decoder takes in a message without a body only as the next one begins.
                Message::End if !self.is_ended => {
                    self.is_ended = true;
                    let mut mark = Buffer::from_vec(END_OF_STREAM.to_vec());
                    decode(&mut decoder, &mut mark).map_err(|error| self.damaged(&error))?;
                }
                Message::Nothing if !self.is_ended => {
                    return self.cut("it ends before its first table");
                }
                Message::End | Message::Nothing => {
                    return Err(self.bytes.corrupt("an Arrow stream without a schema"));
                }
            }
        };
        if let Some(text) = schema.metadata().get(HEADER_KEY) {
            self.take_header(text.clone().as_bytes())?;
        }
        let kind = self.header.as_ref().and_then(Header::only_kind).or_else(|| guess_kind(&schema));
        let Some(kind) = kind else { return Err(self.unknown_table(&schema)) };
        let mut channel = Channel::new(0, kind, decoder);
        channel.rows = Some(self.row_reader(kind, &schema)?);
        self.channels.push(channel);
        Ok(())
    }

    fn unknown_table(&self, schema: &Schema) -> ReadError {
        let names: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let message = format!("the columns {} are those of no record kind", names.join(", "));
        ReadError::Unreadable { place: Place::whole(&self.input), message }
    }

    fn open_interleaved(&mut self) -> Result<(), ReadError> {
        let mark = self.bytes.array::<8>()?;
        assert_eq!(mark.as_ref(), Some(MARK), "the stream was recognised by its mark");
        let mut line = Vec::new();
        match self.frame(&mut line)? {
            None => self.cut("it ends before its header"),
            Some(CONTROL) if line.starts_with(br#"{"k":"stream""#) => self.take_header(&line),
            Some(_) => Err(self.bytes.corrupt("expected the `stream` record first")),
        }
    }

    /// Reads one frame, without its bytes where nobody asks for them; `None` at the end of the input.
    pub(super) fn frame(&mut self, payload: &mut Vec<u8>) -> Result<Option<u32>, ReadError> {
        payload.clear();
        let Some(head) = self.bytes.array::<12>()? else { return Ok(None) };
        let channel = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
        let length = u64::from_le_bytes(head[4..].try_into().expect("eight of twelve bytes"));
        let known = self.channels.iter().find(|known| known.number == channel);
        match known.is_some_and(|known| self.options.passes_over(known.kind)) {
            true => self.bytes.skip(length)?,
            false => self.bytes.append(length, payload)?,
        }
        Ok(Some(channel))
    }

    fn take_header(&mut self, text: &[u8]) -> Result<(), ReadError> {
        let header = Header::parse(text).map_err(|problem| self.refuse(&problem))?;
        if header.schema > SCHEMA {
            let place = self.bytes.place();
            return Err(ReadError::Schema { place, found: header.schema, known: SCHEMA });
        }
        let declared = self.symbols.declare_all(header.instruments.iter());
        declared.map_err(|problem| self.refuse(&problem))?;
        self.header = Some(header);
        Ok(())
    }

    fn refuse(&self, problem: &Problem) -> ReadError {
        self.bytes.corrupt(problem.to_string())
    }

    pub(super) fn damaged(&self, error: &str) -> ReadError {
        self.bytes.corrupt(format!("damaged Arrow data: {error}"))
    }

    fn row_reader(&self, kind: Kind, schema: &Arc<Schema>) -> Result<RowReader, ReadError> {
        RowReader::new(kind, schema, self.options.feed_latency_ns).map_err(|problem| {
            ReadError::Unreadable { place: Place::whole(&self.input), message: problem.to_string() }
        })
    }

    /// Makes the reader of a channel's rows, with its first table.
    pub(super) fn know_rows(&mut self, at: usize, table: &RecordBatch) -> Result<(), ReadError> {
        if self.channels[at].rows.is_some() {
            return Ok(());
        }
        let reader = self.row_reader(self.channels[at].kind, table.schema_ref())?;
        if !self.is_plain && table.column_by_name(ORDINAL).is_none() {
            let number = self.channels[at].number;
            let message = format!("channel {number} has no column `{ORDINAL}` to order it by");
            return Err(self.bytes.corrupt(message));
        }
        self.channels[at].rows = Some(reader);
        Ok(())
    }

    /// Reads a table into the rows of the batch.
    pub(super) fn take_table(
        &mut self,
        at: usize,
        table: &RecordBatch,
        batch: &mut Batch,
    ) -> Result<(), ReadError> {
        self.know_rows(at, table)?;
        let channel = &mut self.channels[at];
        let rows = channel.rows.as_mut().expect("the reader of rows is known");
        let label: Arc<str> = format!("{}: {}", self.input, channel.kind.name()).into();
        let (tolerance, first) = (&self.options.tolerance, channel.read);
        let mut judge = |blame: Blame, problem: Problem| match blame {
            Blame::Row(row) => {
                let place = Place { input: Arc::clone(&label), at: At::Row(first + row as u64) };
                tolerance.judge(ReadError::Record { place, problem: Box::new(problem), text: None })
            }
            Blame::Table => {
                let (place, message) = (Place::whole(&label), problem.to_string());
                Err(ReadError::Unreadable { place, message })
            }
        };
        let mut sink = Sink {
            batch,
            ordinals: &mut channel.ordinals,
            spare: &mut self.spare,
            judge: &mut judge,
        };
        // A depth record is never split over two tables of a stream.
        let mut carry = Carry::default();
        rows.read(table, &mut self.symbols, &mut carry, &mut sink)?;
        close(&mut carry, &mut sink);
        channel.read += table.num_rows() as u64;
        if self.is_plain {
            // Numbers from a stream of several kinds that this one was taken out of.
            channel.ordinals.clear();
        }
        Ok(())
    }

    fn next_plain(&mut self, batch: &mut Batch) -> Result<(), ReadError> {
        let table = match self.first.take() {
            Some(table) => Some(table),
            None => self.next_table()?,
        };
        match table {
            Some(table) => {
                self.take_table(0, &table, batch)?;
                batch.place_all(self.channels[0].kind);
                Ok(())
            }
            None => self.finish_plain(),
        }
    }

    pub(super) fn next_table(&mut self) -> Result<Option<RecordBatch>, ReadError> {
        while !self.is_ended {
            match self.bytes.message()? {
                Message::Whole(mut buffer) => {
                    let table = self.channels[0].decode(&mut buffer);
                    if let Some(table) = table.map_err(|error| self.damaged(&error))? {
                        return Ok(Some(table));
                    }
                }
                Message::End => self.is_ended = true,
                Message::Nothing => {
                    self.is_ended = true;
                    // Others may end a stream by closing it.
                    if self.header.is_some() {
                        self.cut("its end-of-stream mark is missing")?;
                    }
                }
            }
        }
        Ok(None)
    }

    fn finish_plain(&mut self) -> Result<(), ReadError> {
        self.is_done = true;
        let line = self.bytes.rest(1 << 20)?;
        let line = line.trim_ascii();
        if !line.is_empty() {
            return self.take_end(line);
        }
        if self.header.is_some() { self.cut("its `end` record is missing") } else { Ok(()) }
    }

    /// The input ends where something was due.
    fn cut(&mut self, missing: &str) -> Result<(), ReadError> {
        self.is_done = true;
        if self.options.allow_truncated {
            return Ok(());
        }
        Err(ReadError::Truncated { place: self.bytes.place(), message: missing.to_owned() })
    }

    /// Takes a cut for the end, if the user said that there may be one.
    pub(super) fn forgive(&mut self, read: Result<(), ReadError>) -> Result<(), ReadError> {
        match read {
            Err(ReadError::Truncated { .. }) if self.options.allow_truncated => {
                self.is_done = true;
                Ok(())
            }
            other => other,
        }
    }

    pub(super) fn take_end(&mut self, line: &[u8]) -> Result<(), ReadError> {
        self.is_done = true;
        let end = End::parse(line).map_err(|problem| {
            self.bytes.corrupt(format!("expected the `end` record and nothing else: {problem}"))
        })?;
        match &self.digest {
            Some(digest) => verify(&self.bytes.place(), &end, digest),
            None => Ok(()),
        }
    }
}

impl Source for ArrowReader {
    type Error = ReadError;

    fn next(&mut self, batch: &mut Batch) -> Result<bool, ReadError> {
        batch.clear();
        batch.set_instruments(self.symbols.table());
        if let Some(error) = self.pending.take() {
            return Err(error);
        }
        while batch.is_empty() && !self.is_done {
            let read = match self.is_plain {
                true => self.next_plain(batch),
                false => self.next_interleaved(batch),
            };
            let is_cut = read.is_err();
            let read = self.forgive(read);
            if is_cut {
                self.is_done = true;
                // What was read before the break is handed out first.
                match self.channels.first() {
                    Some(channel) if self.is_plain => batch.place_all(channel.kind),
                    Some(_) | None => salvage(&mut self.channels, &mut self.next, batch),
                }
                match read {
                    Err(error) if batch.is_empty() => return Err(error),
                    read => self.pending = read.err(),
                }
            } else if let (Some(digest), false) = (&mut self.digest, self.is_done) {
                digest.update(batch);
            }
        }
        Ok(!batch.is_empty())
    }
}
