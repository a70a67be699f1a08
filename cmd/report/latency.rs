//! How long orders and the news of them were on their way, in bounded memory: counts by steps of a
//! tenth of a decade.

use std::collections::BTreeMap;

use qt_model::record::{Kind, Record};
use qt_model::time::Ts;
use qt_model::words::OrderStatus;
use qt_stream::runs::{RunError, RunReader};

/// Steps of a decade.
const STEPS: f64 = 10.0;

/// Nanoseconds, a decade each, up to a quarter of an hour.
const DECADES: usize = 12;

/// Counts of delays, on a logarithmic scale.
#[derive(Clone, Debug)]
pub(super) struct Delays {
    counts: Vec<u64>,
    pub(super) seen: u64,
}

impl Default for Delays {
    fn default() -> Self {
        Self { counts: vec![0; DECADES * STEPS as usize + 1], seen: 0 }
    }
}

impl Delays {
    fn add(&mut self, ns: i64) {
        let place = (ns.max(1) as f64).log10() * STEPS;
        let place = (place.round() as usize).min(self.counts.len() - 1);
        self.counts[place] += 1;
        self.seen += 1;
    }

    /// The decimal logarithm of each step and its share of all, where there are any.
    pub(super) fn shares(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        let counted = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        counted.map(|(at, count)| (at as f64 / STEPS, *count as f64 / self.seen as f64))
    }
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Latency {
    /// From sending a new order to what the venue made of it.
    pub(super) there: Delays,
    /// From an event at the venue to our hearing of it.
    pub(super) back: Delays,
}

impl Latency {
    pub(super) fn gather(run: &RunReader) -> Result<Self, RunError> {
        let mut latency = Self::default();
        // Orders that no answer has come to yet: as many as are under way at once.
        let mut sent: BTreeMap<String, Ts> = BTreeMap::new();
        run.each(0, Kind::Order, |_, record| {
            let Record::Order(order) = record else { return };
            let id = order.order_id.as_str();
            match order.previous {
                Some(OrderStatus::Pending) => {
                    sent.insert(id.to_owned(), order.head.ts_recv);
                }
                // A request of ours, which no answer has come to.
                None => {}
                Some(_) => {
                    if let Some(sent) = sent.remove(id) {
                        latency.there.add(order.head.ts_event.since(sent));
                    }
                    latency.back.add(order.head.ts_recv.since(order.head.ts_event));
                }
            }
        })?;
        Ok(latency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_counted_by_their_order_of_magnitude() {
        let mut delays = Delays::default();
        [1_000_000, 1_000_001, 2_000_000, 0, i64::MAX].into_iter().for_each(|ns| delays.add(ns));
        let shares: Vec<(f64, f64)> = delays.shares().collect();
        assert_eq!(shares, [(0.0, 0.2), (6.0, 0.4), (6.3, 0.2), (12.0, 0.2)]);
    }
}
