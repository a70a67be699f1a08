//! The grades of the days of each venue, from quarter hours of what its records show: what a
//! recorder's ledger would say of data that came without one.

use std::collections::BTreeMap;

use qt_model::record::Gap;
use qt_model::time::{Date, Ts};
use qt_model::words::GapReason;

use crate::calendar::Calendar;
use crate::quality::{DayGrade, VenueFacts, WINDOW_NANOS, WindowFacts, grade_day};

/// Longer without a record of the venue, in open hours, it counts as offline.
const OFFLINE_NANOS: i64 = 60 * 1_000_000_000;

/// A day of a venue, graded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    pub venue: String,
    pub date: Date,
    pub grade: DayGrade,
}

/// What the days of one venue showed so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Days {
    first: Option<Ts>,
    last: Option<Ts>,
    windows: BTreeMap<i64, Window>,
    /// The window of the last record, as its two ends.
    at: (i64, i64),
}

#[derive(Clone, Copy, Debug, Default)]
struct Window {
    dropped: u64,
    offline_ns: i64,
    reconnects: u64,
}

fn window_of(ts: Ts) -> i64 {
    ts.nanos().div_euclid(WINDOW_NANOS)
}

impl Days {
    #[inline]
    pub(super) fn see(&mut self, ts: Ts, calendar: &Calendar) {
        match self.last {
            Some(last) if ts.nanos() - last.nanos() > OFFLINE_NANOS => {
                self.offline(last, ts, calendar);
            }
            Some(_) => {}
            None => self.first = Some(ts),
        }
        self.last = Some(self.last.map_or(ts, |last| last.max(ts)));
        if ts.nanos() < self.at.0 || ts.nanos() >= self.at.1 {
            let number = window_of(ts);
            self.windows.entry(number).or_default();
            self.at = (number * WINDOW_NANOS, (number + 1) * WINDOW_NANOS);
        }
    }

    /// From when to when a record lies in the window of the last one, and not offline from it.
    #[inline]
    pub(super) fn calm(&self) -> (i64, i64) {
        let online = self.last.map_or(i64::MIN, |last| last.nanos().saturating_add(OFFLINE_NANOS));
        (self.at.0, self.at.1.min(online))
    }

    /// Takes the last of records that lie in that window without a silence between them.
    pub(super) fn saw(&mut self, ts: Ts) {
        self.last = self.last.max(Some(ts));
    }

    pub(super) fn gap(&mut self, row: &Gap) {
        let window = self.windows.entry(window_of(row.head.ts_recv)).or_default();
        match row.reason {
            GapReason::Disconnect => window.reconnects += 1,
            // What was never recorded was not lost.
            GapReason::NotRecorded | GapReason::NoSnapshot => {}
            GapReason::Sequence | GapReason::Overload | GapReason::Corrupt => {
                window.dropped += row.missing.unwrap_or(1);
            }
        }
    }

    /// Shares a stretch without records out among the windows that it touches.
    fn offline(&mut self, from: Ts, to: Ts, calendar: &Calendar) {
        if calendar.open_ns(from, to) <= OFFLINE_NANOS {
            return;
        }
        for window in window_of(from)..=window_of(to) {
            let start = Ts::from_nanos(window * WINDOW_NANOS).max(from);
            let end = Ts::from_nanos((window + 1) * WINDOW_NANOS).min(to);
            let open = calendar.open_ns(start, end);
            if open > 0 {
                self.windows.entry(window).or_default().offline_ns += open;
            }
        }
    }

    /// The grade of each day.
    pub(super) fn grades(&self, venue: &str, calendar: &Calendar) -> Vec<Day> {
        let (Some(first), Some(last)) = (self.first, self.last) else { return Vec::new() };
        let mut days: BTreeMap<Date, Vec<WindowFacts>> = BTreeMap::new();
        for (number, window) in &self.windows {
            let start = Ts::from_nanos(number * WINDOW_NANOS);
            let end = Ts::from_nanos((number + 1) * WINDOW_NANOS);
            // Open hours before the first record or after the last one were not seen.
            let unseen = calendar.open_ns(start, first.clamp(start, end))
                + calendar.open_ns(last.clamp(start, end), end);
            let offline_seconds = window.offline_ns / 1_000_000_000;
            let venue = VenueFacts {
                offline_seconds: u64::try_from(offline_seconds).unwrap_or(0),
                events_per_second_min: 0,
            };
            days.entry(start.date()).or_default().push(WindowFacts {
                is_partial: unseen > OFFLINE_NANOS,
                dropped: window.dropped,
                reconnects: window.reconnects,
                venues: vec![venue],
                ..WindowFacts::default()
            });
        }
        let day = |(date, windows): (Date, Vec<WindowFacts>)| Day {
            venue: venue.to_owned(),
            date,
            grade: grade_day(&windows),
        };
        days.into_iter().map(day).collect()
    }
}

#[cfg(test)]
mod tests {
    use qt_model::record::Head;
    use qt_model::words::Grade;

    use super::*;

    /// A day with a record every ten seconds, but for one silence.
    fn day(silence: std::ops::Range<i64>) -> Days {
        let mut days = Days::default();
        for second in (0..86_400).step_by(10).filter(|second| !silence.contains(second)) {
            days.see(Ts::from_nanos(second * 1_000_000_000), &Calendar::default());
        }
        days
    }

    fn grade(days: &Days) -> Grade {
        let [day] = &days.grades("x", &Calendar::default())[..] else { panic!("one day") };
        day.grade.graded.grade
    }

    #[test]
    fn silences_grade_a_day() {
        assert_eq!(grade(&day(0..0)), Grade::Good);
        assert_eq!(grade(&day(3_600..4_600)), Grade::Degraded);
        assert_eq!(grade(&day(3_600..7_210)), Grade::Bad);
        assert_eq!(grade(&day(10..79_000)), Grade::Bad);
    }

    #[test]
    fn a_part_of_a_day_is_partial_and_losses_are_bad() {
        let mut morning = Days::default();
        for second in (400..20_000).step_by(10) {
            morning.see(Ts::from_nanos(second * 1_000_000_000), &Calendar::default());
        }
        assert_eq!(grade(&morning), Grade::Partial);
        let mut lossy = day(0..0);
        for hour in 1..4 {
            let ts = Ts::from_nanos(hour * 3_600_000_000_000);
            let head = Head::new(ts, ts, 0, None);
            let reason = GapReason::Sequence;
            lossy.gap(&Gap { head, from: ts, to: ts, reason, missing: None });
        }
        assert_eq!(grade(&lossy), Grade::Bad, "three windows that lost something");
    }

    #[test]
    fn closed_hours_are_not_offline() {
        let hours = |hour: i64| Ts::from_nanos(hour * 3_600_000_000_000);
        let calendar = Calendar::new(vec![(hours(0), hours(8)), (hours(16), hours(24))]);
        let mut days = Days::default();
        for second in (0..86_400).step_by(10).filter(|second| !(28_800..57_600).contains(second)) {
            days.see(Ts::from_nanos(second * 1_000_000_000), &calendar);
        }
        let grades = days.grades("x", &calendar);
        assert_eq!(grades[0].grade.graded.grade, Grade::Good, "{grades:?}");
    }
}
