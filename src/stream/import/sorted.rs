//! Records of an import in the total order of a stream.
//!
//! Vendors sort by a clock of their own, and mostly. Invariants: what leaves here is in order; a
//! record may arrive up to a batch of records late and is put where it belongs; one that comes
//! later than that is an error with both times, and never moved or dropped in silence.

use std::cmp::Ordering;
use std::sync::Arc;

use qt_model::instrument::Instruments;
use qt_model::record::{Batch, Key, Record, Source};
use qt_model::time::Ts;

use super::Imported;
use crate::error::{Problem, ReadError};
use crate::place::Place;
use crate::tolerance::Tolerance;

/// The most records of one moment, which have to be seen together to be put in order.
const MOMENT: usize = 1 << 22;

/// Puts records in order, a batch behind its source.
pub struct Sorted {
    source: Imported,
    name: Arc<str>,
    tolerance: Tolerance,
    /// In order, and not handed out before the batch behind it is known.
    held: Batch,
    fresh: Batch,
    is_over: bool,
    /// What ended the source, said once all before it is handed out.
    error: Option<ReadError>,
    /// The time of the last record handed out. A moment is never cut in two.
    last: Option<Ts>,
}

impl std::fmt::Debug for Sorted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sorted").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Sorted {
    pub fn new(source: Imported, name: &Arc<str>, tolerance: Tolerance) -> Self {
        Self {
            source,
            name: Arc::clone(name),
            tolerance,
            held: Batch::default(),
            fresh: Batch::default(),
            is_over: false,
            error: None,
            last: None,
        }
    }

    /// Reads the next batch that is not empty and sorts it. With an error comes what was read
    /// before it.
    fn read(&mut self) {
        self.fresh.clear();
        while !self.is_over && self.fresh.is_empty() {
            match self.source.next(&mut self.fresh) {
                Ok(more) => self.is_over = !more,
                Err(error) => (self.is_over, self.error) = (true, Some(error)),
            }
        }
        if !is_sorted(&self.fresh) && !self.fresh.settle() {
            let mut order: Vec<usize> = (0..self.fresh.len()).collect();
            let key = |at: usize| Key::of(&self.fresh.get(at));
            order.sort_by(|a, b| key(*a).compare(&key(*b), self.fresh.instruments()));
            let mut sorted = Batch::new(Arc::clone(self.fresh.instruments()));
            order.into_iter().for_each(|at| sorted.push(self.fresh.get(at)));
            self.fresh = sorted;
        }
    }

    /// Whether what is held can go: nothing at or before its last time follows.
    fn is_complete(&self) -> bool {
        let slots = self.held.slots();
        let is_behind = self.last.is_none_or(|last| slots[0].ts_recv > last);
        let follows = |next: Ts| slots[slots.len() - 1].ts_recv < next;
        is_behind && self.fresh.slots().first().is_none_or(|slot| follows(slot.ts_recv))
    }

    /// Merges what is held with the batch behind it, hands out the earlier part and holds the rest.
    fn join(&mut self, out: &mut Batch) -> Result<(), ReadError> {
        let merged = self.merged()?;
        let mut cut = self.held.len().min(merged.len());
        let slots = merged.slots();
        while cut > 0 && cut < slots.len() && slots[cut - 1].ts_recv == slots[cut].ts_recv {
            cut -= 1;
        }
        if cut == 0 && merged.len() > MOMENT {
            let message = format!("more than {MOMENT} records were received at one time");
            return Err(ReadError::Corrupt { place: Place::whole(&self.name), message });
        }
        out.clear();
        out.set_instruments(Arc::clone(merged.instruments()));
        out.push_range(&merged, 0, cut);
        self.held.clear();
        self.held.set_instruments(Arc::clone(merged.instruments()));
        self.held.push_range(&merged, cut, merged.len());
        Ok(())
    }

    fn merged(&self) -> Result<Batch, ReadError> {
        let mut merged = Batch::new(Arc::clone(self.younger()));
        let (mut a, mut b) = (0, 0);
        while a < self.held.len() || b < self.fresh.len() {
            let takes_fresh = a == self.held.len()
                || b < self.fresh.len() && precedes(&self.fresh, b, &self.held, a, self.younger());
            let record = if takes_fresh {
                b += 1;
                self.fresh.get(b - 1)
            } else {
                a += 1;
                self.held.get(a - 1)
            };
            if self.last.is_some_and(|last| record.head().ts_recv <= last) {
                self.tolerance.judge(self.late(&record))?;
            } else {
                merged.push(record);
            }
        }
        Ok(merged)
    }

    /// The table that knows the instruments of both batches.
    fn younger(&self) -> &Arc<Instruments> {
        let (held, fresh) = (self.held.instruments(), self.fresh.instruments());
        if held.len() > fresh.len() { held } else { fresh }
    }

    fn late(&self, record: &Record<'_>) -> ReadError {
        let last = self.last.map_or_else(String::new, |last| last.to_string());
        let message = format!(
            "a {} record of {} comes behind one of {last}, and too far behind to be put in order; \
             sort the file by its receive time first",
            record.kind().name(),
            record.head().ts_recv
        );
        let problem = Box::new(Problem::Row { message });
        ReadError::Record { place: Place::whole(&self.name), problem, text: None }
    }
}

