//! Hours of trading in a zone, as stretches of UTC.

use std::fmt;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use qt_market::calendar::Calendar;
use qt_model::time::Ts;
use qt_stream::parquet_file::Span;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::failure::Failure;
use crate::toml_text::{TomlText, describe};

/// One session a day, in a zone. One that closes at or before its opening ends on the next day.
#[derive(Clone, Debug)]
pub(crate) struct Hours {
    zone: TimeZone,
    open: Time,
    close: Time,
    days: Vec<Weekday>,
    holidays: Vec<Date>,
}

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

impl Hours {
    /// Reads a table of that name; complains about what it cannot read.
    pub(crate) fn read(text: &mut TomlText<'_>, name: &str, table: &DeTable<'_>) -> Option<Self> {
        let mut hours = Self {
            zone: TimeZone::UTC,
            open: Time::midnight(),
            close: Time::midnight(),
            days: DAYS.iter().map(|(_, day)| *day).collect(),
            holidays: Vec::new(),
        };
        let mut is_sound = true;
        for (key, value) in table {
            let taken = match key.get_ref().as_ref() {
                "zone" => word(value, |it| TimeZone::get(it).ok()).map(|it| hours.zone = it),
                "open" => word(value, |it| it.parse().ok()).map(|it| hours.open = it),
                "close" => word(value, |it| it.parse().ok()).map(|it| hours.close = it),
                "days" => words(value, day).map(|it| hours.days = it),
                "holidays" => words(value, |it| it.parse().ok()).map(|it| hours.holidays = it),
                _ => None,
            };
            if taken.is_none() {
                is_sound = false;
                let name = format!("{name}.{}", key.get_ref());
                let message = match expected(key.get_ref()) {
                    Some(expected) => {
                        format!("expected {expected}, found {}", describe(value.get_ref()))
                    }
                    None => "unknown key; expected zone, open, close, days or holidays".to_owned(),
                };
                text.complain(value.span().start, &name, message);
            }
        }
        is_sound.then_some(hours)
    }

    /// The sessions that touch a span; all of this century and the last half of the one before
    /// where the span is open.
    pub(crate) fn calendar(&self, span: Span) -> anyhow::Result<Calendar> {
        let day = |ts: Ts, open_ended: Ts, instead: Date| {
            if ts == open_ended { Some(instead) } else { ts.date().to_string().parse().ok() }
        };
        let years = "a calendar covers the years 1950 to 2100";
        let from = day(span.from, Ts::MIN, jiff::civil::date(1950, 1, 1));
        let to = day(span.to, Ts::MAX, jiff::civil::date(2100, 1, 1));
        let (Some(from), Some(to)) = (from, to) else { return Err(Failure::usage(years).into()) };
        let mut sessions = Vec::new();
        let mut date = from.yesterday()?;
        while date <= to {
            if self.days.contains(&date.weekday()) && !self.holidays.contains(&date) {
                sessions.push(self.session(date)?);
            }
            date = date.tomorrow()?;
        }
        Ok(Calendar::new(sessions))
    }

    fn session(&self, date: Date) -> anyhow::Result<(Ts, Ts)> {
        let last = if self.close <= self.open { date.tomorrow()? } else { date };
        let instant = |date: Date, time: Time| -> anyhow::Result<Ts> {
            // A time that a clock change skips or repeats is taken as the zone does: the later
            // and the earlier one.
            let zoned = date.to_datetime(time).to_zoned(self.zone.clone())?;
            Ok(Ts::from_nanos(i64::try_from(zoned.timestamp().as_nanosecond())?))
        };
        Ok((instant(date, self.open)?, instant(last, self.close)?))
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let zone = self.zone.iana_name().unwrap_or("UTC");
        let time = |time: Time| format!("{:02}:{:02}", time.hour(), time.minute());
        write!(f, "{} to {} {zone}", time(self.open), time(self.close))
    }
}

fn expected(key: &str) -> Option<&'static str> {
    match key {
        "zone" => Some("an IANA zone such as \"America/New_York\""),
        "open" | "close" => Some("a time of the day such as \"09:30\""),
        "days" => Some("days such as [\"mon\", \"tue\"]"),
        "holidays" => Some("days such as [\"2024-12-25\"]"),
        _ => None,
    }
}

fn day(text: &str) -> Option<Weekday> {
    DAYS.iter().find(|(name, _)| *name == text).map(|(_, day)| *day)
}

fn word<T>(value: &Spanned<DeValue<'_>>, read: impl Fn(&str) -> Option<T>) -> Option<T> {
    read(value.get_ref().as_str()?)
}

fn words<T>(value: &Spanned<DeValue<'_>>, read: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    value.get_ref().as_array()?.iter().map(|item| word(item, &read)).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn hours(text: &str) -> Hours {
        let mut toml = TomlText::parse(Path::new("rules.toml"), text);
        let table = toml.document();
        let hours = Hours::read(&mut toml, "calendar", &table);
        let problems = toml.problems();
        assert!(problems.is_empty(), "{problems:?}");
        hours.expect("it is sound")
    }

    fn ts(text: &str) -> Ts {
        Ts::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn sessions_follow_the_clocks_of_their_zone() {
        let text = "zone = \"America/New_York\"\nopen = \"09:30\"\nclose = \"16:00\"\n\
            days = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\"]\nholidays = [\"2024-03-29\"]";
        let span = Span { from: ts("2024-03-01T00:00:00Z"), to: ts("2024-04-01T00:00:00Z") };
        let calendar = hours(text).calendar(span).unwrap();
        // Clocks went forward on the tenth of March.
        assert!(!calendar.is_open(ts("2024-03-08T14:29:59Z")));
        assert!(calendar.is_open(ts("2024-03-08T14:30:00Z")));
        assert!(calendar.is_open(ts("2024-03-11T13:30:00Z")));
        assert!(!calendar.is_open(ts("2024-03-11T20:00:00Z")));
        assert!(!calendar.is_open(ts("2024-03-09T15:00:00Z")), "a Saturday");
        assert!(!calendar.is_open(ts("2024-03-29T15:00:00Z")), "a holiday");
    }

    #[test]
    fn a_session_can_pass_midnight() {
        let text = "zone = \"America/Chicago\"\nopen = \"17:00\"\nclose = \"16:00\"\n\
            days = [\"sun\", \"mon\", \"tue\", \"wed\", \"thu\"]";
        let span = Span { from: ts("2024-01-08T00:00:00Z"), to: ts("2024-01-09T00:00:00Z") };
        let calendar = hours(text).calendar(span).unwrap();
        assert!(calendar.is_open(ts("2024-01-08T00:00:00Z")), "since Sunday evening");
        assert!(!calendar.is_open(ts("2024-01-08T22:30:00Z")), "the hour of rest");
        assert!(calendar.is_open(ts("2024-01-08T23:00:00Z")));
    }
}
