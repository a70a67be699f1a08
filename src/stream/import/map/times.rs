//! Times as tables write them.
//!
//! A time is whole and absolute, or it is refused: text without an offset needs a zone, a number
//! needs a unit or the number of digits that only one unit has.

use qt_model::time::{Date, Ts};

use super::super::local::LocalClock;
use super::super::rows::{Clock, misread, whole};
use super::super::{Hints, Notes};
use super::plan::Time;
use crate::error::Problem;

/// Reads the times of one column.
#[derive(Debug)]
pub(super) struct Times {
    of: Of,
    clock: Clock,
    zone: Option<LocalClock>,
}

#[derive(Debug)]
enum Of {
    Unit(i64),
    Written(Vec<Token>),
    /// Numbers by their digits, text by the usual shape.
    Usual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    /// One to nine digits, as many as there are.
    Fraction,
    Offset,
    Sign(u8),
}

impl Times {
    pub(super) fn new(plan: &Time, hints: &Hints) -> Result<Self, Problem> {
        let of = match (&plan.unit, &plan.format) {
            (Some(unit), _) => Of::Unit(match unit.as_str() {
                "s" => 1_000_000_000,
                "ms" => 1_000_000,
                "us" => 1_000,
                "ns" => 1,
                other => return Err(misread("unit", "s, ms, us or ns", other.as_bytes())),
            }),
            (None, Some(format)) => Of::Written(tokens(format)?),
            (None, None) => Of::Usual,
        };
        let zone = hints.zone.as_deref().or(plan.zone.as_deref());
        Ok(Self { of, clock: Clock::default(), zone: zone.map(LocalClock::new).transpose()? })
    }

    pub(super) fn read(&mut self, text: &[u8], notes: &Notes) -> Result<Ts, Problem> {
        match &self.of {
            Of::Unit(nanos) => {
                let ts = scaled(text, *nanos);
                ts.ok_or_else(|| misread("time", "a number of its unit since 1970", text))
            }
            Of::Usual if text.iter().all(u8::is_ascii_digit) => {
                self.clock.epoch("time", text, notes)
            }
            Of::Usual => self.written(text, &USUAL),
            Of::Written(tokens) => {
                let tokens = tokens.clone();
                self.written(text, &tokens)
            }
        }
    }

    fn written(&mut self, text: &[u8], tokens: &[Token]) -> Result<Ts, Problem> {
        let parts = Parts::read(text, tokens).ok_or_else(|| {
            misread(
                "time",
                "a time in the form that the map gives, else as 2024-01-31 12:00:00Z",
                text,
            )
        })?;
        let date = Date::new(parts.year, parts.month, parts.day)
            .ok_or_else(|| misread("time", "a day of the calendar", text))?;
        if let Some(offset) = parts.offset {
            let ts = date.start().checked_add_nanos(parts.nanos - offset * 1_000_000_000);
            return ts.ok_or_else(|| misread("time", "a time before 2262", text));
        }
        let Some(zone) = &mut self.zone else {
            let expected = "an offset behind it, or the zone in --zone or the map, such as UTC or \
                            America/New_York";
            return Err(misread("time", expected, text));
        };
        zone.at(date, parts.nanos)
    }
}

/// `2024-01-31 12:00:00.5+01:00`: a `T` or a space, a fraction and an offset if they are there.
const USUAL: [Token; 13] = [
    Token::Year,
    Token::Sign(b'-'),
    Token::Month,
    Token::Sign(b'-'),
    Token::Day,
    Token::Sign(b' '),
    Token::Hour,
    Token::Sign(b':'),
    Token::Minute,
    Token::Sign(b':'),
    Token::Second,
    Token::Fraction,
    Token::Offset,
];

/// Decimals of seconds, and whole numbers of any unit.
fn scaled(text: &[u8], nanos: i64) -> Option<Ts> {
    let point = memchr::memchr(b'.', text).unwrap_or(text.len());
    let mut total = whole(&text[..point])?.checked_mul(nanos)?;
    let mut unit = nanos;
    for byte in text.get(point + 1..).unwrap_or_default() {
        let digit = i64::from(byte.wrapping_sub(b'0'));
        unit /= 10;
        // Digits below a nanosecond carry nothing that could be kept.
        if !(0..10).contains(&digit) || unit == 0 && digit != 0 {
            return None;
        }
        total = total.checked_add(digit * unit)?;
    }
    Some(Ts::from_nanos(total))
}

fn tokens(format: &str) -> Result<Vec<Token>, Problem> {
    let mut tokens = Vec::new();
    let mut bytes = format.bytes();
    while let Some(byte) = bytes.next() {
        tokens.push(match byte {
            b'%' => match bytes.next() {
                Some(b'Y') => Token::Year,
                Some(b'm') => Token::Month,
                Some(b'd') => Token::Day,
                Some(b'H') => Token::Hour,
                Some(b'M') => Token::Minute,
                Some(b'S') => Token::Second,
                Some(b'f') => Token::Fraction,
                Some(b'z') => Token::Offset,
                Some(b'%') => Token::Sign(b'%'),
                _ => {
                    let expected = "%Y, %m, %d, %H, %M, %S, %f or %z";
                    return Err(misread("format", expected, format.as_bytes()));
                }
            },
            sign => Token::Sign(sign),
        });
    }
    for needed in [Token::Year, Token::Month, Token::Day] {
        if !tokens.contains(&needed) {
            return Err(misread("format", "a year, a month and a day", format.as_bytes()));
        }
    }
    Ok(tokens)
}

/// A time taken apart.
#[derive(Debug, Default)]
struct Parts {
    year: i32,
    month: u32,
    day: u32,
    /// Since midnight.
    nanos: i64,
    /// In seconds.
    offset: Option<i64>,
}

