//! From a definition and values for its parameters to rules that run.
//!
//! Invariant: what compiles refers to nothing that is not there. Problems carry the key they stand
//! under and the bytes of its text, so that whoever knows the file can point at them.

use std::collections::BTreeMap;
use std::ops::Range;

use qt_market::features::{Base, Expr, ExprError, ExprKind, Named, Plan, parse, unknown};

use super::definition::{Definition, Rule, Size, Source};
use super::formula::{Formula, Op};
use super::quoting::Quotes;
use super::rules::{Closing, Rules, Sides, SizeRule, Work};
use super::vars::Var;

/// What is wrong, where: a key, and bytes of the text under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub key: String,
    pub span: Range<usize>,
    pub message: String,
}

/// A definition with its parameters bound.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// What it asks of the market, each expression complete in itself.
    pub features: Vec<Expr>,
    /// The features of the file by name, each complete in itself.
    pub named: Vec<(String, Expr)>,
    /// Events of its slowest feature before that has a value.
    pub warm_at: u64,
    /// All parameters with their values.
    pub params: BTreeMap<String, f64>,
    pub(super) rules: Rules,
}

/// Binds the parameters; those without a value take their default.
pub fn compile(
    definition: &Definition,
    values: &BTreeMap<String, f64>,
) -> Result<Compiled, Vec<Problem>> {
    let mut compiler = Compiler::default();
    compiler.params(definition, values);
    compiler.features(definition);
    let rules = compiler.rules(definition);
    let warm_at = compiler.check();
    if !compiler.problems.is_empty() {
        return Err(compiler.problems);
    }
    let features = compiler.hidden.iter().map(|(_, expr)| compiler.inline(expr)).collect();
    let named = compiler.named.iter();
    let named = named.map(|(name, (_, expr))| (name.clone(), compiler.inline(expr))).collect();
    let params = compiler.params;
    Ok(Compiled { features, named, warm_at, params, rules })
}

#[derive(Default)]
struct Compiler {
    params: BTreeMap<String, f64>,
    named: BTreeMap<String, (String, Expr)>,
    /// Parts of rules that depend on the market alone, with the key they stand under.
    hidden: Vec<(String, Expr)>,
    problems: Vec<Problem>,
}

impl Compiler {
    fn complain(&mut self, key: &str, error: ExprError) {
        let (span, message) = (error.span, error.message);
        self.problems.push(Problem { key: key.to_owned(), span, message });
    }

    fn params(&mut self, definition: &Definition, values: &BTreeMap<String, f64>) {
        let known = |name: &&String| definition.params.iter().any(|param| param.name == **name);
        for name in values.keys().filter(|name| !known(name)) {
            let names = definition.params.iter().map(|param| param.name.as_str());
            let message = unknown("parameter", name, names);
            self.complain(&format!("params.{name}"), ExprError::new(0..0, message));
        }
        for param in &definition.params {
            let value = values.get(&param.name).copied().unwrap_or(param.default);
            let bounds =
                [param.min.filter(|min| value < *min), param.max.filter(|max| value > *max)];
            let message = match bounds {
                [Some(min), _] => Some(format!("{value} is below its least value {min}")),
                [_, Some(max)] => Some(format!("{value} is above its greatest value {max}")),
                _ if !value.is_finite() => Some("expected a finite number".to_owned()),
                _ if param.is_whole && value.fract() != 0.0 => {
                    Some(format!("{value} is not whole, as its default is"))
                }
                _ => None,
            };
            if let Some(message) = message.or_else(|| reserved(&param.name)) {
                self.complain(&format!("params.{}", param.name), ExprError::new(0..0, message));
            }
            self.params.insert(param.name.clone(), value);
        }
    }

    fn features(&mut self, definition: &Definition) {
        for (name, source) in &definition.features {
            let taken = match self.params.contains_key(name) {
                true => Some("a parameter has this name".to_owned()),
                false => reserved(name),
            };
            if let Some(message) = taken {
                self.complain(&source.key, ExprError::new(0..0, message));
            }
            match parse(&source.text).map(|expr| self.bind(expr)) {
                Ok(expr) => {
                    if let Some((var, span)) = state_in(&expr) {
                        let message =
                            format!("`{}` belongs to the strategy, not to the market", var.name());
                        self.complain(&source.key, ExprError::new(span, message));
                    }
                    self.named.insert(name.clone(), (source.key.clone(), expr));
                }
                Err(error) => self.complain(&source.key, error),
            }
        }
    }

    /// Puts the values of parameters in the place of their names.
    fn bind(&self, expr: Expr) -> Expr {
        map_names(expr, &|name, _| self.params.get(name).map(|value| ExprKind::Number(*value)))
    }

