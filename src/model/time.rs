//! Instants as nanoseconds since 1970-01-01T00:00:00Z, and their RFC 3339 text.
//!
//! Invariant: text has nine fractional digits and a `Z`, so that it sorts as it should. Absent on
//! purpose: the current time, zones and calendars (those come from above as values).

use std::fmt;

use crate::digits;

/// Nanoseconds since the epoch, UTC: the years 1677 to 2262.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ts(i64);

const NANOS: i64 = 1_000_000_000;
const DAY_SECONDS: i64 = 86_400;

/// Nanoseconds in a day.
pub const DAY_NANOS: i64 = DAY_SECONDS * NANOS;

/// The length of every text written here.
pub const TEXT_LEN: usize = 30;

/// Why a text is not an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TsError {
    #[error("expected RFC 3339 such as 2024-08-08T00:00:00.123456789Z, or integer nanoseconds")]
    Shape,
    #[error("a field of the date or time is out of range")]
    Range,
    #[error("the instant lies outside the years 1677 to 2262")]
    Overflow,
    #[error("the instant has digits below one nanosecond")]
    TooFine,
}

/// A calendar day, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    days: i32,
}

impl Ts {
    pub const MIN: Self = Self(i64::MIN);
    pub const MAX: Self = Self(i64::MAX);

    #[inline]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    #[inline]
    pub const fn nanos(self) -> i64 {
        self.0
    }

    #[inline]
    pub fn checked_add_nanos(self, nanos: i64) -> Option<Self> {
        self.0.checked_add(nanos).map(Self)
    }

    /// Nanoseconds from `earlier` to here; saturating, since both ends come from outside.
    #[inline]
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    pub fn date(self) -> Date {
        Date { days: self.0.div_euclid(DAY_NANOS) as i32 }
    }

    /// Parses RFC 3339 in any offset, or integer nanoseconds.
    pub fn parse(text: &[u8]) -> Result<Self, TsError> {
        if let Some(ts) = parse_own(text) {
            return Ok(ts);
        }
        if text.len() < 20 || text.get(4) != Some(&b'-') {
            let text = std::str::from_utf8(text).map_err(|_| TsError::Shape)?;
            return text.parse().map(Self).map_err(|_| TsError::Shape);
        }
        parse_rfc3339(text)
    }

    /// Appends the text.
    pub fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.text());
    }

    /// The text, always `TEXT_LEN` long.
    pub fn text(self) -> [u8; TEXT_LEN] {
        let mut text = *b"0000-00-00T00:00:00.000000000Z";
        let seconds = self.0.div_euclid(NANOS);
        let (year, month, day) = civil_from_days(seconds.div_euclid(DAY_SECONDS));
        let second = seconds.rem_euclid(DAY_SECONDS) as u32;
        put(&mut text[0..4], year as u32);
        put(&mut text[5..7], month);
        put(&mut text[8..10], day);
        put(&mut text[11..13], second / 3600);
        put(&mut text[14..16], second / 60 % 60);
        put(&mut text[17..19], second % 60);
        put(&mut text[20..29], self.0.rem_euclid(NANOS) as u32);
        text
    }
}

impl fmt::Display for Ts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.text();
        f.write_str(std::str::from_utf8(&text).expect("digits and punctuation are ASCII"))
    }
}

impl std::str::FromStr for Ts {
    type Err = TsError;

    fn from_str(text: &str) -> Result<Self, TsError> {
        Self::parse(text.as_bytes())
    }
}

impl Date {
    pub fn new(year: i32, month: u32, day: u32) -> Option<Self> {
        let valid = (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day);
        let in_range = (1678..=2261).contains(&year);
        (valid && in_range)
            .then(|| Self { days: days_from_civil(i64::from(year), month, day) as i32 })
    }

    /// The first instant of the day.
    pub fn start(self) -> Ts {
        Ts(i64::from(self.days) * DAY_NANOS)
    }

    pub fn plus_days(self, days: i32) -> Self {
        Self { days: self.days + days }
    }

    /// Parses `YYYY-MM-DD`.
    pub fn parse(text: &str) -> Result<Self, TsError> {
        let bytes = text.as_bytes();
        if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
            return Err(TsError::Shape);
        }
        let number = |range: std::ops::Range<usize>| take(&bytes[range]).ok_or(TsError::Shape);
        let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
        i32::try_from(year).ok().and_then(|year| Self::new(year, month, day)).ok_or(TsError::Range)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(i64::from(self.days));
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// Writes many instants: within one second only the fraction is rendered anew.
#[derive(Clone, Debug)]
pub struct TsWriter {
    /// When the second at hand begins.
    start: i64,
    text: [u8; TEXT_LEN],
}

impl Default for TsWriter {
    fn default() -> Self {
        Self { start: 0, text: Ts(0).text() }
    }
}

impl TsWriter {
    /// Puts the text of an instant there.
    #[inline]
    pub fn put(&mut self, ts: Ts, target: &mut [u8; TEXT_LEN]) {
        let mut nanos = ts.0.wrapping_sub(self.start);
        if !(0..NANOS).contains(&nanos) {
            nanos = self.turn(ts);
        }
        // The text kept is not written to: reading back what was just put there would have to wait.
        *target = self.text;
        put_nine(target, nanos as u32);
    }

