//! What is left of an expression once the market's part is a feature: operations on a small stack.
//!
//! An absent value is a NaN and stays one through arithmetic and comparisons; `and` and `or` decide
//! where one side is enough. A rule whose value is absent is not met.

use qt_market::features::Operator;

use super::vars::Var;

/// One operation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Op {
    Number(f64),
    Feature(usize),
    Var(Var),
    Negate,
    Not,
    Binary(Operator),
    Min,
    Max,
    Abs,
    Sign,
}

/// The deepest stack that a formula may need.
pub(super) const STACK: usize = 32;

/// Operations in the order of their execution.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Formula {
    ops: Vec<Op>,
    /// The feature that it is, if it is one alone: most rules are, and are looked at here.
    column: Option<usize>,
}

impl Formula {
    /// `None` where it would need a deeper stack.
    pub(super) fn new(ops: Vec<Op>) -> Option<Self> {
        let (mut depth, mut deepest) = (0_usize, 0);
        for op in &ops {
            depth = match op {
                Op::Number(_) | Op::Feature(_) | Op::Var(_) => depth + 1,
                Op::Negate | Op::Not | Op::Abs | Op::Sign => depth,
                Op::Binary(_) | Op::Min | Op::Max => depth - 1,
            };
            deepest = deepest.max(depth);
        }
        let column = alone(&ops);
        (deepest <= STACK).then_some(Self { ops, column })
    }

    /// Points its features at other places.
    pub(super) fn rebind(&mut self, places: &[usize]) {
        for op in &mut self.ops {
            if let Op::Feature(at) = op {
                *at = places[*at];
            }
        }
        self.column = alone(&self.ops);
    }

    /// The feature that it is, if it is one alone.
    #[inline]
    pub(super) fn column(&self) -> Option<usize> {
        self.column
    }

    #[inline]
    pub(super) fn value(&self, features: &[f64], var: impl Fn(Var) -> f64) -> f64 {
        match self.column {
            Some(at) => features.get(at).copied().unwrap_or(f64::NAN),
            None => self.run(features, var),
        }
    }

    /// Apart from those that are a feature alone, whose callers stay short.
    #[inline(never)]
    fn run(&self, features: &[f64], var: impl Fn(Var) -> f64) -> f64 {
        let mut stack = [0.0; STACK];
        let mut top = 0;
        for op in &self.ops {
            match op {
                Op::Number(value) => top = push(&mut stack, top, *value),
                Op::Feature(at) => {
                    let value = features.get(*at).copied().unwrap_or(f64::NAN);
                    top = push(&mut stack, top, value);
                }
                Op::Var(name) => top = push(&mut stack, top, var(*name)),
                Op::Negate => stack[top - 1] = -stack[top - 1],
                Op::Not => stack[top - 1] = truth(stack[top - 1], |value| value == 0.0),
                Op::Abs => stack[top - 1] = stack[top - 1].abs(),
                Op::Sign => {
                    let value = stack[top - 1];
                    stack[top - 1] = if value == 0.0 { 0.0 } else { value.signum() };
                }
                Op::Binary(operator) => {
                    top -= 1;
                    stack[top - 1] = binary(*operator, stack[top - 1], stack[top]);
                }
                Op::Min | Op::Max => {
                    top -= 1;
                    let (left, right) = (stack[top - 1], stack[top]);
                    let is_left = if *op == Op::Min { left < right } else { left > right };
                    let chosen = if is_left { left } else { right };
                    stack[top - 1] = if left.is_nan() { left } else { chosen };
                }
            }
        }
        stack[top - 1]
    }

    /// Whether the rule is met: it has a value, and that is not zero.
    #[inline]
    pub(super) fn is_met(&self, features: &[f64], var: impl Fn(Var) -> f64) -> bool {
        let value = self.value(features, var);
        !value.is_nan() && value != 0.0
    }
}

fn alone(ops: &[Op]) -> Option<usize> {
    if let [Op::Feature(at)] = ops { Some(*at) } else { None }
}

#[inline]
fn push(stack: &mut [f64; STACK], top: usize, value: f64) -> usize {
    stack[top] = value;
    top + 1
}

fn truth(value: f64, holds: impl Fn(f64) -> bool) -> f64 {
    if value.is_nan() { value } else { f64::from(u8::from(holds(value))) }
}

#[expect(clippy::float_cmp, reason = "equality is what the operator asks for")]
fn binary(operator: Operator, left: f64, right: f64) -> f64 {
    let compare = |holds: bool| {
        if left.is_nan() || right.is_nan() { f64::NAN } else { f64::from(u8::from(holds)) }
    };
    let finite = |value: f64| if value.is_finite() { value } else { f64::NAN };
    match operator {
        Operator::Or if left.is_nan() || right.is_nan() => {
            if left.abs() > 0.0 || right.abs() > 0.0 { 1.0 } else { f64::NAN }
        }
        Operator::Or => compare(left != 0.0 || right != 0.0),
        Operator::And if left == 0.0 || right == 0.0 => 0.0,
        Operator::And => compare(true),
        Operator::Less => compare(left < right),
        Operator::LessEqual => compare(left <= right),
        Operator::Greater => compare(left > right),
        Operator::GreaterEqual => compare(left >= right),
        Operator::Equal => compare(left == right),
        Operator::NotEqual => compare(left != right),
        Operator::Add => finite(left + right),
        Operator::Subtract => finite(left - right),
        Operator::Multiply => finite(left * right),
        Operator::Divide => finite(left / right),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(ops: &[Op], expected: Option<f64>) {
        let formula = Formula::new(ops.to_vec()).unwrap();
        let value = formula.value(&[7.0, f64::NAN], |_| 3.0);
        assert_eq!((!value.is_nan()).then_some(value), expected, "{ops:?}");
    }

    #[test]
    fn absence_spreads_until_one_side_decides() {
        use Op::*;
        let (one, zero, none) = (Number(1.0), Number(0.0), Feature(1));
        check(&[Feature(0), Var(super::Var::Position), Binary(Operator::Subtract)], Some(4.0));
        check(&[none, one, Binary(Operator::Add)], None);
        check(&[none, one, Binary(Operator::Less)], None);
        check(&[none, Not], None);
        check(&[none, zero, Binary(Operator::And)], Some(0.0));
        check(&[none, one, Binary(Operator::And)], None);
        check(&[none, one, Binary(Operator::Or)], Some(1.0));
        check(&[none, zero, Binary(Operator::Or)], None);
        check(&[one, zero, Binary(Operator::Divide)], None);
        check(&[one, Feature(0), Max, Number(-2.0), Abs, Min], Some(2.0));
        check(&[none, one, Min], None);
        check(&[one, none, Max], None);
        check(&[Feature(9), zero, Binary(Operator::Equal)], None);
    }

    #[test]
    fn a_formula_too_deep_for_the_stack_is_refused() {
        let mut ops = vec![Op::Number(1.0); STACK + 1];
        ops.extend(vec![Op::Binary(Operator::Add); STACK]);
        assert_eq!(Formula::new(ops), None);
    }
}
