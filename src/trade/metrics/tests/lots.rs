//! Trades from fills: the four ways of matching, exact sums, and a model that recomputes them.

use proptest::prelude::*;
use qt_model::instrument::{Instrument, Symbol};
use qt_model::order::Currency;
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::Side;

use super::{close, figure};
use crate::ledger::DoublePx;
use crate::ledger::Money;
use crate::metrics::contract::Contract;
use crate::metrics::trade_summary::TradeSummary;
use crate::metrics::trades::{Matching, Position, Taken, Trade};
use crate::metrics::value::Absent;

const ALL: [Matching; 4] = [Matching::Episode, Matching::Fifo, Matching::Lifo, Matching::Average];

fn money(text: &str) -> Money {
    Money::exact(text.parse().unwrap()).unwrap()
}

fn position(matching: Matching) -> Position {
    let scale = Scale::new(0).unwrap();
    let instrument = Instrument::new(Symbol::new("test:X").unwrap(), scale, scale);
    Position::new(Contract::new(&instrument, Currency::new("USD").unwrap()).unwrap(), matching)
}

fn run(matching: Matching, fills: &[(i64, i64, &str)]) -> (Position, Vec<Trade>) {
    let mut position = position(matching);
    let mut trades = Vec::new();
    for (at, (signed, px, fee)) in fills.iter().enumerate() {
        let side = if *signed > 0 { Side::Buy } else { Side::Sell };
        let (ts, qty) =
            (Ts::from_nanos(i64::try_from(at).unwrap()), Qty::new(signed.abs()).unwrap());
        let taken = Taken { ts, side, px: Px::new(*px), qty, fee: money(fee) };
        trades.extend(position.fill(&taken));
    }
    (position, trades)
}

const FILLS: [(i64, i64, &str); 5] =
    [(2, 100, "0"), (3, 110, "0"), (-4, 120, "0"), (-3, 90, "0"), (2, 80, "0")];

#[test]
fn four_ways_of_matching_earn_the_same() {
    for (matching, expected) in [
        (Matching::Episode, vec!["40", "20"]),
        (Matching::Fifo, vec!["60", "-20", "20"]),
        (Matching::Lifo, vec!["50", "-10", "20"]),
        (Matching::Average, vec!["56", "-16", "20"]),
    ] {
        let (position, trades) = run(matching, &FILLS);
        let gross: Vec<_> = trades.iter().map(|trade| trade.gross).collect();
        assert_eq!(gross, expected.into_iter().map(money).collect::<Vec<_>>(), "{matching:?}");
        assert_eq!(position.qty(), 0);
    }
    let (_, trades) = run(Matching::Episode, &FILLS);
    assert_eq!(trades.iter().map(|it| it.side).collect::<Vec<_>>(), [Side::Buy, Side::Sell]);
    assert_eq!((trades[0].qty, trades[0].fills, trades[1].opened), (5, 4, Ts::from_nanos(3)));
}

#[test]
fn a_fee_is_split_where_a_fill_turns_the_position() {
    let fills = [(1, 100, "0.10"), (-3, 101, "0.30"), (2, 100, "-0.06")];
    let (_, trades) = run(Matching::Episode, &fills);
    let fees: Vec<_> = trades.iter().map(|trade| trade.fees).collect();
    assert_eq!(fees, [money("0.20"), money("0.14")]);
    assert_eq!(trades[0].net(), money("0.80"));
}

#[test]
fn excursions_run_from_the_worst_to_the_best_mark() {
    let mut position = position(Matching::Episode);
    let fill = |ts, side, px| {
        let qty = Qty::new(2).unwrap();
        Taken { ts: Ts::from_nanos(ts), side, px: Px::new(px), qty, fee: Money::ZERO }
    };
    assert_eq!(position.fill(&fill(0, Side::Sell, 100)), None);
    for px in [101, 97, 103, 99] {
        position.mark(DoublePx::of(Px::new(px)));
    }
    let trade = position.fill(&fill(9, Side::Buy, 98)).unwrap();
    assert_eq!(trade.excursion, Some((money("-6"), money("6"))));
    assert_eq!((trade.side, trade.gross), (Side::Sell, money("4")));
}

const TRADES: [(&str, &str, &str); 13] = [
    ("120.50", "3.10", "0"),
    ("45.00", "1.75", "0.60"),
    ("33.30", "0.90", "0.15"),
    ("-80.25", "2.95", "-1.20"),
    ("-12.40", "1.10", "0"),
    ("0.00", "0.00", "0"),
    ("210.75", "4.40", "-2.35"),
    ("2.60", "2.60", "0"),
    ("64.00", "2.20", "0"),
    ("18.20", "-0.35", "0"),
    ("-150.00", "3.80", "0"),
    ("7.75", "1.05", "-0.70"),
    ("-41.10", "1.30", "-0.70"),
];

