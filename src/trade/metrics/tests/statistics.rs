//! Whole runs: edges in time, money from outside, and a slow model of markouts and profit.

use proptest::prelude::*;
use qt_model::order::{Cash, CashFlow, CashReason, Closure, Currency, OrderNo};
use qt_model::words::{Liquidity, Side};

use super::execution::{execution, money, ms, qty, statistics, touch, value};
use crate::metrics::{
    Absent, FillContext, Money, OrderEvent, Value, Worth, definition, definitions,
};

fn worth(equity: Money) -> Worth {
    Worth { equity, ..Worth::default() }
}

#[test]
fn a_run_in_which_nothing_happens_has_a_reason_for_every_absence() {
    let (statistics, _) = statistics("1000");
    let figures = statistics.finish(ms(0));
    let values = figures.values();
    assert!(values.len() > 140, "{}", values.len());
    let absent = |name| value(&figures, name).reason();
    assert_eq!(absent("sharpe"), Some(Absent::LessThanTwo));
    assert_eq!(absent("max_drawdown"), Some(Absent::None));
    assert_eq!(absent("time_in_market"), Some(Absent::ZeroElapsed));
    assert_eq!(absent("fill_ratio_qty"), Some(Absent::NoOrders));
    assert_eq!(absent("maker_share"), Some(Absent::NoFills));
    assert_eq!(absent("markout_1s_bps"), Some(Absent::HorizonPastEnd));
    assert_eq!(absent("dsr"), Some(Absent::LessThanTwo));
    assert_eq!(absent("beta"), Some(Absent::NoBenchmark));
    for (name, value) in values {
        assert!(value.to_f64().is_none_or(f64::is_finite), "{name}");
        assert!(definition(&name).is_some(), "{name} is explained");
    }
}

#[test]
fn names_are_unique_and_say_their_unit() {
    let mut names: Vec<_> = definitions().map(|it| it.name).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
    for it in definitions() {
        assert_eq!(it.name.ends_with("_ns"), it.unit == "ns", "{}", it.name);
        assert_eq!(it.name.ends_with("_bps"), it.unit == "bps", "{}", it.name);
        assert!(!it.formula.is_empty() && !it.formula.ends_with('.'), "{}", it.name);
    }
    assert!(definition("markout_250ms_bps").is_some() && definition("markout_{h}_n").is_some());
    assert!(definition("markout_soon_bps").is_none() && definition("sharp").is_none());
}

/// Bars alone have no mid: what waits for one must not grow with the number of fills.
#[test]
fn fills_of_a_market_without_mids_are_told_all_the_same() {
    let (mut statistics, id) = statistics("1000");
    for no in 1..=5 {
        let execution = execution(no, 10_000, "1", Liquidity::Taker, "0");
        let at = ms(i64::try_from(no).unwrap() * 3_600_000);
        statistics.fill(at, OrderNo(no), (id, Side::Buy), &execution, &FillContext::default());
        assert_eq!(statistics.fill_qualities().count(), usize::from(no > 1), "fill {no}");
    }
}

