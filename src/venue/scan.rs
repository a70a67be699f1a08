//! A forward scanner for compact JSON, as venues send it: no white space, no escapes.
//!
//! It never guesses: whatever does not have the expected shape is `None`, and the caller takes the
//! general road, which says what is wrong. Nothing is allocated.

use qt_model::decimal;
use qt_model::record::Level;
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::Side;

/// A position in a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The bytes not yet read.
    pub(crate) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    pub(crate) fn is_done(&self) -> bool {
        self.at == self.bytes.len()
    }

    #[inline]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    pub(crate) fn eat(&mut self, text: &[u8]) -> Option<()> {
        self.rest().starts_with(text).then(|| self.at += text.len())
    }

    /// A text in quotes.
    #[inline]
    pub(crate) fn text(&mut self) -> Option<&'a [u8]> {
        self.eat(b"\"")?;
        let start = self.at;
        loop {
            match *self.bytes.get(self.at)? {
                b'"' => break,
                // Escapes, and whatever JSON does not allow or UTF-8 has to be checked for.
                b'\\' | 0..0x20 | 0x80.. => return None,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Some(&self.bytes[start..self.at - 1])
    }

    /// A key and the colon behind it.
    #[inline]
    pub(crate) fn key(&mut self) -> Option<&'a [u8]> {
        let key = self.text()?;
        self.eat(b":")?;
        Some(key)
    }

    /// A whole number of at most eighteen digits.
    #[inline]
    pub(crate) fn whole(&mut self) -> Option<u64> {
        let start = self.at;
        let mut value = 0_u64;
        while let Some(digit @ 0..=9) = self.peek().map(|byte| byte.wrapping_sub(b'0')) {
            value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
            self.at += 1;
        }
        let count = self.at - start;
        let has_leading_zero = count > 1 && self.bytes[start] == b'0';
        ((1..=18).contains(&count) && !has_leading_zero).then_some(value)
    }

    pub(crate) fn bool(&mut self) -> Option<bool> {
        if self.eat(b"true").is_some() {
            return Some(true);
        }
        self.eat(b"false")?;
        Some(false)
    }

    /// A decimal in quotes, as a mantissa at that scale.
    #[inline]
    pub(crate) fn decimal(&mut self, scale: Scale) -> Option<i64> {
        self.eat(b"\"")?;
        let start = self.at;
        let mut value = 0_i64;
        let mut decimals = 0;
        let mut point = usize::MAX;
        loop {
            let byte = *self.bytes.get(self.at)?;
            let digit = byte.wrapping_sub(b'0');
            if digit <= 9 {
                value = value.wrapping_mul(10).wrapping_add(i64::from(digit));
            } else if byte == b'.' && point == usize::MAX && self.at > start {
                point = self.at;
            } else if byte == b'"' {
                break;
            } else {
                return None;
            }
            self.at += 1;
        }
        let text = &self.bytes[start..self.at];
        self.at += 1;
        if point != usize::MAX {
            decimals = start + text.len() - point - 1;
            if decimals == 0 {
                return None;
            }
        }
        // Eighteen digits and a point fit; what is longer or finer takes the careful way.
        if text.is_empty() || text.len() > 18 || decimals != usize::from(scale.digits()) {
            return decimal::parse(text, scale).ok();
        }
        Some(value)
    }

    #[inline]
    pub(crate) fn px(&mut self, scale: Scale) -> Option<Px> {
        self.decimal(scale).map(Px::new)
    }

    #[inline]
    pub(crate) fn qty(&mut self, scale: Scale) -> Option<Qty> {
        self.decimal(scale).and_then(|mantissa| Qty::new(mantissa).ok())
    }

    /// A list of price and size pairs.
    #[inline]
    pub(crate) fn levels(
        &mut self,
        side: Side,
        (px, qty): (Scale, Scale),
        out: &mut Vec<Level>,
    ) -> Option<()> {
        self.eat(b"[")?;
        if self.eat(b"]").is_some() {
            return Some(());
        }
        loop {
            self.eat(b"[")?;
            let px = self.px(px)?;
            self.eat(b",")?;
            let qty = self.qty(qty)?;
            out.push(Level { px, qty, side });
            self.eat(b"]")?;
            match self.peek()? {
                b',' => self.at += 1,
                b']' => break,
                _ => return None,
            }
        }
        self.at += 1;
        Some(())
    }

    /// Steps over a text, a number or a truth value.
    #[inline]
    pub(crate) fn pass(&mut self) -> Option<()> {
        match self.peek()? {
            b'"' => self.text().map(|_| ()),
            b't' | b'f' => self.bool().map(|_| ()),
            b'0'..=b'9' => self.whole().map(|_| ()),
            _ => None,
        }
    }

    /// What stands behind a member: another one (`true`), or the end of the object.
    #[inline]
    pub(crate) fn more(&mut self) -> Option<bool> {
        let byte = self.peek()?;
        self.at += 1;
        match byte {
            b',' => Some(true),
            b'}' => Some(false),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scale(digits: u8) -> Scale {
        Scale::new(digits).unwrap()
    }

    fn decimal(text: &str, digits: u8) -> Option<i64> {
        Scan::new(format!("\"{text}\"").as_bytes()).decimal(scale(digits))
    }

    #[test]
    fn decimals_become_mantissas_or_take_the_general_road() {
        assert_eq!(decimal("61837.63000000", 8), Some(6_183_763_000_000));
        assert_eq!(decimal("61837.63000000", 2), Some(6_183_763));
        assert_eq!(decimal("159", 0), Some(159));
        assert_eq!(decimal("159", 2), Some(15_900));
        for text in ["", ".", "1.", ".5", "1.2.3", "NaN", "1,000", "0.001", "99999999999999999999"]
        {
            assert_eq!(decimal(text, 2), None, "{text}");
        }
    }

    #[test]
    fn shapes_that_are_not_compact_json_are_refused() {
        assert_eq!(Scan::new(b"\"a\\u0041\"").text(), None);
        assert_eq!(Scan::new(b"\"a").text(), None);
        assert_eq!(Scan::new(b"\"\xff\"").text(), None);
        for number in ["", "-1", "1234567890123456789", "007"] {
            assert_eq!(Scan::new(number.as_bytes()).whole(), None, "{number}");
        }
        let mut out = Vec::new();
        for list in ["[[\"1\",\"2\"]", "[[\"1\",\"-2\"]]", "[[\"1\"]]", "[[\"1\",\"2\"],]", "[1]"] {
            let scales = (scale(0), scale(0));
            assert_eq!(
                Scan::new(list.as_bytes()).levels(Side::Buy, scales, &mut out),
                None,
                "{list}"
            );
        }
    }

    proptest! {
        #[test]
        fn the_scanner_and_the_parser_agree(text in "[0-9.]{0,22}", digits in 0_u8..=18) {
            let parsed = decimal::parse(text.as_bytes(), scale(digits)).ok();
            prop_assert_eq!(decimal(&text, digits), parsed);
        }
    }
}
