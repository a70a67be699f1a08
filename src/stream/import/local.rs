//! Local times as instants.
//!
//! Invariants: a time that a change of clocks skipped is an error, never moved; of the two instants
//! that a repeated hour has, the first is meant until the times of the file run backward within
//! that hour, the second from then on.

use jiff::civil;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use qt_model::time::{DAY_NANOS, Date, Ts};

use crate::error::Problem;

/// A clock on a wall somewhere, read in the order of a file.
#[derive(Debug)]
pub(super) struct LocalClock {
    zone: TimeZone,
    day: Option<Day>,
    /// The last time in a repeated hour, and whether its second run has begun.
    repeated: Option<(i64, bool)>,
}

/// A day on which an offset from UTC is known to hold throughout, or not.
#[derive(Clone, Copy, Debug)]
struct Day {
    date: Date,
    midnight: Option<i64>,
}

impl LocalClock {
    /// By an IANA name, or a fixed offset such as `-05:00`.
    pub(super) fn new(zone: &str) -> Result<Self, Problem> {
        let found = match fixed(zone) {
            Some(seconds) => Offset::from_seconds(seconds).ok().map(TimeZone::fixed),
            None => TimeZone::get(zone).ok(),
        };
        let zone = found.ok_or_else(|| {
            let expected = "an IANA zone such as America/New_York, or an offset such as -05:00";
            Problem::field("zone", expected, zone.as_bytes())
        })?;
        Ok(Self { zone, day: None, repeated: None })
    }

    /// The instant of a day and a time on the clock, in nanoseconds from midnight.
    #[inline]
    pub(super) fn at(&mut self, date: Date, nanos: i64) -> Result<Ts, Problem> {
        if let Some(Day { date: known, midnight: Some(midnight) }) = self.day
            && known == date
            && let Some(ts) = midnight.checked_add(nanos)
        {
            return Ok(Ts::from_nanos(ts));
        }
        self.search(date, nanos)
    }

    #[cold]
    fn search(&mut self, date: Date, nanos: i64) -> Result<Ts, Problem> {
        if self.day.is_none_or(|day| day.date != date) {
            let midnight = self.plain_midnight(date);
            self.day = Some(Day { date, midnight });
            if midnight.is_some() {
                return self.at(date, nanos);
            }
        }
        let local = date.start().nanos().checked_add(nanos);
        let ts = local.and_then(|local| self.resolve(local)).ok_or_else(|| {
            let time = Ts::from_nanos(local.unwrap_or_default());
            let message = format!("the local time {time} was skipped when clocks went forward");
            Problem::Row { message: message.replace('Z', "") }
        })?;
        Ok(Ts::from_nanos(ts))
    }

    /// The instant of midnight, if the offset holds from then until the next.
    fn plain_midnight(&self, date: Date) -> Option<i64> {
        let start = self.offset(date.start().nanos())?;
        let end = self.offset(date.start().nanos() + DAY_NANOS)?;
        (start == end).then(|| date.start().nanos() - i64::from(start) * 1_000_000_000)
    }

    /// The offset at a local time, in seconds, where there is exactly one.
    fn offset(&self, local: i64) -> Option<i32> {
        match self.ambiguous(local)? {
            AmbiguousOffset::Unambiguous { offset } => Some(offset.seconds()),
            AmbiguousOffset::Gap { .. } | AmbiguousOffset::Fold { .. } => None,
        }
    }

    fn ambiguous(&self, local: i64) -> Option<AmbiguousOffset> {
        Some(self.zone.to_ambiguous_timestamp(civil_of(local)?).offset())
    }

    fn resolve(&mut self, local: i64) -> Option<i64> {
        let (offset, repeated) = match self.ambiguous(local)? {
            AmbiguousOffset::Unambiguous { offset } => (offset, None),
            AmbiguousOffset::Gap { .. } => return None,
            AmbiguousOffset::Fold { before, after } => {
                let is_second =
                    self.repeated.is_some_and(|(last, is_second)| is_second || local < last);
                (if is_second { after } else { before }, Some((local, is_second)))
            }
        };
        self.repeated = repeated;
        local.checked_sub(i64::from(offset.seconds()) * 1_000_000_000)
    }
}

fn civil_of(local: i64) -> Option<civil::DateTime> {
    let timestamp = jiff::Timestamp::from_nanosecond(i128::from(local)).ok()?;
    Some(Offset::UTC.to_datetime(timestamp))
}

/// The seconds of an offset such as `-05:00`, `+0530` or `UTC`.
fn fixed(zone: &str) -> Option<i32> {
    if matches!(zone, "UTC" | "Z" | "utc") {
        return Some(0);
    }
    let (sign, rest) = match zone.as_bytes() {
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let digits: Vec<u8> = rest.iter().copied().filter(|byte| *byte != b':').collect();
    if digits.len() != 4 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = |at: usize| i32::from(digits[at] - b'0') * 10 + i32::from(digits[at + 1] - b'0');
    (number(2) < 60).then(|| sign * (number(0) * 3600 + number(2) * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000_000_000;

    fn check(zone: &str, date: &str, halves: &[i64], expected: &[&str]) {
        let mut clock = LocalClock::new(zone).unwrap();
        let date = Date::parse(date).unwrap();
        let times = halves.iter().map(|half| clock.at(date, half * HOUR / 2));
        let found: Vec<_> =
            times.map(|ts| ts.map_or("skipped".to_owned(), |ts| ts.to_string())).collect();
        let found: Vec<_> = found.iter().map(|ts| ts.get(5..16).unwrap_or(ts)).collect();
        assert_eq!(found, expected, "{zone} {date}");
    }

    #[test]
    fn new_york_follows_daylight_saving() {
        check("America/New_York", "2012-06-21", &[0, 19], &["06-21T04:00", "06-21T13:30"]);
        check("America/New_York", "2012-01-04", &[0, 19], &["01-04T05:00", "01-04T14:30"]);
    }

    #[test]
    fn a_skipped_hour_is_an_error_and_the_day_goes_on() {
        let expected = ["03-10T06:30", "skipped", "skipped", "03-10T07:00"];
        check("America/New_York", "2013-03-10", &[3, 4, 5, 6], &expected);
    }

    #[test]
    fn a_repeated_hour_runs_twice_if_the_file_does() {
        let expected = ["11-03T05:00", "11-03T05:30", "11-03T06:00", "11-03T06:30", "11-03T07:00"];
        check("America/New_York", "2013-11-03", &[2, 3, 2, 3, 4], &expected);
        check("America/New_York", "2013-11-03", &[3, 4], &["11-03T05:30", "11-03T07:00"]);
    }

    #[test]
    fn fixed_offsets_know_no_summer() {
        check("-05:00", "2020-07-01", &[34], &["07-01T22:00"]);
        check("+0530", "2020-07-01", &[11], &["07-01T00:00"]);
        check("UTC", "2020-07-01", &[1], &["07-01T00:30"]);
        for zone in ["EST5", "America/Nowhere", "-5", "+05:61", ""] {
            assert!(LocalClock::new(zone).is_err(), "{zone}");
        }
    }
}
