//! Named sets of features.

/// Features under one name, in an order that never changes.
#[derive(Clone, Copy, Debug)]
pub struct Set {
    pub name: &'static str,
    pub version: u64,
    pub doc: &'static str,
    /// The name of each feature, and its expression.
    pub features: &'static [(&'static str, &'static str)],
}

pub const SETS: &[Set] = &[Set {
    name: "core15",
    version: 1,
    doc: "fifteen scalar features of the best bid and ask",
    features: &[
        ("mid_price", "mid"),
        ("spread", "spread"),
        ("return_1", "ret(mid, 1)"),
        ("volatility", "std(ret(mid, 1), 20)"),
        ("ema", "ema(mid, 14)"),
        ("rsi", "rsi_sma(mid, 14)"),
        ("atr", "sma(tick_range(), 14)"),
        ("roc", "roc(mid, 10)"),
        (
            "regime_volatility",
            "regime(std(ret(mid, 1), 20), sma(std(ret(mid, 1), 20), 100), 0.5, 2)",
        ),
        ("regime_trend", "trend(mid, 10, 30, 0.0001)"),
        ("regime_spread", "regime(positive(spread), sma(positive(spread), 100), 0.5, 2)"),
        ("microprice", "microprice"),
        ("imbalance_ema", "ema(imbalance, 20)"),
        ("ema_slope", "ema_slope(mid, 14, 5)"),
        ("bollinger_pos", "bb_pos(mid, 20, 2)"),
    ],
}];
