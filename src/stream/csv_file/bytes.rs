//! The bytes of a CSV file on their way to its parser, with a bound on a row.
//!
//! A quote that is never closed makes the rest of a file one cell. The parser would gather it all;
//! here it is stopped.

use std::io::{Error, ErrorKind, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::lines::LINE_LIMIT;

/// Reads on behalf of the parser.
pub(super) struct Bounded {
    inner: Box<dyn Read + Send>,
    watch: Watch,
    /// Whether the last byte read is a line feed.
    ends_a_row: bool,
}

/// What the reader of rows knows of the bytes. Clones watch the same bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch {
    /// Bytes taken since the last row was whole.
    pending: Arc<AtomicUsize>,
    is_too_long: Arc<AtomicBool>,
    /// Whether the input has ended, and not with a line feed.
    is_open_ended: Arc<AtomicBool>,
}

impl Bounded {
    pub(super) fn new(inner: Box<dyn Read + Send>) -> (Self, Watch) {
        let watch = Watch::default();
        (Self { inner, watch: watch.clone(), ends_a_row: true }, watch)
    }
}

impl Watch {
    /// A row is whole: the next one may be as long again.
    pub(super) fn row(&self) {
        self.pending.store(0, Ordering::Relaxed);
    }

    pub(super) fn is_too_long(&self) -> bool {
        self.is_too_long.load(Ordering::Relaxed)
    }

    /// Whether the row at hand is the last one and lacks its line feed.
    pub(super) fn is_open_ended(&self) -> bool {
        self.is_open_ended.load(Ordering::Relaxed)
    }
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let pending = self.watch.pending.load(Ordering::Relaxed);
        if pending > LINE_LIMIT {
            self.watch.is_too_long.store(true, Ordering::Relaxed);
            return Err(Error::from(ErrorKind::InvalidData));
        }
        let read = self.inner.read(buffer)?;
        self.watch.pending.store(pending + read, Ordering::Relaxed);
        match buffer[..read].last() {
            Some(last) => self.ends_a_row = *last == b'\n',
            // The parser asks again only where it has no whole row left.
            None => self.watch.is_open_ended.store(!self.ends_a_row, Ordering::Relaxed),
        }
        Ok(read)
    }
}
