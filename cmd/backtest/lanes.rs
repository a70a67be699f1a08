//! A driver with lanes: the variants that one thread runs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use qt_live::process::{Fault, Process, ProcessError, ProcessOptions};
use qt_market::features::{Expr, Named, parse};
use qt_model::ids::InstrumentId;
use qt_model::record::Batch;
use qt_model::time::Ts;
use qt_sim::driver::{Driven, Driver, DriverOptions, Feed, LaneParts, Records};
use qt_sim::exchange::{Delay, Exchange, FillModel, Latency, LatencyConfig};
use qt_trade::core::{Core, Desk, Front, Strategy, TopFrom};
use qt_trade::metrics::{Figures, Options, Sample};
use qt_trade::native::Registration;
use qt_trade::script::{Compiled, Scripted};

use super::spill::Keeper;
use super::summary::Outline;
use super::variant::{Kept, Variant};
use super::watch::Watch;
use crate::failure::Failure;
use crate::strategy::{self, Market, RegimeTerms, StrategyFile};

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

impl Common {
    fn top(&self) -> TopFrom {
        if self.has_quotes { TopFrom::Quotes } else { TopFrom::Depth }
    }

    /// The delay on top of the data's own: what all lanes see.
    fn feed(&self) -> Option<Latency> {
        let venues = self.file.venues.venues(FillModel::default(), self.market.money());
        let latency = LatencyConfig::clone(&venues.default.latency);
        let has_feed = latency.feed != Delay::Constant { ns: 0 };
        has_feed.then(|| Latency::new(latency, self.seed))
    }
}

/// Lanes at work.
#[derive(Debug)]
pub(super) struct Lanes {
    driver: Driver<Box<dyn Strategy>, Watch>,
    variants: Vec<Variant>,
    faults: Vec<Fault>,
}

/// What became of one variant.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) variant: Variant,
    pub(super) outline: Outline,
    pub(super) figures: Option<Figures>,
    /// Requests that the rules about risk refused.
    pub(super) refusals: u64,
    /// See [`Watch::skipped`].
    pub(super) skipped: BTreeSet<(InstrumentId, &'static str)>,
    /// What was recorded and nobody drained.
    pub(super) rows: Batch,
}

impl Lanes {
    pub(super) fn new(common: &Common, variants: Vec<Variant>) -> anyhow::Result<Self> {
        let Common { file, market, .. } = common;
        let programs = variants.iter().map(|variant| Program::start(common, variant));
        let programs = programs.collect::<anyhow::Result<Vec<_>>>()?;
        let shared = Shared::new(&programs);
        let options = DriverOptions {
            top: common.top(),
            lookahead_ns: common.lookahead_ns,
            engine: strategy::engine(&shared.named, market, common.has_quotes)?,
        };
        let mut driver = Driver::new(&market.instruments, common.feed(), options);
        let mut faults = Vec::new();
        // Lanes that fill alike have their venues' terms in common, which stay near then.
        let mut terms = BTreeMap::new();
        for (variant, program) in variants.iter().zip(programs) {
            let fills = variant.fills;
            let venues = terms
                .entry(fills)
                .or_insert_with(|| file.venues.venues(fills.model(), market.money()));
            let exchange = Exchange::new(venues, &market.instruments)?;
            let ledger = market.ledger()?;
            let places = shared.places(&program);
            let strategy = program.strategy(common, places, &mut faults)?;
            let mut observer = Watch::new(&ledger);
            if variant.is_measured {
                let rows = variant.kept == Kept::All;
                let options = Options {
                    sample: common.sample.clone(),
                    rows,
                    ..Options::new(market.currency)
                };
                observer.measure(&ledger, options, (&market.instruments, common.start))?;
            }
            observer.record(variant.kept, &file.definition.name, &market.instruments);
            let desk = Desk::new(strategy, ledger, market.stack(), file.account.mark);
            driver.add(LaneParts { desk, exchange, venues, observer }, common.seed);
        }
        Ok(Self { driver, variants, faults })
    }

    /// Takes a batch; gives one back that is done with.
    pub(super) fn push(&mut self, records: Records) -> Option<Records> {
        self.driver.push(records)
    }

    /// Lets the rows of all lanes go there while they run.
    pub(super) fn spill_to(&mut self, keeper: &Keeper) {
        for (at, lane) in self.driver.lanes_mut().iter_mut().enumerate() {
            lane.observer_mut().spill_to(keeper.spill(at));
        }
    }

    /// What went wrong with a strategy first, if anything did.
    pub(super) fn fault(&self) -> Option<ProcessError> {
        self.faults.iter().find_map(Fault::get)
    }

    /// Hands out what each lane recorded since the last time, in a batch that is used again.
    pub(super) fn drain(
        &mut self,
        rows: &mut Batch,
        mut take: impl FnMut(usize, &Batch) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        for (at, lane) in self.driver.lanes_mut().iter_mut().enumerate() {
            lane.observer_mut().drain(rows);
            take(at, rows)?;
            rows.clear();
        }
        Ok(())
    }

