//! Each way in which a store is not there, refuses, or says something odd: message, hint, exit code.

use std::os::unix::fs::PermissionsExt;

use super::*;

/// What a command says on standard error, and the code that it ends with.
#[track_caller]
fn fails(command: &mut Command, code: i32, parts: &[&str]) {
    let assert = command.assert().code(code);
    let said = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    for part in parts {
        assert!(said.contains(part), "{part} is not in: {said}");
    }
}

fn filled() -> (Double, World) {
    let double = Double::start();
    let world = World::new().with("in.ndjson", &session(0, 30));
    qt(&world, &double, "store add --input in.ndjson").assert().success();
    (double, world)
}

#[test]
fn a_server_that_is_down() {
    let world = World::new().with("in.ndjson", &session(0, 30));
    let mut command = world.qt("store ls");
    // Nobody listens at a port that only the system itself may take.
    command.env("QT_CLICKHOUSE_URL", "http://127.0.0.1:1/q");
    fails(
        &mut command,
        4,
        &["http://127.0.0.1:1/q does not answer", "hint: is the server running"],
    );
    let mut command = world.qt("record status");
    command.env("QT_CLICKHOUSE_URL", "http://127.0.0.1:1/q");
    command.assert().code(1).stdout(predicates::str::contains("does not answer"));
}

#[test]
fn a_server_that_does_not_let_us_in() {
    let (double, world) = filled();
    double.fail("system.tables", Fault::Exception(516, "me: Authentication failed"), 9);
    let parts = ["refuses: me: Authentication failed", "hint: QT_CLICKHOUSE_USER"];
    fails(&mut qt(&world, &double, "store ls"), 4, &parts);
}

#[test]
fn a_database_that_is_not_there() {
    let (double, world) = (Double::start(), World::new());
    let parts = ["has no such database", "hint: `qt store create`"];
    fails(&mut qt(&world, &double, "store ls"), 4, &parts);
    fails(&mut qt(&world, &double, "replay --input clickhouse://"), 4, &parts);
}

#[test]
fn a_table_that_is_not_ours() {
    let (double, world) = filled();
    double.bend("trade", "px_scaled", "Float64");
    let parts =
        ["table `trade`: `px_scaled` is Float64, expected Int64", "hint: a table of another"];
    fails(&mut qt(&world, &double, "store ls"), 3, &parts);
    fails(&mut qt(&world, &double, "store add --input in.ndjson"), 3, &parts);
    double.bend("trade", "px_scaled", "Int64");
    double.set_comment("quote", "qt: quote, schema 9");
    let parts = ["table `quote`: it has schema version 9, this qt knows 1"];
    fails(&mut qt(&world, &double, "replay --input clickhouse://"), 3, &parts);
}

#[test]
fn a_server_without_room() {
    let (double, world) = (Double::start(), World::new().with("in.ndjson", &session(0, 30)));
    double.fail("INSERT INTO `q`.`trade`", Fault::Exception(243, "Cannot reserve 1 MiB"), 1);
    let parts = ["has no room: Cannot reserve 1 MiB", "hint: free room on the disk of the server"];
    fails(&mut qt(&world, &double, "store add --input in.ndjson"), 4, &parts);
}

#[test]
fn an_answer_that_breaks_off_or_lacks_what_it_needs() {
    let (double, world) = filled();
    let day = "trade\ta:X\t2024-08-08\t10\t1723075200000000000\t1723075201000000000\n";
    double.fail("UNION ALL", Fault::Answer(day), 9);
    double.fail("FROM `q`.`_instruments`", Fault::Answer(""), 9);
    // Without its terms an instrument has no scales to read prices at.
    let parts = ["of a:X: http://127.0.0.1:", "names a:X, of which no terms are known"];
    fails(&mut qt(&world, &double, "replay --input clickhouse://"), 4, &parts);
    let parts = ["breaks off"];
    double.fail("system.columns", Fault::Cut(b"trade\tpx".to_vec()), 1);
    fails(&mut qt(&world, &double, "store ls"), 4, &parts);
    double.fail("system.columns", Fault::Hangup, 1);
    fails(&mut qt(&world, &double, "store ls"), 4, &["http://127.0.0.1:"]);
}

#[test]
fn a_refused_statement_says_what_the_server_said() {
    let (double, world) = filled();
    double.fail("UNION ALL", Fault::Exception(241, "Memory limit exceeded"), 9);
    fails(&mut qt(&world, &double, "store ls"), 4, &["/q: Memory limit exceeded"]);
}

#[test]
fn addresses_and_passwords_that_cannot_be_right() {
    let world = World::new().with("qt.toml", "clickhouse_url = \"http://me:hunter2@db:8123/q\"\n");
    let mut command = world.qt("store ls");
    fails(&mut command, 2, &["qt.toml:1:18: clickhouse_url: a password does not belong"]);
    assert!(!stderr(&mut command).contains("hunter2"));
    let world = World::new();
    let mut command = world.qt("store ls");
    fails(&mut command, 2, &["no ClickHouse is configured", "hint: `clickhouse_url` in qt.toml"]);
    let mut command = world.qt("replay --input clickhouse://localhost:8123/default");
    fails(&mut command, 2, &["`default` is everybody's"]);
    let world = world.with("secret", "hunter2\n");
    let file = world.path().join("secret");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let mut command = world.qt("store ls");
    command.env("QT_CLICKHOUSE_URL", "http://127.0.0.1:1/q");
    command.env("QT_CLICKHOUSE_PASSWORD_FILE", &file);
    fails(&mut command, 2, &["others can read", "hint: chmod 600"]);
}
