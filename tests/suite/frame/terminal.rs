//! What is shown on a terminal, and what is not shown anywhere else.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::process::{Child, Stdio};

use predicates::prelude::*;
use predicates::str::contains;
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::{World, stderr, stdout};

const ESCAPE: char = '\x1b';

/// A terminal: the side we read from, and the side a program writes to.
fn terminal() -> (File, File) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap();
    let path = std::ffi::OsStr::from_bytes(name.as_bytes());
    (File::from(ours), OpenOptions::new().read(true).write(true).open(path).unwrap())
}

/// Reads until the text has appeared or the last writer has gone.
fn read_until(terminal: &mut File, text: &str) -> String {
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    // A terminal without writers answers with an error, not with an end.
    while let Ok(count @ 1..) = terminal.read(&mut buffer) {
        seen.extend_from_slice(&buffer[..count]);
        if !text.is_empty() && String::from_utf8_lossy(&seen).contains(text) {
            break;
        }
    }
    String::from_utf8_lossy(&seen).into_owned()
}

/// What a command shows on a terminal that has both its outputs.
fn on_terminal(args: &str, environment: &[(&str, &str)]) -> String {
    let (mut ours, theirs) = terminal();
    let world = World::new();
    let mut command = world.std(args);
    command.env("TERM", "xterm").envs(environment.iter().copied());
    command.stdout(theirs.try_clone().unwrap()).stderr(theirs);
    let mut child = command.spawn().unwrap();
    // The builder holds our copies of the terminal's other side.
    drop(command);
    let seen = read_until(&mut ours, "");
    child.wait().unwrap();
    seen
}

#[test]
fn colour_is_for_terminals_unless_asked_for() {
    let check = |shown: String, coloured: bool, case: &str| {
        assert_eq!(shown.contains(ESCAPE), coloured, "{case}: {shown:?}");
    };
    let pipe = |args, name: &str, value: &str| {
        let world = World::new();
        stderr(world.qt(args).env(name, value)) + &stdout(&mut world.qt("config show --origin"))
    };
    check(on_terminal("drill outside", &[]), true, "terminal");
    check(on_terminal("config show --origin", &[]), true, "terminal, data");
    check(on_terminal("--help", &[]), true, "terminal, help");
    check(on_terminal("drill outside", &[("NO_COLOR", "1")]), false, "NO_COLOR");
    check(on_terminal("--help", &[("NO_COLOR", "1")]), false, "NO_COLOR, help");
    check(on_terminal("drill outside", &[("TERM", "dumb")]), false, "dumb");
    check(on_terminal("drill outside --color never", &[]), false, "never");
    check(on_terminal("--help --color never", &[]), false, "never, help");
    check(on_terminal("drill outside", &[("QT_COLOR", "never")]), false, "QT_COLOR");
    check(pipe("drill outside", "X", ""), false, "pipe");
    check(pipe("drill outside", "CLICOLOR_FORCE", "1"), true, "CLICOLOR_FORCE");
    check(pipe("drill outside", "CLICOLOR_FORCE", "0"), false, "CLICOLOR_FORCE=0");
    check(pipe("drill outside --color always", "NO_COLOR", "1"), true, "a flag beats NO_COLOR");
}

struct Waiting {
    child: Child,
    terminal: File,
}

/// `drill wait` with standard error on a terminal and data in a pipe.
fn waiting(args: &str) -> Waiting {
    let (ours, theirs) = terminal();
    let world = World::new();
    let mut command = world.std(args);
    command.env("TERM", "xterm").stdout(Stdio::piped()).stderr(theirs).current_dir("/");
    let mut child = command.spawn().unwrap();
    let mut ready = [0; 6];
    child.stdout.as_mut().unwrap().read_exact(&mut ready).unwrap();
    Waiting { child, terminal: ours }
}

impl Waiting {
    fn stop(mut self) -> String {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
        let seen = read_until(&mut self.terminal, "");
        assert_eq!(self.child.wait().unwrap().code(), Some(130));
        seen
    }
}

#[test]
fn progress_is_shown_on_a_terminal() {
    let mut waiting = waiting("drill wait");
    assert!(read_until(&mut waiting.terminal, "records").contains("waiting"));
    waiting.stop();
}

#[test]
fn progress_is_silent_when_asked_to_be() {
    for args in ["drill wait --quiet", "drill wait --progress never"] {
        assert_eq!(waiting(args).stop(), "", "{args}");
    }
}

#[test]
fn progress_off_a_terminal_is_plain_lines_on_request() {
    let shown = |args: &str| {
        let mut child = World::new()
            .std(args)
            .current_dir("/")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdout.as_mut().unwrap().read_exact(&mut [0; 6]).unwrap();
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap()
    };
    assert_eq!(shown("drill wait"), "");
    let plain = contains("qt: waiting: ").and(contains(ESCAPE.to_string()).not());
    assert!(plain.eval(&shown("drill wait --progress always")));
}
