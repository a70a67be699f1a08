//! Orders that rest while the market moves.

use qt_model::order::{NewOrder, OrderNo};
use qt_model::units::Qty;
use qt_model::words::MboAction;

use super::super::*;
use super::scenes::*;

fn risk_averse() -> Scene {
    let mut scene = Scene::filled_by(Preset::Pessimistic);
    scene.book(&[(99, 5), (98, 10)], &[(101, 5), (102, 10)]);
    scene
}

fn ahead(scene: &Scene, order: u64) -> Option<i64> {
    scene.exchange.resting(OrderNo(order)).unwrap().place.ahead().map(Qty::mantissa)
}

#[test]
fn a_trade_takes_those_ahead_and_then_us() {
    let mut scene = risk_averse();
    scene.limit(BUY, 4, 99).expect("ack 1");
    scene.trade(SELL, 99, 3).expect("");
    scene.level(BUY, 99, 2).trade(SELL, 99, 2).level(BUY, 99, 0).expect("");
    scene.trade(SELL, 99, 1).expect("fill 1 1@99 maker");
    scene.trade(BUY, 101, 50).expect("");
    scene.trade(SELL, 98, 1).expect("fill 1 3@99 maker");
    assert!(scene.exchange.is_empty());
}

#[test]
fn orders_of_ours_share_a_queue() {
    let mut scene = risk_averse();
    scene.limit(BUY, 4, 99).limit(BUY, 4, 99).expect("ack 1, ack 2");
    scene.trade(SELL, 99, 7).expect("fill 1 2@99 maker");
    scene.trade(SELL, 99, 4).expect("fill 1 2@99 maker, fill 2 2@99 maker");
}

#[test]
fn presets_differ_in_what_fills() {
    let story = |preset| {
        let mut scene = Scene::filled_by(preset);
        scene.book(&[(99, 5)], &[(101, 5)]).limit(SELL, 4, 101);
        scene.said();
        // Four of those ahead of us leave, then two trade; at last the bid comes to us.
        scene.level(SELL, 101, 1).trade(BUY, 101, 2).level(BUY, 101, 3);
        scene.said()
    };
    // One shows, so that no more than one is ahead of us: two less one are ours.
    assert_eq!(story(Preset::Pessimistic), "fill 1 1@101 maker");
    assert_eq!(story(Preset::Calibrated), "fill 1 1@101 maker, fill 1 3@101 maker");
    assert_eq!(story(Preset::Optimistic), "fill 1 2@101 maker, fill 1 2@101 maker");
    let mut scene = risk_averse();
    scene.limit(SELL, 4, 101).said();
    scene.level(BUY, 102, 1).expect("fill 1 4@101 maker");
}

#[test]
fn whole_fills_where_the_model_knows_no_parts() {
    let mut fills = Preset::Pessimistic.model();
    fills.is_partial = false;
    let mut scene = Scene::new(VenueConfig { fills, ..free() });
    scene.book(&[(99, 5)], &[(101, 5)]).limit(BUY, 400, 99).expect("ack 1");
    scene.trade(SELL, 99, 5).expect("");
    scene.trade(SELL, 99, 1).expect("fill 1 400@99 maker");
}

#[test]
fn a_smaller_order_keeps_its_place_and_another_loses_it() {
    let mut scene = risk_averse();
    scene.limit(BUY, 4, 99).trade(SELL, 99, 3).expect("ack 1");
    assert_eq!(ahead(&scene, 1), Some(2));
    scene.amend(1, None, Some(3)).expect("amend 1 qty 3");
    assert_eq!(ahead(&scene, 1), Some(2));
    scene.amend(1, None, Some(5)).expect("amend 1 qty 5");
    assert_eq!(ahead(&scene, 1), Some(5));
    scene.amend(1, Some(98), None).expect("amend 1 px 98");
    assert_eq!(ahead(&scene, 1), Some(10));
    scene.amend(1, Some(100), None).trade(SELL, 100, 2);
    scene.expect("amend 1 px 100, fill 1 2@100 maker");
    // What was filled before the change arrived counts.
    scene.amend(1, None, Some(2)).expect("amend 1 qty 2");
    scene.cancel(1).expect("no-cancel 1 ended");
    // A new price may take.
    scene.limit(BUY, 4, 99).amend(2, Some(101), None);
    scene.expect("ack 2, amend 2 px 101, fill 2 4@101 taker");
}

#[test]
fn an_iceberg_shows_a_part_and_queues_again() {
    let mut scene = risk_averse();
    let new = NewOrder::limit(scene.id, BUY, qty(5), px(100));
    scene.submit(NewOrder { display: Some(qty(2)), ..new }).expect("ack 1");
    scene.trade(SELL, 100, 4).expect("fill 1 2@100 maker");
    scene.level(BUY, 100, 3).trade(SELL, 100, 1).expect("fill 1 1@100 maker");
    scene.trade(SELL, 100, 9).expect("fill 1 1@100 maker");
    assert_eq!(ahead(&scene, 1), Some(3));
    scene.trade(SELL, 100, 4).expect("fill 1 1@100 maker");
}

