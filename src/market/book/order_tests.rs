//! The book by order against lists of orders, and books of several venues against one map.

use std::collections::BTreeMap;

use proptest::prelude::*;
use qt_model::instrument::{Instrument, Symbol};
use qt_model::record::{Head, Level, Mbo};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::{MboAction, Side};

use super::*;

fn mbo(
    action: MboAction,
    order_id: u64,
    side: Option<Side>,
    px: Option<i64>,
    qty: Option<i64>,
) -> Mbo {
    let head = Head::new(Ts::default(), Ts::default(), 0, None);
    let (px, qty) = (px.map(Px::new), qty.map(|qty| Qty::new(qty).unwrap()));
    Mbo { head, action, side, px, qty, order_id, more: false, snapshot: false }
}

fn add(id: u64, side: Side, px: i64, qty: i64) -> Mbo {
    mbo(MboAction::Add, id, Some(side), Some(px), Some(qty))
}

fn ids(book: &OrderBook, side: Side, px: i64) -> Vec<u64> {
    book.queue_at(side, Px::new(px)).map(|order| order.id).collect()
}

#[test]
fn orders_stand_by_age_and_lose_their_place_when_they_grow() {
    let mut book = OrderBook::default();
    for id in 1..=4 {
        assert_eq!(book.apply(&add(id, Side::Buy, 100, 10)), Effect::Changed);
    }
    let shrink = mbo(MboAction::Modify, 2, None, None, Some(4));
    assert_eq!(book.apply(&shrink), Effect::Changed);
    assert_eq!(ids(&book, Side::Buy, 100), [1, 2, 3, 4]);
    let place = book.place(3).unwrap();
    assert_eq!((place.orders_ahead, place.qty_ahead.mantissa()), (2, 14));
    book.apply(&mbo(MboAction::Modify, 1, None, None, Some(11)));
    assert_eq!(ids(&book, Side::Buy, 100), [2, 3, 4, 1], "what grows goes to the end");
    book.apply(&mbo(MboAction::Modify, 2, None, Some(101), None));
    book.apply(&mbo(MboAction::Modify, 2, None, Some(100), None));
    assert_eq!(ids(&book, Side::Buy, 100), [3, 4, 1, 2], "and so does what comes back");
    book.apply(&mbo(MboAction::Cancel, 3, None, None, Some(3)));
    assert_eq!(ids(&book, Side::Buy, 100), [3, 4, 1, 2], "a part may go");
    book.apply(&mbo(MboAction::Cancel, 3, None, None, None));
    let best = book.best(Side::Buy).unwrap();
    assert_eq!((best.0.qty.mantissa(), best.1, book.len()), (25, 3, 3));
    book.apply(&mbo(MboAction::Clear, 0, None, None, None));
    assert!(book.is_empty() && book.best(Side::Buy).is_none());
}

#[test]
fn what_cannot_be_applied_is_said_and_changes_nothing() {
    let mut book = OrderBook::default();
    book.apply(&add(1, Side::Sell, 7, 5));
    let cases = [
        (mbo(MboAction::Cancel, 9, None, None, None), Effect::Unknown),
        (mbo(MboAction::Add, 9, Some(Side::Buy), None, Some(1)), Effect::Incomplete),
        (mbo(MboAction::Add, 9, Some(Side::Buy), Some(1), Some(0)), Effect::Incomplete),
        (mbo(MboAction::Modify, 9, None, Some(1), Some(1)), Effect::Incomplete),
        (add(9, Side::Sell, 7, i64::MAX), Effect::TooLarge),
        (mbo(MboAction::Trade, 1, None, Some(7), Some(5)), Effect::Unchanged),
        (mbo(MboAction::Fill, 1, None, Some(7), Some(5)), Effect::Unchanged),
    ];
    for (record, effect) in cases {
        assert_eq!(book.apply(&record), effect, "{record:?}");
        assert_eq!((book.len(), book.prices().at(Side::Sell, Px::new(7))), (1, Qty::new(5).ok()));
    }
    assert_eq!(book.apply(&add(1, Side::Buy, 3, 2)), Effect::Changed);
    assert_eq!((book.len(), book.repeated(), ids(&book, Side::Sell, 7)), (1, 1, vec![]));
    assert_eq!(book.apply(&mbo(MboAction::Modify, 1, None, None, Some(0))), Effect::Changed);
    assert!(book.is_empty());
    book.gap();
    assert_eq!(book.apply(&add(1, Side::Buy, 3, 2)), Effect::Ignored);
    let snapshot = Mbo { snapshot: true, ..add(1, Side::Buy, 3, 2) };
    assert_eq!(book.apply(&snapshot), Effect::Changed);
    assert_eq!(book.apply(&add(2, Side::Buy, 3, 2)), Effect::Changed);
}

