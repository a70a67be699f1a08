//! Every kind there and back, damaged answers, and the property that scales are no business of the road.

use std::sync::Arc;

use proptest::prelude::*;
use qt_model::instrument::{Instrument, Instruments, Symbol};
use qt_model::record::{Batch, Depth, FieldType, Head, Kind, Level, SymbolRule, Trade, Value};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::{DepthAction, Side};
use rust_decimal::Decimal;

use super::{blocks, decode_instruments, encode, encode_instrument, hash, rows};
use crate::tables::{Column, Table};

fn instrument(symbol: &str, px: u8, qty: u8) -> Instrument {
    let scale = |digits| Scale::new(digits).unwrap();
    Instrument::new(Symbol::new(symbol).unwrap(), scale(px), scale(qty))
}

fn instruments(px: u8, qty: u8) -> Arc<Instruments> {
    let mut table = Instruments::default();
    table.declare(instrument("b:BTCUSDT", px, qty)).unwrap();
    table.declare(instrument("a:TOKEN", 11, 0)).unwrap();
    Arc::new(table)
}

fn value(ty: FieldType, salt: u64) -> Value<'static> {
    match ty {
        FieldType::Bool => Value::Bool(salt.is_multiple_of(2)),
        FieldType::U64 => Value::U64(u64::MAX - salt),
        FieldType::F64 => Value::F64(0.1 + salt as f64),
        FieldType::Ts => Value::Ts(Ts::from_nanos(1_723_075_200_000_000_001)),
        FieldType::Px => Value::Px(Px::new(-6_182_099 + salt.cast_signed())),
        FieldType::Qty => Value::Qty(Qty::new(35_000_000_000).unwrap()),
        FieldType::Decimal => Value::Decimal(Decimal::new(-12_341 - 10 * salt.cast_signed(), 7)),
        FieldType::Text => Value::Text(format!("'{salt}'\\, \"é\"\n\t").into()),
        FieldType::Word(words) => Value::Word(salt as usize % words.len()),
        FieldType::F64List => Value::F64List(vec![Some(1.5), None, Some(-1e-300)].into()),
    }
}

/// Records of a kind: full, with the optional fields absent, and of another instrument.
fn sample(kind: Kind) -> Batch {
    let table = instruments(2, 5);
    let mut batch = Batch::new(Arc::clone(&table));
    for variant in 0..3_u64 {
        let nanos = 1_723_075_200_123_456_789 + variant.cast_signed() * 7;
        let symbol = ["b:BTCUSDT", "b:BTCUSDT", "a:TOKEN"][variant as usize];
        let is_named = kind.symbol_rule() == SymbolRule::Required || variant == 2;
        let head = Head {
            ts_event: Ts::from_nanos(nanos - if variant == 1 { 0 } else { 12_345 }),
            ts_recv: Ts::from_nanos(nanos),
            seq: variant,
            instrument: is_named.then(|| table.find(symbol).unwrap()),
            has_event_time: variant != 1,
        };
        let mut values: Vec<Value<'_>> = kind
            .fields()
            .iter()
            .zip(0..)
            .map(|(field, at)| match variant == 1 && !field.required {
                true => Value::Absent,
                false => value(field.ty, variant + at),
            })
            .collect();
        let level = |px, side| Level { px: Px::new(px), qty: Qty::new(px + 1).unwrap(), side };
        let levels = [level(9, Side::Buy), level(8, Side::Buy), level(10, Side::Sell)];
        let levels = &levels[..if kind == Kind::Depth && variant != 1 { 3 } else { 0 }];
        batch.push_values(kind, head, &mut values, levels).unwrap();
    }
    batch
}

fn back(table: &Table, bytes: &[u8], known: &Arc<Instruments>) -> Result<Batch, String> {
    let mut batch = Batch::new(Arc::clone(known));
    for block in blocks(bytes, &table.columns)? {
        rows(table, &table.columns, &block, None, &mut batch)?;
    }
    Ok(batch)
}

fn places(batch: &Batch) -> Vec<usize> {
    (0..batch.len()).collect()
}

#[track_caller]
fn same(one: &Batch, two: &Batch) {
    assert_eq!(one.len(), two.len());
    for (a, b) in one.iter().zip(two.iter()) {
        assert_eq!(a, b);
    }
}

#[test]
fn every_kind_goes_there_and_back() {
    for kind in Kind::ALL {
        let (table, batch) = (Table::of(*kind), sample(*kind));
        let bytes = encode(&table, &batch, &places(&batch)).unwrap();
        same(&back(&table, &bytes, batch.instruments()).unwrap(), &batch);
        // Two blocks in one answer are one after the other.
        let mut twice = bytes.clone();
        twice.extend_from_slice(&bytes);
        assert_eq!(back(&table, &twice, batch.instruments()).unwrap().len(), 6, "{}", kind.name());
    }
}

