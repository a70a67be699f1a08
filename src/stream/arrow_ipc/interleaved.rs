//! Streams of several kinds: frames of channels, gathered up to where all records before are there.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::ipc::reader::StreamDecoder;
use qt_model::record::{Batch, Kind};

use super::CONTROL;
use super::channel::{Channel, Control, Group, interleave};
use super::read::ArrowReader;
use crate::columns::Plain;
use crate::error::ReadError;
use crate::weave::{Numbered, Weave};

impl ArrowReader {
    /// Appends the records of the next group as rows.
    pub(super) fn next_interleaved(&mut self, batch: &mut Batch) -> Result<(), ReadError> {
        let Group { tables, end } = match self.group.take() {
            Some(group) => group,
            None => self.gather(),
        };
        for (at, table) in tables {
            self.take_table(at, &table, batch)?;
        }
        match end? {
            None => self.interleave(batch),
            Some(line) => self.end_interleaved(&line, batch),
        }
    }

    /// The next group as columns. Nothing where the road of rows takes over: where a table has something
    /// missing, at the end, and for whatever is damaged.
    pub(super) fn next_weave(&mut self) -> Option<Weave> {
        let group = self.gather();
        let woven = match group {
            Group { ref tables, end: Ok(None) } if !tables.is_empty() => self.woven(tables),
            _ => None,
        };
        match woven {
            Some((weave, next)) => {
                self.next = next;
                for (at, table) in &group.tables {
                    let channel = &mut self.channels[*at];
                    let rows = channel.rows.as_mut().expect("it was asked for its columns");
                    rows.pass_over(table.num_rows());
                    channel.read += table.num_rows() as u64;
                }
                Some(weave)
            }
            None => {
                self.group = Some(group);
                None
            }
        }
    }

    fn woven(&mut self, tables: &[(usize, RecordBatch)]) -> Option<(Weave, u64)> {
        if tables.iter().any(|(at, _)| !Plain::is_written(self.channels[*at].kind)) {
            return None;
        }
        let mut numbered = Vec::with_capacity(tables.len());
        for (at, table) in tables {
            self.know_rows(*at, table).ok()?;
            let rows = self.channels[*at].rows.as_mut()?;
            let (plain, numbers) = rows.numbered(table, &mut self.symbols)?;
            // A depth record is never split over two tables of a stream.
            if plain.start(0) != 0 {
                return None;
            }
            numbered.push(Numbered { plain: Arc::new(plain), numbers });
        }
        Weave::of(numbered, self.next).filter(|(weave, _)| weave.len() > 0)
    }

    /// Reads up to where all records before are there.
    fn gather(&mut self) -> Group {
        let mut tables = Vec::new();
        let end = loop {
            match self.take_frame(&mut tables) {
                Ok(None) => {}
                Ok(Some(Mark::Flush)) => break Ok(None),
                Ok(Some(Mark::End(line))) => break Ok(Some(line)),
                Err(error) => break Err(error),
            }
        };
        Group { tables, end }
    }

    fn take_frame(
        &mut self,
        tables: &mut Vec<(usize, RecordBatch)>,
    ) -> Result<Option<Mark>, ReadError> {
        let mut payload = Vec::new();
        let number = self.frame(&mut payload)?.ok_or_else(|| ReadError::Truncated {
            place: self.bytes.place(),
            message: "its `end` record is missing".to_owned(),
        })?;
        if number == CONTROL {
            return match self.control(&payload)? {
                Control::Stream {} => Err(self.bytes.corrupt("a second `stream` record")),
                Control::Channel { channel, kind } => {
                    self.open_channel(channel, &kind).map(|()| None)
                }
                Control::Flush {} => Ok(Some(Mark::Flush)),
                Control::End {} => Ok(Some(Mark::End(payload))),
            };
        }
        let at = self.channels.iter().position(|channel| channel.number == number);
        let at =
            at.ok_or_else(|| self.bytes.corrupt(format!("channel {number} was never opened")))?;
        let mut buffer = Buffer::from_vec(payload);
        while !buffer.is_empty() {
            let table = self.channels[at].decode(&mut buffer);
            tables.extend(table.map_err(|error| self.damaged(&error))?.map(|table| (at, table)));
        }
        Ok(None)
    }

    fn control(&self, line: &[u8]) -> Result<Control, ReadError> {
        serde_json::from_slice(line).map_err(|error| {
            self.bytes.corrupt(format!("a control line that makes no sense: {error}"))
        })
    }

    fn open_channel(&mut self, number: u32, kind: &str) -> Result<(), ReadError> {
        let kind = match kind {
            "other" => Kind::Other,
            _ => Kind::from_name(kind).ok_or_else(|| {
                let message = format!("a channel of kind `{kind}`, which this qt does not know");
                ReadError::Unreadable { place: self.bytes.place(), message }
            })?,
        };
        if self.channels.iter().any(|channel| channel.number == number) {
            return Err(self.bytes.corrupt(format!("channel {number} is opened twice")));
        }
        if self.channels.iter().any(|channel| channel.kind == kind) {
            let message = format!("a second channel of kind `{}`", kind.name());
            return Err(self.bytes.corrupt(message));
        }
        if number == CONTROL {
            return Err(self.bytes.corrupt("channel 0 is for control lines"));
        }
        self.channels.push(Channel::new(number, kind, StreamDecoder::new()));
        Ok(())
    }

    fn interleave(&mut self, batch: &mut Batch) -> Result<(), ReadError> {
        let placed = interleave(&mut self.channels, &mut self.next, batch);
        placed.map_err(|message| self.bytes.corrupt(message))
    }

    fn end_interleaved(&mut self, line: &[u8], batch: &mut Batch) -> Result<(), ReadError> {
        self.interleave(batch)?;
        if let Some(digest) = &mut self.digest {
            digest.update(batch);
        }
        self.take_end(line)?;
        match self.bytes.rest(1)?.as_slice() {
            [] => Ok(()),
            _ => Err(self.bytes.corrupt("bytes stand behind the `end` record")),
        }
    }
}

/// What a control line says of the records before it.
enum Mark {
    Flush,
    End(Vec<u8>),
}
