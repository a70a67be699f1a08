//! One kind's share of a stream, and how the shares of several kinds become one order.

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::datatypes::SchemaRef;
use arrow::ipc::reader::StreamDecoder;
use qt_model::record::{Batch, Kind};
use serde::Deserialize;

use crate::columns::RowReader;
use crate::contain::contained;
use crate::error::ReadError;

/// A plain IPC stream of one kind, alone or among others.
pub(super) struct Channel {
    pub(super) number: u32,
    pub(super) kind: Kind,
    decoder: StreamDecoder,
    pub(super) rows: Option<RowReader>,
    /// Rows read so far, for messages.
    pub(super) read: u64,
    /// The numbers of the records read and not yet placed.
    pub(super) ordinals: Vec<u64>,
}

/// The tables up to a `flush`, or to the end, with the numbers of their channels.
pub(super) struct Group {
    pub(super) tables: Vec<(usize, RecordBatch)>,
    /// The line that ends the stream, if that came; or what broke it off.
    pub(super) end: Result<Option<Vec<u8>>, ReadError>,
}

/// A line of the control channel.
#[derive(Deserialize)]
#[serde(tag = "k", rename_all = "lowercase")]
pub(super) enum Control {
    Stream {},
    Channel { channel: u32, kind: String },
    Flush {},
    End {},
}

impl Channel {
    pub(super) fn new(number: u32, kind: Kind, decoder: StreamDecoder) -> Self {
        Self { number, kind, decoder, rows: None, read: 0, ordinals: Vec::new() }
    }

    /// Takes bytes off the buffer; a table, once one is whole.
    pub(super) fn decode(&mut self, buffer: &mut Buffer) -> Result<Option<RecordBatch>, String> {
        decode(&mut self.decoder, buffer)
    }
}

/// Runs the decoder over damaged bytes as over good ones. After an error it is not used again.
pub(super) fn decode(
    decoder: &mut StreamDecoder,
    buffer: &mut Buffer,
) -> Result<Option<RecordBatch>, String> {
    contained(|| decoder.decode(buffer)).and_then(|table| table.map_err(|error| error.to_string()))
}

/// The schema that the decoder has seen, if it has seen one yet.
pub(super) fn schema_of(decoder: &StreamDecoder) -> Option<SchemaRef> {
    decoder.schema()
}

/// Places the rows of all channels in the order of their numbers. `next` is the least number that
/// may come, and moves on. Holes are the work of filters; a number twice, or one that comes too
/// late for its place, is damage, and so are rows of one kind that are not in their own order.
pub(super) fn interleave(
    channels: &mut [Channel],
    next: &mut u64,
    batch: &mut Batch,
) -> Result<(), String> {
    let mut rows = [0; Kind::ALL.len()];
    for (ordinal, kind, row) in sorted(channels) {
        if ordinal < *next {
            return Err(format!("record number {ordinal} came again, or too late for its place"));
        }
        if std::mem::replace(&mut rows[kind.index()], row + 1) != row {
            return Err(format!("the numbers of `{}` fall before {ordinal}", kind.name()));
        }
        batch.place(kind, row);
        *next = ordinal.saturating_add(1);
    }
    Ok(())
}

/// The same for a stream that breaks off: up to the first number that is not there, since behind
/// it records of other channels may be missing.
pub(super) fn salvage(channels: &mut [Channel], next: &mut u64, batch: &mut Batch) {
    let mut whole = Batch::new(std::sync::Arc::clone(batch.instruments()));
    for slot in batch.slots().to_vec() {
        whole.push(batch.at(slot));
    }
    for (ordinal, kind, row) in sorted(channels) {
        if ordinal != *next {
            break;
        }
        *next += 1;
        whole.push(batch.row(kind, row));
    }
    *batch = whole;
}

fn sorted(channels: &mut [Channel]) -> Vec<(u64, Kind, u32)> {
    let count = channels.iter().map(|channel| channel.ordinals.len()).sum();
    let mut places = Vec::with_capacity(count);
    for channel in channels.iter_mut() {
        let numbered = channel.ordinals.drain(..).zip(0_u32..);
        places.extend(numbered.map(|(ordinal, row)| (ordinal, channel.kind, row)));
    }
    // Runs of rising numbers, one a channel: what this sort is quick at.
    places.sort_by_key(|(ordinal, ..)| *ordinal);
    places
}
