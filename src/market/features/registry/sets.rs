//! Named sets of features.

use crate::features::expr::{Named, parse};

/// Features under one name, in an order that never changes.
#[derive(Clone, Copy, Debug)]
pub struct Set {
    pub name: &'static str,
    pub version: u64,
    pub doc: &'static str,
    /// The name of each feature, and its expression.
    pub features: &'static [(&'static str, &'static str)],
}

impl Set {
    /// The features as a list to compile.
    pub fn members(&self) -> Vec<Named> {
        let member = |(name, text): &(&str, &str)| {
            let expr = parse(text).expect("the expressions of a set are sound");
            Named { name: (*name).to_owned(), expr }
        };
        self.features.iter().map(member).collect()
    }
}

pub const SETS: &[Set] = &[CORE15, QUEUE, VOL, DISCOVERY, ML10, ML6];

const CORE15: Set = Set {
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
};

const QUEUE: Set = Set {
    name: "queue",
    version: 1,
    doc: "what waits at the best prices and behind them, and what becomes of it; wants depth",
    features: &[
        ("q_bid_1", "bid_qty"),
        ("q_ask_1", "ask_qty"),
        ("q_bid_5", "bid_depth"),
        ("q_ask_5", "ask_depth"),
        ("q_bid_10", "bid_depth_10"),
        ("q_ask_10", "ask_depth_10"),
        ("q_orders_bid_1", "bid_orders"),
        ("q_orders_ask_1", "ask_orders"),
        ("q_slope_bid", "bid_slope"),
        ("q_slope_ask", "ask_slope"),
        ("q_depletion_bid", "ema(bid_removed, 20)"),
        ("q_depletion_ask", "ema(ask_removed, 20)"),
        ("q_refill_bid", "ema(bid_added, 20)"),
        ("q_refill_ask", "ema(ask_added, 20)"),
        ("q_cancel_ratio", "cancel_ratio(100)"),
        ("q_turnover_ms", "sma(best_lifetime, 20)"),
        ("q_concentration_bid", "bid_qty / bid_depth"),
        ("q_concentration_ask", "ask_qty / ask_depth"),
    ],
};

const VOL: Set = Set {
    name: "vol",
    version: 1,
    doc: "volatility over events and over time, with and without jumps",
    features: &[
        ("volatility", "std(ret(mid, 1), 20)"),
        ("rv_1s", "realized_vol(1s)"),
        ("rv_10s", "realized_vol(10s)"),
        ("rv_60s", "realized_vol(60s)"),
        ("rv_300s", "realized_vol(300s)"),
        ("ewma_vol", "ewma_vol(0.94)"),
        ("bpv_1s", "bipower(1s)"),
        ("bpv_10s", "bipower(10s)"),
        ("bpv_60s", "bipower(60s)"),
        ("bpv_300s", "bipower(300s)"),
        ("jump_share_1s", "jump_share(1s)"),
        ("jump_share_10s", "jump_share(10s)"),
        ("jump_share_60s", "jump_share(60s)"),
        ("jump_share_300s", "jump_share(300s)"),
        ("volatility_ratio", "volatility_ratio(20, 100)"),
        ("atr", "sma(tick_range(), 14)"),
    ],
};

const DISCOVERY: Set = Set {
    name: "discovery",
    version: 1,
    doc: "behaviour and regimes of a market, scaled to about one",
    features: &[
        ("liquidity_pressure", "ema(imbalance, 10)"),
        ("return_momentum", "return_momentum(20)"),
        ("imbalance_acceleration", "imbalance_acceleration(10, 5)"),
        ("spread_compression", "spread_compression(10, 50)"),
        ("micro_reversion", "micro_reversion(50)"),
        ("quote_intensity", "intensity_rank(20, 200)"),
        ("behavior_divergence", "(return_momentum - liquidity_pressure) / 2"),
        ("volatility_ratio", "volatility_ratio(20, 100)"),
        ("trend_strength", "trend_strength(10, 30, 5)"),
        ("spread_ratio", "spread_ratio(100)"),
        ("regime_stability", "regime_stability(100)"),
        ("volatility_compression_score", "volatility_compression_score(50)"),
        ("liquidity_absorption", "liquidity_absorption(50)"),
        ("flow_imbalance_1s", "flow_imbalance(1s)"),
        ("flow_imbalance_5s", "flow_imbalance(5s)"),
        ("flow_imbalance_30s", "flow_imbalance(30s)"),
        ("xtf_alignment", "xtf_alignment(1s, 10s, 60s)"),
    ],
};

const ML10: Set = Set {
    name: "ml10",
    version: 1,
    doc: "the columns of a data set for learning, from the best bid and ask",
    features: &[
        ("f_mid", "mid"),
        ("f_spread", "spread"),
        ("f_spread_bps", "ratio(10000 * spread, mid, 0)"),
        ("f_imbalance", "ratio(bid_qty - ask_qty, bid_qty + ask_qty, 0)"),
        ("f_microprice", "microprice"),
        ("f_ret_1s", "logret(mid, 1s)"),
        ("f_ret_5s", "logret(mid, 5s)"),
        ("f_ret_10s", "logret(mid, 10s)"),
        ("f_ret_30s", "logret(mid, 30s)"),
        ("f_vol_10s", "std(logret(mid, 1s), 10s)"),
    ],
};

const ML6: Set = Set {
    name: "ml6",
    version: 1,
    doc: "what a model is told while it runs, to eight decimals",
    features: &[
        ("mid_price", "round(mid, 8)"),
        ("spread_price", "round(spread, 8)"),
        ("ret_1s", "round(logret(mid, 1s), 8)"),
        ("ret_5s", "round(logret(mid, 5s), 8)"),
        ("book_imbalance", "round(imbalance, 8)"),
        ("intensity_1s", "round(count(mid, 1s), 8)"),
    ],
};
