//! A batch of records: one table per kind, and the order in which they interleave.
//!
//! Invariants: each slot points at a row; rows of one kind keep their order; the levels of depth
//! row `i` end at `level_ends[i]`, bids before asks. Clearing keeps the memory, so a batch in a loop allocates only
//! until it has seen its largest filling. Absent on purpose: removal and reordering of rows.

use std::sync::Arc;

use super::kinds::{Kind, Record, Table, Tables};
use super::{Head, Level};
use crate::instrument::Instruments;

/// Where a record of the batch lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    pub kind: Kind,
    pub index: u32,
}

/// Records in stream order. See the module.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    instruments: Arc<Instruments>,
    order: Vec<Slot>,
    pub(super) tables: Tables,
    levels: Vec<Level>,
    level_ends: Vec<u32>,
}

impl Batch {
    pub fn new(instruments: Arc<Instruments>) -> Self {
        Self { instruments, ..Self::default() }
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.order.len()
    }

    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Forgets the records and keeps the memory.
    pub fn clear(&mut self) {
        self.order.clear();
        self.tables.clear();
        self.levels.clear();
        self.level_ends.clear();
    }

    pub fn instruments(&self) -> &Arc<Instruments> {
        &self.instruments
    }

    /// Takes a later copy of the table; ids stay good, since tables only grow.
    pub fn set_instruments(&mut self, instruments: Arc<Instruments>) {
        debug_assert!(instruments.len() >= self.instruments.len(), "a table of instruments shrank");
        self.instruments = instruments;
    }

    /// The record at that place of the stream order.
    #[inline]
    pub fn get(&self, at: usize) -> Record<'_> {
        self.at(self.order[at])
    }

    /// The record of a row, whether or not it has a place yet.
    #[inline]
    pub fn at(&self, slot: Slot) -> Record<'_> {
        let levels = if slot.kind == Kind::Depth { self.levels(slot.index as usize) } else { &[] };
        self.tables.get(slot, levels)
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = Record<'_>> {
        (0..self.len()).map(|at| self.get(at))
    }

    /// The stream order.
    #[inline]
    pub fn slots(&self) -> &[Slot] {
        &self.order
    }

    /// All rows of a kind, in order.
    #[inline]
    pub fn rows<T: Table>(&self) -> &[T] {
        T::of(self)
    }

    pub fn count(&self, kind: Kind) -> usize {
        self.tables.len_of(kind)
    }

    /// The levels of the depth row at that position of its table.
    #[inline]
    pub fn levels(&self, depth: usize) -> &[Level] {
        let start = if depth == 0 { 0 } else { self.level_ends[depth - 1] as usize };
        &self.levels[start..self.level_ends[depth] as usize]
    }

    /// The levels of all depth rows, one after the other.
    #[inline]
    pub fn all_levels(&self) -> &[Level] {
        &self.levels
    }

    /// Appends a record. `levels` is empty but for a depth row.
    #[inline]
    pub fn push_row<T: Table>(&mut self, row: T, levels: &[Level]) {
        if T::KIND == Kind::Depth {
            self.levels.extend_from_slice(levels);
            self.end_levels();
        } else {
            debug_assert!(levels.is_empty(), "only a depth record has levels");
        }
        let table = T::of_mut(self);
        table.push(row);
        let index = (table.len() - 1) as u32;
        self.order.push(Slot { kind: T::KIND, index });
    }

    /// Appends rows of one kind without a place in the order; `place` or `place_all` must follow.
    pub fn extend_rows<T: Table>(&mut self, rows: impl IntoIterator<Item = T>) {
        debug_assert!(T::KIND != Kind::Depth, "a depth row comes with its levels");
        T::of_mut(self).extend(rows);
    }

    /// Like `extend_rows`, for one depth row.
    #[inline]
    pub fn extend_depth(&mut self, row: super::Depth, levels: impl IntoIterator<Item = Level>) {
        self.levels.extend(levels);
        self.end_levels();
        super::Depth::of_mut(self).push(row);
    }

    /// Closes the list of levels of one record. Sides come in one order, whatever the source did,
    /// so that encodings which keep them apart and those which do not hold equal records.
    #[inline]
    fn end_levels(&mut self) {
        let start = self.level_ends.last().map_or(0, |end| *end as usize);
        let own = &mut self.levels[start..];
        if !own.is_sorted_by_key(|level| level.side) {
            own.sort_by_key(|level| level.side);
        }
        self.level_ends.push(self.levels.len() as u32);
    }

    /// Gives the next row of that kind the next place in the order.
    #[inline]
    pub fn place(&mut self, kind: Kind, index: u32) {
        debug_assert!((index as usize) < self.tables.len_of(kind), "a place points at a row");
        self.order.push(Slot { kind, index });
    }

    /// Places all rows of a kind that has no place yet, in order: for a batch of one kind.
    pub fn place_all(&mut self, kind: Kind) {
        let placed = self.order.iter().filter(|slot| slot.kind == kind).count();
        let rows = placed as u32..self.tables.len_of(kind) as u32;
        self.order.extend(rows.map(|index| Slot { kind, index }));
    }

    /// Gives the record at that place another sequence number.
    pub fn set_seq(&mut self, at: usize, seq: u64) {
        self.tables.set_seq(self.order[at], seq);
    }

    #[inline]
    pub fn head(&self, at: usize) -> &Head {
        self.get(at).head()
    }
}

/// Anything that yields batches: a file, a pipe, a merge, a synthetic market.
pub trait Source {
    type Error;

    /// Clears `batch` and fills it with what comes next. `false` once there is nothing more.
    fn next(&mut self, batch: &mut Batch) -> Result<bool, Self::Error>;
}

impl<S: Source + ?Sized> Source for Box<S> {
    type Error = S::Error;

    fn next(&mut self, batch: &mut Batch) -> Result<bool, Self::Error> {
        (**self).next(batch)
    }
}
