//! Hot kinds in the shapes that we and most others write them: the quick road into a batch.
//!
//! Each function reads one shape and gives up at the first byte that differs; the general road
//! then reads the line from its start. So nothing here decides what is valid, only what is common.

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
    /// The last instrument, and its symbol with the quote behind it.
    last: Option<InstrumentId>,
    last_text: Vec<u8>,
    /// What a record without `ts_recv` adds to its `ts_event`.
    pub(super) feed_latency_ns: i64,
    /// The number of a record without one.
    pub(super) next_seq: u64,
}

/// A line and how far it is read.
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
            return i64::try_from(self.whole()?).ok().map(Ts::from_nanos);
        }
        let text: &[u8; TEXT_LEN] = self.line.get(self.at..self.at + TEXT_LEN)?.try_into().ok()?;
        self.at += TEXT_LEN;
        let ts = reader.parse_own(text)?;
        self.expect(b"\"")?;
        Some(ts)
    }

    /// A number of digits and at most one point, unquoted, at the scale.
    #[inline(always)]
    fn number(&mut self, scale: Scale) -> Option<i64> {
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
        // JSON knows no zero before other digits.
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
        // A sign of an exponent, or of a shape not known here.
        if matches!(self.line.get(at), Some(b'e' | b'E' | b'.')) {
            return None;
        }
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

    #[inline(always)]
    fn end(&self) -> Option<()> {
        (self.at == self.line.len()).then_some(())
    }
}

impl Quick {
    /// Reads a line into the batch; `None`, and nothing done, where the shape is another.
    #[inline]
    pub(crate) fn push(
        &mut self,
        line: &[u8],
        symbols: &mut Symbols,
        batch: &mut Batch,
    ) -> Option<()> {
        let mut cursor = Cursor { line, at: 0 };
        cursor.expect(br#"{"k":""#)?;
        match cursor.line.get(cursor.at)? {
            b't' => self.trade(cursor, symbols, batch),
            b'd' => self.depth(cursor, symbols, batch),
            b'q' => self.quote(cursor, symbols, batch),
            _ => None,
        }
    }

    /// The clocks and the symbol, which stand first; the sequence number, which stands last, is
    /// filled in at the end.
    #[inline(always)]
    fn head(
        &mut self,
        cursor: &mut Cursor<'_>,
        symbols: &mut Symbols,
    ) -> Option<(Head, InstrumentId)> {
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
        let instrument = match self.last {
            // Mostly the symbol of the line before stands here again.
            Some(last) if cursor.accept(&self.last_text) => last,
            Some(_) | None => {
                let text = cursor.plain_string()?;
                let found = symbols.find(text)?;
                self.last = Some(found);
                self.last_text.clear();
                self.last_text.extend_from_slice(text);
                self.last_text.push(b'"');
                found
            }
        };
        let head = Head {
            ts_event: event.unwrap_or(ts_recv),
            ts_recv,
            seq: 0,
            instrument: Some(instrument),
            has_event_time: event.is_some(),
        };
        Some((head, instrument))
    }

    #[inline(always)]
    fn tail(&self, cursor: &mut Cursor<'_>) -> Option<u64> {
        let seq = match cursor.accept(br#","seq":"#) {
            true => cursor.whole()?,
            false => self.next_seq,
        };
        cursor.expect(b"}")?;
        cursor.end()?;
        Some(seq)
    }

    #[inline]
    fn trade(
        &mut self,
        mut cursor: Cursor<'_>,
        symbols: &mut Symbols,
        batch: &mut Batch,
    ) -> Option<()> {
        cursor.expect(br#"trade""#)?;
        let (mut head, instrument) = self.head(&mut cursor, symbols)?;
        let (px_scale, qty_scale) = symbols.scales(instrument);
        cursor.expect(br#","px":"#)?;
        let px = Px::new(cursor.number(px_scale)?);
        cursor.expect(br#","qty":"#)?;
        let qty = Qty::new(cursor.number(qty_scale)?).ok()?;
        let side = if cursor.accept(br#","side":"buy""#) {
            Some(Side::Buy)
        } else if cursor.accept(br#","side":"sell""#) {
            Some(Side::Sell)
        } else {
            None
        };
        let id = cursor.optional_whole(br#","id":"#)?;
        head.seq = self.tail(&mut cursor)?;
        batch.push_row(Trade { head, px, qty, side, id }, &[]);
        Some(())
    }

    #[inline]
    fn quote(
        &mut self,
        mut cursor: Cursor<'_>,
        symbols: &mut Symbols,
        batch: &mut Batch,
    ) -> Option<()> {
        cursor.expect(br#"quote""#)?;
        let (mut head, instrument) = self.head(&mut cursor, symbols)?;
        let (px_scale, qty_scale) = symbols.scales(instrument);
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
        batch.push_row(Quote { head, bid_px, bid_qty, ask_px, ask_qty, id }, &[]);
        Some(())
    }

    #[inline]
    fn depth(
        &mut self,
        mut cursor: Cursor<'_>,
        symbols: &mut Symbols,
        batch: &mut Batch,
    ) -> Option<()> {
        cursor.expect(br#"depth""#)?;
        let (mut head, instrument) = self.head(&mut cursor, symbols)?;
        let action = if cursor.accept(br#","action":"delta""#) {
            DepthAction::Delta
        } else {
            cursor.expect(br#","action":"snapshot""#)?;
            DepthAction::Snapshot
        };
        let first_id = cursor.optional_whole(br#","first_id":"#)?;
        let last_id = cursor.optional_whole(br#","last_id":"#)?;
        let prev_id = cursor.optional_whole(br#","prev_id":"#)?;
        let (px_scale, qty_scale) = symbols.scales(instrument);
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
        batch.push_row(Depth { head, action, first_id, last_id, prev_id }, &self.levels);
        Some(())
    }
}
