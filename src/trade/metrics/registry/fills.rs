//! Fills against the market, and what became of orders.

use qt_model::words::Liquidity;

use super::super::figures::Made;
use super::super::latency::Leg;
use super::super::quantiles::Quantiles;
use super::super::value::{Absent, Value};
use super::{Definition, each, one};

const MONEY: &str = "currency";

fn share(quantiles: &Quantiles, share: f64) -> Value {
    quantiles.quantile(share).ok_or(Absent::Unknown).into()
}

fn wire(it: &Made<'_>, at: f64) -> Value {
    share(it.figures.latencies.of(Leg::DecisionToWire), at)
}

fn ack(it: &Made<'_>, at: f64) -> Value {
    share(it.figures.latencies.of(Leg::WireToAck), at)
}

fn longest(quantiles: &Quantiles) -> Value {
    quantiles.max().map_or(Value::Absent(Absent::Unknown), Value::Count)
}

pub(super) const FILLS: &[Definition] = &[
    one("fills", "", "count of executions", |it| it.figures.fills.count.into()),
    one("notional", MONEY, "sum of price * size * multiplier", |it| {
        it.figures.fills.notional.into()
    }),
    one("maker_share", "", "notional of fills that rested / notional", |it| {
        it.figures.fills.maker_share().into()
    }),
    one("taker_share", "", "notional of fills that took / notional", |it| {
        it.figures.fills.taker_share().into()
    }),
    one("maker_share_count", "", "fills that rested / fills", |it| {
        it.figures.fills.maker_share_count().into()
    }),
    one(
        "slippage_decision_bps",
        "bps",
        "sum of side * (price - mid at decision) * size / sum of mid * size * 10000; above zero: cost",
        |it| it.figures.fills.decision.bps(Absent::Unknown).into(),
    ),
    one(
        "slippage_arrival_bps",
        "bps",
        "the same against the mid when the venue had the order",
        |it| it.figures.fills.arrival.bps(Absent::Unknown).into(),
    ),
    one(
        "slippage_touch_bps",
        "bps",
        "the same against the best price of the other side then",
        |it| it.figures.fills.touch.bps(Absent::Unknown).into(),
    ),
    one(
        "effective_half_spread_bps",
        "bps",
        "sum of side * (mid before - price) * size / sum of mid * size * 10000; above zero: earned",
        |it| it.figures.fills.effective.bps(Absent::Unknown).into(),
    ),
    each(
        "markout_{h}_bps",
        "bps",
        "sum of side * (mid at the horizon - price) * size / sum of price * size * 10000, over fills \
         whose horizon is not past the end; above zero: good for us",
        |it, at| it.figures.fills.horizons[at].markout.bps(Absent::HorizonPastEnd).into(),
    ),
    each("markout_{h}_n", "", "count of fills in it", |it, at| {
        it.figures.fills.horizons[at].markout.count.into()
    }),
    each(
        "markout_{h}_excluded",
        "",
        "count of fills whose horizon lies past the end or has no mid",
        |it, at| it.figures.fills.horizons[at].excluded.into(),
    ),
    each(
        "adverse_selection_{h}_bps",
        "bps",
        "sum of side * (mid before - mid at the horizon) * size / sum of mid before * size * 10000; \
         above zero: against us",
        |it, at| it.figures.fills.horizons[at].adverse.bps(Absent::HorizonPastEnd).into(),
    ),
];

