//! The write-ahead log: batches that are durable, and not in the catalog yet.
//!
//! One file per batch, `<table>_<ns>_<number>.jsonl`: a `stream` record that also names table,
//! columns, count and checksum, then the records as NDJSON. Invariants: a file appears whole or not
//! at all; what [`WalWriter`] returned is on disk; the loader brings every file into the catalog
//! once, whatever step it is killed at. The steps and why each can be repeated stand in [`load`].
//! Absent on purpose: several loaders on one log. The catalog has one writer, and so has the log.

mod claim;
mod dead;
mod disk;
mod entry;
mod folder;
mod load;
mod manifest;
mod name;
mod read;
mod write;

#[cfg(test)]
mod tests;

pub use dead::{DeadLetter, DeadLetters, Replayed};
pub use disk::{Disk, DiskLimits, DiskPolicy, DiskState, FileSystem, FreeSpace, WalLevel};
pub use entry::content_hash;
pub use folder::{Folder, Tier, TierStat};
pub use load::{Insert, LoadError, LoadOptions, Loaded, Loader};
pub use manifest::{Loaded as ManifestLine, Manifest};
pub use name::WalName;
pub use read::{ReadFailure, WalFile, read};
pub use write::{Bounds, WalWriter, Written};
