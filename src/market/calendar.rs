//! When a market is open, as stretches of time. Zones and holidays are resolved by who makes one.

use qt_model::time::Ts;

/// Open hours in order, without overlap; none given is open always.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendar {
    sessions: Option<Vec<(Ts, Ts)>>,
}

impl Calendar {
    /// Takes sessions of any order; those that touch or overlap become one.
    pub fn new(mut sessions: Vec<(Ts, Ts)>) -> Self {
        sessions.retain(|(open, close)| open < close);
        sessions.sort_unstable();
        let mut joined: Vec<(Ts, Ts)> = Vec::with_capacity(sessions.len());
        for (open, close) in sessions {
            match joined.last_mut() {
                Some(last) if open <= last.1 => last.1 = last.1.max(close),
                _ => joined.push((open, close)),
            }
        }
        Self { sessions: Some(joined) }
    }

    /// The session that holds an instant; all of time where it is always open.
    pub fn session(&self, ts: Ts) -> Option<(Ts, Ts)> {
        let Some(sessions) = &self.sessions else { return Some((Ts::MIN, Ts::MAX)) };
        let after = sessions.partition_point(|(open, _)| *open <= ts);
        let last = *sessions.get(after.checked_sub(1)?)?;
        (ts < last.1).then_some(last)
    }

    /// The first session that opens at an instant or later.
    pub fn next_session(&self, ts: Ts) -> Option<(Ts, Ts)> {
        let sessions = self.sessions.as_ref()?;
        sessions.get(sessions.partition_point(|(open, _)| *open < ts)).copied()
    }

    /// When the session that holds an instant closes, else the next one.
    pub fn next_close(&self, ts: Ts) -> Option<Ts> {
        self.session(ts).or_else(|| self.next_session(ts)).map(|(_, close)| close)
    }

    /// How many sessions close after `from`, up to `to`; none where it is always open.
    pub fn closes_within(&self, from: Ts, to: Ts) -> usize {
        let Some(sessions) = &self.sessions else { return 0 };
        let closed_by = |ts: Ts| sessions.partition_point(|(_, close)| *close <= ts);
        closed_by(to).saturating_sub(closed_by(from))
    }

    /// Whether there are no hours at which it is closed.
    pub fn is_always_open(&self) -> bool {
        self.sessions.is_none()
    }

    pub fn is_open(&self, ts: Ts) -> bool {
        self.session(ts).is_some()
    }

    /// How much of a stretch is open, in nanoseconds.
    pub fn open_ns(&self, from: Ts, to: Ts) -> i64 {
        let length = |from: Ts, to: Ts| to.nanos().saturating_sub(from.nanos()).max(0);
        let Some(sessions) = &self.sessions else { return length(from, to) };
        let first = sessions.partition_point(|(_, close)| *close <= from);
        let inside = sessions[first..].iter().take_while(|(open, _)| *open < to);
        inside.map(|(open, close)| length((*open).max(from), (*close).min(to))).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ts(nanos: i64) -> Ts {
        Ts::from_nanos(nanos)
    }

    #[test]
    fn open_time_is_what_lies_in_sessions() {
        let calendar = Calendar::new(vec![(ts(20), ts(30)), (ts(0), ts(10)), (ts(5), ts(12))]);
        assert_eq!(calendar.open_ns(ts(-5), ts(100)), 22);
        assert_eq!(calendar.open_ns(ts(11), ts(21)), 2);
        assert_eq!(calendar.open_ns(ts(12), ts(20)), 0);
        assert!(calendar.is_open(ts(0)) && calendar.is_open(ts(11)) && !calendar.is_open(ts(12)));
        assert!(!calendar.is_open(ts(30)) && !calendar.is_open(ts(-1)));
        assert_eq!(calendar.session(ts(11)), Some((ts(0), ts(12))));
        assert_eq!((calendar.session(ts(12)), calendar.session(ts(-1))), (None, None));
        assert_eq!(calendar.next_session(ts(1)), Some((ts(20), ts(30))));
        assert_eq!(
            (calendar.next_session(ts(0)), calendar.next_session(ts(21))),
            (Some((ts(0), ts(12))), None)
        );
        assert_eq!(
            [11, 12, 29, 30].map(|at| calendar.next_close(ts(at))),
            [Some(ts(12)), Some(ts(30)), Some(ts(30)), None]
        );
        assert_eq!(calendar.closes_within(ts(0), ts(30)), 2);
        assert_eq!(calendar.closes_within(ts(12), ts(29)), 0);
        assert_eq!(Calendar::default().closes_within(ts(3), ts(9)), 0);
        assert_eq!(Calendar::default().session(ts(3)), Some((Ts::MIN, Ts::MAX)));
        assert_eq!(Calendar::default().open_ns(ts(3), ts(9)), 6);
        assert_eq!(Calendar::new(Vec::new()).open_ns(ts(3), ts(9)), 0);
    }
}