/// Orders in the order of their ages, and nothing else.
#[derive(Default)]
struct Model(Vec<(u64, Side, i64, i64)>);

impl Model {
    fn remove(&mut self, id: u64, qty: Option<i64>) {
        let Some(at) = self.0.iter().position(|order| order.0 == id) else { return };
        let left = qty.map_or(0, |qty| (self.0[at].3 - qty).max(0));
        self.0[at].3 = left;
        if left == 0 {
            self.0.remove(at);
        }
    }

    fn apply(&mut self, record: &Mbo) {
        let (id, qty) = (record.order_id, record.qty.map(Qty::mantissa));
        let known = self.0.iter().find(|order| order.0 == id).copied();
        // A modification may leave out what stays; an add may not.
        let stays = known.filter(|_| record.action == MboAction::Modify);
        let side = record.side.or(stays.map(|it| it.1));
        let px = record.px.map(Px::mantissa).or(stays.map(|it| it.2));
        match record.action {
            MboAction::Clear => self.0.clear(),
            MboAction::Cancel => self.remove(id, qty),
            MboAction::Modify if known.is_some() && qty == Some(0) => self.remove(id, None),
            MboAction::Add | MboAction::Modify => {
                let (Some(side), Some(px)) = (side, px) else { return };
                let Some(qty) = qty.or(stays.map(|it| it.3)).filter(|qty| *qty > 0) else { return };
                let is_modify = record.action == MboAction::Modify;
                let keeps = |it: (u64, Side, i64, i64)| {
                    is_modify && (it.1, it.2) == (side, px) && qty <= it.3
                };
                match known.filter(|it| keeps(*it)) {
                    Some(it) => self.remove(id, Some(it.3 - qty)),
                    None => {
                        self.remove(id, None);
                        self.0.push((id, side, px, qty));
                    }
                }
            }
            MboAction::Fill | MboAction::Trade => {}
        }
    }
}

fn record() -> impl Strategy<Value = Mbo> {
    let action = prop_oneof![
        8 => Just(MboAction::Add),
        6 => Just(MboAction::Cancel),
        5 => Just(MboAction::Modify),
        1 => Just(MboAction::Fill),
        1 => Just(MboAction::Trade),
    ];
    let action = prop_oneof![60 => action, 1 => Just(MboAction::Clear)];
    let side = prop::option::weighted(0.8, prop_oneof![Just(Side::Buy), Just(Side::Sell)]);
    let (px, qty) = (prop::option::weighted(0.8, -4_i64..4), prop::option::weighted(0.8, 0_i64..5));
    (action, 0_u64..25, side, px, qty)
        .prop_map(|(action, id, side, px, qty)| mbo(action, id, side, px, qty))
}

