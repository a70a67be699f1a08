//! The rows of a batch in one flat buffer, in the order of the records that caused them.
//!
//! The engine owns the buffer and fills it anew for each batch: nothing is allocated for a row.
//! Absent values are NaN here and nowhere outside of Rust: records hold an option each.

use std::ops::Range;

/// What a batch of records became.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    width: usize,
    /// Whether rows have a warm mask: one bit a feature, as long as bits suffice.
    has_mask: bool,
    values: Vec<f64>,
    marks: Vec<Mark>,
    /// For each record, how many rows there are up to its own.
    ends: Vec<u32>,
}

/// What is known of a row beside its values.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark {
    pub(super) flags: u64,
    /// One bit a feature that has had a value; the first 64 of them.
    pub(super) warm: u64,
    /// Whether all have.
    pub(super) is_warm: bool,
}

impl Sheet {
    /// Forgets the rows; those that follow are that wide.
    pub(super) fn begin(&mut self, width: usize) {
        self.width = width;
        self.has_mask = width <= 64;
        self.marks.clear();
        self.ends.clear();
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Adds a row; its place. Its values are those of a row of before until they are filled in.
    #[inline]
    pub(super) fn open(&mut self, flags: u64) -> usize {
        self.marks.push(Mark { flags, ..Mark::default() });
        self.marks.len() - 1
    }

    /// The record at hand is done, with a row or without.
    #[inline]
    pub(super) fn end_record(&mut self) {
        self.ends.push(self.marks.len() as u32);
    }

    /// Adds rows without flags, each of a record of its own; their places.
    pub(super) fn open_plain(&mut self, count: usize) -> Range<usize> {
        let first = self.marks.len();
        self.marks.resize(first + count, Mark::default());
        self.ends.extend(first as u32 + 1..=(first + count) as u32);
        first..first + count
    }

    /// Makes room for the values of all rows.
    pub(super) fn close(&mut self) {
        self.values.resize(self.marks.len() * self.width, f64::NAN);
    }

    /// All values, a row behind the other, to be filled in.
    pub(super) fn values_mut(&mut self) -> &mut [f64] {
        &mut self.values
    }

    /// The values of the row that was opened last, to be filled in at once.
    #[inline]
    pub(super) fn values_of(&mut self, row: usize) -> &mut [f64] {
        let end = (row + 1) * self.width;
        if self.values.len() < end {
            self.values.resize(end, f64::NAN);
        }
        &mut self.values[row * self.width..end]
    }

    pub(super) fn marks_mut(&mut self, first: usize, count: usize) -> &mut [Mark] {
        &mut self.marks[first..first + count]
    }

    /// The row that a record caused.
    #[inline]
    fn of(&self, record: usize) -> Option<usize> {
        let before = if record == 0 { 0 } else { self.ends[record - 1] };
        (self.ends[record] > before).then_some(before as usize)
    }
}

/// The rows of a batch, by the place of the record that caused each.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    sheet: &'a Sheet,
    warm_only: bool,
}

/// One row of features.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// A value a feature, in the order of the set; NaN where there is none.
    pub values: &'a [f64],
    /// One bit a feature that has had a value; for at most 64 features.
    pub warm: Option<u64>,
    /// Whether all features have had a value.
    pub is_warm: bool,
    /// See [`super::flags`].
    pub flags: u64,
}

impl<'a> Rows<'a> {
    pub(super) fn new(sheet: &'a Sheet, warm_only: bool) -> Self {
        Self { sheet, warm_only }
    }

    /// The values of all rows, one behind the other, warm or not.
    pub fn values(&self) -> &'a [f64] {
        &self.sheet.values
    }

    /// The values of all rows where each of so many records caused one that counts: record `n` row `n`.
    pub fn dense(&self, records: usize) -> Option<&'a [f64]> {
        let is_dense = records > 0 && self.sheet.marks.len() == records && self.sheet.width > 0;
        (is_dense && !self.warm_only).then_some(&self.sheet.values)
    }

    /// The row that the record at that place of the batch caused, if it caused one.
    #[inline]
    pub fn of(&self, record: usize) -> Option<Row<'a>> {
        let row = self.sheet.of(record)?;
        let mark = &self.sheet.marks[row];
        if self.warm_only && !mark.is_warm {
            return None;
        }
        Some(Row {
            values: &self.sheet.values[row * self.sheet.width..][..self.sheet.width],
            warm: self.sheet.has_mask.then_some(mark.warm),
            is_warm: mark.is_warm,
            flags: mark.flags,
        })
    }
}
