use arrow::array::{
    ArrayRef, Decimal128Array, DictionaryArray, Float64Array, Int64Array, ListArray, RecordBatch,
    TimestampMicrosecondArray,
};
use arrow::datatypes::Int32Type;
use arrow::ipc::writer::{FileWriter, StreamWriter};
use parquet::arrow::ArrowWriter;
use qt_model::record::{Batch, Source as _, Trade};
use qt_model::words::Side;

use super::super::Notes;
use super::*;

#[test]
fn a_map_says_all_that_is_wrong_in_it() {
    let good = "kind = \"trade\"\ntime = { column = 1 }\ncolumns = { px = 2, qty = 3 }";
    assert!(Plan::parse(good).is_ok());
    for (text, said) in [
        ("kind = \"trade\"", "time"),
        ("kind = \"trad\"\ntime = { column = 1 }", "trade"),
        ("kind = \"trade\"\ntime = { column = 1 }\ncolumns = { px = 2 }", "lacks `qty`"),
        (
            "kind = \"trade\"\ntime = { column = 1 }\ncolumns = { px = 1, qty = 2, size = 3 }",
            "has `size`",
        ),
        (
            "kind = \"trade\"\ntime = { column = 1 }\ncolumns = { px = 1, qty = 2, side = 3 }",
            "[side]",
        ),
        (
            "kind = \"bar\"\ntime = { column = 1 }\ncolumns = { open = 1, high = 1, low = 1, close = 1 }",
            "[bar]",
        ),
        ("kind = \"trade\"\ntimes = 1", "times"),
    ] {
        let error = Plan::parse(text).unwrap_err();
        assert!(error.contains(said), "{text}: {error}");
    }
}

/// A table of another program: exact sizes, floats, a time with a zone, words, and what has no text.
fn foreign() -> RecordBatch {
    let times = TimestampMicrosecondArray::from(vec![1_723_075_200_000_001, 1_723_075_200_500_000]);
    let prices = Float64Array::from(vec![61_000.1, 0.000_000_1]);
    let sizes = Decimal128Array::from(vec![25, 1_000]).with_precision_and_scale(20, 3).unwrap();
    let words: DictionaryArray<Int32Type> = ["True", "False"].into_iter().collect();
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1)]), None]);
    RecordBatch::try_from_iter([
        ("time", Arc::new(times.with_timezone("UTC")) as ArrayRef),
        ("extra", Arc::new(lists) as ArrayRef),
        ("price", Arc::new(prices) as ArrayRef),
        ("size, base", Arc::new(sizes) as ArrayRef),
        ("maker", Arc::new(words) as ArrayRef),
        ("id", Arc::new(Int64Array::from(vec![Some(7), None])) as ArrayRef),
    ])
    .unwrap()
}

const MAP: &str = r#"
kind = "trade"
symbol = "X"
time = { column = "time" }
columns = { px = "price", qty = "size, base", side = "maker", id = "id" }
side = { buy = ["False"], sell = ["True"] }
"#;

fn written(name: &str) -> Vec<u8> {
    let (batch, mut bytes) = (foreign(), Vec::new());
    match name {
        "parquet" => {
            let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
            writer.write(&batch).unwrap();
            writer.close().unwrap();
        }
        "file" => {
            let mut writer = FileWriter::try_new(&mut bytes, &batch.schema()).unwrap();
            writer.write(&batch).unwrap();
            writer.finish().unwrap();
        }
        _ => {
            let mut writer = StreamWriter::try_new(&mut bytes, &batch.schema()).unwrap();
            writer.write(&batch).unwrap();
            writer.finish().unwrap();
        }
    }
    bytes
}

/// What comes of a file with a map.
fn imported(bytes: &[u8], map: &str, has_path: bool) -> Result<Vec<(i64, Trade)>, ReadError> {
    let folder = tempfile::tempdir().unwrap();
    let (path, plan) = (folder.path().join("table"), folder.path().join("map.toml"));
    std::fs::write(&path, bytes).unwrap();
    std::fs::write(&plan, map).unwrap();
    let input = || ImportInput {
        name: "table".into(),
        path: has_path.then(|| path.clone()),
        bytes: Box::new(std::fs::File::open(&path).unwrap()),
        notes: Notes::default(),
        is_packed: false,
    };
    let hints = Hints { map: Some(plan), ..Hints::default() };
    let options = Options::default();
    Map.survey(input(), &hints, &options)?;
    let mut source = Map.open(input(), &hints, &options)?;
    let (mut batch, mut found) = (Batch::default(), Vec::new());
    while source.next(&mut batch)? {
        found.extend(batch.rows::<Trade>().iter().map(|row| (row.head.ts_recv.nanos(), *row)));
    }
    Ok(found)
}

#[test]
fn tables_of_other_programs_are_read_like_their_text() {
    let text = "time,price,\"size, base\",maker,id\n\
                2024-08-08T00:00:00.000001Z,61000.1,0.025,True,7\n\
                2024-08-08T00:00:00.500000Z,0.0000001,1.000,False,\n";
    let expected = imported(text.as_bytes(), MAP, true).unwrap();
    assert_eq!(expected.len(), 2);
    assert_eq!((expected[1].1.id, expected[1].1.side), (None, Some(Side::Buy)));
    for name in ["parquet", "file", "stream"] {
        let found = imported(&written(name), MAP, true).unwrap();
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn tables_that_do_not_fit_say_why() {
    for (name, map, has_path, said) in [
        ("parquet", MAP, false, "does not come through a pipe"),
        ("stream", &*MAP.replace("\"price\"", "\"extra\""), true, "no column `extra`; the first"),
        ("parquet", &*MAP.replace("\"price\"", "\"prize\""), true, "no column `prize`"),
        ("file", &*MAP.replace("\"time\" }", "\"time\", unit = \"ms\" }"), true, "its unit"),
    ] {
        let error = imported(&written(name), map, has_path).unwrap_err().to_string();
        assert!(error.contains(said), "{name}: {error}");
    }
    for name in ["parquet", "file", "stream"] {
        let whole = written(name);
        for end in [5, whole.len() / 2, whole.len() - 9] {
            let error = imported(&whole[..end], MAP, true).unwrap_err();
            let said = error.to_string();
            assert!(!matches!(error, ReadError::Io { .. }), "{said}");
            assert!(said.contains("table") && !said.contains("compressed"), "{said}");
        }
    }
}
