//! Flow of orders and trades, and what it costs.

use super::{Arg, Body, Function, events};

const fn formula(
    name: &'static str,
    args: &'static [Arg],
    doc: &'static str,
    unit: &'static str,
    example: &'static str,
    text: &'static str,
) -> Function {
    Function { name, args, doc, unit, example, body: Body::Formula(text) }
}

const N: &[Arg] = &[events("n", 1, "100")];
const N2: &[Arg] = &[events("n", 2, "100")];

pub(super) const FUNCTIONS: &[Function] = &[
    formula(
        "vwap",
        N,
        "the price of the last n prints, weighted by size",
        "price",
        "vwap(100)",
        "sum(notional, n) / sum(qty, n)",
    ),
    formula(
        "flow",
        N,
        "bought less sold over the last n prints",
        "size",
        "flow(100)",
        "sum(signed_qty, n)",
    ),
    formula(
        "flow_imbalance",
        N,
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
        N,
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
        N,
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
        N,
        "the square root of the sum of n squared log returns of the mid",
        "ratio",
        "realized_vol(100)",
        "sqrt(sum(logret(mid, 1) * logret(mid, 1), n))",
    ),
    formula(
        "bipower",
        N2,
        "(π/2)·Σ|r||r before| over n events",
        "ratio²",
        "bipower(100)",
        "1.5707963267948966 * sum(abs(logret(mid, 1)) * abs(lag(logret(mid, 1), 1)), n)",
    ),
    formula(
        "jump_share",
        N2,
        "max(0, 1 − bipower/Σr²)",
        "0 to 1",
        "jump_share(100)",
        "max(1 - bipower(n) / sum(logret(mid, 1) * logret(mid, 1), n), 0)",
    ),
];
