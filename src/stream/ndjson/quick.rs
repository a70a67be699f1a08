//! Hot kinds in the shapes that we and most others write them: the quick road into a batch.
//!
//! Each function reads one shape and gives up at the first byte that differs; the general road
//! then reads the line from its start. So nothing here decides what is valid, only what is common.
//! The end of a line is part of its shape: nobody looks for it before.

use qt_model::decimal;
use qt_model::digits;
use qt_model::ids::InstrumentId;
use qt_model::record::{Batch, Depth, Head, Level, Quote, Trade};
use qt_model::time::{TEXT_LEN, Ts, TsReader};
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::{DepthAction, Side};

use crate::symbols::Symbols;

/// Reads lines of the common shapes; keeps what repeats from line to line.
#[derive(Debug, Default)]
pub(crate) struct Quick {
    event: TsReader,
    recv: TsReader,
    levels: Vec<Level>,
    last: Option<Last>,
    /// What a record without `ts_recv` adds to its `ts_event`.
    pub(super) feed_latency_ns: i64,
    /// The number of a record without one.
    pub(super) next_seq: u64,
    /// When the last record was received.
    pub(super) last_recv: Ts,
}

/// The instrument of the line before: mostly its symbol stands in the next line again.
#[derive(Debug)]
struct Last {
    instrument: InstrumentId,
    px_scale: Scale,
    qty_scale: Scale,
    /// The symbol with the quote behind it, and its first bytes as a word.
    text: Vec<u8>,
    word: u128,
    mask: u128,
}

impl Last {
    fn new(symbol: &[u8], instrument: InstrumentId, (px_scale, qty_scale): (Scale, Scale)) -> Self {
        let text = [symbol, b"\""].concat();
        let (mut word, mut mask) = ([0; 16], [0; 16]);
        for (at, byte) in text.iter().take(16).enumerate() {
            (word[at], mask[at]) = (*byte, 0xff);
        }
        let [word, mask] = [word, mask].map(u128::from_le_bytes);
        Self { instrument, px_scale, qty_scale, text, word, mask }
    }

    /// Whether a line goes on with this symbol.
    #[inline(always)]
    fn stands_in(&self, rest: &[u8]) -> bool {
        let Some(first) = rest.first_chunk() else { return false };
        let is_short = self.text.len() <= 16;
        u128::from_le_bytes(*first) & self.mask == self.word
            && (is_short || rest.starts_with(&self.text))
    }
}

