//! Broken CSV, with the message of each.

use qt_model::record::Kind;

use crate::read::Options;
use crate::sample;
use crate::trial::{check_cuts, cut_allowed, only, read, records, skipping, write};
use crate::write::Format;

const TRADES: &str = "k,ts_event,ts_recv,sym,px,qty,side,id,seq";
const DEPTHS: &str = "k,ts_recv,sym,action,level,side,px,qty,seq";
const GOOD: &str = "trade,,2024-08-08T00:00:00Z,b:X,1.5,2,buy,1,0";

/// Reads a header and rows; how many records there are, and what ended them.
fn check(header: &str, rows: &[&str], count: usize, expected: &str) {
    let text = format!("{header}\n{}\n", rows.join("\n"));
    let found = read(text.as_bytes(), Options::default());
    assert_eq!((found.message().as_str(), found.records.len()), (expected, count), "{text}");
}

#[test]
fn columns_may_stand_in_any_order_behind_the_kind() {
    check(TRADES, &[GOOD, GOOD], 2, "");
    let (header, row) = ("k,seq,qty,px,sym,ts_recv", "trade,0,2,1.5,b:X,1723075200000000000");
    check(header, &[row], 1, "");
    check(&format!("\u{feff}{TRADES}"), &[GOOD], 1, "");
    check(&format!("{TRADES}\r"), &[&format!("{GOOD}\r")], 1, "");
    check(&format!("{TRADES},colour"), &[&format!("{GOOD},\"a \"\"red\"\" one\n\"")], 1, "");
}

#[test]
fn columns_that_are_missing_or_stand_twice() {
    check(
        "k,ts_recv,sym,px,seq",
        &["trade,1,b:X,1.5,0"],
        0,
        "in: line 2: a trade record needs `qty`: expected a decimal number of zero or more, or the \
         same as a string",
    );
    check("k,px,px", &[], 0, "in: line 1: the column `px` stands twice in the header");
    let expected =
        "in: line 2: a trade record needs `sym`: expected a symbol such as binance:BTCUSDT";
    check("k,ts_recv,px,qty", &["trade,1,1,1"], 0, expected);
    let unreadable = "in: not a stream of records: expected NDJSON, CSV with a column `k` first, \
                      Arrow or Parquet, plain or in zstd or gzip";
    check("ts_recv,k,sym", &[], 0, unreadable);
}

#[test]
fn rows_that_do_not_fit() {
    let row = "in: line 3: ";
    let long = format!("{GOOD},1");
    check(TRADES, &[GOOD, &long], 1, &format!("{row}the row has 10 columns, the first line has 9"));
    check(
        TRADES,
        &[GOOD, "trade"],
        1,
        &format!("{row}the row has 1 columns, the first line has 9"),
    );
    let kind = GOOD.replace("trade", "rumour");
    let message = "field `k`: expected a kind that `qt schema` lists, found rumour";
    check(TRADES, &[GOOD, &kind], 1, &format!("{row}{message}"));
    let cell = |from: &str, to: &str, expected: &str| {
        check(TRADES, &[GOOD, &GOOD.replacen(from, to, 1)], 1, &format!("{row}{expected}"));
    };
    cell(
        "1.5",
        "1e400",
        "field `px`: the number has more than 18 digits at scale 1, the scale of its instrument, found 1e400",
    );
    cell("1.5", "NaN", "field `px`: expected a decimal number, found NaN");
    cell(
        ",2,buy",
        ",-2,buy",
        "field `qty`: expected a decimal number of zero or more, or the same as a string, found -2",
    );
    cell("buy", "BUY", "field `side`: expected one of buy, sell, found BUY");
    cell(
        "b:X",
        "X",
        "field `sym`: `X` is not a symbol: expected venue:NAME without spaces, quotes or control characters",
    );
    cell(
        "2024-08-08T00:00:00Z",
        "8/8/2024",
        "field `ts_recv`: expected a time such as 2024-08-08T00:00:00.123456789Z, or integer \
         nanoseconds, found 8/8/2024",
    );
    let mut bytes = format!("{TRADES}\n{GOOD}\n").into_bytes();
    let symbol = bytes.iter().position(|byte| *byte == b'X').unwrap();
    bytes[symbol] = 0xff;
    let message = read(&bytes, Options::default()).message();
    assert!(message.ends_with("the line is not UTF-8 (byte 2 of the line)"), "{message}");
}

