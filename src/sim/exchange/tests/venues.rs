//! Several venues and instruments in one exchange, and very many orders.

use qt_model::instrument::{Instrument, Symbol};
use qt_model::order::{Cash, Currency, NewOrder, OrderNo};
use qt_model::record::{Batch, Depth, Head, Level};
use qt_model::time::Ts;
use qt_model::words::DepthAction;

use super::super::*;
use super::scenes::*;

fn listed(symbol: &str) -> Instrument {
    Instrument { symbol: Symbol::new(symbol).unwrap(), ..spot() }
}

fn show(market: &mut Market, exchange: &mut Exchange, at: Ts, batch: &Batch) -> Vec<String> {
    let mut out = Vec::new();
    for record in batch.iter() {
        market.apply(&record);
        exchange.market(at, market, &record, &mut out);
    }
    out.iter().map(line).collect()
}

#[test]
fn each_venue_has_its_own_terms_and_money() {
    let mut instruments = Instruments::default();
    let ids = ["a:X", "b:X", "b:Y"].map(|symbol| instruments.declare(listed(symbol)).unwrap());
    let balances = |amount| {
        let currency = Currency::new("USD").unwrap();
        vec![Cash { amount: number(amount), currency }]
    };
    let cash =
        |amount| VenueConfig { account: AccountKind::Cash, balances: balances(amount), ..free() };
    let mut venues = Venues::from(cash("1000"));
    venues.by_name.insert("b".into(), Arc::new(cash("500")));
    let mut exchange = Exchange::new(&venues, &instruments).unwrap();
    let mut market = Market::new(&instruments);
    let instruments = Arc::new(instruments);
    let at = Ts::from_nanos(1);
    let mut batch = Batch::new(Arc::clone(&instruments));
    for id in ids {
        let head = Head::new(at, at, 0, Some(id));
        let action = DepthAction::Snapshot;
        let depth = Depth { head, action, first_id: None, last_id: None, prev_id: None };
        let level = |side, at| Level { px: px(at), qty: qty(90), side };
        batch.push_row(depth, &[level(BUY, 99), level(SELL, 100)]);
    }
    show(&mut market, &mut exchange, at, &batch);
    let mut out = Vec::new();
    let mut said = |exchange: &mut Exchange, order, id, size| {
        let new = approved(NewOrder::market(id, BUY, qty(size)));
        exchange.submit(at, OrderNo(order), new, &market, &mut out);
        out.drain(..).map(|execution| line(&execution)).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(said(&mut exchange, 1, ids[0], 10), "ack 1, fill 1 10@100 taker");
    assert_eq!(said(&mut exchange, 2, ids[1], 6), "reject 2 insufficient_funds");
    // What is spent on one instrument of a venue is missing for the other, and at no other venue.
    assert_eq!(said(&mut exchange, 3, ids[1], 3), "ack 3, fill 3 3@100 taker");
    assert_eq!(said(&mut exchange, 4, ids[2], 3), "reject 4 insufficient_funds");
    assert_eq!(said(&mut exchange, 5, ids[2], 2), "ack 5, fill 5 2@100 taker");
    assert_eq!(ids.map(|id| exchange.ledger(id).position(id).qty()), [10, 3, 2]);
}

#[test]
fn ten_thousand_orders_are_found_by_their_price() {
    let mut scene = Scene::filled_by(Preset::Pessimistic);
    scene.book(&[(20_000, 5)], &[(50_000, 5)]);
    for at in 0..10_000 {
        scene.limit(BUY, 1, 10_000 + at).limit(SELL, 1, 60_000 + at);
    }
    scene.said();
    assert_eq!(scene.exchange.len(), 20_000);
    // A trade reaches the two hundred best; every other one is cancelled by its number.
    scene.trade(SELL, 19_800 - 1, 1);
    assert_eq!(scene.said().split(", ").count(), 200);
    for order in (1..20_000).step_by(2) {
        scene.cancel(order);
    }
    let said = scene.said();
    assert_eq!(said.split(", ").filter(|line| line.starts_with("cancel")).count(), 9_800);
    assert_eq!(scene.exchange.len(), 10_000);
    assert_eq!(scene.exchange.resting(OrderNo(20_000)).unwrap().limit(), Some(px(69_999)));
}
