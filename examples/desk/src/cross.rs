//! Long while a fast average of the mid is above a slow one, short while it is below.

use qt::prelude::*;

/// See the module. The averages are features of `cross.toml`; what is left to code is what to do.
#[derive(Debug)]
pub struct Cross {
    fast: Column,
    slow: Column,
    share: f64,
    steps: PerInstrument<Steps>,
}

impl Native for Cross {
    const NAME: &'static str = "cross";
    const FILE: &'static str = include_str!("cross.toml");
    const SOURCE: &'static str = include_str!("cross.rs");

    fn new(setup: &Setup) -> Result<Self, SetupError> {
        if setup.whole("fast_n")? >= setup.whole("slow_n")? {
            return Err(SetupError::Refused("fast_n has to be below slow_n".to_owned()));
        }
        Ok(Self {
            fast: setup.column("fast")?,
            slow: setup.column("slow")?,
            share: setup.param("share")?,
            steps: setup.each(|_, instrument| Steps::of(instrument)),
        })
    }
}

impl Strategy for Cross {
    fn wants(&self) -> Wants {
        Wants::NOTHING.and_features()
    }

    /// A new row of the two averages: one order at a time turns the position to their side.
    fn features(&mut self, instrument: InstrumentId, context: &mut Context<'_>) {
        let row = context.features(instrument);
        let (Some(fast), Some(slow)) = (self.fast.of(row), self.slow.of(row)) else { return };
        let side = if fast > slow { Side::Buy } else { Side::Sell };
        if fast == slow || context.orders_of(instrument).next().is_some() {
            return;
        }
        // Negative while what is held is on the other side.
        let held = side.sign() * context.position(instrument).qty();
        if held > 0 {
            return;
        }
        if let Some(entry) = self.size(instrument, context) {
            let qty = Qty::new(entry.mantissa() - held).expect("both parts are sizes");
            let decided = Decided {
                instrument: Some(instrument),
                action: DecisionAction::Enter,
                side: Some(side),
                px: None,
                qty: Some(qty),
                reason: "the averages crossed".into(),
            };
            // What a rule refuses is on record, and the next row asks again.
            let _ = context.submit_as(NewOrder::market(instrument, side, qty), decided);
        }
    }
}

impl Cross {
    /// A share of equity at the mid, down to the lot; `None` where there is no mid, or not one lot.
    fn size(&self, instrument: InstrumentId, context: &Context<'_>) -> Option<Qty> {
        let steps = self.steps.get(instrument)?;
        let mid = context.mid(instrument)?;
        steps.qty(self.share * context.equity() / mid).filter(|qty| !qty.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use qt::Rehearsal;

    use super::*;

    /// Averages of one and of three quotes, so that a step of the price crosses them.
    fn rehearsal() -> Rehearsal {
        Rehearsal::of::<Cross>("sim:A", &[("fast_n", 1.0), ("slow_n", 3.0)]).unwrap()
    }

    fn submitted(outputs: &[Output]) -> Option<(OrderNo, Side, Qty)> {
        outputs.iter().find_map(|output| match output {
            Output::Submit { order, new } => Some((*order, new.side, new.qty)),
            _ => None,
        })
    }

    #[test]
    fn a_rise_buys_a_share_of_equity_and_a_fall_turns_it() {
        let mut rehearsal = rehearsal();
        let quiet = (0..5).flat_map(|_| rehearsal.quote("99.99", "100.01")).count();
        assert_eq!(quiet, 0, "equal averages ask for nothing");
        let (order, side, qty) = submitted(&rehearsal.quote("100.99", "101.01")).unwrap();
        // A tenth of 10000 at 101, down to lots of 0.001.
        assert_eq!((side, qty.mantissa()), (Side::Buy, 9_900));
        assert_eq!(submitted(&rehearsal.quote("100.99", "101.01")), None, "one order at a time");
        rehearsal.fill(order, "101.01", "9.9");
        assert_eq!(rehearsal.position().to_string(), "9.900");
        let (_, side, qty) = submitted(&rehearsal.quote("98.99", "99.01")).unwrap();
        assert_eq!((side, qty.mantissa() > 2 * 9_900), (Side::Sell, true), "it turns in one order");
    }

    #[test]
    fn averages_in_the_wrong_order_are_refused() {
        let refused = Rehearsal::of::<Cross>("sim:A", &[("fast_n", 9.0), ("slow_n", 3.0)]);
        assert!(refused.unwrap_err().to_string().contains("fast_n has to be below slow_n"));
    }
}
