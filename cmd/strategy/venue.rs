//! `[venue]` and `[venue.NAME]`: fees, delays and the account of each venue.

use std::collections::BTreeMap;
use std::sync::Arc;

use qt_market::calendar::Calendar;
use qt_model::instrument::Symbol;
use qt_model::order::{Cash, Currency};
use qt_sim::exchange::{
    AccountKind, Delay, Fees, FillModel, LatencyConfig, MarginTerms, Operation, PostOnly,
    VenueConfig, Venues,
};
use qt_stream::parquet_file::Span;
use rust_decimal::Decimal;
use toml::de::{DeTable, DeValue};

use super::delays::DelayText;
use crate::hours::Hours;
use crate::toml_table::{TomlTable, decimal};
use crate::toml_text::TomlText;

/// The terms of a venue, as far as a file says them.
#[derive(Clone, Debug, Default)]
pub(crate) struct VenueTerms {
    maker: Option<Decimal>,
    taker: Option<Decimal>,
    delays: Vec<(Operation, Delay)>,
    account: Option<AccountKind>,
    price_band: Option<Decimal>,
    post_only: Option<PostOnly>,
    partial_fills: Option<bool>,
    sessions: Option<Sessions>,
}

/// When a venue trades.
#[derive(Clone, Debug)]
struct Sessions {
    hours: Hours,
    calendar: Arc<Calendar>,
}

/// All venues of a file: what holds for each, and what holds for some.
#[derive(Clone, Debug, Default)]
pub(crate) struct VenueTable {
    common: VenueTerms,
    by_name: BTreeMap<String, VenueTerms>,
}

impl VenueTable {
    /// Terms of flags, which go before those of the file, at every venue.
    pub(crate) fn set(&mut self, fees: Option<FeeFlag>, latency: &[(Operation, Delay)]) {
        let all = std::iter::once(&mut self.common).chain(self.by_name.values_mut());
        for terms in all {
            if let Some(fees) = fees {
                terms.maker = fees.maker.or(terms.maker);
                terms.taker = fees.taker.or(terms.taker);
            }
            terms.delays.extend_from_slice(latency);
        }
    }

    pub(super) fn read<'a>(text: &mut TomlText<'a>, table: DeTable<'a>) -> Self {
        let is_venue = |name: &str| name != "latency" && name != "sessions";
        let tables = table.iter().filter(|(key, _)| is_venue(key.get_ref()));
        let inner = tables.filter_map(|(key, value)| {
            Some((key.get_ref().to_string(), value.get_ref().as_table()?.clone()))
        });
        let inner: Vec<_> = inner.collect();
        let names = inner.iter().map(|(name, _)| name.clone()).collect();
        let common = VenueTerms::read(text, "venue.", table, names);
        let by_name = inner.into_iter().map(|(name, table)| {
            let prefix = format!("venue.{name}.");
            (name, VenueTerms::read(text, &prefix, table, Vec::new()))
        });
        Self { common, by_name: by_name.collect() }
    }

    /// The venues of a lane with that model of fills.
    pub(crate) fn venues(&self, fills: FillModel, money: (Currency, &[Cash])) -> Venues {
        let (currency, balances) = (money.0, money.1.to_vec());
        let base = VenueConfig { fills, currency, balances, ..VenueConfig::default() };
        let common = self.common.apply(base);
        let by_name = self
            .by_name
            .iter()
            .map(|(name, terms)| (name.as_str().into(), Arc::new(terms.apply(common.clone()))));
        let by_name = by_name.collect();
        Venues { default: Arc::new(common), by_name }
    }

    /// The sessions that all of these symbols share; `None` where there are none, or several.
    pub(crate) fn sessions(&self, symbols: &[Symbol]) -> Option<Arc<Calendar>> {
        let of = |symbol: &Symbol| {
            let terms = self.by_name.get(symbol.venue());
            let own = terms.and_then(|terms| terms.sessions.as_ref());
            own.or(self.common.sessions.as_ref()).map(|sessions| &sessions.calendar)
        };
        let first = of(symbols.first()?)?;
        symbols.iter().all(|symbol| of(symbol) == Some(first)).then(|| Arc::clone(first))
    }

    /// What is assumed of each venue, in words.
    pub(crate) fn describe(&self, currency: Currency) -> Vec<String> {
        self.say(currency, |config, sessions| {
            let sessions = sessions.map(|it| format!(", sessions {it}")).unwrap_or_default();
            let account = match config.account {
                AccountKind::Unlimited => "credit without limit",
                AccountKind::Cash => "cash account",
                AccountKind::Margin(_) => "margin account",
            };
            format!("{}, {}, {account}{sessions}", fees_of(config), delays_of(config))
        })
    }

    /// The fees of each venue, in words.
    pub(crate) fn fees(&self, currency: Currency) -> String {
        self.say(currency, |config, _| fees_of(config)).join("; ")
    }

    /// The delays of each venue, in words.
    pub(crate) fn latency(&self, currency: Currency) -> String {
        self.say(currency, |config, _| delays_of(config)).join("; ")
    }

    /// A line for what all venues have in common, and one for each that the file names.
    fn say(
        &self,
        currency: Currency,
        what: impl Fn(&VenueConfig, Option<&str>) -> String,
    ) -> Vec<String> {
        let venues = self.venues(FillModel::default(), (currency, &[]));
        let named = self.by_name.iter().map(|(name, terms)| (&**name, terms));
        let all = std::iter::once(("venues", &self.common)).chain(named);
        let line = |(name, terms): (&str, &VenueTerms)| {
            let sessions = terms.sessions.as_ref().or(self.common.sessions.as_ref());
            let sessions = sessions.map(|it| it.hours.to_string());
            let config = venues.by_name.get(name).unwrap_or(&venues.default);
            format!("{name}: {}", what(config, sessions.as_deref()))
        };
        all.map(line).collect()
    }
}

