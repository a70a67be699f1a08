//! When the next thing happens: a self-exciting (Hawkes) process with exponential memory.
//!
//! Intensity is a base rate plus what past arrivals left behind; each arrival adds a kick that
//! dies away. Waiting times are drawn exactly, as the earlier of two clocks (Dassios and Zhao,
//! 2013), so nothing is thinned away. The base rate comes from `climate`.

use super::tables::Tables;
use crate::dice::Roll;

/// The share of arrivals that other arrivals cause.
const BRANCHING: f64 = 0.7;

#[derive(Clone, Debug)]
pub(super) struct Arrivals {
    /// One over the base rate.
    base_wait_s: f64,
    excitation_per_s: f64,
    kick_per_s: f64,
    decay_per_s: f64,
    /// One over the decay.
    memory_s: f64,
}

impl Arrivals {
    /// Arrivals that come at `mean_per_s` in the long run.
    pub(super) fn new(mean_per_s: f64) -> Self {
        // Half an arrival's children come within one mean gap or two: bursts, not tides.
        let decay_per_s = mean_per_s * 0.5;
        Self {
            base_wait_s: 1.0 / (mean_per_s * (1.0 - BRANCHING)),
            excitation_per_s: mean_per_s * BRANCHING,
            kick_per_s: BRANCHING * decay_per_s,
            decay_per_s,
            memory_s: 1.0 / decay_per_s,
        }
    }

    /// Aims at another long-run rate from here on.
    pub(super) fn aim(&mut self, mean_per_s: f64) {
        self.base_wait_s = 1.0 / (mean_per_s * (1.0 - BRANCHING));
    }

    /// News: as if that many things had just happened at once.
    pub(super) fn excite(&mut self, arrivals: f64) {
        self.excitation_per_s += arrivals * self.kick_per_s;
    }

    /// The wait until the next arrival, which then leaves its kick.
    #[inline]
    pub(super) fn wait_ns(&mut self, roll: &mut Roll, tables: &Tables) -> i64 {
        let own_s = tables.wait(roll.take::<10>()) * self.base_wait_s;
        let spent = tables.wait(roll.take::<10>()) * self.decay_per_s;
        let remaining = 1.0 - spent / self.excitation_per_s.max(1.0e-12);
        // Selected, not branched on: which clock rings first is anyone's guess.
        let caused_s = -tables.ln(remaining.max(1.0e-12)) * self.memory_s;
        let caused_s = if remaining > 1.0e-12 { caused_s } else { f64::MAX };
        let wait_s = caused_s.min(own_s);
        let left = self.excitation_per_s * tables.decay(wait_s * self.decay_per_s);
        self.excitation_per_s = left + self.kick_per_s;
        // The cast saturates; a wait is cut at a day, so that sums of a few stay in range.
        ((wait_s * 1.0e9) as i64).clamp(1, qt_model::time::DAY_NANOS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;

    #[test]
    fn arrivals_keep_their_rate_and_come_in_clusters() {
        let (tables, mut dice) = (Tables::new(), Dice::named(3, "arrivals"));
        let mut arrivals = Arrivals::new(50.0);
        let mut counts = vec![0.0_f64; 2_000];
        let mut now_ns = 0;
        loop {
            now_ns += arrivals.wait_ns(&mut dice.roll(), &tables);
            let Some(count) = counts.get_mut((now_ns / 1_000_000_000) as usize) else { break };
            *count += 1.0;
        }
        let mean = counts.iter().sum::<f64>() / 2_000.0;
        let variance = counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / 2_000.0;
        assert!((46.0..54.0).contains(&mean), "mean {mean}");
        // A Poisson process has one here; branching of 0.7 gives eleven over long windows.
        assert!((6.0..14.0).contains(&(variance / mean)), "dispersion {}", variance / mean);
    }
}
