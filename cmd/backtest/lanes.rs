//! A driver with lanes: the variants that one thread runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use qt_market::features::{BookFrom, Engine, EngineOptions, Named, Plan, Program};
use qt_model::instrument::Symbol;
use qt_model::record::Batch;
use qt_model::time::Ts;
use qt_sim::driver::{Driven, Driver, DriverOptions, LaneParts};
use qt_sim::exchange::Exchange;
use qt_trade::core::{Desk, Strategy, TopFrom};
use qt_trade::metrics::{Figures, Options, Sample};
use qt_trade::script::Scripted;

use super::market::Market;
use super::summary::Outline;
use super::variant::Variant;
use super::watch::Watch;
use crate::strategy::StrategyFile;

/// What all lanes of a run share.
#[derive(Clone, Debug)]
pub(super) struct Common {
    pub(super) file: Arc<StrategyFile>,
    pub(super) market: Market,
    pub(super) seed: u64,
    pub(super) lookahead_ns: i64,
    pub(super) has_quotes: bool,
    pub(super) sample: Sample,
    pub(super) start: Ts,
}

/// Lanes at work.
#[derive(Debug)]
pub(super) struct Lanes {
    driver: Driver<Box<dyn Strategy>, Watch>,
    variants: Vec<Variant>,
}

/// What became of one variant.
#[derive(Debug)]
pub(super) struct Result {
    pub(super) variant: Variant,
    pub(super) outline: Outline,
    pub(super) figures: Option<Figures>,
    /// What was recorded and nobody drained.
    pub(super) rows: Batch,
}

impl Lanes {
    pub(super) fn new(common: &Common, variants: Vec<Variant>) -> anyhow::Result<Self> {
        let Common { file, market, .. } = common;
        let shared = Shared::new(&variants);
        let top = if common.has_quotes { TopFrom::Quotes } else { TopFrom::Depth };
        let options = DriverOptions {
            top,
            lookahead_ns: common.lookahead_ns,
            seed: common.seed,
            engine: shared.engine(common)?,
        };
        let mut driver = Driver::new(&market.instruments, None, options);
        for variant in &variants {
            let venues = file.venues.venues(variant.fills.model(), market.money());
            let exchange = Exchange::new(&venues, &market.instruments)?;
            let ledger = market.ledger()?;
            let places = shared.places(variant);
            let strategy = Scripted::new(&variant.compiled, &places, market.traded.clone());
            let mut observer = Watch::new(&ledger);
            if variant.is_measured {
                let options = Options { sample: common.sample, ..Options::new(market.currency) };
                observer.measure(&ledger, options, (&market.instruments, common.start))?;
            }
            if variant.is_recorded {
                observer.record(&file.definition.name, &market.instruments);
            }
            let strategy: Box<dyn Strategy> = Box::new(strategy);
            let desk = Desk::new(strategy, ledger, market.stack(), file.account.mark);
            driver.add(LaneParts { desk, exchange, venues: &venues, observer }, common.seed);
        }
        Ok(Self { driver, variants })
    }

    /// Takes a batch; gives one back that is done with.
    pub(super) fn push(&mut self, batch: Arc<Batch>) -> Option<Arc<Batch>> {
        self.driver.push(batch)
    }

    /// Moves what was recorded since the last time to a batch.
    pub(super) fn drain(&mut self, out: &mut Batch) {
        self.driver.lanes_mut().iter_mut().for_each(|lane| lane.observer_mut().drain(out));
    }

    pub(super) fn finish(self) -> (Vec<Result>, Driven) {
        let instruments = Arc::clone(self.driver.front().instruments());
        let (lanes, driven) = self.driver.finish();
        let results = self.variants.into_iter().zip(lanes).map(|(variant, lane)| {
            let (desk, mut watch) = lane.into_parts();
            let outline = Outline::new(variant.fills, desk.ledger(), &watch);
            let mut rows = Batch::new(Arc::clone(&instruments));
            watch.drain(&mut rows);
            let figures = watch.into_statistics().zip(driven.last);
            let figures = figures.map(|(statistics, end)| statistics.finish(end));
            Result { variant, outline, figures, rows }
        });
        (results.collect(), driven)
    }
}

/// The features of all variants, each once.
struct Shared {
    places: BTreeMap<String, usize>,
    named: Vec<Named>,
}

impl Shared {
    fn new(variants: &[Variant]) -> Self {
        let (mut places, mut named) = (BTreeMap::new(), Vec::new());
        for expr in variants.iter().flat_map(|variant| &variant.compiled.features) {
            let name = expr.to_string();
            if !places.contains_key(&name) {
                places.insert(name.clone(), named.len());
                named.push(Named { name, expr: expr.clone() });
            }
        }
        Self { places, named }
    }

    fn places(&self, variant: &Variant) -> Vec<usize> {
        variant.compiled.features.iter().map(|expr| self.places[&expr.to_string()]).collect()
    }

    /// What computes them, if there are any.
    fn engine(&self, common: &Common) -> anyhow::Result<Option<Engine>> {
        if self.named.is_empty() {
            return Ok(None);
        }
        let plan = Plan::new(&self.named)?;
        let book = if common.has_quotes { BookFrom::Quotes } else { BookFrom::Depth };
        let options = EngineOptions { book, only: true, ..EngineOptions::default() };
        let wanted = common.market.symbols();
        let wanted = Box::new(move |symbol: &Symbol| wanted.contains(symbol));
        Ok(Some(Engine::new(Program::new(plan), options, wanted)))
    }
}
