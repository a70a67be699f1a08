//! From a strategy file to the lanes of a run: one for each fill model of the band.

use std::collections::BTreeMap;
use std::sync::Arc;

use qt_market::features::{BookFrom, Engine, EngineOptions, Named, Plan, Program};
use qt_model::ids::InstrumentId;
use qt_model::instrument::{Instruments, Symbol};
use qt_model::order::{Cash, Currency};
use qt_model::record::{Batch, Metric};
use qt_model::time::Ts;
use qt_sim::driver::{Driven, Driver, DriverOptions, LaneParts};
use qt_sim::exchange::{Exchange, Preset};
use qt_stream::catalog::SymbolPattern;
use qt_trade::core::{Desk, TopFrom};
use qt_trade::ledger::{Ledger, LedgerOptions};
use qt_trade::metrics::Options;
use qt_trade::risk::{AnyRule, MaxOrderQty, MaxPosition, Stack};
use qt_trade::script::{Compiled, Scripted};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::summary::Band;
use super::watch::Watch;
use crate::failure::Failure;
use crate::strategy::StrategyFile;

/// What a run is made of.
#[derive(Debug)]
pub(super) struct Setup<'a> {
    pub(super) file: &'a StrategyFile,
    pub(super) compiled: &'a Compiled,
    pub(super) values: &'a BTreeMap<String, f64>,
    pub(super) main: Preset,
    pub(super) seed: u64,
    pub(super) lookahead_ns: i64,
    pub(super) has_quotes: bool,
}

pub(super) fn preset(text: &str) -> Result<Preset, String> {
    let found = Preset::ALL.into_iter().find(|preset| preset.name() == text);
    found.ok_or_else(|| {
        let names = Preset::ALL.map(Preset::name).join(", ");
        format!("expected one of {names}, found `{text}`")
    })
}

/// The lanes at work.
#[derive(Debug)]
pub(super) struct Run {
    driver: Driver<Scripted, Watch>,
    currency: Currency,
    presets: Vec<Preset>,
    assumptions: Vec<String>,
}

/// What a run came to.
#[derive(Debug)]
pub(super) struct Finished {
    /// The main model first.
    pub(super) band: Vec<Band>,
    /// Of the main model, in the order of the registry.
    pub(super) metrics: Vec<Metric>,
    pub(super) driven: Driven,
    pub(super) currency: Currency,
    pub(super) assumptions: Vec<String>,
}

impl Run {
    pub(super) fn new(
        setup: &Setup<'_>,
        instruments: &Arc<Instruments>,
        start: Ts,
    ) -> anyhow::Result<Self> {
        let name = &setup.file.definition.name;
        let traded = traded(setup.file, instruments)?;
        let currency = currency(setup.file, instruments, &traded)?;
        let engine = engine(setup, instruments, &traded)?;
        let top = if setup.has_quotes { TopFrom::Quotes } else { TopFrom::Depth };
        let options =
            DriverOptions { top, lookahead_ns: setup.lookahead_ns, seed: setup.seed, engine };
        let mut driver = Driver::new(instruments, None, options);
        let others = Preset::ALL.into_iter().filter(|preset| *preset != setup.main);
        let presets: Vec<Preset> = std::iter::once(setup.main).chain(others).collect();
        for preset in &presets {
            let venues = setup.file.venues.venues(preset.model(), currency);
            let exchange = Exchange::new(&venues, instruments)?;
            let ledger = ledger(setup.file, currency, instruments)?;
            let places: Vec<usize> = (0..setup.compiled.features.len()).collect();
            let strategy = Scripted::new(setup.compiled, &places, traded.clone());
            let stack = stack(setup.file, instruments, &traded)?;
            let observer = match *preset == setup.main {
                true => Watch::full(&ledger, Options::new(currency), name, (instruments, start))?,
                false => Watch::light(&ledger),
            };
            let desk = Desk::new(strategy, ledger, stack, setup.file.account.mark);
            driver.add(LaneParts { desk, exchange, venues: &venues, observer }, setup.seed);
        }
        let assumptions = assumptions(setup, currency);
        Ok(Self { driver, currency, presets, assumptions })
    }

    /// Takes a batch; gives one back that is done with.
    pub(super) fn push(&mut self, batch: Arc<Batch>) -> Option<Arc<Batch>> {
        self.driver.push(batch)
    }

    pub(super) fn finish(self) -> Finished {
        let Self { driver, currency, presets, assumptions } = self;
        let (lanes, driven) = driver.finish();
        let (mut band, mut metrics) = (Vec::new(), Vec::new());
        for (preset, lane) in presets.into_iter().zip(lanes) {
            let (desk, watch) = lane.into_parts();
            band.push(summed(preset, &desk, &watch));
            if let (Some(statistics), Some(end)) = (watch.into_statistics(), driven.last) {
                metrics = statistics.finish(end).metrics(end);
            }
        }
        Finished { band, metrics, driven, currency, assumptions }
    }
}

