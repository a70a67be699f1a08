//! The arguments of a call: which parameter each is for, and what a parameter is given.

use std::collections::BTreeMap;
use std::ops::Range;

use super::super::expr::{Argument, Expr, ExprError, ExprKind};
use super::super::nodes::arithmetic as math;
use super::super::registry::{Arg, ArgKind, Function};
use super::super::suggest::unknown;

/// What the names of a formula's parameters stand for.
#[derive(Default)]
pub(super) struct Scope {
    pub(super) names: BTreeMap<&'static str, Bound>,
    /// Where the call stands: what is wrong inside a formula is shown there.
    pub(super) at: Option<Range<usize>>,
}

#[derive(Clone, Copy)]
pub(super) enum Bound {
    Step(usize),
    Number(f64),
    /// A length of time in nanoseconds.
    Length(i64),
}

/// Puts the arguments of a call in the places of the parameters.
pub(super) fn places<'e>(
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
        first.name.is_none()
            && matches!(first.value.kind, ExprKind::Number(_) | ExprKind::Length(_))
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

/// What a parameter is given.
#[derive(Clone, Copy, Debug)]
pub(super) enum Given {
    Number(f64),
    /// A length of time in nanoseconds.
    Length(i64),
}

/// What a parameter is given, checked against its kind and range.
pub(super) fn parameter(
    function: &Function,
    arg: &Arg,
    value: &Expr,
    scope: &Scope,
) -> Result<Given, ExprError> {
    let expected = match arg.kind {
        ArgKind::Events(least, most) => format!("a whole number from {least} to {most}"),
        ArgKind::Window(least, most) => {
            format!("a whole number from {least} to {most}, or a length of time such as 10s")
        }
        ArgKind::Length => "a length of time such as 10s".to_owned(),
        ArgKind::Number(least, most) if most < 1e15 => format!("a number from {least} to {most}"),
        ArgKind::Number(..) | ArgKind::Column => "a number".to_owned(),
    };
    let length = match &value.kind {
        ExprKind::Length(nanos) => Some(*nanos),
        ExprKind::Name(name) => match scope.names.get(name.as_str()) {
            Some(Bound::Length(nanos)) => Some(*nanos),
            Some(Bound::Step(_) | Bound::Number(_)) | None => None,
        },
        _ => None,
    };
    let number = constant(value, scope).filter(|_| length.is_none());
    let is_whole = |number: f64, least: u64, most: u64| {
        number.fract() == 0.0 && (least as f64..=most as f64).contains(&number)
    };
    let given = match (arg.kind, length, number) {
        (ArgKind::Window(..) | ArgKind::Length, Some(nanos), _) => Some(Given::Length(nanos)),
        (ArgKind::Events(least, most) | ArgKind::Window(least, most), None, Some(number)) => {
            Some(Given::Number(number)).filter(|_| is_whole(number, least, most))
        }
        (ArgKind::Number(least, most), None, Some(number)) => {
            Some(Given::Number(number)).filter(|_| (least..=most).contains(&number))
        }
        _ => None,
    };
    given.ok_or_else(|| {
        let at = scope.at.clone().unwrap_or_else(|| value.span.clone());
        let message =
            format!("`{}` of `{}`: expected {expected}, found `{value}`", arg.name, function.name);
        ExprError::new(at, message)
    })
}

/// The value of an expression that no event changes.
pub(super) fn constant(expr: &Expr, scope: &Scope) -> Option<f64> {
    let value = match &expr.kind {
        ExprKind::Number(value) => *value,
        ExprKind::Name(name) => match scope.names.get(name.as_str())? {
            Bound::Number(value) => *value,
            // In a formula a length of time counts in seconds.
            Bound::Length(nanos) => *nanos as f64 / 1e9,
            Bound::Step(_) => return None,
        },
        ExprKind::Negate(inner) => -constant(inner, scope)?,
        ExprKind::Binary(operator, left, right) => {
            math::apply(*operator, constant(left, scope)?, constant(right, scope)?)
        }
        ExprKind::Length(_) | ExprKind::Not(_) | ExprKind::Call(..) => return None,
    };
    value.is_finite().then_some(value)
}