    /// Takes another second as the one at hand; how far the instant lies behind its beginning.
    #[cold]
    fn turn(&mut self, ts: Ts) -> i64 {
        let nanos = ts.0.rem_euclid(NANOS);
        // The very first second begins before the first instant there is, and wraps to the last
        // ones: near the end of time nothing is taken over.
        let start = ts.0.wrapping_sub(nanos);
        let minute = |start: i64| start.div_euclid(60 * NANOS);
        if minute(start) == minute(self.start) && start < i64::MAX - 120 * NANOS {
            put(&mut self.text[17..19], start.div_euclid(NANOS).rem_euclid(60) as u32);
        } else {
            self.text = ts.text();
        }
        self.start = start;
        nanos
    }
}

/// Parses many instants: within one minute only the seconds are parsed anew.
#[derive(Clone, Debug)]
pub struct TsReader {
    minute: [u8; 16],
    minute_start: i64,
}

impl Default for TsReader {
    fn default() -> Self {
        Self { minute: *b"1970-01-01T00:00", minute_start: 0 }
    }
}

impl TsReader {
    /// Parses a text in the shape that `TsWriter` gives; `None` for every other shape.
    #[inline]
    pub fn parse_own(&mut self, text: &[u8; TEXT_LEN]) -> Option<Ts> {
        let minute: &[u8; 16] = text[..16].try_into().expect("sixteen of thirty bytes");
        if *minute != self.minute {
            let start = parse_own_minute(minute)?;
            self.minute = *minute;
            self.minute_start = start;
        }
        if text[16] != b':' || text[19] != b'.' || text[29] != b'Z' {
            return None;
        }
        let second = take(&text[17..19])?;
        if second > 59 {
            return None;
        }
        let high = digits::take_eight(text[20..28].try_into().expect("eight bytes"))?;
        let last = text[28].wrapping_sub(b'0');
        if last > 9 {
            return None;
        }
        let nanos = i64::from(high) * 10 + i64::from(last);
        self.minute_start.checked_add(i64::from(second) * NANOS + nanos).map(Ts)
    }
}

fn parse_own(text: &[u8]) -> Option<Ts> {
    TsReader::default().parse_own(text.try_into().ok()?)
}

fn parse_own_minute(text: &[u8; 16]) -> Option<i64> {
    if text[4] != b'-' || text[7] != b'-' || text[10] != b'T' || text[13] != b':' {
        return None;
    }
    let year = i32::try_from(take(&text[0..4])?).ok()?;
    let date = Date::new(year, take(&text[5..7])?, take(&text[8..10])?)?;
    let (hour, minute) = (take(&text[11..13])?, take(&text[14..16])?);
    (hour < 24 && minute < 60).then(|| date.start().0 + i64::from(hour * 60 + minute) * 60 * NANOS)
}

/// The general form: any number of fractional digits, lower-case letters, a space for the `T`,
/// and offsets from UTC.
fn parse_rfc3339(text: &[u8]) -> Result<Ts, TsError> {
    let number = |from: usize, to: usize| {
        text.get(from..to).and_then(take).map(i64::from).ok_or(TsError::Shape)
    };
    let expect = |at: usize, allowed: &[u8]| match text.get(at) {
        Some(byte) if allowed.contains(byte) => Ok(()),
        Some(_) | None => Err(TsError::Shape),
    };
    for (at, allowed) in [(4, &b"-"[..]), (7, b"-"), (10, b"Tt "), (13, b":"), (16, b":")] {
        expect(at, allowed)?;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)? as u32, number(8, 10)? as u32);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if hour > 23 || minute > 59 || second > 59 || !(1..=12).contains(&month) {
        return Err(TsError::Range);
    }
    if !(1..=days_in_month(year as i32, month)).contains(&day) {
        return Err(TsError::Range);
    }
    let fraction_len = match text.get(19) {
        Some(b'.') => text[20..].iter().take_while(|byte| byte.is_ascii_digit()).count(),
        Some(_) | None => 0,
    };
    if text.get(19) == Some(&b'.') && fraction_len == 0 {
        return Err(TsError::Shape);
    }
    let zone_at = if fraction_len > 0 { 20 + fraction_len } else { 19 };
    let nanos = parse_fraction(&text[20.min(text.len())..zone_at.max(20).min(text.len())])?;
    let offset = parse_offset(&text[zone_at..])?;
    let seconds =
        days_from_civil(year, month, day) * DAY_SECONDS + hour * 3600 + minute * 60 + second
            - offset;
    // The first representable second begins before the first instant, so the sum decides alone.
    let instant = i128::from(seconds) * i128::from(NANOS) + i128::from(nanos);
    i64::try_from(instant).map(Ts).map_err(|_| TsError::Overflow)
}

