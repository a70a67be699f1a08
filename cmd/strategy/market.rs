//! What a run needs to know of its market: what is traded, in which money, under which limits.

use std::sync::Arc;

use qt_model::ids::InstrumentId;
use qt_model::instrument::{Instruments, Symbol};
use qt_model::order::{Cash, Currency};
use qt_stream::catalog::SymbolPattern;
use qt_trade::ledger::{Ledger, LedgerOptions};
use qt_trade::risk::{AnyRule, MaxOrderQty, MaxPosition, Stack};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::StrategyFile;
use crate::failure::Failure;

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Market {
    pub(crate) instruments: Arc<Instruments>,
    pub(crate) traded: Vec<InstrumentId>,
    pub(crate) currency: Currency,
    rules: Vec<AnyRule>,
    money: LedgerOptions,
}

impl Market {
    /// The market of a file, of those instruments that `selected` leaves; all, where it is empty.
    pub(crate) fn new(
        file: &StrategyFile,
        instruments: &Arc<Instruments>,
        selected: &[SymbolPattern],
    ) -> anyhow::Result<Self> {
        let traded = traded(file, instruments, selected)?;
        let currency = currency(file, instruments, &traded)?;
        let rules = rules(file, instruments, &traded)?;
        let account = &file.account;
        let home = Cash { amount: account.home_cash, currency };
        let initial = account.cash.iter().copied().chain([home]).collect();
        let money = LedgerOptions { currency, matching: account.matching, initial };
        Ok(Self { instruments: Arc::clone(instruments), traded, currency, rules, money })
    }

    pub(crate) fn ledger(&self) -> anyhow::Result<Ledger> {
        Ok(Ledger::new(&self.money, &self.instruments)?)
    }

    pub(crate) fn stack(&self) -> Stack {
        Stack::new(self.rules.clone())
    }

    /// The currency of equity, and the money at the start.
    pub(crate) fn money(&self) -> (Currency, &[Cash]) {
        (self.currency, &self.money.initial)
    }

    /// The symbols that are traded.
    pub(crate) fn symbols(&self) -> Vec<Symbol> {
        self.traded.iter().map(|id| self.instruments.get(*id).symbol.clone()).collect()
    }
}

/// The instruments that the file's patterns choose, of those whose records are read.
fn traded(
    file: &StrategyFile,
    instruments: &Instruments,
    selected: &[SymbolPattern],
) -> anyhow::Result<Vec<InstrumentId>> {
    let patterns: Vec<_> = file.symbols.iter().map(|text| SymbolPattern::new(text)).collect();
    let fits = |patterns: &[SymbolPattern], symbol: &Symbol| {
        patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(symbol))
    };
    let is_traded = |symbol: &Symbol| fits(&patterns, symbol) && fits(selected, symbol);
    let chosen = instruments.by_symbol().filter(|(_, instrument)| is_traded(&instrument.symbol));
    let chosen: Vec<_> = chosen.map(|(id, _)| id).collect();
    if chosen.is_empty() {
        let wanted = match &file.symbols[..] {
            [] => "--symbols".to_owned(),
            symbols => symbols.join(", "),
        };
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

/// The limits of the file, at the scale of each instrument.
fn rules(
    file: &StrategyFile,
    instruments: &Instruments,
    traded: &[InstrumentId],
) -> anyhow::Result<Vec<AnyRule>> {
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
    Ok(rules)
}
