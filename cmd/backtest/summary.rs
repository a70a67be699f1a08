//! What a run came to, assumptions first.

use std::fmt::Write as _;
use std::path::Path;

use qt_model::record::Metric;
use qt_model::time::{DAY_NANOS, Ts};
use qt_sim::driver::Driven;
use qt_sim::exchange::Preset;
use qt_stream::runs::members;
use qt_trade::ledger::Ledger;
use rust_decimal::Decimal;
use serde_json::json;

use super::lanes::{Common, Ran};
use super::watch::Watch;

/// A variant in a few numbers, in the currency of equity.
#[derive(Clone, Debug)]
pub(super) struct Outline {
    pub(super) fills: Preset,
    pub(super) profit: Decimal,
    pub(super) max_drawdown: Decimal,
    pub(super) orders: u64,
    pub(super) executions: u64,
}

impl Outline {
    pub(super) fn new(fills: Preset, ledger: &Ledger, watch: &Watch) -> Self {
        let rounded = |amount| ledger.home().precision.decimal(amount).round_dp(8).normalize();
        Self {
            fills,
            profit: rounded(ledger.equity() - watch.start),
            max_drawdown: rounded(watch.extremes.fall()),
            orders: watch.submitted,
            executions: watch.fills,
        }
    }
}

/// What the summary leads with, where it has a value.
const LEADING: [&str; 16] = [
    "total_return",
    "sharpe",
    "sortino",
    "max_drawdown_event",
    "trades",
    "win_rate",
    "profit_factor",
    "expectancy",
    "time_in_market",
    "turnover",
    "net_fees",
    "maker_share",
    "fill_ratio_qty",
    "slippage_decision_bps",
    "effective_half_spread_bps",
    "markout_1s_bps",
];

/// All there is to say about a run of one variant and its band.
#[derive(Debug)]
pub(super) struct Summary<'a> {
    pub(super) common: &'a Common,
    pub(super) place: &'a str,
    pub(super) grade: Option<&'a str>,
    pub(super) driven: Driven,
    pub(super) results: &'a [Ran],
}

