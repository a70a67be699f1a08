//! From lists of expressions to plans.

use super::tape::Tape;
use super::*;

#[test]
fn every_function_has_an_example_that_runs() {
    for function in functions() {
        let tape =
            Tape::new().quotes((0..300).map(|at| 10_000 + (at * 13) % 7)).trade(10_000, 1, None);
        let rows = tape.rows(function.example);
        assert!(function.example.starts_with(function.name), "{}", function.example);
        for value in rows.iter().flat_map(|row| row.values.iter().flatten()) {
            assert!(value.is_finite(), "{} gives {value}", function.example);
        }
    }
}

#[test]
fn shared_parts_are_computed_once() {
    let steps = |text: &str| Plan::new(&parse_list(text).unwrap()).unwrap().steps();
    assert_eq!(steps("ema(mid, 20)"), 2);
    assert_eq!(steps("ema(mid, 20), ema(mid, n = 20) * ema(20)"), 3);
    // The column, the window that slides, its two parts, the root, the score and the place.
    assert_eq!(steps("sma(mid, 9), std(mid, 9), z(mid, 9), bb_pos(mid, 9, 2)"), 7);
    assert_eq!(steps("a = std(ret(mid, 1), 20), b = sma(a, 5), c = z(ret(1), 20)"), 9);
}

#[test]
fn what_cannot_be_compiled_says_why_and_where() {
    let cases = [
        ("emma(mid, 20)", 0..13, "there is no function `emma`; did you mean `ema`?"),
        ("ema(mud, 20)", 4..7, "there is no column or feature `mud`; did you mean `mid`?"),
        (
            "ema(mid, 0)",
            9..10,
            "`n` of `ema`: expected a whole number from 1 to 1000000, found `0`",
        ),
        (
            "ema(mid, 2.5)",
            9..12,
            "`n` of `ema`: expected a whole number from 1 to 1000000, found `2.5`",
        ),
        ("ema(mid, n = 3, n = 4)", 20..21, "`n` is given twice"),
        ("ema(mid, m = 3)", 13..14, "there is no parameter of `ema` `m`; did you mean `n`?"),
        ("ema(mid, 1, 2)", 0..14, "`ema` takes at most 2 arguments, as in ema(mid, 20)"),
        ("corr(mid)", 0..9, "`corr` needs `y`, as in corr(ret(mid, 1), imbalance, 100)"),
        ("ema", 0..3, "`ema` is a function: write `ema(…)`"),
        ("a = b + 1, b = a * 2", 15..16, "a circle: a → b → a"),
    ];
    for (text, span, message) in cases {
        let error = Plan::new(&parse_list(text).unwrap()).unwrap_err().error;
        assert_eq!((error.span.clone(), error.message.as_str()), (span, message), "{text}");
    }
}

#[test]
fn what_takes_a_length_of_time_has_a_node_for_it() {
    for function in functions() {
        let takes = |arg: &Arg| matches!(arg.kind, ArgKind::Window(..) | ArgKind::Length);
        let takes = function.args.iter().any(takes);
        match function.body {
            Body::Node { .. } | Body::Window(_) => {
                assert_eq!(function.timed.is_some(), takes, "{}", function.name);
            }
            // What they are made of takes the length.
            Body::Formula(_) | Body::Over { .. } => {}
        }
    }
}

#[test]
fn every_set_compiles_and_gives_finite_values() {
    let tape = Tape::new().quotes((0..400).map(|at| 10_000 + (at * 13) % 7)).trade(10_000, 1, None);
    for set in SETS {
        let plan = Plan::new(&set.members()).unwrap();
        assert_eq!(plan.len(), set.features.len());
        let rows = tape.run(Program::new(plan), 64, EngineOptions::default());
        assert!(rows.iter().flat_map(|row| row.values.iter().flatten()).all(|it| it.is_finite()));
    }
}