#[test]
fn fills_at_the_first_and_last_event_and_two_at_once() {
    let (mut statistics, id) = statistics("1000");
    let fill = |it: &mut crate::metrics::Statistics, at, side, no, px| {
        let execution = execution(no, px, "1", Liquidity::Taker, "0");
        it.fill(ms(at), OrderNo(no), (id, side), &execution, &FillContext::default());
    };
    // Before any mid there is nothing to measure against.
    fill(&mut statistics, 0, Side::Buy, 1, 10000);
    statistics.mid(ms(0), id, touch(9999, 10001));
    fill(&mut statistics, 10, Side::Buy, 2, 10001);
    fill(&mut statistics, 10, Side::Buy, 3, 10002);
    // Crossed at the horizon of both: no mid, so they are left out.
    statistics.mid(ms(100), id, touch(10005, 10001));
    statistics.mid(ms(200), id, touch(10001, 10003));
    fill(&mut statistics, 200, Side::Sell, 4, 10001);
    statistics.equity(ms(200), worth(money("1000.02")));
    let figures = statistics.finish(ms(200));
    let rows = figures.fill_qualities();
    let mids: Vec<_> = rows.iter().map(|row| row.mid_before.map(|mid| mid.to_string())).collect();
    assert_eq!(
        mids,
        [None, Some("100".into()), Some("100".into()), None],
        "crossed just before the last"
    );
    assert_eq!(rows.iter().map(|row| row.head.seq).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(value(&figures, "markout_100ms_n"), Value::Count(0));
    assert_eq!(value(&figures, "markout_100ms_excluded"), Value::Count(4));
    assert_eq!(value(&figures, "pnl_unattributed"), Value::Money(Money::ZERO));
}

#[test]
fn money_from_outside_is_no_profit() {
    let (mut statistics, id) = statistics("1000");
    let usd = Currency::new("USD").unwrap();
    let mut pay = |at: i64, reason, amount: &str, equity: &str| {
        let cash = Cash { amount: amount.parse().unwrap(), currency: usd };
        let flow = CashFlow { instrument: Some(id), ts_event: ms(at), reason, cash };
        statistics.cash(ms(at), &flow);
        statistics.equity(ms(at), worth(money(equity)));
    };
    let day = 86_400_000;
    pay(day / 2, CashReason::Deposit, "500", "1500");
    pay(day / 2 + 1, CashReason::Funding, "-1.5", "1498.5");
    pay(day + 1, CashReason::Withdrawal, "-998.5", "500");
    pay(day + 2, CashReason::Liquidation, "-5", "495");
    let figures = statistics.finish(ms(2 * day));
    assert_eq!(value(&figures, "pnl_total"), Value::Money(money("-6.5")));
    assert_eq!(value(&figures, "external_flows"), Value::Money(money("-498.5")));
    assert_eq!(value(&figures, "fees_paid"), Value::Money(money("5")));
    assert_eq!(value(&figures, "pnl_unattributed"), Value::Money(Money::ZERO));
    let returns = figures.returns();
    assert!((returns[0] + 0.0015).abs() < 1e-12, "{returns:?}");
    // A withdrawal is no drawdown: one percent was lost of what was left, and a little before.
    let deepest = value(&figures, "max_drawdown_event").to_f64().unwrap();
    assert!((deepest - (0.999 * 0.99 - 1.0)).abs() < 1e-9, "{deepest}");
}

#[test]
fn a_fee_in_another_currency_counts_as_the_caller_converts_it() {
    let (mut statistics, id) = statistics("1000");
    statistics.mid(ms(0), id, touch(9999, 10001));
    let coin = Currency::new("BNB").unwrap();
    let mut bought = execution(1, 10000, "1", Liquidity::Taker, "0.0002");
    bought.fee.currency = coin;
    let context = FillContext { fee: Some(money("0.12")), ..FillContext::default() };
    statistics.fill(ms(1), OrderNo(1), (id, Side::Buy), &bought, &context);
    statistics.equity(ms(1), worth(money("999.88")));
    let figures = statistics.finish(ms(2));
    assert_eq!(value(&figures, "net_fees"), Value::Money(money("0.12")));
    assert_eq!(value(&figures, "pnl_unattributed"), Value::Money(Money::ZERO));
}

#[test]
fn a_contract_that_pays_out_closes_its_trade_at_the_mid() {
    let (mut statistics, id) = statistics("1000");
    statistics.mid(ms(0), id, touch(9999, 10001));
    let bought = execution(1, 10000, "2", Liquidity::Taker, "0");
    statistics.fill(ms(1), OrderNo(1), (id, Side::Buy), &bought, &FillContext::default());
    statistics.mid(ms(2), id, touch(10099, 10101));
    let cash = Cash { amount: "2".parse().unwrap(), currency: Currency::new("USD").unwrap() };
    let reason = CashReason::Settlement;
    let flow = CashFlow { instrument: Some(id), ts_event: ms(3), reason, cash };
    statistics.cash(ms(3), &flow);
    statistics.equity(ms(3), worth(money("1002")));
    let figures = statistics.finish(ms(4));
    assert_eq!(value(&figures, "trades"), Value::Count(1));
    assert_eq!(value(&figures, "trades_net"), Value::Money(money("2")));
    assert_eq!(value(&figures, "pnl_unattributed"), Value::Money(Money::ZERO));
    assert_eq!(value(&figures, "time_in_market").to_f64(), Some(0.5));
}

#[test]
fn what_a_venue_closes_is_closed_at_its_price_with_its_fee() {
    let (mut statistics, id) = statistics("1000");
    statistics.mid(ms(0), id, touch(9999, 10001));
    let bought = execution(1, 10000, "2", Liquidity::Taker, "0");
    statistics.fill(ms(1), OrderNo(1), (id, Side::Buy), &bought, &FillContext::default());
    statistics.mid(ms(2), id, touch(9899, 9901));
    let execution = execution(2, 9899, "2", Liquidity::Taker, "0.5");
    let closure = Closure { instrument: id, ts_event: ms(3), side: Side::Sell, execution };
    statistics.closure(ms(3), &closure, money("0.5"));
    // Two at a loss of 1.01 each, and the fee.
    statistics.equity(ms(3), worth(money("997.48")));
    let figures = statistics.finish(ms(4));
    assert_eq!(value(&figures, "trades"), Value::Count(1));
    assert_eq!(value(&figures, "trades_net"), Value::Money(money("-2.52")));
    assert_eq!(value(&figures, "net_fees"), Value::Money(money("0.5")));
    assert_eq!(value(&figures, "pnl_unattributed"), Value::Money(Money::ZERO));
}

#[test]
fn a_shortfall_is_delay_execution_and_what_was_missed() {
    let (mut statistics, id) = statistics("1000");
    statistics.mid(ms(0), id, touch(9999, 10001));
    let mid = statistics.touch(id).and_then(crate::metrics::Touch::mid);
    let event = OrderEvent::Submitted {
        instrument: id,
        side: Side::Buy,
        qty: qty("3"),
        decided: ms(0),
        mid,
    };
    statistics.order(ms(0), OrderNo(1), &event);
    statistics.mid(ms(1), id, touch(10001, 10003));
    statistics.order(ms(2), OrderNo(1), &OrderEvent::Accepted { queue: None });
    let bought = execution(1, 10003, "2", Liquidity::Taker, "0.5");
    statistics.fill(ms(2), OrderNo(1), (id, Side::Buy), &bought, &FillContext::default());
    statistics.mid(ms(3), id, touch(10009, 10011));
    statistics.order(ms(4), OrderNo(1), &OrderEvent::Cancelled);
    let figures = statistics.finish(ms(9));
    for (name, expected) in [
        ("shortfall_delay", "0.04"),
        ("shortfall_execution", "0.02"),
        ("shortfall_opportunity", "0.1"),
        ("implementation_shortfall", "0.66"),
    ] {
        assert_eq!(value(&figures, name), Value::Money(money(expected)), "{name}");
    }
    assert_eq!(value(&figures, "slippage_touch_bps").to_f64(), Some(0.0));
}

/// One step of a random run: time passes, then a quote or a fill.
#[derive(Clone, Debug)]
enum Step {
    Quote(Option<(i64, i64)>),
    Fill(bool, i64, i64, i64),
}

fn step() -> impl Strategy<Value = (i64, Step)> {
    let quote = prop::option::weighted(0.9, (9990_i64..10010, 0_i64..4));
    let quote = quote.prop_map(|it| Step::Quote(it.map(|(bid, spread)| (bid, bid + spread))));
    let fill = (any::<bool>(), 9990_i64..10010, 1_i64..30, -20_i64..50);
    let fill = fill.prop_map(|(is_buy, px, size, fee)| Step::Fill(is_buy, px, size, fee));
    (0_i64..4000, prop_oneof![3 => quote, 1 => fill])
}

proptest! {
    /// Cash by hand, mids by looking back through all quotes: the same markouts, the same profit.
    #[test]
    fn a_random_run_equals_the_slow_one(steps in prop::collection::vec(step(), 1..80)) {
        let (mut statistics, id) = statistics("1000");
        let (mut now, mut cash, mut position) = (0_i64, money("1000"), 0_i64);
        let mut quotes: Vec<(i64, Option<i64>)> = Vec::new();
        let mut fills = Vec::new();
        let mut last_mid = None;
        for (no, (wait, step)) in steps.iter().enumerate() {
            now += wait;
            match *step {
                Step::Quote(pair) => {
                    statistics.mid(ms(now), id, pair.and_then(|(bid, ask)| touch(bid, ask)));
                    quotes.push((now, pair.map(|(bid, ask)| bid + ask)));
                    last_mid = pair.map(|(bid, ask)| bid + ask).or(last_mid);
                }
                Step::Fill(is_buy, px, tenths, fee) => {
                    let side = if is_buy { Side::Buy } else { Side::Sell };
                    let fee = rust_decimal::Decimal::new(fee, 4);
                    let execution = execution(
                        no as u64, px, &rust_decimal::Decimal::new(tenths, 1).to_string(),
                        Liquidity::Maker, &fee.to_string(),
                    );
                    let context = FillContext::default();
                    statistics.fill(ms(now), OrderNo(no as u64), (id, side), &execution, &context);
                    let signed = if is_buy { tenths } else { -tenths };
                    position += signed;
                    // Cents times tenths are thousandths.
                    cash -= Money::exact(rust_decimal::Decimal::new(signed * px, 3)).unwrap();
                    cash -= Money::exact(fee).unwrap();
                    fills.push((now, is_buy, px));
                }
            }
        }
        let end_mid = last_mid.unwrap_or(0);
        let held = Money::exact(rust_decimal::Decimal::new(position * end_mid * 5, 4)).unwrap();
        let equity = cash + held;
        statistics.equity(ms(now), worth(equity));
        let early: Vec<_> = statistics.fill_qualities().collect();
        let figures = statistics.finish(ms(now));
        if last_mid.is_some() {
            prop_assert_eq!(value(&figures, "pnl_unattributed"), Value::Money(Money::ZERO));
        }
        let rows: Vec<_> = early.iter().chain(figures.fill_qualities()).collect();
        prop_assert_eq!(rows.len(), fills.len());
        for (row, (at, is_buy, px)) in rows.iter().zip(&fills) {
            for (markout, horizon) in row.markout_bps.iter().zip([100, 1_000, 10_000]) {
                let mid = quotes.iter().rev().find(|quote| quote.0 <= at + horizon);
                let mid = mid.and_then(|quote| quote.1).filter(|_| at + horizon <= now);
                let gain = mid.map(|mid| if *is_buy { mid - 2 * px } else { 2 * px - mid });
                let expected = gain.map(|gain| gain as f64 / (2 * px) as f64 * 1e4);
                prop_assert_eq!(*markout, expected);
            }
        }
    }
}
