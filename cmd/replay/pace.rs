//! The clock of a replay: as fast as possible, as it was, or a multiple of it.
//!
//! Pacing decides when a record is handed on, never which.

use std::thread;
use std::time::{Duration, Instant};

use qt_model::time::Ts;

use crate::shutdown::Shutdown;

/// A wait is cut into steps of this length, to hear a signal in between.
const STEP: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub(crate) struct Pace {
    /// Stream nanoseconds per nanosecond of ours; `None` is as fast as possible.
    factor: Option<f64>,
    start: Option<(Instant, Ts)>,
}

impl Pace {
    /// Reads `max`, `realtime`, or a factor such as `10x`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let factor = match text {
            "max" => None,
            "realtime" => Some(1.0),
            _ => {
                let factor: f64 = text.strip_suffix('x').unwrap_or(text).parse().ok()?;
                Some(factor).filter(|factor| factor.is_finite() && *factor > 0.0)?.into()
            }
        };
        Some(Self { factor, start: None })
    }

    pub(crate) fn is_free(&self) -> bool {
        self.factor.is_none()
    }

    /// How long a record of that time has to wait yet.
    pub(crate) fn wait(&mut self, ts: Ts) -> Option<Duration> {
        let factor = self.factor?;
        let now = Instant::now();
        let (began, first) = *self.start.get_or_insert((now, ts));
        let nanos = ts.since(first).max(0) as f64 / factor;
        // Over centuries the wait is as good as endless; a duration still has to hold it.
        let due = Duration::try_from_secs_f64(nanos / 1e9).unwrap_or(Duration::MAX);
        due.checked_sub(now.duration_since(began)).filter(|wait| !wait.is_zero())
    }
}

/// Sleeps, unless a signal asks to stop.
pub(crate) fn sleep(wait: Duration, shutdown: &Shutdown) {
    let end = Instant::now().checked_add(wait);
    while !shutdown.requested() {
        let left = end.map_or(STEP, |end| end.saturating_duration_since(Instant::now()));
        if left.is_zero() {
            return;
        }
        thread::sleep(left.min(STEP));
    }
}
