//! `[risk]` and `[account]`: what a strategy may do, and with which money.

use std::time::Duration;

use qt_model::order::{Cash, Currency};
use qt_trade::core::MarkRule;
use qt_trade::ledger::Matching;
use rust_decimal::Decimal;
use toml::de::{DeTable, DeValue};

use crate::toml_table::{TomlTable, decimal};
use crate::toml_text::TomlText;

/// `[risk]`: limits of each instrument, in units of size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) max_position: Option<Decimal>,
    pub(crate) max_order_qty: Option<Decimal>,
}

impl Limits {
    pub(super) fn read<'a>(text: &mut TomlText<'a>, table: DeTable<'a>) -> Self {
        let mut table = TomlTable::new(text, "risk.", table);
        let limits = Self {
            max_position: positive(&mut table, "max_position"),
            max_order_qty: positive(&mut table, "max_order_qty"),
        };
        table.finish();
        limits
    }
}

fn positive(table: &mut TomlTable<'_, '_>, key: &str) -> Option<Decimal> {
    let read = |value: &DeValue<'_>| decimal(value).filter(|number| *number > Decimal::ZERO);
    table.value(key, "a decimal number above zero", read)
}

/// `[account]`: the money at the start and how it is counted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Account {
    /// The currency of equity; that of the instruments where absent.
    pub(crate) currency: Option<Currency>,
    pub(crate) cash: Vec<Cash>,
    /// Cash in the currency of equity, whatever that is.
    pub(crate) home_cash: Decimal,
    pub(crate) matching: Matching,
    pub(crate) mark: MarkRule,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            currency: None,
            cash: Vec::new(),
            home_cash: Decimal::from(10_000),
            matching: Matching::default(),
            mark: MarkRule::default(),
        }
    }
}

impl Account {
    pub(super) fn read<'a>(text: &mut TomlText<'a>, table: DeTable<'a>) -> Self {
        let mut table = TomlTable::new(text, "account.", table);
        let currency = table.parsed("currency", "a currency such as \"USDT\"", Currency::new);
        let mut account = Self { currency, ..Self::default() };
        if let Some(matching) = table.value("matching", "average, fifo or lifo", matching) {
            account.matching = matching;
        }
        if let Some(mark) = table.value("mark", "mid, last or exit_side", mark) {
            account.mark = mark;
        }
        let expected = "an amount, or a table such as { USDT = \"10000\", BTC = \"1\" }";
        match table.value("cash", expected, cash) {
            Some(Given::Home(amount)) => account.home_cash = amount,
            Some(Given::Each(each)) => {
                account.home_cash = Decimal::ZERO;
                account.cash = each;
            }
            None => {}
        }
        table.finish();
        account
    }
}

/// `[process]`: a program that decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProcessTerms {
    pub(crate) command: Vec<String>,
    pub(crate) limit: Duration,
}

impl ProcessTerms {
    pub(super) fn read<'a>(text: &mut TomlText<'a>, table: DeTable<'a>) -> Option<Self> {
        let mut table = TomlTable::new(text, "process.", table);
        let command = table.texts("command", "a list such as [\"python3\", \"mine.py\"]");
        let limit_ns = table.duration("timeout").unwrap_or(10_000_000_000);
        if command.as_ref().is_none_or(Vec::is_empty) {
            table.complain(0, "command", "a process needs a command");
        }
        table.finish();
        Some(Self { command: command?, limit: Duration::from_nanos(limit_ns.unsigned_abs()) })
    }
}

enum Given {
    Home(Decimal),
    Each(Vec<Cash>),
}

fn cash(value: &DeValue<'_>) -> Option<Given> {
    let Some(table) = value.as_table() else { return decimal(value).map(Given::Home) };
    let each = table.iter().map(|(name, value)| {
        let currency = Currency::new(name.get_ref()).ok()?;
        Some(Cash { amount: decimal(value.get_ref())?, currency })
    });
    each.collect::<Option<_>>().map(Given::Each)
}

fn matching(value: &DeValue<'_>) -> Option<Matching> {
    Some(match value.as_str()? {
        "average" => Matching::Average,
        "fifo" => Matching::Fifo,
        "lifo" => Matching::Lifo,
        _ => return None,
    })
}

fn mark(value: &DeValue<'_>) -> Option<MarkRule> {
    Some(match value.as_str()? {
        "mid" => MarkRule::Mid,
        "last" => MarkRule::Last,
        "exit_side" => MarkRule::ExitSide,
        _ => return None,
    })
}
