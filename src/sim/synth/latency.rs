//! The road from the venue to us: a base delay, jitter, now and then a spike, never overtaking.

use super::tables::{ONE_BITS, Tables};
use crate::dice::{Dice, Roll};

/// How long a message travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latency {
    /// What every message takes.
    pub base_ns: u32,
    /// The median of what comes on top (log-normal, sigma 0.8).
    pub jitter_ns: u32,
    /// One message in this many is held up by five to eighty milliseconds, and those behind it
    /// wait; zero for never.
    pub spike_one_in: u32,
}

impl Default for Latency {
    fn default() -> Self {
        Self { base_ns: 1_800_000, jitter_ns: 240_000, spike_one_in: 5_000 }
    }
}

impl Latency {
    /// The delay of one message, before it queues behind others.
    #[inline]
    pub(super) fn draw_ns(&self, roll: &mut Roll, dice: &mut Dice, tables: &Tables) -> i64 {
        let jitter =
            (u64::from(self.jitter_ns) * u64::from(tables.jitter(roll.take::<10>()))) >> ONE_BITS;
        let spike = u64::from(roll.take::<32>()) * u64::from(self.spike_one_in);
        let is_spike = self.spike_one_in > 0 && spike < (1 << 32);
        let delay = i64::from(self.base_ns) + jitter.cast_signed();
        if is_spike { delay + 5_000_000 + i64::from(dice.below(75_000_000)) } else { delay }
    }
}
