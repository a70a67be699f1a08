//! Values of one event: operators and functions without a memory.

use crate::features::node::{Node, both, each};
use crate::features::value::{NONE, SKIP, finite, is_skip};

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

/// `ratio(x, y, otherwise)`: x/y, and otherwise where y is zero.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ratio {
    otherwise: f64,
    held: [f64; 2],
}

impl Ratio {
    pub(crate) fn new(otherwise: f64) -> Self {
        Self { otherwise, held: [NONE; 2] }
    }
}

impl Node for Ratio {
    fn run(&mut self, inputs: &[&[f64]], out: &mut [f64]) {
        let otherwise = self.otherwise;
        both([inputs[0], inputs[1]], &mut self.held, out, |x, y| {
            if y == 0.0 { otherwise } else { finite(x / y) }
        });
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(Self::new(self.otherwise))
    }
}

/// `if(condition, x, y)`: the last value of one or the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choose {
    held: [f64; 3],
}

impl Choose {
    pub(crate) fn new() -> Self {
        Self { held: [NONE; 3] }
    }
}

impl Node for Choose {
    fn run(&mut self, inputs: &[&[f64]], out: &mut [f64]) {
        for (at, out) in out.iter_mut().enumerate() {
            let fresh = [0, 1, 2].map(|input| inputs[input][at]);
            for (held, fresh) in self.held.iter_mut().zip(fresh) {
                if !is_skip(fresh) {
                    *held = fresh;
                }
            }
            let [condition, x, y] = self.held;
            *out = match condition {
                _ if fresh.into_iter().all(is_skip) => SKIP,
                condition if condition.is_nan() => NONE,
                condition if condition != 0.0 => x,
                _ => y,
            };
        }
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(Self::new())
    }
}

/// `round(x, decimals)`, halves to even.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Round {
    unit: f64,
}

impl Round {
    pub(crate) fn new(decimals: f64) -> Self {
        Self { unit: (0..decimals as u32).fold(1.0, |unit, _| unit * 10.0) }
    }
}

impl Node for Round {
    fn run(&mut self, inputs: &[&[f64]], out: &mut [f64]) {
        let unit = self.unit;
        each(inputs[0], out, |value| {
            let scaled = value * unit;
            // Beyond 2^52 there are no decimals to round.
            if scaled.abs() < 4.5e15 { scaled.round_ties_even() / unit } else { value }
        });
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
