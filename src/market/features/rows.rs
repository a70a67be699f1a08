//! The rows of a batch in one flat buffer, in the order of the records that caused them.
//!
//! The engine owns the buffer and fills it anew for each batch: nothing is allocated for a row.
//! Absent values are NaN here and nowhere outside of Rust: records hold an option each.

use std::ops::Range;

use super::places::Placed;

/// What a batch of records became.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    width: usize,
    /// Whether values lie column behind column, or else row behind row.
    by_column: bool,
    /// Whether rows have a warm mask: one bit a feature, as long as bits suffice.
    has_mask: bool,
    /// Row behind row.
    values: Vec<f64>,
    /// A column each, with so many rows of before in front. What lies behind the last row is of a
    /// batch before.
    columns: Vec<Vec<f64>>,
    before: usize,
    /// Of each row: its flags, one bit a feature that has had a value (the first 64 of them), and
    /// whether all have.
    flags: Vec<u64>,
    warm: Vec<u64>,
    is_warm: Vec<bool>,
    /// For each record, how many rows there are up to its own.
    ends: Vec<u32>,
}

/// The columns of the features, for as long as steps write into them.
#[derive(Debug)]
pub(super) struct Lent {
    pub(super) columns: Vec<Vec<f64>>,
    /// Where the rows of the block at hand begin.
    pub(super) from: usize,
}

impl Sheet {
    /// Forgets the rows; those that follow are that wide.
    pub(super) fn begin(&mut self, width: usize, by_column: bool) {
        (self.width, self.by_column, self.before) = (width, by_column, 0);
        self.has_mask = width <= 64;
        self.columns.resize_with(width, Vec::new);
        self.flags.clear();
        self.warm.clear();
        self.is_warm.clear();
        self.ends.clear();
    }

    /// Lends the columns of somebody else; called again, it gives them back.
    pub(super) fn exchange(&mut self, columns: &mut [Vec<f64>]) {
        assert_eq!(columns.len(), self.width, "there is a column for each feature");
        self.columns.iter_mut().zip(columns).for_each(|(own, other)| std::mem::swap(own, other));
    }

    /// The rows of this batch come behind so many rows of before, which the columns hold.
    pub(super) fn begin_at(&mut self, before: usize) {
        assert!(self.columns.iter().all(|column| column.len() >= before), "there are rows before");
        self.before = before;
    }

    /// Adds a row; its place. Its values are those of a row of before until they are filled in.
    #[inline]
    pub(super) fn open(&mut self, flags: u64) -> usize {
        self.flags.push(flags);
        self.warm.push(0);
        self.is_warm.push(false);
        self.flags.len() - 1
    }

    /// The record at hand is done, with a row or without.
    #[inline]
    pub(super) fn end_record(&mut self) {
        self.ends.push(self.flags.len() as u32);
    }

    /// Adds rows without flags, each of a record of its own; their places.
    pub(super) fn open_plain(&mut self, count: usize) -> Range<usize> {
        let first = self.flags.len();
        self.flags.resize(first + count, 0);
        self.warm.resize(first + count, 0);
        self.is_warm.resize(first + count, false);
        self.ends.extend(first as u32 + 1..=(first + count) as u32);
        first..first + count
    }

    /// Makes room for the values of all rows.
    pub(super) fn close(&mut self) {
        if self.by_column {
            let rows = self.before + self.flags.len();
            let short = self.columns.iter_mut().filter(|column| column.len() < rows);
            short.for_each(|column| column.resize(rows, 0.0));
        } else {
            self.values.resize(self.flags.len() * self.width, f64::NAN);
        }
    }

    /// Lends the columns for a block, if its rows lie one behind the other in some.
    #[inline]
    pub(super) fn lend(&mut self, placed: Placed<'_>) -> Option<Lent> {
        let (Placed::From(first), true) = (placed, self.by_column) else { return None };
        Some(Lent { columns: std::mem::take(&mut self.columns), from: self.before + first })
    }

    #[inline]
    pub(super) fn take_back(&mut self, lent: Option<Lent>) {
        self.columns = lent.map_or_else(Vec::new, |lent| lent.columns);
    }

    /// Lays a column of a feature down from a row on, where those lie row behind row.
    #[inline]
    pub(super) fn lay(&mut self, column: &[f64], feature: usize, first: usize) {
        let rows = self.values[first * self.width..].chunks_exact_mut(self.width);
        for (value, row) in column.iter().zip(rows) {
            row[feature] = *value;
        }
    }

