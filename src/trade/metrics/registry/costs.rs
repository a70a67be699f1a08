//! Exposure, costs, and where the profit came from.

use super::{Definition, one};

const MONEY: &str = "currency";

pub(super) const EXPOSURE: &[Definition] = &[
    one("time_in_market", "", "time with any position / elapsed time", |it| {
        it.figures.exposed.time_in_market().into()
    }),
    one("long_share", "", "time with net worth of positions above zero / elapsed time", |it| {
        it.figures.exposed.long_share().into()
    }),
    one("short_share", "", "time with net worth of positions below zero / elapsed time", |it| {
        it.figures.exposed.short_share().into()
    }),
    one(
        "avg_gross_leverage",
        "",
        "time integral of |positions| / equity, over elapsed time",
        |it| it.figures.exposed.avg_gross_leverage().into(),
    ),
    one(
        "avg_net_leverage",
        "",
        "time integral of net positions / equity, over elapsed time",
        |it| it.figures.exposed.avg_net_leverage().into(),
    ),
    one("max_gross_leverage", "", "largest |positions| / equity", |it| {
        it.figures.exposed.max_gross_leverage().into()
    }),
    one("time_weighted_equity", MONEY, "time integral of equity / elapsed time", |it| {
        it.figures.exposed.time_weighted_equity().into()
    }),
    one("turnover", "", "(bought + sold notional) / time_weighted_equity", |it| {
        it.figures.exposed.turnover().into()
    }),
    one("turnover_one_sided", "", "min(bought, sold) / time_weighted_equity", |it| {
        it.figures.exposed.turnover_one_sided().into()
    }),
    one("turnover_ann", "", "turnover * 365 days / elapsed time", |it| {
        it.figures.exposed.annualised(it.figures.exposed.turnover()).into()
    }),
    one("elapsed_ns", "ns", "end of the data less its start", |it| {
        (it.figures.exposed.elapsed_ns.max(0).unsigned_abs()).into()
    }),
];

pub(super) const COSTS: &[Definition] = &[
    one("fees_paid", MONEY, "sum of fees above zero", |it| it.figures.fills.paid.into()),
    one("rebates_received", MONEY, "sum of fees below zero, as a positive amount", |it| {
        it.figures.fills.rebates.into()
    }),
    one("net_fees", MONEY, "fees_paid - rebates_received", |it| it.figures.fills.net_fees().into()),
    one("net_fees_bps", "bps", "net_fees / notional * 10000", |it| {
        it.figures.fills.net_fees_bps().into()
    }),
    one("funding_pnl", MONEY, "funding received less paid", |it| it.figures.flows.funding.into()),
    one("borrow_cost", MONEY, "interest on what was borrowed; below zero: paid", |it| {
        it.figures.flows.borrow.into()
    }),
    one("dividends", MONEY, "dividends received less paid", |it| it.figures.flows.dividends.into()),
    one(
        "liquidation_fees",
        MONEY,
        "what venues kept when they closed positions; in fees_paid too",
        |it| (-it.figures.flows.penalties).into(),
    ),
    one(
        "shortfall_delay",
        MONEY,
        "sum of side * (mid at arrival - mid at decision) * filled size",
        |it| it.figures.attribution.delay.into(),
    ),
    one("shortfall_execution", MONEY, "sum of side * (price - mid at arrival) * size", |it| {
        it.figures.attribution.execution.into()
    }),
    one(
        "shortfall_opportunity",
        MONEY,
        "sum of side * (mid at the end of the order - mid at decision) * unfilled size",
        |it| it.figures.attribution.opportunity.into(),
    ),
    one(
        "implementation_shortfall",
        MONEY,
        "shortfall_delay + shortfall_execution + shortfall_opportunity + net_fees",
        |it| {
            let parts = &it.figures.attribution;
            (parts.delay + parts.execution + parts.opportunity + it.figures.fills.net_fees()).into()
        },
    ),
];

pub(super) const PROFIT: &[Definition] = &[
    one("equity_start", MONEY, "equity before the first event", |it| {
        it.figures.first_equity.into()
    }),
    one("equity_end", MONEY, "equity at the end", |it| it.figures.last_equity.into()),
    one("external_flows", MONEY, "deposits less withdrawals", |it| {
        it.figures.flows.external.into()
    }),
    one("pnl_total", MONEY, "equity_end - equity_start - external_flows", |it| {
        it.figures.pnl_total().into()
    }),
    one("pnl_spread", MONEY, "sum of side * (mid before the fill - price) * size", |it| {
        it.figures.attribution.spread.into()
    }),
    one(
        "pnl_adverse",
        MONEY,
        "sum of side * (mid at the horizon - mid before the fill) * size",
        |it| it.figures.attribution.adverse.into(),
    ),
    one(
        "pnl_inventory",
        MONEY,
        "sum of side * (mid at the end - mid at the horizon) * size",
        |it| it.figures.attribution.inventory.into(),
    ),
    one("pnl_fees", MONEY, "-net_fees", |it| (-it.figures.fills.net_fees()).into()),
    one("pnl_funding", MONEY, "funding_pnl + borrow_cost + dividends", |it| {
        let flows = &it.figures.flows;
        (flows.funding + flows.borrow + flows.dividends).into()
    }),
    one(
        "pnl_unattributed",
        MONEY,
        "pnl_total less the five parts: zero where positions are marked at the mid and settle in the \
         account's currency",
        |it| (it.figures.pnl_total() - it.figures.pnl_attributed()).into(),
    ),
];
