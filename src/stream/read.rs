//! What all readers have in common: their options and the check against an `end` record.

use qt_model::record::Kind;

use crate::digest::Digest;
use crate::error::ReadError;
use crate::frame::End;
use crate::place::Place;
use crate::tolerance::Tolerance;
use crate::universe::Universe;

/// How to read. Clones share the universe and the tolerance.
#[derive(Clone, Debug)]
pub struct Options {
    /// The instruments of all inputs that are read together.
    pub universe: Universe,
    /// What to do about a record that cannot be read.
    pub tolerance: Tolerance,
    /// Whether count and digest must agree with the `end` record.
    pub verify: bool,
    /// Whether a stream with a header may lack its `end`.
    pub allow_truncated: bool,
    /// How many records a batch holds at most.
    pub batch_records: usize,
    /// A kind that nobody asks for: its records are passed over unread where an encoding allows it,
    /// and no count or digest is to be checked.
    pub without: Option<Kind>,
    /// What a record without `ts_recv` adds to its `ts_event`.
    pub feed_latency_ns: i64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            universe: Universe::default(),
            tolerance: Tolerance::default(),
            verify: false,
            allow_truncated: false,
            batch_records: 4096,
            without: None,
            feed_latency_ns: 0,
        }
    }
}

impl Options {
    /// Whether records of that kind are passed over.
    pub(crate) fn passes_over(&self, kind: Kind) -> bool {
        self.without == Some(kind) && !self.verify
    }
}

/// Compares what was read with what the `end` record says was written.
pub(crate) fn verify(place: &Place, end: &End, read: &Digest) -> Result<(), ReadError> {
    let message = if end.records != read.records() {
        format!("the `end` record counts {} records, {} were read", end.records, read.records())
    } else if end.digest != read.text() {
        format!("the records have digest {}, the `end` record says {}", read.text(), end.digest)
    } else {
        return Ok(());
    };
    Err(ReadError::Mismatch { place: place.clone(), message })
}
