//! The grade of a quarter of an hour.

use std::fmt;

use qt_model::words::Grade;

/// What a window saw of one venue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VenueFacts {
    pub offline_seconds: u64,
    /// Events in the quietest second.
    pub events_per_second_min: u64,
}

/// What a window saw, as far as its grade depends on it. The first venue is the primary one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WindowFacts {
    pub is_partial: bool,
    pub dropped: u64,
    /// The fullest that the queue was, in percent, rounded down.
    pub queue_peak_percent: u64,
    pub reconnects: u64,
    /// Seconds in which the queue was drained in a hurry.
    pub hurried_seconds: u64,
    pub venues: Vec<VenueFacts>,
}

/// A grade with what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graded {
    pub grade: Grade,
    pub reasons: Vec<Reason>,
}

/// Why a grade is not the best one, or is the best in spite of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    Dropped(u64),
    QueuePeak(u64),
    PrimaryOffline(u64),
    VenueOffline(u64),
    Hurried(u64),
    Reconnects(u64),
    /// It was degraded, and nothing that counts was touched.
    PrimaryUntouched,
    BadWindows(u64),
    DegradedWindows(u64),
    Incomplete(u64),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dropped(count) => write!(f, "{count} events dropped"),
            Self::QueuePeak(percent) => write!(f, "queue {percent} % full"),
            Self::PrimaryOffline(seconds) => write!(f, "primary venue offline for {seconds} s"),
            Self::VenueOffline(seconds) => write!(f, "a venue offline for {seconds} s"),
            Self::Hurried(seconds) => write!(f, "queue drained in a hurry for {seconds} s"),
            Self::Reconnects(count) => write!(f, "{count} reconnects"),
            Self::PrimaryUntouched => f.write_str("primary venue untouched"),
            Self::BadWindows(count) => write!(f, "{count} bad windows"),
            Self::DegradedWindows(count) => write!(f, "{count} degraded windows"),
            Self::Incomplete(count) => write!(f, "{count} complete windows"),
        }
    }
}

const QUEUE_BAD_PERCENT: u64 = 90;
const QUEUE_CALM_PERCENT: u64 = 50;
const PRIMARY_OFFLINE_BAD: u64 = 600;
const VENUE_OFFLINE_DEGRADED: u64 = 180;
const HURRIED_DEGRADED: u64 = 180;
const RECONNECTS_DEGRADED: u64 = 5;
const RATE_CALM: u64 = 100;

pub fn grade_window(facts: &WindowFacts) -> Graded {
    let primary = facts.venues.first().cloned().unwrap_or_default();
    let mut reasons = Vec::new();
    let mut note = |holds: bool, reason| {
        if holds {
            reasons.push(reason);
        }
        holds
    };
    let offline = primary.offline_seconds;
    let is_bad = [
        note(facts.dropped > 0, Reason::Dropped(facts.dropped)),
        note(
            facts.queue_peak_percent >= QUEUE_BAD_PERCENT,
            Reason::QueuePeak(facts.queue_peak_percent),
        ),
        note(offline > PRIMARY_OFFLINE_BAD, Reason::PrimaryOffline(offline)),
    ];
    let longest = facts.venues.iter().map(|venue| venue.offline_seconds).max().unwrap_or(0);
    let is_degraded = [
        note(longest > VENUE_OFFLINE_DEGRADED, Reason::VenueOffline(longest)),
        note(facts.hurried_seconds > HURRIED_DEGRADED, Reason::Hurried(facts.hurried_seconds)),
        note(facts.reconnects >= RECONNECTS_DEGRADED, Reason::Reconnects(facts.reconnects)),
    ];
    if is_bad.contains(&true) {
        return Graded { grade: Grade::Bad, reasons };
    }
    if !is_degraded.contains(&true) {
        return Graded { grade: Grade::Good, reasons };
    }
    let is_untouched = offline == 0
        && facts.queue_peak_percent < QUEUE_CALM_PERCENT
        && primary.events_per_second_min > RATE_CALM;
    if is_untouched {
        reasons.push(Reason::PrimaryUntouched);
        return Graded { grade: Grade::Good, reasons };
    }
    Graded { grade: Grade::Degraded, reasons }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One change to a quiet window in which another venue was away long enough to degrade it.
    #[track_caller]
    fn check(change: impl FnOnce(&mut WindowFacts), expected: Grade) {
        let quiet = VenueFacts { offline_seconds: 0, events_per_second_min: 50 };
        let mut facts = WindowFacts { venues: vec![quiet.clone(), quiet], ..Default::default() };
        change(&mut facts);
        let graded = grade_window(&facts);
        assert_eq!(graded.grade, expected, "{facts:?}: {:?}", graded.reasons);
    }

    #[test]
    fn windows_change_their_grade_where_the_rules_say() {
        check(|_| {}, Grade::Good);
        check(|facts| facts.dropped = 1, Grade::Bad);
        check(|facts| facts.queue_peak_percent = 89, Grade::Good);
        check(|facts| facts.queue_peak_percent = 90, Grade::Bad);
        check(|facts| facts.venues[0].offline_seconds = 180, Grade::Good);
        check(|facts| facts.venues[0].offline_seconds = 181, Grade::Degraded);
        check(|facts| facts.venues[0].offline_seconds = 600, Grade::Degraded);
        check(|facts| facts.venues[0].offline_seconds = 601, Grade::Bad);
        check(|facts| facts.venues[1].offline_seconds = 180, Grade::Good);
        check(|facts| facts.venues[1].offline_seconds = 900, Grade::Degraded);
        check(|facts| facts.hurried_seconds = 180, Grade::Good);
        check(|facts| facts.hurried_seconds = 181, Grade::Degraded);
        check(|facts| facts.reconnects = 4, Grade::Good);
        check(|facts| facts.reconnects = 5, Grade::Degraded);
    }

    #[test]
    fn trouble_that_missed_the_primary_venue_is_forgiven() {
        let busy = |facts: &mut WindowFacts| {
            facts.reconnects = 5;
            facts.venues[0].events_per_second_min = 101;
            facts.queue_peak_percent = 49;
        };
        check(busy, Grade::Good);
        let and = |more: fn(&mut WindowFacts)| {
            move |facts: &mut WindowFacts| {
                busy(facts);
                more(facts);
            }
        };
        check(and(|facts| facts.venues[0].events_per_second_min = 100), Grade::Degraded);
        check(and(|facts| facts.queue_peak_percent = 50), Grade::Degraded);
        check(and(|facts| facts.venues[0].offline_seconds = 1), Grade::Degraded);
        check(and(|facts| facts.venues[1].offline_seconds = 900), Grade::Good);
        check(and(|facts| facts.dropped = 1), Grade::Bad);
    }

    #[test]
    fn all_reasons_are_listed() {
        let venue = VenueFacts { offline_seconds: 601, events_per_second_min: 0 };
        let facts = WindowFacts { dropped: 3, venues: vec![venue], ..WindowFacts::default() };
        let reasons: Vec<String> =
            grade_window(&facts).reasons.iter().map(ToString::to_string).collect();
        assert_eq!(
            reasons,
            ["3 events dropped", "primary venue offline for 601 s", "a venue offline for 601 s"]
        );
    }
}
