use proptest::prelude::*;
use qt_model::instrument::{Instrument, Symbol, Terms};
use qt_model::order::FillNo;
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::{InstrumentClass, Liquidity, Payoff};
use rust_decimal::Decimal;

use super::*;

fn usd() -> Currency {
    Currency::new("USD").unwrap()
}

fn options(matching: Matching) -> LedgerOptions {
    let cash = Cash { amount: Decimal::from(1000), currency: usd() };
    LedgerOptions { currency: usd(), matching, initial: vec![cash] }
}

fn table(px: u8, qty: u8, terms: Terms) -> Instruments {
    let mut table = Instruments::default();
    let symbol = Symbol::new("x:A").unwrap();
    let scale = |digits| Scale::new(digits).unwrap();
    let instrument = Instrument { terms, ..Instrument::new(symbol, scale(px), scale(qty)) };
    table.declare(instrument).unwrap();
    table
}

fn fill(px: i64, qty: i64, fee: &str) -> Execution {
    Execution {
        fill: FillNo(1),
        px: Px::new(px),
        qty: Qty::new(qty).unwrap(),
        liquidity: Liquidity::Taker,
        fee: Cash { amount: fee.parse().unwrap(), currency: usd() },
    }
}

/// Signed sizes at prices; what each realizes.
fn realized(matching: Matching, fills: &[(i64, i64)]) -> Vec<String> {
    let table = table(0, 0, Terms::default());
    let id = table.find("x:A").unwrap();
    let mut ledger = Ledger::new(&options(matching), &table).unwrap();
    let book = |(qty, px): &(i64, i64)| {
        let side = if *qty > 0 { Side::Buy } else { Side::Sell };
        let booked = ledger.fill(id, side, &fill(*px, qty.abs(), "0"));
        ledger.precision(id).decimal(booked.realized).to_string()
    };
    fills.iter().map(book).collect()
}

#[test]
fn three_methods_agree_once_flat_and_differ_on_the_way() {
    let fills = [(2, 100), (3, 110), (-4, 120), (-3, 90), (2, 80)];
    assert_eq!(realized(Matching::Fifo, &fills), ["0", "0", "60", "-20", "20"]);
    assert_eq!(realized(Matching::Average, &fills), ["0", "0", "56", "-16", "20"]);
    assert_eq!(realized(Matching::Lifo, &fills), ["0", "0", "50", "-10", "20"]);
}

#[test]
fn equity_counts_cash_positions_fees_and_flows() {
    let table = table(2, 3, Terms::default());
    let id = table.find("x:A").unwrap();
    let mut ledger = Ledger::new(&options(Matching::Average), &table).unwrap();
    ledger.fill(id, Side::Buy, &fill(10_050, 2_000, "0.25"));
    let equity = |ledger: &Ledger| ledger.home().precision.decimal(ledger.equity()).to_string();
    assert_eq!(equity(&ledger), "999.75");
    assert_eq!(ledger.home().precision.decimal(ledger.home().cash()).to_string(), "798.75");
    assert!(ledger.mark(id, DoublePx::mid(Px::new(10_060), Px::new(10_061))));
    assert_eq!(equity(&ledger), "999.96");
    ledger.flow(&CashFlow {
        instrument: Some(id),
        ts_event: Ts::default(),
        reason: qt_model::order::CashReason::Funding,
        cash: Cash { amount: "-0.5".parse().unwrap(), currency: usd() },
    });
    assert_eq!(equity(&ledger), "999.46");
    let exposed = ledger.exposure();
    assert_eq!((exposed.gross, exposed.net), (exposed.net, exposed.gross));
}

#[test]
fn an_inverse_contract_pays_in_its_base() {
    let terms = Terms {
        class: Some(InstrumentClass::Perpetual),
        payoff: Some(Payoff::Inverse),
        base: Some("BTC".into()),
        quote: Some("USD".into()),
        multiplier: Some(Decimal::from(100)),
        ..Terms::default()
    };
    let table = table(1, 0, terms);
    let id = table.find("x:A").unwrap();
    let mut ledger = Ledger::new(&options(Matching::Average), &table).unwrap();
    ledger.fill(id, Side::Buy, &fill(500_000, 10, "0"));
    let booked = ledger.fill(id, Side::Sell, &fill(625_000, 10, "0"));
    // 10 · 100 · (1/50000 − 1/62500) BTC.
    assert_eq!(ledger.precision(id).decimal(booked.realized).to_string(), "0.004");
    // The instrument is the rate as well: 0.004 BTC at 62 500.
    ledger.mark(id, DoublePx::of(Px::new(625_000)));
    assert_eq!(ledger.home().precision.decimal(ledger.equity()).to_string(), "1250");
    assert_eq!(ledger.unpriced().count(), 0);
}

#[test]
fn a_fee_in_a_coin_without_a_pair_is_named() {
    let table = table(0, 0, Terms::default());
    let id = table.find("x:A").unwrap();
    let mut ledger = Ledger::new(&options(Matching::Average), &table).unwrap();
    let bnb = Currency::new("BNB").unwrap();
    let fee = Cash { amount: "0.1".parse().unwrap(), currency: bnb };
    ledger.fill(id, Side::Buy, &Execution { fee, ..fill(5, 1, "0") });
    assert_eq!(ledger.unpriced().collect::<Vec<_>>(), [bnb]);
    assert_eq!(ledger.home().precision.decimal(ledger.equity()).to_string(), "1000");
}

#[test]
fn scales_too_fine_for_exact_money_are_refused() {
    let error = Ledger::new(&options(Matching::Average), &table(18, 18, Terms::default()));
    assert!(matches!(error, Err(LedgerError::TooFine { .. })), "{error:?}");
}

/// Profit by the plainest account: cash in and out, and what is left at the mark.
fn plain(fills: &[(i64, i64)], mark: i64) -> i128 {
    let cash = |(qty, px): &(i64, i64)| -i128::from(*qty) * i128::from(*px);
    let position: i128 = fills.iter().map(|(qty, _)| i128::from(*qty)).sum();
    fills.iter().map(cash).sum::<i128>() + position * i128::from(mark)
}

proptest! {
    #[test]
    fn equity_is_cash_and_what_is_left_whatever_the_method(
        fills in prop::collection::vec((-1_000_000_i64..1_000_000, -50_000_i64..10_000_000), 1..60),
        mark in 1_i64..10_000_000,
    ) {
        let fills: Vec<_> = fills.into_iter().filter(|(qty, _)| *qty != 0).collect();
        for matching in [Matching::Average, Matching::Fifo, Matching::Lifo] {
            let table = table(2, 3, Terms::default());
            let id = table.find("x:A").unwrap();
            let mut ledger = Ledger::new(&options(matching), &table).unwrap();
            for (qty, px) in &fills {
                let side = if *qty > 0 { Side::Buy } else { Side::Sell };
                ledger.fill(id, side, &fill(*px, qty.abs(), "0"));
            }
            ledger.mark(id, DoublePx::of(Px::new(mark)));
            let gain = ledger.equity() - ledger.home().precision.amount(Decimal::from(1000));
            // Five decimals of price and size, twelve of the ledger.
            prop_assert_eq!(gain.units(), plain(&fills, mark) * 10_000_000);
        }
    }
}
