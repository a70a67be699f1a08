//! Values that a whole stream adds up to, and counts of it.

use crate::features::node::{Column, Node, map};
use crate::features::value::finite;

/// `cum`: the sum of all values so far, compensated, so that a long stream loses no digits.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cumulative {
    sum: f64,
    rest: f64,
}

impl Node for Cumulative {
    fn run(&mut self, inputs: &[Column<'_>], out: &mut [f64]) -> bool {
        let Self { sum, rest } = self;
        map(inputs[0], out, |value| {
            let next = *sum + value;
            *rest += if sum.abs() >= value.abs() {
                (*sum - next) + value
            } else {
                (value - next) + *sum
            };
            *sum = next;
            finite(*sum + *rest)
        })
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(Self::default())
    }
}
