//! Our streams in other people's hands: tests that need Python, and say so where there is none.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::read::Options;
use crate::sample;
use crate::schemas;
use crate::trial::{read, records, write};
use crate::write::Format;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The interpreter for tests, if it has these modules.
fn python(modules: &str) -> Option<Command> {
    let named = std::env::var_os("QT_TEST_PYTHON").filter(|path| !path.is_empty());
    let path = named.map_or_else(|| root().join(".venv/bin/python"), PathBuf::from);
    let imports = Command::new(&path)
        .args(["-c", &format!("import {modules}")])
        .stderr(Stdio::null())
        .status();
    if !imports.is_ok_and(|status| status.success()) {
        eprintln!("skipped: {} has no {modules}", path.display());
        return None;
    }
    Some(Command::new(path))
}

/// Runs with this on standard input; what it prints.
fn run(command: &mut Command, input: &[u8]) -> String {
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // Both sides of a pipe at once, or a long input and a long answer wait for each other.
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    let _ = writer.join();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_line_validates() {
    let Some(mut python) = python("jsonschema") else { return };
    let program = "\
import json, sys, jsonschema
schemas = json.loads(sys.stdin.readline())
checks = {k: jsonschema.Draft202012Validator(v) for k, v in schemas.items()}
for v in schemas.values(): jsonschema.Draft202012Validator.check_schema(v)
for line in sys.stdin:
    record = json.loads(line)
    checks[record['k']].validate(record)
    print(record['k'])
";
    let schemas: serde_json::Map<_, _> = schemas::all()
        .into_iter()
        .map(|of| {
            let text = schemas::json_schema(of);
            (of.name.to_owned(), serde_json::from_str(&text).unwrap())
        })
        .collect();
    let mut input = format!("{}\n", Value::Object(schemas)).into_bytes();
    let (lines, _) = write(&[&sample::every_kind()], Format::Ndjson, None);
    input.extend(&lines);
    let checked = run(python.args(["-c", program]), &input);
    assert_eq!(checked.lines().count(), sample::every_kind().len() + 2);
}

#[test]
fn the_reader_in_python_sees_the_same_records_in_the_same_order() {
    let Some(mut python) = python("pyarrow") else { return };
    let batch = sample::market(60);
    let (arrow, _) = write(&[&batch, &batch], Format::Arrow, None);
    let found = json_lines(&run(python.arg(root().join("python/read_interleaved.py")), &arrow));
    let (lines, _) = write(&[&batch, &batch], Format::Ndjson, None);
    let lines = String::from_utf8(lines).unwrap();
    let expected = json_lines(&lines);
    let expected = &expected[1..expected.len() - 1];
    assert_eq!(found.len(), expected.len());
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert_eq!(found["n"], at);
        assert_eq!((&found["k"], &found["seq"]), (&expected["k"], &expected["seq"]));
        let ts = qt_model::time::Ts::parse(expected["ts_recv"].as_str().unwrap().as_bytes());
        assert_eq!(found["ts_recv"], ts.unwrap().nanos());
        let sides = [("buy", "bids"), ("sell", "asks")].map(|(side, name)| {
            let levels = expected[name].as_array().cloned().unwrap_or_default();
            levels.into_iter().map(move |level| (side, level)).collect::<Vec<_>>()
        });
        let levels = found["levels"].as_array().cloned().unwrap_or_default();
        assert_eq!(levels.len(), sides.concat().len());
        for (level, (side, pair)) in levels.iter().zip(sides.concat()) {
            assert_eq!(level[0], side);
            check_number(&level[1], &pair[0]);
            check_number(&level[2], &pair[1]);
        }
        if expected["k"] == "trade" {
            check_number(&found["px"], &expected["px"]);
            check_number(&found["qty"], &expected["qty"]);
        }
    }
}

fn check_number(found: &Value, expected: &Value) {
    let money = |value: &Value| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        qt_model::decimal::parse_money(text.as_bytes()).unwrap()
    };
    assert_eq!(money(found), money(expected));
}

/// Writes tables with pyarrow: columns, and the options of its Parquet writer or `arrow`.
fn foreign(python: &mut Command, tables: &[(String, &str)]) -> Vec<Vec<u8>> {
    let mut program = "\
import sys, decimal, pyarrow as pa, pyarrow.parquet as pq
D = decimal.Decimal
def write(table, arrow, **options):
    sink = pa.BufferOutputStream()
    if arrow:
        with pa.ipc.new_stream(sink, table.schema) as out: out.write_table(table)
    else:
        pq.write_table(table, sink, **options)
    print(sink.getvalue().to_pybytes().hex())
"
    .to_owned();
    for (columns, options) in tables {
        let (arrow, options) = if *options == "arrow" { ("True", "") } else { ("False", *options) };
        program.push_str(&format!("write(pa.table({{{columns}}}), {arrow}{options})\n"));
    }
    run(python.args(["-c", &program]), b"").lines().map(bytes_of).collect()
}

