//! Six fills among thirteen quotes, and six orders, fed as a run feeds them.

use std::sync::Arc;

use qt_model::ids::InstrumentId;
use qt_model::instrument::{Instrument, Instruments, Symbol};
use qt_model::order::{Cash, Currency, Execution, FillNo, OrderNo};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::{Liquidity, Side};
use rust_decimal::Decimal;

use super::close;
use crate::metrics::{
    Figures, FillContext, Money, Options, OrderEvent, Queue, Statistics, Touch, Value, Worth,
};

pub(super) fn money(text: &str) -> Money {
    Money::exact(text.parse().unwrap()).unwrap()
}

pub(super) fn ms(ms: i64) -> Ts {
    Ts::from_nanos(ms * 1_000_000)
}

pub(super) fn qty(text: &str) -> Qty {
    let tenths: Decimal = text.parse::<Decimal>().unwrap() * Decimal::TEN;
    Qty::new(i64::try_from(tenths.mantissa() / 10_i128.pow(tenths.scale())).unwrap()).unwrap()
}

/// One instrument with cents and tenths.
pub(super) fn instruments() -> (Arc<Instruments>, InstrumentId) {
    let scale = |digits| Scale::new(digits).unwrap();
    let mut table = Instruments::default();
    let instrument = Instrument::new(Symbol::new("test:X").unwrap(), scale(2), scale(1));
    let id = table.declare(instrument).unwrap();
    (Arc::new(table), id)
}

pub(super) fn statistics(equity: &str) -> (Statistics, InstrumentId) {
    let (table, id) = instruments();
    let options = Options::new(Currency::new("USD").unwrap());
    (Statistics::new(&table, options, ms(0), money(equity)).unwrap(), id)
}

pub(super) fn touch(bid: i64, ask: i64) -> Option<Touch> {
    Some(Touch { bid: Px::new(bid), ask: Px::new(ask) })
}

pub(super) fn execution(
    no: u64,
    px: i64,
    size: &str,
    liquidity: Liquidity,
    fee: &str,
) -> Execution {
    let fee = Cash { amount: fee.parse().unwrap(), currency: Currency::new("USD").unwrap() };
    Execution { fill: FillNo(no), px: Px::new(px), qty: qty(size), liquidity, fee }
}

pub(super) fn value(figures: &Figures, name: &str) -> Value {
    let values = figures.values();
    let found = values.iter().find(|(known, _)| known == name);
    found.unwrap_or_else(|| panic!("no metric is called {name}")).1
}

#[track_caller]
fn check(figures: &Figures, name: &str, expected: f64) {
    close(name, value(figures, name).to_f64(), expected);
}

const QUOTES: [(i64, i64, i64); 13] = [
    (0, 10000, 10002),
    (50, 10001, 10003),
    (120, 10000, 10002),
    (300, 9998, 10000),
    (700, 9999, 10001),
    (1100, 10002, 10004),
    (1500, 10003, 10005),
    (2600, 10000, 10002),
    (5000, 9995, 9997),
    (9000, 10005, 10007),
    (11000, 10010, 10012),
    (12500, 10008, 10010),
    (15000, 10006, 10008),
];

type Row = (i64, Side, i64, &'static str, Liquidity, &'static str, i64);

const FILLS: [Row; 6] = [
    (60, Side::Buy, 10001, "2", Liquidity::Maker, "-0.02000200", 40),
    (300, Side::Sell, 9998, "1.5", Liquidity::Taker, "0.07498500", 290),
    (800, Side::Buy, 10001, "3", Liquidity::Taker, "0.15001500", 700),
    (1600, Side::Sell, 10005, "2.5", Liquidity::Maker, "-0.02501250", 1100),
    (6000, Side::Buy, 9995, "1", Liquidity::Maker, "-0.00999500", 4000),
    (14000, Side::Sell, 10010, "4", Liquidity::Maker, "-0.04004000", 12500),
];

