//! Strategies and inputs that cannot be run: each says what is wrong, where, and what to do.

use super::{day, shell, write};

/// Exit code and what is said for a strategy file.
fn check(file: &str, args: &str, code: i32, expected: &[&str]) {
    let world = day();
    write(&world, "bad.toml", file);
    let assert = world.qt(&format!("backtest bad.toml {args}")).assert().code(code);
    let said = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    for part in expected {
        assert!(said.contains(part), "`{part}` is not in: {said}");
    }
}

const SOUND: &str = "[features]\na = \"ema(mid, n)\"\n[params]\nn = 3\n[entry]\nlong = \"a > 1\"\n";

#[test]
fn all_mistakes_of_a_file_come_at_once_with_their_places() {
    let file = "every = \"1 parsec\"\nsymbls = []\n[orders]\ntime_in_force = \"forever\"\n\
                [params]\nn = \"x\"\n[exit]\nmax_holding = 5\n[entry]\nlong = \"mid > 1\"\n";
    check(
        file,
        "-i day.arrow",
        2,
        &[
            "the configuration has 5 errors",
            "bad.toml:1:9: every: expected a duration",
            "bad.toml:2:1: symbls: there is no key `symbls`; did you mean `symbols`?",
            "bad.toml:4:17: orders.time_in_force: expected one of day, gtc",
            "bad.toml:6:5: params.n: expected a number",
            "bad.toml:8:15: exit.max_holding: expected a duration",
        ],
    );
}

#[test]
fn an_expression_is_pointed_into() {
    let file = "[features]\na = \"ema(mid, 3)\"\n[entry]\nlong = \"a > midd\"\n";
    check(
        file,
        "-i day.arrow",
        2,
        &[
            "bad.toml:4:13: entry.long: there is no feature, parameter or column `midd`; did you mean `mid`?",
            "  a > midd\n      ^^^^",
        ],
    );
    let circle = "[features]\na = \"b + 1\"\nb = \"a + 1\"\n[entry]\nlong = \"a > 1\"\n";
    check(circle, "-i day.arrow", 2, &["a circle: a → b → a"]);
}

#[test]
fn flags_that_do_not_fit_the_file_are_refused() {
    check(SOUND, "-i day.arrow --param m=4", 2, &["there is no parameter `m`; did you mean `n`?"]);
    check(SOUND, "-i day.arrow --param n=0.5", 2, &["params.n: 0.5 is not whole"]);
    check(SOUND, "-i day.arrow --param n", 2, &["expected NAME=VALUE"]);
    check(SOUND, "-i day.arrow --sweep n=9..1", 2, &["expected NAME=FROM..TO:STEP"]);
    check(SOUND, "-i day.arrow --fills lucky", 2, &["pessimistic, calibrated, optimistic"]);
    check(SOUND, "-i day.arrow --sample 7m", 2, &["a divisor of a day"]);
}

#[test]
fn inputs_that_cannot_be_run_are_told() {
    check(
        &format!("symbols = [\"nyse:*\"]\n{SOUND}"),
        "-i day.arrow",
        2,
        &["no symbol of the input fits nyse:*", "hint: the input has sim:"],
    );
    check(SOUND, "-i nowhere.arrow", 4, &["nowhere.arrow"]);
    check(SOUND, "-i bad.toml", 3, &["bad.toml"]);
    let world = day();
    let text = shell(&world, "qt replay -i day.arrow");
    let lines: Vec<&str> = text.lines().collect();
    let mut wrong = lines.clone();
    wrong.swap(40, 900);
    write(&world, "wrong.ndjson", &(wrong.join("\n") + "\n"));
    world.qt("backtest imbalance --no-run -i wrong.ndjson").assert().code(3);
    write(&world, "cut.ndjson", &(lines[..500].join("\n") + "\n"));
    world.qt("backtest imbalance --no-run -i cut.ndjson").assert().code(3);
    world.qt("backtest imbalance --no-run --allow-truncated -i cut.ndjson").assert().success();
}

