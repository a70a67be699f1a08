//! The features with a longer memory: autocovariance, impact, deep momentum, toxicity.

use super::Sides;

const RETURNS: usize = 40;

/// Whether returns alternate: the mean product of neighbours, in millionths.
#[derive(Clone, Debug)]
pub(super) struct Autocovariance {
    ring: [f64; RETURNS],
    count: usize,
}

impl Default for Autocovariance {
    fn default() -> Self {
        Self { ring: [0.0; RETURNS], count: 0 }
    }
}

impl Autocovariance {
    pub(super) fn next(&mut self, r: f64) -> f64 {
        self.ring[self.count % RETURNS] = r;
        self.count += 1;
        let held = self.count.min(RETURNS);
        if held < 3 {
            return 0.0;
        }
        // From the oldest on, in one order whatever the place in the ring.
        let oldest = if self.count > RETURNS { self.count % RETURNS } else { 0 };
        let (late, early) = self.ring.split_at(oldest);
        let inside = |part: &[f64]| part.windows(2).map(|pair| pair[0] * pair[1]).sum::<f64>();
        let early = &early[..held - late.len()];
        let joint = match (early.last(), late.first()) {
            (Some(last), Some(first)) => last * first,
            _ => 0.0,
        };
        (inside(early) + joint + inside(late)) / (held - 1) as f64 * 1e6
    }
}

/// The impact of flow on the price, relative to its own baseline, in thousandths.
#[derive(Clone, Debug)]
pub(super) struct ImpactSurprise {
    flow: f64,
    r: f64,
    flow_squared: f64,
    flow_r: f64,
    baseline: f64,
    events: u64,
}

impl Default for ImpactSurprise {
    fn default() -> Self {
        Self { flow: 0.0, r: 0.0, flow_squared: 1.0, flow_r: 0.0, baseline: 0.0, events: 0 }
    }
}

impl ImpactSurprise {
    /// `shown` is all depth on both sides, at least one.
    pub(super) fn next(&mut self, flow: f64, r: f64, shown: f64) -> f64 {
        const ALPHA: f64 = 2.0 / 201.0;
        self.events += 1;
        let usual = 1.0 / (2.0 * shown + 1.0);
        if self.events == 1 {
            self.baseline = usual;
            return 0.0;
        }
        let smooth = |state: &mut f64, value: f64| *state += ALPHA * (value - *state);
        smooth(&mut self.flow, flow);
        smooth(&mut self.r, r);
        smooth(&mut self.flow_squared, flow * flow);
        smooth(&mut self.flow_r, flow * r);
        let covariance = self.flow_r - self.flow * self.r;
        let variance = self.flow_squared - self.flow * self.flow;
        let impact = if variance > 0.01 { covariance / variance } else { usual };
        self.baseline += 2.0 / 2001.0 * (impact - self.baseline);
        let expected = if self.baseline > 1e-15 { self.baseline } else { usual };
        let deviation = (impact - expected) / expected;
        if self.events < 400 || deviation.abs() < 0.3 {
            return if deviation.is_nan() { f64::NAN } else { 0.0 };
        }
        1000.0 * deviation.clamp(-1.0, 1.0)
    }
}

/// Whether the deeper levels fill or empty, in thousandths.
#[derive(Clone, Debug)]
pub(super) struct DeepMomentum {
    /// How much the newest change weighs in each average.
    weights: [f64; 3],
    fast: f64,
    slow: f64,
    out: f64,
    events: u64,
}

impl Default for DeepMomentum {
    fn default() -> Self {
        let weights = [8.0, 64.0, 16.0].map(|events| 1.0 - libm::exp(-1.0 / events));
        Self { weights, fast: 0.0, slow: 0.0, out: 0.0, events: 0 }
    }
}

impl DeepMomentum {
    pub(super) fn next(&mut self, last: &Sides, now: &Sides, has_moved: bool) -> f64 {
        self.events += 1;
        let is_known = !has_moved && now.bid_levels > 1 && now.ask_levels > 1;
        let change = |now: &[i64], last: &[i64]| {
            now[1..]
                .iter()
                .zip(&last[1..])
                .map(|(now, last)| *now as f64 - *last as f64)
                .sum::<f64>()
        };
        let net = match is_known {
            true => change(&now.bids, &last.bids) - change(&now.asks, &last.asks),
            false => 0.0,
        };
        let [fast, slow, out] = self.weights;
        self.fast += fast * (net - self.fast);
        self.slow += slow * (net - self.slow);
        self.out += out * ((self.fast - self.slow) - self.out);
        if self.events < 128 {
            return if self.out.is_finite() { 0.0 } else { f64::NAN };
        }
        1000.0 * self.out.clamp(-2.0, 2.0)
    }
}

/// How one-sided trades are, in thousandths.
#[derive(Clone, Debug, Default)]
pub(super) struct Toxicity {
    signed: f64,
    total: f64,
    trades: u64,
}

impl Toxicity {
    pub(super) fn trades(&self) -> u64 {
        self.trades
    }

    pub(super) fn trade(&mut self, direction: i8, confidence: u16, volume: f64) {
        const ALPHA: f64 = 0.04;
        if direction == 0 || volume <= 0.0 {
            return;
        }
        self.trades += 1;
        let weighed = volume * (f64::from(confidence) / 1000.0).clamp(0.0, 1.0);
        self.signed += ALPHA * (f64::from(direction) * weighed - self.signed);
        self.total += ALPHA * (weighed - self.total);
    }

    pub(super) fn value(&self) -> i64 {
        if self.trades < 50 || self.total < 1.0 {
            return 0;
        }
        (1000.0 * (self.signed.abs() / self.total).min(1.0)).round_ties_even() as i64
    }
}
