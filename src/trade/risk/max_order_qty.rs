//! Refuses a single order beyond a size.

use qt_model::ids::InstrumentId;
use qt_model::order::NewOrder;

use super::{Exposure, Refusal, Rule};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MaxOrderQty {
    pub instrument: InstrumentId,
    /// In units of size.
    pub limit: i64,
}

impl Rule for MaxOrderQty {
    fn check(&self, new: &NewOrder, _exposure: &Exposure) -> Result<(), Refusal> {
        let measured = new.qty.mantissa();
        if new.instrument != self.instrument || measured <= self.limit {
            return Ok(());
        }
        Err(Refusal { rule: "max_order_qty", measured, limit: self.limit })
    }
}
