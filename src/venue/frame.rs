//! One message as a venue sent it, and what turns it into records.

use qt_model::record::Batch;
use qt_model::time::Ts;

use crate::tally::Tally;

/// A message of a venue, with the moment at which it was received.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    pub ts_recv: Ts,
    pub bytes: &'a [u8],
}

/// Why a message was not understood. It is kept and counted; those after it are read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("not JSON: {message} (byte {byte} of the message)")]
    Json { byte: usize, message: String },
    #[error("field `{field}`: expected {expected}, found {found}")]
    Field { field: String, expected: &'static str, found: String },
    #[error("{0}")]
    Refused(String),
}

/// Makes records of the messages of one venue: one decoder per connection or capture, fed in the
/// order of reception. It sequences what it decodes, so that the depth records it adds can be
/// applied one after the other: see `docs/decisions`.
pub trait Decoder: Send {
    /// Adds what the message says. On an error nothing was added.
    fn frame(&mut self, frame: Frame<'_>, batch: &mut Batch) -> Result<(), DecodeError>;

    /// Adds what the answer to a request says. The address tells what was asked, which the answer
    /// alone may not.
    fn reply(&mut self, url: &str, frame: Frame<'_>, batch: &mut Batch) -> Result<(), DecodeError>;

    /// What was met and made no records, by reason.
    fn tally(&self) -> &Tally;
}
