//! How a recorder is, and since when.

use std::sync::{Mutex, PoisonError};

use qt_model::time::Ts;

use super::counters::{QUEUED_FRAMES_MAX, Snapshot};

/// The condition of a recorder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing is written any more.
    Error,
    /// No connection stands.
    Offline,
    /// The queue is nearly full, or something was dropped.
    Degraded,
    Ready,
}

/// Since when a recorder is in its condition.
#[derive(Debug, Default)]
pub struct Condition(Mutex<Option<(State, Ts)>>);

impl Condition {
    /// Looks at a recorder; its condition and since when that holds.
    pub fn look(&self, seen: &Snapshot, now: Ts) -> (State, Ts) {
        let state = State::of(seen, QUEUED_FRAMES_MAX as u64);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match *known {
            Some(held) if held.0 == state => held,
            _ => *known.insert((state, now)),
        }
    }
}

impl State {
    pub const ALL: [Self; 4] = [Self::Error, Self::Offline, Self::Degraded, Self::Ready];

    pub fn of(seen: &Snapshot, queue_max: u64) -> Self {
        let dropped = seen.dropped.iter().any(|(_, count)| *count > 0) || seen.frames_dropped > 0;
        match seen {
            seen if seen.writer_failed > 0 => Self::Error,
            seen if seen.connections == 0 => Self::Offline,
            seen if dropped || seen.queued_frames * 100 >= queue_max * 80 => Self::Degraded,
            _ => Self::Ready,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Offline => "offline",
            Self::Degraded => "degraded",
            Self::Ready => "ready",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorder_is_in_the_worst_state_that_holds() {
        let good = || Snapshot { connections: 1, ..Snapshot::default() };
        let check = |seen: Snapshot, expected| assert_eq!(State::of(&seen, 100), expected);
        check(good(), State::Ready);
        check(Snapshot { queued_frames: 79, ..good() }, State::Ready);
        check(Snapshot { queued_frames: 80, ..good() }, State::Degraded);
        check(Snapshot { frames_dropped: 1, ..good() }, State::Degraded);
        check(Snapshot { dropped: vec![("trade", 1)], ..good() }, State::Degraded);
        check(Snapshot { connections: 0, ..good() }, State::Offline);
        check(Snapshot { writer_failed: 1, ..good() }, State::Error);
    }

    #[test]
    fn a_condition_holds_since_it_began() {
        let at = |second: i64| Ts::from_nanos(second * 1_000_000_000);
        let condition = Condition::default();
        let online = Snapshot { connections: 1, ..Snapshot::default() };
        let offline = Snapshot::default();
        assert_eq!(condition.look(&offline, at(1)), (State::Offline, at(1)));
        assert_eq!(condition.look(&offline, at(5)), (State::Offline, at(1)));
        assert_eq!(condition.look(&online, at(7)), (State::Ready, at(7)));
    }
}
