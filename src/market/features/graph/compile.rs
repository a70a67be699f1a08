//! From trees to steps.

use std::collections::BTreeMap;
use std::ops::Range;

use super::super::base::Base;
use super::super::expr::{Argument, Expr, ExprError, ExprKind, Named, Operator, parse};
use super::super::node::Node;
use super::super::nodes::arithmetic::{self as math, Join, Map, Number};
use super::super::registry::{Arg, ArgKind, Body, Function, function, functions};
use super::super::suggest::unknown;
use super::{Plan, Step, StepKind};

/// What is wrong with a list of features: which one, and where in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("feature `{feature}`: {error}")]
pub struct CompileError {
    pub feature: String,
    pub error: ExprError,
}

/// Compiles a list; features may use each other by name.
pub(super) fn compile(features: &[Named]) -> Result<Plan, CompileError> {
    let mut compiler =
        Compiler { features, steps: Vec::new(), known: BTreeMap::new(), open: vec![] };
    let mut outputs = Vec::with_capacity(features.len());
    for feature in features {
        let fail = |error| CompileError { feature: feature.name.clone(), error };
        if features.iter().filter(|other| other.name == feature.name).count() > 1 {
            let message = "there are two features of this name";
            return Err(fail(ExprError::new(feature.expr.span.clone(), message)));
        }
        compiler.open.push(&feature.name);
        outputs.push(compiler.step(&feature.expr, &Scope::default()).map_err(fail)?);
        compiler.open.pop();
    }
    let names = features.iter().map(|feature| feature.name.clone()).collect();
    Ok(Plan { steps: compiler.steps, outputs, names })
}

struct Compiler<'a> {
    features: &'a [Named],
    steps: Vec<Step>,
    known: BTreeMap<String, usize>,
    /// The features being compiled, one inside the other.
    open: Vec<&'a str>,
}

/// What the names of a formula's parameters stand for.
#[derive(Default)]
struct Scope {
    names: BTreeMap<&'static str, Bound>,
    /// Where the call stands: what is wrong inside a formula is shown there.
    at: Option<Range<usize>>,
}

#[derive(Clone, Copy)]
enum Bound {
    Step(usize),
    Number(f64),
}