/// Feeds quotes, decisions and fills in the order of their times.
fn run() -> (Figures, Vec<qt_model::record::FillQuality>) {
    let (mut statistics, id) = statistics("0");
    let mut steps: Vec<(i64, u8, usize)> =
        QUOTES.iter().enumerate().map(|(at, it)| (it.0, 0, at)).collect();
    steps.extend(FILLS.iter().enumerate().map(|(at, it)| (it.6, 1, at)));
    steps.extend(FILLS.iter().enumerate().map(|(at, it)| (it.0, 2, at)));
    steps.sort();
    for (at_ms, step, at) in steps {
        let (ts, order) = (ms(at_ms), OrderNo(at as u64 + 1));
        match step {
            0 => statistics.mid(ts, id, touch(QUOTES[at].1, QUOTES[at].2)),
            1 => {
                let (side, size) = (FILLS[at].1, qty(FILLS[at].3));
                let mid = statistics.touch(id).and_then(Touch::mid);
                let event =
                    OrderEvent::Submitted { instrument: id, side, qty: size, decided: ts, mid };
                statistics.order(ts, order, &event);
                statistics.order(ts, order, &OrderEvent::Accepted { queue: None });
            }
            _ => {
                let (_, side, px, size, liquidity, fee, _) = FILLS[at];
                let execution = execution(at as u64 + 1, px, size, liquidity, fee);
                statistics.fill(ts, order, (id, side), &execution, &FillContext::default());
            }
        }
    }
    let early: Vec<_> = statistics.fill_qualities().collect();
    statistics.equity(ms(15000), Worth { equity: money("0.2250495"), ..Worth::default() });
    let figures = statistics.finish(ms(15000));
    let all = early.into_iter().chain(figures.fill_qualities().iter().cloned()).collect();
    (figures, all)
}

#[test]
fn six_fills_one_by_one() {
    let (_, found) = run();
    let expected: [(&str, [Option<f64>; 3]); 6] = [
        ("100.02", [Some(0.0), Some(-0.999_900_009_999_000_1), Some(4.999_500_049_995)]),
        (
            "100.01",
            [Some(-1.000_200_040_008), Some(-5.001_000_200_040_008), Some(-8.001_600_320_064_012)],
        ),
        ("100", [Some(-0.999_900_009_999_000_1), Some(2.999_700_029_997), Some(4.999_500_049_995)]),
        (
            "100.04",
            [
                Some(0.999_500_249_875_062_5),
                Some(3.998_000_999_500_25),
                Some(-5.997_001_499_250_374),
            ],
        ),
        ("99.96", [Some(1.000_500_250_125_062_6), Some(1.000_500_250_125_062_6), None]),
        ("100.09", [Some(0.999_000_999_000_999), Some(2.997_002_997_002_997), None]),
    ];
    assert_eq!(found.len(), 6);
    for (at, (row, (before, markouts))) in found.iter().zip(expected).enumerate() {
        assert_eq!(row.fill_id.as_str(), (at + 1).to_string());
        assert_eq!(row.head.seq, at as u64 + 1);
        assert_eq!(row.mid_before, Some(before.parse().unwrap()));
        for (found, expected) in row.markout_bps.iter().zip(markouts) {
            match expected {
                Some(expected) => close("markout", *found, expected),
                None => assert_eq!(*found, None),
            }
        }
    }
}

#[test]
fn six_fills_together() {
    let (figures, _) = run();
    for (name, expected) in [
        ("notional", 1400.495),
        ("maker_share", 0.678_685_036_362_143_4),
        ("taker_share", 0.321_314_963_637_856_6),
        ("maker_share_count", 0.666_666_666_666_666_6),
        ("net_fees", 0.129_950_5),
        ("fees_paid", 0.225),
        ("rebates_received", 0.095_049_5),
        ("net_fees_bps", 0.927_889_781_827_139_7),
        ("effective_half_spread_bps", 0.142_808_689_908_780_96),
        ("slippage_decision_bps", -0.535_530_675_197_075_3),
        ("markout_100ms_bps", 0.214_209_975_758_571_06),
        ("markout_1s_bps", 1.606_574_818_189_283_2),
        ("markout_10s_bps", -0.222_186_425_520_332_83),
        ("markout_100ms_n", 6.0),
        ("markout_10s_n", 4.0),
        ("markout_10s_excluded", 2.0),
        ("adverse_selection_100ms_bps", -0.071_404_344_954_390_48),
        ("adverse_selection_1s_bps", -1.463_789_071_565_004_8),
        ("adverse_selection_10s_bps", -0.111_091_978_603_684_92),
    ] {
        check(&figures, name, expected);
    }
    // The ledger said 0.2250495; the parts say the same, to the last digit.
    assert_eq!(value(&figures, "pnl_total"), Value::Money(money("0.2250495")));
    assert_eq!(value(&figures, "pnl_unattributed"), Value::Money(Money::ZERO));
}