/// A line, with what follows it, and how far it is read.
struct Cursor<'a> {
    line: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Steps over a text that must stand here.
    #[inline(always)]
    fn expect(&mut self, text: &[u8]) -> Option<()> {
        let end = self.at + text.len();
        (self.line.get(self.at..end)? == text).then(|| self.at = end)
    }

    #[inline(always)]
    fn accept(&mut self, text: &[u8]) -> bool {
        self.expect(text).is_some()
    }

    /// A time as we write it, or as whole nanoseconds.
    #[inline(always)]
    fn ts(&mut self, reader: &mut TsReader) -> Option<Ts> {
        if !self.accept(b"\"") {
            let nanos = match self.nineteen() {
                Some(nanos) => nanos,
                None => self.whole()?,
            };
            return i64::try_from(nanos).ok().map(Ts::from_nanos);
        }
        let text: &[u8; TEXT_LEN] = self.line.get(self.at..self.at + TEXT_LEN)?.try_into().ok()?;
        self.at += TEXT_LEN;
        let ts = reader.parse_own(text)?;
        self.expect(b"\"")?;
        Some(ts)
    }

    /// A whole number of nineteen digits, as nanoseconds of our days have.
    #[inline(always)]
    fn nineteen(&mut self) -> Option<u64> {
        let text: &[u8; 20] = self.line.get(self.at..)?.first_chunk()?;
        let (high, rest) = text.split_first_chunk().expect("eight of twenty");
        let (middle, rest) = rest.split_first_chunk().expect("eight of twelve");
        let (high, middle) = (digits::take_eight(*high)?, digits::take_eight(*middle)?);
        let low = rest[..3].iter().try_fold(0, |low, byte| {
            byte.is_ascii_digit().then(|| 10 * low + u64::from(byte - b'0'))
        })?;
        if text[0] == b'0' || rest[3].is_ascii_digit() {
            return None;
        }
        self.at += 19;
        Some((u64::from(high) * 100_000_000 + u64::from(middle)) * 1_000 + low)
    }

    /// A number of digits and at most one point, unquoted, at the scale. What may follow a number
    /// is for the caller to expect.
    #[inline(always)]
    fn number(&mut self, scale: Scale) -> Option<i64> {
        match self.short_number(scale) {
            Some(value) => Some(value),
            None => self.any_number(scale),
        }
    }

    /// Up to seven digits, a point, and as many digits as the scale has, up to seven.
    #[inline(always)]
    fn short_number(&mut self, scale: Scale) -> Option<i64> {
        let rest = self.line.get(self.at..)?;
        let (units, whole) = digits::up_to_seven(*rest.first_chunk()?)?;
        let behind = rest.get(whole + 1..)?;
        let (parts, decimals) = digits::up_to_seven(*behind.first_chunk()?)?;
        // JSON knows no zero before other digits.
        let is_json = whole == 1 || (whole > 1 && rest[0] != b'0');
        if !is_json || rest[whole] != b'.' || decimals != usize::from(scale.digits()) {
            return None;
        }
        self.at += whole + 1 + decimals;
        (decimals > 0).then(|| i64::from(units) * scale.unit() + i64::from(parts))
    }

    #[inline(never)]
    fn any_number(&mut self, scale: Scale) -> Option<i64> {
        let start = self.at;
        let negative = self.line.get(start) == Some(&b'-');
        let first = start + usize::from(negative);
        let (units, whole) = digits::leading(self.line.get(first..)?);
        let mut at = first + whole;
        let (mut parts, mut decimals) = (0, 0);
        if self.line.get(at) == Some(&b'.') {
            (parts, decimals) = digits::leading(&self.line[at + 1..]);
            if decimals == 0 {
                return None;
            }
            at += 1 + decimals;
        }
        if whole > 1 && self.line.get(first) == Some(&b'0') {
            return None;
        }
        // Eighteen digits cannot wrap; what has more of them takes the general road.
        let missing = usize::from(scale.digits()).checked_sub(decimals)?;
        if whole == 0 || whole + decimals + missing > 18 {
            return None;
        }
        let unit = |digits: usize| Some(Scale::new(digits as u8).ok()?.unit().unsigned_abs());
        let value = (units * unit(decimals)? + parts) * unit(missing)?;
        let value = value.cast_signed();
        debug_assert!(value <= decimal::MAX_MANTISSA);
        self.at = at;
        Some(if negative { -value } else { value })
    }

    #[inline(always)]
    fn whole(&mut self) -> Option<u64> {
        let start = self.at;
        let (value, digits) = digits::leading(self.line.get(start..)?);
        self.at += digits;
        let is_json = digits == 1 || self.line.get(start) != Some(&b'0');
        // Nineteen digits cannot wrap.
        ((1..=19).contains(&digits) && is_json).then_some(value)
    }

    #[inline(always)]
    fn optional_whole(&mut self, name: &[u8]) -> Option<Option<u64>> {
        if self.accept(name) { self.whole().map(Some) } else { Some(None) }
    }

    /// Up to the closing quote of a string without escapes.
    #[inline(always)]
    fn plain_string(&mut self) -> Option<&'a [u8]> {
        let rest = self.line.get(self.at..)?;
        let len = rest.iter().take(121).position(|byte| *byte == b'"')?;
        self.at += len + 1;
        let text = &rest[..len];
        (!text.contains(&b'\\')).then_some(text)
    }

    /// `,"side":"buy"` or the other, if one stands here. Which of them is a coin's flip, so it is
    /// chosen and not branched on.
    #[inline(always)]
    fn side(&mut self) -> Option<Side> {
        const NAME: &[u8; 9] = br#","side":""#;
        let text: &[u8; 14] = self.line.get(self.at..)?.first_chunk()?;
        let (name, word) = text.split_first_chunk().expect("nine of fourteen");
        let word = u64::from_le_bytes([word[0], word[1], word[2], word[3], word[4], 0, 0, 0]);
        let is_buy = word & 0xff == u64::from(b'b');
        let (side, expected, bytes) = match is_buy {
            true => (Side::Buy, u64::from_le_bytes(*b"buy\"\0\0\0\0"), 4),
            false => (Side::Sell, u64::from_le_bytes(*b"sell\"\0\0\0"), 5),
        };
        let mask = (1 << (8 * bytes)) - 1;
        (name == NAME && word & mask == expected).then(|| {
            self.at += NAME.len() + bytes;
            side
        })
    }

    /// The end of the line, and nothing before it.
    #[inline(always)]
    fn end(&mut self) -> Option<()> {
        if !self.accept(b"}\n") {
            self.expect(b"}\r\n")?;
        }
        Some(())
    }
}

