//! Decimal text to mantissa and back, without ever passing through a float.
//!
//! Invariant: `parse(format(m, s), s) == m` for every mantissa of at most eighteen digits: the most
//! that a 64-bit decimal column holds. A digit that does not fit the scale, overflow, NaN and
//! infinity are errors, never a rounding. Absent on purpose: signs
//! other than `-`, thousands separators, locale.

use rust_decimal::Decimal;

use crate::digits;
use crate::units::Scale;

/// Why a text is not a number at the asked scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    #[error("expected a decimal number")]
    NotANumber,
    #[error("the number has more than {scale} decimals, the scale of its instrument")]
    DoesNotFit { scale: u8 },
    #[error("the number has more than 18 digits at scale {scale}, the scale of its instrument")]
    Overflow { scale: u8 },
}

/// Values of this many units and more have over fifteen significant digits: beyond what a double
/// holds, so they travel as strings in JSON.
pub const SAFE_MANTISSA: u64 = 1_000_000_000_000_000;

/// The largest magnitude of a mantissa that comes in: eighteen digits.
pub const MAX_MANTISSA: i64 = 999_999_999_999_999_999;

/// Parses a decimal, with or without exponent, to its mantissa at `scale`.
#[inline]
pub fn parse(text: &[u8], scale: Scale) -> Result<i64, DecimalError> {
    // The common shape first: digits, a point, at most `scale` digits, eighteen at most in all.
    if let Some(mantissa) = parse_plain(text, scale) {
        return Ok(mantissa);
    }
    parse_any(text, scale)
}

#[inline]
fn parse_plain(text: &[u8], scale: Scale) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    if digits.is_empty() || digits.len() > 19 {
        return None;
    }
    let mut value: i64 = 0;
    let mut point = None;
    for (at, &byte) in digits.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            value = value.wrapping_mul(10).wrapping_add(i64::from(digit));
        } else if byte == b'.' && point.is_none() && at > 0 {
            point = Some(at);
        } else {
            return None;
        }
    }
    let decimals = point.map_or(0, |at| digits.len() - 1 - at);
    let count = digits.len() - usize::from(point.is_some());
    if count > 18 || point == Some(digits.len() - 1) {
        return None;
    }
    let missing = usize::from(scale.digits()).checked_sub(decimals)?;
    let value = value.checked_mul(Scale::new(missing as u8).ok()?.unit())?;
    (value <= MAX_MANTISSA).then_some(if negative { -value } else { value })
}

/// The digits of a decimal text: its value is `mantissa / 10^decimals` exactly.
struct Digits {
    mantissa: i128,
    decimals: i64,
}

fn digits(text: &[u8]) -> Result<Option<Digits>, DecimalError> {
    let (negative, rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let (number, exponent) = match rest.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => (&rest[..at], Some(&rest[at + 1..])),
        None => (rest, None),
    };
    let (whole, fraction) = match number.iter().position(|byte| *byte == b'.') {
        Some(at) => (&number[..at], Some(&number[at + 1..])),
        None => (number, None),
    };
    let all_digits = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    if !all_digits(whole) || !fraction.is_none_or(all_digits) {
        return Err(DecimalError::NotANumber);
    }
    let exponent = exponent.map_or(Ok(0), parse_exponent)?;
    let fraction = fraction.unwrap_or_default();
    let mut mantissa: i128 = 0;
    let mut decimals = 0_i64;
    let mut pending_zeros = 0_u32;
    // Zeros at the end of the fraction carry no value, so they are held back until a digit follows.
    for (&byte, is_fraction) in
        whole.iter().map(|byte| (byte, false)).chain(fraction.iter().map(|byte| (byte, true)))
    {
        decimals += i64::from(is_fraction);
        if byte == b'0' {
            pending_zeros += 1;
            continue;
        }
        let shifted = match mantissa {
            0 => Some(0),
            mantissa => {
                10_i128.checked_pow(pending_zeros + 1).and_then(|power| mantissa.checked_mul(power))
            }
        };
        let Some(next) = shifted.and_then(|value| value.checked_add(i128::from(byte - b'0')))
        else {
            return Ok(None);
        };
        mantissa = next;
        pending_zeros = 0;
    }
    decimals -= i64::from(pending_zeros);
    let mantissa = if negative { -mantissa } else { mantissa };
    Ok(Some(Digits { mantissa, decimals: decimals - exponent }))
}

