//! What holds for all records, all encodings and all garbage.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::{BoxedStrategy, Union};
use qt_model::decimal::MAX_MANTISSA;
use qt_model::ids::InstrumentId;
use qt_model::instrument::{Instrument, Instruments, Symbol};
use qt_model::record::{Batch, Field, FieldType, Head, Kind, Level, SymbolRule, Value};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::Side;
use rust_decimal::Decimal;

use crate::json::{general, object};
use crate::ndjson::quick;
use crate::read::Options;
use crate::sample;
use crate::symbols::Symbols;
use crate::trial::{only, read, records, verified, write};
use crate::write::Format;

/// A record before it has a batch.
#[derive(Clone, Debug)]
struct Draft {
    kind: Kind,
    head: Head,
    values: Vec<Value<'static>>,
    levels: Vec<Level>,
}

fn table() -> Arc<Instruments> {
    sample::instruments()
}

/// A table of one instrument: its columns are narrow.
fn single() -> Arc<Instruments> {
    let mut table = Instruments::default();
    let scale = |digits| Scale::new(digits).unwrap();
    let symbol = Symbol::new("a:TOKEN").unwrap();
    table.declare(Instrument::new(symbol, scale(11), scale(0))).unwrap();
    Arc::new(table)
}

fn mantissa() -> impl Strategy<Value = i64> {
    prop_oneof![-MAX_MANTISSA..=MAX_MANTISSA, -100_000..100_000_i64, Just(MAX_MANTISSA)]
}

fn finite() -> impl Strategy<Value = f64> {
    any::<f64>().prop_filter("finite", |value| value.is_finite())
}

fn ts() -> impl Strategy<Value = Ts> {
    prop_oneof![any::<i64>(), 1_700_000_000_000_000_000..1_800_000_000_000_000_000_i64]
        .prop_map(Ts::from_nanos)
}

fn qty() -> impl Strategy<Value = Qty> {
    mantissa().prop_map(|mantissa| Qty::new(mantissa.abs()).unwrap())
}

fn value(field: &'static Field) -> BoxedStrategy<Value<'static>> {
    match field.ty {
        FieldType::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        FieldType::U64 => any::<u64>().prop_map(Value::U64).boxed(),
        FieldType::F64 => finite().prop_map(Value::F64).boxed(),
        FieldType::Ts => ts().prop_map(Value::Ts).boxed(),
        FieldType::Px => mantissa().prop_map(|m| Value::Px(Px::new(m))).boxed(),
        FieldType::Qty => qty().prop_map(Value::Qty).boxed(),
        FieldType::Decimal => (any::<i64>(), 0_u32..=18)
            .prop_map(|(mantissa, scale)| Value::Decimal(Decimal::new(mantissa, scale).normalize()))
            .boxed(),
        FieldType::Text => any::<String>().prop_map(|text| Value::Text(text.into())).boxed(),
        FieldType::Word(words) => (0..words.len()).prop_map(Value::Word).boxed(),
        FieldType::F64List => vec(proptest::option::of(finite()), 0..4)
            .prop_map(|list| Value::F64List(list.into()))
            .boxed(),
    }
}

fn values(kind: Kind) -> BoxedStrategy<Vec<Value<'static>>> {
    let fields: Vec<_> = kind
        .fields()
        .iter()
        .map(|field| match field.required {
            true => value(field),
            false => prop_oneof![Just(Value::Absent), value(field)].boxed(),
        })
        .collect();
    fields.boxed()
}

fn level() -> impl Strategy<Value = Level> {
    let side = prop_oneof![Just(Side::Buy), Just(Side::Sell)];
    (mantissa(), qty(), side).prop_map(|(px, qty, side)| Level { px: Px::new(px), qty, side })
}

