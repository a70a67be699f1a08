//! Batches with rows of features behind their records, for whoever writes both.
//!
//! Invariant: this is what the batch of records and `feature` records in that order is: the same
//! digest and the same bytes in every encoding. Absent on purpose: how values come about.

use std::sync::Arc;

use qt_model::record::{Batch, Feature};

/// Rows of one set of features. Whoever fills them anew for each batch allocates nothing in the end.
#[derive(Debug)]
pub struct FeatureRows {
    set: Arc<str>,
    width: usize,
    /// The places of the records that caused the rows, rising.
    causes: Vec<u32>,
    /// The values of row behind row; an absent one is a NaN.
    values: Vec<f64>,
    /// The warm mask of each row, for at most 64 features, and its flags.
    warm: Vec<u64>,
    flags: Vec<u64>,
}

/// One row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FeatureRow<'a> {
    pub(crate) values: &'a [f64],
    pub(crate) warm: Option<u64>,
    pub(crate) flags: u64,
}

impl FeatureRows {
    /// No rows of so many features yet.
    pub fn new(set: &Arc<str>, width: usize) -> Self {
        let (causes, values) = (Vec::new(), Vec::new());
        let (warm, flags) = (Vec::new(), Vec::new());
        Self { set: Arc::clone(set), width, causes, values, warm, flags }
    }

    pub fn clear(&mut self) {
        self.causes.clear();
        self.values.clear();
        self.warm.clear();
        self.flags.clear();
    }

    /// Appends the row that the record at a place of the batch caused.
    #[inline]
    pub fn push(&mut self, cause: usize, values: &[f64], warm: Option<u64>, flags: u64) {
        assert_eq!(values.len(), self.width, "a row has a value for each feature");
        debug_assert_eq!(warm.is_some(), self.has_warm(), "a mask has room for 64 features");
        debug_assert!(self.causes.last().is_none_or(|last| (*last as usize) < cause), "in order");
        self.causes.push(cause as u32);
        self.values.extend_from_slice(values);
        self.warm.push(warm.unwrap_or_default());
        self.flags.push(flags);
    }

    pub fn len(&self) -> usize {
        self.causes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.causes.is_empty()
    }

    pub(crate) fn set(&self) -> &Arc<str> {
        &self.set
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn causes(&self) -> &[u32] {
        &self.causes
    }

    pub(crate) fn values(&self) -> &[f64] {
        &self.values
    }

    pub(crate) fn flags(&self) -> &[u64] {
        &self.flags
    }

    pub(crate) fn warm(&self) -> Option<&[u64]> {
        self.has_warm().then_some(&self.warm)
    }

    fn has_warm(&self) -> bool {
        self.width <= 64
    }

    #[inline]
    fn row(&self, row: usize) -> FeatureRow<'_> {
        FeatureRow {
            values: &self.values[row * self.width..][..self.width],
            warm: self.has_warm().then(|| self.warm[row]),
            flags: self.flags[row],
        }
    }
}

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct Annotated<'a> {
    pub batch: &'a Batch,
    pub rows: &'a FeatureRows,
    /// Whether the records themselves are left out.
    pub only: bool,
}

/// What stands next in an annotated batch.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Item<'a> {
    /// The record at a place of the batch.
    Record(usize),
    /// The row behind the record at a place of the batch.
    Row(usize, FeatureRow<'a>),
}

impl<'a> Annotated<'a> {
    /// How many records there are, rows included.
    pub fn len(&self) -> usize {
        self.rows.len() + if self.only { 0 } else { self.batch.len() }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Shows all of it in its order.
    #[inline]
    pub(crate) fn each(&self, mut look: impl FnMut(Item<'a>)) {
        let (rows, mut next) = (self.rows, 0);
        for at in 0..self.batch.len() {
            if !self.only {
                look(Item::Record(at));
            }
            if rows.causes.get(next).is_some_and(|cause| *cause as usize == at) {
                look(Item::Row(at, rows.row(next)));
                next += 1;
            }
        }
        assert_eq!(next, rows.len(), "each row has its record in the batch");
    }

    /// Appends all of it as records.
    pub fn records(&self, out: &mut Batch) {
        if out.instruments().len() < self.batch.instruments().len() {
            out.set_instruments(Arc::clone(self.batch.instruments()));
        }
        self.each(|item| match item {
            Item::Record(at) => out.push(self.batch.get(at)),
            Item::Row(at, row) => {
                let value = |value: &f64| Some(*value).filter(|value| !value.is_nan());
                let row = Feature {
                    head: *self.batch.head(at),
                    set: Arc::clone(&self.rows.set),
                    values: row.values.iter().map(value).collect(),
                    warm: row.warm,
                    flags: Some(row.flags),
                };
                out.push_row(row, &[]);
            }
        });
    }
}