fn parse_exponent(text: &[u8]) -> Result<i64, DecimalError> {
    let (negative, number) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if number.is_empty() || !number.iter().all(u8::is_ascii_digit) {
        return Err(DecimalError::NotANumber);
    }
    // Beyond a million the answer is decided; saturate rather than overflow.
    let value =
        number.iter().fold(0_i64, |sum, byte| (sum * 10 + i64::from(byte - b'0')).min(1_000_000));
    Ok(if negative { -value } else { value })
}

#[cold]
fn parse_any(text: &[u8], scale: Scale) -> Result<i64, DecimalError> {
    let overflow = DecimalError::Overflow { scale: scale.digits() };
    let Some(Digits { mantissa, decimals }) = digits(text)? else {
        // More significant digits than 38: either too fine or too large, and never representable.
        return Err(overflow);
    };
    if mantissa == 0 {
        return Ok(0);
    }
    let missing = i64::from(scale.digits()) - decimals;
    if missing < 0 {
        return Err(DecimalError::DoesNotFit { scale: scale.digits() });
    }
    let power = u32::try_from(missing).ok().and_then(|missing| 10_i128.checked_pow(missing));
    power
        .and_then(|power| mantissa.checked_mul(power))
        .and_then(|value| i64::try_from(value).ok())
        .filter(|value| value.unsigned_abs() <= MAX_MANTISSA.unsigned_abs())
        .ok_or(overflow)
}

/// How many decimals of an amount every record keeps.
pub const MONEY_DECIMALS: u8 = 18;

/// An amount that was divided, as records keep it: to [`MONEY_DECIMALS`], half to even.
pub fn kept(amount: Decimal) -> Decimal {
    amount.round_dp(u32::from(MONEY_DECIMALS)).normalize()
}

/// The exact amount of a decimal text, zeros at its end left out; `None` where it is not a number,
/// or has more digits than money holds.
pub fn parse_money(text: &[u8]) -> Option<Decimal> {
    const DECIMALS_MAX: i64 = 28;
    let Digits { mantissa, decimals } = digits(text).ok()??;
    if mantissa == 0 {
        return Some(Decimal::ZERO);
    }
    if decimals > DECIMALS_MAX {
        return None;
    }
    let power = u32::try_from((-decimals).max(0)).ok()?;
    let mantissa = 10_i128.checked_pow(power).and_then(|power| mantissa.checked_mul(power))?;
    Decimal::try_from_i128_with_scale(mantissa, decimals.max(0) as u32).ok()
}

/// How many decimals a text needs, its trailing zeros left out; `None` where it is not a number
/// or has more digits than any scale could hold.
pub fn decimals_of(text: &[u8]) -> Option<u8> {
    if let Some(fraction) = plain_fraction(text) {
        let zeros = fraction.iter().rev().take_while(|byte| **byte == b'0').count();
        return u8::try_from(fraction.len() - zeros).ok();
    }
    let Digits { mantissa, decimals } = digits(text).ok()??;
    if mantissa == 0 {
        return Some(0);
    }
    u8::try_from(decimals.max(0)).ok().filter(|decimals| *decimals <= Scale::MAX.digits())
}

/// The decimals as written, trailing zeros and all: how a venue states its tick.
pub fn decimals_written(text: &[u8]) -> Option<u8> {
    if let Some(fraction) = plain_fraction(text) {
        return u8::try_from(fraction.len()).ok();
    }
    if text.iter().any(|byte| matches!(byte, b'e' | b'E')) {
        return decimals_of(text);
    }
    digits(text).ok()?;
    let written = text.iter().position(|byte| *byte == b'.').map_or(0, |at| text.len() - 1 - at);
    u8::try_from(written)
        .ok()
        .filter(|decimals| *decimals <= Scale::MAX.digits())
        .or_else(|| decimals_of(text))
}

