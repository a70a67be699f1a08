//! Flow of orders and trades, and what it costs.

use super::{Arg, ArgKind, Body, Function, column, column_or, events, length, number, window};
use crate::features::nodes::drift::{DriftBurst, DriftScore};
use crate::features::nodes::timed::Burst;

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

const N: &[Arg] = &[events("n", 1, "100")];
const W: &[Arg] = &[window("n", 1, "100")];
const W2: &[Arg] = &[window("n", 2, "100")];
const N2: &[Arg] = &[events("n", 2, "100")];

/// How many returns a drift is taken over.
const RETURNS: Arg = Arg { name: "n", kind: ArgKind::Events(3, 2048), default: Some("100") };

/// The body of a function that always has a length of time.
pub(super) const TIMED_ONLY: Body =
    Body::Node { build: |_| unreachable!("a length of time makes another node"), warm: |_| 2 };

pub(super) const FUNCTIONS: &[Function] = &[
    formula(
        "vwap",
        W,
        "the price of the last n prints, weighted by size",
        "price",
        "vwap(100)",
        "sum(notional, n) / sum(qty, n)",
    ),
    formula(
        "flow",
        W,
        "bought less sold over the last n prints",
        "size",
        "flow(100)",
        "sum(signed_qty, n)",
    ),
    formula(
        "flow_imbalance",
        W,
        "(bought − sold)/traded over the last n prints",
        "ratio",
        "flow_imbalance(100)",
        "sum(signed_qty, n) / sum(qty, n)",
    ),
    formula(
        "intensity",
        N,
        "prints a second over the last n",
        "1/s",
        "intensity(100)",
        "n / sum(trade_gap, n)",
    ),
    formula(
        "quote_intensity",
        N,
        "book events a second over the last n",
        "1/s",
        "quote_intensity(20)",
        "n / sum(book_gap, n)",
    ),
    formula(
        "kyle",
        N2,
        "Kyle's lambda: the slope of price changes on signed size over n prints",
        "price/size",
        "kyle(100)",
        "beta(diff(px, 1), signed_qty, n)",
    ),
    formula(
        "amihud",
        W,
        "the mean of |return|/money over n prints",
        "1/money",
        "amihud(100)",
        "sma(abs(ret(px, 1)) / notional, n)",
    ),
    formula(
        "roll",
        N2,
        "Roll's spread: 2·√−cov of neighbouring price changes; no value where that is positive",
        "price",
        "roll(100)",
        "2 * sqrt(-cov(diff(px, 1), lag(diff(px, 1), 1), n))",
    ),
    formula(
        "vpin",
        N,
        "the mean over n prints of |flow|/traded in stretches of n prints",
        "0 to 1",
        "vpin(50)",
        "sma(abs(flow_imbalance(n)), n)",
    ),
    formula(
        "ofi_sum",
        W,
        "order flow imbalance over the last n book events",
        "size",
        "ofi_sum(20)",
        "sum(ofi, n)",
    ),
    formula(
        "depth_imbalance",
        &[],
        "(bid_depth − ask_depth)/(bid_depth + ask_depth)",
        "ratio",
        "depth_imbalance()",
        "(bid_depth - ask_depth) / (bid_depth + ask_depth)",
    ),
    formula(
        "realized_vol",
        W,
        "the square root of the sum of n squared log returns of the mid",
        "ratio",
        "realized_vol(100)",
        "sqrt(sum(logret(mid, 1) * logret(mid, 1), n))",
    ),
    formula(
        "bipower",
        W2,
        "(π/2)·Σ|r||r before| over n events",
        "ratio²",
        "bipower(100)",
        "1.5707963267948966 * sum(abs(logret(mid, 1)) * abs(lag(logret(mid, 1), 1)), n)",
    ),
    formula(
        "jump_share",
        W2,
        "max(0, 1 − bipower/Σr²)",
        "0 to 1",
        "jump_share(100)",
        "max(1 - bipower(n) / sum(logret(mid, 1) * logret(mid, 1), n), 0)",
    ),
    formula(
        "ewma_vol",
        &[number("lambda", (0.0, 0.999_999), "0.94")],
        "the square root of the exponential average of squared log returns of the mid",
        "ratio",
        "ewma_vol(0.94)",
        "sqrt(ewma(logret(mid, 1) * logret(mid, 1), lambda))",
    ),
    formula(
        "annualized",
        &[column("x"), number("events_per_year", (1.0, 1e12), "7200000")],
        "x·√events a year: a deviation of returns, by the year",
        "ratio",
        "annualized(std(ret(mid, 1), 20), 7200000)",
        "x * sqrt(events_per_year)",
    ),
    formula(
        "trade_intensity",
        &[length("t", "1s")],
        "prints in a length of time",
        "prints",
        "trade_intensity(1s)",
        "count(px, t)",
    ),
    formula(
        "cancel_ratio",
        N,
        "what was cancelled of the size taken from the best prices over the last n book events",
        "0 to 1",
        "cancel_ratio(100)",
        "sum(bid_removed + ask_removed - best_traded, n) / sum(bid_removed + ask_removed, n)",
    ),
    formula(
        "liquidity_absorption",
        &[events("n", 1, "50")],
        "the EMA over n prints at best prices of what was traded over what was offered",
        "ratio",
        "liquidity_absorption(50)",
        "ema(absorption, n)",
    ),
    Function {
        name: "burst",
        args: &[
            column_or("x", "px"),
            length("t", "30s"),
            number("factor", (1.0, 1e6), "3"),
            events("n", 1, "1000"),
            length("cooldown", "5s"),
        ],
        doc: "1 where the number of events in t begins to exceed factor times its EMA over n events, at most once in a cooldown; else 0",
        unit: "signal",
        example: "burst(px, 30s, 3)",
        body: TIMED_ONLY,
        timed: Some(|nanos, p| Box::new(Burst::new(nanos, p[1], 2.0 / (p[2] + 1.0), p[3] * 1e9))),
    },
    Function {
        name: "drift_score",
        args: &[column_or("x", "mid"), RETURNS],
        doc: "2/(1 + e^(−|T|/3)) − 1, with T the mean of the last n log returns other than zero over √(bipower variation/n)",
        unit: "0 to 1",
        example: "drift_score(mid, 100)",
        body: Body::Node {
            build: |p| Box::new(DriftScore::new(p[0] as usize)),
            warm: |p| p[0] as u64 + 1,
        },
        timed: None,
    },
    Function {
        name: "drift_burst",
        args: &[
            column_or("x", "mid"),
            column_or("imbalance", "imbalance"),
            column_or("spread", "spread"),
            RETURNS,
            length("cooldown", "5s"),
        ],
        doc: "where |T| of drift_score is above 3: 2 if the book leans against it by more than 0.2, else 1; at most once in a cooldown; else 0",
        unit: "class",
        example: "drift_burst(mid, imbalance, spread, 100)",
        body: TIMED_ONLY,
        timed: Some(|nanos, p| Box::new(DriftBurst::new(p[0] as usize, nanos as f64))),
    },
];
