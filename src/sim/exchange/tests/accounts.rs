//! Money: what can be afforded, what falls due, and what happens when it runs out.

use qt_model::instrument::Instrument;
use qt_model::order::{Cash, Currency, NewOrder, Report, ReportKind};
use qt_model::words::{InstrumentClass, Payoff};

use super::super::*;
use super::scenes::*;

fn cash(amount: &str, currency: &str) -> Cash {
    Cash { amount: number(amount), currency: Currency::new(currency).unwrap() }
}

fn of(account: AccountKind, balances: Vec<Cash>) -> VenueConfig {
    VenueConfig { account, balances, ..free() }
}

fn perpetual(payoff: Payoff) -> Instrument {
    let mut instrument = spot();
    instrument.terms.class = Some(InstrumentClass::Perpetual);
    instrument.terms.payoff = Some(payoff);
    instrument
}

fn margin(leverage: &str, maintenance: &str) -> AccountKind {
    AccountKind::Margin(MarginTerms {
        leverage: number(leverage),
        maintenance: number(maintenance),
        liquidation_fee: number("0.01"),
        borrow_per_year: number("0"),
    })
}

#[test]
fn what_is_bought_is_paid_and_what_is_sold_is_held() {
    let config = of(AccountKind::Cash, vec![cash("1000", "USD"), cash("2", "BTC")]);
    let mut scene = Scene::new(config);
    scene.book(&[(99, 50)], &[(101, 5), (102, 50)]);
    scene.limit(BUY, 6, 100).expect("ack 1");
    // Six hundred are set aside.
    scene.limit(BUY, 5, 100).expect("reject 2 insufficient_funds");
    scene.limit(BUY, 4, 100).expect("ack 3");
    scene.at_market(BUY, 1).expect("reject 4 insufficient_funds");
    scene.cancel(1).at_market(BUY, 6);
    scene.expect("cancel 1 requested, reject 5 insufficient_funds");
    scene.at_market(BUY, 5).expect("ack 6, fill 6 5@101 taker");
    // Seven are held: two from the start, five bought.
    scene.limit(SELL, 8, 103).expect("reject 7 insufficient_funds");
    scene.limit(SELL, 4, 103).expect("ack 8");
    scene.limit(SELL, 4, 104).expect("reject 9 insufficient_funds");
    scene.amend(8, None, Some(8)).expect("no-amend 8 insufficient_funds");
    scene.amend(8, None, Some(7)).expect("amend 8 qty 7");
    scene.trade(BUY, 104, 1).expect("fill 8 7@103 maker");
    scene.at_market(SELL, 1).expect("reject 10 insufficient_funds");
}

#[test]
fn the_fee_is_part_of_the_price() {
    let fees = Fees::flat(number("0"), number("0.01"));
    let config = VenueConfig { fees, ..of(AccountKind::Cash, vec![cash("1000", "USD")]) };
    let mut scene = Scene::new(config);
    scene.book(&[(99, 50)], &[(100, 50)]);
    scene.at_market(BUY, 10).expect("reject 1 insufficient_funds");
    scene.at_market(BUY, 9).expect("ack 2, fill 2 9@100 taker");
    let wallet = *scene.exchange.ledger(scene.id).home();
    assert_eq!(wallet.precision.decimal(wallet.cash()), number("91"));
}

#[test]
fn margin_bounds_what_opens_and_lets_pass_what_closes() {
    let config = of(margin("10", "0.05"), vec![cash("100", "USD")]);
    let mut scene = Scene::of(config, perpetual(Payoff::Linear));
    scene.book(&[(99, 50)], &[(100, 50)]);
    scene.at_market(BUY, 11).expect("reject 1 insufficient_margin");
    scene.at_market(BUY, 10).expect("ack 2, fill 2 10@100 taker");
    scene.limit(BUY, 1, 98).expect("reject 3 insufficient_margin");
    scene.limit(SELL, 10, 105).expect("ack 4");
    // Eleven would turn the position: one of them has to be backed.
    scene.limit(SELL, 11, 106).expect("reject 5 insufficient_margin");
}

#[test]
fn the_venue_closes_what_margin_no_longer_backs() {
    let config = of(margin("10", "0.05"), vec![cash("100", "USD")]);
    let mut scene = Scene::of(config, perpetual(Payoff::Linear));
    scene.book(&[(99, 50)], &[(100, 50)]).at_market(BUY, 10).limit(SELL, 1, 120).said();
    // At 95 the equity is 50 and the maintenance margin 47.5; at 94 it is 40 and 47.
    scene.mark("95").expect("");
    scene.mark("94").expect("cancel 2 liquidation, closed by sell 10@99, Liquidation -9.9 USD");
    assert_eq!(scene.position(), 0);
    let wallet = *scene.exchange.ledger(scene.id).home();
    assert_eq!(wallet.precision.decimal(wallet.equity()), number("80.1"));
}

#[test]
fn funding_is_rate_times_worth_at_the_mark() {
    let mut scene = Scene::of(free(), perpetual(Payoff::Linear));
    scene.book(&[(99, 50)], &[(100, 50)]).at_market(SELL, 10).said();
    scene.mark("102.5").funding("0.0001", 500).until(499).expect("");
    scene.until(500).expect("Funding 0.1025 USD");
    scene.until(9_999).expect("");
    // A longer road: announced before the position, at a rate that changed meanwhile.
    scene.funding("0.0001", 20_000).funding("-0.0002", 20_000).at_market(BUY, 20).said();
    scene.until(20_000).expect("Funding 0.205 USD");
    // Paid as it is told, where the time has come already.
    scene.funding("0.01", 20_000).expect("Funding -10.25 USD");
    // A rate without a time is the state of the market and no payment.
    scene.funding_at("0.01", None).funding_at("0.02", None).expect("");
}

