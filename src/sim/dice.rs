//! Seeded chance: whole random words, cut into as many small choices as they hold.
//!
//! Invariant: what a stream of dice yields depends on its seed and name alone, so that one
//! user never disturbs another. Absent on purpose: distributions, which belong to those who draw.

use rand_core::Rng;
use rand_pcg::Pcg64Mcg;

#[derive(Clone, Debug)]
pub(crate) struct Dice(Pcg64Mcg);

impl Dice {
    /// The dice of that name; each name has its own stream.
    pub(crate) fn named(seed: u64, name: &str) -> Self {
        let high = mix(seed ^ hash(name));
        let low = mix(high ^ seed.rotate_left(32));
        Self(Pcg64Mcg::new((u128::from(high) << 64) | u128::from(low)))
    }

    #[inline]
    pub(crate) fn roll(&mut self) -> Roll {
        Roll(self.0.next_u64())
    }

    /// A number in (0, 1]: never zero, since its logarithm is taken.
    #[inline]
    pub(crate) fn unit(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) + 1) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// A number below `bound`; the bias is under one in four billion.
    #[inline]
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        (((self.0.next_u64() >> 32) * u64::from(bound)) >> 32) as u32
    }

    #[inline]
    pub(crate) fn one_in(&mut self, odds: u32) -> bool {
        self.below(odds) == 0
    }
}

/// One random word, spent bit by bit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Roll(u64);

impl Roll {
    /// The next `BITS` bits. A word holds 64; who takes more gets zeros.
    #[inline]
    pub(crate) fn take<const BITS: u32>(&mut self) -> u32 {
        const { assert!(BITS <= 32) };
        let taken = self.0 & ((1 << BITS) - 1);
        self.0 >>= BITS;
        taken as u32
    }

    #[inline]
    pub(crate) fn coin(&mut self) -> bool {
        self.take::<1>() == 0
    }
}

/// FNV-1a, for texts of a few dozen bytes.
pub(crate) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The finaliser of splitmix64: near inputs, far outputs.
pub(crate) fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_a_seed_choose_the_stream() {
        let first = |seed, name| Dice::named(seed, name).roll().0;
        assert_eq!(first(7, "a"), first(7, "a"));
        assert_ne!(first(7, "a"), first(7, "b"));
        assert_ne!(first(7, "a"), first(8, "a"));
    }

    #[test]
    fn small_choices_are_even() {
        let mut dice = Dice::named(1, "even");
        let mut counts = [0_u32; 6];
        for _ in 0..60_000 {
            counts[dice.below(6) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (9_600..10_400).contains(count)), "{counts:?}");
        let unit_sum: f64 = (0..10_000).map(|_| dice.unit()).sum();
        assert!((4_900.0..5_100.0).contains(&unit_sum), "{unit_sum}");
    }
}
