//! The indicators of technical analysis.

use super::{Arg, Body, Function, column_or, events, number};
use crate::features::nodes::regimes::{Band, Trend};
use crate::features::nodes::strength::{BandPosition, Strength};

const SPAN: (f64, f64) = (0.0, 1e9);

const fn formula(
    name: &'static str,
    args: &'static [Arg],
    doc: &'static str,
    example: &'static str,
    text: &'static str,
) -> Function {
    Function { name, args, doc, unit: "", example, body: Body::Formula(text), timed: None }
}

const MACD: &[Arg] = &[column_or("x", "close"), events("fast", 1, "12"), events("slow", 1, "26")];
const MACD_SIGNAL: &[Arg] = &[
    column_or("x", "close"),
    events("fast", 1, "12"),
    events("slow", 1, "26"),
    events("signal", 1, "9"),
];
const BANDS: &[Arg] = &[column_or("x", "mid"), events("n", 1, "20"), number("k", SPAN, "2")];
const N: &[Arg] = &[events("n", 1, "20")];
const N14: &[Arg] = &[events("n", 1, "14")];
const KELTNER: &[Arg] = &[events("n", 1, "20"), number("k", SPAN, "2")];

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "rsi",
        args: &[column_or("x", "mid"), events("n", 1, "14")],
        doc: "100 − 100/(1 + gain/loss) over Wilder's averages of n changes; 100 without losses",
        unit: "0 to 100",
        example: "rsi(close, 14)",
        body: Body::Node {
            build: |p| Box::new(Strength::wilder(p[0] as usize)),
            warm: |p| p[0] as u64 + 1,
        },
        timed: None,
    },
    Function {
        name: "rsi_sma",
        args: &[column_or("x", "mid"), events("n", 1, "14")],
        doc: "the same over plain averages",
        unit: "0 to 100",
        example: "rsi_sma(mid, 14)",
        body: Body::Node {
            build: |p| Box::new(Strength::plain(p[0] as usize)),
            warm: |p| p[0] as u64 + 1,
        },
        timed: None,
    },
    formula(
        "macd",
        MACD,
        "ema(x, fast) − ema(x, slow)",
        "macd(close, 12, 26)",
        "ema(x, fast) - ema(x, slow)",
    ),
    formula(
        "macd_signal",
        MACD_SIGNAL,
        "the EMA of macd",
        "macd_signal(close)",
        "ema(macd(x, fast, slow), signal)",
    ),
    formula(
        "macd_hist",
        MACD_SIGNAL,
        "macd − macd_signal",
        "macd_hist(close)",
        "macd(x, fast, slow) - macd_signal(x, fast, slow, signal)",
    ),
    formula("bb_upper", BANDS, "sma + k·std", "bb_upper(mid, 20, 2)", "sma(x, n) + k * std(x, n)"),
    formula("bb_lower", BANDS, "sma − k·std", "bb_lower(mid, 20, 2)", "sma(x, n) - k * std(x, n)"),
    formula(
        "bb_width",
        BANDS,
        "2·k·std/sma",
        "bb_width(mid, 20, 2)",
        "2 * k * std(x, n) / sma(x, n)",
    ),
    Function {
        name: "bb_pos",
        args: BANDS,
        doc: "where x lies between the bands, from 0 to 1; 0.5 where they meet",
        unit: "0 to 1",
        example: "bb_pos(mid, 20, 2)",
        body: Body::Over {
            inputs: &["x", "sma(x, n)", "std(x, n)"],
            build: |p| Box::new(BandPosition::new(p[1])),
        },
        timed: None,
    },
    formula(
        "tr",
        &[],
        "the true range of a bar",
        "tr()",
        "max(high - low, max(abs(high - lag(close, 1)), abs(low - lag(close, 1))))",
    ),
    formula("atr", N14, "Wilder's average of the true range", "atr(14)", "wilder(tr(), n)"),
    formula("atr_sma", N14, "the plain average of the true range", "atr_sma(14)", "sma(tr(), n)"),
    formula(
        "donchian_high",
        N,
        "the highest high of n bars",
        "donchian_high(20)",
        "highest(high, n)",
    ),
    formula("donchian_low", N, "the lowest low of n bars", "donchian_low(20)", "lowest(low, n)"),
    formula(
        "donchian_mid",
        N,
        "the middle of the two",
        "donchian_mid(20)",
        "(highest(high, n) + lowest(low, n)) / 2",
    ),
    formula(
        "keltner_upper",
        KELTNER,
        "ema(close) + k·atr",
        "keltner_upper(20, 2)",
        "ema(close, n) + k * atr(n)",
    ),
    formula(
        "keltner_lower",
        KELTNER,
        "ema(close) − k·atr",
        "keltner_lower(20, 2)",
        "ema(close, n) - k * atr(n)",
    ),
    formula(
        "obv",
        &[],
        "volume added on bars that close higher and taken off on those that close lower",
        "obv()",
        "cum(sign(diff(close, 1)) * volume)",
    ),
    formula(
        "roc",
        &[column_or("x", "mid"), events("n", 1, "10")],
        "100·(x − lag(x, n))/lag(x, n)",
        "roc(mid, 10)",
        "100 * change(x, n)",
    ),
    formula(
        "tick_range",
        &[],
        "max(spread, |mid − mid before|)",
        "tick_range()",
        "max(spread, abs(diff(mid, 1)))",
    ),
    formula(
        "ema_slope",
        &[column_or("x", "mid"), events("n", 1, "14"), events("back", 1, "5")],
        "(ema − ema so many events ago)/so many",
        "ema_slope(mid, 14, 5)",
        "diff(ema(x, n), back) / back",
    ),
    Function {
        name: "regime",
        args: &[
            column_or("x", "spread"),
            column_or("average", "sma(spread, 100)"),
            number("low", SPAN, "0.5"),
            number("high", SPAN, "2"),
        ],
        doc: "0 where x/average is below low, 2 above high, else 1; 1 where the average is zero",
        unit: "class",
        example: "regime(spread, sma(spread, 100), 0.5, 2)",
        body: Body::Node { build: |p| Box::new(Band::new(p[0], p[1])), warm: |_| 1 },
        timed: None,
    },
    Function {
        name: "trend",
        args: &[
            column_or("x", "mid"),
            events("fast", 1, "10"),
            events("slow", 1, "30"),
            number("slope", SPAN, "0.0001"),
        ],
        doc: "1 where the fast average is above the slow one and rises by more than slope, −1 the other way round, else 0",
        unit: "class",
        example: "trend(mid, 10, 30, 0.0001)",
        body: Body::Node {
            build: |p| Box::new(Trend::new(p[0] as u64, p[1] as u64, p[2])),
            warm: |p| p[0].max(p[1]) as u64,
        },
        timed: None,
    },
];
