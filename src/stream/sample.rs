//! Records of every kind, for the tests of the codecs.

use std::sync::Arc;

use qt_model::instrument::{Instrument, Instruments, Symbol};
use qt_model::record::{
    Batch, Depth, Field, FieldType, Head, Kind, Level, Quote, Record, SymbolRule, Trade, Value,
};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::{DepthAction, InstrumentClass, Side};
use rust_decimal::Decimal;

/// A pair, a token priced at 1e-11 in sizes of billions, and an equity.
pub(crate) fn instruments() -> Arc<Instruments> {
    let mut table = Instruments::default();
    for (symbol, px, qty) in [("b:BTCUSDT", 2, 5), ("a:TOKEN", 11, 0), ("c:XBT/USD", 4, 0)] {
        let scale = |digits| Scale::new(digits).unwrap();
        let mut instrument = Instrument::new(Symbol::new(symbol).unwrap(), scale(px), scale(qty));
        instrument.terms.class = Some(InstrumentClass::Spot);
        instrument.terms.tick = Some(Decimal::new(1, u32::from(instrument.px_scale.digits())));
        table.declare(instrument).unwrap();
    }
    Arc::new(table)
}

fn value(ty: FieldType, salt: u64) -> Value<'static> {
    match ty {
        FieldType::Bool => Value::Bool(salt.is_multiple_of(2)),
        FieldType::U64 => Value::U64(salt % 19),
        FieldType::F64 => Value::F64(0.1 + salt as f64),
        FieldType::Ts => Value::Ts(Ts::from_nanos(1_723_075_200_000_000_001 + salt.cast_signed())),
        FieldType::Px => Value::Px(Px::new(6_182_099 + salt.cast_signed())),
        FieldType::Qty => Value::Qty(Qty::new(35_000_000_000).unwrap()),
        FieldType::Decimal => Value::Decimal(Decimal::new(-12_341 - 10 * salt.cast_signed(), 7)),
        FieldType::Text => Value::Text(format!("text \"{salt}\", with \\ and é\n").into()),
        FieldType::Word(words) => Value::Word(salt as usize % words.len()),
        FieldType::F64List => Value::F64List(vec![Some(1.5), None, Some(-1e-300)].into()),
    }
}

/// Each kind three times: full, with the optional fields absent, and of another instrument.
pub(crate) fn every_kind() -> Batch {
    let table = instruments();
    let mut batch = Batch::new(Arc::clone(&table));
    let mut nanos = 1_723_075_200_123_456_789;
    for (salt, kind) in (0_u64..).zip(Kind::ALL.iter().copied().filter(|kind| *kind != Kind::Other))
    {
        for variant in 0..3_u64 {
            nanos += 999_999_937;
            let symbol = ["b:BTCUSDT", "b:BTCUSDT", "a:TOKEN"][variant as usize];
            let needed = kind.symbol_rule() == SymbolRule::Required || variant == 2;
            let head = Head {
                ts_event: Ts::from_nanos(if variant == 1 { nanos } else { nanos - 12_345 }),
                ts_recv: Ts::from_nanos(nanos),
                seq: salt * 3 + variant,
                instrument: needed.then(|| table.find(symbol).unwrap()),
                has_event_time: variant != 1,
            };
            let scaled = |ty| matches!(ty, FieldType::Px | FieldType::Qty);
            let absent =
                |field: &Field| !field.required && (variant == 1 || !needed && scaled(field.ty));
            let mut values: Vec<_> = kind
                .fields()
                .iter()
                .zip(salt + variant..)
                .map(|(field, salt)| match absent(field) {
                    true => Value::Absent,
                    // A scale that the instrument already has, lest it widens under way.
                    false if field.name.ends_with("_scale") => Value::U64(0),
                    false => value(field.ty, salt),
                })
                .collect();
            let levels = if kind == Kind::Depth && variant != 1 { levels() } else { Vec::new() };
            batch.push_values(kind, head, &mut values, &levels).unwrap();
        }
    }
    batch
}

fn levels() -> Vec<Level> {
    let level = |px, qty, side| Level { px: Px::new(px), qty: Qty::new(qty).unwrap(), side };
    vec![
        level(6_182_099, 35_000_000_000, Side::Buy),
        level(-1, 999_999_999_999_999_999, Side::Sell),
        level(6_182_000, 0, Side::Buy),
    ]
}

/// A market of one instrument and one kind after the other.
pub(crate) fn market(records: usize) -> Batch {
    let table = instruments();
    let instrument = table.find("b:BTCUSDT");
    let mut batch = Batch::new(Arc::clone(&table));
    for at in 0..i64::try_from(records).unwrap() {
        let ts = |delay| Ts::from_nanos(1_723_075_200_000_000_000 + at * 1_000_003 + delay);
        let head = Head::new(ts(0), ts(777), at as u64 / 3, instrument);
        let (px, qty) = (Px::new(6_000_000 + at % 97), Qty::new(at % 1_009 + 1).unwrap());
        match at % 3 {
            0 => {
                let side = if at % 2 == 0 { Side::Buy } else { Side::Sell };
                batch.push_row(Trade { head, px, qty, side: Some(side), id: Some(at as u64) }, &[]);
            }
            1 => {
                let row = Depth {
                    head,
                    action: DepthAction::Delta,
                    first_id: Some(at as u64),
                    last_id: Some(at as u64),
                    prev_id: None,
                };
                let level = Level { px, qty, side: Side::Buy };
                batch.push_row(row, &vec![level; at as usize % 4]);
            }
            _ => {
                let row = Quote {
                    head,
                    bid_px: Some(px),
                    bid_qty: Some(qty),
                    ask_px: (at % 5 != 0).then_some(Px::new(px.mantissa() + 1)),
                    ask_qty: (at % 5 != 0).then_some(qty),
                    id: None,
                };
                batch.push_row(row, &[]);
            }
        }
    }
    batch
}

/// What a test compares: everything a record says.
pub(crate) fn texts(batch: &Batch) -> Vec<String> {
    let symbol = |record: &Record<'_>| {
        let id = record.head().instrument;
        id.map(|id| batch.instruments().get(id).symbol.to_string()).unwrap_or_default()
    };
    let text = |record: Record<'_>| {
        let head = record.head();
        let values: Vec<_> =
            (0..record.kind().fields().len()).map(|field| record.value(field)).collect();
        format!(
            "{:?} {} {:?} {:?} {} {} {values:?} {:?}",
            record.kind(),
            symbol(&record),
            head.ts_event,
            head.ts_recv,
            head.seq,
            head.has_event_time,
            record.levels(),
        )
    };
    batch.iter().map(text).collect()
}
