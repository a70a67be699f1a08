//! Batches to Arrow IPC.

use std::collections::HashMap;
use std::io::Write;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::ipc::writer::StreamEncoder;
use qt_model::instrument::Instruments;
use qt_model::record::{Batch, Kind};

use super::{CONTROL, HEADER_KEY, MARK};
use crate::annotated::{Annotated, Item};
use crate::braid::Braid;
use crate::columns::{Numbers, Plain, RowWriter, Strip};
use crate::error::WriteError;
use crate::frame::{End, Header};

/// The kinds that come as columns, in the order of the registry.
const HOT: [Kind; 3] = [Kind::Trade, Kind::Depth, Kind::Quote];

/// Writes one stream.
pub struct ArrowWriter<W> {
    out: W,
    header: Header,
    /// The kind of a plain stream; `None` for an interleaved one.
    plain: Option<Kind>,
    channels: Vec<Channel>,
    has_begun: bool,
    /// Records written so far: the number of the next one.
    records: u64,
    /// Per kind, the numbers of its records in the batch at hand.
    ordinals: Vec<Vec<u64>>,
}

struct Channel {
    kind: Kind,
    number: u32,
    rows: RowWriter,
    encoder: StreamEncoder,
}

impl<W> std::fmt::Debug for ArrowWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArrowWriter").field("plain", &self.plain).finish_non_exhaustive()
    }
}

impl<W: Write> ArrowWriter<W> {
    pub fn new(out: W, header: Header) -> Self {
        let plain = header.only_kind();
        Self {
            out,
            header,
            plain,
            channels: Vec::new(),
            has_begun: false,
            records: 0,
            ordinals: vec![Vec::new(); Kind::ALL.len()],
        }
    }

    /// Writes the opening, once the instruments are known: those of the header, or else of the
    /// first batch.
    fn begin(&mut self, instruments: &Arc<Instruments>) -> Result<(), WriteError> {
        if self.has_begun {
            return Ok(());
        }
        self.has_begun = true;
        if self.header.instruments.is_empty() {
            self.header.instruments = Arc::clone(instruments);
        }
        match self.plain {
            Some(kind) => {
                self.channel(kind)?;
            }
            None => {
                self.out.write_all(MARK)?;
                let header = self.header.to_json();
                self.control(&header)?;
            }
        }
        Ok(())
    }

    pub fn write(&mut self, batch: &Batch) -> Result<(), WriteError> {
        self.begin(batch.instruments())?;
        self.number(batch);
        for kind in Kind::ALL.iter().copied().filter(|kind| batch.count(*kind) > 0) {
            if let Some(plain) = self.plain.filter(|plain| *plain != kind)
                && let Some(record) = batch.iter().find(|record| record.kind() == kind)
            {
                return Err(WriteError::misplaced(&record, plain, "a plain Arrow stream"));
            }
            self.put_rows(batch, kind)?;
        }
        self.close_batch(batch.len())
    }

    /// The rows of one kind, which have their numbers.
    fn put_rows(&mut self, batch: &Batch, kind: Kind) -> Result<(), WriteError> {
        let at = self.channel(kind)?;
        let table = self.channels[at].rows.table(batch, &self.ordinals[kind.index()])?;
        self.put(at, &table)
    }

    /// Whether rows of features can stand beside the tables of a batch: not beside others of their kind,
    /// and not where the road of rows names a record that does not belong here.
    pub fn takes(&self, annotated: &Annotated<'_>) -> bool {
        let is_beside_none = annotated.only || annotated.batch.count(Kind::Feature) == 0;
        let may_be_here = match self.plain {
            None => true,
            Some(Kind::Feature) => annotated.only,
            Some(_) => annotated.rows.is_empty() && annotated.only,
        };
        is_beside_none && may_be_here
    }

    /// The same of an annotated batch that it takes, and of its records as columns.
    pub fn write_annotated(
        &mut self,
        annotated: &Annotated<'_>,
        columns: Option<&Braid>,
    ) -> Result<(), WriteError> {
        let Annotated { batch, rows, only } = *annotated;
        self.begin(batch.instruments())?;
        self.ordinals.iter_mut().for_each(Vec::clear);
        if self.plain.is_none() {
            let mut number = self.records;
            annotated.each(|item| {
                let kind = match item {
                    Item::Record(at) => batch.slots()[at].kind,
                    Item::Row(..) => Kind::Feature,
                };
                self.ordinals[kind.index()].push(number);
                number += 1;
            });
        }
        match columns.and_then(Braid::columns) {
            _ if only => {}
            Some(runs) => {
                let mut done = [0; HOT.len()];
                let strips = strips(runs, |place, records| {
                    let numbers = &self.ordinals[HOT[place].index()];
                    let from = done[place];
                    done[place] += records;
                    Numbers::Each(&numbers[from..done[place]])
                });
                self.put_strips(strips)?;
            }
            None => {
                for kind in Kind::ALL.iter().copied().filter(|kind| batch.count(*kind) > 0) {
                    self.put_rows(batch, kind)?;
                }
            }
        }
        if !rows.is_empty() {
            let at = self.channel(Kind::Feature)?;
            let ordinals = &self.ordinals[Kind::Feature.index()];
            let table = self.channels[at].rows.features((batch, rows), ordinals)?;
            self.put(at, &table)?;
        }
        self.close_batch(annotated.len())
    }

