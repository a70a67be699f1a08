//! Arrow IPC streams, of one kind or of several.
//!
//! One kind: a plain IPC stream; its schema metadata holds the `stream` record under `qt.stream`,
//! and the `end` record follows the end-of-stream mark as one line of NDJSON, which Arrow readers
//! leave alone. Several kinds: frames of a channel number, a length and that many bytes, behind an
//! opening mark. Channel 0 carries lines of NDJSON (`stream`, `channel`, `flush`, `end`); each other
//! channel is a plain IPC stream of one kind, whose rows are numbered by the column `n`.

mod channel;
mod interleaved;
mod message;
mod read;
mod strands;
mod symbols;
mod write;

#[cfg(test)]
mod tests;

pub use read::ArrowReader;
pub use symbols::has_one_symbol;
pub use write::ArrowWriter;

/// How an interleaved stream begins.
pub(crate) const MARK: &[u8; 8] = b"QTARROW1";

/// How a plain IPC stream begins: the mark of an encapsulated message.
pub(crate) const IPC_MARK: [u8; 4] = [0xff; 4];

/// The key of the header in the metadata of a schema.
pub(crate) const HEADER_KEY: &str = "qt.stream";

/// The channel of the frame records.
pub(crate) const CONTROL: u32 = 0;

/// A frame is at most this long; more is damage.
pub(crate) const FRAME_LIMIT: u64 = 1 << 30;

/// How a plain IPC stream ends.
pub(crate) const END_OF_STREAM: [u8; 8] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];
