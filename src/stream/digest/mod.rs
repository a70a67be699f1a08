//! The digest of a stream: XXH3-128 over a canonical form of its records.
//!
//! Invariant: the form depends on the records alone, not on the encoding, so a stream has one
//! digest as NDJSON, Arrow, Parquet or CSV. Each record is a run of little-endian 64-bit words:
//! hash of the kind, hash of the symbol (0 for none), ts_event (0 if the venue gave none), ts_recv,
//! seq, a mask of the fields present (bit 63: the venue gave ts_event), then the present fields;
//! a depth record adds its number of levels and side, px, qty of each. `docs/stream-format.md` has
//! it in full.

mod columns;

use std::sync::Arc;

use qt_model::instrument::Instruments;
use qt_model::record::{
    Batch, Depth, Feature, Head, Kind, Level, Mbo, Quote, Record, Trade, Value,
};
use qt_model::words::Word;
use rust_decimal::Decimal;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::annotated::{Annotated, Item};

/// How many bytes gather before they are hashed in one go: a part of the nearest cache.
const GATHER: usize = 1 << 13;

/// The digest of the records so far, and their number.
#[derive(Clone)]
pub struct Digest {
    hash: Xxh3,
    gathered: Vec<u8>,
    kinds: Vec<u64>,
    symbols: Vec<u64>,
    records: u64,
}

impl Default for Digest {
    fn default() -> Self {
        let kinds = Kind::ALL.iter().map(|kind| xxh3_64(kind.name().as_bytes())).collect();
        let gathered = Vec::with_capacity(2 * GATHER);
        Self { hash: Xxh3::new(), gathered, kinds, symbols: Vec::new(), records: 0 }
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Digest").field("records", &self.records).finish_non_exhaustive()
    }
}

const HAS_EVENT_TIME: u64 = 1 << 63;

impl Digest {
    pub fn records(&self) -> u64 {
        self.records
    }

    /// The text that an `end` record carries.
    pub fn text(&self) -> String {
        let mut hash = self.hash.clone();
        hash.update(&self.gathered);
        format!("xxh3:{:032x}", hash.digest128())
    }

    pub fn update(&mut self, batch: &Batch) {
        self.update_from(batch, 0);
    }

    /// Takes in the records of the batch from that place on.
    pub fn update_from(&mut self, batch: &Batch, start: usize) {
        self.know(batch.instruments());
        (start..batch.len()).for_each(|at| self.record(batch, at));
        self.records += (batch.len() - start) as u64;
    }

    /// Takes in the records of an annotated batch.
    pub fn annotated(&mut self, annotated: &Annotated<'_>) {
        let Annotated { batch, rows, .. } = *annotated;
        self.know(batch.instruments());
        annotated.each(|item| match item {
            Item::Record(at) => self.record(batch, at),
            Item::Row(at, row) => {
                let marks = [row.warm, Some(row.flags)];
                let of = |value: &f64| if value.is_nan() { f64::NAN } else { *value };
                self.feature_of(batch.head(at), rows.set(), (row.values, of), marks);
                self.weigh();
            }
        });
        self.records += annotated.len() as u64;
    }

    /// Takes in the record at a place of a batch, whose instruments are known.
    #[inline]
    fn record(&mut self, batch: &Batch, at: usize) {
        let slot = batch.slots()[at];
        let index = slot.index as usize;
        match slot.kind {
            Kind::Trade => self.trade(&batch.rows::<Trade>()[index]),
            Kind::Depth => self.depth(&batch.rows::<Depth>()[index], batch.levels(index)),
            Kind::Feature => {
                let row = &batch.rows::<Feature>()[index];
                let of = |value: &Option<f64>| value.unwrap_or(f64::NAN);
                self.feature_of(&row.head, &row.set, (&row.values, of), [row.warm, row.flags]);
            }
            _ => self.push(&batch.get(at)),
        }
        self.weigh();
    }

    /// Hashes what gathered, once it is much.
    #[inline]
    fn weigh(&mut self) {
        if self.gathered.len() >= GATHER {
            self.hash.update(&self.gathered);
            self.gathered.clear();
        }
    }

    fn know(&mut self, instruments: &Arc<Instruments>) {
        let known = self.symbols.len();
        let new = instruments.iter().skip(known);
        self.symbols.extend(new.map(|instrument| xxh3_64(instrument.symbol.as_str().as_bytes())));
    }

    #[inline]
    fn push(&mut self, record: &Record<'_>) {
        match record {
            Record::Trade(view) => self.trade(view.row),
            Record::Quote(view) => self.quote(view.row),
            Record::Depth(view) => self.depth(view.row, view.levels),
            Record::Mbo(view) => self.mbo(view.row),
            _ => self.general(record),
        }
    }

    /// The six words that every record begins with.
    #[inline]
    fn head(&self, kind: Kind, head: &Head, mask: u64) -> [u64; 6] {
        let symbol = head.instrument.map_or(0, |id| self.symbols[id.index()]);
        let (event, bit) = match head.has_event_time {
            true => (head.ts_event.nanos() as u64, HAS_EVENT_TIME),
            false => (0, 0),
        };
        let kind = self.kinds[kind.index()];
        [kind, symbol, event, head.ts_recv.nanos() as u64, head.seq, mask | bit]
    }

