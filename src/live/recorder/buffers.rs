//! Rows in memory: a buffer per table, one budget over all.
//!
//! Over the budget, rows of the lowest class give way, newest first. Protected rows do not: they are
//! handed out for the log. Pure but for the counting, so that every rule can be tested with values.

use std::sync::Arc;

use qt_model::record::{Batch, Kind, Record};
use qt_model::time::Ts;

use super::tables::{Class, table};

/// When a buffer is handed on, and how much it may hold.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub flush_rows: usize,
    pub flush_age_ns: i64,
    pub table_rows_max: usize,
    pub budget_rows: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        let flush_age_ns = 500_000_000;
        Self { flush_rows: 1_000, flush_age_ns, table_rows_max: 10_000, budget_rows: 50_000 }
    }
}

/// What became of a row that was pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Kept,
    /// It is kept, and the newest row of that table is gone.
    Evicted(Kind),
    /// There was no room for it.
    Dropped,
    /// There is no room and it must not go: its table has to be spilled first.
    Spill,
}

#[derive(Debug)]
pub(super) struct Buffers {
    bounds: Bounds,
    buffers: Vec<Buffer>,
    rows: usize,
}

#[derive(Debug, Default)]
struct Buffer {
    batch: Batch,
    /// Rows from here on were evicted, and are cleared away before the next is added.
    kept: usize,
    since: Ts,
    /// The second buffer, empty, with its memory.
    spare: Batch,
}

impl Buffers {
    pub(super) fn new(bounds: Bounds) -> Self {
        let buffers = Kind::ALL.iter().map(|_| Buffer::default()).collect();
        Self { bounds, buffers, rows: 0 }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn rows_of(&self, kind: Kind) -> usize {
        self.buffers[kind.index()].kept
    }

    pub(super) fn push(&mut self, batch: &Batch, record: Record<'_>, now: Ts) -> Fate {
        let kind = record.kind();
        let class = table(kind).class;
        if self.rows_of(kind) >= self.bounds.table_rows_max {
            return if class.is_protected() { Fate::Spill } else { Fate::Dropped };
        }
        let mut fate = Fate::Kept;
        if self.rows >= self.bounds.budget_rows {
            match self.lowest() {
                Some(victim) if table(victim).class < class => {
                    self.buffers[victim.index()].kept -= 1;
                    self.rows -= 1;
                    fate = Fate::Evicted(victim);
                }
                _ if class.is_protected() => return Fate::Spill,
                // It is itself the newest row of the lowest class.
                _ => return Fate::Dropped,
            }
        }
        self.buffers[kind.index()].push(batch, record, now);
        self.rows += 1;
        fate
    }

    /// The table with rows of the lowest class that may go; of equal ones that with most rows.
    fn lowest(&self) -> Option<Kind> {
        let rows = |kind: &Kind| self.rows_of(*kind);
        let class = |kind: Kind| -> Class { table(kind).class };
        let may_go = |kind: &&Kind| rows(kind) > 0 && !class(**kind).is_protected();
        Kind::ALL
            .iter()
            .filter(may_go)
            .min_by_key(|kind| (class(**kind), std::cmp::Reverse(rows(kind))))
            .copied()
    }

    /// Since when the oldest row has waited; nothing where no row waits.
    pub(super) fn oldest(&self) -> Option<Ts> {
        self.buffers.iter().filter(|buffer| buffer.kept > 0).map(|buffer| buffer.since).min()
    }

    /// Tables whose rows are due: enough of them, or old enough.
    pub(super) fn due(&self, now: Ts, all: bool) -> impl Iterator<Item = Kind> + use<'_> {
        let bounds = self.bounds;
        Kind::ALL.iter().copied().filter(move |kind| {
            let buffer = &self.buffers[kind.index()];
            let is_old = now.since(buffer.since) >= bounds.flush_age_ns;
            buffer.kept > 0 && (all || buffer.kept >= bounds.flush_rows || is_old)
        })
    }

    /// Whether the rows of a table are many enough to be handed on.
    pub(super) fn is_full(&self, kind: Kind) -> bool {
        self.rows_of(kind) >= self.bounds.flush_rows
    }

    /// Whether a batch of so many rows fits without anything giving way.
    pub(super) fn has_room(&self, rows: usize) -> bool {
        let fullest = self.buffers.iter().map(|buffer| buffer.kept).max().unwrap_or(0);
        self.rows + rows <= self.bounds.budget_rows && fullest + rows <= self.bounds.table_rows_max
    }

    /// Takes the rows of a table; filling goes on in the other buffer.
    pub(super) fn take(&mut self, kind: Kind) -> Batch {
        let buffer = &mut self.buffers[kind.index()];
        buffer.settle();
        self.rows -= buffer.kept;
        buffer.kept = 0;
        std::mem::replace(&mut buffer.batch, std::mem::take(&mut buffer.spare))
    }

    /// Gives rows back that nobody took. They are older than all that came since.
    pub(super) fn restore(&mut self, kind: Kind, batch: Batch, since: Ts) {
        let buffer = &mut self.buffers[kind.index()];
        debug_assert_eq!(buffer.kept, 0, "rows are given back before others come");
        self.rows += batch.len();
        buffer.kept = batch.len();
        buffer.since = since;
        buffer.spare = std::mem::replace(&mut buffer.batch, batch);
    }

    pub(super) fn since(&self, kind: Kind) -> Ts {
        self.buffers[kind.index()].since
    }
}

impl Buffer {
    fn push(&mut self, batch: &Batch, record: Record<'_>, now: Ts) {
        self.settle();
        if self.kept == 0 {
            self.since = now;
        }
        if self.batch.instruments().len() < batch.instruments().len() {
            self.batch.set_instruments(Arc::clone(batch.instruments()));
        }
        self.batch.push(record);
        self.kept += 1;
    }

    /// Clears away evicted rows.
    fn settle(&mut self) {
        if self.kept == self.batch.len() {
            return;
        }
        self.spare.clear();
        self.spare.set_instruments(Arc::clone(self.batch.instruments()));
        self.spare.push_range(&self.batch, 0, self.kept);
        std::mem::swap(&mut self.batch, &mut self.spare);
        self.spare.clear();
    }
}
