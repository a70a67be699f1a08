//! The one stream that all inputs make, as rows or as columns.

use std::fmt::Debug;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use qt_market::merge::{Merge, MergeError};
use qt_model::record::{Batch, Sequence, Source};
use qt_stream::ahead::Ahead;
use qt_stream::braid::{Braid, Strand};
use qt_stream::error::ReadError;

use super::source::{Cut, Lane, Rules, warn_of_skipped};
use crate::context::Context;
use crate::outcome::Outcome;

/// A merged stream failed.
type MergeFailure = MergeError<ReadError>;

/// What a merge hands on: a batch of rows, or a braid of columns.
pub(crate) trait Merged: Default + Debug + Send + Sized + 'static {
    /// What its inputs yield.
    type Part: Sequence + Debug + Send + 'static;

    /// Fills it with what comes next; `false` at the end.
    fn fill(&mut self, merge: &mut Merge<Lane, Self::Part>) -> Result<bool, MergeFailure>
    where
        Lane: Source<Self::Part, Error = ReadError>;
}

impl Merged for Batch {
    type Part = Self;

    fn fill(&mut self, merge: &mut Merge<Lane>) -> Result<bool, MergeFailure> {
        merge.next(self)
    }
}

impl Merged for Braid {
    type Part = Strand;

    fn fill(&mut self, merge: &mut Merge<Lane, Strand>) -> Result<bool, MergeFailure> {
        self.clear();
        Ok(merge.visit(|strand: &Strand, places| self.push(strand, places))? > 0)
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Reading<O: Merged = Batch>
where
    Lane: Source<O::Part, Error = ReadError>,
{
    source: Origin<O>,
    names: Vec<String>,
    cut: Cut,
    counts: Counts,
}

#[derive(Debug)]
enum Origin<O: Merged>
where
    Lane: Source<O::Part, Error = ReadError>,
{
    Here(Box<Counted<O>>),
    Ahead(Ahead<MergeFailure, O>),
}

impl<O: Merged> Reading<O>
where
    Lane: Source<O::Part, Error = ReadError>,
{
    pub(super) fn new(
        merge: Merge<Lane, O::Part>,
        (names, cut): (Vec<String>, Cut),
        is_ahead: bool,
    ) -> Self {
        let counts = Counts::default();
        let counted = Counted { merge, counts: counts.clone() };
        let source = match is_ahead {
            false => Origin::Here(Box::new(counted)),
            true => Origin::Ahead(Ahead::spawn(counted)),
        };
        Self { source, names, cut, counts }
    }

    /// Fills the batch with what comes next; `false` at the end.
    pub(crate) fn next(&mut self, batch: &mut O) -> anyhow::Result<bool> {
        let read = match &mut self.source {
            Origin::Here(merge) => merge.next(batch),
            Origin::Ahead(ahead) => ahead.next(batch),
        };
        read.map_err(|error| self.explain(error))
    }

    /// Names the input that an error is about.
    fn explain(&self, error: MergeFailure) -> anyhow::Error {
        match error {
            MergeError::Source { error, .. } => error.into(),
            order @ MergeError::Order { .. } => {
                let lane = if let MergeError::Order { lane, .. } = &order { *lane } else { 0 };
                anyhow::Error::new(order).context(self.names[lane].clone())
            }
        }
    }

    /// The first input that was cut off, once all of them have ended.
    pub(crate) fn cut(&self) -> Option<ReadError> {
        self.cut.take()
    }

    /// Says what was left out, let pass or cut off; the last of these is an error.
    pub(crate) fn conclude(
        &self,
        rules: &Rules,
        context: &Context,
        cut: Option<ReadError>,
    ) -> anyhow::Result<Outcome> {
        warn_of_skipped(&rules.options.tolerance, context);
        let violations = self.violations();
        if violations > 0 {
            context.warn(format_args!("{violations} records were out of order"));
        }
        cut.map_or(Ok(Outcome::Done), |cut| Err(cut.into()))
    }

    /// Records out of order that were let pass.
    fn violations(&self) -> u64 {
        *self.counts.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reading {
    /// Shows what comes next, in runs of neighbours; returns how many, none at the end. Copies
    /// nothing where one thread reads.
    pub(crate) fn visit(
        &mut self,
        batch: &mut Batch,
        mut look: impl FnMut(&Batch, Range<usize>),
    ) -> anyhow::Result<usize> {
        if let Origin::Here(counted) = &mut self.source {
            let seen = counted.merge.visit(look);
            counted.publish();
            return seen.map_err(|error| self.explain(error));
        }
        self.next(batch)?;
        look(batch, 0..batch.len());
        Ok(batch.len())
    }
}

/// The merge, with its count of violations where another thread can see it.
#[derive(Debug)]
struct Counted<O: Merged>
where
    Lane: Source<O::Part, Error = ReadError>,
{
    merge: Merge<Lane, O::Part>,
    counts: Counts,
}

#[derive(Clone, Debug, Default)]
struct Counts(Arc<Mutex<u64>>);

impl<O: Merged> Counted<O>
where
    Lane: Source<O::Part, Error = ReadError>,
{
    fn publish(&self) {
        *self.counts.0.lock().unwrap_or_else(PoisonError::into_inner) = self.merge.violations();
    }
}

impl<O: Merged> Source<O> for Counted<O>
where
    Lane: Source<O::Part, Error = ReadError>,
{
    type Error = MergeFailure;

    fn next(&mut self, batch: &mut O) -> Result<bool, MergeFailure> {
        let more = batch.fill(&mut self.merge);
        self.publish();
        more
    }
}