impl Quick {
    /// Reads the line at the start of a text into the batch and returns its length; `None`, and
    /// nothing done, where the shape is another or the line is not whole.
    #[inline]
    pub(crate) fn push(
        &mut self,
        text: &[u8],
        symbols: &mut Symbols,
        batch: &mut Batch,
    ) -> Option<usize> {
        let mut cursor = Cursor { line: text, at: 0 };
        cursor.expect(br#"{"k":""#)?;
        match cursor.line.get(cursor.at)? {
            b't' => self.trade(cursor, symbols, batch),
            b'd' => self.depth(cursor, symbols, batch),
            b'q' => self.quote(cursor, symbols, batch),
            _ => None,
        }
    }

    /// Takes note of the record that was read last.
    #[inline(always)]
    pub(super) fn follow(&mut self, head: &Head) {
        self.next_seq = head.seq.wrapping_add(1);
        self.last_recv = head.ts_recv;
    }

    /// The clocks and the symbol, which stand first; the sequence number, which stands last, is
    /// filled in at the end.
    #[inline(always)]
    fn head(
        &mut self,
        cursor: &mut Cursor<'_>,
        symbols: &mut Symbols,
    ) -> Option<(Head, Scale, Scale)> {
        let event = match cursor.accept(br#","ts_event":"#) {
            true => Some(cursor.ts(&mut self.event)?),
            false => None,
        };
        let ts_recv = match (cursor.accept(br#","ts_recv":"#), event) {
            (true, _) => cursor.ts(&mut self.recv)?,
            (false, Some(event)) => event.checked_add_nanos(self.feed_latency_ns)?,
            (false, None) => return None,
        };
        cursor.expect(br#","sym":""#)?;
        let last = match &self.last {
            Some(last) if last.stands_in(cursor.line.get(cursor.at..)?) => {
                cursor.at += last.text.len();
                last
            }
            Some(_) | None => {
                let text = cursor.plain_string()?;
                let found = symbols.find(text)?;
                self.last.insert(Last::new(text, found, symbols.scales(found)))
            }
        };
        let head = Head {
            ts_event: event.unwrap_or(ts_recv),
            ts_recv,
            seq: 0,
            instrument: Some(last.instrument),
            has_event_time: event.is_some(),
        };
        Some((head, last.px_scale, last.qty_scale))
    }

    #[inline(always)]
    fn tail(&self, cursor: &mut Cursor<'_>) -> Option<u64> {
        let seq = match cursor.accept(br#","seq":"#) {
            true => cursor.whole()?,
            false => self.next_seq,
        };
        cursor.end()?;
        Some(seq)
    }

    #[inline]
    fn trade(
        &mut self,
        mut cursor: Cursor<'_>,
        symbols: &mut Symbols,
        batch: &mut Batch,
    ) -> Option<usize> {
        cursor.expect(br#"trade""#)?;
        let (mut head, px_scale, qty_scale) = self.head(&mut cursor, symbols)?;
        cursor.expect(br#","px":"#)?;
        let px = Px::new(cursor.number(px_scale)?);
        cursor.expect(br#","qty":"#)?;
        let qty = Qty::new(cursor.number(qty_scale)?).ok()?;
        let side = cursor.side();
        let id = cursor.optional_whole(br#","id":"#)?;
        head.seq = self.tail(&mut cursor)?;
        self.follow(&head);
        batch.push_row(Trade { head, px, qty, side, id }, &[]);
        Some(cursor.at)
    }

    #[inline]
    fn quote(
        &mut self,
        mut cursor: Cursor<'_>,
        symbols: &mut Symbols,
        batch: &mut Batch,
    ) -> Option<usize> {
        cursor.expect(br#"quote""#)?;
        let (mut head, px_scale, qty_scale) = self.head(&mut cursor, symbols)?;
        let px = |name: &[u8], cursor: &mut Cursor<'_>| {
            if cursor.accept(name) {
                Some(Some(Px::new(cursor.number(px_scale)?)))
            } else {
                Some(None)
            }
        };
        let qty = |name: &[u8], cursor: &mut Cursor<'_>| {
            if !cursor.accept(name) {
                return Some(None);
            }
            Some(Some(Qty::new(cursor.number(qty_scale)?).ok()?))
        };
        let bid_px = px(br#","bid_px":"#, &mut cursor)?;
        let bid_qty = qty(br#","bid_qty":"#, &mut cursor)?;
        let ask_px = px(br#","ask_px":"#, &mut cursor)?;
        let ask_qty = qty(br#","ask_qty":"#, &mut cursor)?;
        let id = cursor.optional_whole(br#","id":"#)?;
        head.seq = self.tail(&mut cursor)?;
        self.follow(&head);
        batch.push_row(Quote { head, bid_px, bid_qty, ask_px, ask_qty, id }, &[]);
        Some(cursor.at)
    }

    #[inline]
    fn depth(
        &mut self,
        mut cursor: Cursor<'_>,
        symbols: &mut Symbols,
        batch: &mut Batch,
    ) -> Option<usize> {
        cursor.expect(br#"depth""#)?;
        let (mut head, px_scale, qty_scale) = self.head(&mut cursor, symbols)?;
        let action = if cursor.accept(br#","action":"delta""#) {
            DepthAction::Delta
        } else {
            cursor.expect(br#","action":"snapshot""#)?;
            DepthAction::Snapshot
        };
        let first_id = cursor.optional_whole(br#","first_id":"#)?;
        let last_id = cursor.optional_whole(br#","last_id":"#)?;
        let prev_id = cursor.optional_whole(br#","prev_id":"#)?;
        self.levels.clear();
        for (name, side) in [(&br#","bids":["#[..], Side::Buy), (br#","asks":["#, Side::Sell)] {
            cursor.expect(name)?;
            if cursor.accept(b"]") {
                continue;
            }
            loop {
                cursor.expect(b"[")?;
                let px = Px::new(cursor.number(px_scale)?);
                cursor.expect(b",")?;
                let qty = Qty::new(cursor.number(qty_scale)?).ok()?;
                cursor.expect(b"]")?;
                self.levels.push(Level { px, qty, side });
                if cursor.accept(b"]") {
                    break;
                }
                cursor.expect(b",")?;
            }
        }
        head.seq = self.tail(&mut cursor)?;
        self.follow(&head);
        batch.push_row(Depth { head, action, first_id, last_id, prev_id }, &self.levels);
        Some(cursor.at)
    }
}
