//! Two values of the same events over a window.

use super::ring::Ring;
use crate::features::node::{Column, Node, map_held};
use crate::features::value::{NONE, finite};

/// What is asked of pairs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Relation {
    /// Pearson's correlation.
    Correlation,
    Covariance,
    /// The slope of the first on the second.
    Slope,
}

/// `corr`, `cov`, `beta`.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    relation: Relation,
    rings: [Ring; 2],
    held: [f64; 2],
}

impl Pair {
    pub(crate) fn new(relation: Relation, size: usize) -> Self {
        Self { relation, rings: [Ring::new(size), Ring::new(size)], held: [NONE; 2] }
    }
}

impl Node for Pair {
    fn run(&mut self, inputs: &[Column<'_>], out: &mut [f64]) -> bool {
        let ([left, right], relation) = (&mut self.rings, self.relation);
        map_held([inputs[0], inputs[1]], &mut self.held, out, |[a, b]| {
            left.push(a);
            right.push(b);
            if left.is_full() { relate(relation, left.values(), right.values()) } else { NONE }
        })
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(Self::new(self.relation, self.rings[0].size()))
    }
}

/// Two passes over the window: nothing to drift, and windows of pairs are short.
fn relate(relation: Relation, left: &[f64], right: &[f64]) -> f64 {
    let count = left.len() as f64;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / count;
    let (mean_left, mean_right) = (mean(left), mean(right));
    let (mut together, mut alone_left, mut alone_right) = (0.0, 0.0, 0.0);
    for (a, b) in left.iter().zip(right) {
        let (a, b) = (a - mean_left, b - mean_right);
        together += a * b;
        alone_left += a * a;
        alone_right += b * b;
    }
    match relation {
        Relation::Correlation => {
            finite(together / (alone_left * alone_right).sqrt()).clamp(-1.0, 1.0)
        }
        Relation::Covariance => together / count,
        Relation::Slope => finite(together / alone_right),
    }
}