#[test]
fn an_answer_cut_anywhere_is_refused_and_never_believed() {
    for kind in [Kind::Trade, Kind::Depth, Kind::Feature, Kind::Fill] {
        let (table, batch) = (Table::of(kind), sample(kind));
        let bytes = encode(&table, &batch, &places(&batch)).unwrap();
        for length in 1..bytes.len() {
            let read = back(&table, &bytes[..length], batch.instruments());
            assert!(read.is_err(), "{} cut at {length}", kind.name());
        }
    }
}

#[test]
fn damaged_bytes_do_not_panic() {
    let (table, batch) = (Table::of(Kind::Depth), sample(Kind::Depth));
    let bytes = encode(&table, &batch, &places(&batch)).unwrap();
    for at in 0..bytes.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut damaged = bytes.clone();
            damaged[at] ^= flip;
            let _ = back(&table, &damaged, batch.instruments());
        }
    }
}

#[test]
fn a_block_of_another_table_is_refused_by_name_and_type() {
    let batch = sample(Kind::Trade);
    let bytes = encode(&Table::of(Kind::Trade), &batch, &places(&batch)).unwrap();
    let refused = back(&Table::of(Kind::Quote), &bytes, batch.instruments()).unwrap_err();
    assert!(refused.contains("columns in place of"), "{refused}");
    let mut other = Table::of(Kind::Trade);
    other.columns[4] = Column { name: "price".to_owned(), ..other.columns[4].clone() };
    let refused = back(&other, &bytes, batch.instruments()).unwrap_err();
    assert!(refused.contains("has `px_scaled` Int64 in place of `price` Int64"), "{refused}");
}

#[test]
fn the_hash_follows_from_the_rows_and_their_table() {
    let name = |kind, batch: &Batch| {
        let table = Table::of(kind);
        hash(&table, &encode(&table, batch, &places(batch)).unwrap())
    };
    let (one, mut two) = (sample(Kind::Trade), sample(Kind::Trade));
    assert_eq!(name(Kind::Trade, &one), name(Kind::Trade, &two));
    two.set_seq(0, 77);
    assert_ne!(name(Kind::Trade, &one), name(Kind::Trade, &two));
    assert_ne!(hash(&Table::of(Kind::Trade), b"x"), hash(&Table::of(Kind::Quote), b"x"));
}

#[test]
fn an_instrument_keeps_its_terms() {
    let mut known = instrument("deribit:BTC-27DEC24", 1, 8);
    known.terms.tick = Some(Decimal::new(5, 1));
    known.terms.base = Some("BTC".into());
    known.terms.expiry = Some(Ts::from_nanos(1_735_286_400_000_000_000));
    let bytes = encode_instrument(&known).unwrap();
    let read = decode_instruments(&Table::of_instruments(), &bytes).unwrap();
    assert_eq!(read, [known]);
}

#[test]
fn a_wider_scale_lifts_and_a_narrower_one_is_refused() {
    let (table, batch) = (Table::of(Kind::Trade), sample(Kind::Trade));
    let bytes = encode(&table, &batch, &places(&batch)).unwrap();
    let wider = back(&table, &bytes, &instruments(4, 5)).unwrap();
    assert_eq!(wider.rows::<Trade>()[0].px, Px::new(-618_209_900));
    let refused = back(&table, &bytes, &instruments(1, 5)).unwrap_err();
    assert!(refused.contains("does not fit scale 1"), "{refused}");
}

/// A depth record of any shape.
fn depths() -> impl Strategy<Value = Vec<Vec<(i64, i64, bool)>>> {
    let level = (-999_999_i64..999_999, 0_i64..i64::MAX, any::<bool>());
    prop::collection::vec(prop::collection::vec(level, 0..9), 0..20)
}

proptest! {
    #[test]
    fn levels_of_any_shape_go_there_and_back(records in depths()) {
        let known = instruments(2, 5);
        let mut batch = Batch::new(Arc::clone(&known));
        for (seq, levels) in (0..).zip(&records) {
            let ts = Ts::from_nanos(1_723_075_200_000_000_000);
            let head = Head::new(ts, ts, seq, known.find("b:BTCUSDT"));
            let side = |is_bid| if is_bid { Side::Buy } else { Side::Sell };
            let levels: Vec<Level> = levels.iter().map(|(px, qty, is_bid)| {
                Level { px: Px::new(*px), qty: Qty::new(*qty).unwrap(), side: side(*is_bid) }
            }).collect();
            let action = DepthAction::Delta;
            let row = Depth { head, action, first_id: None, last_id: Some(seq), prev_id: None };
            batch.push_row(row, &levels);
        }
        let table = Table::of(Kind::Depth);
        let bytes = encode(&table, &batch, &places(&batch)).unwrap();
        same(&back(&table, &bytes, &known).unwrap(), &batch);
    }
}
