//! Refuses an order that could lead beyond a position, open orders of its side included.

use qt_model::ids::InstrumentId;
use qt_model::order::NewOrder;

use super::{Exposure, Refusal, Rule};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MaxPosition {
    pub instrument: InstrumentId,
    /// In units of size, long or short.
    pub limit: i64,
}

impl Rule for MaxPosition {
    fn check(&self, new: &NewOrder, exposure: &Exposure) -> Result<(), Refusal> {
        if new.instrument != self.instrument {
            return Ok(());
        }
        let measured = exposure.after(new.side, new.qty);
        if measured <= self.limit {
            return Ok(());
        }
        Err(Refusal { rule: "max_position", measured, limit: self.limit })
    }
}