pub(super) const ORDERS: &[Definition] = &[
    one("orders_submitted", "", "count of orders we sent", |it| it.figures.orders.submitted.into()),
    one("orders_accepted", "", "count of those the venue took", |it| {
        it.figures.orders.accepted.into()
    }),
    one("orders_rejected", "", "count of those it did not", |it| it.figures.orders.rejected.into()),
    one("orders_cancelled", "", "count of orders that ended by a cancel", |it| {
        it.figures.orders.cancelled.into()
    }),
    one("orders_expired", "", "count of orders that ran out of time", |it| {
        it.figures.orders.expired.into()
    }),
    one("reject_ratio", "", "orders_rejected / orders_submitted", |it| {
        it.figures.orders.reject_ratio().into()
    }),
    one("cancel_ratio", "", "orders_cancelled / orders_accepted", |it| {
        it.figures.orders.cancel_ratio().into()
    }),
    one("fill_ratio_qty", "", "filled size / size of accepted orders", |it| {
        it.figures.orders.fill_ratio_qty().into()
    }),
    one("fill_ratio_orders", "", "accepted orders with any fill / orders_accepted", |it| {
        it.figures.orders.fill_ratio_orders().into()
    }),
    one("fill_ratio_complete", "", "accepted orders filled whole / orders_accepted", |it| {
        it.figures.orders.fill_ratio_complete().into()
    }),
    one("order_to_trade_ratio", "", "(submits + amends + cancels that we sent) / fills", |it| {
        it.figures.orders.order_to_trade(it.figures.fills.count).into()
    }),
    one("queue_ahead_entry", "size", "mean size ahead when an order came to rest", |it| {
        it.figures.orders.queue_ahead_mean().into()
    }),
    one("queue_ratio_entry", "", "mean of size ahead / size of the level", |it| {
        it.figures.orders.queue_ratio_mean().into()
    }),
    one(
        "queue_ahead_fill",
        "size",
        "mean size ahead at the fill, as the model of the queue has it",
        |it| it.figures.fills.queue_ahead_fill_mean().into(),
    ),
    one(
        "queue_traded_share",
        "",
        "part of the queue ahead that left by trades rather than cancels",
        |it| it.figures.fills.queue_traded_share().into(),
    ),
    one(
        "time_to_first_fill_median_ns",
        "ns",
        "from the venue's acceptance to an order's first fill",
        |it| share(&it.figures.orders.first_fill(), 0.5),
    ),
    one("time_to_first_fill_p95_ns", "ns", "the same, 95 % are no slower", |it| {
        share(&it.figures.orders.first_fill(), 0.95)
    }),
    one("time_to_first_fill_median_maker_ns", "ns", "of orders whose first fill rested", |it| {
        share(&it.figures.orders.first_fill_maker, 0.5)
    }),
    one("time_to_first_fill_median_taker_ns", "ns", "of orders whose first fill took", |it| {
        share(&it.figures.orders.first_fill_taker, 0.5)
    }),
    one(
        "time_to_fill_qty_weighted_ns",
        "ns",
        "from acceptance to fill, mean weighted by size",
        |it| it.figures.orders.waited(None).into(),
    ),
    one("time_to_fill_qty_weighted_maker_ns", "ns", "of fills that rested", |it| {
        it.figures.orders.waited(Some(Liquidity::Maker)).into()
    }),
    one("time_to_fill_qty_weighted_taker_ns", "ns", "of fills that took", |it| {
        it.figures.orders.waited(Some(Liquidity::Taker)).into()
    }),
    one(
        "latency_decision_to_wire_p50_ns",
        "ns",
        "from decision to sending; as measured or drawn",
        |it| wire(it, 0.5),
    ),
    one("latency_decision_to_wire_p90_ns", "ns", "the same, 90 %", |it| wire(it, 0.9)),
    one("latency_decision_to_wire_p99_ns", "ns", "the same, 99 %", |it| wire(it, 0.99)),
    one("latency_decision_to_wire_p999_ns", "ns", "the same, 99.9 %", |it| wire(it, 0.999)),
    one("latency_decision_to_wire_max_ns", "ns", "the same, the longest", |it| {
        longest(it.figures.latencies.of(Leg::DecisionToWire))
    }),
    one(
        "latency_wire_to_ack_p50_ns",
        "ns",
        "from sending to the venue's answer; as measured or drawn",
        |it| ack(it, 0.5),
    ),
    one("latency_wire_to_ack_p90_ns", "ns", "the same, 90 %", |it| ack(it, 0.9)),
    one("latency_wire_to_ack_p99_ns", "ns", "the same, 99 %", |it| ack(it, 0.99)),
    one("latency_wire_to_ack_p999_ns", "ns", "the same, 99.9 %", |it| ack(it, 0.999)),
    one("latency_wire_to_ack_max_ns", "ns", "the same, the longest", |it| {
        longest(it.figures.latencies.of(Leg::WireToAck))
    }),
];