#[test]
fn a_book_that_lacks_a_level_is_no_book() {
    let rows = |levels: &[&str]| -> Vec<String> {
        levels.iter().map(|level| format!("depth,1,b:X,snapshot,{level},0")).collect()
    };
    let check = |levels: &[&str], count: usize, expected: &str| {
        let rows = rows(levels);
        let rows: Vec<_> = rows.iter().map(String::as_str).collect();
        check(DEPTHS, &rows, count, expected);
    };
    check(&["0,buy,1,1", "1,sell,2,1", "0,,,"], 2, "");
    let order = "in: line 4: field `level`: expected 2, or 0, which opens the next record, found 3";
    check(&["0,buy,1,1", "1,buy,1,1", "3,buy,1,1"], 0, order);
    let first = "in: line 2: field `level`: expected 0, which opens a record, found 1";
    check(&["1,buy,1,1"], 0, first);
    check(
        &["0,,,", "1,buy,1,1"],
        0,
        "in: line 3: field `level`: expected 0, which opens a record, found 1",
    );
    let half = "in: line 3: a depth record needs `side`: expected side, px and qty of the level";
    check(&["0,buy,1,1", "1,,1,1"], 0, half);
    // The rest of a refused record is not a second problem, and the next record is whole again.
    let text = format!(
        "{DEPTHS}\n{}\ndepth,1\n{}\n",
        rows(&["0,buy,1,1", "2,buy,1,1", "3,buy,1,1", "0,buy,1,1"]).join("\n"),
        rows(&["1,buy,1,1", "0,buy,1,1"]).join("\n"),
    );
    let options = skipping();
    assert_eq!(records(text.as_bytes(), options.clone()).len(), 1);
    // A row of unknown kind takes the record with it that it may have belonged to.
    assert_eq!(options.tolerance.skipped(), 2);
}

#[test]
fn an_open_quote_does_not_swallow_the_file() {
    let open = GOOD.replace("buy", "\"buy");
    let filler = format!("{GOOD}\n").repeat(300_000);
    let text = format!("{TRADES}\n{GOOD}\n{open}\n{filler}");
    let found = read(text.as_bytes(), Options::default());
    let expected = "in: line 3: a row is longer than 4194304 bytes: is a quote left open?";
    assert_eq!((found.message().as_str(), found.records.len()), (expected, 1));
    let many = format!("{TRADES}\n{}", format!("{GOOD}\n").repeat(200_000));
    assert_eq!(records(many.as_bytes(), Options::default()).len(), 200_000);
}

#[test]
fn a_symbol_that_the_first_look_cuts_is_not_declared() {
    for extra in 0..60 {
        let row = GOOD.replace("b:X", "b:LONGNAME");
        let mut text = format!("{TRADES},{}\n", "x".repeat(extra));
        while text.len() < 70_000 {
            text.push_str(&format!("{row},\n"));
        }
        let options = Options::default();
        records(text.as_bytes(), options.clone());
        assert_eq!(options.universe.snapshot().len(), 1, "a column of {extra}");
    }
}

#[test]
fn a_row_without_its_line_feed_is_not_trusted_where_cuts_are_expected() {
    let text = format!("{TRADES}\n{GOOD}\n{GOOD}");
    assert_eq!(records(text.as_bytes(), Options::default()).len(), 2);
    assert_eq!(records(text.as_bytes(), cut_allowed()).len(), 1);
    assert_eq!(records(format!("{text}\n").as_bytes(), cut_allowed()).len(), 2);
    let batch = only(&sample::market(30), Kind::Trade);
    let (bytes, _) = write(&[&batch], Format::Csv, Some(&[Kind::Trade]));
    check_cuts(&zstd::encode_all(bytes.as_slice(), 3).unwrap(), &sample::texts(&batch));
}

#[test]
fn what_is_put_aside_is_the_row_as_it_came() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad");
    let tolerance = crate::tolerance::Tolerance::quarantine(&path).unwrap();
    let row = r#"trade,,1,b:X,"1,5",2,buy,1,0"#;
    let options = Options { tolerance, ..Options::default() };
    assert_eq!(records(format!("{TRADES}\n{row}\n{GOOD}\n").as_bytes(), options).len(), 1);
    let kept: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(kept["text"], row);
    assert_eq!(kept["place"], "in: line 2");
}

#[test]
fn strangers_stay_strangers() {
    let text = "k,ts_recv,kind,json,seq\nother,1,rumour,\"{\"\"k\"\":\"\"rumour\"\"}\",0\n";
    assert_eq!(records(text.as_bytes(), Options::default()).len(), 1);
    let broken = text.replace("{\"\"k", "{\"\"x");
    let message = read(broken.as_bytes(), Options::default()).message();
    assert!(
        message.contains("expected an object whose `k` is the kind of the record"),
        "{message}"
    );
}

#[test]
fn an_instrument_declares_itself_and_may_not_grow() {
    let row = |px_scale: u8| {
        let trade = "trade,1,b:X,,,1.5,2,1";
        format!(
            "k,ts_recv,sym,px_scale,qty_scale,px,qty,seq\n{trade}\ninstrument,1,b:X,{px_scale},0,,,0\n"
        )
    };
    assert_eq!(records(row(8).as_bytes(), Options::default()).len(), 2);
    let late = format!("{}{}", row(2), "trade,1,b:X,,,1.5,2,1\n".repeat(4_000));
    let late = format!("{late}instrument,1,b:X,3,0,,,0\n");
    let message = read(late.as_bytes(), Options::default()).message();
    assert!(
        message
            .ends_with("b:X is in use at px_scale 2, qty_scale 0; a wider scale arrives too late"),
        "{message}"
    );
}
