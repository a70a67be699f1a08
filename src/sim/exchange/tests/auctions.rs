//! Orders for an opening or a closing auction, by what the venue says and by a calendar.

use std::sync::Arc;

use qt_market::calendar::Calendar;
use qt_model::order::{Links, NewOrder, OrderNo};
use qt_model::time::Ts;
use qt_model::words::TradingStatus::{
    Auction, Closed, ClosingAuction, Delisted, Halted, Open, OpeningAuction, PreOpen,
};
use qt_model::words::{Side, TimeInForce};

use super::super::*;
use super::scenes::*;

const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
const DAY: i64 = 86_400 * SECOND;

/// Sessions of two days, from the tenth to the fortieth minute.
fn hours() -> VenueConfig {
    let at = |ns| Ts::from_nanos(ns);
    let day = |day: i64| (at(day * DAY + 10 * MINUTE), at(day * DAY + 40 * MINUTE));
    VenueConfig { sessions: Arc::new(Calendar::new(vec![day(0), day(1)])), ..free() }
}

fn market(scene: &Scene, time_in_force: TimeInForce, side: Side, size: i64) -> NewOrder {
    NewOrder { time_in_force, ..NewOrder::market(scene.id, side, qty(size)) }
}

fn limit(scene: &Scene, time_in_force: TimeInForce, side: Side, size: i64, at: i64) -> NewOrder {
    NewOrder { time_in_force, ..NewOrder::limit(scene.id, side, qty(size), px(at)) }
}

use TimeInForce::{Cls, Opg};

#[test]
fn the_opening_auction_of_the_venue_fills_at_its_price_up_to_its_size() {
    let mut scene = Scene::new(free());
    scene.status(PreOpen);
    let (first, second) = (limit(&scene, Opg, BUY, 4, 101), market(&scene, Opg, BUY, 5));
    let (low, close) = (limit(&scene, Opg, BUY, 1, 99), market(&scene, Cls, SELL, 3));
    scene.submit(first).submit(second).submit(low).submit(close);
    scene.expect("ack 1, ack 2, ack 3, ack 4");
    // Nothing before the auction fills; in it, the market order comes before the limit.
    scene.trade(BUY, 90, 50).expect("");
    scene.status(OpeningAuction).trade(BUY, 100, 7);
    scene.expect("fill 2 5@100 taker, fill 1 2@100 taker");
    scene.trade(BUY, 100, 1).expect("fill 1 1@100 taker");
    scene.status(Open).expect("cancel 1 remainder, cancel 3 remainder");
    scene.trade(BUY, 98, 50).expect("");
    scene.status(ClosingAuction).trade(SELL, 97, 50).expect("fill 4 3@97 taker");
    assert_eq!(scene.position(), 5);
}

#[test]
fn an_auction_that_does_not_come_or_trades_nothing_ends_what_waits_for_it() {
    let mut scene = Scene::new(free());
    scene.status(PreOpen);
    let (opening, closing) = (market(&scene, Opg, BUY, 4), market(&scene, Cls, BUY, 4));
    scene.submit(opening).submit(closing).expect("ack 1, ack 2");
    scene.status(Open).expect("cancel 1 no_auction");
    scene.status(Closed).expect("cancel 2 no_auction");
    scene.submit(opening).status(OpeningAuction).status(Open);
    scene.expect("ack 3, cancel 3 no_auction");
    // One for the next opening is not ended by word that the market is still open.
    scene.submit(opening).status(Open).expect("ack 4");
    // Without a calendar an order waits for a day.
    scene.until(scene.now + DAY - 2).expect("");
    scene.until(scene.now + SECOND).expect("cancel 4 no_auction");
}

#[test]
fn an_auction_is_the_closing_one_once_the_market_closes_behind_it() {
    let mut scene = Scene::new(free());
    scene.status(Open);
    let closing = market(&scene, Cls, BUY, 4);
    scene.submit(closing).expect("ack 1");
    // An auction in the middle of the day is not it.
    scene.status(Auction).trade(BUY, 100, 9).status(Open).expect("");
    scene.status(Halted).status(PreOpen).status(Auction).trade(BUY, 100, 9).status(Open);
    scene.expect("");
    scene.status(Auction).trade(BUY, 103, 2).trade(BUY, 103, 1).expect("");
    scene.status(Closed).expect("fill 1 3@103 taker, cancel 1 remainder");
}

#[test]
fn what_is_refused() {
    let mut scene = Scene::new(free());
    scene.book(&[(99, 5)], &[(101, 5)]);
    let (opening, closing) = (market(&scene, Opg, BUY, 1), limit(&scene, Cls, BUY, 1, 100));
    // Nothing says when there is an auction.
    scene.submit(opening).submit(closing).expect("reject 1 no_auction, reject 2 no_auction");
    scene.status(Open);
    let stop = NewOrder::stop(scene.id, BUY, qty(1), px(105));
    scene.submit(NewOrder { time_in_force: Opg, ..stop }).expect("reject 3 malformed");
    scene.submit(NewOrder { display: Some(qty(1)), ..closing }).expect("reject 4 malformed");
    scene.submit(NewOrder { reduce_only: true, ..closing }).expect("reject 5 would_not_reduce");
    scene.status(Delisted).submit(opening).expect("reject 6 not_trading");
    // Bars have no auctions of their own, whatever the venue says.
    let mut scene = Scene::new(free());
    scene.bar(0, [100, 101, 99, 100], 50).status(Open);
    scene.submit(opening).expect("reject 1 no_auction");
    // A calendar that has come to its end.
    let mut scene = Scene::new(hours());
    scene.until(2 * DAY);
    scene.submit(opening).submit(closing).expect("reject 1 no_auction, reject 2 no_auction");
    let mut scene = Scene::new(VenueConfig { account: AccountKind::Cash, ..hours() });
    scene.book(&[(99, 5)], &[(101, 5)]).submit(opening).expect("reject 1 insufficient_funds");
}

