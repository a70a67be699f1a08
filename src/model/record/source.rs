//! Where records come from, and what a merge asks of the place where they lie.
//!
//! A [`Batch`] holds records as rows. Who only passes records on may hold them otherwise, as columns
//! say; what tells their order is the same.

use std::ops::Range;
use std::sync::Arc;

use super::{Batch, Key, Kind};
use crate::instrument::Instruments;
use crate::time::Ts;

/// Anything that yields records by the batch: a file, a pipe, a merge, a synthetic market.
pub trait Source<B = Batch> {
    type Error;

    /// Clears `batch` and fills it with what comes next. `false` once there is nothing more.
    fn next(&mut self, batch: &mut B) -> Result<bool, Self::Error>;
}

impl<B, S: Source<B> + ?Sized> Source<B> for Box<S> {
    type Error = S::Error;

    fn next(&mut self, batch: &mut B) -> Result<bool, Self::Error> {
        (**self).next(batch)
    }
}

/// Records one behind the other, in whatever form.
pub trait Sequence: Default {
    fn len(&self) -> usize;

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets the records.
    fn clear(&mut self);

    fn instruments(&self) -> &Arc<Instruments>;

    /// When the record at that place was received: what a merge asks most.
    fn ts_recv(&self, at: usize) -> Ts;

    /// Where records end to come one after the other in time, each later than the one before it,
    /// the first later than `after`, and all before `before`.
    #[inline]
    fn rising_end(&self, places: Range<usize>, after: Ts, before: Ts) -> usize {
        let (mut at, mut last) = (places.start, after);
        while at < places.end && self.ts_recv(at) > last && self.ts_recv(at) < before {
            last = self.ts_recv(at);
            at += 1;
        }
        at
    }

    fn kind(&self, at: usize) -> Kind;

    /// The place of that record in the total order.
    fn key(&self, at: usize) -> Key;

    /// Whether the record at that place says exactly what another one says.
    fn is_same(&self, at: usize, other: &Self, place: usize) -> bool;
}
