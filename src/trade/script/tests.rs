use qt_model::order::{OrderNo, Pricing, ReportKind};
use qt_model::record::Kind;
use qt_model::time::Ts;
use qt_model::units::Px;
use qt_model::words::{CancelReason, DecisionAction, Side, TimeInForce};
use rust_decimal::Decimal;

use super::*;
use crate::outbox::Output;
use crate::trial::World;

fn source(key: &str, text: &str) -> Source {
    Source { key: key.to_owned(), text: text.to_owned() }
}

fn crossing() -> Definition {
    let mut definition = Definition::named("cross");
    definition.features.push(("signal".to_owned(), source("features.signal", "mid - 100")));
    definition.entry.long = Some(source("entry.long", "signal > level"));
    definition.entry.short = Some(source("entry.short", "signal < -level"));
    definition.params.push(Param {
        name: "level".to_owned(),
        default: 1.0,
        min: Some(0.0),
        max: Some(9.0),
        is_whole: true,
        about: String::new(),
    });
    definition
}

fn problems(definition: &Definition, values: &[(&str, f64)]) -> Vec<String> {
    let values = values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    let found = compile(definition, &values).err().unwrap_or_default();
    found.into_iter().map(|it| format!("{} {:?}: {}", it.key, it.span, it.message)).collect()
}

#[test]
fn parts_that_depend_on_the_market_become_features() {
    let mut definition = crossing();
    definition.exit.long = Some(source("exit.long", "mid < entry_px - 2 * level or held_s > 5"));
    let compiled = compile(&definition, &[("level".to_owned(), 3.0)].into()).unwrap();
    let features: Vec<_> = compiled.features.iter().map(ToString::to_string).collect();
    assert_eq!(features, ["((mid - 100) > 3)", "((mid - 100) < (-3))", "mid"]);
}

#[test]
fn every_mistake_has_its_key_and_place() {
    let check = |change: &dyn Fn(&mut Definition), expected: &str| {
        let mut definition = crossing();
        change(&mut definition);
        assert_eq!(problems(&definition, &[]).join("\n"), expected);
    };
    check(
        &|it| it.entry.long = Some(source("entry.long", "signl > 1")),
        "entry.long 0..5: there is no feature, parameter or column `signl`; did you mean `signal`?",
    );
    check(
        &|it| it.entry.long = Some(source("entry.long", "1 +")),
        "entry.long 3..3: expected a number, a name or `(`, found the end",
    );
    check(
        &|it| it.features.push(("x".into(), source("features.x", "emma(mid)"))),
        "features.x 0..9: there is no function `emma`; did you mean `ema`?",
    );
    check(
        &|it| it.features.push(("x".into(), source("features.x", "midd"))),
        "features.x 0..4: there is no column or feature `midd`; did you mean `mid`?",
    );
    check(
        &|it| {
            it.features.push(("a".into(), source("features.a", "b + 1")));
            it.features.push(("b".into(), source("features.b", "a + 1")));
        },
        "features.a 0..1: a circle: a → b → a",
    );
    check(
        &|it| it.features.push(("x".into(), source("features.x", "position"))),
        "features.x 0..8: `position` belongs to the strategy, not to the market",
    );
    check(
        &|it| it.exit.long = Some(source("exit.long", "ema(equity, 5) > 1")),
        "exit.long 0..14: `ema` is computed over the market and cannot take the strategy's own \
         state; min, max, abs and sign can",
    );
    check(
        &|it| it.params[0].name = "tick".to_owned(),
        "params.tick 0..0: the strategy's own state has this name\n\
         entry.long 9..14: there is no feature, parameter or column `level`\n\
         entry.short 10..15: there is no feature, parameter or column `level`",
    );
    let values = |values: &[(&str, f64)]| problems(&crossing(), values).join("\n");
    assert_eq!(values(&[("level", 10.0)]), "params.level 0..0: 10 is above its greatest value 9");
    assert_eq!(values(&[("level", 1.5)]), "params.level 0..0: 1.5 is not whole, as its default is");
    assert_eq!(
        values(&[("levle", 1.0)]),
        "params.levle 0..0: there is no parameter `levle`; did you mean `level`?"
    );
}