    /// Appends words in one go: their number is known where this is called, so this is a copy.
    #[inline(always)]
    fn words<const N: usize>(&mut self, words: &[u64; N]) {
        let mut bytes = [[0_u8; 8]; N];
        for (bytes, word) in bytes.iter_mut().zip(words) {
            *bytes = word.to_le_bytes();
        }
        self.gathered.extend_from_slice(bytes.as_flattened());
    }

    #[inline]
    fn optional(&mut self, words: &[Option<u64>]) {
        for word in words.iter().flatten() {
            self.gathered.extend_from_slice(&word.to_le_bytes());
        }
    }

    #[inline]
    fn trade(&mut self, row: &Trade) {
        let (px, qty) = (row.px.mantissa() as u64, row.qty.mantissa() as u64);
        if let (Some(side), Some(id)) = (row.side, row.id) {
            let [a, b, c, d, e, f] = self.head(Kind::Trade, &row.head, 0b1111);
            return self.words(&[a, b, c, d, e, f, px, qty, side.index() as u64, id]);
        }
        let fields = [Some(px), Some(qty), row.side.map(|side| side.index() as u64), row.id];
        self.words(&self.head(Kind::Trade, &row.head, mask(&fields)));
        self.optional(&fields);
    }

    #[inline]
    fn quote(&mut self, row: &Quote) {
        if let Quote {
            bid_px: Some(bid_px),
            bid_qty: Some(bid_qty),
            ask_px: Some(ask_px),
            ask_qty: Some(ask_qty),
            id,
            ..
        } = row
        {
            let (bid_px, ask_px) = (bid_px.mantissa() as u64, ask_px.mantissa() as u64);
            let (bid_qty, ask_qty) = (bid_qty.mantissa() as u64, ask_qty.mantissa() as u64);
            let known = if id.is_some() { 0b1_1111 } else { 0b1111 };
            let [a, b, c, d, e, f] = self.head(Kind::Quote, &row.head, known);
            self.words(&[a, b, c, d, e, f, bid_px, bid_qty, ask_px, ask_qty]);
            return self.optional(&[*id]);
        }
        let px = |px: Option<qt_model::units::Px>| px.map(|px| px.mantissa() as u64);
        let qty = |qty: Option<qt_model::units::Qty>| qty.map(|qty| qty.mantissa() as u64);
        let fields = [px(row.bid_px), qty(row.bid_qty), px(row.ask_px), qty(row.ask_qty), row.id];
        self.words(&self.head(Kind::Quote, &row.head, mask(&fields)));
        self.optional(&fields);
    }

    #[inline]
    fn depth(&mut self, row: &Depth, levels: &[Level]) {
        let action = row.action.index() as u64;
        let count = levels.len() as u64;
        if let (Some(first), Some(last), None) = (row.first_id, row.last_id, row.prev_id) {
            let [a, b, c, d, e, f] = self.head(Kind::Depth, &row.head, 0b111);
            self.words(&[a, b, c, d, e, f, action, first, last, count]);
        } else {
            let fields = [Some(action), row.first_id, row.last_id, row.prev_id];
            self.words(&self.head(Kind::Depth, &row.head, mask(&fields)));
            self.optional(&fields);
            self.words(&[count]);
        }
        for level in levels {
            let (px, qty) = (level.px.mantissa() as u64, level.qty.mantissa() as u64);
            self.words(&[level.side.index() as u64, px, qty]);
        }
    }

    #[inline]
    fn mbo(&mut self, row: &Mbo) {
        let fields = [
            Some(row.action.index() as u64),
            row.side.map(|side| side.index() as u64),
            row.px.map(|px| px.mantissa() as u64),
            row.qty.map(|qty| qty.mantissa() as u64),
            Some(row.order_id),
            Some(u64::from(row.more)),
            Some(u64::from(row.snapshot)),
        ];
        self.words(&self.head(Kind::Mbo, &row.head, mask(&fields)));
        self.optional(&fields);
    }

    #[inline]
    fn feature_of<V>(
        &mut self,
        head: &Head,
        set: &str,
        (values, of): (&[V], impl Fn(&V) -> f64),
        marks: [Option<u64>; 2],
    ) {
        // The set and the values are always there.
        self.words(&self.head(Kind::Feature, head, 0b11 | mask(&marks) << 2));
        self.string(set);
        self.list(values, of);
        self.optional(&marks);
    }

    #[inline]
    fn string(&mut self, text: &str) {
        self.words(&[text.len() as u64]);
        self.gathered.extend_from_slice(text.as_bytes());
    }

    /// An absent value is a NaN here, which no present value can be.
    #[inline]
    fn list<V>(&mut self, list: &[V], of: impl Fn(&V) -> f64) {
        self.words(&[list.len() as u64]);
        let word = |value: &V| of(value).to_bits().to_le_bytes();
        for eight in list.chunks(8) {
            let mut bytes = [[0; 8]; 8];
            bytes.iter_mut().zip(eight).for_each(|(bytes, value)| *bytes = word(value));
            self.gathered.extend_from_slice(bytes[..eight.len()].as_flattened());
        }
    }

