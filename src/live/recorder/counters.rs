//! What the recorder did, in numbers that any thread can read.

use std::sync::atomic::{AtomicU64, Ordering};

use qt_model::record::Kind;

/// Messages that may wait to be decoded.
pub(super) const QUEUED_FRAMES_MAX: usize = 65_536;

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Counts since the start, and a few values of now.
        #[derive(Debug)]
        pub struct Counters {
            $($(#[$doc])* pub $name: AtomicU64,)*
            dropped: Vec<AtomicU64>,
        }

        /// The same at one moment.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Snapshot {
            $($(#[$doc])* pub $name: u64,)*
            /// Records dropped, by table.
            pub dropped: Vec<(&'static str, u64)>,
        }

        impl Default for Counters {
            fn default() -> Self {
                let dropped = Kind::ALL.iter().map(|_| AtomicU64::new(0)).collect();
                Self { $($name: AtomicU64::new(0),)* dropped }
            }
        }

        impl Counters {
            pub fn snapshot(&self) -> Snapshot {
                let dropped = Kind::ALL.iter().zip(&self.dropped);
                let dropped = dropped.map(|(kind, it)| (kind.name(), it.load(Ordering::Relaxed)));
                Snapshot {
                    $($name: self.$name.load(Ordering::Relaxed),)*
                    dropped: dropped.filter(|(_, count)| *count > 0).collect(),
                }
            }
        }

        impl Snapshot {
            /// Each value with its name and its meaning.
            pub fn values(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name)),*]
            }
        }
    };
}

counters! {
    /// Messages from venues.
    frames,
    /// Messages that found the queue full.
    frames_dropped,
    /// Messages that were not understood.
    frames_refused,
    /// Bytes of messages.
    frame_bytes,
    /// Records that came to the pipeline.
    received,
    /// Records that are in the catalog or in the log.
    acknowledged,
    /// Records that were refused and are dead letters.
    refused,
    /// Records that went to the log because the catalog or the buffers had no room.
    spilled,
    /// Files of the log written.
    wal_files,
    /// Files of the catalog written, or blocks of a database.
    parts,
    /// Records that came from the log.
    loaded,
    /// Rounds of the loader: while they rise, it is alive.
    load_rounds,
    /// Inserts that failed.
    insert_failures,
    /// Inserts that were tried again.
    retries,
    /// Files that the loader knew already.
    repeats,
    /// Records in buffers.
    buffered_rows,
    /// How long the oldest of them has waited, in nanoseconds.
    buffered_ns,
    /// Records on their way to the catalog.
    unacknowledged_rows,
    /// Messages waiting in the queue.
    queued_frames,
    /// The most that waited.
    queued_frames_peak,
    /// Connections that were made again.
    reconnects,
    /// Connections that stand.
    connections,
    /// The longest insert, in nanoseconds.
    insert_ns_max,
    /// The longest write of a file of the log, its syncs included, in nanoseconds.
    log_ns_max,
    /// The longest sync of raw frames, in nanoseconds.
    sync_ns_max,
    /// Bytes free on the disk, at the last look.
    disk_free_bytes,
    /// Bytes in the log, at the last look.
    wal_bytes,
    /// 1 while there is no room on the disk.
    disk_full,
    /// 1 once raw messages could not be written and are no longer kept.
    raw_failed,
    /// 1 once the writing thread has ended with an error.
    writer_failed,
}

impl Counters {
    pub fn add(counter: &AtomicU64, count: u64) {
        counter.fetch_add(count, Ordering::Relaxed);
    }

    pub fn set(counter: &AtomicU64, value: u64) {
        counter.store(value, Ordering::Relaxed);
    }

    pub fn peak(counter: &AtomicU64, value: u64) {
        counter.fetch_max(value, Ordering::Relaxed);
    }

    pub(super) fn drop_rows(&self, kind: Kind, count: u64) {
        Self::add(&self.dropped[kind.index()], count);
    }

    /// Records and messages that were dropped, all in all.
    pub fn dropped(&self) -> u64 {
        let rows: u64 = self.dropped.iter().map(|it| it.load(Ordering::Relaxed)).sum();
        rows + self.frames_dropped.load(Ordering::Relaxed)
    }
}

impl Snapshot {
    /// The share of what came that was dropped, in parts of a million.
    pub fn loss_ppm(&self) -> u64 {
        let dropped: u64 = self.dropped.iter().map(|(_, count)| count).sum();
        let lost = dropped + self.frames_dropped;
        let all = self.received + lost;
        lost.saturating_mul(1_000_000).checked_div(all).unwrap_or(0)
    }
}
