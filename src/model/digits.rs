//! Decimal digits, eight at a time: a word holds eight of them, the first in its lowest byte.
//!
//! Absent on purpose: signs, points, scales (see `decimal`).

/// The digit zero in each byte.
const ZEROS: u64 = u64::from_le_bytes([b'0'; 8]);

/// The eight digits of a number below a hundred million.
#[inline(always)]
pub(crate) fn eight(value: u32) -> [u8; 8] {
    (spread(value) | ZEROS).to_le_bytes()
}

/// Eight digits of a number that has no more, with leading zeros, the first in the lowest byte, and
/// how many of them matter: at least one.
#[inline(always)]
pub(crate) fn eight_at_most(value: u32) -> (u64, usize) {
    let digits = spread(value);
    // The first digit lies in the lowest byte, so leading zeros are trailing zero bits.
    let zeros = (digits.trailing_zeros() / 8).min(7) as usize;
    (digits | ZEROS, 8 - zeros)
}

/// Sixteen digits of a number that has no more, with leading zeros, the first in the lowest byte,
/// and how many of them matter: at least one.
#[inline]
pub(crate) fn sixteen(value: u64) -> (u128, usize) {
    const HALF: u64 = 100_000_000;
    let (high, low) = (spread((value / HALF) as u32), spread((value % HALF) as u32));
    let digits = u128::from(high) | u128::from(low) << 64;
    let zeros = (digits.trailing_zeros() / 8).min(15) as usize;
    (digits | u128::from_le_bytes([b'0'; 16]), 16 - zeros)
}

/// The number that eight digits make; `None` where one is no digit.
#[inline(always)]
pub fn take_eight(text: [u8; 8]) -> Option<u32> {
    let digits = u64::from_le_bytes(text).wrapping_sub(ZEROS);
    (strangers(digits) == 0).then(|| fold(digits))
}

/// The number that the digits at the start of a text make, and how many there are. From twenty
/// digits on the number wraps.
#[inline(always)]
pub fn leading(text: &[u8]) -> (u64, usize) {
    let (mut value, mut at) = (0_u64, 0);
    while let Some(eight) = text[at..].first_chunk() {
        let digits = u64::from_le_bytes(*eight).wrapping_sub(ZEROS);
        let strangers = strangers(digits);
        if strangers == 0 {
            value = value.wrapping_mul(100_000_000).wrapping_add(u64::from(fold(digits)));
            at += 8;
            continue;
        }
        // Borrows and carries run upwards: what lies below the first stranger is as it was.
        let count = strangers.trailing_zeros() / 8;
        if count > 0 {
            let last = fold(digits << (64 - 8 * count));
            value = value.wrapping_mul(POWERS[count as usize]).wrapping_add(u64::from(last));
        }
        return (value, at + count as usize);
    }
    while let Some(digit) = text.get(at).map(|byte| byte.wrapping_sub(b'0'))
        && digit <= 9
    {
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
        at += 1;
    }
    (value, at)
}

/// The number that the digits at the start of eight bytes make, and how many there are; `None` if
/// all eight are.
#[inline(always)]
pub fn up_to_seven(text: [u8; 8]) -> Option<(u32, usize)> {
    let digits = u64::from_le_bytes(text).wrapping_sub(ZEROS);
    let strangers = strangers(digits);
    let count = strangers.trailing_zeros() / 8;
    // Eight would be one too many to shift.
    (strangers != 0).then(|| (fold((digits << 8) << (8 * (7 - count))), count as usize))
}

const POWERS: [u64; 8] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];

/// The high bit of each byte that is above nine, and maybe of bytes above the lowest of these.
#[inline(always)]
fn strangers(digits: u64) -> u64 {
    // A byte above nine shows after adding 0x76, one that was below zero at once.
    (digits | digits.wrapping_add(0x7676_7676_7676_7676)) & 0x8080_8080_8080_8080
}

/// The number that eight digits make: pairs, then fours, then all.
#[inline(always)]
fn fold(digits: u64) -> u32 {
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let fours = (pairs & 0x00ff_00ff_00ff_00ff).wrapping_mul(1 + (100 << 16)) >> 16;
    ((fours & 0x0000_ffff_0000_ffff).wrapping_mul(1 + (10_000 << 32)) >> 32) as u32
}

/// The way back: halves, then quarters, then digits, all lanes of a word at once.
#[inline(always)]
fn spread(value: u32) -> u64 {
    let halves = u64::from(value / 10_000) | u64::from(value % 10_000) << 32;
    // Divisions by a multiplication: exact below ten thousand, and below a hundred.
    let hundreds = ((halves * 10_486) >> 20) & 0x7f_0000_007f;
    let pairs = hundreds | (halves - hundreds * 100) << 16;
    let tens = ((pairs * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | (pairs - tens * 10) << 8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All that a word can hold is too much to try, but its halves are independent of each other.
    #[test]
    fn eight_digits_are_those_of_the_standard() {
        for half in 0..10_000_u32 {
            for value in [half, half * 10_000, half * 10_000 + (9_999 - half)] {
                assert_eq!(eight(value), format!("{value:08}").as_bytes(), "{value}");
                assert_eq!(take_eight(eight(value)), Some(value));
            }
        }
    }

    proptest! {
        #[test]
        fn leading_digits_are_those_of_a_walk(text in "[0-9]{0,21}[ -~]{0,9}[\\x00-\\xff]{0,3}") {
            let text = text.as_bytes();
            let digits = text.iter().take_while(|byte| byte.is_ascii_digit());
            let value = digits.clone().fold(0_u64, |value, byte| {
                value.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'))
            });
            let count = digits.count();
            prop_assert_eq!(leading(text), (value, count));
            if let Some(first) = text.first_chunk() {
                let short = (count < 8).then_some((value as u32, count));
                prop_assert_eq!(up_to_seven(*first), short);
            }
        }

        #[test]
        fn a_stranger_among_digits_is_seen(at in 0_usize..8, byte: u8, value in 0_u32..100_000_000) {
            let mut text = eight(value);
            text[at] = byte;
            prop_assert_eq!(take_eight(text).is_some(), byte.is_ascii_digit());
            prop_assert_eq!(leading(&text).1 == 8, byte.is_ascii_digit());
        }
    }
}