impl Compiler<'_> {
    fn add(&mut self, key: String, kind: StepKind, warm: u64) -> usize {
        let at = self.steps.len();
        self.known.insert(key.clone(), at);
        self.steps.push(Step { key, kind, warm });
        at
    }

    /// The step of a node over inputs: one that is known, or a new one.
    fn node(
        &mut self,
        key: String,
        inputs: Vec<usize>,
        warm: u64,
        build: impl FnOnce() -> Box<dyn Node>,
    ) -> usize {
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        let before = inputs.iter().map(|input| self.steps[*input].warm).max().unwrap_or(1);
        let warm = before + warm.max(1) - 1;
        self.add(key, StepKind::Node { prototype: build(), inputs }, warm)
    }

    fn number(&mut self, value: f64) -> usize {
        self.node(value.to_string(), Vec::new(), 1, || Box::new(Number(value)))
    }

    fn step(&mut self, expr: &Expr, scope: &Scope) -> Result<usize, ExprError> {
        match &expr.kind {
            ExprKind::Number(value) => Ok(self.number(*value)),
            ExprKind::Name(name) => self.name(name, &expr.span, scope),
            ExprKind::Negate(inner) => {
                if let Some(value) = constant(expr, scope) {
                    return Ok(self.number(value));
                }
                let inner = self.step(inner, scope)?;
                let key = format!("(-{})", self.steps[inner].key);
                Ok(self.node(key, vec![inner], 1, || Box::new(Map(std::ops::Neg::neg))))
            }
            ExprKind::Not(inner) => {
                let inner = self.step(inner, scope)?;
                let key = format!("(not {})", self.steps[inner].key);
                let not = |value: f64| math::truth(value == 0.0);
                Ok(self.node(key, vec![inner], 1, || Box::new(Map(not))))
            }
            ExprKind::Binary(operator, left, right) => {
                if let Some(value) = constant(expr, scope) {
                    return Ok(self.number(value));
                }
                let (left, right) = (self.step(left, scope)?, self.step(right, scope)?);
                let (l, r) = (&self.steps[left].key, &self.steps[right].key);
                let key = format!("({l} {} {r})", operator.sign());
                let join = Join::new(operation(*operator));
                Ok(self.node(key, vec![left, right], 1, || Box::new(join)))
            }
            ExprKind::Call(name, arguments) => self.call(name, arguments, &expr.span, scope),
        }
    }

    fn name(&mut self, name: &str, span: &Range<usize>, scope: &Scope) -> Result<usize, ExprError> {
        match scope.names.get(name) {
            Some(Bound::Step(step)) => return Ok(*step),
            Some(Bound::Number(value)) => return Ok(self.number(*value)),
            None => {}
        }
        let features = self.features;
        if scope.at.is_none()
            && let Some(feature) = features.iter().find(|feature| feature.name == name)
            && !matches!(&feature.expr.kind, ExprKind::Name(own) if own == name)
        {
            if self.open.contains(&name) {
                let circle = self.open.join(" → ");
                let message = format!("a circle: {circle} → {name}");
                return Err(ExprError::new(span.clone(), message));
            }
            self.open.push(&feature.name);
            let step = self.step(&feature.expr, scope);
            self.open.pop();
            return step;
        }
        if let Some(base) = Base::from_name(name) {
            if let Some(known) = self.known.get(name) {
                return Ok(*known);
            }
            return Ok(self.add(name.to_owned(), StepKind::Base(base), 1));
        }
        if function(name).is_some() {
            let message = format!("`{name}` is a function: write `{name}(…)`");
            return Err(ExprError::new(span.clone(), message));
        }
        let known = Base::ALL.iter().map(|base| base.name());
        let message = unknown(
            "column or feature",
            name,
            known.chain(features.iter().map(|it| it.name.as_str())),
        );
        Err(ExprError::new(span.clone(), message))
    }

    fn call(
        &mut self,
        name: &str,
        arguments: &[Argument],
        span: &Range<usize>,
        scope: &Scope,
    ) -> Result<usize, ExprError> {
        let at = scope.at.clone().unwrap_or_else(|| span.clone());
        let Some(function) = function(name) else {
            let message = unknown("function", name, functions().map(|function| function.name));
            return Err(ExprError::new(span.clone(), message));
        };
        let given = places(function, arguments, &at)?;
        let mut names = BTreeMap::new();
        let (mut inputs, mut params) = (Vec::new(), Vec::new());
        for (arg, value) in function.args.iter().zip(given) {
            let default;
            let value = match (value, arg.default) {
                (Some(value), _) => value,
                (None, Some(text)) => {
                    default =
                        parse(text).map_err(|error| ExprError::new(at.clone(), error.message))?;
                    &default
                }
                (None, None) => {
                    let message =
                        format!("`{name}` needs `{}`, as in {}", arg.name, function.example);
                    return Err(ExprError::new(at, message));
                }
            };
            let bound = if arg.kind == ArgKind::Column {
                let step = self.step(value, scope)?;
                inputs.push(step);
                Bound::Step(step)
            } else {
                let number = parameter(function, arg, value, scope)?;
                params.push(number);
                Bound::Number(number)
            };
            names.insert(arg.name, bound);
        }
        match function.body {
            Body::Node { build, warm } => {
                let parts = inputs.iter().map(|input| self.steps[*input].key.clone());
                let parts: Vec<String> = parts.chain(params.iter().map(f64::to_string)).collect();
                let key = format!("{name}({})", parts.join(","));
                Ok(self.node(key, inputs, warm(&params), || build(&params)))
            }
            Body::Formula(text) => {
                let inner = parse(text).expect("the formulas of the registry are sound");
                let scope = Scope { names, at: Some(at) };
                self.step(&inner, &scope)
            }
        }
    }
}

