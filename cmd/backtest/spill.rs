//! The writer of a run, shared with its lanes: rows go to their files before there are too many.
//!
//! Between two batches of the market anything may happen: a timer of a tenth of a second goes off three
//! hundred million times in a gap of a year. So a lane does not wait for the end of a batch. Invariant:
//! what a file holds does not depend on when its rows were written.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use qt_model::record::Batch;
use qt_stream::runs::{RunError, RunWriter};

/// Rows that a lane holds at most.
pub(super) const MOST: usize = 16_384;

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Keeper(Arc<Mutex<Shared>>);

#[derive(Debug)]
struct Shared {
    writer: RunWriter,
    /// What went wrong first while nobody was there to be told.
    fault: Option<RunError>,
}

impl Keeper {
    pub(super) fn new(writer: RunWriter) -> Self {
        Self(Arc::new(Mutex::new(Shared { writer, fault: None })))
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes rows of a lane, unless something went wrong before.
    pub(super) fn write(&self, lane: usize, rows: &Batch) -> Result<(), RunError> {
        let mut shared = self.lock();
        match shared.fault.take() {
            Some(fault) => Err(fault),
            None => shared.writer.write(lane, rows),
        }
    }

    /// Where a lane lets its rows go.
    pub(super) fn spill(&self, lane: usize) -> Spill {
        Spill { keeper: self.clone(), lane }
    }

    /// The writer, once all lanes have ended.
    pub(super) fn into_writer(self) -> Result<RunWriter, RunError> {
        let shared = Arc::into_inner(self.0).expect("no lane is left");
        let Shared { writer, fault } = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
        fault.map_or(Ok(writer), Err)
    }
}

/// See [`Keeper::spill`].
#[derive(Debug)]
pub(super) struct Spill {
    keeper: Keeper,
    lane: usize,
}

impl Spill {
    /// Writes rows and forgets them. What goes wrong is told when the lane's next rows are written.
    #[cold]
    pub(super) fn take(&self, rows: &mut Batch) {
        let written = self.keeper.write(self.lane, rows);
        self.keeper.lock().fault = written.err();
        rows.clear();
    }
}

#[cfg(test)]
mod tests {
    use qt_model::instrument::Instruments;
    use qt_model::record::InputRow;
    use qt_model::step::{Input, TimerId};
    use qt_model::time::Ts;
    use qt_model::words::{RunKind, RunStatus};
    use qt_stream::runs::{Input as Given, Manifest};
    use qt_trade::ledger::{Ledger, LedgerOptions, Matching};
    use qt_trade::orders::OrderTable;

    use super::super::rows::Rows;
    use super::*;

    /// A year of timers and no market between them.
    #[test]
    fn rows_are_bounded_and_all_of_them_are_written() {
        let folder = tempfile::tempdir().unwrap();
        let manifest = Manifest::begin("r", RunKind::Backtest, Ts::default(), Given::default());
        let writer = RunWriter::create_at(&folder.path().join("r"), manifest, &["only"]).unwrap();
        let keeper = Keeper::new(writer);
        let instruments = Arc::new(Instruments::default());
        let mut rows = Rows::new("s", Arc::clone(&instruments), false);
        rows.spill_to(keeper.spill(0));
        let currency = qt_model::order::Currency::new("USD").unwrap();
        let options = LedgerOptions { currency, matching: Matching::Average, initial: Vec::new() };
        let ledger = Ledger::new(&options, &instruments).unwrap();
        let orders = OrderTable::default();
        let count = 3 * MOST as u64 + 5;
        for at in 0..count {
            let ours = qt_sim::driver::Ours { ledger: &ledger, orders: &orders };
            rows.told(Ts::from_nanos(at.cast_signed()), &Input::Timer(TimerId(1)), ours);
            assert!(rows.len() < MOST, "{} rows are held", rows.len());
        }
        let mut rest = Batch::new(instruments);
        rows.drain(&mut rest);
        assert_eq!(rest.rows::<InputRow>().len(), 5);
        keeper.write(0, &rest).unwrap();
        drop(rows);
        let manifest = keeper.into_writer().unwrap().finish(RunStatus::Done, Ts::default());
        let records: u64 = manifest.unwrap().output.files.iter().map(|file| file.records).sum();
        assert_eq!(records, count);
    }
}
