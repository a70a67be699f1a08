//! A batch of records: one table per kind, and the order in which they interleave.
//!
//! Invariants: each slot points at a row; rows of one kind keep their order; the levels of depth
//! row `i` end at `level_ends[i]`, bids before asks. Clearing keeps the memory, so a batch in a loop allocates only
//! until it has seen its largest filling. Absent on purpose: removal and reordering of rows.

use std::sync::Arc;

use super::kinds::{Kind, Record, Table, Tables, View};
use super::{Head, Key, Level, Sequence};
use crate::instrument::Instruments;
use crate::time::Ts;

/// Where a record of the batch lives, and when it was received: what a merge asks most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    pub ts_recv: Ts,
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
        let index = slot.index as usize;
        // Most of a day is depth; who asks it first here need not ask again.
        if slot.kind == Kind::Depth {
            let row = &super::Depth::of(self)[index];
            return Record::Depth(View { row, levels: self.levels(index) });
        }
        self.tables.get(slot, &[])
    }

    /// The record of a row, placed or not.
    pub fn row(&self, kind: Kind, index: u32) -> Record<'_> {
        let ts_recv = self.tables.head(kind, index as usize).ts_recv;
        self.at(Slot { ts_recv, kind, index })
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
            self.end_levels(self.levels.len() - levels.len());
        } else {
            debug_assert!(levels.is_empty(), "only a depth record has levels");
        }
        let ts_recv = row.head().ts_recv;
        let table = T::of_mut(self);
        let index = table.len() as u32;
        table.push(row);
        self.order.push(Slot { ts_recv, kind: T::KIND, index });
    }

    /// Appends rows of one kind without a place in the order; `place` or `place_all` must follow.
    pub fn extend_rows<T: Table>(&mut self, rows: impl IntoIterator<Item = T>) {
        debug_assert!(T::KIND != Kind::Depth, "a depth row comes with its levels");
        T::of_mut(self).extend(rows);
    }

    /// Like `extend_rows`, for one depth row.
    #[inline]
    pub fn extend_depth(&mut self, row: super::Depth, levels: impl IntoIterator<Item = Level>) {
        let start = self.levels.len();
        self.levels.extend(levels);
        self.end_levels(start);
        super::Depth::of_mut(self).push(row);
    }

    /// Closes the levels of a row. Sides have no order between them, so one is chosen: then a book
    /// reads the same from every encoding.
    #[inline]
    fn end_levels(&mut self, start: usize) {
        let levels = &mut self.levels[start..];
        if !levels.is_sorted_by_key(|level| level.side) {
            levels.sort_by_key(|level| level.side);
        }
        self.level_ends.push(self.levels.len() as u32);
    }

    /// Appends many depth rows. `ends` says where the levels of each end among those given.
    pub fn extend_depths(
        &mut self,
        rows: impl Iterator<Item = super::Depth>,
        levels: impl Iterator<Item = Level>,
        ends: impl Iterator<Item = u32>,
    ) {
        let first = self.levels.len() as u32;
        let before = self.count(Kind::Depth);
        super::Depth::of_mut(self).extend(rows);
        self.levels.extend(levels);
        let added = self.count(Kind::Depth) - before;
        // Without rows there is nothing for an end to be of.
        let mut start = first as usize;
        for end in ends.take(added) {
            let end = (first + end) as usize;
            let levels = &mut self.levels[start..end];
            if !levels.is_sorted_by_key(|level| level.side) {
                levels.sort_by_key(|level| level.side);
            }
            self.level_ends.push(end as u32);
            start = end;
        }
        assert_eq!(self.level_ends.len(), self.count(Kind::Depth), "each row has an end");
    }

    /// Gives the next row of that kind the next place in the order.
    #[inline]
    pub fn place(&mut self, kind: Kind, index: u32) {
        let ts_recv = self.tables.head(kind, index as usize).ts_recv;
        self.order.push(Slot { ts_recv, kind, index });
    }

    /// Places all rows of a kind that has no place yet, in order: for a batch of one kind.
    pub fn place_all(&mut self, kind: Kind) {
        let placed = self.order.iter().filter(|slot| slot.kind == kind).count();
        self.tables.slots_from(kind, placed, &mut self.order);
    }

    /// Puts the records in the total order where that moves a few of them past records of other
    /// kinds; else changes nothing and says `false`. Rows stay where they lie.
    pub fn settle(&mut self) -> bool {
        let mut order = self.order.clone();
        for at in 1..order.len() {
            let mut here = at;
            while here > 0 && order[here].ts_recv <= order[here - 1].ts_recv {
                let (before, slot) = (order[here - 1], order[here]);
                let key = |slot| Key::of(&self.at(slot));
                if key(before).compare(&key(slot), &self.instruments).is_lt() {
                    break;
                }
                if before.kind == slot.kind || at - here >= 64 {
                    return false;
                }
                order.swap(here, here - 1);
                here -= 1;
            }
        }
        self.order = order;
        true
    }

    /// Gives the record at that place another sequence number.
    pub fn set_seq(&mut self, at: usize, seq: u64) {
        self.tables.set_seq(self.order[at], seq);
    }

    #[inline]
    pub fn head(&self, at: usize) -> &Head {
        let slot = self.order[at];
        // As in `at`: depth is asked for most.
        if slot.kind == Kind::Depth {
            return &super::Depth::of(self)[slot.index as usize].head;
        }
        self.tables.head(slot.kind, slot.index as usize)
    }

    /// The kind of all records, where they are of one kind.
    pub fn only_kind(&self) -> Option<Kind> {
        let first = self.order.first()?.kind;
        (self.tables.len_of(first) == self.order.len()).then_some(first)
    }

    /// Appends copies of the rows of some slots of another batch: neighbours of one kind.
    #[inline]
    pub(super) fn push_rows<T: Table>(&mut self, other: &Self, slots: &[Slot]) {
        let first = T::of(self).len() as u32;
        let from = slots.first().map_or(0, |slot| slot.index as usize);
        let to = from + slots.len();
        let rows = &T::of(other)[from..to];
        if T::KIND == Kind::Depth {
            let start = if from == 0 { 0 } else { other.level_ends[from - 1] };
            let end = if to == 0 { 0 } else { other.level_ends[to - 1] };
            let shift = (self.levels.len() as u32).wrapping_sub(start);
            self.levels.extend_from_slice(&other.levels[start as usize..end as usize]);
            self.level_ends
                .extend(other.level_ends[from..to].iter().map(|e| e.wrapping_add(shift)));
        }
        T::of_mut(self).extend_from_slice(rows);
        let slots = (first..).zip(slots);
        self.order.extend(slots.map(|(index, slot)| Slot { index, ..*slot }));
    }
}

impl Sequence for Batch {
    #[inline]
    fn len(&self) -> usize {
        self.order.len()
    }

    fn clear(&mut self) {
        self.clear();
    }

    fn instruments(&self) -> &Arc<Instruments> {
        &self.instruments
    }

    #[inline]
    fn ts_recv(&self, at: usize) -> Ts {
        self.order[at].ts_recv
    }

    #[inline]
    fn kind(&self, at: usize) -> Kind {
        self.order[at].kind
    }

    #[inline]
    fn key(&self, at: usize) -> Key {
        let Head { ts_recv, instrument, seq, .. } = *self.head(at);
        Key { ts_recv, kind: self.order[at].kind, instrument, seq }
    }

    fn is_same(&self, at: usize, other: &Self, place: usize) -> bool {
        self.get(at) == other.get(place)
    }
}