fn world_of(definition: &Definition) -> World<Scripted> {
    world_until(definition, None)
}

/// The same of a contract that ends.
fn world_until(definition: &Definition, expiry: Option<Ts>) -> World<Scripted> {
    let compiled = compile(definition, &Default::default()).unwrap();
    let places: Vec<_> = (0..compiled.features.len()).collect();
    World::until(expiry, |id| Scripted::new(&compiled, &places, vec![id]))
}

/// Submits as (side, size, pricing).
fn submits(outputs: &[Output]) -> Vec<(Side, i64, Pricing)> {
    let submit = |output: &Output| match output {
        Output::Submit { new, .. } => Some((new.side, new.qty.mantissa(), new.pricing)),
        Output::Amend { .. } | Output::Cancel { .. } | Output::Timer { .. } | Output::Decide(_) => {
            None
        }
    };
    outputs.iter().filter_map(submit).collect()
}

#[test]
fn an_entry_opens_an_opposite_one_turns_and_nothing_is_sent_twice() {
    let mut world = world_of(&crossing());
    assert_eq!(submits(&world.row(9_900, 9_910, &[f64::NAN, f64::NAN])), []);
    assert_eq!(submits(&world.row(9_900, 9_910, &[1.0, 0.0])), [(Side::Buy, 100, Pricing::Market)]);
    assert_eq!(submits(&world.row(9_900, 9_910, &[1.0, 0.0])), [], "an order is at work");
    world.fill(1, 9_910, 100);
    assert_eq!(submits(&world.row(9_900, 9_910, &[1.0, 0.0])), [], "it holds what it wants");
    let turned = world.row(9_900, 9_910, &[0.0, 1.0]);
    assert_eq!(submits(&turned), [(Side::Sell, 200, Pricing::Market)]);
}

#[test]
fn a_contract_that_has_ended_is_noted_once_and_asked_for_no_more() {
    let mut quotes = Definition::named("maker");
    quotes.trigger = Trigger::Record(Kind::Quote);
    quotes.quote = Some(QuoteStyle {
        bid: source("quote.bid", "best_bid"),
        ask: source("quote.ask", "best_ask"),
        requote_ticks: 1,
        post_only: true,
        max_position: None,
    });
    for definition in [crossing(), quotes] {
        let mut world = world_until(&definition, Some(Ts::from_nanos(2_000_000_000)));
        assert!(!submits(&world.row(9_900, 9_910, &[1.0, 0.0])).is_empty());
        world.report(1, ReportKind::Expired);
        let mut noted = Vec::new();
        for _ in 0..3 {
            world.see(9_900, 9_910, &[1.0, 0.0]);
            noted.extend(world.out.drain());
        }
        let [Output::Decide(note)] = &noted[..] else { panic!("{noted:?}") };
        assert_eq!((note.action, &*note.reason), (DecisionAction::Skip, "expired"));
    }
}

#[test]
fn a_limit_follows_its_price_and_is_given_up_in_time() {
    let mut definition = crossing();
    definition.style.buy_at = Some(source("orders.buy_at", "best_bid - tick"));
    definition.style.requote_ticks = 2;
    definition.style.timeout_ns = Some(5_000_000_000);
    let mut world = world_of(&definition);
    let limit = |px| Pricing::Limit { px: Px::new(px) };
    assert_eq!(submits(&world.row(9_900, 9_910, &[1.0, 0.0])), [(Side::Buy, 100, limit(9_895))]);
    world.report(1, ReportKind::Acknowledged);
    assert_eq!(world.row(9_905, 9_915, &[1.0, 0.0]), [], "one tick is not worth the queue place");
    let moved = world.row(9_920, 9_930, &[1.0, 0.0]);
    assert!(
        matches!(&moved[..], [Output::Amend { change, .. }] if change.px == Some(Px::new(9_915)))
    );
    for _ in 0..2 {
        assert_eq!(world.row(9_920, 9_930, &[0.0, 0.0]), [], "it waits for the venue's answer");
    }
    assert_eq!(world.row(9_920, 9_930, &[0.0, 0.0]), [Output::Cancel { order: OrderNo(1) }]);
}

