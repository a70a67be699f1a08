use qt_model::order::ReportKind;
use qt_model::time::Ts;

use super::*;
use crate::outbox::Output;
use crate::trial::World;

fn feature(alpha: f64, correlation: f64) -> Feature {
    Feature { name: String::new(), alpha, correlation, is_momentum: false }
}

fn vote(direction: Direction, strength: f64, alpha: f64) -> Signal {
    Signal { direction, strength, alpha, is_momentum: false }
}

#[test]
fn features_are_chosen_by_score_and_none_is_an_error() {
    let features = [feature(0.2, 0.1), feature(0.5, 0.1), feature(0.5, 0.2), feature(0.9, 0.1)];
    assert_eq!(select(&features, 0.3, 2), Ok(vec![3, 1]));
    assert_eq!(select(&features, 0.95, 5), Err(SignalError { least: 0.95, best: 0.9 }));
}

#[test]
fn values_vote_by_their_distance_from_a_threshold() {
    let at = |correlation: f64, value: f64| {
        let signal = feature(0.5, correlation).signal(value, 1.0).unwrap();
        (signal.direction, signal.strength)
    };
    // 0.001 / 0.2.
    assert!((feature(0.5, 0.2).threshold() - 0.005).abs() < 1e-15);
    assert!((feature(0.5, 0.005).threshold() - 0.01).abs() < 1e-15);
    assert!((feature(0.5, 50.0).threshold() - 0.0001).abs() < 1e-15);
    assert_eq!(at(0.2, 0.005), (Direction::Neutral, 0.0));
    assert_eq!(at(0.2, 0.025), (Direction::Long, 0.25));
    assert_eq!(at(-0.2, 0.025), (Direction::Short, 0.25));
    assert_eq!(at(-0.2, -9.0), (Direction::Long, 0.5));
    assert_eq!(feature(0.5, 0.2).signal(f64::NAN, 1.0), None);
}

#[test]
fn a_weighted_vote_is_the_net_over_the_weights() {
    let rule = Combination {
        combine: Combine::Weighted,
        min_strength: 0.3,
        min_signals: 1,
        confidence: 0.2,
    };
    let votes = [vote(Direction::Long, 0.6, 0.8), vote(Direction::Short, 0.4, 0.5)];
    let combined = rule.of(votes.into_iter());
    assert!((combined.confidence - 0.28 / 1.3).abs() < 1e-12, "{combined:?}");
    assert_eq!((combined.action, combined.alpha), (Action::Long, 0.8));
    let strict = Combination { confidence: 0.5, ..rule };
    assert_eq!(strict.of(votes.into_iter()).reason, "below_threshold");
    let weak = [vote(Direction::Long, 0.2, 0.8)];
    assert_eq!(rule.of(weak.into_iter()).reason, "no_valid_signals");
    let two = Combination { min_signals: 2, ..rule };
    assert_eq!(two.of(votes.into_iter()).reason, "too_few_signals");
    let unanimous = Combination { combine: Combine::Unanimous, ..rule };
    assert_eq!(unanimous.of(votes.into_iter()).reason, "no_consensus");
    let majority = Combination { combine: Combine::Majority, ..rule };
    let three = [votes[0], votes[0], votes[1]];
    let combined = majority.of(three.into_iter());
    assert!((combined.confidence - 2.0 / 3.0 * 0.6).abs() < 1e-12);
    assert_eq!(majority.of(votes.into_iter()).reason, "no_consensus");
}

