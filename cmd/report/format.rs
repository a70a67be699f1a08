//! Numbers and words for people.

use qt_stream::runs::MetricRow;
use qt_trade::metrics::definition;

/// Text that stands in HTML as it is meant.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

/// A few digits that matter, with a letter for thousands.
pub(super) fn short(value: f64) -> String {
    let (scaled, unit) = match value.abs() {
        size if size >= 1e9 => (value / 1e9, "G"),
        size if size >= 1e6 => (value / 1e6, "M"),
        size if size >= 1e4 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let decimals = match scaled.abs() {
        size if size >= 100.0 || size == 0.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        size if size >= 0.01 => 4,
        _ => 7,
    };
    let text = format!("{scaled:.decimals$}");
    let text =
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    // A rounded-away minus would claim a sign that is not there.
    let text = if text == "-0" { "0" } else { text };
    format!("{text}{unit}")
}

/// The places of an axis: how far they are apart, and the largest of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steps {
    pub(super) step: f64,
    pub(super) most: f64,
}

/// A place on an axis: all are in one unit, and neighbours differ in what is written.
pub(super) fn tick(value: f64, Steps { step, most }: Steps) -> String {
    let (unit, letter) = match most.max(step) {
        size if size >= 1e9 => (1e9, "G"),
        size if size >= 1e6 => (1e6, "M"),
        size if size >= 1e4 => (1e3, "k"),
        _ => (1.0, ""),
    };
    let decimals = (-(step / unit).log10()).ceil().clamp(0.0, 12.0) as usize;
    let text = format!("{:.decimals$}", value / unit);
    let is_zero = text.trim_start_matches('-').chars().all(|c| matches!(c, '0' | '.'));
    if is_zero { "0".to_owned() } else { text + letter }
}

/// The same for shares.
pub(super) fn tick_percent(value: f64, Steps { step, most }: Steps) -> String {
    tick(value * 100.0, Steps { step: step * 100.0, most: most * 100.0 }) + " %"
}

/// An amount with thousands apart and cents.
pub(super) fn amount(value: f64) -> String {
    let text = format!("{:.2}", value.abs());
    let (whole, cents) = text.split_once('.').unwrap_or((&text, "00"));
    let mut out = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            out.push(' ');
        }
        out.push(digit);
    }
    let sign = if value < 0.0 && text.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) {
        "-"
    } else {
        ""
    };
    format!("{sign}{out}.{cents}")
}

pub(super) fn percent(value: f64) -> String {
    let text = short(value * 100.0);
    format!("{text} %")
}

/// Nanoseconds in the unit that leaves few digits.
pub(super) fn duration(nanos: f64) -> String {
    const UNITS: [(&str, f64); 7] = [
        ("d", 86_400e9),
        ("h", 3_600e9),
        ("min", 60e9),
        ("s", 1e9),
        ("ms", 1e6),
        ("µs", 1e3),
        ("ns", 1.0),
    ];
    let fits = UNITS.iter().find(|(_, unit)| nanos.abs() >= *unit).unwrap_or(&UNITS[6]);
    format!("{} {}", short(nanos / fits.1), fits.0)
}

/// Shares that read better in percent.
const SHARES: [&str; 22] = [
    "total_return",
    "cagr_periods",
    "cagr_act365",
    "mean_return",
    "vol_period",
    "vol_ann",
    "max_drawdown",
    "max_drawdown_event",
    "avg_drawdown",
    "ulcer_index",
    "win_rate",
    "period_win_rate",
    "best_period",
    "worst_period",
    "maker_share",
    "taker_share",
    "time_in_market",
    "fill_ratio_qty",
    "fill_ratio_orders",
    "long_share",
    "short_share",
    "time_underwater_share",
];

/// The value of a metric as text; `n/a` with its reason where there is none.
pub(super) fn metric(row: &MetricRow) -> String {
    let Some(value) = row.value else {
        return match &row.reason {
            Some(reason) => format!("n/a ({reason})"),
            None => "n/a".to_owned(),
        };
    };
    let unit = definition(&row.name).map_or("", |(_, definition)| definition.unit);
    match (unit, row.exact) {
        ("ns", _) => duration(value),
        ("bps", _) => format!("{} bps", short(value)),
        ("currency", Some(exact)) => exact.round_dp(8).normalize().to_string(),
        _ if SHARES.contains(&row.name.as_str()) => percent(value),
        _ => short(value),
    }
}

/// A name with its underscores as spaces.
pub(super) fn spoken(name: &str) -> String {
    name.replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_signs_are_honest() {
        for (value, expected) in [
            (0.0, "0"),
            (-0.00000001, "0"),
            (1234567.0, "1.23M"),
            (-15_000.0, "-15k"),
            (99.96, "100"),
            (0.12345, "0.1235"),
            (1.5, "1.5"),
            (1e10, "10G"),
        ] {
            assert_eq!(short(value), expected);
        }
        for (value, step, most, expected) in [
            (100_002.5, 0.5, 100_003.0, "100.0025k"),
            (9_995.0, 5.0, 10_000.0, "9.995k"),
            (0.0, 0.5, 1.0, "0"),
            (-0.1, 0.1, 0.3, "-0.1"),
            (2e6, 5e5, 2e6, "2.0M"),
        ] {
            assert_eq!(tick(value, Steps { step, most }), expected);
        }
        assert_eq!(
            (amount(1_234_567.891).as_str(), amount(-0.001).as_str()),
            ("1 234 567.89", "0.00")
        );
        assert_eq!(duration(1.5e9), "1.5 s");
        assert_eq!(duration(3.0 * 86_400e9), "3 d");
        assert_eq!(duration(0.0), "0 ns");
        assert_eq!(escape("<a b=\"c\">&"), "&lt;a b=&quot;c&quot;&gt;&amp;");
    }
}
