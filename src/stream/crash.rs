//! Named points at which the process can be made to die, for tests of what survives.
//!
//! `QT_CRASH_AT=wal.rename` ends the process as `kill -9` would when it passes that point, and
//! `QT_CRASH_AT=wal.rename:3` when it passes it for the third time. Unset, a point is one look at a
//! value that was read once. The points stand between any two steps of which one is on disk.

use std::process;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Every point, in the order in which a batch passes them.
pub const POINTS: &[&str] = &[
    "wal.write",
    "wal.sync",
    "wal.rename",
    "wal.claim",
    "catalog.publish",
    "catalog.note",
    "wal.insert",
    "wal.manifest",
    "wal.archive",
    "wal.release",
    "store.cut",
    "raw.sync",
    "ledger.sync",
];

static ARMED: OnceLock<Option<(String, u64)>> = OnceLock::new();
static PASSED: AtomicU64 = AtomicU64::new(0);

/// Dies here if the environment says so.
#[inline]
pub fn point(name: &str) {
    debug_assert!(POINTS.contains(&name), "{name} is not in the list of crash points");
    if let Some((armed, times)) = ARMED.get_or_init(armed)
        && armed == name
        && PASSED.fetch_add(1, Ordering::Relaxed) + 1 == *times
    {
        // No destructor runs and no buffer is flushed, as with a kill from outside.
        process::abort();
    }
}

fn armed() -> Option<(String, u64)> {
    let text = std::env::var("QT_CRASH_AT").ok()?;
    match text.split_once(':') {
        Some((name, times)) => Some((name.to_owned(), times.parse().ok()?)),
        None => Some((text, 1)),
    }
}