#[test]
fn protection_comes_before_plans() {
    let mut definition = crossing();
    definition.protect.stop_loss = Some(source("protect.stop_loss", "1"));
    definition.protect.trailing = Some(source("protect.trailing", "0.5"));
    let mut world = world_of(&definition);
    world.row(9_900, 9_910, &[1.0, 0.0]);
    world.fill(1, 9_910, 100);
    assert_eq!(world.row(9_815, 9_825, &[1.0, 0.0]), [], "0.95 lost");
    let exit = world.row(9_810, 9_820, &[1.0, 0.0]);
    assert_eq!(submits(&exit), [(Side::Sell, 100, Pricing::Market)]);
    let mut world = world_of(&definition);
    world.row(9_900, 9_910, &[1.0, 0.0]);
    world.fill(1, 9_910, 100);
    assert_eq!(world.row(9_960, 9_970, &[1.0, 0.0]), []);
    assert_eq!(submits(&world.row(9_910, 9_920, &[1.0, 0.0])).len(), 1, "half a unit off its best");
}

#[test]
fn a_bracket_waits_at_the_venue_for_its_entry() {
    let mut definition = crossing();
    definition.bracket.stop = Some(source("bracket.stop", "1"));
    definition.bracket.target = Some(source("bracket.target", "2 * level"));
    let mut world = world_of(&definition);
    let outputs = world.row(9_900, 9_910, &[1.0, 0.0]);
    let stop = Pricing::Stop { trigger: Px::new(9_810) };
    let target = Pricing::Limit { px: Px::new(10_110) };
    let expected =
        [(Side::Buy, 100, Pricing::Market), (Side::Sell, 100, stop), (Side::Sell, 100, target)];
    assert_eq!(submits(&outputs), expected);
    for output in &outputs[1..] {
        let Output::Submit { new, .. } = output else { panic!("{output:?}") };
        assert_eq!(new.links.parent, Some(OrderNo(1)));
        assert_eq!(new.links.group, Some(OrderNo(2)));
        assert!(new.reduce_only);
    }
}

#[test]
fn quotes_that_are_good_stay_and_limits_hold() {
    let mut definition = Definition::named("maker");
    definition.trigger = Trigger::Record(Kind::Quote);
    definition.size = Size::Fixed(Decimal::ONE);
    definition.quote = Some(QuoteStyle {
        bid: source("quote.bid", "best_bid - tick - 0.01 * position"),
        ask: source("quote.ask", "best_ask + tick"),
        requote_ticks: 1,
        post_only: true,
        max_position: Some(Size::Fixed(Decimal::ONE)),
    });
    let mut world = world_of(&definition);
    let limit = |px| Pricing::Limit { px: Px::new(px) };
    let both = world.row(9_900, 9_910, &[]);
    let expected = [(Side::Buy, 100, limit(9_895)), (Side::Sell, 100, limit(9_915))];
    assert_eq!(submits(&both), expected);
    let Output::Submit { new, .. } = &both[0] else { panic!() };
    assert_eq!(new.time_in_force, TimeInForce::Gtx);
    world.report(1, ReportKind::Acknowledged);
    assert_eq!(world.row(9_900, 9_910, &[]), [], "both are good");
    let moved = world.row(9_905, 9_910, &[]);
    assert_eq!(moved[0], Output::Cancel { order: OrderNo(1) });
    assert_eq!(submits(&moved), [(Side::Buy, 100, limit(9_900))]);
    // The old bid fills on its way out: no second unit may come, so the new bid goes.
    world.fill(1, 9_895, 100);
    assert_eq!(world.row(9_905, 9_910, &[]), [Output::Cancel { order: OrderNo(3) }]);
    world.report(3, ReportKind::Cancelled(CancelReason::Requested));
    assert_eq!(world.row(9_905, 9_910, &[]), []);
}