fn summary(trades: &[(&str, &str, &str)]) -> TradeSummary {
    let mut summary = TradeSummary::default();
    for (gross, fees, funding) in trades {
        summary.add(&Trade {
            side: Side::Buy,
            opened: Ts::from_nanos(0),
            closed: Ts::from_nanos(10),
            qty: 1,
            fills: 2,
            gross: money(gross),
            fees: money(fees),
            funding: money(funding),
            excursion: None,
            entry_notional: money("100"),
            exit_notional: money("100"),
            entry_qty: 1,
            exit_qty: 1,
        });
    }
    summary
}

#[test]
fn thirteen_trades() {
    let found = summary(&TRADES);
    assert_eq!((found.wins, found.losses, found.breakeven), (7, 4, 2));
    assert_eq!(found.net(), money("189.35"));
    assert_eq!((found.fees, found.funding), (money("24.80"), money("-4.20")));
    assert_eq!((found.wins_in_a_row, found.losses_in_a_row), (3, 2));
    assert_eq!(found.largest_win(), Ok(money("204")));
    assert_eq!(found.largest_loss(), Ok(money("-153.8")));
    figure("win_rate", found.win_rate(), 0.636_363_636_363_636_4);
    figure("profit_factor", found.profit_factor(), 1.642_299_864_314_789_7);
    figure("avg_win", found.avg_win(), 69.164_285_714_285_71);
    figure("avg_loss", found.avg_loss(), -73.7);
    figure("payoff", found.payoff_ratio(), 0.938_457_065_322_737);
    figure("expectancy", found.expectancy(), 14.565_384_615_384_616);
    figure("expectancy_r", found.expectancy_r(), 0.197_630_727_481_473_76);
    figure("sqn", found.sqn(), 0.597_701_951_637_133_7);
    figure("kelly", found.kelly(), 0.248_880_418_352_689_34);
    close("holding", found.holding_ns.mean(), 10.0);
}

#[test]
fn trades_of_one_kind_leave_ratios_undefined() {
    let winners = summary(&TRADES[..2]);
    assert_eq!(winners.profit_factor(), Err(Absent::NoLosses));
    assert_eq!(winners.kelly(), Err(Absent::NoLosses));
    assert_eq!(winners.win_rate(), Ok(1.0));
    let losers = summary(&TRADES[3..5]);
    assert_eq!((losers.profit_factor(), losers.payoff_ratio()), (Ok(0.0), Err(Absent::NoWins)));
    let even = summary(&[TRADES[5], TRADES[7]]);
    assert_eq!((even.win_rate(), even.expectancy()), (Err(Absent::NoneDecided), Ok(0.0)));
    assert_eq!(even.sqn(), Err(Absent::ZeroVariance));
    let none = summary(&[]);
    assert_eq!((none.expectancy(), none.sqn()), (Err(Absent::NoTrades), Err(Absent::LessThanTwo)));
}

proptest! {
    /// Whatever the way, what flat positions earned is what came in less what went out.
    #[test]
    fn profit_and_fees_are_conserved(
        steps in prop::collection::vec((-5_i64..=5, 1_i64..500, -30_i64..90), 1..60),
    ) {
        let mut fills: Vec<(i64, i64, String)> = steps
            .iter()
            .filter(|(signed, ..)| *signed != 0)
            .map(|(signed, px, fee)| (*signed, *px, fee.to_string()))
            .collect();
        let rest: i64 = fills.iter().map(|(signed, ..)| signed).sum();
        if rest != 0 {
            fills.push((-rest, 77, "1".to_owned()));
        }
        let borrowed: Vec<_> = fills.iter().map(|(s, px, fee)| (*s, *px, fee.as_str())).collect();
        let cash: i64 = fills.iter().map(|(signed, px, _)| -signed * px).sum();
        let fees: Money = fills.iter().map(|(.., fee)| money(fee)).sum();
        for matching in ALL {
            let (position, trades) = run(matching, &borrowed);
            prop_assert_eq!(position.qty(), 0);
            let gross: Money = trades.iter().map(|trade| trade.gross).sum();
            prop_assert_eq!(gross, money(&cash.to_string()), "{:?}", matching);
            prop_assert_eq!(trades.iter().map(|trade| trade.fees).sum::<Money>(), fees);
        }
    }
}