fn bytes_of(hex: &str) -> Vec<u8> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    hex.as_bytes().chunks(2).map(byte).collect()
}

const TIMES: &str = "'ts_recv': pa.array([1723075200000000, 1723075200000001], pa.timestamp('us'))";

#[test]
fn tables_of_pyarrow_are_read_exactly() {
    let Some(mut python) = python("pyarrow") else { return };
    let cases = [
        "pa.array([D('61820.99'), D('-0.01')], pa.decimal128(38, 2))",
        "pa.array([D('61820.99'), D('-0.01')], pa.decimal128(18, 2))",
        "pa.array([D('61820.99'), D('-0.01')], pa.decimal64(18, 2))",
        "pa.array([D('61820.99'), D('-0.01')], pa.decimal32(9, 2))",
        "pa.array([D('61820.99'), D('-0.01')], pa.decimal256(60, 2))",
    ];
    let symbols = [
        "pa.array(['b:X', 'b:X'], pa.large_string())",
        "pa.array(['b:X', 'b:X'], pa.string_view())",
        "pa.array(['b:X', 'b:X']).dictionary_encode()",
        "pa.array(['b:X', 'b:X'], pa.dictionary(pa.uint32(), pa.string()))",
    ];
    let codecs = [
        "",
        ", store_decimal_as_integer=True, compression='none'",
        ", compression='gzip'",
        ", compression='lz4', data_page_version='2.0'",
        "arrow",
    ];
    let with_px = cases.iter().map(|px| (*px, symbols[0]));
    let with_symbols = symbols.iter().map(|symbol| (cases[0], *symbol));
    let mut tables = Vec::new();
    for (px, symbol) in with_px.chain(with_symbols) {
        let qty = "pa.array([35000000000, 0])";
        let columns = format!("{TIMES}, 'sym': {symbol}, 'px': {px}, 'qty': {qty}");
        tables.extend(codecs.iter().map(|codec| (columns.clone(), *codec)));
    }
    let mut seen = Vec::new();
    for (bytes, table) in foreign(&mut python, &tables).iter().zip(&tables) {
        let found = read(bytes, Options::default());
        assert_eq!(found.message(), "", "{table:?}");
        seen.push(found.records);
    }
    assert!(seen.iter().all(|records| *records == seen[0]), "{seen:?}");
    assert!(seen[0][0].contains("Ts(1723075200000000000)"), "{:?}", seen[0]);
    assert!(seen[0][0].contains("Px(Px(6182099)), Qty(Qty(35000000000))"), "{:?}", seen[0]);
    assert!(seen[0][1].contains("Px(Px(-1)), Qty(Qty(0))"), "{:?}", seen[0]);
}

#[test]
fn a_price_in_floating_point_is_refused() {
    let Some(mut python) = python("pyarrow") else { return };
    let columns = format!("{TIMES}, 'sym': ['b:X', 'b:X'], 'px': [1.5, 2.5], 'qty': [1, 2]");
    let message = read(&foreign(&mut python, &[(columns, "")])[0], Options::default()).message();
    let expected = "field `px`: expected a decimal column of at most 18 decimals, or whole numbers: \
                    their digits are exact, found Float64";
    assert!(message.ends_with(expected), "{message}");
}

#[test]
fn every_codec_that_others_write_is_read() {
    let Some(mut python) = python("pyarrow") else { return };
    let columns = format!("{TIMES}, 'sym': ['b:X', 'b:X'], 'px': [1, 2], 'qty': [1, 2]");
    let codecs = ["none", "snappy", "gzip", "brotli", "lz4", "zstd"];
    let tables = codecs.map(|codec| (columns.clone(), format!(", compression='{codec}'")));
    let tables = tables.each_ref().map(|(columns, codec)| (columns.clone(), codec.as_str()));
    for (file, codec) in foreign(&mut python, &tables).iter().zip(codecs) {
        let found = read(file, Options::default());
        assert_eq!((found.message(), found.records.len()), (String::new(), 2), "{codec}");
    }
}

#[test]
fn pyarrow_reads_back_what_it_was_given() {
    let Some(mut python) = python("pyarrow") else { return };
    let batch = crate::trial::only(&sample::market(90), qt_model::record::Kind::Trade);
    let kinds = [qt_model::record::Kind::Trade];
    let (bytes, _) = write(&[&batch], Format::Parquet, Some(&kinds));
    let program = "\
import sys, pyarrow.parquet as pq, pyarrow as pa
table = pq.read_table(pa.BufferReader(sys.stdin.buffer.read()))
sink = pa.BufferOutputStream()
pq.write_table(table, sink)
sys.stdout.write(sink.getvalue().to_pybytes().hex())
";
    let hex = run(python.args(["-c", program]), &bytes);
    let back = bytes_of(hex.trim());
    assert_eq!(records(&back, Options::default()), sample::texts(&batch));
}
