//! The columns that expressions begin with, for the events of a batch.

use std::ops::Range;

use crate::features::base::Base;
use crate::features::graph::Plan;
use crate::features::value::SKIP;

const _: () = assert!(Base::COUNT <= 64, "a mask has a bit for each column");

/// The bit of a column in a mask.
pub(super) const fn bit(base: Base) -> u64 {
    1 << base.index()
}

/// The bits of several.
pub(super) const fn bits(bases: &[Base]) -> u64 {
    let (mut mask, mut at) = (0, 0);
    while at < bases.len() {
        mask |= bit(bases[at]);
        at += 1;
    }
    mask
}

/// The events of one symbol, a column each for what the plan asks for.
///
/// Invariant: a column has no more values than there are rows. One that has fewer says nothing of
/// the last rows, which is filled in when it says something again, and at the end.
#[derive(Debug)]
pub(crate) struct Columns {
    values: Vec<Vec<f64>>,
    /// The columns that are kept, one bit each.
    mask: u64,
    rows: usize,
}

impl Columns {
    pub(super) fn new(plan: &Plan) -> Self {
        let asked = Base::ALL.iter().filter(|base| plan.uses(**base));
        let mask = asked.fold(0, |mask, base| mask | bit(*base));
        Self { values: vec![Vec::new(); Base::COUNT], mask, rows: 0 }
    }

    /// A column, as it is once all is said; nothing where nobody asked for it.
    pub(crate) fn get(&self, base: Base) -> &[f64] {
        &self.values[base.index()]
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn clear(&mut self) {
        self.values.iter_mut().for_each(Vec::clear);
        self.rows = 0;
    }

    /// Whether any of these is kept.
    #[inline]
    pub(super) fn wants(&self, bases: u64) -> bool {
        self.mask & bases != 0
    }

    /// Begins a row that nothing is said of yet.
    #[inline]
    pub(super) fn open(&mut self) {
        self.rows += 1;
    }

    /// Begins some rows.
    pub(super) fn open_all(&mut self, rows: usize) {
        self.rows += rows;
    }

    /// Says a value of the last row.
    #[inline]
    pub(super) fn put(&mut self, base: Base, value: f64) {
        self.put_with(base, || value);
    }

    /// The same of a value that is not known unless somebody asked for it.
    #[inline]
    pub(super) fn put_with(&mut self, base: Base, value: impl FnOnce() -> f64) {
        if self.wants(bit(base)) {
            let row = self.rows - 1;
            let column = &mut self.values[base.index()];
            debug_assert!(column.len() <= row, "{base:?} is said of row {row} already");
            if column.len() < row {
                column.resize(row, SKIP);
            }
            column.push(value());
        }
    }

    /// Lets somebody say the values of several rows from one on.
    pub(super) fn fill<R>(
        &mut self,
        base: Base,
        rows: Range<usize>,
        fill: impl FnOnce(&mut [f64]) -> R,
    ) -> Option<R> {
        if !self.wants(bit(base)) {
            return None;
        }
        let column = &mut self.values[base.index()];
        debug_assert!(column.len() <= rows.start, "{base:?} is said of row {} already", rows.start);
        column.resize(rows.start, SKIP);
        column.resize(rows.end, 0.0);
        Some(fill(&mut column[rows]))
    }

    /// Ends the columns: each has a value a row, or that it says nothing.
    pub(super) fn close(&mut self) {
        for base in Base::ALL.iter().filter(|base| self.mask & bit(**base) != 0) {
            self.values[base.index()].resize(self.rows, SKIP);
        }
    }
}
