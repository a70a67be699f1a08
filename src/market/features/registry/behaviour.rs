//! How a market behaves: pressure, momentum, regimes. All are formulas over what stands elsewhere.

use super::{Arg, Body, Function, events, length};

const fn formula(
    name: &'static str,
    args: &'static [Arg],
    doc: &'static str,
    unit: &'static str,
    example: &'static str,
    text: &'static str,
) -> Function {
    Function { name, args, doc, unit, example, body: Body::Formula(text), timed: None }
}

pub(super) const FUNCTIONS: &[Function] = &[
    formula(
        "return_momentum",
        &[events("n", 1, "20")],
        "the sum of the last n returns over that of their sizes; 0 where none moved",
        "−1 to 1",
        "return_momentum(20)",
        "ratio(sum(ret(mid, 1), n), sum(abs(ret(mid, 1)), n), 0)",
    ),
    formula(
        "return_momentum_count",
        &[events("n", 1, "20")],
        "the same with every move counting as one",
        "−1 to 1",
        "return_momentum_count(20)",
        "ratio(sum(sign(ret(mid, 1)), n), sum(abs(sign(ret(mid, 1))), n), 0)",
    ),
    formula(
        "imbalance_acceleration",
        &[events("n", 1, "10"), events("smooth", 1, "5")],
        "how fast the average imbalance changes",
        "−1 to 1",
        "imbalance_acceleration(10, 5)",
        "tanh(100 * ema(diff(ema(imbalance, n), 1), smooth))",
    ),
    formula(
        "spread_compression",
        &[events("fast", 1, "10"), events("slow", 1, "50")],
        "how far the fast average of the spread lies below the slow one; spreads of zero do not count",
        "−1 to 1",
        "spread_compression(10, 50)",
        "clamp((ema(positive(spread), slow) - ema(positive(spread), fast)) / ema(positive(spread), slow), -1, 1)",
    ),
    formula(
        "micro_reversion",
        &[events("n", 1, "50")],
        "the share of the last n pairs of returns that turn round; a half where one is zero",
        "0 to 1",
        "micro_reversion(50)",
        "sma(0.5 - 0.5 * sign(ret(mid, 1)) * sign(lag(ret(mid, 1), 1)), n)",
    ),
    formula(
        "intensity_rank",
        &[events("n", 2, "20"), events("long", 1, "200")],
        "the rate of the last n book events among its last values: the share at or below it",
        "0 to 1",
        "intensity_rank(20, 200)",
        "percentile((n - 1) / (diff(book_time, n - 1) / 1e9), long)",
    ),
    formula(
        "volatility_ratio",
        &[events("short", 1, "20"), events("long", 1, "100")],
        "the deviation of the last returns over that of more of them; 1 where one is zero, at most 5",
        "0 to 5",
        "volatility_ratio(20, 100)",
        "clamp(if(std(ret(mid, 1), short) == 0 or std(ret(mid, 1), long) == 0, 1, ratio(std(ret(mid, 1), short), std(ret(mid, 1), long), 1)), 0, 5)",
    ),
    formula(
        "trend_strength",
        &[events("fast", 1, "10"), events("slow", 1, "30"), events("back", 1, "5")],
        "tanh of how far the fast average lies above the slow one and how fast it rises",
        "−1 to 1",
        "trend_strength(10, 30, 5)",
        "tanh(100 * (0.7 * (ema(mid, fast) - ema(mid, slow)) / ema(mid, slow) + 0.3 * change(ema(mid, fast), back)))",
    ),
    formula(
        "spread_ratio",
        &[events("n", 1, "100")],
        "the spread over its mean, at most 5; spreads of zero do not count",
        "0 to 5",
        "spread_ratio(100)",
        "clamp(positive(spread) / sma(positive(spread), n), 0, 5)",
    ),
    formula(
        "regime_stability",
        &[events("n", 1, "100")],
        "1 where volatility_ratio, trend_strength and spread_ratio stay as they are",
        "0 to 1",
        "regime_stability(100)",
        "0.4 * (1 - min(var(volatility_ratio(), n) / 0.67, 1)) + 0.4 * (1 - min(var(trend_strength(), n) / 0.67, 1)) + 0.2 * (1 - min(var(spread_ratio(), n) / 0.67, 1))",
    ),
    formula(
        "volatility_compression_score",
        &[events("n", 1, "50")],
        "1 where volatility and spread have gone down together",
        "0 to 1",
        "volatility_compression_score(50)",
        "0.4 * clamp(2 - volatility_ratio(), 0, 1) + 0.3 * (spread_compression() + 1) / 2 + 0.3 * (1 - percentile(std(ret(mid, 1), 20), n))",
    ),
    formula(
        "xtf_alignment",
        &[length("short", "1s"), length("middle", "10s"), length("long", "60s")],
        "the mean of the signs of returns over three lengths of time",
        "−1 to 1",
        "xtf_alignment(1s, 10s, 60s)",
        "(sign(ret(mid, short)) + sign(ret(mid, middle)) + sign(ret(mid, long))) / 3",
    ),
];