impl Summary<'_> {
    /// The metrics of the main model.
    pub(super) fn metrics(&self) -> Vec<Metric> {
        let figures = self.results.first().and_then(|result| result.figures.as_ref());
        figures.zip(self.driven.last).map_or_else(Vec::new, |(figures, end)| figures.metrics(end))
    }

    /// What the run takes for granted, beside the fill models.
    pub(super) fn assumptions(&self) -> Vec<String> {
        let Common { file, market, .. } = self.common;
        let account = &file.account;
        let mut lines = file.venues.describe(market.currency);
        let warm_at = self.results.first().map_or(0, |result| result.variant.compiled.warm_at);
        let data = self.grade.unwrap_or("not graded");
        lines.extend([
            format!("marks: {}; matching: {}", account.mark.name(), account.matching.name()),
            format!("warm-up: {warm_at} events of the slowest feature"),
            format!(
                "data: {data}; {} records came too late for their event time",
                self.driven.late
            ),
            self.grid(),
        ]);
        let figures = self.results.first().and_then(|main| main.figures.as_ref());
        let values = figures.map(|figures| figures.values()).unwrap_or_default();
        let trials = values.iter().find(|(name, _)| name == "trials");
        if let Some(count) = trials.and_then(|(_, value)| value.to_f64()) {
            lines.push(format!("trials: {count} of this strategy"));
        }
        lines
    }

    /// How equity is sampled.
    fn grid(&self) -> String {
        let sample = &self.common.sample;
        let year = format!("returns: {} periods a year", sample.periods_per_year());
        match sample.has_sessions() {
            true if sample.nanos() == DAY_NANOS => format!("{year}, sampled as sessions close"),
            true => format!("{year}, sampled within sessions"),
            false => year,
        }
    }

    pub(super) fn text(&self, folder: Option<&Path>) -> String {
        let mut text = String::new();
        self.head(&mut text);
        let currency = self.common.market.currency;
        let _ = writeln!(
            text,
            "\n{:<12} {:>16} {:>14} {:>8} {:>8}",
            currency, "profit", "drawdown", "orders", "fills"
        );
        for Ran { outline, .. } in self.results {
            let Outline { fills, profit, max_drawdown, orders, executions } = outline;
            let name = fills.name();
            let _ = writeln!(
                text,
                "{name:<12} {profit:>16} {max_drawdown:>14} {orders:>8} {executions:>8}"
            );
        }
        let metrics = self.metrics();
        if let Some(main) = self.results.first() {
            let _ = writeln!(text, "\nOf the {} model", main.outline.fills.name());
        }
        for name in LEADING {
            if let Some(metric) = metrics.iter().find(|metric| metric.name == name) {
                let _ = writeln!(text, "  {name:<28} {}", figure(metric));
            }
        }
        if let Some(folder) = folder {
            let _ = writeln!(text, "\nkept in {}", folder.display());
        }
        text
    }

    fn head(&self, text: &mut String) {
        let _ = writeln!(text, "{} over {}", self.common.file.definition.name, self.place);
        if let (Some(first), Some(last)) = (self.driven.first, self.driven.last) {
            let _ = writeln!(text, "{} records from {first} to {last}", self.driven.records);
        }
        for (name, value) in
            self.results.iter().take(1).flat_map(|main| &main.variant.compiled.params)
        {
            let _ = writeln!(text, "{name} = {value}");
        }
        let _ = writeln!(text, "\nAssumed");
        for line in self.assumptions() {
            let _ = writeln!(text, "  {line}");
        }
        for Ran { outline, .. } in self.results {
            let _ = writeln!(text, "  {}: {}", outline.fills.name(), outline.fills.assumes());
        }
    }

    pub(super) fn json(&self, folder: Option<&Path>) -> serde_json::Value {
        let ts = |ts: Option<Ts>| ts.map(|ts| ts.to_string());
        let band: Vec<_> =
            self.results.iter().map(|result| outline_json(&result.outline)).collect();
        let member = |(name, text): (String, String)| {
            (name, serde_json::from_str(&text).expect("a value of JSON is JSON"))
        };
        let metrics = self.metrics();
        let metrics: serde_json::Map<_, serde_json::Value> =
            metrics.iter().flat_map(members).map(member).collect();
        let main = self.results.first();
        json!({
            "strategy": self.common.file.definition.name,
            "input": self.place,
            "params": main.map(|main| &main.variant.compiled.params),
            "records": self.driven.records,
            "first": ts(self.driven.first),
            "last": ts(self.driven.last),
            "currency": self.common.market.currency.as_str(),
            "assumptions": self.assumptions(),
            "band": band,
            "metrics": metrics,
            "run": folder,
        })
    }
}

pub(super) fn outline_json(outline: &Outline) -> serde_json::Value {
    json!({
        "fills": outline.fills.name(),
        "assumes": outline.fills.assumes(),
        "profit": outline.profit.to_string(),
        "max_drawdown": outline.max_drawdown.to_string(),
        "orders": outline.orders,
        "executions": outline.executions,
    })
}

/// A value as people read it, or why there is none.
pub(super) fn figure(metric: &Metric) -> String {
    match (metric.exact, metric.value, &metric.reason) {
        (Some(exact), ..) => rounded_exact(exact),
        (None, Some(value), _) => rounded(value),
        (None, None, reason) => absent(reason.as_deref()),
    }
}

pub(super) fn rounded_exact(exact: Decimal) -> String {
    exact.round_dp(6).normalize().to_string()
}

pub(super) fn rounded(value: f64) -> String {
    let text = format!("{value:.6}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

pub(super) fn absent(reason: Option<&str>) -> String {
    format!("n/a ({})", reason.unwrap_or("not measured"))
}
