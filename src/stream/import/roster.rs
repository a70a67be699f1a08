//! The instruments of a binary or fixed format, whose scales the format states.

use std::sync::Arc;

use qt_model::ids::InstrumentId;
use qt_model::instrument::{Instrument, Instruments, Symbol};
use qt_model::record::{Head, Kind, Table};
use qt_model::time::Ts;
use qt_model::units::Scale;

use super::Hints;
use crate::error::Problem;
use crate::read::Options;
use crate::universe::Universe;

/// An instrument of an input, with what its next record needs.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) id: InstrumentId,
    pub(super) px_scale: Scale,
    pub(super) qty_scale: Scale,
    seq: [u64; Kind::ALL.len()],
}

impl Known {
    /// The next head of a kind.
    #[inline]
    pub(super) fn head<T: Table>(&mut self, ts_event: Option<Ts>, ts_recv: Ts) -> Head {
        let next = &mut self.seq[T::KIND.index()];
        *next += 1;
        let has_event_time = ts_event.is_some();
        let ts_event = ts_event.unwrap_or(ts_recv);
        Head { ts_event, ts_recv, seq: *next - 1, instrument: Some(self.id), has_event_time }
    }
}

/// The instruments of an input, by their place in it.
#[derive(Debug)]
pub(super) struct Roster {
    pub(super) hints: Hints,
    universe: Universe,
    table: Arc<Instruments>,
    all: Vec<Known>,
}

impl Roster {
    pub(super) fn new(hints: &Hints, options: &Options) -> Self {
        let universe = options.universe.clone();
        let table = universe.snapshot();
        Self { hints: hints.clone(), universe, table, all: Vec::new() }
    }

    pub(super) fn table(&self) -> &Arc<Instruments> {
        &self.table
    }

    #[inline]
    pub(super) fn get(&mut self, at: usize) -> &mut Known {
        &mut self.all[at]
    }

    /// Declares an instrument ahead of its first record.
    pub(super) fn declare(
        &mut self,
        venue: &str,
        name: &str,
        scales: (Scale, Scale),
    ) -> Result<(), Problem> {
        let instrument = self.instrument(venue, name, scales)?;
        self.universe.declare(instrument).map_err(|source| Problem::Table { source })?;
        self.table = self.universe.snapshot();
        Ok(())
    }

    /// Takes an instrument in, at the scales that are declared, else at those given.
    pub(super) fn add(
        &mut self,
        venue: &str,
        name: &str,
        scales: (Scale, Scale),
    ) -> Result<usize, Problem> {
        let instrument = self.instrument(venue, name, scales)?;
        let symbol = instrument.symbol.clone();
        self.table = self.universe.snapshot();
        if self.table.find(symbol.as_str()).is_none() {
            self.universe.join(instrument).map_err(|source| Problem::Table { source })?;
            self.table = self.universe.snapshot();
        }
        let id = self.table.find(symbol.as_str()).expect("the instrument was just declared");
        let Instrument { px_scale, qty_scale, .. } = *self.table.get(id);
        self.all.push(Known { id, px_scale, qty_scale, seq: [0; Kind::ALL.len()] });
        Ok(self.all.len() - 1)
    }

    fn instrument(
        &self,
        venue: &str,
        name: &str,
        (px_scale, qty_scale): (Scale, Scale),
    ) -> Result<Instrument, Problem> {
        let venue = self.hints.venue.as_deref().unwrap_or(venue);
        let name = self.hints.symbol.as_deref().unwrap_or(name);
        // Vendors have spaces in the names of spreads and options.
        let symbol = Symbol::new(&format!("{venue}:{}", name.replace(' ', "_")));
        let symbol = symbol.map_err(|source| Problem::Symbol { source })?;
        let px_scale = self.hints.px_scale.unwrap_or(px_scale);
        let qty_scale = self.hints.qty_scale.unwrap_or(qty_scale);
        Ok(Instrument::new(symbol, px_scale, qty_scale))
    }
}
