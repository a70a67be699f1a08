//! Layers, substitution and errors of the configuration.

use super::{World, qt, stderr, stdout};
use predicates::str::{contains, starts_with};

/// One line of `config show --origin`, with its spaces squeezed.
fn shown(command: &mut assert_cmd::Command, setting: &str) -> String {
    let said = stdout(command);
    let line = said.lines().find(|line| line.starts_with(&format!("{setting} = "))).unwrap();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn each_layer_wins_over_those_below() {
    let check = |world: &World, args: &str, env: &str, expected: &str| {
        let mut command = world.qt(&format!("config show --origin {args}"));
        let line = shown(command.env("QT_DATA", env), "data");
        assert_eq!(line, format!("data = {expected}"));
    };
    let mut world = World::new();
    check(&world, "", "", r#""./data" # default"#);
    world = world.with("home/.config/qt/config.toml", "# mine\ndata = 'user'");
    let file = world.path().join("home/.config/qt/config.toml");
    check(&world, "", "", &format!(r#""user" # {}:2"#, file.display()));
    world = world.with("qt.toml", "data = 'project'").with("other.toml", "data = 'other'");
    check(&world, "", "", r#""project" # qt.toml:1"#);
    check(&world, "--config other.toml", "", r#""other" # other.toml:1"#);
    check(&world, "--config other.toml", "env", r#""env" # environment QT_DATA"#);
    check(&world, "--config other.toml --data flag", "env", r#""flag" # flag --data"#);
}

#[test]
fn the_user_file_follows_xdg() {
    let world = World::new().with("xdg/qt/config.toml", "threads = 3");
    let mut command = world.qt("config show");
    assert_eq!(
        shown(command.env("XDG_CONFIG_HOME", world.path().join("xdg")), "threads"),
        "threads = 3"
    );
}

#[test]
fn the_nearest_file_above_counts_and_paths_in_it_start_there() {
    let world = World::new().with("qt.toml", "data = 'store'\n").with("a/b/empty", "");
    let said = stdout(&mut world.qt("-C a/b drill flags"));
    let expected = format!("data {:?}", world.path().canonicalize().unwrap().join("store"));
    assert!(said.contains(&expected), "{said}");
    let world = world.with("a/qt.toml", "threads = 2\n");
    assert!(
        stdout(&mut world.qt("-C a/b config show"))
            .contains("data = \"./data\"\nruns = \"./runs\"\nthreads = 2")
    );
}

#[test]
fn every_setting_reaches_the_commands() {
    let text = "
        threads = 7
        replay.speed = '2.5x'
        [stream]
        format = 'arrow'
        batch_records = 0x10
        on_error = 'skip'
        ordering = 'warn'
        [catalog]
        row_group_records = 65_536
    ";
    let said = stdout(&mut World::new().with("qt.toml", text).qt("drill flags"));
    for line in [
        "threads 7",
        "speed 2.5x",
        "output Arrow",
        "batch 16",
        "bad records Skip",
        "ordering Warn",
        "row group 65536",
    ] {
        assert!(said.lines().any(|it| it == line), "{line} is not in:\n{said}");
    }
}

#[test]
fn variables_are_substituted_in_strings() {
    let check = |value: &str, expected: &str| {
        let world = World::new().with("qt.toml", &format!("data = '{value}'\n"));
        let mut command = world.qt("config show");
        command.env("NAME", "value").env("EMPTY", "");
        assert_eq!(shown(&mut command, "data"), format!("data = {expected:?}"), "{value}");
    };
    check("a/${NAME}/b", "a/value/b");
    check("${NAME}${NAME}", "valuevalue");
    check("${NAME:-other}", "value");
    check("${UNSET:-other}", "other");
    check("x${EMPTY:-other}", "xother");
    check("x${EMPTY}", "x");
    check("x${UNSET:-}", "x");
    check("$${NAME}", "${NAME}");
    check("$NAME $ 5$", "$NAME $ 5$");
    let world = World::new().with("qt.toml", "threads = '${N:-4}'");
    assert_eq!(shown(world.qt("config show").env("N", "9"), "threads"), "threads = 9");
}

#[test]
fn all_errors_come_at_once_each_with_its_place() {
    let bad = "\
data = 7
threds = 4
color = 'nevr'
replay = 3
stream = { format = 'arow', batch_records = '8' }
[catalog]
row_group_records = 12
format = 'arrow'
[strem]
[other]
[log]
";
    let world = World::new().with("qt.toml", bad).with("home/.config/qt/config.toml", "a = ]");
    let mut command = world.qt("config show --threads many");
    let said = stderr(command.env("QT_REPLAY_SPEED", "0x"));
    let home = world.path().join("home/.config/qt/config.toml");
    let expected = r#"qt: the configuration has 14 errors
HOME:1:5: missing array opening, expected `[`
qt.toml:1:8: data: expected a path, found 7
qt.toml:2:1: threds: unknown key; did you mean `threads`?
qt.toml:3:9: color: expected "auto" or "always" or "never", found "nevr"; did you mean "never"?
qt.toml:4:10: replay: expected a table, found 3
qt.toml:5:21: stream.format: expected "ndjson" or "arrow", found "arow"; did you mean "arrow"?
qt.toml:5:45: stream.batch_records: expected a number from 1 to 1048576, found "8"
qt.toml:7:21: catalog.row_group_records: expected a number from 1024 to 16777216, found 12
qt.toml:8:1: catalog.format: unknown key; did you mean `stream.format`?
qt.toml:9:2: strem: unknown key; did you mean `stream`?
qt.toml:10:2: other: unknown key
qt.toml:11:1: log: expected a log filter such as "info" or "warn,qt_stream=debug", found a table
environment QT_REPLAY_SPEED: replay.speed: expected "max", "realtime" or a multiple such as "10x", found "0x"
flag --threads: threads: expected "auto" or a number from 1 to 1024, found "many"
hint: `qt man config` explains every setting
"#;
    assert_eq!(said, expected.replace("HOME", &home.display().to_string()));
    command.assert().code(2);
}

#[test]
fn a_broken_file_has_one_error_for_each_broken_line() {
    let check = |text: &str, expected: &str| {
        let world = World::new().with("it.toml", text);
        let answer = world.qt("config check it.toml").assert().code(2);
        answer.stderr(starts_with(format!("qt: the configuration has {expected}")));
    };
    check("data = 'a", "an error\nit.toml:1:10: invalid literal string, expected `'`\n");
    check("data = 'a'\ndata = 'b'", "an error\nit.toml:2:1: duplicate key\n");
    check("data = '${'", "an error\nit.toml:1:8: data: expected `}` after `${`");
    check("data = '${1}'", "an error\nit.toml:1:8: data: expected the name of a variable");
    check("é = 1\n[stream]\nformat=''", "2 errors\nit.toml:1:1: ");
    check("log = '${NOPE}'", "an error\nit.toml:1:7: log: environment variable NOPE is not set");
    let missing = qt("config check /nowhere/qt.toml").assert().code(2);
    missing.stderr(contains("/nowhere/qt.toml: cannot read it: "));
}

#[test]
fn a_broken_configuration_stops_only_those_who_need_it() {
    let world = World::new().with("qt.toml", "nonsense = 1").with("good.toml", "threads = 1");
    world.qt("config show").assert().code(2);
    world.qt("drill flags").assert().code(2);
    world.qt("config check good.toml").assert().code(0);
    world.qt("completions bash").assert().code(0);
    world.qt("man").assert().code(0);
}

#[test]
fn what_is_shown_can_be_read_again_and_its_digest_checked() {
    let world = World::new();
    let shown = stdout(&mut world.qt("config show --threads 3 --data ünï\"x"));
    let world = world.with("again.toml", &shown);
    let again = stdout(&mut world.qt("config show --config again.toml"));
    assert_eq!(shown, again);
    let json = stdout(&mut world.qt("config show --json --config again.toml"));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["settings"]["threads"]["value"], 3);
    assert_eq!(json["settings"]["threads"]["origin"], "again.toml:3");
    let digest = <sha2::Sha256 as sha2::Digest>::digest(&shown);
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(json["sha256"], digest);
}

#[test]
fn only_speeds_are_speeds() {
    let check = |speed: &str, code: i32| {
        qt("config show").env("QT_REPLAY_SPEED", speed).assert().code(code);
    };
    for good in ["max", "realtime", "1x", "10x", "0.5x", "2.25x"] {
        check(good, 0);
    }
    for bad in ["0x", "0.0x", "x", "-1x", "1", ".5x", "1.x", "1.2.3x", "1e3x", "10 x", "Max"] {
        check(bad, 2);
    }
}