    /// Puts features in the place of their names, all the way down. Circles were found before.
    fn inline(&self, expr: &Expr) -> Expr {
        map_names(expr.clone(), &|name, _| {
            let (_, feature) = self.named.get(name)?;
            // A feature may carry the name of the column that it is.
            let is_itself = matches!(&feature.kind, ExprKind::Name(own) if own == name);
            (!is_itself).then(|| self.inline(feature).kind)
        })
    }

    /// Compiles all that is asked of the market as one plan; its first error is ours.
    fn check(&mut self) -> u64 {
        if !self.problems.is_empty() {
            return 0;
        }
        let named = self.named.iter().map(|(name, (_, expr))| (name.clone(), expr.clone()));
        let hidden = self.hidden.iter().enumerate();
        let hidden = hidden.map(|(at, (_, expr))| (format!("rule {at}"), expr.clone()));
        let list: Vec<Named> =
            named.chain(hidden).map(|(name, expr)| Named { name, expr }).collect();
        match Plan::new(&list) {
            Ok(plan) => (0..plan.len()).map(|at| plan.warm_at(at)).max().unwrap_or(0),
            Err(found) => {
                let at =
                    found.feature.strip_prefix("rule ").and_then(|at| at.parse::<usize>().ok());
                let key = match at {
                    Some(at) => self.hidden[at].0.clone(),
                    None => self.named[&found.feature].0.clone(),
                };
                self.complain(&key, found.error);
                0
            }
        }
    }

    fn formula(&mut self, source: &Source) -> Formula {
        let expr = match parse(&source.text) {
            Ok(expr) => self.bind(expr),
            Err(error) => {
                self.complain(&source.key, error);
                return Formula::default();
            }
        };
        let mut ops = Vec::new();
        if let Err(error) = self.lower(&source.key, &expr, &mut ops) {
            self.complain(&source.key, error);
            return Formula::default();
        }
        Formula::new(ops).unwrap_or_else(|| {
            self.complain(&source.key, ExprError::new(expr.span, "nested too deeply"));
            Formula::default()
        })
    }

    fn optional(&mut self, source: Option<&Source>) -> Option<Formula> {
        source.map(|source| self.formula(source))
    }

    fn sides(&mut self, rule: &Rule) -> Sides<Option<Formula>> {
        Sides { long: self.optional(rule.long.as_ref()), short: self.optional(rule.short.as_ref()) }
    }

    /// Appends the operations of an expression. What depends on the market alone becomes a feature.
    fn lower(&mut self, key: &str, expr: &Expr, ops: &mut Vec<Op>) -> Result<(), ExprError> {
        if state_in(expr).is_none() && has_name(expr) {
            self.known(expr)?;
            let known = self.hidden.iter().position(|(_, hidden)| hidden.kind == expr.kind);
            let at = known.unwrap_or(self.hidden.len());
            if known.is_none() {
                self.hidden.push((key.to_owned(), expr.clone()));
            }
            ops.push(Op::Feature(at));
            return Ok(());
        }
        match &expr.kind {
            ExprKind::Number(value) => ops.push(Op::Number(*value)),
            ExprKind::Length(_) => {
                let message = "a length of time is a parameter, as in ret(mid, 10s)";
                return Err(ExprError::new(expr.span.clone(), message));
            }
            ExprKind::Name(name) => {
                ops.push(Op::Var(Var::from_name(name).expect("the names of state are known")));
            }
            ExprKind::Negate(inner) => {
                self.lower(key, inner, ops)?;
                ops.push(Op::Negate);
            }
            ExprKind::Not(inner) => {
                self.lower(key, inner, ops)?;
                ops.push(Op::Not);
            }
            ExprKind::Binary(operator, left, right) => {
                self.lower(key, left, ops)?;
                self.lower(key, right, ops)?;
                ops.push(Op::Binary(*operator));
            }
            ExprKind::Call(name, arguments) => {
                let (op, count) = match name.as_str() {
                    "min" => (Op::Min, 2),
                    "max" => (Op::Max, 2),
                    "abs" => (Op::Abs, 1),
                    "sign" => (Op::Sign, 1),
                    _ => {
                        let message = format!(
                            "`{name}` is computed over the market and cannot take the strategy's \
                             own state; min, max, abs and sign can"
                        );
                        return Err(ExprError::new(expr.span.clone(), message));
                    }
                };
                if arguments.len() != count {
                    let message = format!("`{name}` takes {count} here");
                    return Err(ExprError::new(expr.span.clone(), message));
                }
                for argument in arguments {
                    self.lower(key, &argument.value, ops)?;
                }
                ops.push(op);
            }
        }
        Ok(())
    }

