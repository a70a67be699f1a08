//! What stands in a field: times in a unit that has to be recognised, sides, words.

use qt_model::time::Ts;
use qt_model::words::Side;

use super::super::Notes;
use crate::error::{Problem, excerpt};

/// A field that does not say what it should.
#[cold]
pub(in crate::import) fn misread(field: &str, expected: &str, found: &[u8]) -> Problem {
    Problem::field(field, expected, found)
}

/// A file without a column that the format needs.
#[cold]
pub(in crate::import) fn missing<'a>(
    column: &str,
    found: impl Iterator<Item = &'a [u8]>,
) -> Problem {
    let found: Vec<_> = found.take(12).map(excerpt).collect();
    let message = format!("no column `{column}`; the first line has {}", found.join(", "));
    Problem::Row { message }
}

/// A whole number of nanoseconds, in a unit that the first time of a file settles.
#[derive(Clone, Debug, Default)]
pub(in crate::import) struct Clock {
    unit: Option<Unit>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Unit {
    digits: usize,
    nanos: i64,
    word: &'static str,
}

/// By the number of digits, which tells them apart from 2001 to 2286.
const UNITS: [Unit; 4] = [
    Unit { digits: 10, nanos: 1_000_000_000, word: "seconds" },
    Unit { digits: 13, nanos: 1_000_000, word: "milliseconds" },
    Unit { digits: 16, nanos: 1_000, word: "microseconds" },
    Unit { digits: 19, nanos: 1, word: "nanoseconds" },
];

impl Clock {
    /// Reads an epoch time. The unit is said once in the notes.
    #[inline]
    pub(in crate::import) fn epoch(
        &mut self,
        field: &str,
        text: &[u8],
        notes: &Notes,
    ) -> Result<Ts, Problem> {
        let Some(unit) = self.unit.filter(|unit| unit.digits == text.len()) else {
            return self.settle(field, text, notes);
        };
        unit.read(text).ok_or_else(|| misread(field, unit.word, text))
    }

    /// The length of its unit; a nanosecond before any time was read.
    pub(in crate::import) fn nanos(&self) -> i64 {
        self.unit.map_or(1, |unit| unit.nanos)
    }

    #[cold]
    fn settle(&mut self, field: &str, text: &[u8], notes: &Notes) -> Result<Ts, Problem> {
        let unit = UNITS.iter().find(|unit| unit.digits == text.len());
        match (self.unit, unit.and_then(|unit| Some((unit, unit.read(text)?)))) {
            (None, Some((unit, ts))) => {
                self.unit = Some(*unit);
                notes.add(format!("`{field}` is read as {} since 1970", unit.word), 0);
                Ok(ts)
            }
            (Some(known), _) => {
                let expected =
                    format!("{} as in the lines before ({} digits)", known.word, known.digits);
                Err(misread(field, &expected, text))
            }
            (None, None) => Err(misread(
                field,
                "seconds, milli-, micro- or nanoseconds since 1970, told apart by their 10, 13, 16 \
                 or 19 digits; for anything else name the unit in `--map`",
                text,
            )),
        }
    }
}

impl Unit {
    fn read(&self, text: &[u8]) -> Option<Ts> {
        whole(text)?.checked_mul(self.nanos).map(Ts::from_nanos)
    }
}

/// A whole number without a sign.
pub(in crate::import) fn whole(text: &[u8]) -> Option<i64> {
    if text.is_empty() || text.len() > 19 {
        return None;
    }
    text.iter().try_fold(0_i64, |value, byte| {
        let digit = byte.wrapping_sub(b'0');
        let value = value.checked_mul(10)?;
        (digit < 10).then_some(value)?.checked_add(i64::from(digit))
    })
}

/// The side of an aggressor; `None` where the venue did not know.
pub(in crate::import) fn side(field: &str, text: &[u8]) -> Result<Option<Side>, Problem> {
    match text {
        b"buy" | b"BUY" | b"Buy" => Ok(Some(Side::Buy)),
        b"sell" | b"SELL" | b"Sell" => Ok(Some(Side::Sell)),
        b"unknown" | b"" => Ok(None),
        _ => Err(misread(field, "buy, sell or unknown", text)),
    }
}

/// One of some words, with what each means.
pub(in crate::import) fn word<T: Copy>(
    field: &str,
    text: &[u8],
    words: &[(&str, T)],
) -> Result<T, Problem> {
    let found = words.iter().find(|(word, _)| text.eq_ignore_ascii_case(word.as_bytes()));
    found.map(|(_, meaning)| *meaning).ok_or_else(|| {
        let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        misread(field, &words.join(" or "), text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digits_of_the_first_time_settle_the_unit_and_it_is_said() {
        for (text, nanos, word) in [
            ("1605499846", 1_605_499_846_000_000_000, "seconds"),
            ("1637971200000", 1_637_971_200_000_000_000, "milliseconds"),
            ("1637971200000001", 1_637_971_200_000_001_000, "microseconds"),
            ("1637971200000000001", 1_637_971_200_000_000_001, "nanoseconds"),
        ] {
            let (mut clock, notes) = (Clock::default(), Notes::default());
            assert_eq!(clock.epoch("t", text.as_bytes(), &notes).unwrap().nanos(), nanos);
            assert_eq!(clock.epoch("t", text.as_bytes(), &notes).unwrap().nanos(), nanos);
            assert_eq!(notes.all(), [(format!("`t` is read as {word} since 1970"), 0)]);
            // Another unit in the same file is an error and not a jump of fifty years.
            for other in ["1605499846", "1637971200000", "1637971200000001"] {
                let read = clock.epoch("t", other.as_bytes(), &notes);
                assert_eq!(read.is_ok(), other.len() == text.len(), "{other} behind {text}");
            }
        }
    }

    #[test]
    fn an_unclear_time_is_refused_with_what_to_pass() {
        for text in ["", "x", "160549984", "16054998461", "160549984x", "9999999999999999999"] {
            let error = Clock::default().epoch("t", text.as_bytes(), &Notes::default());
            assert!(error.unwrap_err().to_string().contains("--map"), "{text}");
        }
    }

    #[test]
    fn words_are_read_whatever_their_case() {
        assert_eq!(side("side", b"sell").unwrap(), Some(Side::Sell));
        assert_eq!(side("side", b"unknown").unwrap(), None);
        assert!(side("side", b"b").is_err());
        assert!(word("maker", b"True", &[("true", true), ("false", false)]).unwrap());
        let error = word("maker", b"1", &[("true", true), ("false", false)]).unwrap_err();
        assert_eq!(error.to_string(), "field `maker`: expected true or false, found 1");
    }
}
