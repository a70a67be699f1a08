//! Times as venues write them: whole counts since 1970 in some unit, or seconds with a fraction.
//!
//! The unit of a count shows in its digits: thirteen are milliseconds, sixteen microseconds,
//! nineteen nanoseconds, for every time between 1973 and 2286. Text stays text until it is a whole
//! number of nanoseconds; no float is involved.

use qt_model::time::Ts;

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// A count of milliseconds or finer, by its size. Small counts, as in examples, are milliseconds.
#[inline]
pub(crate) fn from_count(count: u64) -> Option<Ts> {
    let unit = match count {
        0..100_000_000_000_000 => 1_000_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1_000,
        _ => 1,
    };
    i64::try_from(count).ok()?.checked_mul(unit).map(Ts::from_nanos)
}

/// Seconds with up to nine decimals, as `1618677785.46112`.
pub(crate) fn from_seconds(text: &str) -> Option<Ts> {
    let text = text.as_bytes();
    let point = text.iter().position(|byte| *byte == b'.');
    let (whole, fraction) = match point {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &b"0"[..]),
    };
    if whole.is_empty() || fraction.is_empty() {
        return None;
    }
    let mut seconds = 0_i64;
    for byte in whole {
        seconds = seconds.checked_mul(10)?.checked_add(digit(*byte)?)?;
    }
    let (mut nanos, mut unit) = (0, NANOS_PER_SECOND);
    for byte in fraction {
        let digit = digit(*byte)?;
        unit /= 10;
        // Zeros at the end say nothing; a digit below a nanosecond would be lost.
        if unit == 0 && digit != 0 {
            return None;
        }
        nanos += digit * unit;
    }
    seconds.checked_mul(NANOS_PER_SECOND)?.checked_add(nanos).map(Ts::from_nanos)
}

#[inline]
fn digit(byte: u8) -> Option<i64> {
    byte.is_ascii_digit().then(|| i64::from(byte - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digits_of_a_count_tell_its_unit() {
        let nanos = |count| from_count(count).map(Ts::nanos);
        assert_eq!(nanos(1_723_161_255_208), Some(1_723_161_255_208_000_000));
        assert_eq!(nanos(1_680_652_800_004_107), Some(1_680_652_800_004_107_000));
        assert_eq!(nanos(1_723_161_253_937_085_768), Some(1_723_161_253_937_085_768));
        assert_eq!(nanos(123_456_789), Some(123_456_789_000_000));
        assert_eq!(nanos(u64::MAX), None);
    }

    #[test]
    fn seconds_keep_every_digit_of_their_fraction() {
        let nanos = |text| from_seconds(text).map(Ts::nanos);
        assert_eq!(nanos("1618677785.46112"), Some(1_618_677_785_461_120_000));
        assert_eq!(nanos("1633998512.0633569"), Some(1_633_998_512_063_356_900));
        assert_eq!(nanos("1633998512"), Some(1_633_998_512_000_000_000));
        assert_eq!(nanos("1.1234567890"), Some(1_123_456_789));
        for text in ["", ".", "1.", ".5", "1.1234567891", "-1", "1e9", "99999999999", "nan"] {
            assert_eq!(nanos(text), None, "{text}");
        }
    }
}