    /// Whether each name is one, with a suggestion that knows them all.
    fn known(&self, expr: &Expr) -> Result<(), ExprError> {
        let mut found = None;
        walk(expr, &mut |name, span| {
            let is_known = Base::from_name(name).is_some() || self.named.contains_key(name);
            if found.is_none() && !is_known {
                found = Some((name.to_owned(), span.clone()));
            }
        });
        let Some((name, span)) = found else { return Ok(()) };
        let known = (self.named.keys().chain(self.params.keys()).map(String::as_str))
            .chain(Base::ALL.iter().map(|base| base.name()))
            .chain(Var::ALL.iter().map(|var| var.name()));
        Err(ExprError::new(span, unknown("feature, parameter or column", &name, known)))
    }

    fn size(&mut self, size: &Size) -> SizeRule {
        match size {
            Size::Fixed(number) => SizeRule::Fixed(*number),
            Size::Qty(source) => SizeRule::Qty(self.formula(source)),
            Size::Notional(source) => SizeRule::Notional(self.formula(source)),
        }
    }

    fn rules(&mut self, definition: &Definition) -> Rules {
        let protect = &definition.protect;
        let style = &definition.style;
        Rules {
            trigger: definition.trigger,
            entry: self.sides(&definition.entry),
            exit: self.sides(&definition.exit),
            closing: Closing {
                stop_loss: self.optional(protect.stop_loss.as_ref()),
                take_profit: self.optional(protect.take_profit.as_ref()),
                trailing: self.optional(protect.trailing.as_ref()),
                max_holding_ns: protect.max_holding_ns,
            },
            size: self.size(&definition.size),
            work: Work {
                buy_at: self.optional(style.buy_at.as_ref()),
                sell_at: self.optional(style.sell_at.as_ref()),
                time_in_force: style.time_in_force,
                exit_at_market: style.exit_at_market,
                requote_ticks: style.requote_ticks,
                timeout_ns: style.timeout_ns,
                reverse: style.reverse,
                cooldown_ns: style.cooldown_ns,
                stop: self.optional(definition.bracket.stop.as_ref()),
                target: self.optional(definition.bracket.target.as_ref()),
            },
            quotes: definition.quote.as_ref().map(|quote| Quotes {
                bid: self.formula(&quote.bid),
                ask: self.formula(&quote.ask),
                requote_ticks: quote.requote_ticks,
                post_only: quote.post_only,
                max_position: quote.max_position.as_ref().map(|size| self.size(size)),
            }),
            schedule: definition.schedule.clone(),
        }
    }
}

/// Why a name cannot be given.
fn reserved(name: &str) -> Option<String> {
    let is_word = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    match () {
        () if !is_word => Some("a name has letters, digits and underscores".to_owned()),
        () if ["and", "or", "not"].contains(&name) => Some("this is an operator".to_owned()),
        () if Var::from_name(name).is_some() => {
            Some("the strategy's own state has this name".to_owned())
        }
        () => None,
    }
}

/// Calls `see` with every name of a tree that is not a function's.
fn walk(expr: &Expr, see: &mut impl FnMut(&str, &Range<usize>)) {
    match &expr.kind {
        ExprKind::Number(_) | ExprKind::Length(_) => {}
        ExprKind::Name(name) => see(name, &expr.span),
        ExprKind::Negate(inner) | ExprKind::Not(inner) => walk(inner, see),
        ExprKind::Binary(_, left, right) => {
            walk(left, see);
            walk(right, see);
        }
        ExprKind::Call(_, arguments) => {
            arguments.iter().for_each(|argument| walk(&argument.value, see));
        }
    }
}

fn state_in(expr: &Expr) -> Option<(Var, Range<usize>)> {
    let mut found = None;
    walk(expr, &mut |name, span| {
        found = found.take().or_else(|| Some((Var::from_name(name)?, span.clone())));
    });
    found
}

/// Whether a tree is more than numbers.
fn has_name(expr: &Expr) -> bool {
    let mut has = matches!(expr.kind, ExprKind::Call(..));
    walk(expr, &mut |_, _| has = true);
    has
}

/// A copy in which names are replaced where `replace` gives something for them.
fn map_names(expr: Expr, replace: &impl Fn(&str, &Range<usize>) -> Option<ExprKind>) -> Expr {
    let Expr { span, kind } = expr;
    let again = |inner: Box<Expr>| Box::new(map_names(*inner, replace));
    let kind = match kind {
        ExprKind::Number(_) | ExprKind::Length(_) => kind,
        ExprKind::Name(name) => replace(&name, &span).unwrap_or(ExprKind::Name(name)),
        ExprKind::Negate(inner) => ExprKind::Negate(again(inner)),
        ExprKind::Not(inner) => ExprKind::Not(again(inner)),
        ExprKind::Binary(operator, left, right) => {
            ExprKind::Binary(operator, again(left), again(right))
        }
        ExprKind::Call(name, arguments) => {
            let argument = |mut argument: qt_market::features::Argument| {
                argument.value = map_names(argument.value, replace);
                argument
            };
            ExprKind::Call(name, arguments.into_iter().map(argument).collect())
        }
    };
    Expr { span, kind }
}
