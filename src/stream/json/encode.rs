//! Records to NDJSON: hot kinds by hand, every kind by its fields, with equal bytes.

mod features;

use std::sync::Arc;

use qt_model::decimal::{self, SAFE_MANTISSA};
use qt_model::instrument::Instruments;
use qt_model::record::{Batch, Depth, Field, Head, Kind, Level, Quote, Record, Trade, Value};
use qt_model::time::TsWriter;
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::{DepthAction, Side};
use rust_decimal::Decimal;

use super::general::Scales;
use super::line::{LEVELS, Padded, Page, Pen};

/// Writes records as lines; keeps what repeats from record to record.
#[derive(Debug, Default)]
pub struct Encoder {
    clocks: Clocks,
    known: Vec<Known>,
    page: Page,
    /// The set of the last row of features, and how its line goes on with it.
    set: Option<(Arc<str>, Vec<u8>)>,
    /// The fields of a record of a kind that is not written by hand.
    spare: Vec<u8>,
}

#[derive(Debug, Default)]
struct Clocks {
    event: TsWriter,
    recv: TsWriter,
}

/// What every record of an instrument repeats.
#[derive(Debug)]
struct Known {
    /// `","sym":"venue:NAME"`, which begins with the end of a time.
    symbol: Padded,
    scales: Scales,
}

impl Encoder {
    /// The records of a batch, a line each. The text lies here until the next call.
    pub fn lines(&mut self, batch: &Batch) -> &[u8] {
        self.know(batch.instruments());
        self.page.clear();
        (0..batch.len()).for_each(|at| self.line(batch, at));
        self.page.text()
    }

    /// Writes the record at a place of a batch, whose instruments are known.
    #[inline]
    fn line(&mut self, batch: &Batch, at: usize) {
        let slot = batch.slots()[at];
        let index = slot.index as usize;
        match slot.kind {
            Kind::Trade => self.trade(&batch.rows()[index]),
            Kind::Depth => self.depth(&batch.rows()[index], batch.levels(index)),
            Kind::Quote => self.quote(&batch.rows()[index]),
            Kind::Feature => self.feature(&batch.rows()[index]),
            _ => self.general(&batch.get(at)),
        }
    }

    /// Appends the records of a batch, a line each.
    pub fn batch(&mut self, batch: &Batch, out: &mut Vec<u8>) {
        out.extend_from_slice(self.lines(batch));
    }

    /// Appends one record of those instruments.
    pub fn record(&mut self, record: &Record<'_>, instruments: &Instruments, out: &mut Vec<u8>) {
        self.know(instruments);
        self.page.clear();
        match record {
            Record::Trade(view) => self.trade(view.row),
            Record::Quote(view) => self.quote(view.row),
            Record::Depth(view) => self.depth(view.row, view.levels),
            _ => self.general(record),
        }
        out.extend_from_slice(self.page.text());
    }