proptest! {
    #[test]
    fn the_book_by_order_equals_a_list(records in prop::collection::vec(record(), 0..300)) {
        let (mut book, mut model) = (OrderBook::default(), Model::default());
        for record in &records {
            book.apply(record);
            model.apply(record);
            let mut levels = BTreeMap::<(Side, i64), (i64, Vec<u64>)>::new();
            for (id, side, px, qty) in &model.0 {
                let level = levels.entry((*side, *px)).or_default();
                let place = book.place(*id).unwrap();
                prop_assert_eq!((place.qty_ahead.mantissa(), place.orders_ahead), (level.0, level.1.len() as u64));
                prop_assert_eq!(book.order(*id).unwrap().qty.mantissa(), *qty);
                level.0 += qty;
                level.1.push(*id);
            }
            prop_assert_eq!(book.len(), model.0.len());
            let shown: BTreeMap<_, _> = book.prices().levels(usize::MAX).map(|it| ((it.side, it.px.mantissa()), it.qty.mantissa())).collect();
            let sums: BTreeMap<_, _> = levels.iter().map(|(at, level)| (*at, level.0)).collect();
            prop_assert_eq!(shown, sums, "the book by price is that of the orders");
            for ((side, px), (_, queue)) in levels {
                prop_assert_eq!(book.orders_at(side, Px::new(px)) as usize, queue.len());
                prop_assert_eq!(ids(&book, side, px), queue);
            }
        }
    }

    #[test]
    fn books_of_several_venues_are_one_map(
        changes in prop::collection::vec((0_usize..3, -20_i64..20, 0_i64..5, any::<bool>()), 0..120),
    ) {
        let instrument = |name: &str, px, qty| {
            let scale = |digits| Scale::new(digits).unwrap();
            Instrument::new(Symbol::new(name).unwrap(), scale(px), scale(qty))
        };
        let instruments = [instrument("a:X", 1, 0), instrument("b:X", 3, 2), instrument("c:X", 2, 2)];
        let mut together = Consolidated::new(&instruments);
        prop_assert_eq!(together.scales(), (Scale::new(3).unwrap(), Scale::new(2).unwrap()));
        let mut all = BTreeMap::<(bool, i128, usize), i128>::new();
        for (venue, px, qty, is_bid) in changes {
            let side = if is_bid { Side::Buy } else { Side::Sell };
            let level = Level { px: Px::new(px), qty: Qty::new(qty).unwrap(), side };
            together.venue_mut(venue).set(level);
            let (px_unit, qty_unit) = [(100, 100), (1, 1), (10, 1)][venue];
            let key = (is_bid, i128::from(px) * px_unit, venue);
            all.insert(key, i128::from(qty) * qty_unit);
            all.retain(|_, qty| *qty > 0);
        }
        let mut sums = BTreeMap::<(bool, i128), (i128, u32)>::new();
        for ((is_bid, px, _), qty) in all {
            let sum = sums.entry((is_bid, px)).or_default();
            *sum = (sum.0 + qty, sum.1 + 1);
        }
        let side = |wants_bids: bool| {
            let of = sums.iter().filter(move |((is_bid, _), _)| *is_bid == wants_bids);
            of.map(|((_, px), (qty, venues))| Together { px: *px, qty: *qty, venues: *venues })
        };
        prop_assert_eq!(together.asks().collect::<Vec<_>>(), side(false).collect::<Vec<_>>());
        let mut bids: Vec<_> = side(true).collect();
        bids.reverse();
        prop_assert_eq!(together.best_bid(), bids.first().copied());
        let is_crossed = bids.first().zip(side(false).next()).is_some_and(|(bid, ask)| bid.px > ask.px);
        prop_assert_eq!(together.is_crossed(), is_crossed);
        prop_assert_eq!(together.bids().collect::<Vec<_>>(), bids);
    }
}

#[test]
fn stamps_tell_who_is_ahead_and_changes_what_happened() {
    use MboAction::{Add, Cancel, Clear, Fill, Modify};
    let mut book = OrderBook::default();
    let mut check = |action, id, px, qty, expected: &[(i64, i64, i64, u64, bool)]| {
        book.apply(&mbo(action, id, Some(Side::Buy), Some(px), Some(qty)));
        let changes = book.changes().into_iter().flatten().map(|change| {
            let (before, after) = (change.before.mantissa(), change.after.mantissa());
            (change.px.mantissa(), before, after, change.stamp, change.by_trade)
        });
        assert_eq!(changes.collect::<Vec<_>>(), expected, "{action} {id}");
    };
    check(Add, 7, 10, 5, &[(10, 0, 5, 0, false)]);
    check(Add, 8, 10, 6, &[(10, 0, 6, 1, false)]);
    // Smaller: it keeps its place. Larger, or elsewhere: a new one.
    check(Modify, 7, 10, 3, &[(10, 5, 3, 0, false)]);
    check(Modify, 7, 10, 4, &[(10, 3, 0, 0, false), (10, 0, 4, 2, false)]);
    check(Modify, 8, 11, 6, &[(10, 6, 0, 1, false), (11, 0, 6, 3, false)]);
    check(Fill, 8, 11, 2, &[]);
    check(Cancel, 8, 11, 2, &[(11, 6, 4, 3, true)]);
    check(Cancel, 8, 11, 4, &[(11, 4, 0, 3, false)]);
    check(Cancel, 8, 11, 4, &[]);
    check(Modify, 99, 11, 4, &[(11, 0, 4, 4, false)]);
    check(Clear, 0, 0, 0, &[]);
    assert!(book.is_empty());
    assert_eq!(book.next_stamp(), 5);
}