/// Puts the arguments of a call in the places of the parameters.
fn places<'e>(
    function: &Function,
    arguments: &'e [Argument],
    at: &Range<usize>,
) -> Result<Vec<Option<&'e Expr>>, ExprError> {
    let mut places: Vec<Option<&Expr>> = vec![None; function.args.len()];
    let by_place = arguments.iter().filter(|argument| argument.name.is_none()).count();
    // `rsi(14)`: a number in the place of a column that has a default means the next parameter.
    let skips_column = function.args.first().is_some_and(|arg| {
        arg.kind == ArgKind::Column && arg.default.is_some() && by_place < function.args.len()
    }) && arguments.first().is_some_and(|first| {
        first.name.is_none() && matches!(first.value.kind, ExprKind::Number(_))
    });
    let mut next = usize::from(skips_column);
    for argument in arguments {
        let span = argument.value.span.clone();
        let place = match &argument.name {
            Some(name) => {
                function.args.iter().position(|arg| arg.name == name).ok_or_else(|| {
                    let known = function.args.iter().map(|arg| arg.name);
                    let what = format!("parameter of `{}`", function.name);
                    ExprError::new(span.clone(), unknown(&what, name, known))
                })?
            }
            None => {
                next += 1;
                next - 1
            }
        };
        let slot = places.get_mut(place).ok_or_else(|| {
            let count = function.args.len();
            let message = format!(
                "`{}` takes at most {count} arguments, as in {}",
                function.name, function.example
            );
            ExprError::new(at.clone(), message)
        })?;
        if slot.replace(&argument.value).is_some() {
            let message = format!("`{}` is given twice", function.args[place].name);
            return Err(ExprError::new(span, message));
        }
    }
    Ok(places)
}

/// The number that a parameter is given, checked against its range.
fn parameter(
    function: &Function,
    arg: &Arg,
    value: &Expr,
    scope: &Scope,
) -> Result<f64, ExprError> {
    let expected = match arg.kind {
        ArgKind::Events(least, most) => format!("a whole number from {least} to {most}"),
        ArgKind::Number(least, most) if most < 1e15 => format!("a number from {least} to {most}"),
        ArgKind::Number(..) | ArgKind::Column => "a number".to_owned(),
    };
    let fits = |number: &f64| match arg.kind {
        ArgKind::Events(least, most) => {
            number.fract() == 0.0 && (least as f64..=most as f64).contains(number)
        }
        ArgKind::Number(least, most) => (least..=most).contains(number),
        ArgKind::Column => false,
    };
    constant(value, scope).filter(fits).ok_or_else(|| {
        let at = scope.at.clone().unwrap_or_else(|| value.span.clone());
        let message =
            format!("`{}` of `{}`: expected {expected}, found `{value}`", arg.name, function.name);
        ExprError::new(at, message)
    })
}

/// The value of an expression that no event changes.
fn constant(expr: &Expr, scope: &Scope) -> Option<f64> {
    let value = match &expr.kind {
        ExprKind::Number(value) => *value,
        ExprKind::Name(name) => match scope.names.get(name.as_str())? {
            Bound::Number(value) => *value,
            Bound::Step(_) => return None,
        },
        ExprKind::Negate(inner) => -constant(inner, scope)?,
        ExprKind::Binary(operator, left, right) => {
            operation(*operator)(constant(left, scope)?, constant(right, scope)?)
        }
        ExprKind::Not(_) | ExprKind::Call(..) => return None,
    };
    value.is_finite().then_some(value)
}

fn operation(operator: Operator) -> fn(f64, f64) -> f64 {
    match operator {
        Operator::Or => |a, b| math::truth(a != 0.0 || b != 0.0),
        Operator::And => |a, b| math::truth(a != 0.0 && b != 0.0),
        Operator::Less => |a, b| math::truth(a < b),
        Operator::LessEqual => |a, b| math::truth(a <= b),
        Operator::Greater => |a, b| math::truth(a > b),
        Operator::GreaterEqual => |a, b| math::truth(a >= b),
        Operator::Equal => |a, b| math::truth(a.to_bits() == b.to_bits() || a - b == 0.0),
        Operator::NotEqual => |a, b| math::truth(a - b != 0.0),
        Operator::Add => math::add,
        Operator::Subtract => math::subtract,
        Operator::Multiply => math::multiply,
        Operator::Divide => math::divide,
    }
}
