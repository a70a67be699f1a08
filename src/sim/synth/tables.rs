//! Distributions as tables: one array look-up instead of a logarithm or a power.
//!
//! Built once from pure Rust mathematics and rounded well above the last bit, so every machine
//! reads the same numbers. A quantile table of 1024 entries is cut at one in 2048 on each end;
//! rarer things (jumps, latency spikes, walls in the book) are events of their own.

use libm::{acos, cos, erfc, exp, log, pow, sqrt};

/// Entries of a quantile table; an index of ten random bits always fits.
pub(super) const QUANTILES: usize = 1024;
const LN_STEPS: usize = 512;
const DECAY_STEPS: usize = 1024;
const DECAY_PER_UNIT: f64 = 64.0;

/// Fixed point of the quantile tables.
pub(super) const ONE_BITS: u32 = 12;
const ONE: f64 = 4096.0;

#[derive(Clone, Debug)]
pub(super) struct Tables {
    ln: Box<[f64; LN_STEPS + 1]>,
    decay: Box<[f64; DECAY_STEPS + 1]>,
    wait: Box<[f64; QUANTILES]>,
    shock: Box<[i32; QUANTILES]>,
    size: Box<[u32; QUANTILES]>,
    jitter: Box<[u32; QUANTILES]>,
    reach: Box<[u8; QUANTILES]>,
}

impl Tables {
    pub(super) fn new() -> Self {
        let quantile = |at: usize| (at as f64 + 0.5) / QUANTILES as f64;
        let fixed = |value: f64| (value * ONE + 0.5) as u32;
        Self {
            ln: boxed(|at| rounded(log(1.0 + at as f64 / LN_STEPS as f64))),
            decay: boxed(|at| rounded(exp(-(at as f64) / DECAY_PER_UNIT))),
            wait: boxed(|at| rounded(-log(1.0 - quantile(at)))),
            shock: boxed(|at| libm::round(student4(quantile(at)) * ONE) as i32),
            size: boxed(|at| fixed(exp(1.1 * normal(quantile(at)))).max(1)),
            jitter: boxed(|at| fixed(exp(0.8 * normal(quantile(at)))).max(1)),
            reach: boxed(|at| reach(quantile(at))),
        }
    }

    /// The natural logarithm of a number above zero, to about six digits.
    #[inline]
    pub(super) fn ln(&self, value: f64) -> f64 {
        const REST: u64 = (1 << 43) - 1;
        let bits = value.to_bits();
        let exponent = f64::from(((bits >> 52) & 0x7ff) as u32) - 1023.0;
        let at = (bits >> 43) as usize & (LN_STEPS - 1);
        let rest = (bits & REST) as f64 * (1.0 / (REST + 1) as f64);
        let low = self.ln[at];
        exponent * std::f64::consts::LN_2 + low + (self.ln[at + 1] - low) * rest
    }

    /// `exp(-elapsed)` for an elapsed time of zero or more; nothing is left after sixteen.
    #[inline]
    pub(super) fn decay(&self, elapsed: f64) -> f64 {
        let scaled = elapsed * DECAY_PER_UNIT;
        let at = scaled as usize;
        if at >= DECAY_STEPS {
            return 0.0;
        }
        let low = self.decay[at];
        low + (self.decay[at + 1] - low) * (scaled - at as f64)
    }

    /// A waiting time of mean one (exponential).
    #[inline]
    pub(super) fn wait(&self, ten_bits: u32) -> f64 {
        self.wait[ten_bits as usize % QUANTILES]
    }

    /// A fat-tailed step of mean zero and variance one (Student, four degrees), fixed point.
    #[inline]
    pub(super) fn shock(&self, ten_bits: u32) -> i32 {
        self.shock[ten_bits as usize % QUANTILES]
    }

    /// A heavy-tailed size of median one (log-normal), fixed point.
    #[inline]
    pub(super) fn size(&self, ten_bits: u32) -> u32 {
        self.size[ten_bits as usize % QUANTILES]
    }

    /// A latency jitter of median one (log-normal), fixed point.
    #[inline]
    pub(super) fn jitter(&self, ten_bits: u32) -> u32 {
        self.jitter[ten_bits as usize % QUANTILES]
    }

    /// How many levels behind the touch something happens.
    #[inline]
    pub(super) fn reach(&self, ten_bits: u32) -> usize {
        usize::from(self.reach[ten_bits as usize % QUANTILES])
    }
}

fn boxed<T: Copy + Default, const N: usize>(value: impl Fn(usize) -> T) -> Box<[T; N]> {
    let mut table = Box::new([T::default(); N]);
    for (at, entry) in table.iter_mut().enumerate() {
        *entry = value(at);
    }
    table
}

fn rounded(value: f64) -> f64 {
    const GRID: f64 = 1_099_511_627_776.0;
    libm::round(value * GRID) / GRID
}

/// The quantile of Student's distribution with four degrees of freedom, at variance one.
fn student4(p: f64) -> f64 {
    let root = sqrt(4.0 * p * (1.0 - p));
    let magnitude = 2.0 * sqrt(cos(acos(root) / 3.0) / root - 1.0) / sqrt(2.0);
    if p < 0.5 { -magnitude } else { magnitude }
}

/// The quantile of the normal distribution, by halving.
fn normal(p: f64) -> f64 {
    let (mut low, mut high) = (-8.0, 8.0);
    for _ in 0..48 {
        let middle = (low + high) / 2.0;
        if erfc(-middle / std::f64::consts::SQRT_2) / 2.0 < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low + high) / 2.0
}

/// Activity falls with the distance from the touch like a power law: one in nine at the touch, half
/// within the first seven levels, a tail to the end of any book.
fn reach(p: f64) -> u8 {
    let level = 1.0 / pow(1.0 - p, 1.0 / 1.3) - 1.0;
    (level * 10.0).min(255.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_follow_the_functions() {
        let tables = Tables::new();
        for value in [1.0e-9, 0.001, 0.3, 0.5, 0.77, 0.999, 1.0] {
            assert!((tables.ln(value) - log(value)).abs() < 1.0e-6, "ln {value}");
        }
        for elapsed in [0.0, 0.01, 0.5, 1.0, 3.3, 15.9] {
            assert!((tables.decay(elapsed) - exp(-elapsed)).abs() < 1.0e-4, "decay {elapsed}");
        }
        assert!(tables.decay(1.0e300).abs() < f64::EPSILON);
    }

    #[test]
    fn shocks_are_fair_fat_and_of_unit_variance() {
        let tables = Tables::new();
        let shocks = || (0..QUANTILES as u32).map(|at| f64::from(tables.shock(at)) / ONE);
        let moment = |power: i32| shocks().map(|z| z.powi(power)).sum::<f64>() / 1024.0;
        assert!(moment(1).abs() < 0.001, "mean {}", moment(1));
        assert!((0.9..1.05).contains(&moment(2)), "variance {}", moment(2));
        assert!(moment(4) > 5.0, "fourth moment {}", moment(4));
    }

    #[test]
    fn activity_is_at_the_touch_first() {
        let tables = Tables::new();
        let share = |upto: usize| {
            (0..QUANTILES as u32).filter(|at| tables.reach(*at) <= upto).count() as f64 / 1024.0
        };
        assert!((0.1..0.14).contains(&share(0)), "{}", share(0));
        assert!((0.45..0.6).contains(&share(6)), "{}", share(6));
        assert!((0.7..0.85).contains(&share(20)), "{}", share(20));
    }
}
