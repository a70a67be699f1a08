//! Many best prices of one instrument at once.

use qt_model::ids::InstrumentId;

use super::Statistics;
use crate::metrics::quoted::Quoted;

impl Statistics {
    /// The same as [`Self::mid`] of each: between two horizons of fills a position sees the lowest and
    /// the highest of them, and the market the last.
    pub fn mids(&mut self, id: InstrumentId, quoted: Quoted<'_>) {
        let mut rest = quoted;
        while !rest.is_empty() {
            let Some(Some(book)) = self.books.get_mut(id.index()) else { return };
            let count = match book.horizons.due() {
                // A benchmark is sampled at each.
                _ if self.options.benchmark == Some(id) => 0,
                Some(due) if due < self.now => 0,
                Some(due) => rest.at.partition_point(|at| *at <= due.nanos()),
                None => rest.len(),
            };
            if let Some(ts) = book.glance(self.now, rest.slice(0..count)) {
                self.now = ts;
            }
            if count == rest.len() {
                return;
            }
            let (ts, touch) = rest.get(count);
            self.mid(ts, id, Some(touch));
            rest = rest.slice(count + 1..rest.len());
        }
    }
}
