//! Strategies that name the sets they are written for.

use super::{day, write};

fn strategy(sets: &str, entry: &str) -> String {
    format!("sets = {sets}\n[entry]\nlong = \"{entry}\"\n[exit]\nmax_holding = \"5s\"\n")
}

/// The exit code, what was printed and what was said.
fn run(file: &str) -> (i32, String, String) {
    let world = day();
    write(&world, "s.toml", file);
    let ran = world.qt("backtest s.toml -i day.arrow --no-run --no-band").output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (ran.status.code().unwrap(), text(ran.stdout), text(ran.stderr))
}

#[test]
fn a_feature_of_a_set_is_what_its_expression_says() {
    let rest = |out: &str| out.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    let (code, by_name, said) = run(&strategy("\"core15@1\"", "bollinger_pos < 0.3"));
    assert_eq!(code, 0, "{said}");
    let (_, in_full, _) = run(&strategy("[]", "bb_pos(mid, 20, 2) < 0.3"));
    assert_eq!(rest(&by_name), rest(&in_full));
    // Twenty events, not the hundred and twenty of a feature that nobody asked for.
    assert!(by_name.contains("warm-up: 20 events"), "{by_name}");
    // What a set has under a name is made of what else it has.
    let (code, _, said) = run(&strategy("[\"discovery@1\"]", "behavior_divergence > 0"));
    assert_eq!(code, 0, "{said}");
}

#[test]
fn a_set_of_another_version_stops_the_strategy_from_starting() {
    for (sets, entry, expected) in [
        ("\"core15@2\"", "rsi < 40", "written for version 2 of core15"),
        ("\"core15\"", "rsi < 40", "expected core15@1"),
        ("[\"cor15@1\"]", "rsi < 40", "did you mean `core15`?"),
        ("\"lob27@3\"", "l1_imbalance_ppm > 0", "there is no feature, parameter or column"),
        ("[\"ml6@1\", \"core15@1\"]", "mid_price > 0", "both have a feature `mid_price`"),
    ] {
        let (code, _, said) = run(&strategy(sets, entry));
        assert!(code == 2 && said.contains(expected), "{sets}: {code}: {said}");
        assert!(said.contains("s.toml:"), "{said}");
    }
    // What nobody names may stand in both.
    let (code, _, said) = run(&strategy("[\"ml6@1\", \"core15@1\"]", "rsi < 40"));
    assert_eq!(code, 0, "{said}");
}
