//! Orders that meet the market at once, and orders that are refused.

use qt_model::order::NewOrder;
use qt_model::words::{TimeInForce, TradingStatus};

use super::super::*;
use super::scenes::*;

fn deep() -> Scene {
    let mut scene = Scene::new(free());
    scene.book(&[(99, 5), (98, 10)], &[(101, 5), (102, 10)]);
    scene
}

#[test]
fn a_market_order_walks_the_book_and_what_it_took_stays_taken() {
    let mut scene = deep();
    scene.at_market(BUY, 7).expect("ack 1, fill 1 5@101 taker, fill 1 2@102 taker");
    scene.at_market(BUY, 4).expect("ack 2, fill 2 4@102 taker");
    // The venue shows another size, which is there for the taking; the other level is as it was.
    scene.level(SELL, 101, 6);
    scene.at_market(BUY, 9).expect("ack 3, fill 3 6@101 taker, fill 3 3@102 taker");
    scene.at_market(BUY, 9).expect("ack 4, fill 4 1@102 taker, cancel 4 no_liquidity");
    assert_eq!(scene.position(), 21);
    // A level that went and came back is a new one.
    scene.level(SELL, 101, 0).level(SELL, 101, 6);
    scene.at_market(BUY, 1).expect("ack 5, fill 5 1@101 taker");
}

#[test]
fn limits_and_times_in_force() {
    use TimeInForce::{Fok, Gtx, Ioc};
    let mut scene = deep();
    scene.limit_as(Ioc, BUY, 7, 101).expect("ack 1, fill 1 5@101 taker, cancel 1 remainder");
    scene.limit_as(Ioc, BUY, 7, 100).expect("ack 2, cancel 2 remainder");
    scene.limit_as(Fok, SELL, 16, 98).expect("reject 3 cannot_fill");
    scene.limit_as(Fok, SELL, 15, 98).expect("ack 4, fill 4 5@99 taker, fill 4 10@98 taker");
    let mut scene = deep();
    scene.limit_as(Gtx, SELL, 1, 99).expect("reject 1 would_take");
    scene.limit_as(Gtx, SELL, 1, 100).expect("ack 2");
    // The rest of a limit order rests, and keeps its limit.
    scene.limit(BUY, 8, 102).expect("reject 3 self_trade");
    scene.limit(SELL, 12, 98).expect("ack 4, fill 4 5@99 taker, fill 4 7@98 taker");
    scene.limit(SELL, 5, 98).expect("ack 5, fill 5 3@98 taker");
    assert_eq!(scene.exchange.len(), 2);
}

#[test]
fn what_cannot_be_is_refused_with_its_reason() {
    let mut scene = Scene::new(VenueConfig { price_band: Some(number("0.1")), ..free() });
    scene.limit(BUY, 1, 100).expect("reject 1 no_market");
    scene.book(&[(99, 5)], &[(101, 5)]);
    scene.limit(BUY, 0, 100).expect("reject 2 too_small");
    scene.limit(BUY, 1, 89).expect("reject 3 price_band");
    scene.limit(BUY, 1, 90).expect("ack 4");
    scene.limit_as(TimeInForce::Gtd, BUY, 1, 90).expect("reject 5 malformed");
    let market = NewOrder::market(scene.id, BUY, qty(1));
    scene.submit(NewOrder { display: Some(qty(1)), ..market }).expect("reject 6 malformed");
    scene.submit(NewOrder { time_in_force: TimeInForce::Gtx, ..market });
    scene.expect("reject 7 malformed");
    scene.cancel(3).expect("no-cancel 3 ended");
    scene.cancel(99).expect("no-cancel 99 unknown_order");
    scene.amend(99, None, Some(1)).expect("no-amend 99 unknown_order");
    scene.gap().limit(BUY, 1, 100).expect("reject 8 no_market");
    scene.book(&[(99, 5)], &[(101, 5)]).status(TradingStatus::Halted);
    scene.limit(BUY, 1, 100).expect("reject 9 not_trading");
    scene.status(TradingStatus::Open).limit(BUY, 1, 100).expect("ack 10");
}

#[test]
fn an_instrument_that_nobody_knows_is_refused() {
    let mut wide = Instruments::default();
    wide.declare(spot()).unwrap();
    let mut other = spot();
    other.symbol = qt_model::instrument::Symbol::new("v:OTHER").unwrap();
    let stranger = wide.declare(other).unwrap();
    let mut scene = deep();
    scene.submit(NewOrder::market(stranger, BUY, qty(1))).expect("reject 1 unknown_instrument");
}

#[test]
fn the_grid_of_the_terms_counts() {
    let mut instrument = spot();
    instrument.terms.tick = Some(number("5"));
    instrument.terms.lot = Some(number("2"));
    let mut scene = Scene::of(free(), instrument);
    scene.book(&[(95, 4)], &[(105, 4)]);
    scene.limit(BUY, 2, 97).expect("reject 1 off_tick");
    scene.limit(BUY, 3, 95).expect("reject 2 off_lot");
    scene.stop(BUY, 2, 111).expect("reject 3 off_tick");
    scene.limit(BUY, 2, 90).expect("ack 4");
    scene.amend(4, Some(91), None).expect("no-amend 4 off_tick");
}

#[test]
fn orders_of_ours_meet_as_the_venue_says() {
    let meet = |self_trade| {
        let mut scene = Scene::new(VenueConfig { self_trade, ..free() });
        scene.book(&[(99, 5)], &[(101, 5)]).limit(SELL, 4, 100).expect("ack 1");
        scene.limit(BUY, 6, 101).said()
    };
    assert_eq!(meet(SelfTrade::CancelNewest), "reject 2 self_trade");
    assert_eq!(meet(SelfTrade::CancelOldest), "ack 2, cancel 1 self_trade, fill 2 5@101 taker");
    assert_eq!(meet(SelfTrade::CancelBoth), "ack 2, cancel 1 self_trade, cancel 2 self_trade");
    let traded = "ack 2, fill 1 4@100 maker, fill 2 4@100 taker, fill 2 2@101 taker";
    assert_eq!(meet(SelfTrade::Off), traded);
}

#[test]
fn quotes_and_trades_stand_in_for_a_book() {
    let slippage = Slippage::Ticks(2);
    let mut scene = Scene::new(VenueConfig { slippage, half_spread: Slippage::Ticks(1), ..free() });
    scene.trade(BUY, 100, 1);
    scene.at_market(SELL, 50).expect("ack 1, fill 1 50@97 taker");
    scene.limit_as(TimeInForce::Ioc, BUY, 5, 102).expect("ack 2, fill 2 5@102 taker");
    scene.quote((99, 5), (101, 0));
    scene.at_market(SELL, 9).expect("ack 3, fill 3 5@97 taker, cancel 3 no_liquidity");
    // A size of zero is one that nobody states.
    scene.at_market(BUY, 500).expect("ack 4, fill 4 500@103 taker");
    scene.quote((99, 6), (101, 0)).at_market(SELL, 9);
    scene.expect("ack 5, fill 5 6@97 taker, cancel 5 no_liquidity");
}

#[test]
fn beyond_the_book_there_may_be_a_price() {
    let beyond_book = Some(Slippage::Bps(number("150")));
    let mut scene = Scene::new(VenueConfig { beyond_book, ..free() });
    scene.book(&[(99, 5)], &[(101, 5), (103, 1)]);
    let expected = "ack 1, fill 1 5@101 taker, fill 1 1@103 taker, fill 1 4@105 taker";
    scene.at_market(BUY, 10).expect(expected);
}
