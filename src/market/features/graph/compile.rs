//! From trees to steps.

use std::collections::BTreeMap;
use std::ops::Range;

use super::super::base::Base;
use super::super::expr::{Argument, Expr, ExprError, ExprKind, Named, Operator, parse};

use super::super::node::Node;
use super::super::nodes::arithmetic::{self as math, Map, Number};
use super::super::nodes::moments::{Average, Both};
use super::super::nodes::window::Level;
use super::super::registry::{ArgKind, Body, Moment, function, functions};
use super::super::suggest::unknown;
use super::arguments::{Bound, Given, Scope, constant, parameter, places};
use super::rooms::Rooms;
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
    let rooms = Rooms::new(&compiler.steps, &outputs);
    Ok(Plan { steps: compiler.steps, outputs, names, rooms })
}

struct Compiler<'a> {
    features: &'a [Named],
    steps: Vec<Step>,
    known: BTreeMap<String, usize>,
    /// The features being compiled, one inside the other.
    open: Vec<&'a str>,
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

    fn base(&mut self, base: Base) -> usize {
        match self.known.get(base.name()) {
            Some(known) => *known,
            None => self.add(base.name().to_owned(), StepKind::Base(base), 1),
        }
    }

    fn number(&mut self, value: f64) -> usize {
        self.node(value.to_string(), Vec::new(), 1, || Box::new(Number(value)))
    }

    fn step(&mut self, expr: &Expr, scope: &Scope) -> Result<usize, ExprError> {
        match &expr.kind {
            ExprKind::Number(value) => Ok(self.number(*value)),
            ExprKind::Length(_) => {
                let message = "a length of time is a parameter, as in ret(mid, 10s)";
                Err(ExprError::new(expr.span.clone(), message))
            }
            ExprKind::Name(name) => self.name(name, &expr.span, scope),
            ExprKind::Negate(inner) => {
                if let Some(value) = constant(expr, scope) {
                    return Ok(self.number(value));
                }
                let inner = self.step(inner, scope)?;
                let key = format!("(-{})", self.steps[inner].key);
                Ok(self.node(key, vec![inner], 1, || Box::new(Map(|value: f64| -value))))
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
                self.binary(*operator, [left, right], scope)
            }
            ExprKind::Call(name, arguments) => self.call(name, arguments, &expr.span, scope),
        }
    }

    fn binary(
        &mut self,
        operator: Operator,
        [left, right]: [&Expr; 2],
        scope: &Scope,
    ) -> Result<usize, ExprError> {
        let sign = operator.sign();
        if let Some(number) = constant(left, scope) {
            let right = self.step(right, scope)?;
            let key = format!("({number} {sign} {})", self.steps[right].key);
            return Ok(self.node(key, vec![right], 1, || math::with_left(operator, number)));
        }
        let left = self.step(left, scope)?;
        if let Some(number) = constant(right, scope) {
            let key = format!("({} {sign} {number})", self.steps[left].key);
            return Ok(self.node(key, vec![left], 1, || math::with_right(operator, number)));
        }
        let right = self.step(right, scope)?;
        let key = format!("({} {sign} {})", self.steps[left].key, self.steps[right].key);
        Ok(self.node(key, vec![left, right], 1, || math::join(operator)))
    }

    /// What there is to know of a window: a part of the step that slides it. That step sums squares
    /// once somebody asks for the variance; the mean is the same with and without.
    fn window(&mut self, moment: Moment, input: usize, size: f64) -> usize {
        let input_key = self.steps[input].key.clone();
        let key = format!("{moment:?}({input_key},{size})");
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        let build = || -> Box<dyn Node> {
            match moment {
                Moment::Mean => Box::new(Average::new(Level::Mean, size as usize)),
                Moment::Variance => Box::new(Both::new(size as usize)),
            }
        };
        let slide = format!("window({input_key},{size})");
        let of = self.node(slide, vec![input], size as u64, build);
        let warm = self.steps[of].warm;
        let StepKind::Node { prototype, .. } = &mut self.steps[of].kind else {
            unreachable!("a window slides in a step of its own")
        };
        if moment == Moment::Variance && prototype.parts() == 1 {
            *prototype = build();
        }
        self.add(key, StepKind::Part { of, part: moment as usize }, warm)
    }

    fn name(&mut self, name: &str, span: &Range<usize>, scope: &Scope) -> Result<usize, ExprError> {
        match scope.names.get(name) {
            Some(Bound::Step(step)) => return Ok(*step),
            Some(Bound::Number(value)) => return Ok(self.number(*value)),
            Some(Bound::Length(nanos)) => return Ok(self.number(*nanos as f64 / 1e9)),
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
            return Ok(self.base(base));
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
        let (mut inputs, mut params, mut length) = (Vec::new(), Vec::new(), None);
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
                match parameter(function, arg, value, scope)? {
                    Given::Number(number) => {
                        params.push(number);
                        Bound::Number(number)
                    }
                    Given::Length(nanos) => {
                        params.push(nanos as f64 / 1e9);
                        length.get_or_insert(nanos);
                        Bound::Length(nanos)
                    }
                }
            };
            names.insert(arg.name, bound);
        }
        let unit = if length.is_some() { "s" } else { "" };
        let parts = inputs.iter().map(|input| self.steps[*input].key.clone());
        let parts: Vec<String> = parts.chain(params.iter().map(f64::to_string)).collect();
        let key = format!("{name}({}{unit})", parts.join(","));
        if let Some((nanos, timed)) = length.zip(function.timed) {
            inputs.push(self.base(Base::Now));
            // How many events a length of time holds is not known; it holds one at least.
            return Ok(self.node(key, inputs, 2, || timed(nanos, &params)));
        }
        let scope = Scope { names, at: Some(at) };
        let formula = |text: &str| parse(text).expect("the formulas of the registry are sound");
        match function.body {
            Body::Node { build, warm } => {
                Ok(self.node(key, inputs, warm(&params), || build(&params)))
            }
            Body::Formula(text) => self.step(&formula(text), &scope),
            Body::Over { inputs, build } => {
                let inputs = inputs.iter().map(|text| self.step(&formula(text), &scope));
                let inputs = inputs.collect::<Result<_, _>>()?;
                Ok(self.node(key, inputs, 1, || build(&params)))
            }
            Body::Window(moment) => Ok(self.window(moment, inputs[0], params[0])),
        }
    }
}