#[test]
fn orders_that_wait_for_an_auction_can_be_changed_and_cancelled_while_the_market_is_not_open() {
    let mut scene = Scene::new(free());
    scene.status(Closed);
    let opening = limit(&scene, Opg, BUY, 4, 90);
    scene.submit(opening).submit(opening).amend(1, Some(105), Some(6)).cancel(2);
    scene.expect("ack 1, ack 2, amend 1 px 105 qty 6, cancel 2 requested");
    scene.status(OpeningAuction).trade(SELL, 104, 50).expect("fill 1 6@104 taker");
}

#[test]
fn a_calendar_makes_the_first_print_of_its_hours_the_auction() {
    let mut scene = Scene::new(hours());
    scene.book(&[(99, 5)], &[(101, 5)]);
    let (opening, closing) = (market(&scene, Opg, BUY, 4), market(&scene, Cls, SELL, 4));
    scene.submit(opening).submit(closing).expect("ack 1, ack 2");
    scene.now = 10 * MINUTE - 2;
    scene.trade(BUY, 100, 9).expect("");
    scene.trade(BUY, 102, 3).expect("fill 1 3@102 taker, cancel 1 remainder");
    // The next opening is tomorrow's.
    scene.submit(opening).trade(BUY, 102, 9).expect("ack 3");
    scene.now = 40 * MINUTE + 7;
    scene.trade(SELL, 98, 9).expect("fill 2 4@98 taker");
    // Five minutes behind the hour no print is an auction any more.
    scene.until(DAY + 15 * MINUTE).expect("");
    scene.until(DAY + 15 * MINUTE + 1).expect("cancel 3 no_auction");
}

#[test]
fn the_open_of_the_first_bar_of_a_session_and_the_close_of_its_last() {
    let bars = BarRules { volume_share: Some(number("0.5")), grace_ns: 0 };
    let mut scene = Scene::new(VenueConfig { bars, ..hours() });
    let (opening, closing) = (market(&scene, Opg, BUY, 20), limit(&scene, Cls, SELL, 30, 95));
    let far = limit(&scene, Cls, SELL, 1, 200);
    scene.submit(opening).submit(closing).submit(far).expect("ack 1, ack 2, ack 3");
    scene.bar(9 * 60, [100, 101, 99, 100], 50).expect("");
    // The first bar of the session, although it does not begin with it.
    scene.bar(11 * 60, [103, 104, 90, 100], 50).expect("fill 1 20@103 taker");
    scene.submit(opening).bar(12 * 60, [103, 104, 90, 100], 50).expect("ack 4");
    scene.bar(40 * 60 - 1, [90, 104, 80, 96], 40);
    scene.expect("fill 2 20@96 taker, cancel 2 remainder, cancel 3 remainder");
    // Late for today's: a session without a bar has no auction.
    scene.submit(closing).bar(86_400 + 50 * 60, [90, 91, 89, 90], 40);
    scene.expect("ack 5, cancel 4 no_auction, cancel 5 no_auction");
}

#[test]
fn a_bar_that_holds_a_whole_session_has_both_auctions() {
    let mut scene = Scene::new(hours());
    let (opening, closing) = (market(&scene, Opg, BUY, 2), market(&scene, Cls, SELL, 2));
    scene.submit(opening).submit(closing).expect("ack 1, ack 2");
    let head =
        qt_model::record::Head::new(Ts::from_nanos(DAY), Ts::from_nanos(DAY), 0, Some(scene.id));
    let day = [100, 110, 90, 105].map(px);
    scene.hear(qt_model::record::Bar::timed(head, DAY, Ts::from_nanos(0), day, qty(50)), &[]);
    scene.expect("fill 1 2@100 taker, fill 2 2@105 taker");
}

#[test]
fn children_and_reducers_wait_for_auctions_too() {
    let mut scene = Scene::new(free());
    scene.book(&[(99, 5)], &[(101, 5)]).status(Open);
    let parent = scene.at_market(BUY, 2).said();
    assert_eq!(parent, "ack 1, fill 1 2@101 taker");
    let child = NewOrder {
        links: Links { parent: Some(OrderNo(1)), group: None },
        ..market(&scene, Cls, SELL, 5)
    };
    let reducer = NewOrder { reduce_only: true, ..market(&scene, Cls, SELL, 2) };
    scene.submit(child).submit(reducer).expect("ack 2, amend 2 qty 2, ack 3");
    scene.status(ClosingAuction).trade(BUY, 100, 50);
    scene.expect("fill 2 2@100 taker, cancel 3 nothing_to_reduce");
    assert_eq!(scene.position(), 0);
}
