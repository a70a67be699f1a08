//! Global and stream flags, and what the frame suggests when one is misspelt.

use predicates::str::contains;

use super::{World, qt, stdout};

#[test]
fn a_misspelt_word_suggests_the_right_one() {
    let check = |args: &str, tip: &str| {
        qt(args).assert().code(2).stderr(contains(format!("'{tip}'")));
    };
    check("confg", "config");
    check("config shwo", "show");
    check("config show --orign", "--origin");
    check("config show --colour never", "--color");
    check("completions bsh", "bash");
    check("drill flags --output arow", "arrow");
    let answer = qt("man config chek").assert().code(2);
    answer.stderr("qt: `qt config` has no command `chek`\nhint: did you mean `qt config check`?\n");
}

/// The line of `drill flags` that starts with `subject`.
fn check(args: &str, subject: &str, expected: &str) {
    let said = stdout(&mut qt(&format!("drill flags {args}")));
    let line = said.lines().find_map(|line| line.strip_prefix(subject)).unwrap();
    assert_eq!(line.trim(), expected, "{args}");
}

#[test]
fn stream_flags_win_over_settings() {
    check("", "output", "Ndjson");
    check("-o arrow", "output", "Arrow");
    check("--output table", "output", "Table");
    check("--ordering warn", "ordering", "Warn");
    check("--warn", "ordering", "Warn");
    check("--strict", "ordering", "Strict");
    check("-i a b --limit 3", "input", r#"["a", "b"]"#);
    check("--limit 3", "limit", "Some(3)");
    check("--verify", "truncated", "false, verify true");
    check("--out x.parquet", "file", r#"Some("x.parquet")"#);
    check("--out -", "file", "None");
}

#[test]
fn bad_records_go_where_the_flags_say() {
    check("", "bad records", "Fail");
    check("--on-error skip", "bad records", "Skip");
    check("--quarantine bad.ndjson", "bad records", r#"Quarantine("bad.ndjson")"#);
    check("--on-error quarantine --quarantine b", "bad records", r#"Quarantine("b")"#);
    qt("drill flags --on-error quarantine")
        .assert()
        .code(2)
        .stderr(contains("--quarantine <FILE>"));
    let refusal = contains("`--quarantine` needs `--on-error quarantine`");
    qt("drill flags --on-error skip --quarantine b").assert().code(2).stderr(refusal);
}

#[test]
fn a_directory_is_entered_before_anything_is_read() {
    let world = World::new().with("sub/qt.toml", "data = 'there'");
    let said = stdout(&mut world.qt("-C sub config show"));
    assert!(said.starts_with("data = \"there\"\n"), "{said}");
}

#[test]
fn quiet_hushes_notes_but_not_warnings() {
    let world = World::new().with("good.toml", "");
    world.qt("config check good.toml").assert().code(0).stderr("qt: the file is sound\n");
    world.qt("config check good.toml -q").assert().code(0).stderr("");
    let near = "qt: warning: QT_STREM is not a variable of qt; did you mean QT_STREAM?\n";
    qt("drill done -q").env("QT_STREM", "arrow").assert().code(0).stderr(near);
    qt("drill done").env("QT_QPA_PLATFORM", "xcb").assert().code(0).stderr("");
    qt("drill done -q -v").assert().code(2);
}