    pub(crate) fn know(&mut self, instruments: &Instruments) {
        for instrument in instruments.iter().skip(self.known.len()) {
            let symbol = Padded::new(format!(r#"","sym":"{}""#, instrument.symbol).as_bytes());
            let scales = Scales { px: instrument.px_scale, qty: instrument.qty_scale };
            self.known.push(Known { symbol, scales });
        }
    }

    /// A pen, the clocks, and what is known of the instrument of a record.
    #[inline(always)]
    fn begin(&mut self, head: &Head) -> (Pen<'_>, &mut Clocks, Option<&Known>) {
        let known = head.instrument.map(|id| &self.known[id.index()]);
        (self.page.pen(), &mut self.clocks, known)
    }

    #[inline]
    fn trade(&mut self, row: &Trade) {
        let (mut pen, clocks, known) = self.begin(&row.head);
        let scales = scales(known);
        if row.head.has_event_time {
            pen.put(br#"{"k":"trade","ts_event":""#);
            clocks.both(&mut pen, &row.head, known);
        } else {
            pen.put(br#"{"k":"trade""#);
            clocks.head(&mut pen, &row.head, known);
        }
        pen.put(br#","px":"#);
        pen.number(row.px.mantissa(), scales.px);
        pen.put(br#","qty":"#);
        pen.number(row.qty.mantissa(), scales.qty);
        if let Some(side) = row.side {
            pen.side(side);
        }
        pen.id(br#","id":"#, row.id);
        pen.tail(row.head.seq);
        let written = pen.written();
        self.page.take(written);
    }

    #[inline]
    fn quote(&mut self, row: &Quote) {
        let (mut pen, clocks, known) = self.begin(&row.head);
        let scales = scales(known);
        pen.put(br#"{"k":"quote""#);
        clocks.head(&mut pen, &row.head, known);
        pen.optional(br#","bid_px":"#, row.bid_px.map(Px::mantissa), scales.px);
        pen.optional(br#","bid_qty":"#, row.bid_qty.map(Qty::mantissa), scales.qty);
        pen.optional(br#","ask_px":"#, row.ask_px.map(Px::mantissa), scales.px);
        pen.optional(br#","ask_qty":"#, row.ask_qty.map(Qty::mantissa), scales.qty);
        pen.id(br#","id":"#, row.id);
        pen.tail(row.head.seq);
        let written = pen.written();
        self.page.take(written);
    }

    #[inline]
    fn depth(&mut self, row: &Depth, levels: &[Level]) {
        let (mut pen, clocks, known) = self.begin(&row.head);
        let scales = scales(known);
        pen.put(br#"{"k":"depth""#);
        clocks.head(&mut pen, &row.head, known);
        match row.action {
            DepthAction::Snapshot => pen.put(br#","action":"snapshot""#),
            DepthAction::Delta => pen.put(br#","action":"delta""#),
        }
        pen.id(br#","first_id":"#, row.first_id);
        pen.id(br#","last_id":"#, row.last_id);
        pen.id(br#","prev_id":"#, row.prev_id);
        pen.put(br#","bids":["#);
        let written = pen.written();
        self.page.take(written);
        // Bids stand before asks in every batch.
        let asks = levels.partition_point(|level| level.side == Side::Buy);
        self.levels(&levels[..asks], scales);
        let mut pen = self.page.pen();
        pen.put(br#"],"asks":["#);
        let written = pen.written();
        self.page.take(written);
        self.levels(&levels[asks..], scales);
        let mut pen = self.page.pen();
        pen.put(b"]");
        pen.tail(row.head.seq);
        let written = pen.written();
        self.page.take(written);
    }

    #[inline(always)]
    fn levels(&mut self, levels: &[Level], scales: Scales) {
        let mut is_first = true;
        for levels in levels.chunks(LEVELS) {
            let mut pen = self.page.pen();
            for level in levels {
                if !std::mem::take(&mut is_first) {
                    pen.put(b",");
                }
                pen.put(b"[");
                pen.number(level.px.mantissa(), scales.px);
                pen.put(b",");
                pen.number(level.qty.mantissa(), scales.qty);
                pen.put(b"]");
            }
            let written = pen.written();
            self.page.take(written);
        }
    }

    /// Any kind, by its fields.
    fn general(&mut self, record: &Record<'_>) {
        let mut out = std::mem::take(&mut self.spare);
        out.clear();
        if let Record::Other(view) = record {
            out.extend_from_slice(view.json.as_bytes());
            out.push(b'\n');
        } else {
            let (kind, head) = (record.kind(), record.head());
            self.page.extend(format!(r#"{{"k":"{}""#, kind.name()).as_bytes());
            let (mut pen, clocks, known) = self.begin(head);
            let scales = scales(known);
            clocks.head(&mut pen, head, known);
            let written = pen.written();
            self.page.take(written);
            for (at, described) in kind.fields().iter().enumerate() {
                field(described, &record.value(at), scales, &mut out);
            }
            if kind == Kind::Depth {
                book(record.levels(), scales, &mut out);
            }
            tail(head.seq, &mut out);
        }
        self.page.extend(&out);
        self.spare = out;
    }
}

impl Clocks {
    /// Both clocks, whose first name stands there already, and the symbol.
    #[inline(always)]
    fn both(&mut self, pen: &mut Pen<'_>, head: &Head, known: Option<&Known>) {
        pen.instant(&mut self.event, head.ts_event);
        pen.put(br#"","ts_recv":""#);
        self.received(pen, head, known);
    }

    /// The clocks and the symbol.
    #[inline(always)]
    fn head(&mut self, pen: &mut Pen<'_>, head: &Head, known: Option<&Known>) {
        if head.has_event_time {
            pen.put(br#","ts_event":""#);
            return self.both(pen, head, known);
        }
        pen.put(br#","ts_recv":""#);
        self.received(pen, head, known);
    }

    #[inline(always)]
    fn received(&mut self, pen: &mut Pen<'_>, head: &Head, known: Option<&Known>) {
        pen.instant(&mut self.recv, head.ts_recv);
        match known {
            Some(known) => pen.padded(&known.symbol),
            None => pen.put(b"\""),
        }
    }
}

#[inline(always)]
fn scales(known: Option<&Known>) -> Scales {
    known.map_or_else(Scales::default, |known| known.scales)
}

impl Pen<'_> {
    /// A number, or a string where a tool in the middle might bend its digits.
    #[inline(always)]
    fn number(&mut self, mantissa: i64, scale: Scale) {
        if mantissa.unsigned_abs() < SAFE_MANTISSA {
            return self.decimal(mantissa, scale);
        }
        self.put(b"\"");
        self.decimal(mantissa, scale);
        self.put(b"\"");
    }

    #[inline(always)]
    fn optional<const N: usize>(&mut self, name: &[u8; N], mantissa: Option<i64>, scale: Scale) {
        if let Some(mantissa) = mantissa {
            self.put(name);
            self.number(mantissa, scale);
        }
    }

    #[inline(always)]
    fn id<const N: usize>(&mut self, name: &[u8; N], id: Option<u64>) {
        if let Some(id) = id {
            self.put(name);
            self.whole(id);
        }
    }

    /// Which side is a coin's flip, so it is chosen and not branched on.
    #[inline(always)]
    fn side(&mut self, side: Side) {
        let (text, len) = match side {
            Side::Buy => (br#","side":"buy"  "#, 13),
            Side::Sell => (br#","side":"sell" "#, 14),
        };
        self.part(text, len);
    }

    /// The sequence number, which stands last.
    #[inline(always)]
    fn tail(&mut self, seq: u64) {
        self.put(br#","seq":"#);
        self.whole(seq);
        self.put(b"}\n");
    }
}

/// `,"name":value`, or nothing for an absent value.
pub(crate) fn field(field: &Field, value: &Value<'_>, scales: Scales, out: &mut Vec<u8>) {
    if *value == Value::Absent {
        return;
    }
    out.extend_from_slice(b",\"");
    out.extend_from_slice(field.name.as_bytes());
    out.extend_from_slice(b"\":");
    self::value(field, value, scales, out);
}

/// The JSON text of a value; `null` for an absent one.
pub(crate) fn value(field: &Field, value: &Value<'_>, scales: Scales, out: &mut Vec<u8>) {
    match value {
        Value::Absent => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::U64(value) => whole(*value, out),
        Value::F64(value) => float(*value, out),
        Value::Ts(ts) => {
            out.push(b'"');
            ts.write(out);
            out.push(b'"');
        }
        Value::Px(px) => number(px.mantissa(), scales.px, out),
        Value::Qty(qty) => number(qty.mantissa(), scales.qty, out),
        Value::Decimal(value) => money(*value, out),
        Value::Text(text) => string(text, out),
        Value::Word(index) => {
            let qt_model::record::FieldType::Word(words) = field.ty else {
                unreachable!("a word stands in a field of words");
            };
            string(words[*index], out);
        }
        Value::F64List(list) => {
            out.push(b'[');
            for (at, value) in list.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                match value {
                    Some(value) => float(*value, out),
                    None => out.extend_from_slice(b"null"),
                }
            }
            out.push(b']');
        }
    }
}

fn book(levels: &[Level], scales: Scales, out: &mut Vec<u8>) {
    let mut side = |name: &[u8], side: Side| {
        out.extend_from_slice(name);
        let mut first = true;
        for level in levels.iter().filter(|level| level.side == side) {
            out.extend_from_slice(if first { b"[" } else { b",[" });
            number(level.px.mantissa(), scales.px, out);
            out.push(b',');
            number(level.qty.mantissa(), scales.qty, out);
            out.push(b']');
            first = false;
        }
        out.push(b']');
    };
    side(br#","bids":["#, Side::Buy);
    side(br#","asks":["#, Side::Sell);
}

/// A number, or a string where a tool in the middle might bend its digits.
#[inline]
fn number(mantissa: i64, scale: Scale, out: &mut Vec<u8>) {
    if mantissa.unsigned_abs() < SAFE_MANTISSA {
        decimal::write(mantissa, scale, out);
    } else {
        out.push(b'"');
        decimal::write(mantissa, scale, out);
        out.push(b'"');
    }
}

fn money(value: Decimal, out: &mut Vec<u8>) {
    let value = value.normalize();
    let safe = value.mantissa().unsigned_abs() < u128::from(SAFE_MANTISSA);
    let quote: &[u8] = if safe { b"" } else { b"\"" };
    out.extend_from_slice(quote);
    out.extend_from_slice(value.to_string().as_bytes());
    out.extend_from_slice(quote);
}

#[inline]
fn whole(value: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// The shortest text that reads back to the same double.
fn float(value: f64, out: &mut Vec<u8>) {
    serde_json::to_writer(out, &value).expect("a vector takes every byte");
}

fn string(text: &str, out: &mut Vec<u8>) {
    serde_json::to_writer(out, text).expect("a vector takes every byte");
}

#[inline]
fn tail(seq: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(br#","seq":"#);
    whole(seq, out);
    out.extend_from_slice(b"}\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn the_quick_forms_equal_the_general_one() {
        let batch = sample::every_kind();
        let mut quick = Vec::new();
        Encoder::default().batch(&batch, &mut quick);
        let mut general = Vec::new();
        let mut encoder = Encoder::default();
        encoder.know(batch.instruments());
        batch.iter().for_each(|record| encoder.general(&record));
        general.extend_from_slice(encoder.page.text());
        assert_eq!(String::from_utf8(quick).unwrap(), String::from_utf8(general).unwrap());
    }
}