fn parse_fraction(digits: &[u8]) -> Result<i64, TsError> {
    let (fine, beyond) = digits.split_at(digits.len().min(9));
    if beyond.iter().any(|byte| *byte != b'0') {
        return Err(TsError::TooFine);
    }
    let value = fine.iter().fold(0_i64, |sum, byte| sum * 10 + i64::from(byte - b'0'));
    Ok(value * 10_i64.pow(9 - fine.len() as u32))
}

fn parse_offset(text: &[u8]) -> Result<i64, TsError> {
    let (sign, rest) = match text {
        [b'Z' | b'z'] => return Ok(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return Err(TsError::Shape),
    };
    let (hours, minutes) = match rest {
        [_, _, b':', _, _] => (take(&rest[0..2]), take(&rest[3..5])),
        _ => return Err(TsError::Shape),
    };
    let (hours, minutes) = (hours.ok_or(TsError::Shape)?, minutes.ok_or(TsError::Shape)?);
    if hours > 23 || minutes > 59 {
        return Err(TsError::Range);
    }
    Ok(sign * i64::from(hours * 3600 + minutes * 60))
}

/// Reads a run of ASCII digits, at most nine.
#[inline]
fn take(text: &[u8]) -> Option<u32> {
    let mut value = 0;
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u32::from(digit);
    }
    Some(value)
}

fn put(target: &mut [u8], mut value: u32) {
    for byte in target.iter_mut().rev() {
        *byte = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

#[inline(always)]
fn put_nine(text: &mut [u8; TEXT_LEN], nanos: u32) {
    *text[20..].first_chunk_mut().expect("ten of thirty bytes") = digits::eight(nanos / 10);
    text[28] = b'0' + (nanos % 10) as u8;
}

fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since the epoch of a day of the proleptic Gregorian calendar. Years start in March here,
/// so that the leap day is the last of its year.
const fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month as i64 + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day as i64 - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u32;
    let month = ((month_from_march + 2) % 12 + 1) as u32;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// A length of time such as `90s`, `15m`, `3h`, `2d`, `1w`.
pub fn duration_ns(text: &str) -> Option<i64> {
    let at = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(at);
    let unit = match unit {
        "ns" => 1,
        "us" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        "d" => DAY_NANOS,
        "w" => 7 * DAY_NANOS,
        _ => return None,
    };
    number.parse::<i64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: Result<i64, TsError>) {
        assert_eq!(Ts::parse(text.as_bytes()).map(Ts::nanos), expected, "{text}");
    }

    #[test]
    fn texts_become_instants() {
        check("1970-01-01T00:00:00.000000000Z", Ok(0));
        check("2024-08-08T00:00:00.123456789Z", Ok(1_723_075_200_123_456_789));
        check("2024-08-08T00:00:00Z", Ok(1_723_075_200_000_000_000));
        check("2024-08-08t02:00:00.5+02:00", Ok(1_723_075_200_500_000_000));
        check("1969-12-31T23:59:59.999999999Z", Ok(-1));
        check("2024-02-29T00:00:00.1234567890Z", Ok(1_709_164_800_123_456_789));
        check("1723075200123456789", Ok(1_723_075_200_123_456_789));
        check("-1", Ok(-1));
        check("1677-09-21T00:12:43.145224192Z", Ok(i64::MIN));
        check("2262-04-11T23:47:16.854775807Z", Ok(i64::MAX));
    }

    #[test]
    fn what_is_no_instant_is_an_error() {
        for text in ["", "now", "2024-08-08", "2024-08-08T00:00:00", "2024-08-08T00:00:00.Z", "1.5"]
        {
            check(text, Err(TsError::Shape));
        }
        for text in ["2023-02-29T00:00:00.000Z", "2024-13-01T00:00:00Z", "2024-08-08T24:00:00.00Z"]
        {
            check(text, Err(TsError::Range));
        }
        check("9999-01-01T00:00:00Z", Err(TsError::Overflow));
        check("1677-09-21T00:12:43.145224191Z", Err(TsError::Overflow));
        check("2024-08-08T00:00:00.1234567891Z", Err(TsError::TooFine));
    }

    #[test]
    fn days_and_dates_agree() {
        let date = Date::parse("2024-02-29").unwrap();
        assert_eq!(date.plus_days(1).to_string(), "2024-03-01");
        assert_eq!(date.start().date(), date);
        assert_eq!(Date::parse("2023-02-29"), Err(TsError::Range));
    }

    proptest! {
        #[test]
        fn writing_and_parsing_is_the_identity(nanos: i64) {
            let ts = Ts::from_nanos(nanos);
            prop_assert_eq!(Ts::parse(&ts.text()), Ok(ts));
            prop_assert_eq!(parse_rfc3339(&ts.text()), Ok(ts));
            let mut text = [0; TEXT_LEN];
            let mut writer = TsWriter::default();
            for step in [0, 1, 59_000_000_000, 60_000_000_000, -61_000_000_000] {
                let ts = Ts::from_nanos(nanos.saturating_add(step));
                writer.put(ts, &mut text);
                prop_assert_eq!(text, ts.text());
            }
        }

        #[test]
        fn garbage_never_panics(text in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = Ts::parse(&text);
        }
    }
}