#[test]
fn one_thing_decides_and_what_it_has_no_use_for_is_refused() {
    let input = "-i day.arrow";
    let both = format!("{SOUND}[process]\ncommand = [\"true\"]\n");
    check(&both, input, 2, &["bad.toml:7:2: process: `[entry]` decides already"]);
    check(
        "[params]\nn = 3\n",
        input,
        2,
        &["nothing decides: expected one of `[entry]`, `[quote]`"],
    );
    let idle = "every = \"1s\"\n[process]\ncommand = [\"true\"]\n[features]\na = \"mid\"\n\
                [size]\nqty = 1\n[exit]\nstop_loss = 5\n[orders]\ntimeout = \"1s\"\n";
    check(
        idle,
        input,
        2,
        &[
            "the configuration has 5 errors",
            "bad.toml:1:1: every: `[process]` decides and has no use for it",
            "bad.toml:4:2: features: `[process]` decides",
            "bad.toml:6:2: size: `[process]` decides",
            "bad.toml:8:2: exit: `[process]` decides",
            "bad.toml:10:2: orders: `[process]` decides",
        ],
    );
    let quotes = "[quote]\nbid = \"best_bid\"\nask = \"best_ask\"\n[bracket]\nstop = 5\n";
    check(quotes, input, 2, &["bad.toml:4:2: bracket: `[quote]` decides and has no use for it"]);
    let regime = "[regime]\n[[regime.features]]\nexpr = \"imbalance\"\nalpha = 0.9\n\
                  correlation = 0.1\n[schedule]\nopen = \"09:00\"\n[params]\nn = 1\n";
    check(
        regime,
        input,
        2,
        &[
            "bad.toml:6:2: schedule: `[regime]` decides and has no use for it",
            "bad.toml:8:2: params: `[regime]` decides and has no use for it",
        ],
    );
    let native = "native = \"cross\"\n";
    check(native, input, 2, &["bad.toml:1:10: native: there is no native strategy `cross`"]);
}

#[test]
fn a_window_longer_than_the_data_is_told() {
    let args = "-i day.arrow --no-run --param n=1000000";
    check(SOUND, args, 0, &["the slowest feature needs 1000000 events and the input has"]);
}

#[test]
fn a_recording_of_delays_that_cannot_be_read_is_told() {
    let file = format!("{SOUND}[venue]\nlatency = {{ place = \"recorded(seen.csv)\" }}\n");
    check(
        &file,
        "-i day.arrow",
        2,
        &["bad.toml:8:21: venue.latency.place: seen.csv: No such file"],
    );
    check(SOUND, "-i day.arrow --latency place=recorded(x.csv)", 2, &["x.csv: No such file"]);
    check(SOUND, "-i day.arrow --latency place=soon", 2, &["or recorded(FILE)"]);
}

/// Linux has a device that is full for everybody who writes to it.
#[test]
fn a_full_disk_is_told_once() {
    if !std::path::Path::new("/dev/full").exists() {
        eprintln!("skipped: no /dev/full here");
        return;
    }
    let world = day();
    std::os::unix::fs::symlink("/dev/full", world.path().join("trials.ndjson")).unwrap();
    std::fs::create_dir(world.path().join("runs")).unwrap();
    std::fs::rename(world.path().join("trials.ndjson"), world.path().join("runs/trials.ndjson"))
        .unwrap();
    let assert = world.qt("backtest imbalance -i day.arrow --run-dir kept").assert().code(4);
    let said = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert_eq!(said.matches("No space left").count(), 1, "{said}");
    let nowhere = world.qt("backtest imbalance -i nowhere.arrow").assert().code(4);
    let said = String::from_utf8(nowhere.get_output().stderr.clone()).unwrap();
    assert_eq!(said.matches("No such file").count(), 1, "{said}");
}

#[test]
fn a_strategy_without_a_file_names_those_that_come_along() {
    let world = day();
    let assert = world.qt("backtest nowhere -i day.arrow").assert().code(2);
    let said = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert!(said.contains("the built-in strategies are market-maker"), "{said}");
}
