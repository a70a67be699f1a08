//! Tables of other tools, through Arrow and Parquet alike.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Decimal64Array, Decimal128Array, DictionaryArray, Float64Array, Int64Array,
    LargeStringArray, RecordBatch, StringArray, StringViewArray, TimestampMicrosecondArray,
    TimestampNanosecondArray, UInt8Array, UInt32Array, UInt64Array,
};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit, UInt32Type};
use qt_model::instrument::{Instrument, Symbol};
use qt_model::time::Ts;
use qt_model::units::Scale;

use crate::parquet_file::Span;
use crate::read::Options;
use crate::trial::{Outcome, read, read_span, records, skipping};

/// Columns by name, in the order given.
struct Foreign(Vec<(&'static str, ArrayRef)>);

const SECOND: i64 = 1_723_075_200;

impl Foreign {
    /// Three trades as a careful stranger would write them.
    fn trades() -> Self {
        let times = [0, 1, 2].map(|at| (SECOND + at) * 1_000_000_000);
        let px = Decimal128Array::from(vec![150, 151, 152]).with_precision_and_scale(38, 2);
        let qty = Decimal128Array::from(vec![1, 2, 3]).with_precision_and_scale(18, 0);
        Self(vec![
            ("ts_recv", Arc::new(TimestampNanosecondArray::from(times.to_vec()))),
            ("sym", Arc::new(StringArray::from(vec!["b:X"; 3]))),
            ("px", Arc::new(px.unwrap())),
            ("qty", Arc::new(qty.unwrap())),
        ])
    }

    fn with(mut self, name: &'static str, array: impl Array + 'static) -> Self {
        let array: ArrayRef = Arc::new(array);
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some(column) => column.1 = array,
            None => self.0.push((name, array)),
        }
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.0.retain(|(known, _)| *known != name);
        self
    }

    fn table(&self) -> RecordBatch {
        RecordBatch::try_from_iter_with_nullable(
            self.0.iter().map(|(name, array)| (*name, Arc::clone(array), true)),
        )
        .unwrap()
    }

    fn arrow(&self) -> Vec<u8> {
        let table = self.table();
        let mut writer =
            arrow::ipc::writer::StreamWriter::try_new(Vec::new(), &table.schema()).unwrap();
        writer.write(&table).unwrap();
        writer.into_inner().unwrap()
    }

    fn parquet(&self) -> Vec<u8> {
        let table = self.table();
        let mut bytes = Vec::new();
        let mut writer =
            parquet::arrow::ArrowWriter::try_new(&mut bytes, table.schema(), None).unwrap();
        writer.write(&table).unwrap();
        writer.close().unwrap();
        bytes
    }

    /// Reads it as Arrow and as Parquet, which must agree but for how they name the place.
    fn read(&self, options: impl Fn() -> Options) -> Outcome {
        let (arrow, parquet) = (read(&self.arrow(), options()), read(&self.parquet(), options()));
        assert_eq!(arrow.records, parquet.records, "{} | {}", arrow.message(), parquet.message());
        assert_eq!(arrow.error.is_some(), parquet.error.is_some(), "{}", parquet.message());
        arrow
    }

    fn good(&self) -> Vec<String> {
        let found = self.read(Options::default);
        assert_eq!(found.message(), "");
        found.records
    }

    /// The message for a column that nobody can read: it ends the input, whatever the policy.
    fn refused(&self, expected: &str) {
        for options in [Options::default, skipping as fn() -> Options] {
            let found = self.read(options);
            let message = found.message();
            assert_eq!(found.records.len(), 0, "{message}");
            let message = message.strip_prefix("in: trade: ").or(message.strip_prefix("in: "));
            assert_eq!(message.unwrap_or_default(), expected);
        }
    }
}

#[test]
fn types_that_hold_the_same_give_the_same_records() {
    let expected = Foreign::trades().good();
    assert!(expected[0].contains("Px(Px(150)), Qty(Qty(1))"), "{}", expected[0]);
    let micros = || [0, 1, 2].map(|at| (SECOND + at) * 1_000_000).to_vec();
    let nanos = || [0, 1, 2].map(|at| (SECOND + at) * 1_000_000_000).to_vec();
    let symbols = || vec!["b:X"; 3];
    let keyed: DictionaryArray<UInt32Type> = symbols().into_iter().collect();
    let same = [
        ("ts_recv", Arc::new(TimestampMicrosecondArray::from(micros())) as ArrayRef),
        ("ts_recv", Arc::new(TimestampMicrosecondArray::from(micros()).with_timezone("+02:00"))),
        ("ts_recv", Arc::new(TimestampNanosecondArray::from(nanos()).with_timezone("UTC"))),
        ("ts_recv", Arc::new(Int64Array::from(nanos()))),
        ("sym", Arc::new(LargeStringArray::from(symbols()))),
        ("sym", Arc::new(StringViewArray::from(symbols()))),
        ("sym", Arc::new(keyed)),
        ("qty", Arc::new(Int64Array::from(vec![1, 2, 3]))),
        ("qty", Arc::new(UInt8Array::from(vec![1, 2, 3]))),
        ("qty", Arc::new(UInt64Array::from(vec![1, 2, 3]))),
        ("seq", Arc::new(Int64Array::from(vec![0, 1, 2]))),
        ("seq", Arc::new(UInt32Array::from(vec![None, Some(1), Some(2)]))),
        ("note", Arc::new(Float64Array::from(vec![f64::NAN; 3]))),
    ];
    for (name, array) in same {
        let mut foreign = Foreign::trades();
        let shown = format!("{name}: {}", array.data_type());
        foreign.0.retain(|(known, _)| *known != name);
        foreign.0.push((name, array));
        assert_eq!(foreign.good(), expected, "{shown}");
    }
}

#[test]
fn columns_that_may_have_lost_something_are_refused() {
    let exact = "expected a decimal column of at most 18 decimals, or whole numbers: their digits \
                 are exact";
    Foreign::trades()
        .with("px", Float64Array::from(vec![1.5, 1.51, 1.52]))
        .refused(&format!("field `px`: {exact}, found Float64"));
    let deep = Decimal128Array::from(vec![1, 2, 3]).with_precision_and_scale(38, 20).unwrap();
    Foreign::trades()
        .with("px", deep)
        .refused(&format!("field `px`: {exact}, found Decimal128(38, 20)"));
    Foreign::trades()
        .with("id", Float64Array::from(vec![1.0, 2.0, 3.5]))
        .refused("field `id`: expected a column of whole numbers of zero or more, found Float64");
    Foreign::trades().with("ts_recv", StringArray::from(vec!["2024-08-08"; 3])).refused(
        "field `ts_recv`: expected a column of timestamps, or integer nanoseconds, found Utf8",
    );
    Foreign::trades()
        .with("sym", Int64Array::from(vec![1, 2, 3]))
        .refused("field `sym`: expected a column of strings, found Int64");
    Foreign::trades().with("seq", Int64Array::from(vec![0, -1, 2])).refused(
        "field `seq`: expected a column of whole numbers of zero or more, found Int64: Cast error: \
         Can't cast value -1 to type UInt64",
    );
    Foreign::trades()
        .without("sym")
        .refused("a trade record needs `sym`: expected a column of symbols");
    Foreign::trades().without("ts_recv").refused(
        "a trade record needs `ts_recv`: expected a column of times, or one named `ts_event`",
    );
    let found = Foreign(vec![("colour", Arc::new(Int64Array::from(vec![1])))]);
    let message = found.read(Options::default).message();
    assert_eq!(message, "in: the columns colour are those of no record kind");
}

#[test]
fn rows_that_cannot_be_read_are_blamed_one_by_one() {
    let check = |foreign: Foreign, expected: &str| {
        let found = foreign.read(Options::default);
        assert_eq!(found.message(), format!("in: trade: row 1: {expected}"));
        assert_eq!(found.records.len(), 1, "what stands before the error comes first");
        let options = skipping();
        let arrow = records(&foreign.arrow(), options.clone());
        assert_eq!((arrow.len(), options.tolerance.skipped()), (2, 1));
    };
    check(
        Foreign::trades().with("sym", StringArray::from(vec!["b:X", "X", "b:X"])),
        "field `sym`: `X` is not a symbol: expected venue:NAME without spaces, quotes or control \
         characters",
    );
    for symbols in [vec![Some("b:X"), None, Some("b:X")], vec![Some("b:X"), Some(""), Some("b:X")]]
    {
        check(
            Foreign::trades().with("sym", StringArray::from(symbols)),
            "a trade record needs `sym`: expected a symbol such as binance:BTCUSDT",
        );
    }
    check(
        Foreign::trades().with("side", StringArray::from(vec!["buy", "both", "sell"])),
        "field `side`: expected one of buy, sell, found both",
    );
    let px = Decimal128Array::from(vec![Some(150), None, Some(1)]).with_precision_and_scale(38, 2);
    check(
        Foreign::trades().with("px", px.unwrap()),
        "a trade record needs `px`: expected a value in every row",
    );
    let wide = Decimal128Array::from(vec![150, 10_i128.pow(30), 1]).with_precision_and_scale(38, 2);
    check(
        Foreign::trades().with("px", wide.unwrap()),
        "field `px`: the number has more than 18 digits at scale 2, the scale of its instrument, \
         found 1000000000000000000000000000000e-2",
    );
    check(
        Foreign::trades().with("qty", Int64Array::from(vec![1, -2, 3])),
        "field `qty`: expected a size of zero or more, found -2",
    );
    let times = TimestampNanosecondArray::from(vec![Some(1), None, Some(3)]);
    check(
        Foreign::trades().with("ts_recv", times),
        "a trade record needs `ts_recv`: expected a time here or in `ts_event`",
    );
}

#[test]
fn bars_are_read_row_by_row_and_blamed_alike() {
    let times = |at: [i64; 3]| TimestampNanosecondArray::from(at.to_vec());
    let whole = |values: [i64; 3]| Int64Array::from(values.to_vec());
    let bars = || {
        let foreign = Foreign::trades().without("px").without("qty");
        let foreign = foreign.with("clock", StringArray::from(vec!["time", "time", "tick"]));
        let foreign = foreign.with("step", whole([60, 60, 7])).with("open_ts", times([1, 2, 3]));
        let foreign = foreign.with("open", whole([5, 6, 7])).with("high", whole([8, 9, 10]));
        let foreign = foreign.with("low", whole([1, 2, 3])).with("close", whole([4, 5, 6]));
        foreign.with("volume", whole([0, 1, 2]))
    };
    let found = bars().good();
    let steps = ["60", "60", "7"].map(|step| format!("Decimal({step})"));
    assert!(found.iter().zip(&steps).all(|(bar, step)| bar.contains(step)), "{found:?}");
    let check = |foreign: Foreign, expected: &str| {
        let found = foreign.read(Options::default);
        assert_eq!(found.message(), format!("in: bar: row 1: {expected}"));
        let options = skipping();
        assert_eq!(records(&foreign.arrow(), options).len(), 2);
    };
    let negative = "field `volume`: expected a decimal number of zero or more, or the same as a \
                    string, found -1";
    check(bars().with("volume", whole([0, -1, 2])), negative);
    let missing = "a bar record needs `high`: expected a decimal number, or the same as a string";
    check(bars().with("high", Int64Array::from(vec![Some(8), None, Some(10)])), missing);
}

#[test]
fn bars_that_lack_nothing_are_read_at_once_to_the_same() {
    let times = |at: [i64; 3]| TimestampNanosecondArray::from(at.to_vec());
    let exact = |values: [i64; 3], scale| {
        Decimal64Array::from(values.to_vec()).with_precision_and_scale(18, scale).unwrap()
    };
    let whole = |values: [u64; 3]| UInt64Array::from(values.to_vec());
    let foreign = Foreign::trades().without("px").without("qty").with("ts_event", times([7, 8, 9]));
    let foreign =
        foreign.with("clock", StringArray::from(vec!["tick"; 3])).with("seq", whole([4, 5, 6]));
    let foreign =
        foreign.with("step", Int64Array::from(vec![60; 3])).with("open_ts", times([1, 2, 3]));
    let foreign = foreign.with("open", exact([5, 6, 7], 2)).with("high", exact([8, 9, 10], 2));
    let foreign = foreign.with("low", exact([-1, 2, 3], 2)).with("close", exact([4, 5, 6], 2));
    let foreign = foreign.with("volume", exact([0, 1, 2], 3));
    let at_once = foreign.good();
    assert_eq!(at_once.len(), 3);
    // A number of trades, which few have, is read row by row.
    let each: Vec<_> = foreign
        .with("trades", whole([77; 3]))
        .good()
        .iter()
        .map(|bar| bar.replace("U64(77)", "Absent"))
        .collect();
    assert_eq!(at_once, each);
}

#[test]
fn an_instrument_may_not_grow_under_way() {
    let number = |value| Int64Array::from(vec![value]);
    let row = |px_scale| {
        Foreign(vec![])
            .with("ts_recv", number(1))
            .with("sym", StringArray::from(vec!["b:X"]))
            .with("px_scale", number(px_scale))
            .with("qty_scale", number(0))
    };
    let known = Symbol::new("b:X").unwrap();
    let options = || {
        let options = Options::default();
        let scale = |digits| Scale::new(digits).unwrap();
        let _ = options.universe.declare(Instrument::new(known.clone(), scale(2), scale(0)));
        options
    };
    assert_eq!(row(2).read(options).message(), "");
    assert_eq!(
        row(3).read(options).message(),
        "in: instrument: row 0: b:X is in use at px_scale 2, qty_scale 0; a wider scale arrives too \
         late"
    );
    assert_eq!(
        row(19).read(options).message(),
        "in: instrument: row 0: field `px_scale`: scale 19 is out of range: expected 0 to 18"
    );
}

#[test]
fn a_dictionary_of_many_strangers_is_no_matter() {
    // As shared string caches have it: a value for every string of the program, keys for few.
    let values: Vec<String> = (0..300).map(|at| format!("s{at}")).chain(["sell".into()]).collect();
    let keys = UInt32Array::from(vec![Some(300), None, Some(300)]);
    let sides = DictionaryArray::new(keys, Arc::new(StringArray::from(values)));
    let found = Foreign::trades().with("side", sides).good();
    assert!(found[0].contains("Word(1)") && found[1].contains("Absent"), "{found:?}");
}

#[test]
fn a_time_without_ts_recv_is_late_by_the_latency_of_the_feed() {
    let events = || TimestampNanosecondArray::from(vec![Some(10), None, Some(30)]);
    let foreign = Foreign::trades().without("ts_recv").with("ts_event", events());
    let options = || Options { feed_latency_ns: 5, ..skipping() };
    let found = foreign.read(options).records;
    assert_eq!(found.len(), 2);
    assert!(found[0].contains("Ts(10) Ts(15)"), "{}", found[0]);
    let both = Foreign::trades().with("ts_event", events()).good();
    assert!(both[1].contains(" false "), "the venue gave no time: {}", both[1]);
}

#[test]
fn rows_without_numbers_are_counted_through_all_tables() {
    let options = || Options { batch_records: 1, ..Options::default() };
    let found = records(&Foreign::trades().parquet(), options());
    assert_eq!(found, Foreign::trades().good());
}

#[test]
fn a_range_is_not_judged_by_statistics_in_other_units() {
    let micros = [0, 1, 2].map(|at| (SECOND + at) * 1_000_000).to_vec();
    let foreign = Foreign::trades().with("ts_recv", TimestampMicrosecondArray::from(micros));
    let second = |at| Ts::from_nanos((SECOND + at) * 1_000_000_000);
    let span = Span { from: second(1), to: second(2) };
    assert_eq!(read_span(&foreign.parquet(), span, Options::default()).records.len(), 1);
    assert_eq!(read_span(&Foreign::trades().parquet(), span, Options::default()).records.len(), 1);
}

#[test]
fn a_column_of_every_type_is_read_or_refused() {
    let types = [
        DataType::Null,
        DataType::Boolean,
        DataType::Date32,
        DataType::Date64,
        DataType::Time64(TimeUnit::Microsecond),
        DataType::Duration(TimeUnit::Millisecond),
        DataType::Binary,
        DataType::FixedSizeBinary(4),
        DataType::Float16,
        DataType::Decimal32(9, 2),
        DataType::Decimal256(76, 3),
        DataType::Timestamp(TimeUnit::Second, Some("Europe/Berlin".into())),
        DataType::new_list(DataType::Int8, true),
        DataType::Dictionary(Box::new(DataType::UInt8), Box::new(DataType::Int64)),
    ];
    for name in ["ts_event", "ts_recv", "sym", "px", "qty", "side", "id", "seq"] {
        for ty in &types {
            let mut foreign = Foreign::trades();
            foreign.0.retain(|(known, _)| *known != name);
            let array = arrow::array::new_null_array(ty, 3);
            let mut fields = foreign.table().schema().fields().to_vec();
            fields.push(Arc::new(Field::new(name, ty.clone(), true)));
            let mut arrays = foreign.table().columns().to_vec();
            arrays.push(array);
            let schema = Arc::new(Schema::new(fields));
            let table = RecordBatch::try_new(Arc::clone(&schema), arrays).unwrap();
            let mut writer =
                arrow::ipc::writer::StreamWriter::try_new(Vec::new(), &schema).unwrap();
            writer.write(&table).unwrap();
            let bytes = writer.into_inner().unwrap();
            let found = read(&bytes, skipping());
            let message = found.message();
            assert!(found.records.len() == 3 || !message.is_empty() || name != "id", "{name} {ty}");
        }
    }
}
