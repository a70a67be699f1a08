//! The quick venue against a slow one that is plain to see through, over random markets.

mod engine;

use proptest::prelude::*;
use qt_model::order::{NewOrder, Pricing};
use qt_model::words::{Side, TimeInForce};
use qt_trade::ledger::DoublePx;
use rust_decimal::Decimal;

use super::super::*;
use super::scenes::*;
use engine::{Asked, Engine, Kind, Life, Meeting, Rules};

#[derive(Clone, Debug)]
enum Step {
    Depth { is_snapshot: bool, changes: Vec<(Side, i64, i64)> },
    Trade(Side, i64, i64),
    Submit(Asked),
    Cancel(u64),
    Amend(u64, Option<i64>, Option<i64>),
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(BUY), Just(SELL)]
}

/// A level on its own side of the middle, as a rule.
fn level() -> impl Strategy<Value = (Side, i64, i64)> {
    (side(), 0_i64..8, 0_i64..7, 0..12).prop_map(|(side, away, qty, odd)| {
        let away = if odd == 0 { -1 } else { away };
        (side, if side == BUY { 100 - away } else { 101 + away }, qty)
    })
}

fn asked() -> impl Strategy<Value = Asked> {
    let kind = prop_oneof![
        1 => Just(Kind::Market),
        5 => (93_i64..109).prop_map(Kind::Limit),
        1 => (93_i64..109).prop_map(Kind::Stop),
    ];
    let life = prop_oneof![
        4 => Just(Life::Gtc),
        1 => Just(Life::Ioc),
        1 => Just(Life::Fok),
        1 => Just(Life::Gtx),
    ];
    let shape = (kind, life, prop::option::weighted(0.2, 1_i64..4), prop::bool::weighted(0.2));
    (side(), 0_i64..14, shape).prop_map(|(side, qty, (kind, life, display, reduce_only))| {
        let is_limit = matches!(kind, Kind::Limit(_));
        let life = match (kind, life) {
            (Kind::Market | Kind::Stop(_), Life::Gtx | Life::Fok) => Life::Ioc,
            (_, life) => life,
        };
        let display = display.filter(|display| is_limit && *display <= qty);
        Asked { side, qty, kind, life, display, reduce_only }
    })
}

fn step() -> impl Strategy<Value = Step> {
    let levels = prop::collection::vec(level(), 1..4);
    prop_oneof![
        1 => prop::collection::vec(level(), 0..14)
            .prop_map(|changes| Step::Depth { is_snapshot: true, changes }),
        6 => levels.prop_map(|changes| Step::Depth { is_snapshot: false, changes }),
        6 => (side(), 95_i64..107, 1_i64..9).prop_map(|(side, px, qty)| Step::Trade(side, px, qty)),
        6 => asked().prop_map(Step::Submit),
        2 => (1_u64..20).prop_map(Step::Cancel),
        2 => (1_u64..20, prop::option::of(93_i64..109), prop::option::of(0_i64..14))
            .prop_map(|(no, px, qty)| Step::Amend(no, px, qty)),
    ]
}

fn rules() -> impl Strategy<Value = Rules> {
    let meeting = prop_oneof![
        Just(Meeting::Newest),
        Just(Meeting::Oldest),
        Just(Meeting::Both),
        Just(Meeting::Off),
    ];
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    (flags, meeting, 1_i64..4, -9_i64..20, 0_i64..90).prop_map(
        |(flags, meeting, lot, maker, taker)| Rules {
            is_front: flags.0,
            fills_at_touch: flags.1,
            is_partial: flags.2,
            rejects_post_only: flags.3,
            meeting,
            lot,
            maker: Decimal::new(maker, 5),
            taker: Decimal::new(taker, 5),
        },
    )
}

fn venue(rules: &Rules) -> VenueConfig {
    let fills = FillModel {
        queue: if rules.is_front { QueueModel::Front } else { QueueModel::RiskAverse },
        cross: if rules.fills_at_touch { Cross::Touch } else { Cross::Through },
        is_partial: rules.is_partial,
        fills_at_limit: false,
    };
    let self_trade = match rules.meeting {
        Meeting::Newest => SelfTrade::CancelNewest,
        Meeting::Oldest => SelfTrade::CancelOldest,
        Meeting::Both => SelfTrade::CancelBoth,
        Meeting::Off => SelfTrade::Off,
    };
    let post_only = if rules.rejects_post_only { PostOnly::Reject } else { PostOnly::Cancel };
    let fees = Fees::flat(rules.maker, rules.taker);
    VenueConfig { fills, self_trade, post_only, fees, ..VenueConfig::default() }
}

fn new_order(scene: &Scene, asked: &Asked) -> NewOrder {
    let pricing = match asked.kind {
        Kind::Market => Pricing::Market,
        Kind::Limit(at) => Pricing::Limit { px: px(at) },
        Kind::Stop(at) => Pricing::Stop { trigger: px(at) },
    };
    let time_in_force = match asked.life {
        Life::Gtc => TimeInForce::Gtc,
        Life::Ioc => TimeInForce::Ioc,
        Life::Fok => TimeInForce::Fok,
        Life::Gtx => TimeInForce::Gtx,
    };
    NewOrder {
        pricing,
        time_in_force,
        display: asked.display.map(qty),
        reduce_only: asked.reduce_only,
        ..NewOrder::market(scene.id, asked.side, qty(asked.qty))
    }
}

fn play(scene: &mut Scene, engine: &mut Engine, number: &mut u64, step: &Step) {
    match step {
        Step::Depth { is_snapshot, changes } => {
            // Sides do not mix within a record; of two sizes at one price the later counts.
            let mut changes = changes.clone();
            changes.sort_by_key(|change| change.0);
            scene.levels(*is_snapshot, &changes);
            engine.depth(*is_snapshot, &changes);
        }
        Step::Trade(side, at, size) => {
            scene.trade(*side, *at, *size);
            engine.trade(*side, *at, *size);
        }
        Step::Submit(asked) => {
            *number += 1;
            scene.submit(new_order(scene, asked));
            engine.submit(*number, *asked);
        }
        Step::Cancel(no) => {
            scene.cancel(*no);
            engine.cancel(*no);
        }
        Step::Amend(no, to, size) => {
            scene.amend(*no, *to, *size);
            engine.amend(*no, *to, *size);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(1_000)
    })]

    #[test]
    fn the_quick_venue_says_what_the_slow_one_says(
        rules in rules(),
        first in prop::collection::vec(level(), 0..14),
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let mut instrument = spot();
        instrument.terms.lot = Some(Decimal::from(rules.lot));
        let mut scene = Scene::of(venue(&rules), instrument);
        let mut engine = Engine::new(rules);
        let mut number = 0;
        let first = Step::Depth { is_snapshot: true, changes: first };
        play(&mut scene, &mut engine, &mut number, &first);
        for step in &steps {
            play(&mut scene, &mut engine, &mut number, step);
            let expected = std::mem::take(&mut engine.said).join(", ");
            prop_assert_eq!(scene.said(), expected, "{:?}", step);
            prop_assert_eq!(scene.position(), engine.position);
        }
        // Cash and the position at any price are worth the same, to the last digit.
        let mut ledger = scene.exchange.ledger(scene.id).clone();
        ledger.mark(scene.id, DoublePx::of(px(97)));
        let equity = ledger.home().precision.decimal(ledger.home().equity());
        prop_assert_eq!(equity, engine.cash + Decimal::from(97 * engine.position));
    }
}
