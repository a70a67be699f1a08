//! The grade of a day, from its windows.

use qt_model::words::Grade;

use super::window::{Graded, Reason, WindowFacts, grade_window};

/// The grade of a day with the counts it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayGrade {
    pub graded: Graded,
    pub complete: u64,
    pub partial: u64,
    pub dropped: u64,
}

const BAD_WINDOWS_BAD: u64 = 3;
const DEGRADED_WINDOWS_DEGRADED: u64 = 10;
const DROPPED_BAD: u64 = 100_000;
const OFFLINE_BAD: u64 = 3_600;
const OFFLINE_DEGRADED: u64 = 900;
const COMPLETE_ENOUGH: u64 = 80;

/// Grades a day by its complete windows; partial ones only tell that something is missing.
pub fn grade_day(windows: &[WindowFacts]) -> DayGrade {
    let (mut bad, mut degraded, mut complete, mut dropped, mut offline) = (0, 0, 0_u64, 0, 0);
    for window in windows.iter().filter(|window| !window.is_partial) {
        complete += 1;
        dropped += window.dropped;
        offline += window.venues.first().map_or(0, |primary| primary.offline_seconds);
        match grade_window(window).grade {
            Grade::Bad => bad += 1,
            Grade::Degraded => degraded += 1,
            Grade::Good | Grade::Partial => {}
        }
    }
    let partial = windows.len() as u64 - complete;
    let mut reasons = Vec::new();
    let mut note = |holds: bool, reason| {
        if holds {
            reasons.push(reason);
        }
        holds
    };
    let is_bad = [
        note(bad >= BAD_WINDOWS_BAD, Reason::BadWindows(bad)),
        note(dropped > DROPPED_BAD, Reason::Dropped(dropped)),
        note(offline > OFFLINE_BAD, Reason::PrimaryOffline(offline)),
    ];
    let is_degraded = !is_bad.contains(&true)
        && [
            note(bad >= 1, Reason::BadWindows(bad)),
            note(degraded >= DEGRADED_WINDOWS_DEGRADED, Reason::DegradedWindows(degraded)),
            note(offline > OFFLINE_DEGRADED, Reason::PrimaryOffline(offline)),
        ]
        .contains(&true);
    let is_partial = partial > 0 && complete < COMPLETE_ENOUGH;
    let is_partial = note(is_partial, Reason::Incomplete(complete));
    let grade = match (is_bad.contains(&true), is_degraded, is_partial) {
        (true, ..) => Grade::Bad,
        (false, true, _) => Grade::Degraded,
        (false, false, true) => Grade::Partial,
        (false, false, false) => Grade::Good,
    };
    DayGrade { graded: Graded { grade, reasons }, complete, partial, dropped }
}

#[cfg(test)]
mod tests {
    use super::super::window::VenueFacts;
    use super::*;

    fn window() -> WindowFacts {
        WindowFacts { venues: vec![VenueFacts::default()], ..WindowFacts::default() }
    }

    fn bad() -> WindowFacts {
        WindowFacts { queue_peak_percent: 90, ..window() }
    }

    fn degraded() -> WindowFacts {
        WindowFacts { reconnects: 5, ..window() }
    }

    fn offline(seconds: u64) -> WindowFacts {
        let venues = vec![VenueFacts { offline_seconds: seconds, ..VenueFacts::default() }];
        WindowFacts { venues, ..window() }
    }

    fn partial() -> WindowFacts {
        WindowFacts { is_partial: true, ..window() }
    }

    #[track_caller]
    fn check(special: &[(u64, WindowFacts)], expected: Grade) {
        let mut windows = Vec::new();
        for (count, window) in special {
            windows.extend((0..*count).map(|_| window.clone()));
        }
        windows.resize_with(windows.len().max(96), window);
        let graded = grade_day(&windows).graded;
        assert_eq!(graded.grade, expected, "{:?}", graded.reasons);
    }

    #[test]
    fn days_change_their_grade_where_the_rules_say() {
        check(&[], Grade::Good);
        check(&[(1, bad())], Grade::Degraded);
        check(&[(2, bad())], Grade::Degraded);
        check(&[(3, bad())], Grade::Bad);
        check(&[(9, degraded())], Grade::Good);
        check(&[(10, degraded())], Grade::Degraded);
        check(&[(1, WindowFacts { dropped: 100_000, ..window() })], Grade::Degraded);
        check(&[(1, WindowFacts { dropped: 100_001, ..window() })], Grade::Bad);
        check(&[(5, offline(180))], Grade::Good);
        check(&[(5, offline(180)), (1, offline(1))], Grade::Degraded);
        check(&[(20, offline(180))], Grade::Degraded);
        check(&[(20, offline(180)), (1, offline(1))], Grade::Bad);
    }

    #[test]
    fn a_day_with_holes_is_partial_unless_it_is_nearly_whole() {
        check(&[(1, partial())], Grade::Good);
        check(&[(16, partial())], Grade::Good);
        check(&[(17, partial())], Grade::Partial);
        check(&[(17, partial()), (1, bad())], Grade::Degraded);
        check(&[(17, partial()), (3, bad())], Grade::Bad);
    }

    #[test]
    fn partial_windows_do_not_count_against_a_day() {
        check(&[(3, WindowFacts { is_partial: true, ..bad() })], Grade::Good);
        assert_eq!(grade_day(&[]).graded.grade, Grade::Good);
    }
}
