//! One test for each code a command can end with; signals have their own file.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::process::Stdio;

use predicates::prelude::*;
use predicates::str::{contains, is_empty, starts_with};

use super::{World, qt};

#[test]
fn done_is_0_and_quiet() {
    qt("drill done").assert().code(0).stdout(is_empty()).stderr(is_empty());
}

#[test]
fn the_answer_no_is_1_and_quiet() {
    qt("drill no").assert().code(1).stdout(is_empty()).stderr(is_empty());
}

#[test]
fn wrong_usage_is_2() {
    qt("drill usage").assert().code(2).stderr("qt: a drill of wrong usage\nhint: none needed\n");
    qt("drill").assert().code(2);
    qt("config").assert().code(2);
    qt("-C /nowhere drill done").assert().code(2).stderr(starts_with("qt: -C /nowhere: "));
}

#[test]
fn no_arguments_print_help_on_stderr_and_exit_2() {
    qt("").assert().code(2).stdout(is_empty()).stderr(contains("Usage: qt"));
}

#[test]
fn bad_input_is_3() {
    qt("drill input").assert().code(3).stderr("qt: a drill of bad input\n");
}

#[test]
fn trouble_outside_is_4() {
    qt("drill outside").assert().code(4).stderr("qt: a drill of trouble outside\n");
}

#[test]
fn a_full_disk_is_4_even_if_the_command_does_not_look() {
    for args in ["config show", "drill unflushed"] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let ended = World::new().std(args).stdout(full).output().unwrap();
        assert_eq!(ended.status.code(), Some(4));
        let expected = starts_with("qt: writing to standard output: No space left");
        assert!(expected.eval(&String::from_utf8(ended.stderr).unwrap()));
    }
}

#[test]
fn a_directory_that_cannot_be_written_is_4() {
    let world = World::new().with("file", "in the way");
    let failed = world.qt("man --to file/pages").assert().code(4);
    failed.stderr(starts_with("qt: writing file/pages/qt.1: "));
}

#[test]
fn unfinished_work_is_5() {
    qt("drill incomplete").assert().code(5).stderr(is_empty());
}

#[test]
fn a_bug_is_70_and_asks_for_a_report() {
    for drill in ["drill bug", "drill bug-in-thread"] {
        let report = starts_with("qt: bug: a drill (at cmd/drill.rs:").and(contains("report it"));
        qt(drill).assert().code(70).stdout(is_empty()).stderr(report);
    }
}

#[test]
fn a_closed_pipe_is_a_quiet_success() {
    let mut child = World::new()
        .std("drill copy")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    // More than any pipe holds; the child may stop reading at any moment.
    let _ = child.stdin.take().unwrap().write_all(&vec![b'x'; 1 << 20]);
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""));
}

#[test]
fn help_and_version_go_to_stdout_and_never_fail() {
    let world = World::new().with("qt.toml", "this is not TOML");
    for args in ["--help", "-h", "help", "help config", "config show --help", "help config check"] {
        world.qt(args).assert().code(0).stdout(contains("Usage: qt")).stderr(is_empty());
    }
    let version = concat!("qt ", env!("CARGO_PKG_VERSION"), "\n");
    qt("--version").assert().code(0).stdout(version);
}