/// What stands behind the point, where the text is a number of eighteen digits at most without an
/// exponent, as nearly all are: its decimals need no arithmetic.
fn plain_fraction(text: &[u8]) -> Option<&[u8]> {
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let point = text.iter().position(|byte| *byte == b'.');
    let (whole, fraction) = match point {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &text[text.len()..]),
    };
    let is_number = !whole.is_empty()
        && whole.len() + fraction.len() <= 18
        && (point.is_none() || !fraction.is_empty())
        && whole.iter().chain(fraction).all(u8::is_ascii_digit);
    is_number.then_some(fraction)
}

/// Appends the mantissa as a decimal with all digits of its scale.
#[inline]
pub fn write(mantissa: i64, scale: Scale, out: &mut Vec<u8>) {
    let mut buffer = [0_u8; MAX_LEN];
    let len = put(mantissa, scale, &mut buffer);
    out.extend_from_slice(&buffer[..len]);
}

/// The room that a text takes while it is written: blocks are put down whole, and what reaches
/// beyond the text is written over by what follows.
pub const MAX_LEN: usize = 40;

/// Writes the mantissa to the start of `buffer` and returns the length of the text.
#[inline(always)]
pub fn put(mantissa: i64, scale: Scale, buffer: &mut [u8; MAX_LEN]) -> usize {
    let magnitude = mantissa.unsigned_abs();
    let decimals = usize::from(scale.digits());
    if magnitude >= EIGHT || decimals >= 8 {
        return put_wide(mantissa, decimals, buffer);
    }
    buffer[0] = b'-';
    let (digits, count) = digits::eight_at_most(magnitude as u32);
    lay::<8>(u128::from(digits), count, decimals, buffer, usize::from(mantissa < 0))
}

/// Likewise, where the digits do not fit into a word.
#[inline(never)]
fn put_wide(mantissa: i64, decimals: usize, buffer: &mut [u8; MAX_LEN]) -> usize {
    let magnitude = mantissa.unsigned_abs();
    buffer[0] = b'-';
    let at = usize::from(mantissa < 0);
    if magnitude >= SIXTEEN || decimals >= 16 {
        return put_long(magnitude, decimals, buffer, at);
    }
    let (digits, count) = digits::sixteen(magnitude);
    lay::<16>(digits, count, decimals, buffer, at)
}

/// Writes a whole number without leading zeros, likewise.
#[inline(always)]
pub fn put_whole(value: u64, buffer: &mut [u8; MAX_LEN]) -> usize {
    if value >= EIGHT {
        return put_wide_whole(value, buffer);
    }
    let (digits, count) = digits::eight_at_most(value as u32);
    lay::<8>(u128::from(digits), count, 0, buffer, 0)
}

#[inline(never)]
fn put_wide_whole(value: u64, buffer: &mut [u8; MAX_LEN]) -> usize {
    if value >= SIXTEEN {
        return put_long(value, 0, buffer, 0);
    }
    let (digits, count) = digits::sixteen(value);
    lay::<16>(digits, count, 0, buffer, 0)
}

/// From here on a number has more than eight digits.
const EIGHT: u64 = 100_000_000;

/// From here on a number has more than sixteen digits.
const SIXTEEN: u64 = 10_000_000_000_000_000;

/// Lays down a block of that many digits, of which `count` matter, with a point before the
/// decimals; returns where the text ends.
#[inline(always)]
fn lay<const BLOCK: usize>(
    digits: u128,
    count: usize,
    decimals: usize,
    buffer: &mut [u8; MAX_LEN],
    at: usize,
) -> usize {
    if decimals == 0 {
        put_block::<BLOCK>(digits, BLOCK - count, buffer, at);
        return at + count;
    }
    let whole = count.saturating_sub(decimals).max(1);
    put_block::<BLOCK>(digits, BLOCK - whole - decimals, buffer, at);
    buffer[at + whole] = b'.';
    put_block::<BLOCK>(digits, BLOCK - decimals, buffer, at + whole + 1);
    at + whole + 1 + decimals
}

