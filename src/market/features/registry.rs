//! The functions of expressions: a line each, by family. Help, the reference page and the compiler
//! read these tables.

mod behaviour;
mod flow;
mod plain;
mod sets;
mod technical;
mod windows;

use super::node::Node;

pub use sets::{SETS, Set};

/// A function that expressions can call.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    pub name: &'static str,
    pub args: &'static [Arg],
    /// What it is, as a formula or in words.
    pub doc: &'static str,
    pub unit: &'static str,
    pub example: &'static str,
    pub body: Body,
    /// The same over a length of time, for nodes whose window may be one.
    pub timed: Option<Timed>,
}

/// Builds a node over a length of time from its nanoseconds and all parameters, in which a length
/// counts in seconds. Its last input is the time of each event.
pub type Timed = fn(i64, &[f64]) -> Box<dyn Node>;

/// What a call becomes.
#[derive(Clone, Copy)]
pub enum Body {
    /// A step of its own. `warm` says how many values it takes before it has one.
    Node { build: fn(&[f64]) -> Box<dyn Node>, warm: fn(&[f64]) -> u64 },
    /// Another expression over the arguments.
    Formula(&'static str),
    /// A step over other expressions of the arguments; it takes all parameters behind the columns.
    Over { inputs: &'static [&'static str], build: fn(&[f64]) -> Box<dyn Node> },
    /// What there is to know of a window of events, which is slid once for all who ask.
    Window(Moment),
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Node { .. } => f.write_str("Node"),
            Self::Formula(text) => f.debug_tuple("Formula").field(text).finish(),
            Self::Over { inputs, .. } => f.debug_tuple("Over").field(inputs).finish(),
            Self::Window(moment) => f.debug_tuple("Window").field(moment).finish(),
        }
    }
}

/// What is asked of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    Mean,
    Variance,
}

/// A parameter.
#[derive(Clone, Copy, Debug)]
pub struct Arg {
    pub name: &'static str,
    pub kind: ArgKind,
    /// As it would be written; `None`: it has to be given.
    pub default: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ArgKind {
    /// An expression.
    Column,
    /// A whole number of events, from the least to the most.
    Events(u64, u64),
    /// The same, or a length of time.
    Window(u64, u64),
    /// A length of time.
    Length,
    /// A number in a range.
    Number(f64, f64),
}

/// The longest window: what it needs is allocated at once. A window of time that holds more events
/// than this lets the oldest go.
pub(super) const EVENTS_MAX: u64 = 1_000_000;

/// An expression, without which the call means nothing.
pub(super) const fn column(name: &'static str) -> Arg {
    Arg { name, kind: ArgKind::Column, default: None }
}

pub(super) const fn column_or(name: &'static str, default: &'static str) -> Arg {
    Arg { name, kind: ArgKind::Column, default: Some(default) }
}

pub(super) const fn events(name: &'static str, least: u64, default: &'static str) -> Arg {
    Arg { name, kind: ArgKind::Events(least, EVENTS_MAX), default: Some(default) }
}

pub(super) const fn window(name: &'static str, least: u64, default: &'static str) -> Arg {
    Arg { name, kind: ArgKind::Window(least, EVENTS_MAX), default: Some(default) }
}

pub(super) const fn length(name: &'static str, default: &'static str) -> Arg {
    Arg { name, kind: ArgKind::Length, default: Some(default) }
}

pub(super) const fn number(name: &'static str, range: (f64, f64), default: &'static str) -> Arg {
    Arg { name, kind: ArgKind::Number(range.0, range.1), default: Some(default) }
}

/// All functions, by family and then as written.
pub fn functions() -> impl Iterator<Item = &'static Function> {
    [
        plain::FUNCTIONS,
        windows::FUNCTIONS,
        technical::FUNCTIONS,
        flow::FUNCTIONS,
        behaviour::FUNCTIONS,
    ]
    .into_iter()
    .flatten()
}

pub fn function(name: &str) -> Option<&'static Function> {
    functions().find(|function| function.name == name)
}

pub fn set(name: &str) -> Option<&'static Set> {
    SETS.iter().find(|set| set.name == name)
}
