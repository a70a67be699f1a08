//! Strategies written as text: features, parameters, and rules over them, compiled once.
//!
//! A [`Definition`] is what a file says. Compiling it binds the parameters, checks every name and
//! splits each expression in two: what depends on the market alone becomes a feature, computed
//! once for all variants that share it, and what is left is a short list of operations. Absent on
//! purpose: files and their syntax, which belong to the terminal.

mod compile;
mod definition;
mod exec;
mod formula;
mod quoting;
mod rules;
#[cfg(test)]
mod tests;
mod vars;

pub use compile::{Compiled, Problem, compile};
pub use definition::{
    Bracket, Definition, EntryStyle, Param, Protect, QuoteStyle, Rule, Schedule, Size, Source,
    Trigger,
};
pub use rules::Scripted;
pub use vars::Var;
