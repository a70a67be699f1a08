//! Whole messages and frames out of a byte stream.

use std::io::Read;
use std::sync::Arc;

use arrow::buffer::Buffer;
use arrow::ipc::root_as_message;

use super::{FRAME_LIMIT, IPC_MARK};
use crate::error::ReadError;
use crate::lines::read_some;
use crate::place::{At, Place};

/// Bytes with a position, for messages that name it.
pub(super) struct Bytes {
    input: Arc<str>,
    reader: Box<dyn Read + Send>,
    /// Bytes taken so far.
    at: u64,
    /// Room for bytes that nobody asks for.
    passed: Vec<u8>,
}

impl Bytes {
    pub(super) fn new(input: &Arc<str>, reader: Box<dyn Read + Send>) -> Self {
        Self { input: Arc::clone(input), reader, at: 0, passed: Vec::new() }
    }

    pub(super) fn place(&self) -> Place {
        Place { input: Arc::clone(&self.input), at: At::Byte(self.at) }
    }

    pub(super) fn corrupt(&self, message: impl Into<String>) -> ReadError {
        ReadError::Corrupt { place: self.place(), message: message.into() }
    }

    fn truncated(&self, wanted: u64, had: usize) -> ReadError {
        let message = format!("{wanted} bytes were announced here, {had} are there");
        ReadError::Truncated { place: self.place(), message }
    }

    /// Fills an array; `None` where the input ends before its first byte.
    pub(super) fn array<const N: usize>(&mut self) -> Result<Option<[u8; N]>, ReadError> {
        let mut array = [0_u8; N];
        let mut had = 0;
        while had < N {
            let read = read_some(&mut self.reader, &mut array[had..]);
            match read.map_err(|source| self.io(source))? {
                0 if had == 0 => return Ok(None),
                0 => return Err(self.truncated(N as u64, had)),
                read => had += read,
            }
        }
        self.at += N as u64;
        Ok(Some(array))
    }

    /// Appends exactly that many bytes.
    pub(super) fn append(&mut self, length: u64, to: &mut Vec<u8>) -> Result<(), ReadError> {
        if length > FRAME_LIMIT {
            return Err(self.too_long(length));
        }
        let before = to.len();
        // A false length must not reserve memory that the input never fills.
        to.reserve(length.min(1 << 22) as usize);
        let read = (&mut self.reader).take(length).read_to_end(to);
        let had = to.len() - before;
        read.map_err(|source| self.io(source))?;
        if had as u64 != length {
            return Err(self.truncated(length, had));
        }
        self.at += length;
        Ok(())
    }

    /// Passes over exactly that many bytes.
    pub(super) fn skip(&mut self, length: u64) -> Result<(), ReadError> {
        if length > FRAME_LIMIT {
            return Err(self.too_long(length));
        }
        // As much as a pipe holds: what is not kept need not leave the cache.
        self.passed.resize(1 << 16, 0);
        let mut had = 0;
        while had < length {
            let most = usize::try_from(length - had).map_or(1 << 16, |left| left.min(1 << 16));
            match read_some(&mut self.reader, &mut self.passed[..most]) {
                Ok(0) => return Err(self.truncated(length, had as usize)),
                Ok(read) => had += read as u64,
                Err(source) => return Err(self.io(source)),
            }
        }
        self.at += length;
        Ok(())
    }

    fn too_long(&self, length: u64) -> ReadError {
        self.corrupt(format!("a length of {length} bytes, above any that is written"))
    }

    /// All that is left, up to a limit.
    pub(super) fn rest(&mut self, limit: u64) -> Result<Vec<u8>, ReadError> {
        let mut rest = Vec::new();
        let read = (&mut self.reader).take(limit).read_to_end(&mut rest);
        read.map_err(|source| self.io(source))?;
        Ok(rest)
    }

    pub(super) fn io(&self, source: std::io::Error) -> ReadError {
        ReadError::of_read(self.place(), source)
    }

    /// The next encapsulated message, whole; `None` at the end-of-stream mark.
    pub(super) fn message(&mut self) -> Result<Message, ReadError> {
        let Some(mark) = self.array::<4>()? else { return Ok(Message::Nothing) };
        if mark != IPC_MARK {
            return Err(self.corrupt("expected an Arrow message, found other bytes"));
        }
        let length = match self.array::<4>()? {
            Some(length) => u32::from_le_bytes(length),
            None => return Err(self.truncated(4, 0)),
        };
        if length == 0 {
            return Ok(Message::End);
        }
        let mut bytes = Vec::with_capacity(8 + length.min(1 << 16) as usize);
        bytes.extend_from_slice(&IPC_MARK);
        bytes.extend_from_slice(&length.to_le_bytes());
        self.append(u64::from(length), &mut bytes)?;
        let body = root_as_message(&bytes[8..])
            .map(|message| message.bodyLength())
            .map_err(|error| self.corrupt(format!("a damaged Arrow message: {error}")))?;
        let body = u64::try_from(body).map_err(|_| self.corrupt("a body of negative length"))?;
        self.append(body, &mut bytes)?;
        Ok(Message::Whole(Buffer::from_vec(bytes)))
    }
}

/// What `Bytes::message` finds.
pub(super) enum Message {
    Whole(Buffer),
    /// The end-of-stream mark.
    End,
    /// The end of the input.
    Nothing,
}
