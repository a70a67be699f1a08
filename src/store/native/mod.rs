//! Records as blocks of the Native format, which is what the server stores and moves.
//!
//! A block is the number of columns, the number of rows, and each column with its name, its type and
//! its values one behind the other; a number before a text or a block is a varint. Invariants: the
//! same records make the same bytes, so that their hash is their name; what is read is compared with
//! the columns that were asked for, by name and type. See docs/clickhouse.md for who else can read it.

mod bytes;
mod instruments;
mod read;
mod write;

#[cfg(test)]
mod tests;

use sha2::{Digest as _, Sha256};

pub(crate) use instruments::{decode_instruments, encode_instrument};
pub use read::{Block, blocks, rows};
pub use write::{Unfit, encode};

use crate::tables::{Table, VERSION};

/// What a block is known by: the SHA-256 of its table and its rows in order.
pub fn hash(table: &Table, block: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("{} {VERSION}\n", table.name));
    hash.update(block);
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