fn fees_of(config: &VenueConfig) -> String {
    let bps = |rate: Decimal| (rate * Decimal::from(10_000)).normalize();
    let tier = &config.fees.tiers[0];
    let (maker, taker) = (bps(tier.maker), bps(tier.taker));
    format!("maker {maker} bps, taker {taker} bps")
}

fn delays_of(config: &VenueConfig) -> String {
    let delays =
        Operation::ALL.into_iter().filter_map(|operation| match config.latency.of(operation) {
            Delay::Constant { ns: 0 } => None,
            Delay::Constant { ns } => Some(format!("{} {} ms", operation.name(), *ns as f64 / 1e6)),
            delay @ (Delay::LogNormal { .. } | Delay::Table(_) | Delay::Recorded(_)) => {
                Some(format!("{} {delay}", operation.name()))
            }
        });
    let delays: Vec<_> = delays.collect();
    if delays.is_empty() { "no delay".to_owned() } else { delays.join(", ") }
}

impl VenueTerms {
    fn read<'a>(
        text: &mut TomlText<'a>,
        prefix: &str,
        table: DeTable<'a>,
        names: Vec<String>,
    ) -> Self {
        let mut table = TomlTable::new(text, prefix, table);
        names.iter().for_each(|name| table.know(name));
        let mut terms = Self {
            maker: table.decimal("maker_bps"),
            taker: table.decimal("taker_bps"),
            price_band: fraction(&mut table, "price_band"),
            partial_fills: table.flag("partial_fills"),
            ..Self::default()
        };
        terms.post_only = table.value("post_only", "reject or cancel", |value| {
            Some(match value.as_str()? {
                "reject" => PostOnly::Reject,
                "cancel" => PostOnly::Cancel,
                _ => return None,
            })
        });
        terms.account = account(&mut table);
        let latency = table.table("latency");
        let sessions = table.table("sessions");
        table.finish();
        if let Some(sessions) = sessions {
            terms.sessions = Sessions::read(text, &format!("{prefix}sessions"), &sessions);
        }
        if let Some(latency) = latency {
            let folder = text.folder();
            let mut table = TomlTable::new(text, &format!("{prefix}latency."), latency);
            for operation in Operation::ALL {
                let expected = "a delay such as \"1ms\"";
                let parse = |text: &str| text.parse::<DelayText>()?.resolve(&folder);
                let delay = table.parsed(operation.name(), expected, parse);
                terms.delays.extend(delay.map(|delay| (operation, delay)));
            }
            table.finish();
        }
        terms
    }

    fn apply(&self, mut config: VenueConfig) -> VenueConfig {
        let rate =
            |bps: Option<Decimal>, default| bps.map_or(default, |bps| bps / Decimal::from(10_000));
        let tier = &config.fees.tiers[0];
        config.fees = Fees::flat(rate(self.maker, tier.maker), rate(self.taker, tier.taker));
        let mut latency = LatencyConfig::clone(&config.latency);
        for (operation, delay) in &self.delays {
            latency.of_mut(*operation).clone_from(delay);
        }
        config.latency = latency;
        config.account = self.account.unwrap_or(config.account);
        config.price_band = self.price_band.or(config.price_band);
        config.post_only = self.post_only.unwrap_or(config.post_only);
        config.fills.is_partial = self.partial_fills.unwrap_or(config.fills.is_partial);
        if let Some(sessions) = &self.sessions {
            config.sessions = Arc::clone(&sessions.calendar);
        }
        config
    }
}

