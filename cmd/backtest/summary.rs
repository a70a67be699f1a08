//! What a run came to, assumptions first.

use std::fmt::Write as _;

use qt_model::record::Metric;
use rust_decimal::Decimal;

use super::input::Opened;
use super::lanes::{Finished, Setup};
use crate::context::Context;

/// One fill model of the band.
#[derive(Clone, Debug)]
pub(super) struct Band {
    pub(super) name: &'static str,
    pub(super) assumes: &'static str,
    pub(super) profit: Decimal,
    pub(super) max_drawdown: Decimal,
    pub(super) orders: u64,
    pub(super) fills: u64,
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

pub(super) fn print(
    setup: &Setup<'_>,
    finished: &Finished,
    opened: &Opened,
    context: &Context,
) -> anyhow::Result<()> {
    let mut text = String::new();
    head(setup, finished, opened, &mut text);
    let _ = writeln!(
        text,
        "\n{:<12} {:>16} {:>14} {:>8} {:>8}",
        finished.currency, "profit", "drawdown", "orders", "fills"
    );
    for band in &finished.band {
        let Band { name, profit, max_drawdown, orders, fills, .. } = band;
        let _ = writeln!(text, "{name:<12} {profit:>16} {max_drawdown:>14} {orders:>8} {fills:>8}");
    }
    let _ = writeln!(text, "\nOf the {} model", setup.main.name());
    for name in LEADING {
        if let Some(metric) = finished.metrics.iter().find(|metric| metric.name == name) {
            let _ = writeln!(text, "  {name:<28} {}", figure(metric));
        }
    }
    context.print(text)?;
    Ok(())
}

fn head(setup: &Setup<'_>, finished: &Finished, opened: &Opened, text: &mut String) {
    let driven = &finished.driven;
    let _ = writeln!(text, "{} over {}", setup.file.definition.name, opened.place());
    if let (Some(first), Some(last)) = (driven.first, driven.last) {
        let _ = writeln!(text, "{} records from {first} to {last}", driven.records);
    }
    for (name, value) in setup.values {
        let _ = writeln!(text, "{name} = {value}");
    }
    let _ = writeln!(text, "\nAssumed");
    for line in &finished.assumptions {
        let _ = writeln!(text, "  {line}");
    }
    for band in &finished.band {
        let _ = writeln!(text, "  {}: {}", band.name, band.assumes);
    }
}

/// A value as people read it, or why there is none.
fn figure(metric: &Metric) -> String {
    match (metric.exact, metric.value, &metric.reason) {
        (Some(exact), ..) => exact.round_dp(6).normalize().to_string(),
        (None, Some(value), _) => {
            let text = format!("{value:.6}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        (None, None, reason) => {
            format!("n/a ({})", reason.as_deref().unwrap_or("not measured"))
        }
    }
}