impl Parts {
    fn read(text: &[u8], tokens: &[Token]) -> Option<Self> {
        let mut parts = Self::default();
        let mut rest = text;
        for token in tokens {
            match token {
                Token::Year => parts.year = number(&mut rest, 4)? as i32,
                Token::Month => parts.month = number(&mut rest, 2)? as u32,
                Token::Day => parts.day = number(&mut rest, 2)? as u32,
                Token::Hour => parts.nanos += limited(&mut rest, 24)? * 3_600_000_000_000,
                Token::Minute => parts.nanos += limited(&mut rest, 60)? * 60_000_000_000,
                Token::Second => parts.nanos += limited(&mut rest, 60)? * 1_000_000_000,
                Token::Fraction => parts.nanos += fraction(&mut rest)?,
                Token::Offset => parts.offset = offset(&mut rest)?,
                Token::Sign(sign) => {
                    let (first, after) = rest.split_first()?;
                    let is_same = first == sign || *sign == b' ' && *first == b'T';
                    rest = is_same.then_some(after)?;
                }
            }
        }
        rest.is_empty().then_some(parts)
    }
}

fn number(rest: &mut &[u8], digits: usize) -> Option<i64> {
    let (text, after) = rest.split_at_checked(digits)?;
    *rest = after;
    whole(text)
}

fn limited(rest: &mut &[u8], limit: i64) -> Option<i64> {
    number(rest, 2).filter(|number| *number < limit)
}

/// As many digits as there are, behind a point if there is one; none at all is a whole second.
fn fraction(rest: &mut &[u8]) -> Option<i64> {
    let text: &[u8] = rest;
    let digits = match text {
        [b'.' | b',', digits @ ..] => digits,
        digits => digits,
    };
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count == 0 {
        // A point without digits is no fraction.
        return (digits.len() == text.len()).then_some(0);
    }
    let (text, after) = digits.split_at(count);
    let power = 9_usize.checked_sub(count)?;
    *rest = after;
    Some(whole(text)? * 10_i64.pow(power as u32))
}

/// `Z`, `+01:00`, `-0500`, ` UTC`, or nothing.
fn offset(rest: &mut &[u8]) -> Option<Option<i64>> {
    let text = rest.trim_ascii();
    *rest = b"";
    let sign = match text {
        [] => return Some(None),
        b"Z" | b"z" | b"UTC" => return Some(Some(0)),
        [b'+', ..] => 1,
        [b'-', ..] => -1,
        _ => return None,
    };
    let digits: Vec<u8> = text[1..].iter().copied().filter(|byte| *byte != b':').collect();
    let (hours, minutes) = match digits.len() {
        2 => (whole(&digits)?, 0),
        4 => (whole(&digits[..2])?, whole(&digits[2..])?),
        _ => return None,
    };
    (hours < 24 && minutes < 60).then_some(Some(sign * (hours * 3_600 + minutes * 60)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(unit: Option<&str>, format: Option<&str>, zone: Option<&str>, text: &str) -> String {
        let toml = "column = 1";
        let mut plan: Time = toml::from_str(toml).unwrap();
        plan.unit = unit.map(str::to_owned);
        plan.format = format.map(str::to_owned);
        plan.zone = zone.map(str::to_owned);
        let mut times = match Times::new(&plan, &Hints::default()) {
            Ok(times) => times,
            Err(problem) => return problem.to_string(),
        };
        match times.read(text.as_bytes(), &Notes::default()) {
            Ok(ts) => ts.to_string(),
            Err(problem) => problem.to_string(),
        }
    }

    #[test]
    fn usual_times_carry_an_offset_or_need_a_zone() {
        for (text, expected) in [
            ("2013-01-01 22:00:00.295000+00:00", "2013-01-01T22:00:00.295000000Z"),
            ("2013-01-01T22:00:00+00:00", "2013-01-01T22:00:00.000000000Z"),
            ("2013-01-01 22:00:00.5-05:00", "2013-01-02T03:00:00.500000000Z"),
            ("2013-01-01 22:00:00Z", "2013-01-01T22:00:00.000000000Z"),
            ("1637971200000", "2021-11-27T00:00:00.000000000Z"),
        ] {
            assert_eq!(read(None, None, None, text), expected, "{text}");
        }
        assert!(read(None, None, None, "2013-01-01 22:00:00").contains("--zone"));
        let local = read(None, None, Some("America/New_York"), "2013-07-01 10:00:00");
        assert_eq!(local, "2013-07-01T14:00:00.000000000Z");
        for text in [
            "2013-02-30 00:00:00Z",
            "2013-01-01 24:00:00Z",
            "2013-01-01",
            "x",
            "2013-01-01 00:00:00.Z",
        ] {
            assert!(read(None, None, None, text).starts_with("field `time`"), "{text}");
        }
    }

    #[test]
    fn formats_and_units_are_followed_to_the_digit() {
        let histdata = read(None, Some("%Y%m%d %H%M%S%f"), Some("-05:00"), "20200101 170000065");
        assert_eq!(histdata, "2020-01-01T22:00:00.065000000Z");
        assert_eq!(read(Some("s"), None, None, "1605499846.25"), "2020-11-16T04:10:46.250000000Z");
        assert_eq!(read(Some("ms"), None, None, "1"), "1970-01-01T00:00:00.001000000Z");
        assert!(read(Some("ns"), None, None, "1.5").starts_with("field `time`"));
        assert!(read(Some("h"), None, None, "1").starts_with("field `unit`"));
        assert!(read(None, Some("%H:%M"), None, "1").starts_with("field `format`"));
    }
}
