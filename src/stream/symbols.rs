//! From the text of a symbol to its id, quickly, for one reader.
//!
//! A reader meets few symbols again and again, so each has a place in a small table of recent ones,
//! and the shared table is asked only about strangers.

use std::sync::Arc;

use qt_model::ids::InstrumentId;
use qt_model::instrument::{Instrument, Instruments};
use qt_model::units::Scale;

use crate::error::Problem;
use crate::universe::Universe;

const RECENT: usize = 64;

/// A reader's own copy of the shared table, with the recent symbols at hand.
#[derive(Debug)]
pub(crate) struct Symbols {
    universe: Universe,
    table: Arc<Instruments>,
    recent: Vec<Option<(Box<[u8]>, InstrumentId)>>,
}

impl Symbols {
    pub(crate) fn new(universe: &Universe) -> Self {
        Self { universe: universe.clone(), table: universe.snapshot(), recent: vec![None; RECENT] }
    }

    pub(crate) fn table(&self) -> Arc<Instruments> {
        Arc::clone(&self.table)
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// Takes the shared table as it is now, with what other readers declared.
    pub(crate) fn refresh(&mut self) {
        self.table = self.universe.snapshot();
    }

    #[inline]
    pub(crate) fn find(&mut self, symbol: &[u8]) -> Option<InstrumentId> {
        let place = place(symbol);
        if let Some((text, id)) = &self.recent[place]
            && **text == *symbol
        {
            return Some(*id);
        }
        self.find_slow(symbol, place)
    }

    fn find_slow(&mut self, symbol: &[u8], place: usize) -> Option<InstrumentId> {
        let text = std::str::from_utf8(symbol).ok()?;
        let mut found = self.table.find(text);
        if found.is_none() {
            self.refresh();
            found = self.table.find(text);
        }
        let id = found?;
        self.recent[place] = Some((symbol.into(), id));
        Some(id)
    }

    pub(crate) fn instrument(&self, id: InstrumentId) -> &Instrument {
        self.table.get(id)
    }

    #[inline]
    pub(crate) fn scales(&self, id: InstrumentId) -> (Scale, Scale) {
        let instrument = self.table.get(id);
        (instrument.px_scale, instrument.qty_scale)
    }

    pub(crate) fn join(&mut self, instrument: Instrument) -> Result<InstrumentId, Problem> {
        let id = self.universe.join(instrument).map_err(|source| Problem::Table { source })?;
        self.refresh();
        Ok(id)
    }

    /// Adds strangers; for each its id, or why it was refused.
    pub(crate) fn join_all(
        &mut self,
        instruments: Vec<Instrument>,
    ) -> Vec<Result<InstrumentId, Problem>> {
        let joined = self.universe.join_all(instruments);
        self.refresh();
        let problem = |source| Problem::Table { source };
        joined.into_iter().map(|joined| joined.map_err(problem)).collect()
    }

    /// Declares instruments ahead of their records.
    pub(crate) fn declare_all<'a>(
        &mut self,
        instruments: impl IntoIterator<Item = &'a Instrument>,
    ) -> Result<(), Problem> {
        self.universe.declare_all(instruments).map_err(|source| Problem::Table { source })?;
        self.refresh();
        Ok(())
    }
}

/// Where a symbol stands among the recent ones: from its last bytes, which tell symbols apart.
#[inline]
fn place(symbol: &[u8]) -> usize {
    let mut tail = [0_u8; 8];
    let take = symbol.len().min(8);
    tail[..take].copy_from_slice(&symbol[symbol.len() - take..]);
    let mixed =
        (u64::from_le_bytes(tail) ^ symbol.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 58) as usize
}
