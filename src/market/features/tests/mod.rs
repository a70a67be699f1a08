//! Features against their definitions, and against themselves in other batches.

mod core;
mod engine;
mod lob;
mod plan;
mod tape;

use super::*;

fn program(features: &str) -> Program {
    Program::new(Plan::new(&parse_list(features).unwrap()).unwrap())
}

fn core15() -> String {
    let set = set("core15").unwrap();
    let list: Vec<_> = set.features.iter().map(|(name, text)| format!("{name} = {text}")).collect();
    list.join(", ")
}

fn near(found: Option<f64>, expected: f64) -> bool {
    found.is_some_and(|found| (found - expected).abs() <= 1e-12 * expected.abs().max(1e-9))
}
