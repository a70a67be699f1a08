//! Closed trades.

use super::super::quantiles::Quantiles;
use super::super::value::{Absent, Value};
use super::{Definition, one};

const MONEY: &str = "currency";

fn duration(value: Option<f64>) -> Value {
    value.ok_or(Absent::NoTrades).into()
}

fn money(value: Result<crate::ledger::Money, Absent>) -> Value {
    value.map_or_else(Value::Absent, Value::Money)
}

pub(super) const METRICS: &[Definition] = &[
    one("trades", "", "count of closed trades", |it| it.figures.trades.count().into()),
    one("wins", "", "count of net > 0", |it| it.figures.trades.wins.into()),
    one("losses", "", "count of net < 0", |it| it.figures.trades.losses.into()),
    one("breakeven", "", "count of net = 0", |it| it.figures.trades.breakeven.into()),
    one("win_rate", "", "wins / (wins + losses)", |it| it.figures.trades.win_rate().into()),
    one("profit_factor", "", "sum of wins / |sum of losses|", |it| {
        it.figures.trades.profit_factor().into()
    }),
    one("avg_win", MONEY, "sum of wins / wins", |it| it.figures.trades.avg_win().into()),
    one("avg_loss", MONEY, "sum of losses / losses", |it| it.figures.trades.avg_loss().into()),
    one("payoff_ratio", "", "avg_win / |avg_loss|", |it| it.figures.trades.payoff_ratio().into()),
    one("expectancy", MONEY, "sum of net / trades, break-evens included", |it| {
        it.figures.trades.expectancy().into()
    }),
    one("expectancy_r", "", "expectancy / |avg_loss|", |it| {
        it.figures.trades.expectancy_r().into()
    }),
    one("sqn", "", "sqrt(trades) * mean of net / deviation of net", |it| {
        it.figures.trades.sqn().into()
    }),
    one("kelly", "", "p - (1 - p) / payoff_ratio, p = win_rate", |it| {
        it.figures.trades.kelly().into()
    }),
    one("max_consecutive_wins", "", "longest row of wins; a break-even ends it", |it| {
        it.figures.trades.wins_in_a_row.into()
    }),
    one("max_consecutive_losses", "", "longest row of losses; a break-even ends it", |it| {
        it.figures.trades.losses_in_a_row.into()
    }),
    one("largest_win", MONEY, "largest net", |it| money(it.figures.trades.largest_win())),
    one("largest_loss", MONEY, "smallest net", |it| money(it.figures.trades.largest_loss())),
    one("trades_gross", MONEY, "sum of profit by prices over closed trades", |it| {
        it.figures.trades.gross.into()
    }),
    one("trades_fees", MONEY, "sum of fees over closed trades", |it| it.figures.trades.fees.into()),
    one(
        "trades_funding",
        MONEY,
        "sum of funding, interest and dividends over closed trades",
        |it| it.figures.trades.funding.into(),
    ),
    one("trades_net", MONEY, "trades_gross - trades_fees + trades_funding", |it| {
        it.figures.trades.net().into()
    }),
    one("mae_mean", MONEY, "mean of the worst profit by prices while a trade was open", |it| {
        it.figures.trades.mae_mean().into()
    }),
    one("mfe_mean", MONEY, "mean of the best profit by prices while a trade was open", |it| {
        it.figures.trades.mfe_mean().into()
    }),
    one("mae_mean_bps", "bps", "the same as a share of what the trade's opening was worth", |it| {
        it.figures.trades.mae_mean_bps().into()
    }),
    one("mfe_mean_bps", "bps", "the same as a share of what the trade's opening was worth", |it| {
        it.figures.trades.mfe_mean_bps().into()
    }),
    one("holding_time_mean_ns", "ns", "mean of last fill less first", |it| {
        duration(holding(it).mean())
    }),
    one("holding_time_median_ns", "ns", "median of last fill less first", |it| {
        duration(holding(it).quantile(0.5))
    }),
    one("holding_time_p95_ns", "ns", "95 % of trades are held no longer", |it| {
        duration(holding(it).quantile(0.95))
    }),
];

fn holding<'a>(it: &'a super::super::figures::Made<'_>) -> &'a Quantiles {
    &it.figures.trades.holding_ns
}