impl Sessions {
    fn read(text: &mut TomlText<'_>, name: &str, table: &DeTable<'_>) -> Option<Self> {
        let hours = Hours::read(text, name, table)?;
        let calendar = hours.calendar(Span::ALL).expect("its years are those of a calendar");
        Some(Self { hours, calendar: Arc::new(calendar) })
    }
}

/// `--fees`: in basis points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FeeFlag {
    maker: Option<Decimal>,
    taker: Option<Decimal>,
}

/// Reads `maker=-0.5bps,taker=7bps`.
pub(crate) fn fees(text: &str) -> Result<FeeFlag, String> {
    let mut fees = FeeFlag::default();
    for part in text.split(',') {
        let expected = || {
            format!(
                "expected maker=BPS,taker=BPS, such as maker=-0.5bps,taker=7bps; found `{part}`"
            )
        };
        let (name, value) = part.split_once('=').ok_or_else(expected)?;
        let value = value.trim().trim_end_matches("bps").trim();
        let value = value.parse::<Decimal>().map_err(|_| expected())?;
        match name.trim() {
            "maker" => fees.maker = Some(value),
            "taker" => fees.taker = Some(value),
            _ => return Err(expected()),
        }
    }
    Ok(fees)
}

fn fraction(table: &mut TomlTable<'_, '_>, key: &str) -> Option<Decimal> {
    let read = |value: &DeValue<'_>| decimal(value).filter(|number| *number > Decimal::ZERO);
    table.value(key, "a fraction above zero, such as 0.05", read)
}

/// `account = "cash"`, or `"margin"` with its terms beside it.
fn account(table: &mut TomlTable<'_, '_>) -> Option<AccountKind> {
    let kind = table.value("account", "unlimited, cash or margin", |value| {
        let word = value.as_str()?;
        ["unlimited", "cash", "margin"].into_iter().find(|known| *known == word)
    });
    let mut margin = MarginTerms::default();
    margin.leverage = fraction(table, "leverage").unwrap_or(margin.leverage);
    margin.maintenance = fraction(table, "maintenance").unwrap_or(margin.maintenance);
    margin.liquidation_fee = fraction(table, "liquidation_fee").unwrap_or(margin.liquidation_fee);
    margin.borrow_per_year = fraction(table, "borrow_per_year").unwrap_or(margin.borrow_per_year);
    Some(match kind? {
        "cash" => AccountKind::Cash,
        "margin" => AccountKind::Margin(margin),
        _ => AccountKind::Unlimited,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fees_are_read_from_flags() {
        let read = fees("maker=-0.5bps,taker=7").unwrap();
        assert_eq!((read.maker, read.taker), ("-0.5".parse().ok(), "7".parse().ok()));
        for text in ["", "maker", "makers=1", "maker=x"] {
            assert!(fees(text).is_err(), "{text}");
        }
    }
}
