//! Strategies in other programs, through the binary.

use super::{day, path, write};
use crate::frame::{World, stdout};

/// The strategy that comes along, beside its file.
fn example(world: &World) -> bool {
    let has_python = std::process::Command::new("python3").arg("--version").output().is_ok();
    if !has_python {
        eprintln!("skipped: there is no python3 to run the example with");
        return false;
    }
    let from = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/strategies/process");
    for name in ["qt_strategy.py", "cross.py", "cross.toml"] {
        let text = std::fs::read_to_string(format!("{from}/{name}")).unwrap();
        write(world, name, &text);
    }
    true
}

#[test]
fn a_program_decides_as_the_same_rules_in_a_file_do() {
    let world = day();
    if !example(&world) {
        return;
    }
    let rules = "[features]\nfast = \"ema(mid, 100)\"\nslow = \"ema(mid, 500)\"\n\
                 [entry]\nlong = \"fast > slow\"\nshort = \"fast <= slow\"\n\
                 [size]\nqty = \"lot * 10\"\n";
    write(&world, "rules.toml", rules);
    let band = |file: &str| {
        let args = format!("backtest {file} -i day.arrow --no-run --json");
        let value: serde_json::Value =
            serde_json::from_str(&stdout(world.qt(&args).env("PATH", path()))).unwrap();
        value["band"].clone()
    };
    assert_eq!(band("cross.toml"), band("rules.toml"));
    world
        .qt("backtest cross.toml -i day.arrow --run-dir kept")
        .env("PATH", path())
        .assert()
        .success();
    world.qt("backtest verify ./kept").env("PATH", path()).assert().success();
}

/// Runs a script of the shell as the strategy, under further terms, and sees the run fail.
pub(super) fn fails(world: &World, script: &str, terms: &str, expected: &str) {
    let command = format!("[process]\ncommand = [\"sh\", \"-c\", {script:?}]\n{terms}");
    write(world, "bad.toml", &command);
    let assert =
        world.qt("backtest bad.toml -i day.arrow --no-run").env("PATH", path()).assert().code(4);
    let said = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert!(said.contains(expected), "{script}: {said}");
}

#[test]
fn a_program_that_fails_ends_the_run_with_its_reason() {
    let world = day();
    let check = |script: &str, expected: &str| fails(&world, script, "", expected);
    let ready = r#"read hello; echo '{"ready":1,"wants":["trade"]}';"#;
    check("exit 3", "ended (exit status: 3)");
    check(&format!("{ready} read one; exit 4"), "ended (exit status: 4)");
    check(&format!("{ready} read one; echo nonsense; read two"), "makes no sense");
    let unknown = r#"echo '{"actions":[{"do":"cancel","id":"a"}]}'"#;
    check(&format!("{ready} read one; {unknown}; read two"), "there is no order `a`");
    let tick = r#"echo '{"actions":[{"do":"submit","id":"a","sym":"x:Y","side":"buy","qty":1}]}'"#;
    check(&format!("{ready} read one; {tick}; read two"), "there is no symbol `x:Y`");
}