impl Source for Sorted {
    type Error = ReadError;

    fn next(&mut self, out: &mut Batch) -> Result<bool, ReadError> {
        loop {
            if self.held.is_empty() {
                self.read();
                std::mem::swap(&mut self.held, &mut self.fresh);
            }
            if self.held.is_empty() {
                out.clear();
                return self.error.take().map_or(Ok(false), Err);
            }
            self.read();
            if self.is_complete() {
                std::mem::swap(out, &mut self.held);
                std::mem::swap(&mut self.held, &mut self.fresh);
            } else {
                self.join(out)?;
            }
            if let Some(slot) = out.slots().last() {
                self.last = Some(slot.ts_recv);
                return Ok(true);
            }
        }
    }
}

/// Whether a record of one batch comes before a record of another.
fn precedes(batch: &Batch, at: usize, other: &Batch, other_at: usize, of: &Instruments) -> bool {
    let (key, other_key) = (Key::of(&batch.get(at)), Key::of(&other.get(other_at)));
    key.compare(&other_key, of) == Ordering::Less
}

fn is_sorted(batch: &Batch) -> bool {
    let slots = batch.slots();
    (1..slots.len()).all(|at| {
        let (before, slot) = (slots[at - 1], slots[at]);
        before.ts_recv < slot.ts_recv
            || before.ts_recv == slot.ts_recv
                && Key::of(&batch.get(at - 1))
                    .compare(&Key::of(&batch.get(at)), batch.instruments())
                    == Ordering::Less
    })
}

#[cfg(test)]
mod tests {
    use qt_model::instrument::{Instrument, Symbol};
    use qt_model::record::{Head, Trade};
    use qt_model::units::{Px, Qty, Scale};

    use super::*;
    use crate::universe::Universe;

    /// Hands out trades of these times, in batches of that many.
    struct Times(Vec<i64>, usize, usize, Universe);

    impl Source for Times {
        type Error = ReadError;

        fn next(&mut self, batch: &mut Batch) -> Result<bool, ReadError> {
            batch.clear();
            batch.set_instruments(self.3.snapshot());
            let id = batch.instruments().find("a:X");
            for _ in 0..self.2.min(self.0.len()) {
                let ts = Ts::from_nanos(self.0.remove(0));
                let head = Head::new(ts, ts, self.1 as u64, id);
                let (px, qty) = (Px::new(1), Qty::ZERO);
                batch.push_row(Trade { head, px, qty, side: None, id: None }, &[]);
                self.1 += 1;
            }
            Ok(!batch.is_empty())
        }
    }

    fn run(times: &[i64], batch: usize, tolerance: &Tolerance) -> Result<Vec<i64>, ReadError> {
        let universe = Universe::default();
        universe
            .declare(Instrument::new(Symbol::new("a:X").unwrap(), Scale::ZERO, Scale::ZERO))
            .unwrap();
        let source = Box::new(Times(times.to_vec(), 0, batch, universe));
        let mut sorted = Sorted::new(source, &"x.csv".into(), tolerance.clone());
        let (mut out, mut found) = (Batch::default(), Vec::new());
        while sorted.next(&mut out)? {
            found.extend(out.slots().iter().map(|slot| slot.ts_recv.nanos()));
        }
        Ok(found)
    }

    #[test]
    fn late_records_find_their_place() {
        let none = Tolerance::fail();
        for (times, batch) in [
            (vec![], 4),
            (vec![1], 4),
            (vec![1, 2, 3, 4, 5, 6], 2),
            (vec![2, 1, 4, 3, 6, 5, 1], 4),
            (vec![1, 5, 2, 6, 3, 7, 4, 8], 3),
            (vec![3, 3, 3, 2, 2, 9, 8], 3),
            (vec![7; 40], 3),
            (vec![1, 7, 7, 7, 7, 7, 7, 7, 6, 8, 8, 8, 8, 8, 9], 2),
        ] {
            let mut expected = times.clone();
            expected.sort_unstable();
            assert_eq!(run(&times, batch, &none).unwrap(), expected, "{times:?} by {batch}");
        }
    }

    #[test]
    fn a_record_that_is_too_late_is_an_error_or_counted() {
        let times = [10, 11, 12, 13, 14, 15, 1, 16];
        let error = run(&times, 2, &Tolerance::fail()).unwrap_err().to_string();
        assert!(error.starts_with("x.csv: a trade record of 1970-01-01T00:00:00.000000001Z"));
        let skip = Tolerance::skip();
        assert_eq!(run(&times, 2, &skip).unwrap(), [10, 11, 12, 13, 14, 15, 16]);
        assert_eq!(skip.skipped(), 1);
    }
}
