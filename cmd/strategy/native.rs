//! From the file of a native strategy to the strategy, and from expressions to what computes them.

use std::sync::Arc;

use qt_market::features::{BookFrom, Engine, EngineOptions, Named, Plan, Program};
use qt_model::instrument::Symbol;
use qt_trade::core::Strategy;
use qt_trade::native::{Column, Registration, Setup};
use qt_trade::script::Compiled;

use super::market::Market;
use crate::failure::Failure;

/// Builds a native strategy; `places` says for each named feature where its value will stand.
pub(crate) fn build(
    native: Registration,
    compiled: &Compiled,
    places: &[usize],
    market: &Market,
    seed: u64,
) -> anyhow::Result<Box<dyn Strategy>> {
    assert_eq!(places.len(), compiled.named.len(), "each feature has its place");
    let columns = compiled.named.iter().zip(places);
    let setup = Setup {
        params: compiled.params.clone(),
        columns: columns.map(|((name, _), at)| (name.clone(), Column::new(*at))).collect(),
        instruments: Arc::clone(&market.instruments),
        traded: market.traded.clone(),
        seed,
    };
    let built = native.build(&setup);
    built.map_err(|error| Failure::usage(format!("strategy `{}`: {error}", native.name)).into())
}

/// What computes features for the instruments that are traded, if there are any features.
pub(crate) fn engine(
    named: &[Named],
    market: &Market,
    has_quotes: bool,
) -> anyhow::Result<Option<Engine>> {
    if named.is_empty() {
        return Ok(None);
    }
    let plan = Plan::new(named).map_err(|found| {
        let failure = Failure::usage(found.error.pointing_into(&found.feature));
        failure.with_hint("`qt features --list` lists columns and functions")
    })?;
    let book = if has_quotes { BookFrom::Quotes } else { BookFrom::Depth };
    let options = EngineOptions { book, only: true, ..EngineOptions::default() };
    let wanted = market.symbols();
    let wanted = Box::new(move |symbol: &Symbol| wanted.contains(symbol));
    Ok(Some(Engine::new(Program::new(plan), options, wanted)))
}
