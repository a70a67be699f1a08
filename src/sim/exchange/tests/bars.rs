//! Bars, where nothing is known but four prices.

use qt_model::order::{Links, NewOrder, OrderNo};
use qt_model::record::{Bar, Head};
use qt_model::words::TimeInForce;

use super::super::*;
use super::scenes::*;

const SECOND: i64 = 1_000_000_000;

fn bars(config: VenueConfig) -> Scene {
    let mut scene = Scene::new(config);
    scene.bar(0, [100, 101, 99, 100], 50);
    scene
}

#[test]
fn a_market_order_waits_for_the_next_open() {
    let mut scene = bars(free());
    let new = NewOrder::market(scene.id, BUY, qty(5));
    scene.submit_now(new).expect("ack 1");
    scene.bar(1, [103, 110, 90, 104], 50).expect("fill 1 5@103 taker");
    // One that comes after the open has missed it.
    scene.submit(new).expect("ack 2");
    scene.bar(2, [105, 106, 104, 105], 50).expect("");
    scene.bar(3, [107, 108, 104, 105], 50).expect("fill 2 5@107 taker");
}

#[test]
fn slippage_and_a_share_of_the_volume() {
    let rules = BarRules { volume_share: Some(number("0.1")), grace_ns: 10 };
    let mut scene = bars(VenueConfig { bars: rules, slippage: Slippage::Ticks(2), ..free() });
    scene.at_market(SELL, 7).expect("ack 1");
    scene.bar(1, [103, 110, 90, 104], 50).expect("fill 1 5@101 taker");
    scene.bar(2, [100, 110, 90, 104], 50).expect("fill 1 2@98 taker");
}

#[test]
fn a_limit_needs_a_bar_that_trades_through() {
    let mut scene = bars(free());
    let id = scene.id;
    let buy = |size, at| NewOrder::limit(id, BUY, qty(size), px(at));
    let (low, high) = (buy(1, 95), buy(2, 104));
    scene.submit_now(low).submit_now(high).expect("ack 1, ack 2");
    // The open is within the second limit: it takes there. The first is touched, no more.
    scene.bar(1, [103, 105, 95, 100], 50).expect("fill 2 2@103 taker");
    scene.bar(2, [100, 105, 94, 100], 50).expect("fill 1 1@95 maker");
    // A market that opens below a resting limit fills it at the limit.
    scene.submit_now(low).bar(3, [100, 105, 96, 100], 50).bar(4, [90, 91, 89, 90], 50);
    scene.expect("ack 3, fill 3 1@95 maker");
    // For the open alone.
    let now = NewOrder { time_in_force: TimeInForce::Ioc, ..low };
    scene.submit_now(now).bar(5, [96, 97, 90, 96], 50).expect("ack 4, cancel 4 remainder");
    let mut scene = Scene::filled_by(Preset::Optimistic);
    scene.bar(0, [100, 101, 99, 100], 50).submit_now(low).bar(1, [100, 100, 95, 100], 50);
    scene.expect("ack 1, fill 1 1@95 maker");
}

#[test]
fn a_stop_fills_at_its_trigger_or_at_a_worse_open() {
    let mut scene = bars(free());
    let id = scene.id;
    let stop = |at| NewOrder::stop(id, SELL, qty(1), px(at));
    let (near, far) = (stop(98), stop(95));
    scene.submit_now(near).submit_now(far).expect("ack 1, ack 2");
    scene.bar(1, [100, 101, 97, 100], 50).expect("trigger 1, fill 1 1@98 taker");
    scene.bar(2, [92, 93, 91, 92], 50).expect("trigger 2, fill 2 1@92 taker");
    // One that comes during a bar is not hit by what that bar did before; the close can trigger
    // it, and it is executed at the next open.
    scene.now += 5;
    scene.submit_now(stop(90)).bar(3, [91, 91, 89, 91], 50).expect("ack 3");
    scene.submit_now(stop(91)).expect("ack 4, trigger 4");
    scene.bar(4, [95, 95, 95, 95], 50).expect("fill 4 1@95 taker");
}

#[test]
fn within_one_bar_the_stop_is_hit_before_the_target() {
    let mut scene = bars(free());
    let id = scene.id;
    let links = Links { parent: Some(OrderNo(1)), group: Some(OrderNo(2)) };
    let target = NewOrder { links, ..NewOrder::limit(id, SELL, qty(5), px(110)) };
    let stop = NewOrder { links, ..NewOrder::stop(id, SELL, qty(5), px(95)) };
    let enter = NewOrder::market(id, BUY, qty(5));
    scene.submit_now(enter).submit_now(target).submit_now(stop).expect("ack 1, ack 2, ack 3");
    scene.bar(1, [100, 120, 90, 100], 50);
    scene.expect("fill 1 5@100 taker, trigger 3, fill 3 5@95 taker, cancel 2 group");
}

#[test]
fn a_fill_inside_a_bar_can_be_stopped_in_it_and_not_rewarded() {
    let mut scene = bars(free());
    let id = scene.id;
    let links = Links { parent: Some(OrderNo(1)), group: Some(OrderNo(2)) };
    let target = NewOrder { links, ..NewOrder::limit(id, SELL, qty(5), px(105)) };
    let stop = NewOrder { links, ..NewOrder::stop(id, SELL, qty(5), px(95)) };
    let enter = NewOrder::limit(id, BUY, qty(5), px(98));
    scene.submit_now(enter).submit_now(target).submit_now(stop).said();
    let mut other = bars(free());
    other.submit_now(enter).submit_now(target).submit_now(stop).said();
    scene.bar(1, [100, 120, 96, 100], 50).expect("fill 1 5@98 maker");
    scene.bar(2, [100, 120, 96, 100], 50).expect("fill 2 5@105 maker, cancel 3 group");
    other.bar(1, [100, 120, 94, 100], 50);
    other.expect("fill 1 5@98 maker, trigger 3, fill 3 5@95 taker, cancel 2 group");
}

#[test]
fn a_trailing_stop_takes_the_worse_order_of_events() {
    let mut scene = bars(free());
    let new = NewOrder::stop(scene.id, SELL, qty(5), px(1));
    let pricing = qt_model::order::Pricing::TrailingStop { distance: px(4) };
    scene.submit_now(NewOrder { pricing, ..new }).expect("ack 1");
    scene.bar(1, [100, 108, 97, 107], 50).expect("");
    // The high of the bar before counts: 104.
    scene.bar(2, [107, 120, 103, 110], 50).expect("trigger 1, fill 1 5@104 taker");
}

#[test]
fn of_several_lengths_the_shortest_executes() {
    let mut scene = bars(free());
    scene.submit_now(NewOrder::market(scene.id, BUY, qty(5))).expect("ack 1");
    let at = Ts::from_nanos(10 * SECOND);
    let head = Head::new(at, at, 0, Some(scene.id));
    let open = Ts::from_nanos(2 * SECOND);
    let bar = Bar::timed(head, 8 * SECOND, open, [px(1); 4], qty(9));
    scene.hear(bar, &[]).expect("");
}

#[test]
fn a_cash_account_that_cannot_pay_the_open_does_not_buy() {
    let balances = vec![qt_model::order::Cash {
        amount: number("1000"),
        currency: qt_model::order::Currency::new("USD").unwrap(),
    }];
    let mut scene = bars(VenueConfig { account: AccountKind::Cash, balances, ..free() });
    scene.submit_now(NewOrder::market(scene.id, BUY, qty(10))).expect("ack 1");
    scene.bar(1, [101, 101, 101, 101], 50).expect("cancel 1 venue");
}