/// Puts the digits from `from` on there, and zeros behind them. They come out of a register: text
/// put into memory a moment ago would have to be waited for.
#[inline(always)]
fn put_block<const BLOCK: usize>(digits: u128, from: usize, buffer: &mut [u8; MAX_LEN], at: usize) {
    if BLOCK == 8 {
        let place = buffer[at..].first_chunk_mut().expect("room for eight");
        *place = (digits as u64 >> (8 * from)).to_le_bytes();
    } else {
        let place = buffer[at..].first_chunk_mut().expect("room for sixteen");
        *place = (digits >> (8 * from)).to_le_bytes();
    }
}

/// A number too long for a block, digit by digit from the last.
#[cold]
fn put_long(magnitude: u64, decimals: usize, buffer: &mut [u8; MAX_LEN], at: usize) -> usize {
    let count = magnitude.checked_ilog10().map_or(1, |log| log as usize + 1).max(decimals + 1);
    let end = at + count + usize::from(decimals > 0);
    let (mut place, mut rest) = (end, magnitude);
    for digit in 0..count {
        if digit == decimals && decimals > 0 {
            place -= 1;
            buffer[place] = b'.';
        }
        place -= 1;
        buffer[place] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    end
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scale(digits: u8) -> Scale {
        Scale::new(digits).unwrap()
    }

    fn check(text: &str, digits: u8, expected: Result<i64, DecimalError>) {
        assert_eq!(parse(text.as_bytes(), scale(digits)), expected, "{text} at scale {digits}");
    }

    #[test]
    fn texts_become_mantissas() {
        check("61820.99", 2, Ok(6_182_099));
        check("0.01200", 5, Ok(1_200));
        check("-3", 2, Ok(-300));
        check("0.00000000001", 11, Ok(1));
        check("1e-11", 11, Ok(1));
        check("1E+3", 0, Ok(1_000));
        check("35000000000", 7, Ok(350_000_000_000_000_000));
        check("999999999999999999", 0, Ok(MAX_MANTISSA));
        check("-9.99999999999999999", 17, Ok(-MAX_MANTISSA));
        check("1.50000000000000000000000000000000000000000000", 1, Ok(15));
        check("0e999999999999", 2, Ok(0));
        check("-0", 2, Ok(0));
        check("100000000000000000000e-20", 0, Ok(1));
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        check("1.005", 2, Err(DecimalError::DoesNotFit { scale: 2 }));
        check("35000000000", 8, Err(DecimalError::Overflow { scale: 8 }));
        check("92233720368547758.08", 2, Err(DecimalError::Overflow { scale: 2 }));
        check("1000000000000000000", 0, Err(DecimalError::Overflow { scale: 0 }));
        check("9223372036854775808", 0, Err(DecimalError::Overflow { scale: 0 }));
        check("1e400", 0, Err(DecimalError::Overflow { scale: 0 }));
        check("1e-400", 18, Err(DecimalError::DoesNotFit { scale: 18 }));
        for text in ["", "-", ".", "1.", ".5", "1e", "NaN", "inf", "Infinity", "1,000", "+1", "0x1"]
        {
            check(text, 2, Err(DecimalError::NotANumber));
        }
    }

    #[test]
    fn money_is_exact_or_nothing() {
        let money = |text: &str| parse_money(text.as_bytes()).map(|value| value.to_string());
        assert_eq!(money("-0.10").as_deref(), Some("-0.1"));
        assert_eq!(money("1200").as_deref(), Some("1200"));
        assert_eq!(money("-0").as_deref(), Some("0"));
        assert_eq!(money("1.5e-7").as_deref(), Some("0.00000015"));
        assert_eq!(money("1.5E3").as_deref(), Some("1500"));
        assert_eq!(money("0e400").as_deref(), Some("0"));
        let longest = "7.9228162514264337593543950335";
        assert_eq!(money(longest).as_deref(), Some(longest));
        // One digit more than money holds is refused, never rounded, also behind an exponent.
        for text in ["7.9228162514264337593543950336", "1.2345678901234567890123456789012e5"] {
            assert_eq!(money(text), None, "{text}");
        }
        for text in ["1e-29", "1e29", "1e400", "1_000", "+1", "", "NaN", "1,5"] {
            assert_eq!(money(text), None, "{text}");
        }
    }

    #[test]
    fn decimals_are_counted_with_and_without_trailing_zeros() {
        assert_eq!(decimals_of(b"1.2300"), Some(2));
        assert_eq!(decimals_written(b"1.2300"), Some(4));
        assert_eq!(decimals_of(b"1e-11"), Some(11));
        assert_eq!(decimals_written(b"1200"), Some(0));
        assert_eq!(decimals_of(b"x"), None);
    }

    #[test]
    fn texts_have_all_digits_of_their_scale() {
        let text = |mantissa: i64, digits| {
            let mut text = Vec::new();
            write(mantissa, scale(digits), &mut text);
            String::from_utf8(text).unwrap()
        };
        assert_eq!(text(0, 0), "0");
        assert_eq!(text(0, 3), "0.000");
        assert_eq!(text(-7, 2), "-0.07");
        assert_eq!(text(6_182_099, 2), "61820.99");
        assert_eq!(text(9_999_999_999_999_999, 15), "9.999999999999999");
        assert_eq!(text(-9_999_999_999_999_999, 0), "-9999999999999999");
        assert_eq!(text(10_000_000_000_000_000, 16), "1.0000000000000000");
        assert_eq!(text(5, 18), "0.000000000000000005");
        assert_eq!(text(i64::MIN, 18), "-9.223372036854775808");
        assert_eq!(text(i64::MAX, 0), "9223372036854775807");
        let mut buffer = [0; MAX_LEN];
        let len = put_whole(u64::MAX, &mut buffer);
        assert_eq!(&buffer[..len], b"18446744073709551615");
    }

    proptest! {
        #[test]
        fn decimals_counted_quickly_are_those_counted_with_care(text in "-?[0-9.e]{0,22}") {
            let text = text.as_bytes();
            let careful = digits(text).ok().flatten().and_then(|it| match it.mantissa {
                0 => Some(0),
                _ => u8::try_from(it.decimals.max(0)).ok().filter(|it| *it <= Scale::MAX.digits()),
            });
            prop_assert_eq!(decimals_of(text), careful);
            if let Some(fraction) = plain_fraction(text) {
                prop_assert!(digits(text).is_ok());
                prop_assert_eq!(decimals_written(text), u8::try_from(fraction.len()).ok());
            }
        }

        #[test]
        fn whole_numbers_are_those_of_the_standard(value: u64, shift in 0_u32..64) {
            let value = value >> shift;
            let mut buffer = [b'x'; MAX_LEN];
            let len = put_whole(value, &mut buffer);
            let text = value.to_string();
            prop_assert_eq!(&buffer[..len], text.as_bytes());
        }

        #[test]
        fn writing_and_parsing_is_the_identity(mantissa in -MAX_MANTISSA..=MAX_MANTISSA, digits in 0_u8..=18) {
            let mut text = Vec::new();
            write(mantissa, scale(digits), &mut text);
            prop_assert_eq!(parse(&text, scale(digits)), Ok(mantissa));
        }

        #[test]
        fn the_quick_way_and_the_general_way_agree(text in "-?[0-9]{1,12}(\\.[0-9]{1,9})?", digits in 0_u8..=12) {
            let quick = parse_plain(text.as_bytes(), scale(digits));
            let general = parse_any(text.as_bytes(), scale(digits));
            if let Some(quick) = quick {
                prop_assert_eq!(Ok(quick), general);
            }
        }
    }
}
