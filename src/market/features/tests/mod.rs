//! Features against their definitions, and against themselves in other batches.

mod behaviour;
mod blocks;
mod clusters;
mod core;
mod engine;
mod history;
mod labels;
mod lob;
mod odd;
mod plan;
mod queue;
mod tape;
mod timed;

use super::*;

fn program(features: &str) -> Program {
    Program::new(Plan::new(&parse_list(features).unwrap()).unwrap())
}

fn core15() -> String {
    list_of("core15")
}

/// A set as a list of expressions.
fn list_of(name: &str) -> String {
    let set = set(name).unwrap();
    let list: Vec<_> = set.features.iter().map(|(name, text)| format!("{name} = {text}")).collect();
    list.join(", ")
}

fn near(found: Option<f64>, expected: f64) -> bool {
    found.is_some_and(|found| (found - expected).abs() <= 1e-12 * expected.abs().max(1e-9))
}