    /// The same of four features beside each other.
    pub(super) fn lay_four(&mut self, columns: [&[f64]; 4], feature: usize, first: usize) {
        let [a, b, c, d] = columns;
        let values = a.iter().zip(b).zip(c.iter().zip(d));
        let rows = self.values[first * self.width..].chunks_exact_mut(self.width);
        for (((a, b), (c, d)), row) in values.zip(rows) {
            row[feature..feature + 4].copy_from_slice(&[*a, *b, *c, *d]);
        }
    }

    /// Turns rows into columns.
    pub(super) fn turn(&mut self) {
        assert!(!self.by_column, "columns are columns");
        self.by_column = true;
        for (feature, column) in self.columns.iter_mut().enumerate() {
            column.truncate(self.before);
            let rows = self.values.chunks_exact(self.width).take(self.flags.len());
            column.extend(rows.map(|row| row[feature]));
        }
    }

    /// Says one value.
    #[inline]
    pub(super) fn set(&mut self, feature: usize, row: usize, value: f64) {
        match self.by_column {
            true => self.columns[feature][self.before + row] = value,
            false => self.values[row * self.width + feature] = value,
        }
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

    /// Says of rows which features have had a value, and whether all have.
    #[inline]
    pub(super) fn warm_up(&mut self, rows: Range<usize>, mask: u64, is_warm: bool) {
        self.warm[rows.clone()].fill(mask);
        self.is_warm[rows].fill(is_warm);
    }

    /// The row that a record caused.
    #[inline]
    fn of(&self, record: usize) -> Option<usize> {
        let before = if record == 0 { 0 } else { self.ends[record - 1] };
        (self.ends[record] > before).then_some(before as usize)
    }
}

/// What is known of the rows of a batch beside their values.
#[derive(Clone, Copy, Debug)]
pub struct Marks<'a> {
    sheet: &'a Sheet,
}

impl<'a> Marks<'a> {
    pub(super) fn new(sheet: &'a Sheet) -> Self {
        Self { sheet }
    }

    /// How many rows there are, warm or not.
    pub fn rows(&self) -> usize {
        self.sheet.flags.len()
    }

    /// The flags of each row.
    pub fn flags(&self) -> impl Iterator<Item = u64> + 'a {
        self.sheet.flags.iter().copied()
    }

    /// One bit a feature that has had a value, for each row; nothing for more than 64 features.
    pub fn warm(&self) -> Option<impl Iterator<Item = u64> + 'a> {
        self.sheet.has_mask.then(|| self.sheet.warm.iter().copied())
    }

    /// The row that the record at that place of the batch caused, if it caused one.
    pub fn row_of(&self, record: usize) -> Option<usize> {
        self.sheet.of(record)
    }
}

/// The rows of a batch as columns: the values of each feature lie one behind the other.
#[derive(Clone, Copy, Debug)]
pub struct Grid<'a> {
    sheet: &'a Sheet,
}

impl<'a> Grid<'a> {
    pub(super) fn new(sheet: &'a Sheet) -> Self {
        debug_assert!(sheet.by_column, "the sheet was filled by columns");
        Self { sheet }
    }

    /// How many rows there are, warm or not.
    pub fn rows(&self) -> usize {
        self.marks().rows()
    }

    /// The values of a feature, a row each; NaN where there is none.
    pub fn column(&self, feature: usize) -> &'a [f64] {
        &self.sheet.columns[feature][..self.rows()]
    }

    /// What is known of the rows beside their values.
    pub fn marks(&self) -> Marks<'a> {
        Marks::new(self.sheet)
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
        let is_dense = records > 0 && self.sheet.flags.len() == records && self.sheet.width > 0;
        (is_dense && !self.warm_only).then_some(&self.sheet.values)
    }

    /// The row that the record at that place of the batch caused, if it caused one.
    #[inline]
    pub fn of(&self, record: usize) -> Option<Row<'a>> {
        let row = self.sheet.of(record)?;
        let is_warm = self.sheet.is_warm[row];
        if self.warm_only && !is_warm {
            return None;
        }
        Some(Row {
            values: &self.sheet.values[row * self.sheet.width..][..self.sheet.width],
            warm: self.sheet.has_mask.then(|| self.sheet.warm[row]),
            is_warm,
            flags: self.sheet.flags[row],
        })
    }
}
