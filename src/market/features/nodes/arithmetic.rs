//! Values of one event: operators and functions without a memory.

use std::fmt::{self, Debug};

use crate::features::expr::Operator;
use crate::features::node::{Column, Node, map, map_held};
use crate::features::value::{NONE, SKIP, finite, is_skip};
use crate::features::wide::wide;

/// A function of one value. Its type is that of the function itself, so that a block is one loop
/// without a call in it.
#[derive(Clone, Copy)]
pub(crate) struct Map<F>(pub(crate) F);

impl<F> Debug for Map<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Map")
    }
}

impl<F: Fn(f64) -> f64 + Copy + Send + Sync + 'static> Node for Map<F> {
    fn run(&mut self, inputs: &[Column<'_>], out: &mut [f64]) -> bool {
        wide(
            #[inline(always)]
            || map(inputs[0], out, self.0),
        )
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(*self)
    }
}

/// A function of two values, the last of each.
#[derive(Clone, Copy)]
pub(crate) struct Join<F> {
    function: F,
    held: [f64; 2],
}

impl<F> Debug for Join<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Join").field("held", &self.held).finish_non_exhaustive()
    }
}

impl<F> Join<F> {
    pub(crate) fn new(function: F) -> Self {
        Self { function, held: [NONE; 2] }
    }
}

impl<F: Fn(f64, f64) -> f64 + Copy + Send + Sync + 'static> Node for Join<F> {
    fn run(&mut self, inputs: &[Column<'_>], out: &mut [f64]) -> bool {
        let function = self.function;
        let inputs = [inputs[0], inputs[1]];
        wide(
            #[inline(always)]
            || map_held(inputs, &mut self.held, out, |[x, y]| function(x, y)),
        )
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
    fn run(&mut self, inputs: &[Column<'_>], out: &mut [f64]) -> bool {
        let Self { low, high } = *self;
        map(inputs[0], out, |value| value.max(low).min(high))
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
    fn run(&mut self, inputs: &[Column<'_>], out: &mut [f64]) -> bool {
        let otherwise = self.otherwise;
        map_held([inputs[0], inputs[1]], &mut self.held, out, |[x, y]| {
            if y == 0.0 { otherwise } else { finite(x / y) }
        })
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
    fn run(&mut self, inputs: &[Column<'_>], out: &mut [f64]) -> bool {
        for (at, out) in out.iter_mut().enumerate() {
            let fresh = [0, 1, 2].map(|input| inputs[input].values[at]);
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
        false
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
    fn run(&mut self, inputs: &[Column<'_>], out: &mut [f64]) -> bool {
        let unit = self.unit;
        map(inputs[0], out, |value| {
            let scaled = value * unit;
            // Beyond 2^52 there are no decimals to round.
            if scaled.abs() < 4.5e15 { scaled.round_ties_even() / unit } else { value }
        })
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(*self)
    }
}

/// A number, in every event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number(pub(crate) f64);

impl Node for Number {
    fn run(&mut self, _: &[Column<'_>], out: &mut [f64]) -> bool {
        out.fill(self.0);
        !self.0.is_nan()
    }

    fn fresh(&self) -> Box<dyn Node> {
        Box::new(*self)
    }
}

/// Says what each operator does, once for numbers and for columns.
macro_rules! with_operation {
    ($operator:expr, $function:ident => $result:expr) => {
        match $operator {
            Operator::Or => with_operation!(@ |a: f64, b: f64| truth(a != 0.0 || b != 0.0), $function, $result),
            Operator::And => with_operation!(@ |a: f64, b: f64| truth(a != 0.0 && b != 0.0), $function, $result),
            Operator::Less => with_operation!(@ |a: f64, b: f64| truth(a < b), $function, $result),
            Operator::LessEqual => with_operation!(@ |a: f64, b: f64| truth(a <= b), $function, $result),
            Operator::Greater => with_operation!(@ |a: f64, b: f64| truth(a > b), $function, $result),
            Operator::GreaterEqual => with_operation!(@ |a: f64, b: f64| truth(a >= b), $function, $result),
            Operator::Equal => with_operation!(@ |a: f64, b: f64| truth(a - b == 0.0), $function, $result),
            Operator::NotEqual => with_operation!(@ |a: f64, b: f64| truth(a - b != 0.0), $function, $result),
            Operator::Add => with_operation!(@ |a: f64, b: f64| finite(a + b), $function, $result),
            Operator::Subtract => with_operation!(@ |a: f64, b: f64| finite(a - b), $function, $result),
            Operator::Multiply => with_operation!(@ |a: f64, b: f64| finite(a * b), $function, $result),
            Operator::Divide => with_operation!(@ |a: f64, b: f64| finite(a / b), $function, $result),
        }
    };
    (@ $closure:expr, $function:ident, $result:expr) => {{
        let $function = $closure;
        $result
    }};
}

/// What an operator makes of two numbers.
pub(crate) fn apply(operator: Operator, left: f64, right: f64) -> f64 {
    with_operation!(operator, function => function(left, right))
}

/// The step of an operator with a number on its left: a function of one value, whose clock is that
/// of the value.
pub(crate) fn with_left(operator: Operator, left: f64) -> Box<dyn Node> {
    with_operation!(operator, function => Box::new(Map(move |right| function(left, right))))
}

/// The same with a number on its right.
pub(crate) fn with_right(operator: Operator, right: f64) -> Box<dyn Node> {
    with_operation!(operator, function => Box::new(Map(move |left| function(left, right))))
}

/// The step of an operator over two columns.
pub(crate) fn join(operator: Operator) -> Box<dyn Node> {
    with_operation!(operator, function => Box::new(Join::new(function)))
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
    finite(super::logarithm::log(value))
}

pub(crate) fn exp(value: f64) -> f64 {
    finite(libm::exp(value))
}

pub(crate) fn tanh(value: f64) -> f64 {
    libm::tanh(value)
}