#[test]
fn six_orders() {
    let (mut statistics, id) = statistics("1000");
    statistics.mid(ms(0), id, touch(9999, 10001));
    let queue = |ahead, level| Some(Queue { ahead: qty(ahead), level: qty(level) });
    let orders = [
        (0, "5", queue("30", "120"), true),
        (100, "4", queue("18", "60"), true),
        (400, "2", queue("75", "75"), true),
        (700, "3", None, true),
        (900, "6", None, false),
        (1000, "1", queue("0", "10"), true),
    ];
    // (ms, order, filled size or nothing for a cancel)
    let mut later = [
        (820, 1, Some("5")),
        (2500, 2, Some("1.5")),
        (3000, 2, None),
        (5000, 3, None),
        (702, 4, Some("3")),
        (1300, 6, Some("0.4")),
        (1900, 6, Some("0.6")),
    ];
    let mut steps: Vec<(i64, usize, Option<usize>)> =
        orders.iter().enumerate().map(|(at, it)| (it.0, at, None)).collect();
    later.sort();
    steps.extend(later.iter().enumerate().map(|(at, it)| (it.0, it.1 - 1, Some(at))));
    steps.sort();
    for (at_ms, at, step) in steps {
        let (ts, order) = (ms(at_ms), OrderNo(at as u64 + 1));
        let (_, size, queue, is_accepted) = orders[at];
        match step.map(|step| later[step].2) {
            None => {
                let size = qty(size);
                let event = OrderEvent::Submitted {
                    instrument: id,
                    side: Side::Buy,
                    qty: size,
                    decided: ts,
                    mid: None,
                };
                statistics.order(ts, order, &event);
                let answer =
                    if is_accepted { OrderEvent::Accepted { queue } } else { OrderEvent::Rejected };
                statistics.order(ts, order, &answer);
            }
            Some(Some(size)) => {
                let liquidity = if at == 3 { Liquidity::Taker } else { Liquidity::Maker };
                let execution = execution(at_ms as u64, 10000, size, liquidity, "0");
                statistics.fill(ts, order, (id, Side::Buy), &execution, &FillContext::default());
            }
            Some(None) => {
                statistics.order(ts, order, &OrderEvent::CancelRequested);
                statistics.order(ts, order, &OrderEvent::Cancelled);
                // A second report of the same end changes nothing.
                statistics.order(ts, order, &OrderEvent::Cancelled);
            }
        }
    }
    let figures = statistics.finish(ms(6000));
    for (name, expected) in [
        ("orders_submitted", 6.0),
        ("orders_accepted", 5.0),
        ("orders_rejected", 1.0),
        ("orders_cancelled", 2.0),
        ("reject_ratio", 0.166_666_666_666_666_66),
        ("fill_ratio_qty", 0.7),
        ("fill_ratio_orders", 0.8),
        ("fill_ratio_complete", 0.6),
        ("cancel_ratio", 0.4),
        ("order_to_trade_ratio", 1.6),
        ("queue_ratio_entry", 0.3875),
        ("queue_ahead_entry", 30.75),
        ("time_to_first_fill_median_ns", 560e6),
        ("time_to_first_fill_median_maker_ns", 820e6),
        ("time_to_first_fill_median_taker_ns", 2e6),
        ("time_to_fill_qty_weighted_ns", 796.761_904_761_904_8e6),
    ] {
        check(&figures, name, expected);
    }
}