fn summed(preset: Preset, desk: &Desk<Scripted>, watch: &Watch) -> Band {
    let ledger = desk.ledger();
    let rounded = |amount| ledger.home().precision.decimal(amount).round_dp(8).normalize();
    Band {
        name: preset.name(),
        assumes: preset.assumes(),
        profit: rounded(ledger.equity() - watch.start),
        max_drawdown: rounded(watch.max_drawdown),
        orders: watch.submitted,
        fills: watch.fills,
    }
}

/// The instruments that the file's patterns choose.
fn traded(file: &StrategyFile, instruments: &Instruments) -> anyhow::Result<Vec<InstrumentId>> {
    let patterns: Vec<_> = file.symbols.iter().map(|text| SymbolPattern::new(text)).collect();
    let is_traded = |symbol: &Symbol| {
        patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(symbol))
    };
    let chosen = instruments.by_symbol().filter(|(_, instrument)| is_traded(&instrument.symbol));
    let chosen: Vec<_> = chosen.map(|(id, _)| id).collect();
    if chosen.is_empty() {
        let wanted = file.symbols.join(", ");
        let has: Vec<_> = instruments.by_symbol().map(|(_, it)| it.symbol.as_str()).collect();
        let failure = Failure::usage(format!("no symbol of the input fits {wanted}"));
        return Err(failure.with_hint(format!("the input has {}", has.join(", "))).into());
    }
    Ok(chosen)
}

/// The currency of equity: as the file says, else the one that all traded instruments share.
fn currency(
    file: &StrategyFile,
    instruments: &Instruments,
    traded: &[InstrumentId],
) -> anyhow::Result<Currency> {
    if let Some(currency) = file.account.currency {
        return Ok(currency);
    }
    let terms = traded.iter().map(|id| &instruments.get(*id).terms);
    let mut named: Vec<&str> =
        terms.filter_map(|terms| terms.settle.as_deref().or(terms.quote.as_deref())).collect();
    named.sort_unstable();
    named.dedup();
    match named[..] {
        [] => Ok(Currency::new("USD")?),
        [one] => Ok(Currency::new(one)?),
        _ => {
            let failure = Failure::usage(format!("the instruments settle in {}", named.join(", ")));
            let hint = "set account.currency in the strategy file to the currency of equity";
            Err(failure.with_hint(hint).into())
        }
    }
}

/// What computes the features, if the strategy has any.
fn engine(
    setup: &Setup<'_>,
    instruments: &Instruments,
    traded: &[InstrumentId],
) -> anyhow::Result<Option<Engine>> {
    if setup.compiled.features.is_empty() {
        return Ok(None);
    }
    let features = setup.compiled.features.iter();
    let named: Vec<Named> =
        features.map(|expr| Named { name: expr.to_string(), expr: expr.clone() }).collect();
    let plan = Plan::new(&named).map_err(|error| anyhow::anyhow!("{error}"))?;
    let book = if setup.has_quotes { BookFrom::Quotes } else { BookFrom::Depth };
    let options = EngineOptions { book, only: true, ..EngineOptions::default() };
    let wanted: Vec<Symbol> = traded.iter().map(|id| instruments.get(*id).symbol.clone()).collect();
    let wanted = Box::new(move |symbol: &Symbol| wanted.contains(symbol));
    Ok(Some(Engine::new(Program::new(plan), options, wanted)))
}

fn ledger(
    file: &StrategyFile,
    currency: Currency,
    instruments: &Instruments,
) -> anyhow::Result<Ledger> {
    let account = &file.account;
    let home = Cash { amount: account.home_cash, currency };
    let initial = account.cash.iter().copied().chain([home]).collect();
    let options = LedgerOptions { currency, matching: account.matching, initial };
    Ok(Ledger::new(&options, instruments)?)
}

/// The limits of the file, at the scale of each instrument.
fn stack(
    file: &StrategyFile,
    instruments: &Instruments,
    traded: &[InstrumentId],
) -> anyhow::Result<Stack> {
    let mut rules = Vec::new();
    for id in traded {
        let instrument = instruments.get(*id);
        let units = |limit: Decimal, key: &str| {
            let units = limit.checked_mul(Decimal::from(instrument.qty_scale.unit()));
            units.and_then(|units| units.trunc().to_i64()).ok_or_else(|| {
                Failure::usage(format!(
                    "risk.{key}: {limit} is too large for {}",
                    instrument.symbol
                ))
            })
        };
        if let Some(limit) = file.limits.max_order_qty {
            let limit = units(limit, "max_order_qty")?;
            rules.push(AnyRule::MaxOrderQty(MaxOrderQty { instrument: *id, limit }));
        }
        if let Some(limit) = file.limits.max_position {
            let limit = units(limit, "max_position")?;
            rules.push(AnyRule::MaxPosition(MaxPosition { instrument: *id, limit }));
        }
    }
    Ok(Stack::new(rules))
}

/// What the run takes for granted, beside the fill models.
fn assumptions(setup: &Setup<'_>, currency: Currency) -> Vec<String> {
    let account = &setup.file.account;
    let mut lines = setup.file.venues.describe(currency);
    lines.extend([
        format!("marks: {:?}; matching: {:?}", account.mark, account.matching),
        format!("warm-up: {} events of the slowest feature", setup.compiled.warm_at),
    ]);
    lines
}