    pub(super) fn finish(self) -> (Vec<Ran>, Driven) {
        let instruments = Arc::clone(self.driver.front().instruments());
        let (lanes, driven) = self.driver.finish();
        let results = self.variants.into_iter().zip(lanes).map(|(variant, lane)| {
            let (desk, mut watch) = lane.into_parts();
            let outline = Outline::new(variant.fills, desk.ledger(), &watch);
            let (refusals, skipped) = (desk.refusals(), std::mem::take(&mut watch.skipped));
            let mut rows = Batch::new(Arc::clone(&instruments));
            watch.drain(&mut rows);
            let figures = watch.into_statistics().zip(driven.last);
            let figures = figures.map(|(statistics, end)| statistics.finish(end));
            Ran { variant, outline, figures, refusals, skipped, rows }
        });
        (results.collect(), driven)
    }
}

/// One variant without a driver.
#[derive(Debug)]
pub(super) struct Alone {
    pub(super) core: Core<Box<dyn Strategy>>,
    pub(super) faults: Vec<Fault>,
    pub(super) feed: Feed,
}

impl Alone {
    pub(super) fn new(common: &Common, variant: &Variant) -> anyhow::Result<Self> {
        let (market, mut faults) = (&common.market, Vec::new());
        let program = Program::start(common, variant)?;
        let shared = Shared::new(std::slice::from_ref(&program));
        let places = shared.places(&program);
        let strategy = program.strategy(common, places, &mut faults)?;
        let desk = Desk::new(strategy, market.ledger()?, market.stack(), common.file.account.mark);
        let engine = strategy::engine(&shared.named, market, common.has_quotes)?;
        let front = Front::new(Arc::clone(&market.instruments), common.top());
        let core = Core::new(front, desk, engine);
        Ok(Self { core, faults, feed: Feed::new(common.feed()) })
    }
}

/// What decides in a lane.
#[derive(Debug)]
enum Program {
    Script(Arc<Compiled>),
    Regime { terms: Box<RegimeTerms>, features: Vec<Expr> },
    Native { native: Registration, compiled: Arc<Compiled>, features: Vec<Expr> },
    Process { process: Box<Process>, features: Vec<Expr> },
}

impl Program {
    fn start(common: &Common, variant: &Variant) -> anyhow::Result<Self> {
        let file = &common.file;
        if let Some(terms) = &file.regime {
            return Ok(Self::Regime {
                features: terms.expressions(),
                terms: Box::new(terms.clone()),
            });
        }
        if let Some(native) = file.native {
            let compiled = Arc::clone(&variant.compiled);
            let features = compiled.named.iter().map(|(_, expr)| expr.clone()).collect();
            return Ok(Self::Native { native, compiled, features });
        }
        let Some(terms) = &file.process else {
            return Ok(Self::Script(Arc::clone(&variant.compiled)));
        };
        let options = ProcessOptions {
            strategy: file.definition.name.clone(),
            command: terms.command.clone(),
            folder: file.folder().map(Path::to_owned),
            limit: terms.limit,
            params: variant.compiled.params.clone(),
            seed: common.seed,
        };
        let process = Process::start(&options, Arc::clone(&common.market.instruments))?;
        let expr = |text: &String| {
            parse(text).map_err(|error| {
                let hint = "it came as `features` in the first answer of the process";
                Failure::usage(error.pointing_into(text)).with_hint(hint)
            })
        };
        let features = process.features().iter().map(expr).collect::<Result<_, _>>()?;
        Ok(Self::Process { process: Box::new(process), features })
    }

    /// What decides, with the places of its features in the rows to come.
    fn strategy(
        self,
        common: &Common,
        places: Vec<usize>,
        faults: &mut Vec<Fault>,
    ) -> anyhow::Result<Box<dyn Strategy>> {
        let (market, traded) = (&common.market, common.market.traded.clone());
        Ok(match self {
            Self::Script(compiled) => Box::new(Scripted::new(&compiled, &places, traded)),
            Self::Regime { terms, .. } => Box::new(terms.strategy(&places, traded)),
            Self::Native { native, compiled, .. } => {
                strategy::build(native, &compiled, &places, market, common.seed)?
            }
            Self::Process { mut process, .. } => {
                process.place(places);
                faults.push(process.fault());
                process
            }
        })
    }

    fn features(&self) -> &[Expr] {
        match self {
            Self::Script(compiled) => &compiled.features,
            Self::Regime { features, .. }
            | Self::Native { features, .. }
            | Self::Process { features, .. } => features,
        }
    }
}

/// The features of all variants, each once.
struct Shared {
    places: BTreeMap<String, usize>,
    named: Vec<Named>,
}

impl Shared {
    fn new(programs: &[Program]) -> Self {
        let (mut places, mut named) = (BTreeMap::new(), Vec::new());
        for expr in programs.iter().flat_map(Program::features) {
            let name = expr.to_string();
            if !places.contains_key(&name) {
                places.insert(name.clone(), named.len());
                named.push(Named { name, expr: expr.clone() });
            }
        }
        Self { places, named }
    }

    fn places(&self, program: &Program) -> Vec<usize> {
        program.features().iter().map(|expr| self.places[&expr.to_string()]).collect()
    }
}
