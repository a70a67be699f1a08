//! The pieces of a block: varints, texts, and numbers one behind the other.

/// Bytes that are read from the front.
#[derive(Clone, Debug)]
pub(super) struct Bytes<'a> {
    rest: &'a [u8],
}

impl<'a> Bytes<'a> {
    pub(super) fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        if count > self.rest.len() {
            return Err(format!("ends early: {count} bytes are due, {} are left", self.rest.len()));
        }
        let (taken, rest) = self.rest.split_at(count);
        self.rest = rest;
        Ok(taken)
    }

    /// So many values of a width.
    pub(super) fn values(&mut self, count: usize, width: usize) -> Result<&'a [u8], String> {
        let bytes = count.checked_mul(width).ok_or_else(|| format!("claims {count} values"))?;
        self.take(bytes)
    }

    pub(super) fn varint(&mut self) -> Result<usize, String> {
        let mut value = 0_u64;
        for shift in (0..63).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return usize::try_from(value).map_err(|_| format!("has a length of {value}"));
            }
        }
        Err("has a length that does not end".to_owned())
    }

    pub(super) fn text(&mut self) -> Result<&'a str, String> {
        let length = self.varint()?;
        std::str::from_utf8(self.take(length)?).map_err(|_| "has text that is not UTF-8".to_owned())
    }
}

pub(super) fn put_varint(mut value: usize, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(super) fn put_text(text: &str, out: &mut Vec<u8>) {
    put_varint(text.len(), out);
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_read_back() {
        for value in [0, 1, 127, 128, 300, 16_383, 16_384, 1 << 40] {
            let mut out = Vec::new();
            put_varint(value, &mut out);
            assert_eq!(Bytes::new(&out).varint(), Ok(value));
        }
        assert!(Bytes::new(&[0x80; 12]).varint().is_err());
        assert!(Bytes::new(&[3, b'a']).text().unwrap_err().contains("3 bytes are due, 1 are left"));
    }
}
