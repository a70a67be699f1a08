//! Records done, rate and time left, on standard error.
//!
//! A loop calls [`Progress::tick`] for every record: an addition and a comparison. The line itself is
//! touched about ten times a second whatever the rate, because the step between touches adapts. Where
//! standard error is no terminal and progress is asked for all the same, it is a plain line, at most
//! one in ten seconds, and one at the end.
//! Absent on purpose: a second thread.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::terminal::Talk;

const TOUCH: Duration = Duration::from_millis(100);
const PLAIN: Duration = Duration::from_secs(10);
const STEP_MAX: u64 = 1 << 20;

#[derive(Debug)]
pub(crate) struct Progress {
    done: u64,
    /// Count at which the line is touched next; never reached when there is no line.
    next: u64,
    line: Option<Line>,
}

#[derive(Debug)]
struct Line {
    bar: ProgressBar,
    /// Where plain lines go, if there is no terminal.
    plain: Option<Talk>,
    started: Instant,
    printed: Instant,
    step: u64,
    touched: Instant,
    /// Set when the data itself goes to the terminal, where a line would tear it.
    yields: Arc<AtomicBool>,
}

impl Progress {
    pub(crate) fn silent() -> Self {
        Self { done: 0, next: u64::MAX, line: None }
    }

    pub(crate) fn shown(
        talk: &Talk,
        label: &'static str,
        total: Option<u64>,
        yields: Arc<AtomicBool>,
    ) -> Self {
        let style = match total {
            Some(_) => "{msg} [{wide_bar}] {human_pos}/{human_len} {per_sec:.0} eta {eta}",
            None => "{msg} {human_pos} records {per_sec:.0} {elapsed}",
        };
        let style = ProgressStyle::with_template(style).expect("the templates are valid");
        let bar = total.map_or_else(ProgressBar::no_length, ProgressBar::new);
        let bar = talk.lines.add(bar).with_style(style.progress_chars("=> ")).with_message(label);
        let plain = (!io::stderr().is_terminal()).then(|| talk.clone());
        let now = Instant::now();
        let line = Line { bar, plain, started: now, printed: now, step: 1, touched: now, yields };
        Self { done: 0, next: 1, line: Some(line) }
    }

    /// Counts records as done.
    #[inline]
    pub(crate) fn tick(&mut self, records: u64) {
        self.done += records;
        if self.done >= self.next {
            self.touch();
        }
    }

    /// Clears the line. Dropping does the same.
    pub(crate) fn finish(self) {}

    #[cold]
    fn touch(&mut self) {
        let Some(line) = &mut self.line else {
            self.next = u64::MAX;
            return;
        };
        let elapsed = line.touched.elapsed();
        if elapsed < TOUCH / 2 {
            line.step = (line.step * 2).min(STEP_MAX);
        } else if elapsed > TOUCH * 2 {
            line.step = (line.step / 2).max(1);
        }
        line.touched = Instant::now();
        if line.plain.is_some() {
            if line.printed.elapsed() >= PLAIN {
                line.printed = line.touched;
                line.print(self.done);
            }
        } else if !line.yields.load(Ordering::Relaxed) {
            line.bar.set_position(self.done);
        }
        self.next = self.done + line.step;
    }
}

impl Line {
    fn print(&self, done: u64) {
        let Some(talk) = &self.plain else { return };
        let rate = done as f64 / self.started.elapsed().as_secs_f64().max(1e-9);
        let label = self.bar.message();
        talk.line(format_args!("qt: {label}: {done} records, {rate:.0}/s"));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(line) = &self.line {
            line.bar.finish_and_clear();
            line.print(self.done);
        }
    }
}
