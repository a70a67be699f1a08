//! The summary for a terminal.

use super::curve::Curve;
use super::data::Data;
use super::format::{amount, metric, percent};
use crate::terminal::Paint;

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

const LINE: usize = 60;

/// What the summary lists, by heading.
const LISTED: &[(&str, &[&str])] = &[
    (
        "Returns",
        &[
            "pnl_total",
            "total_return",
            "cagr_periods",
            "vol_ann",
            "sharpe_period",
            "sharpe",
            "sortino",
            "psr",
            "dsr",
        ],
    ),
    (
        "Drawdown",
        &[
            "max_drawdown",
            "max_drawdown_event",
            "max_drawdown_duration_ns",
            "time_underwater_share",
        ],
    ),
    (
        "Trades",
        &[
            "trades",
            "win_rate",
            "profit_factor",
            "expectancy",
            "payoff_ratio",
            "holding_time_median_ns",
        ],
    ),
    (
        "Execution",
        &[
            "fills",
            "maker_share",
            "fill_ratio_qty",
            "queue_ratio_entry",
            "effective_half_spread_bps",
            "slippage_decision_bps",
            "markout_1s_bps",
            "order_to_trade_ratio",
        ],
    ),
    ("Costs", &["net_fees", "net_fees_bps", "funding_pnl", "turnover", "time_in_market"]),
];

pub(super) fn summary(data: &Data, paint: Paint) -> String {
    let manifest = &data.manifest;
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(text.trim_end());
        out.push('\n');
    };
    line(format!("{}  {}", paint.bold(&manifest.input.strategy.id), paint.dim(&manifest.run_id)));
    let (from, to) = (data.first.to_string(), data.last.to_string());
    line(format!("{} to {}, {} records", &from[..19], &to[..19], manifest.output.events));
    line(String::new());
    line(paint.bold("Assumed"));
    for it in &manifest.assumptions {
        line(format!("  {:<14} {}", it.name, it.value));
    }
    if let Some(grade) = &manifest.input.grade {
        let covered = manifest.input.coverage.map(|share| format!(", {} covered", percent(share)));
        line(format!("  {:<14} graded {grade}{}", "data", covered.unwrap_or_default()));
    }
    if data.number("short_sample") == Some(1.0) {
        let count = data.number("periods").unwrap_or_default();
        line(paint.doubtful(format_args!("  {count} periods: figures of a year are a long shot")));
    }
    for warning in &manifest.warnings {
        line(format!("  {}", paint.doubtful(warning)));
    }
    line(String::new());
    for (lane, curve) in &data.lanes {
        let last = curve.buckets.last().map_or(curve.start, |bucket| bucket.equity);
        line(format!("{lane:<14} {} {} → {}", sparkline(curve), amount(curve.start), amount(last)));
    }
    for (heading, names) in LISTED {
        line(String::new());
        line(paint.bold(heading));
        for row in names.iter().filter_map(|name| data.metric(name)) {
            line(format!("  {:<28} {}", row.name, metric(row)));
        }
    }
    if let Some(((_, total), parts)) = data.profit.split_last() {
        line(String::new());
        line(paint.bold("Where the profit came from"));
        for (name, amount) in parts {
            line(format!("  {name:<28} {:>20}", amount.normalize()));
        }
        line(format!("  {:<28} {:>20}", "total", total.normalize()));
    }
    out
}

fn sparkline(curve: &Curve) -> String {
    let buckets = &curve.buckets;
    let (low, high) = super::svg::range(buckets.iter().map(|bucket| bucket.equity));
    let width = LINE.min(buckets.len());
    let block = |at: usize| {
        let equity = buckets[at * buckets.len() / width].equity;
        let share = if high > low { (equity - low) / (high - low) } else { 0.5 };
        BLOCKS[((share * 7.99) as usize).min(7)]
    };
    (0..width).map(block).collect()
}
