//! How good fills were: against the decision, the arrival, the mid before and the mids after, over all
//! instruments.
//!
//! Sums are exact money; a ratio of two becomes a double once.

use qt_model::units::{Qty, Scale};
use qt_model::words::Liquidity;

use super::contract::Contract;
use super::horizons::Passed;
use super::tally::{Quotient, Tally};
use super::value::{Absent, Figure};
use crate::ledger::Money;

/// What a fill comes with beside its execution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FillContext {
    /// The fee in the account's currency; `None`: it is in it already.
    pub fee: Option<Money>,
    /// The size ahead in the queue at the fill, as the model of the queue has it.
    pub queue_ahead: Option<Qty>,
    /// How much of the queue ahead left by trades and by cancels since the order came to rest.
    pub queue_traded: Option<Qty>,
    pub queue_cancelled: Option<Qty>,
}

/// A quotient of two sums of money, in basis points.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Weighted {
    above: Money,
    below: Money,
    pub(super) count: u64,
}

impl Weighted {
    fn join(&mut self, contract: &Contract, sums: &Quotient) {
        self.above += contract.notional_of(sums.above);
        self.below += contract.notional_of(sums.below);
        self.count += sums.count;
    }

    pub(super) fn bps(&self, otherwise: Absent) -> Figure {
        if self.below.is_zero() { Err(otherwise) } else { Ok(self.above.per(self.below) * 1e4) }
    }
}

/// Sums of one horizon.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct AtHorizon {
    pub(super) markout: Weighted,
    pub(super) adverse: Weighted,
    pub(super) excluded: u64,
}

/// Sums over the fills of all instruments.
#[derive(Clone, Debug)]
pub(super) struct Fills {
    pub(super) count: u64,
    pub(super) makers: u64,
    pub(super) notional: Money,
    pub(super) maker_notional: Money,
    pub(super) paid: Money,
    pub(super) rebates: Money,
    pub(super) decision: Weighted,
    pub(super) arrival: Weighted,
    pub(super) touch: Weighted,
    pub(super) effective: Weighted,
    pub(super) horizons: Vec<AtHorizon>,
    /// Queue ahead that left by trades, and by cancels, where a model said.
    pub(super) queue_traded: f64,
    pub(super) queue_cancelled: f64,
    pub(super) queue_ahead_fill: (f64, u64),
}

impl Fills {
    pub(super) fn new(horizons: usize) -> Self {
        Self {
            count: 0,
            makers: 0,
            notional: Money::ZERO,
            maker_notional: Money::ZERO,
            paid: Money::ZERO,
            rebates: Money::ZERO,
            decision: Weighted::default(),
            arrival: Weighted::default(),
            touch: Weighted::default(),
            effective: Weighted::default(),
            horizons: vec![AtHorizon::default(); horizons],
            queue_traded: 0.0,
            queue_cancelled: 0.0,
            queue_ahead_fill: (0.0, 0),
        }
    }

    pub(super) fn fee(&mut self, fee: Money) {
        if fee > Money::ZERO { self.paid += fee } else { self.rebates -= fee }
    }

    /// An execution, and what a queue was to it. `scale` is that of sizes.
    pub(super) fn add(&mut self, liquidity: Liquidity, context: &FillContext, scale: Scale) {
        self.count += 1;
        self.makers += u64::from(liquidity == Liquidity::Maker);
        let number = |qty: Option<Qty>| {
            qty.filter(|qty| !qty.is_zero()).map_or(0.0, |qty| qty.to_f64(scale))
        };
        self.queue_traded += number(context.queue_traded);
        self.queue_cancelled += number(context.queue_cancelled);
        if context.queue_ahead.is_some() {
            self.queue_ahead_fill.0 += number(context.queue_ahead);
            self.queue_ahead_fill.1 += 1;
        }
    }

    /// Takes in the sums of an instrument.
    pub(super) fn join(&mut self, contract: &Contract, tally: &Tally, passed: &[Passed]) {
        // What is summed without signs stays so.
        self.notional += contract.notional_of(tally.traded).abs();
        self.maker_notional += contract.notional_of(tally.made).abs();
        self.decision.join(contract, &tally.decision);
        self.arrival.join(contract, &tally.arrival);
        self.touch.join(contract, &tally.touch);
        self.effective.join(contract, &tally.effective);
        for (sums, passed) in self.horizons.iter_mut().zip(passed) {
            sums.markout.join(contract, &passed.markout);
            sums.adverse.join(contract, &passed.adverse);
            sums.excluded += passed.excluded;
        }
    }

    pub(super) fn maker_share(&self) -> Figure {
        self.of_notional(self.maker_notional)
    }

    pub(super) fn taker_share(&self) -> Figure {
        self.of_notional(self.notional - self.maker_notional)
    }

    pub(super) fn net_fees(&self) -> Money {
        self.paid - self.rebates
    }

    pub(super) fn net_fees_bps(&self) -> Figure {
        Ok(self.of_notional(self.net_fees())? * 1e4)
    }

    fn of_notional(&self, part: Money) -> Figure {
        if self.notional.is_zero() { Err(Absent::NoFills) } else { Ok(part.per(self.notional)) }
    }

    pub(super) fn maker_share_count(&self) -> Figure {
        super::value::ratio(self.makers as f64, self.count as f64, Absent::NoFills)
    }

    pub(super) fn queue_traded_share(&self) -> Figure {
        let all = self.queue_traded + self.queue_cancelled;
        super::value::ratio(self.queue_traded, all, Absent::Unknown)
    }

    pub(super) fn queue_ahead_fill_mean(&self) -> Figure {
        let (sum, count) = self.queue_ahead_fill;
        super::value::ratio(sum, count as f64, Absent::Unknown)
    }
}