#[test]
fn inverse_contracts_settle_in_what_they_are_priced_by() {
    let fees = Fees::flat(number("0"), number("0.001"));
    let mut scene = Scene::of(VenueConfig { fees, ..free() }, perpetual(Payoff::Inverse));
    scene.book(&[(99, 50)], &[(100, 50)]).mark("100").at_market(BUY, 20).said();
    scene.funding("0.01", 500).until(500).expect("Funding -0.002 BTC");
    let wallets = scene.exchange.ledger(scene.id).wallets();
    let btc = wallets.iter().find(|wallet| wallet.currency.as_str() == "BTC").unwrap();
    assert_eq!(btc.precision.decimal(btc.booked), number("-0.0022"));
}

#[test]
fn what_is_borrowed_bears_interest_by_the_hour() {
    const HOUR: i64 = 3_600_000_000_000;
    let account = AccountKind::Margin(MarginTerms {
        borrow_per_year: number("0.876"),
        ..MarginTerms::default()
    });
    let mut scene = Scene::new(of(account, vec![cash("1000", "USD")]));
    scene.book(&[(100, 50)], &[(100, 50)]).at_market(SELL, 10).said();
    scene.until(HOUR - 1).expect("");
    // Ten were borrowed, worth a thousand: an 8760th part of 876 a year.
    scene.until(2 * HOUR).expect("Borrow -0.1 USD, Borrow -0.1 USD");
    scene.at_market(BUY, 10).said();
    scene.until(4 * HOUR).expect("");
    assert_eq!(scene.exchange.next_due(), None);
    // Twenty bought for two thousand, of which a thousand (less interest) was there.
    scene.submit(NewOrder::market(scene.id, BUY, qty(20))).said();
    scene.until(5 * HOUR).expect("Borrow -0.10002 USD");
}

#[test]
fn a_fee_can_be_taken_from_what_is_received() {
    let fees = Fees { paid_in: PaidIn::Received, ..Fees::flat(number("0"), number("0.01")) };
    let mut scene = Scene::new(VenueConfig { fees, ..free() });
    scene.book(&[(100, 50)], &[(100, 50)]).at_market(BUY, 10).at_market(SELL, 10);
    let fills = scene.out.iter().filter_map(|execution| {
        let Execution::Report(Report { what: ReportKind::Filled(fill), .. }) = execution else {
            return None;
        };
        Some(fill.fee)
    });
    assert_eq!(fills.collect::<Vec<_>>(), [cash("0.1", "BTC"), cash("10", "USD")]);
}

fn refuse(change: impl FnOnce(&mut VenueConfig), expected: &str) {
    let mut config = free();
    change(&mut config);
    let mut instruments = Instruments::default();
    instruments.declare(spot()).unwrap();
    let error = Exchange::new(&config.into(), &instruments).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

#[test]
fn terms_that_make_no_sense_are_refused() {
    refuse(
        |config| config.fees.tiers[0].volume = number("5"),
        "fee tiers of v: expected one that begins at zero, and rising volumes",
    );
    refuse(
        |config| config.account = margin("0", "0"),
        "a leverage of 0 at v: expected more than zero",
    );
    refuse(
        |config| config.account = margin("1", "-0.1"),
        "a term of margin of -0.1 at v: expected zero or more",
    );
    refuse(
        |config| config.bars.volume_share = Some(number("-1")),
        "a band or a share of -1 at v: expected more than zero",
    );
    refuse(
        |config| config.slippage = Slippage::Bps(number("-1")),
        "a slippage of -1 at v: expected zero or more",
    );
}

#[test]
fn a_contract_is_settled_at_the_mark_when_it_ends() {
    let mut future = perpetual(Payoff::Linear);
    future.terms.class = Some(InstrumentClass::Future);
    future.terms.expiry = Some(Ts::from_nanos(1_000));
    let mut scene = Scene::of(of(AccountKind::Unlimited, vec![cash("100", "USD")]), future);
    scene.book(&[(99, 50)], &[(100, 50)]).at_market(BUY, 10).limit(SELL, 1, 120).said();
    scene.mark("104.5").until(999).expect("");
    // Half a unit is rounded against us.
    scene.until(1_000).expect("expire 2, closed by sell 10@104");
    assert_eq!(scene.position(), 0);
    let wallet = *scene.exchange.ledger(scene.id).home();
    assert_eq!(wallet.precision.decimal(wallet.equity()), number("140"));
    scene.at_market(BUY, 1).expect("reject 3 not_trading");
    scene.until(5_000).expect("");
}

#[test]
fn a_short_position_is_settled_too_and_nothing_held_is_no_event() {
    let mut future = perpetual(Payoff::Linear);
    future.terms.expiry = Some(Ts::from_nanos(1_000));
    let mut scene = Scene::of(free(), future.clone());
    scene.book(&[(99, 50)], &[(100, 50)]).at_market(SELL, 3).said();
    // Without a mark of the venue, the middle.
    scene.until(1_000).expect("closed by buy 3@100");
    let mut flat = Scene::of(free(), future);
    flat.book(&[(99, 50)], &[(100, 50)]).until(2_000).expect("");
}
