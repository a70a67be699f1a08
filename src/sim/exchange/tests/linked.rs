//! Stops, children, groups, orders that only reduce, and orders that end by the clock.

use qt_model::order::{Links, NewOrder, OrderNo};
use qt_model::time::{DAY_NANOS, Ts};
use qt_model::words::{Side, TimeInForce, TradingStatus};

use super::super::*;
use super::scenes::*;

fn scene() -> Scene {
    let mut scene = Scene::filled_by(Preset::Pessimistic);
    scene.book(&[(99, 5), (98, 10), (90, 50)], &[(101, 5), (102, 10), (110, 50)]);
    scene
}

fn child(parent: u64, group: Option<u64>, new: NewOrder) -> NewOrder {
    let links = Links { parent: Some(OrderNo(parent)), group: group.map(OrderNo) };
    NewOrder { links, ..new }
}

fn grouped(first: u64, new: NewOrder) -> NewOrder {
    NewOrder { links: Links { parent: None, group: Some(OrderNo(first)) }, ..new }
}

#[test]
fn trades_trigger_stops() {
    let mut scene = scene();
    scene.trade(BUY, 101, 1).stop(BUY, 6, 103).stop(SELL, 2, 98).expect("ack 1, ack 2");
    scene.trade(BUY, 102, 1).expect("");
    scene.trade(BUY, 103, 1).expect("trigger 1, fill 1 5@101 taker, fill 1 1@102 taker");
    scene.trade(SELL, 97, 1).expect("trigger 2, fill 2 2@99 taker");
    // A trigger that lies behind us already is reached at once.
    scene.stop(SELL, 1, 97).expect("ack 3, trigger 3, fill 3 1@99 taker");
}

#[test]
fn quotes_trigger_where_there_are_no_trades() {
    let mut scene = Scene::new(free());
    scene.quote((99, 5), (101, 5)).stop(BUY, 1, 103).stop(SELL, 1, 97).expect("ack 1, ack 2");
    scene.quote((100, 5), (102, 5)).expect("");
    scene.quote((101, 5), (103, 5)).expect("trigger 1, fill 1 1@103 taker");
    scene.quote((97, 5), (103, 5)).expect("trigger 2, fill 2 1@97 taker");
}

#[test]
fn a_stop_limit_rests_once_it_is_triggered() {
    let mut scene = scene();
    let mut new = NewOrder::stop(scene.id, BUY, qty(3), px(103));
    new.pricing = qt_model::order::Pricing::StopLimit { trigger: px(103), px: px(100) };
    scene.trade(BUY, 101, 1).submit(new).expect("ack 1");
    scene.trade(BUY, 104, 1).expect("trigger 1");
    scene.trade(SELL, 99, 1).expect("fill 1 3@100 maker");
}

#[test]
fn a_trailing_stop_follows_and_never_steps_back() {
    let mut scene = scene();
    scene.trade(BUY, 101, 1).trailing(SELL, 2, 3).expect("ack 1");
    let trigger = |scene: &Scene| scene.exchange.resting(OrderNo(1)).unwrap().trigger;
    assert_eq!(trigger(&scene), Some(px(98)));
    scene.trade(BUY, 105, 1).trade(SELL, 103, 1).expect("");
    assert_eq!(trigger(&scene), Some(px(102)));
    scene.trade(SELL, 102, 1).expect("trigger 1, fill 1 2@99 taker");
    scene.trailing(BUY, 1, 2).trade(SELL, 100, 1).trade(BUY, 101, 1).expect("ack 2");
    scene.trade(BUY, 102, 1).expect("trigger 2, fill 2 1@101 taker");
}

#[test]
fn a_stop_can_be_moved_and_cancelled() {
    let mut scene = scene();
    scene.trade(BUY, 101, 1).stop(BUY, 6, 103).amend(1, Some(105), None);
    scene.expect("ack 1, amend 1 px 105");
    scene.trade(BUY, 104, 1).expect("");
    scene.amend(1, Some(104), None);
    scene.expect("amend 1 px 104, trigger 1, fill 1 5@101 taker, fill 1 1@102 taker");
    scene.stop(SELL, 1, 90).cancel(2).trade(SELL, 80, 1).expect("ack 2, cancel 2 requested");
    assert!(scene.exchange.is_empty());
}

#[test]
fn a_bracket_comes_with_its_parent_and_one_leg_ends_the_other() {
    let mut scene = scene();
    let id = scene.id;
    scene.trade(BUY, 101, 1).limit(BUY, 6, 100).expect("ack 1");
    let target = NewOrder::limit(id, SELL, qty(6), px(103));
    let stop = NewOrder::stop(id, SELL, qty(6), px(97));
    scene.submit(child(1, Some(2), NewOrder { reduce_only: true, ..target })).expect("ack 2");
    scene.submit(child(1, Some(2), NewOrder { reduce_only: true, ..stop })).expect("ack 3");
    // Nothing of the parent is filled, so that nothing of the children can be.
    scene.trade(BUY, 104, 9).expect("");
    scene.trade(SELL, 100, 2).expect("fill 1 2@100 maker");
    scene.trade(BUY, 104, 9).expect("fill 2 2@103 maker, amend 3 qty 4");
    scene.trade(SELL, 99, 1).expect("fill 1 4@100 maker");
    scene.trade(SELL, 97, 1).expect("trigger 3, fill 3 4@99 taker, cancel 2 group");
    assert_eq!(scene.position(), 0);
    assert!(scene.exchange.is_empty());
}