#[test]
fn a_price_deeper_than_quotes_show_joins_when_it_is_seen() {
    let mut scene = Scene::filled_by(Preset::Pessimistic);
    scene.quote((99, 5), (101, 5)).limit(BUY, 2, 98).expect("ack 1");
    assert_eq!(ahead(&scene, 1), None);
    scene.trade(SELL, 98, 50).expect("");
    scene.quote((98, 7), (101, 5));
    assert_eq!(ahead(&scene, 1), Some(7));
    scene.quote((97, 7), (101, 5));
    assert_eq!(ahead(&scene, 1), Some(0));
    scene.trade(SELL, 98, 1).expect("fill 1 1@98 maker");
}

#[test]
fn bare_trades_fill_what_they_pass() {
    let mut scene = Scene::filled_by(Preset::Pessimistic);
    scene.trade(BUY, 100, 1).limit(BUY, 2, 98).limit(SELL, 2, 103).expect("ack 1, ack 2");
    scene.trade(SELL, 98, 9).expect("");
    scene.trade(SELL, 97, 1).expect("fill 1 2@98 maker");
    scene.trade(BUY, 104, 1).expect("fill 2 2@103 maker");
    // Where touching is enough, so much is filled as was traded.
    let fills: FillModel = "pessimistic,at-limit=on".parse().unwrap();
    let mut scene = Scene::new(VenueConfig { fills, ..free() });
    scene
        .trade(BUY, 100, 1)
        .limit(BUY, 5, 98)
        .trade(SELL, 98, 2)
        .expect("ack 1, fill 1 2@98 maker");
    scene.trade(BUY, 98, 9).expect("");
}

#[test]
fn after_a_gap_a_trade_beyond_our_price_fills_us() {
    let mut scene = risk_averse();
    scene.limit(BUY, 4, 99).gap().trade(SELL, 99, 50).expect("ack 1");
    scene.trade(SELL, 98, 1).expect("fill 1 4@99 maker");
}

#[test]
fn what_a_fill_was_like_can_be_asked() {
    let mut scene = risk_averse();
    scene.exchange.keep_facts();
    scene.limit(BUY, 4, 99).trade(SELL, 99, 3).level(BUY, 99, 1).trade(SELL, 99, 2).said();
    let facts: Vec<_> = scene.exchange.facts().to_vec();
    assert_eq!(facts.len(), 1);
    assert_eq!(facts[0].arrival.ahead, Some(qty(5)));
    assert_eq!(facts[0].arrival.level_qty, Some(qty(5)));
    assert_eq!((facts[0].by_trades, facts[0].by_cancels), (qty(4), qty(1)));
    assert_eq!(facts[0].mid.unwrap().units(), 200);
}

#[test]
fn with_orders_one_by_one_the_queue_is_exact() {
    use MboAction::{Add, Cancel, Fill};
    let mut fills = Preset::Calibrated.model();
    fills.queue = QueueModel::Exact;
    let mut scene = Scene::new(VenueConfig { fills, ..free() });
    scene.other(Add, 1, 99, 5).other(Add, 2, 99, 4).other(Add, 3, 101, 5);
    scene.limit(BUY, 6, 99).expect("ack 1");
    scene.other(Add, 4, 99, 7).other(Add, 5, 99, 1);
    assert_eq!(ahead(&scene, 1), Some(9));
    // One behind us leaves, then one ahead of us in part.
    scene.other(Cancel, 5, 99, 1);
    assert_eq!(ahead(&scene, 1), Some(9));
    scene.other(Cancel, 2, 99, 3);
    assert_eq!(ahead(&scene, 1), Some(6));
    // Those ahead are executed, and nothing of ours.
    scene.other(Fill, 1, 99, 5).other(Cancel, 1, 99, 5).expect("");
    assert_eq!(ahead(&scene, 1), Some(1));
    let place = scene.exchange.resting(OrderNo(1)).unwrap().place;
    assert_eq!((place.by_trades(), place.by_cancels()), (qty(5), qty(3)));
    // One behind us is executed, so that we would have been; a bare print says nothing new.
    scene.trade(SELL, 99, 2).expect("");
    scene.other(Fill, 4, 99, 2).expect("fill 1 2@99 maker");
    scene.other(Cancel, 4, 99, 2).other(Add, 9, 98, 5).other(Fill, 9, 98, 1);
    scene.expect("fill 1 4@99 maker");
}
