//! Drift bursts: whether the price runs further than its own noise explains.

use super::logarithm::log;
use super::window::Moments;
use crate::features::node::{Column, Node};
use crate::features::value::{NONE, SKIP, is_skip};

/// The drift of the last log returns over what their neighbours' products leave of noise.
#[derive(Clone, Debug)]
struct Statistic {
    size: usize,
    last_price: Option<f64>,
    last_return: Option<f64>,
    returns: Moments<false>,
    products: Moments<false>,
}

impl Statistic {
    fn new(size: usize) -> Self {
        let products = Moments::new(size - 1);
        Self { size, last_price: None, last_return: None, returns: Moments::new(size), products }
    }

    /// Takes a price; `None` until the window of returns other than zero is full.
    fn next(&mut self, price: f64) -> Option<f64> {
        let last = self.last_price.replace(price).filter(|last| *last > 0.0 && price > 0.0);
        if let Some(last) = last
            && price.to_bits() != last.to_bits()
        {
            let r = log(price / last);
            self.returns.push(r);
            if let Some(before) = self.last_return.replace(r) {
                self.products.push(r.abs() * before.abs());
            }
        }
        if !self.returns.is_full() || !self.products.is_full() {
            return None;
        }
        let variation = std::f64::consts::FRAC_PI_2 * self.products.mean();
        if variation < 1e-10 {
            return Some(0.0);
        }
        Some(self.returns.mean() / (variation / self.size as f64).sqrt())
    }
}

/// `drift_score`: 0 where there is no drift, up to 1.
#[derive(Clone, Debug)]
pub(crate) struct DriftScore(Statistic);

impl DriftScore {
    pub(crate) fn new(size: usize) -> Self {
        Self(Statistic::new(size))
    }
}

impl Node for DriftScore {
    fn run(&mut self, inputs: &[Column<'_>], out: &mut [f64]) -> bool {
        crate::features::node::map(inputs[0], out, |price| match self.0.next(price) {
            Some(t) => 2.0 / (1.0 + libm::exp(-t.abs() / 3.0)) - 1.0,
            None => NONE,
        })
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(Self::new(self.0.size))
    }
}

/// `drift_burst`: 0 none, 1 for want of liquidity, 2 by somebody who knows.
#[derive(Clone, Debug)]
pub(crate) struct DriftBurst {
    statistic: Statistic,
    cooldown: f64,
    last: Option<f64>,
}

impl DriftBurst {
    pub(crate) fn new(size: usize, cooldown: f64) -> Self {
        Self { statistic: Statistic::new(size), cooldown, last: None }
    }

    fn next(&mut self, [price, imbalance, spread, now]: [f64; 4]) -> f64 {
        let Some(t) = self.statistic.next(price) else { return NONE };
        let is_cool = self.last.is_none_or(|last| now - last >= self.cooldown);
        if t.abs() <= 3.0 || !is_cool {
            return 0.0;
        }
        self.last = Some(now);
        // The book leans against the burst and is pushed all the same.
        let opposes = imbalance * t.signum() < -0.2;
        if opposes && spread > 0.0 { 2.0 } else { 1.0 }
    }
}

impl Node for DriftBurst {
    fn run(&mut self, inputs: &[Column<'_>], out: &mut [f64]) -> bool {
        for (at, out) in out.iter_mut().enumerate() {
            let [price, imbalance, spread, now] =
                [0, 1, 2, 3].map(|input| inputs[input].values[at]);
            *out = match price {
                price if is_skip(price) => SKIP,
                price if price.is_nan() => NONE,
                // An imbalance of nothing leans to no side.
                price => {
                    let or_zero = |value: f64| if value.is_nan() { 0.0 } else { value };
                    self.next([price, or_zero(imbalance), or_zero(spread), now])
                }
            };
        }
        false
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(Self::new(self.statistic.size, self.cooldown))
    }
}