#[test]
fn each_gate_blocks_beyond_its_limit_and_not_at_it() {
    let limits = PRESETS[0].gate;
    let sound = Candidate {
        is_long: true,
        confidence: 0.5,
        state: State { trend: -0.5, spread: 2.0, volatility: 0.0 },
        since_trade_ms: Some(5_000),
        spread_share: Some(0.001),
    };
    let mut gate = Gate::new(limits);
    assert_eq!(gate.judge(&sound), Judged::Passed);
    let state = sound.state;
    let cases = [
        (Candidate { state: State { trend: -0.51, ..state }, ..sound }, GateRule::RegimeTrend),
        (
            Candidate { state: State { volatility: -0.1, ..state }, ..sound },
            GateRule::RegimeVolatility,
        ),
        (Candidate { state: State { spread: 2.1, ..state }, ..sound }, GateRule::RegimeSpread),
        (Candidate { confidence: 0.499, ..sound }, GateRule::SignalStrength),
        (Candidate { since_trade_ms: Some(4_999), ..sound }, GateRule::Cooldown),
        (Candidate { spread_share: Some(0.0011), ..sound }, GateRule::SpreadPenalty),
        (Candidate { spread_share: None, ..sound }, GateRule::SpreadPenalty),
    ];
    for (candidate, expected) in cases {
        let judged = gate.judge(&candidate);
        assert!(matches!(judged, Judged::Blocked { rule, .. } if rule == expected), "{judged:?}");
    }
    assert_eq!((gate.passed(), gate.blocked(GateRule::SpreadPenalty)), (1, 2));
    assert_eq!(gate.judge(&Candidate { since_trade_ms: None, ..sound }), Judged::Passed);
    // A short entry is held to the trend downwards.
    let up = Candidate { is_long: false, state: State { trend: 1.0, ..state }, ..sound };
    assert!(matches!(gate.judge(&up), Judged::Blocked { rule: GateRule::RegimeTrend, .. }));
    let mut plain = Gate::new(GateLimits { direction_aware: false, ..limits });
    assert_eq!(plain.judge(&up), Judged::Passed);
}

#[test]
fn the_state_of_the_market_turns_and_weakens_votes() {
    let wild = State { volatility: 2.0, trend: 0.0, spread: 1.0 };
    assert_eq!((wild.mode(), State::default().mode()), (Mode::MeanReversion, Mode::Balanced));
    assert_eq!(State::of(f64::NAN, f64::NAN, f64::NAN), State::default());
    let momentum = Signal { is_momentum: true, ..vote(Direction::Long, 0.6, 1.0) };
    assert_eq!(modes::adjusted(momentum, &wild).direction, Direction::Short);
    let up = State { trend: 1.0, ..State::default() };
    let short = modes::adjusted(vote(Direction::Short, 0.6, 1.0), &up);
    assert!((short.strength - 0.3).abs() < 1e-12);
    let breakout = Signal { strength: 0.8, ..momentum };
    let quiet = modes::adjusted(breakout, &State::default());
    assert!((quiet.strength - 0.56).abs() < 1e-12);
}

#[test]
fn sizes_scale_and_stop_at_their_cap() {
    let ordinary = &PRESETS[0];
    assert!((ordinary.size(0.6, 0.6, 0.75) - 0.015).abs() < 1e-12);
    assert!((ordinary.size(0.6, 90.0, 1.0) - 0.1).abs() < 1e-12);
    let fixed = preset("conservative").unwrap();
    assert!((fixed.size(0.9, 0.9, 0.5) - 0.0025).abs() < 1e-12);
    assert!(preset("reckless").is_none());
}

/// A preset that takes any vote, with one feature, at a contract that ends in its third second.
fn soon_over() -> World<Regime> {
    let any = Combination { min_strength: 0.0, min_signals: 1, ..PRESETS[0].combination };
    let preset = Preset { combination: any, base: 1.0, most: 1.0, ..PRESETS[0] };
    let inputs = Inputs { features: vec![0], volatility: 1, trend: 2, spread: 3 };
    let over = Some(Ts::from_nanos(3_000_000_000));
    World::until(over, |id| Regime::new(preset, vec![feature(0.9, 0.5)], inputs, vec![id]))
}

#[test]
fn a_contract_that_has_ended_is_noted_once_and_asked_for_no_more() {
    let mut world = soon_over();
    let mut seen = Vec::new();
    for _ in 0..6 {
        world.see(99_995, 100_000, &[9.0, 1.0, 1.0, 1.0]);
        for output in world.out.drain().collect::<Vec<_>>() {
            match output {
                Output::Submit { order, .. } => {
                    seen.push("submit".to_owned());
                    world.report(order.0, ReportKind::Expired);
                }
                Output::Decide(decided) => seen.push(decided.reason.into_owned()),
                other @ (Output::Amend { .. } | Output::Cancel { .. } | Output::Timer { .. }) => {
                    panic!("{other:?}")
                }
            }
        }
    }
    let twice = ["all_gates_passed", "submit", "all_gates_passed", "submit"];
    assert_eq!(seen, [&twice[..], &["expired"]].concat());
}