    fn general(&mut self, record: &Record<'_>) {
        if let Record::Other(view) = record {
            // Its text says all of it. Its head may be a guess, which each reader makes anew.
            self.words(&[self.kinds[Kind::Other.index()], 0, 0, 0, 0, 0b11]);
            self.value(&Value::Text(view.kind.as_str().into()));
            return self.value(&Value::Text(view.json.as_str().into()));
        }
        let kind = record.kind();
        let count = kind.fields().len();
        let present = (0..count).filter(|field| record.value(*field) != Value::Absent);
        let mask = present.fold(0, |mask, field| mask | 1 << field);
        self.words(&self.head(kind, record.head(), mask));
        for field in 0..count {
            self.value(&record.value(field));
        }
        if kind == Kind::Depth {
            self.words(&[record.levels().len() as u64]);
            for level in record.levels() {
                let (px, qty) = (level.px.mantissa() as u64, level.qty.mantissa() as u64);
                self.words(&[level.side.index() as u64, px, qty]);
            }
        }
    }

    fn value(&mut self, value: &Value<'_>) {
        match value {
            Value::Absent => {}
            Value::Bool(value) => self.words(&[u64::from(*value)]),
            Value::U64(value) => self.words(&[*value]),
            Value::F64(value) => self.words(&[value.to_bits()]),
            Value::Ts(ts) => self.words(&[ts.nanos() as u64]),
            Value::Px(px) => self.words(&[px.mantissa() as u64]),
            Value::Qty(qty) => self.words(&[qty.mantissa() as u64]),
            Value::Decimal(value) => self.decimal(*value),
            Value::Word(index) => self.words(&[*index as u64]),
            Value::Text(text) => self.string(text),
            Value::F64List(list) => self.list(list, |value| value.unwrap_or(f64::NAN)),
        }
    }

    /// Equal amounts have one form, whatever zeros they were written with.
    fn decimal(&mut self, value: Decimal) {
        let value = value.normalize();
        self.words(&[u64::from(value.scale())]);
        self.gathered.extend_from_slice(&value.mantissa().to_le_bytes());
    }
}

#[inline]
fn mask(fields: &[Option<u64>]) -> u64 {
    let bits = fields.iter().enumerate();
    bits.fold(0, |mask, (bit, field)| mask | u64::from(field.is_some()) << bit)
}

#[cfg(test)]
mod tests {
    use qt_model::record::Source;

    use super::*;
    use crate::sample;

    #[test]
    fn the_quick_forms_equal_the_general_one() {
        let batch = sample::every_kind();
        let mut quick = Digest::default();
        quick.update(&batch);
        let mut general = Digest::default();
        general.know(batch.instruments());
        for record in batch.iter() {
            general.general(&record);
        }
        general.records = batch.len() as u64;
        assert_eq!(quick.text(), general.text());
    }

    /// The example of docs/stream-format.md: a stream, the bytes of its record, their digest.
    #[test]
    fn the_example_in_the_documents_is_true() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/stream-format.md");
        let page = std::fs::read_to_string(page).unwrap();
        let (_, example) = page.split_once("### An example").unwrap();
        let blocks: Vec<_> = example.split("```").skip(1).step_by(2).collect();
        let [stream, canonical, text] = blocks[..] else { panic!("three blocks") };
        let (_, stream) = stream.split_once('\n').unwrap();
        let options = crate::read::Options { verify: true, ..Default::default() };
        let input =
            crate::input::Input::Pipe("example", Box::new(std::io::Cursor::new(stream.to_owned())));
        let span = crate::parquet_file::Span::ALL;
        let mut reader = crate::input::AnyReader::open(input, span, options).unwrap();
        let mut batch = Batch::default();
        assert!(reader.next(&mut batch).unwrap());
        let mut digest = Digest::default();
        digest.update(&batch);
        let words = digest.gathered.chunks(8).map(|word| {
            word.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
        });
        let expected = format!("text\n{}\n", words.collect::<Vec<_>>().join("\n"));
        assert_eq!(canonical, expected);
        assert_eq!(text, format!("text\n{}\n", digest.text()));
        assert!(!reader.next(&mut batch).unwrap(), "the digest of the `end` record agrees");
    }

    #[test]
    fn every_record_and_its_place_matter() {
        let batch = sample::every_kind();
        let digest_of = |skip: usize| {
            let mut part = Batch::new(Arc::clone(batch.instruments()));
            batch.iter().enumerate().filter(|(at, _)| *at != skip).for_each(|(_, r)| part.push(r));
            let mut digest = Digest::default();
            digest.update(&part);
            digest.text()
        };
        let texts: std::collections::BTreeSet<_> = (0..=batch.len()).map(digest_of).collect();
        assert_eq!(texts.len(), batch.len() + 1);
    }
}
