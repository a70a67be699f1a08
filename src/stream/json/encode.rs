//! Records to NDJSON: hot kinds by hand, every kind by its fields, with equal bytes.

use qt_model::decimal::{self, SAFE_MANTISSA};
use qt_model::instrument::Instruments;
use qt_model::record::{Batch, Depth, Field, Head, Kind, Level, Quote, Record, Trade, Value};
use qt_model::time::TsWriter;
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::{DepthAction, Side};
use rust_decimal::Decimal;

use super::general::Scales;
use super::line::{Padded, Page};

/// Writes records as lines; keeps what repeats from record to record.
#[derive(Debug, Default)]
pub struct Encoder {
    event: TsWriter,
    recv: TsWriter,
    known: Vec<Known>,
    page: Page,
    /// The fields of a record of a kind that is not written by hand.
    spare: Vec<u8>,
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
        let (trades, depths, quotes) = (batch.rows(), batch.rows(), batch.rows());
        for (at, slot) in batch.slots().iter().enumerate() {
            let index = slot.index as usize;
            self.page.make_room();
            match slot.kind {
                Kind::Trade => self.trade(&trades[index]),
                Kind::Depth => self.depth(&depths[index], batch.levels(index)),
                Kind::Quote => self.quote(&quotes[index]),
                _ => self.general(&batch.get(at)),
            }
        }
        self.page.text()
    }

    /// Appends the records of a batch, a line each.
    pub fn batch(&mut self, batch: &Batch, out: &mut Vec<u8>) {
        out.extend_from_slice(self.lines(batch));
    }

    /// Appends one record of those instruments.
    pub fn record(&mut self, record: &Record<'_>, instruments: &Instruments, out: &mut Vec<u8>) {
        self.know(instruments);
        self.page.clear();
        self.page.make_room();
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

    fn scales(&self, head: &Head) -> Scales {
        head.instrument.map_or_else(Scales::default, |id| self.known[id.index()].scales)
    }

    /// The clocks and the symbol.
    #[inline(always)]
    fn head(&mut self, head: &Head) {
        if head.has_event_time {
            self.page.put(br#","ts_event":""#);
            self.page.instant(&mut self.event, head.ts_event);
            self.page.put(b"\"");
        }
        self.page.put(br#","ts_recv":""#);
        self.page.instant(&mut self.recv, head.ts_recv);
        match head.instrument {
            Some(id) => self.page.padded(&self.known[id.index()].symbol),
            None => self.page.put(b"\""),
        }
    }

    #[inline]
    fn trade(&mut self, row: &Trade) {
        let scales = self.scales(&row.head);
        self.page.put(br#"{"k":"trade""#);
        self.head(&row.head);
        self.page.put(br#","px":"#);
        self.number(row.px.mantissa(), scales.px);
        self.page.put(br#","qty":"#);
        self.number(row.qty.mantissa(), scales.qty);
        match row.side {
            Some(Side::Buy) => self.page.put(br#","side":"buy""#),
            Some(Side::Sell) => self.page.put(br#","side":"sell""#),
            None => {}
        }
        self.id(br#","id":"#, row.id);
        self.tail(row.head.seq);
    }

    #[inline]
    fn quote(&mut self, row: &Quote) {
        let scales = self.scales(&row.head);
        self.page.put(br#"{"k":"quote""#);
        self.head(&row.head);
        self.optional(br#","bid_px":"#, row.bid_px.map(Px::mantissa), scales.px);
        self.optional(br#","bid_qty":"#, row.bid_qty.map(Qty::mantissa), scales.qty);
        self.optional(br#","ask_px":"#, row.ask_px.map(Px::mantissa), scales.px);
        self.optional(br#","ask_qty":"#, row.ask_qty.map(Qty::mantissa), scales.qty);
        self.id(br#","id":"#, row.id);
        self.tail(row.head.seq);
    }

    #[inline]
    fn depth(&mut self, row: &Depth, levels: &[Level]) {
        let scales = self.scales(&row.head);
        self.page.put(br#"{"k":"depth""#);
        self.head(&row.head);
        match row.action {
            DepthAction::Snapshot => self.page.put(br#","action":"snapshot""#),
            DepthAction::Delta => self.page.put(br#","action":"delta""#),
        }
        self.id(br#","first_id":"#, row.first_id);
        self.id(br#","last_id":"#, row.last_id);
        self.id(br#","prev_id":"#, row.prev_id);
        // Bids stand before asks in every batch.
        let asks = levels.partition_point(|level| level.side == Side::Buy);
        self.page.put(br#","bids":["#);
        self.levels(&levels[..asks], scales);
        self.page.put(br#"],"asks":["#);
        self.levels(&levels[asks..], scales);
        self.page.put(b"]");
        self.tail(row.head.seq);
    }

    #[inline(always)]
    fn levels(&mut self, levels: &[Level], scales: Scales) {
        for (at, level) in levels.iter().enumerate() {
            if at > 0 {
                self.page.put(b",");
            }
            self.page.put(b"[");
            self.number(level.px.mantissa(), scales.px);
            self.page.put(b",");
            self.number(level.qty.mantissa(), scales.qty);
            self.page.put(b"]");
            self.page.make_room();
        }
    }

    /// A number, or a string where a tool in the middle might bend its digits.
    #[inline(always)]
    fn number(&mut self, mantissa: i64, scale: Scale) {
        if mantissa.unsigned_abs() < SAFE_MANTISSA {
            return self.page.decimal(mantissa, scale);
        }
        self.page.put(b"\"");
        self.page.decimal(mantissa, scale);
        self.page.put(b"\"");
    }

    #[inline(always)]
    fn optional<const N: usize>(&mut self, name: &[u8; N], mantissa: Option<i64>, scale: Scale) {
        if let Some(mantissa) = mantissa {
            self.page.put(name);
            self.number(mantissa, scale);
        }
    }

    #[inline(always)]
    fn id<const N: usize>(&mut self, name: &[u8; N], id: Option<u64>) {
        if let Some(id) = id {
            self.page.put(name);
            self.page.whole(id);
        }
    }

    /// The sequence number, which stands last.
    #[inline(always)]
    fn tail(&mut self, seq: u64) {
        self.page.put(br#","seq":"#);
        self.page.whole(seq);
        self.page.put(b"}\n");
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
            self.page.make_room();
            self.head(head);
            let scales = self.scales(head);
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
