//! A child process that answers each line with a line, in time.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

/// A longer answer is nonsense.
const LINE_MAX: u64 = 1 << 20;

/// What goes wrong with a strategy process.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProcessError {
    #[error("{command}: cannot be started: {message}")]
    Start { command: String, message: String },
    #[error("{command}: ended ({status}) where an answer to message {message} was expected")]
    Died { command: String, status: String, message: u64 },
    #[error("{command}: no answer to message {message} within {limit_ms} ms")]
    Stalled { command: String, message: u64, limit_ms: u128 },
    #[error("{command}: the answer to message {message} is longer than a megabyte")]
    Flood { command: String, message: u64 },
    #[error("{command}: the answer to message {message} makes no sense: {reason}: `{answer}`")]
    Nonsense { command: String, message: u64, reason: String, answer: String },
}

/// See the module. Dropping it ends the process.
#[derive(Debug)]
pub(super) struct Partner {
    command: String,
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<Result<String, ()>>,
    limit: Duration,
    messages: u64,
}

impl Partner {
    pub(super) fn start(
        command: &[String],
        folder: Option<&Path>,
        limit: Duration,
    ) -> Result<Self, ProcessError> {
        let text = command.join(" ");
        let fail = |message: String| ProcessError::Start { command: text.clone(), message };
        let (program, args) = command.split_first().ok_or_else(|| fail("no command".to_owned()))?;
        // Its complaints go where ours go.
        let mut program = Command::new(program);
        if let Some(folder) = folder {
            program.current_dir(folder);
        }
        let mut child = program
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(|error| fail(error.to_string()))?;
        let output = child.stdout.take().expect("its output is a pipe");
        let input = child.stdin.take();
        // One answer waits at most: who sends more than was asked fills a pipe, not our memory.
        let (sender, lines) = sync_channel(1);
        std::thread::spawn(move || {
            let mut output = BufReader::new(output);
            loop {
                let mut line = String::new();
                let read = output.by_ref().take(LINE_MAX).read_line(&mut line);
                let line = match read {
                    Ok(0) | Err(_) => return,
                    Ok(_) if !line.ends_with('\n') && line.len() as u64 == LINE_MAX => Err(()),
                    Ok(_) => Ok(line),
                };
                let is_over = line.is_err();
                if sender.send(line).is_err() || is_over {
                    return;
                }
            }
        });
        Ok(Self { command: text, child, input, lines, limit, messages: 0 })
    }

    pub(super) fn nonsense(&self, reason: impl ToString, answer: &str) -> ProcessError {
        ProcessError::Nonsense {
            command: self.command.clone(),
            message: self.messages,
            reason: reason.to_string(),
            answer: answer.trim_end().chars().take(200).collect(),
        }
    }

    /// Sends a line and waits for the answer.
    pub(super) fn ask(&mut self, line: &[u8]) -> Result<String, ProcessError> {
        self.tell(line)?;
        let (command, message) = (self.command.clone(), self.messages);
        match self.lines.recv_timeout(self.limit) {
            Ok(Ok(line)) => Ok(line),
            Ok(Err(())) => Err(ProcessError::Flood { command, message }),
            Err(RecvTimeoutError::Timeout) => {
                let limit_ms = self.limit.as_millis();
                Err(ProcessError::Stalled { command, message, limit_ms })
            }
            Err(RecvTimeoutError::Disconnected) => Err(self.died()),
        }
    }

    /// Sends a line that needs no answer.
    pub(super) fn tell(&mut self, line: &[u8]) -> Result<(), ProcessError> {
        self.messages += 1;
        let sent = self.input.as_mut().map(|input| {
            input.write_all(line).and_then(|()| input.write_all(b"\n")).and_then(|()| input.flush())
        });
        match sent {
            Some(Ok(())) => Ok(()),
            Some(Err(_)) | None => Err(self.died()),
        }
    }

    fn died(&mut self) -> ProcessError {
        self.input = None;
        let status = match self.child.wait() {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        ProcessError::Died { command: self.command.clone(), status, message: self.messages }
    }
}

impl Drop for Partner {
    fn drop(&mut self) {
        // Its input ends, which a sound process takes as the end; others are ended.
        self.input = None;
        for _ in 0..20 {
            if let Ok(Some(_)) = self.child.try_wait() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