#[test]
fn children_of_a_parent_that_never_fills_end_with_it() {
    let mut scene = scene();
    let target = NewOrder::limit(scene.id, SELL, qty(6), px(103));
    scene.limit(BUY, 6, 100).submit(child(1, None, target)).expect("ack 1, ack 2");
    scene.cancel(1).expect("cancel 1 requested, cancel 2 parent");
    // What the parent has filled stays.
    scene.limit(BUY, 6, 100).submit(child(3, None, target)).expect("ack 3, ack 4");
    scene
        .trade(SELL, 100, 4)
        .cancel(3)
        .expect("fill 3 4@100 maker, cancel 3 requested, amend 4 qty 4");
    // A parent that was filled before its child came is remembered; one that was refused too.
    scene.at_market(BUY, 2).submit(child(5, None, target));
    scene.expect("ack 5, fill 5 2@101 taker, ack 6, amend 6 qty 2");
    scene.limit(BUY, 0, 1).submit(child(7, None, target));
    scene.expect("reject 7 too_small, ack 8, cancel 8 parent");
}

#[test]
fn a_child_may_come_before_its_parent() {
    let mut scene = scene();
    let target = NewOrder::limit(scene.id, SELL, qty(6), px(103));
    scene.submit(child(2, None, target)).expect("ack 1");
    scene.at_market(BUY, 2).expect("ack 2, fill 2 2@101 taker, amend 1 qty 2");
    scene.trade(BUY, 104, 1).expect("fill 1 2@103 maker");
}

#[test]
fn a_group_shares_what_it_fills() {
    let mut scene = scene();
    let sell = |at| NewOrder::limit(scene.id, SELL, qty(6), px(at));
    let (near, far) = (sell(100), sell(102));
    scene.submit(near).submit(grouped(1, far)).expect("ack 1, ack 2");
    scene.trade(BUY, 100, 4).expect("fill 1 4@100 maker, amend 2 qty 2");
    scene.trade(BUY, 103, 1).expect("fill 1 2@100 maker, fill 2 2@102 maker");
    // Whoever comes when all is over is over.
    scene.submit(grouped(1, far)).expect("ack 3, cancel 3 group");
    scene.submit(near).submit(grouped(4, far)).cancel(5);
    scene.expect("ack 4, ack 5, cancel 5 requested, cancel 4 group");
}

#[test]
fn reduce_only_orders_never_turn_a_position() {
    let mut scene = scene();
    let reduce = |side: Side, size, at| NewOrder {
        reduce_only: true,
        ..NewOrder::limit(scene.id, side, qty(size), px(at))
    };
    let (sell, more, take) = (reduce(SELL, 3, 103), reduce(SELL, 9, 104), reduce(SELL, 9, 98));
    let near = reduce(SELL, 1, 103);
    scene.submit(sell).expect("reject 1 would_not_reduce");
    scene.at_market(BUY, 4).submit(sell).submit(more);
    scene.expect("ack 2, fill 2 4@101 taker, ack 3, ack 4, amend 4 qty 4");
    scene.at_market(SELL, 2).expect("ack 5, fill 5 2@99 taker, amend 3 qty 2, amend 4 qty 2");
    // Both would be reached by one trade, but only two are held.
    scene.trade(BUY, 105, 9).expect("fill 3 2@103 maker, cancel 4 nothing_to_reduce");
    assert_eq!(scene.position(), 0);
    scene.at_market(BUY, 1).submit(near).submit(near).trade(BUY, 103, 5);
    scene.expect(
        "ack 6, fill 6 1@101 taker, ack 7, ack 8, fill 7 1@103 maker, cancel 8 nothing_to_reduce",
    );
    scene.at_market(BUY, 1).submit(take);
    scene.expect("ack 9, fill 9 1@102 taker, ack 10, amend 10 qty 1, fill 10 1@99 taker");
}

#[test]
fn orders_end_by_the_clock() {
    let mut scene = scene();
    let new = NewOrder::limit(scene.id, BUY, qty(1), px(98));
    let till =
        NewOrder { time_in_force: TimeInForce::Gtd, good_till: Some(Ts::from_nanos(1_000)), ..new };
    let day = NewOrder { time_in_force: TimeInForce::Day, ..new };
    scene.submit(till).submit(day).submit(day).expect("ack 1, ack 2, ack 3");
    assert_eq!(scene.exchange.next_due(), Some(Ts::from_nanos(1_001)));
    scene.until(1_000).expect("");
    scene.until(1_001).expect("expire 1");
    scene.cancel(2).expect("cancel 2 requested");
    assert_eq!(scene.exchange.next_due(), Some(Ts::from_nanos(DAY_NANOS)));
    scene.until(DAY_NANOS).expect("expire 3");
    assert_eq!(scene.exchange.next_due(), None);
    scene.submit(day).submit(new).expect("ack 4, ack 5");
    scene.status(TradingStatus::Closed).expect("expire 4");
    scene.status(TradingStatus::Delisted).expect("cancel 5 not_trading");
}

#[test]
fn nothing_fills_during_a_halt() {
    let mut scene = scene();
    scene.limit(SELL, 1, 101).stop(BUY, 1, 105).said();
    scene.status(TradingStatus::Halted).trade(BUY, 109, 1).level(BUY, 105, 9).expect("");
    scene.status(TradingStatus::Open);
    scene.expect("fill 1 1@101 maker, trigger 2, fill 2 1@101 taker");
}
