//! The first signal asks to stop and is heeded in order, the second aborts.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::World;

struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Running {
    fn start(args: &str) -> Self {
        let mut child = World::new()
            .std(args)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdout }
    }

    fn expect(&mut self, expected: &str) {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        assert_eq!(line.trim_end(), expected);
    }

    fn send(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// The rest of its output and its exit code.
    fn end(mut self) -> (String, Option<i32>) {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        (rest, self.child.wait().unwrap().code())
    }
}

#[test]
fn after_a_signal_a_command_drains_and_ends_with_130_or_143() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let mut running = Running::start("drill wait");
        running.expect("ready");
        running.send(signal);
        assert_eq!(running.end(), ("drained\n".to_owned(), Some(code)));
    }
}

#[test]
fn the_second_signal_of_either_kind_aborts_at_once() {
    for (first, second, code) in [(Signal::INT, Signal::INT, 130), (Signal::INT, Signal::TERM, 143)]
    {
        let mut running = Running::start("drill stubborn");
        running.expect("ready");
        running.send(first);
        running.expect("asked");
        running.send(second);
        assert_eq!(running.end(), (String::new(), Some(code)));
    }
}

#[test]
fn a_signal_ends_the_wait_for_standard_input() {
    let mut running = Running::start("drill copy-lines");
    std::io::Write::write_all(running.child.stdin.as_mut().unwrap(), b"ready\n").unwrap();
    running.expect("ready");
    // The pipe to its standard input stays open: without the signal it would wait for ever.
    running.send(Signal::INT);
    assert_eq!(running.end(), (String::new(), Some(130)));
}
