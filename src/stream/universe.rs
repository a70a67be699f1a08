//! The instruments of several inputs, shared while they are read.
//!
//! Invariant: the table only grows. Readers keep a copy that stays good, and fetch the newer one
//! when they meet a symbol that it lacks.

use std::sync::{Arc, Mutex, PoisonError};

use qt_model::ids::InstrumentId;
use qt_model::instrument::{Instrument, Instruments, TableError};

/// A handle on the shared table; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Universe {
    table: Arc<Mutex<Arc<Instruments>>>,
}

impl Universe {
    /// The table as it is now.
    pub fn snapshot(&self) -> Arc<Instruments> {
        Arc::clone(&self.table.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Declares an instrument before records are read: scales take the wider value.
    pub fn declare(&self, instrument: Instrument) -> Result<InstrumentId, TableError> {
        self.change(|table| table.declare(instrument))
    }

    /// Declares many at once: each change copies a table that readers share.
    pub fn declare_all<'a>(
        &self,
        instruments: impl IntoIterator<Item = &'a Instrument>,
    ) -> Result<(), TableError> {
        self.change(|table| {
            instruments.into_iter().try_for_each(|new| table.declare(new.clone()).map(|_| ()))
        })
    }

    /// Adds many at once; for each its id, or why it was refused.
    pub fn join_all(
        &self,
        instruments: impl IntoIterator<Item = Instrument>,
    ) -> Vec<Result<InstrumentId, TableError>> {
        let joined =
            self.change(|table| Ok(instruments.into_iter().map(|new| table.join(new)).collect()));
        joined.unwrap_or_default()
    }

    /// Adds an instrument while records are read: scales already in use stay.
    pub fn join(&self, instrument: Instrument) -> Result<InstrumentId, TableError> {
        self.change(|table| table.join(instrument))
    }

    fn change<T>(
        &self,
        change: impl FnOnce(&mut Instruments) -> Result<T, TableError>,
    ) -> Result<T, TableError> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut table))
    }
}
