//! The stationary bootstrap: how far a figure would wander on other draws of the same returns.
//!
//! Each replicate has a generator of its own, seeded from its number: replicates can run in any
//! order, and the same seed gives the same bits everywhere.

use super::returns::{Returns, Terms};
use super::tail::Sorted;
use super::value::{Absent, Figure};

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

fn mix(mut z: u64) -> u64 {
    z ^= z >> 30;
    z = z.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z ^= z >> 27;
    z = z.wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Steele, Lea and Flood's generator.
#[derive(Clone, Copy, Debug)]
pub struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    pub const fn new(state: u64) -> Self {
        Self { state }
    }

    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN);
        mix(self.state)
    }

    /// From zero to one, one excluded.
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// How to resample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    pub replicates: usize,
    /// The mean length of a block; `None`: the cube root of the count.
    pub block: Option<usize>,
    pub seed: u64,
}

impl Plan {
    pub const fn new(seed: u64) -> Self {
        Self { replicates: 2000, block: None, seed }
    }

    pub fn block_for(&self, count: usize) -> usize {
        self.block.unwrap_or_else(|| libm::round(libm::cbrt(count as f64)) as usize).max(1)
    }

    /// The places of one replicate's draws.
    pub fn indices(&self, replicate: usize, count: usize, out: &mut Vec<usize>) {
        let number = (replicate as u64).wrapping_add(1);
        let mut draws = SplitMix64::new(mix(self.seed.wrapping_add(number.wrapping_mul(GOLDEN))));
        let jump = 1.0 / self.block_for(count) as f64;
        let anywhere = |draws: &mut SplitMix64| (draws.uniform() * count as f64) as usize;
        out.clear();
        let mut at = anywhere(&mut draws);
        out.push(at);
        while out.len() < count {
            let jumps = draws.uniform() < jump;
            at = if jumps { anywhere(&mut draws) } else { (at + 1) % count };
            out.push(at);
        }
    }
}

/// What the replicates say of one figure.
#[derive(Clone, Debug)]
pub struct Spread {
    sorted: Sorted,
    values: Vec<f64>,
    /// Replicates without a value.
    pub dropped: usize,
}

impl Spread {
    fn new(values: Vec<f64>, dropped: usize) -> Self {
        Self { sorted: Sorted::new(values.iter().copied()), values, dropped }
    }

    pub fn low(&self) -> Figure {
        self.sorted.quantile(0.025)
    }

    pub fn high(&self) -> Figure {
        self.sorted.quantile(0.975)
    }

    pub fn median(&self) -> Figure {
        self.sorted.quantile(0.5)
    }

    pub fn standard_error(&self) -> Figure {
        Returns::new(&self.values, Terms::DAILY).vol_period()
    }

    /// How likely a value of zero or less is.
    pub fn p_value(&self) -> Figure {
        if self.values.is_empty() {
            return Err(Absent::None);
        }
        let low = self.values.iter().filter(|value| **value <= 0.0).count();
        Ok((1 + low) as f64 / (self.values.len() + 1) as f64)
    }
}

/// Sharpe ratio and mean over resampled returns.
#[derive(Clone, Debug)]
pub struct Bootstrap {
    pub sharpe: Spread,
    pub mean: Spread,
}

impl Bootstrap {
    pub fn run(plan: &Plan, returns: &Returns<'_>) -> Result<Self, Absent> {
        let (series, terms) = (returns.series(), *returns.terms());
        if series.len() < 2 {
            return Err(Absent::LessThanTwo);
        }
        let (mut indices, mut drawn) = (Vec::new(), Vec::with_capacity(series.len()));
        let (mut sharpes, mut means) = (Vec::new(), Vec::new());
        for replicate in 0..plan.replicates {
            plan.indices(replicate, series.len(), &mut indices);
            drawn.clear();
            drawn.extend(indices.iter().map(|at| series[*at]));
            let replica = Returns::new(&drawn, terms);
            sharpes.extend(replica.sharpe());
            means.extend(replica.mean());
        }
        let dropped = plan.replicates - sharpes.len();
        Ok(Self { sharpe: Spread::new(sharpes, dropped), mean: Spread::new(means, 0) })
    }
}