    fn close_batch(&mut self, records: usize) -> Result<(), WriteError> {
        self.records += records as u64;
        if self.plain.is_none() && records > 0 {
            // Readers may hand out all records before this number.
            self.control(&format!(r#"{{"k":"flush","n":{}}}"#, self.records))?;
        }
        Ok(())
    }

    /// The same of a braid.
    pub fn write_braid(&mut self, braid: &Braid) -> Result<(), WriteError> {
        let Some(runs) = braid.columns() else { return self.write(&braid.to_batch()) };
        self.begin(&braid.instruments())?;
        let mut ordinal = self.records;
        let is_plain = self.plain.is_some();
        let strips = strips(runs, |_, records| {
            let first = ordinal;
            ordinal += records as u64;
            if is_plain { Numbers::None } else { Numbers::From(first) }
        });
        let is_foreign = |(kind, strip): (Kind, &Strip<'_>)| {
            !strip.is_empty() && self.plain.is_some_and(|plain| plain != kind)
        };
        if HOT.into_iter().zip(&strips).any(is_foreign) {
            // The road of rows names the record that does not belong here.
            return self.write(&braid.to_batch());
        }
        self.put_strips(strips)?;
        self.close_batch(braid.len())
    }

    fn put_strips(&mut self, strips: [Strip<'_>; HOT.len()]) -> Result<(), WriteError> {
        for (kind, strip) in HOT.into_iter().zip(strips).filter(|(_, strip)| !strip.is_empty()) {
            let at = self.channel(kind)?;
            let table = self.channels[at].rows.strip(strip)?;
            self.put(at, &table)?;
        }
        Ok(())
    }

    /// Numbers the records of a batch within the stream, kind by kind.
    fn number(&mut self, batch: &Batch) {
        self.ordinals.iter_mut().for_each(Vec::clear);
        if self.plain.is_some() {
            return;
        }
        for (ordinal, slot) in (self.records..).zip(batch.slots()) {
            self.ordinals[slot.kind.index()].push(ordinal);
        }
    }

    fn put(&mut self, at: usize, table: &RecordBatch) -> Result<(), WriteError> {
        let channel = &mut self.channels[at];
        let buffers = channel.encoder.encode(table).map_err(unfit)?;
        let number = channel.number;
        self.send(number, &buffers)
    }

    fn send(&mut self, channel: u32, buffers: &[arrow::buffer::Buffer]) -> Result<(), WriteError> {
        if self.plain.is_none() {
            let length = buffers.iter().map(|buffer| buffer.len() as u64).sum();
            self.frame(channel, length)?;
        }
        for buffer in buffers {
            self.out.write_all(buffer)?;
        }
        Ok(())
    }

    fn frame(&mut self, channel: u32, length: u64) -> Result<(), WriteError> {
        let mut head = [0_u8; 12];
        head[..4].copy_from_slice(&channel.to_le_bytes());
        head[4..].copy_from_slice(&length.to_le_bytes());
        Ok(self.out.write_all(&head)?)
    }

    fn control(&mut self, line: &str) -> Result<(), WriteError> {
        self.frame(CONTROL, line.len() as u64 + 1)?;
        self.out.write_all(line.as_bytes())?;
        Ok(self.out.write_all(b"\n")?)
    }

    /// The channel of a kind, opened at its first record.
    fn channel(&mut self, kind: Kind) -> Result<usize, WriteError> {
        if let Some(at) = self.channels.iter().position(|channel| channel.kind == kind) {
            return Ok(at);
        }
        let mut metadata = HashMap::new();
        if self.plain.is_some() {
            metadata.insert(HEADER_KEY.to_owned(), self.header.to_json());
        }
        let rows = RowWriter::new(kind, &self.header.instruments, self.plain.is_none(), metadata);
        let encoder = StreamEncoder::try_new(rows.schema()).map_err(unfit)?;
        let number = self.channels.len() as u32 + 1;
        if self.plain.is_none() {
            let name = kind.name();
            self.control(&format!(r#"{{"k":"channel","channel":{number},"kind":"{name}"}}"#))?;
        }
        self.channels.push(Channel { kind, number, rows, encoder });
        Ok(self.channels.len() - 1)
    }

    pub fn flush(&mut self) -> Result<(), WriteError> {
        Ok(self.out.flush()?)
    }

    pub fn finish(mut self, end: &End) -> Result<W, WriteError> {
        self.begin(&Arc::default())?;
        for channel in std::mem::take(&mut self.channels) {
            let buffers = channel.encoder.finish().map_err(unfit)?;
            self.send(channel.number, &buffers)?;
        }
        match self.plain {
            Some(_) => writeln!(self.out, "{}", end.to_json())?,
            None => self.control(&end.to_json())?,
        }
        self.out.flush()?;
        Ok(self.out)
    }
}

/// Runs by their kinds, each with the numbers that are said to be those of so many records of the kind at
/// that place of the list.
fn strips<'b, 'n>(
    runs: impl Iterator<Item = (&'b Arc<Plain>, Range<usize>)>,
    mut numbers: impl FnMut(usize, usize) -> Numbers<'n>,
) -> [Strip<'b>; HOT.len()] {
    let mut strips: [Strip<'b>; HOT.len()] = Default::default();
    for (plain, records) in runs {
        let place = HOT.iter().position(|kind| *kind == plain.kind());
        let place = place.expect("columns are of a hot kind");
        let numbers = numbers(place, records.len());
        strips[place].push(plain, records, numbers);
    }
    strips
}

fn unfit(error: arrow::error::ArrowError) -> WriteError {
    WriteError::Unfit(error.to_string())
}
