//! The market as a reader sees it.

mod book;
mod faults;
mod golden;
mod manners;
mod order;

use qt_model::record::{Batch, Record, Source};

use super::{Config, Market, Spec};

/// Shows every record of a market to `see`.
fn each(config: &Config, mut see: impl FnMut(Record<'_>)) {
    let mut market = Market::new(config).unwrap();
    let mut batch = Batch::default();
    while market.next(&mut batch).unwrap() {
        assert!(batch.len() <= config.batch_records, "a batch beyond its limit");
        batch.iter().for_each(&mut see);
    }
    assert!(!market.next(&mut batch).unwrap(), "an end is an end");
}

/// So many records of those instruments.
fn events(count: u64, instruments: Vec<Spec>) -> Config {
    Config { instruments, duration_ns: None, events: Some(count), ..Config::default() }
}

fn one(symbol: &str) -> Vec<Spec> {
    vec![Spec::named(symbol).unwrap()]
}

/// FNV-1a over all a record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Digest(u64);

impl Digest {
    fn of(config: &Config) -> Self {
        let mut digest = Self(0xcbf2_9ce4_8422_2325);
        each(config, |record| digest.record(record));
        digest
    }

    fn record(&mut self, record: Record<'_>) {
        use qt_model::record::Value;
        let head = record.head();
        self.word(record.kind().index() as u64);
        self.word(head.ts_event.nanos().cast_unsigned());
        self.word(head.ts_recv.nanos().cast_unsigned());
        self.word(head.seq);
        self.word(head.instrument.unwrap().index() as u64);
        for field in 0..record.kind().fields().len() {
            match record.value(field) {
                Value::Absent => self.word(u64::MAX),
                Value::Bool(value) => self.word(u64::from(value)),
                Value::U64(value) => self.word(value),
                Value::Ts(ts) => self.word(ts.nanos().cast_unsigned()),
                Value::Px(px) => self.word(px.mantissa().cast_unsigned()),
                Value::Qty(qty) => self.word(qty.mantissa().cast_unsigned()),
                Value::Word(value) => self.word(value as u64),
                Value::Decimal(value) => self.text(&value.to_string()),
                Value::Text(text) => self.text(&text),
                Value::F64(_) | Value::F64List(_) => panic!("a market has no floats"),
            }
        }
        for level in record.levels() {
            self.word(level.px.mantissa().cast_unsigned());
            self.word(level.qty.mantissa().cast_unsigned());
            self.word(level.side as u64);
        }
    }

    fn word(&mut self, word: u64) {
        word.to_le_bytes().iter().for_each(|byte| self.byte(*byte));
    }

    fn text(&mut self, text: &str) {
        text.bytes().for_each(|byte| self.byte(byte));
    }

    fn byte(&mut self, byte: u8) {
        self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
}
