//! Values of one event: operators and functions without a memory.

use crate::features::node::{Node, both, each};
use crate::features::value::{NONE, SKIP, finite};

/// A function of one value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Map(pub(crate) fn(f64) -> f64);

impl Node for Map {
    fn run(&mut self, inputs: &[&[f64]], out: &mut [f64]) {
        each(inputs[0], out, self.0);
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(*self)
    }
}

/// A function of two values, the last of each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Join {
    function: fn(f64, f64) -> f64,
    held: [f64; 2],
}

impl Join {
    pub(crate) fn new(function: fn(f64, f64) -> f64) -> Self {
        Self { function, held: [NONE; 2] }
    }
}

impl Node for Join {
    fn run(&mut self, inputs: &[&[f64]], out: &mut [f64]) {
        both([inputs[0], inputs[1]], &mut self.held, out, self.function);
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(Self::new(self.function))
    }
}

/// `clamp(x, low, high)`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clamp {
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Node for Clamp {
    fn run(&mut self, inputs: &[&[f64]], out: &mut [f64]) {
        let Self { low, high } = *self;
        each(inputs[0], out, |value| value.max(low).min(high));
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(*self)
    }
}

/// A number, in every event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number(pub(crate) f64);

impl Node for Number {
    fn run(&mut self, _: &[&[f64]], out: &mut [f64]) {
        out.fill(self.0);
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(*self)
    }
}

pub(crate) fn add(left: f64, right: f64) -> f64 {
    finite(left + right)
}

pub(crate) fn subtract(left: f64, right: f64) -> f64 {
    finite(left - right)
}

pub(crate) fn multiply(left: f64, right: f64) -> f64 {
    finite(left * right)
}

pub(crate) fn divide(left: f64, right: f64) -> f64 {
    finite(left / right)
}

pub(crate) fn truth(is_so: bool) -> f64 {
    if is_so { 1.0 } else { 0.0 }
}

pub(crate) fn sign(value: f64) -> f64 {
    truth(value > 0.0) - truth(value < 0.0)
}

/// A value above zero; others do not concern what smooths it.
pub(crate) fn positive(value: f64) -> f64 {
    if value > 0.0 { value } else { SKIP }
}

pub(crate) fn sqrt(value: f64) -> f64 {
    finite(value.sqrt())
}

pub(crate) fn log(value: f64) -> f64 {
    finite(libm::log(value))
}

pub(crate) fn exp(value: f64) -> f64 {
    finite(libm::exp(value))
}

pub(crate) fn tanh(value: f64) -> f64 {
    libm::tanh(value)
}
