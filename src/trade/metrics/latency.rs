//! How long the legs of an order's way took.

use super::quantiles::Quantiles;

/// A leg of the way of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leg {
    DecisionToWire,
    WireToAck,
}

/// Durations by leg.
#[derive(Clone, Debug, Default)]
pub(super) struct Latencies {
    legs: [Quantiles; 2],
}

impl Latencies {
    pub(super) fn add(&mut self, leg: Leg, nanos: u64) {
        self.legs[leg as usize].add(nanos);
    }

    pub(super) fn of(&self, leg: Leg) -> &Quantiles {
        &self.legs[leg as usize]
    }
}