fn draft(kind: Kind, table: &Arc<Instruments>) -> BoxedStrategy<Draft> {
    let ids: Vec<InstrumentId> = table.by_symbol().map(|(id, _)| id).collect();
    let table = Arc::clone(table);
    let head = (ts(), proptest::option::of(ts()), any::<u64>(), any::<usize>(), any::<bool>());
    (head, values(kind), vec(level(), 0..4))
        .prop_map(move |((recv, event, seq, at, named), mut values, levels)| {
            let is_scaled = values.iter().any(|v| matches!(v, Value::Px(_) | Value::Qty(_)));
            let needed = is_scaled || kind.symbol_rule() == SymbolRule::Required;
            let id = ids[at % ids.len()];
            if kind == Kind::InstrumentRow {
                // A declaration under way may not widen what is in use.
                values[0] = Value::U64(u64::from(table.get(id).px_scale.digits()));
                values[1] = Value::U64(u64::from(table.get(id).qty_scale.digits()));
            }
            let mut head = Head {
                ts_event: event.unwrap_or(recv),
                ts_recv: recv,
                seq,
                instrument: (needed || named).then_some(id),
                has_event_time: event.is_some(),
            };
            if kind == Kind::Other {
                head.instrument = None;
                head.has_event_time = false;
                head.ts_event = recv;
                let json = format!(r#"{{"k":"rumour","ts_recv":{},"seq":{seq}}}"#, recv.nanos());
                values = vec![Value::Text("rumour".into()), Value::Text(json.into())];
            }
            let levels = if kind == Kind::Depth { levels } else { Vec::new() };
            Draft { kind, head, values, levels }
        })
        .boxed()
}

fn mixed(table: Arc<Instruments>) -> impl Strategy<Value = Vec<Draft>> {
    let kinds = Kind::ALL.iter().map(|kind| draft(*kind, &table));
    vec(Union::new(kinds), 1..20)
}

fn of_one_kind(table: Arc<Instruments>) -> impl Strategy<Value = (Kind, Vec<Draft>)> {
    let kinds = Kind::ALL.iter().copied().filter(|kind| *kind != Kind::Other);
    let drafts = kinds.map(move |kind| {
        vec(draft(kind, &table), 1..12).prop_map(move |drafts| (kind, drafts)).boxed()
    });
    Union::new(drafts)
}

fn batch(table: &Arc<Instruments>, drafts: &[Draft]) -> Batch {
    let mut batch = Batch::new(Arc::clone(table));
    for draft in drafts {
        let mut values = draft.values.clone();
        batch.push_values(draft.kind, draft.head, &mut values, &draft.levels).unwrap();
    }
    batch
}

/// CSV cannot tell an empty text from none, where there may be none.
fn without_empty_texts(drafts: &[Draft]) -> Vec<Draft> {
    let mut drafts = drafts.to_vec();
    for draft in &mut drafts {
        for (value, field) in draft.values.iter_mut().zip(draft.kind.fields()) {
            if !field.required && *value == Value::Text("".into()) {
                *value = Value::Absent;
            }
        }
    }
    drafts
}

fn check_one_kind(table: &Arc<Instruments>, kind: Kind, drafts: &[Draft], batch_records: usize) {
    let whole = batch(table, drafts);
    let (first, second) = drafts.split_at(drafts.len() / 2);
    let parts = [&batch(table, first), &batch(table, second)];
    let options = || Options { batch_records, ..verified() };
    let mut digests = Vec::new();
    for format in [Format::Ndjson, Format::Arrow, Format::Parquet, Format::Csv] {
        let (bytes, digest) = write(&parts, format, Some(&[kind]));
        let expected = match format {
            Format::Csv => batch(table, &without_empty_texts(drafts)),
            _ => whole.clone(),
        };
        assert_eq!(records(&bytes, options()), sample::texts(&expected), "{format:?}");
        digests.push(digest);
    }
    assert!(digests.iter().all(|digest| *digest == digests[0]), "{digests:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_records_of_all_kinds_come_back(drafts in mixed(table()), batch_records in 1_usize..9) {
        let table = table();
        let whole = batch(&table, &drafts);
        let (first, second) = drafts.split_at(drafts.len() / 2);
        let parts = [&batch(&table, first), &batch(&table, second)];
        let options = || Options { batch_records, ..verified() };
        let (ndjson, one) = write(&parts, Format::Ndjson, None);
        let (arrow, other) = write(&parts, Format::Arrow, None);
        prop_assert_eq!(records(&ndjson, options()), sample::texts(&whole));
        prop_assert_eq!(records(&arrow, options()), sample::texts(&whole));
        prop_assert_eq!(one, other);
    }

    #[test]
    fn any_records_of_one_kind_come_back(
        (kind, drafts) in of_one_kind(table()),
        batch_records in 1_usize..9,
    ) {
        check_one_kind(&table(), kind, &drafts, batch_records);
    }

    #[test]
    fn any_records_of_one_instrument_come_back(
        (kind, drafts) in of_one_kind(single()),
        batch_records in 1_usize..9,
    ) {
        check_one_kind(&single(), kind, &drafts, batch_records);
    }
}

/// How inputs begin that are taken seriously.
const MARKS: &[&[u8]] = &[
    b"",
    b"{\"k\":\"",
    b"{\"k\":\"stream\",\"schema\":1",
    b"k,ts_recv,sym,px,qty\ntrade,",
    b"QTARROW1",
    b"\xff\xff\xff\xff",
    b"PAR1",
    b"\x28\xb5\x2f\xfd",
    b"\x1f\x8b\x08",
];

proptest! {
    #[test]
    fn garbage_never_panics(
        mark in proptest::sample::select(MARKS),
        bytes in vec(any::<u8>(), 0..300),
    ) {
        read(&[mark, &bytes].concat(), Options::default());
    }

    #[test]
    fn the_quick_road_agrees_with_the_general_one(
        record in 0_usize..30,
        changes in vec((any::<usize>(), 0_u8..3, any::<u8>(), any::<usize>()), 0..4),
    ) {
        let (bytes, _) = write(&[&sample::market(30)], Format::Ndjson, None);
        let mut line = bytes.split(|byte| *byte == b'\n').nth(record + 1).unwrap().to_vec();
        for (at, what, byte, other) in changes {
            // Bytes of the line itself make more sense than others, and so go further.
            let byte = if byte & 1 == 0 { line[other % line.len()] } else { byte };
            let at = at % line.len();
            match what {
                0 => line[at] = byte,
                1 => line.insert(at, byte),
                _ if line.len() > 1 => drop(line.remove(at)),
                _ => {}
            }
        }
        let options = Options::default();
        options.universe.declare_all(table().iter()).unwrap();
        let mut symbols = Symbols::new(&options.universe);
        let mut quick = Batch::new(symbols.table());
        if quick::Quick::default().push(&line, &mut symbols, &mut quick).is_some() {
            let mut general = Batch::new(symbols.table());
            let object = object::Object::parse(&line).unwrap();
            let fill = general::Fill { has_header: false, seq: 0, latency_ns: 0, last: Ts::MIN };
            general::push(&object, &line, &mut symbols, fill, &mut general).unwrap();
            prop_assert_eq!(sample::texts(&quick), sample::texts(&general));
        }
    }
}

#[test]
fn two_scales_in_one_stream_are_exact_and_not_confused() {
    let table = table();
    let mut batch = Batch::new(Arc::clone(&table));
    let sizes = [("a:TOKEN", 1, 35_000_000_000), ("b:BTCUSDT", 6_182_099, 1_200)];
    for (seq, (symbol, px, qty)) in (0..20).zip(sizes.into_iter().cycle()) {
        let now = Ts::from_nanos(seq);
        let head = Head::new(now, now, seq.unsigned_abs(), table.find(symbol));
        let (px, qty) = (Px::new(px), Qty::new(qty).unwrap());
        let row = qt_model::record::Trade { head, px, qty, side: None, id: None };
        batch.push_row(row, &[]);
    }
    let part = only(&batch, Kind::Trade);
    for format in [Format::Ndjson, Format::Arrow, Format::Parquet, Format::Csv] {
        let (bytes, _) = write(&[&part], format, Some(&[Kind::Trade]));
        assert_eq!(records(&bytes, verified()), sample::texts(&batch), "{format:?}");
        if matches!(format, Format::Ndjson | Format::Csv) {
            let text = String::from_utf8(bytes).unwrap();
            assert!(text.contains("0.00000000001") && text.contains("35000000000"), "{text}");
            assert!(text.contains("61820.99") && text.contains("0.01200"), "{text}");
        }
    }
}
