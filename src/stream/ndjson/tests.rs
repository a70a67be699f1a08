//! Broken and odd lines, with the message of each.

use qt_model::record::Kind;

use crate::error::ReadError;
use crate::read::Options;
use crate::sample;
use crate::trial::{check_cuts, cut_allowed, only, read, records, skipping, verified, write};
use crate::write::Format;

const STREAM: &str =
    r#"{"k":"stream","schema":1,"instruments":[{"sym":"b:X","px_scale":2,"qty_scale":3}]}"#;

/// A trade with some of its members given.
fn trade(members: &str) -> String {
    let mut line = r#"{"k":"trade","ts_recv":"2024-08-08T00:00:00Z","sym":"b:X""#.to_owned();
    for (name, value) in [("px", "1.5"), ("qty", "2"), ("seq", "7")] {
        if !members.contains(&format!("\"{name}\":")) {
            line.push_str(&format!(",\"{name}\":{value}"));
        }
    }
    format!("{line}{members}}}")
}

/// Reads one line behind a header; the message of its refusal without the place.
fn refusal(line: &[u8]) -> String {
    let bytes = [STREAM.as_bytes(), b"\n", line, b"\n"].concat();
    let found = read(&bytes, Options::default()).message();
    found.strip_prefix("in: line 2: ").unwrap_or(&found).to_owned()
}

fn check(line: &str, expected: &str) {
    assert_eq!(refusal(line.as_bytes()), expected, "{line}");
}

fn check_trade(members: &str, expected: &str) {
    check(&trade(members), expected);
}

/// Reads a whole text; the message that ends it.
fn check_text(text: &str, count: usize, expected: &str) {
    let found = read(text.as_bytes(), Options::default());
    assert_eq!((found.message().as_str(), found.records.len()), (expected, count), "{text}");
}

const NO_END: &str = "in: line 2: the stream is cut: no `end` record after 1 records";

/// A good trade: the only complaint is that no `end` follows.
fn check_good(members: &str) {
    assert_eq!(refusal(trade(members).as_bytes()), &NO_END[12..], "{members}");
}

#[test]
fn lines_that_are_no_objects() {
    check("{", "not JSON: EOF while parsing an object (column 1)");
    check("nothing", "not JSON: expected ident (column 2)");
    check("[1]", "not JSON: invalid type: sequence, expected a JSON object (column 0)");
    check("{\"k\":\"trade\"} {}", "not JSON: trailing characters (column 15)");
    check("{}", "a record needs `k`, its kind, first of all");
    check(r#"{"k":7}"#, "a record needs `k`, its kind, first of all");
    assert_eq!(refusal(b"{\"k\":\"\xff\"}"), "the line is not UTF-8 (byte 6 of the line)");
    check_trade(r#","px":1,"px":2"#, "the key `px` stands twice in one record");
    check_trade(r#","p\u0078":1,"px":2"#, "the key `px` stands twice in one record");
}

#[test]
fn members_that_are_missing_or_of_another_type() {
    check_trade(
        r#","px":null"#,
        "a trade record needs `px`: expected a decimal number, or the same as a string",
    );
    let times = r#"{"k":"trade","sym":"b:X","px":1,"qty":1}"#;
    let message =
        "a trade record needs `ts_event`: expected a time, in `ts_event`, `ts_recv` or both";
    check(times, message);
    check(
        r#"{"k":"trade","ts_recv":1,"px":1,"qty":1}"#,
        "a trade record needs `sym`: expected a symbol such as binance:BTCUSDT",
    );
    check(
        r#"{"k":"decision","ts_recv":1,"decision_id":"a","strategy":"s","action":"enter","px":1}"#,
        "a decision record needs `sym`: expected a symbol, since the record has a price or size",
    );
    check_trade(
        r#","side":"BUY""#,
        r#"field `side`: expected one of buy, sell, found "BUY""#.replace('"', "\\\"").as_str(),
    );
    check_trade(
        r#","seq":-1"#,
        "field `seq`: expected a whole number from 0 to 18446744073709551615, found -1",
    );
    check_trade(
        r#","id":1.5"#,
        "field `id`: expected a whole number from 0 to 18446744073709551615, found 1.5",
    );
    check_trade(
        r#","ts_event":"yesterday""#,
        "field `ts_event`: expected a time such as 2024-08-08T00:00:00.123456789Z, or integer \
         nanoseconds, found \\\"yesterday\\\"",
    );
    check(
        r#"{"k":"trade","ts_recv":1,"sym":"BTCUSDT","px":1,"qty":1}"#,
        "field `sym`: `BTCUSDT` is not a symbol: expected venue:NAME without spaces, quotes or \
         control characters",
    );
    check(
        r#"{"k":"trade","ts_recv":1,"sym":7,"px":1,"qty":1}"#,
        "field `sym`: expected a symbol such as binance:BTCUSDT, found 7",
    );
}

#[test]
fn numbers_that_cannot_be_kept_exactly() {
    let not = |found: &str| format!("field `px`: expected a decimal number, found {found}");
    for text in [r#""NaN""#, r#""1,5""#, r#""0x1""#, r#""""#, "true", "[1]", "{}"] {
        check_trade(&format!(r#","px":{text}"#), &not(&text.replace('"', "\\\"")));
    }
    let fine = "field `px`: the number has more than 2 decimals, the scale of its instrument";
    check_trade(r#","px":1.005"#, &format!("{fine}, found 1.005"));
    check_trade(r#","px":1e-400"#, &format!("{fine}, found 1e-400"));
    let wide =
        "field `px`: the number has more than 18 digits at scale 2, the scale of its instrument";
    check_trade(r#","px":1e400"#, &format!("{wide}, found 1e400"));
    check_trade(r#","px":12345678901234567"#, &format!("{wide}, found 12345678901234567"));
    check_trade(
        r#","qty":-1"#,
        "field `qty`: expected a decimal number of zero or more, or the same as a string, found -1",
    );
    // What JSON does not allow is not a number, however well it could be read.
    check_trade(r#","px":01.50"#, "not JSON: invalid number (column 81)");
    check_trade(r#","px":NaN"#, "not JSON: expected value (column 80)");
    check_trade(r#","seq":07"#, "not JSON: invalid number (column 83)");
    for good in [r#","px":"1.5""#, r#","px":15e-1"#, r#","px":-1.50"#, r#","qty":"35000000000""#] {
        check_good(good);
    }
    check_good(r#","seq":"18446744073709551615""#);
    check(
        r#"{"k":"metric","ts_recv":1,"name":"x","value":1e400}"#,
        "field `value`: expected a finite number, found 1e400",
    );
    check(
        r#"{"k":"mark","ts_recv":1,"sym":"b:X","mark_px":1.23456789012345678901234567899e3}"#,
        "field `mark_px`: expected a decimal number of at most 28 digits, or the same as a string, \
         found 1.23456789012345678901234567899e3",
    );
    check(
        r#"{"k":"feature","ts_recv":1,"sym":"b:X","set":"s","values":[1,"2"]}"#,
        "field `values`: expected a list of finite numbers and nulls, found [1,\\\"2\\\"]",
    );
}

#[test]
fn levels_that_are_no_levels() {
    let depth = |bids: &str| {
        format!(r#"{{"k":"depth","ts_recv":1,"sym":"b:X","action":"delta","bids":{bids}}}"#)
    };
    let shape = "field `bids`: expected a list of [price, size] pairs, found ";
    for bids in ["{}", "[1]", "[[1]]", "[[1,2,3]]"] {
        check(&depth(bids), &format!("{shape}{bids}"));
    }
    check(&depth("[[1,-2]]"), "field `bids`: expected sizes of zero or more, found -2");
    check(&depth("[[null,2]]"), "field `bids`: expected a decimal number, found null");
    check(
        &depth("[[1.234,2]]"),
        "field `bids`: the number has more than 2 decimals, the scale of its instrument, found 1.234",
    );
}

#[test]
fn frames_that_do_not_fit() {
    let head = |text: &str, expected: &str| check_text(text, 0, expected);
    head(
        r#"{"k":"stream"}"#,
        "in: line 1: a stream record needs `schema`: expected the version of the schema, a whole number",
    );
    head(
        r#"{"k":"stream","schema":"1"}"#,
        r#"in: line 1: the `stream` record: invalid type: string "1", expected u64"#,
    );
    head(
        r#"{"k":"stream","schema":1,"kinds":7}"#,
        "in: line 1: the `stream` record: invalid type: integer `7`, expected a sequence",
    );
    head(
        r#"{"k":"stream","schema":1,"instruments":[{"sym":"b:X","px_scale":19,"qty_scale":0}]}"#,
        "in: line 1: field `px_scale`: scale 19 is out of range: expected 0 to 18",
    );
    head(
        r#"{"k":"stream","schema":1,"instruments":[{"px_scale":1,"qty_scale":0}]}"#,
        "in: line 1: a stream record needs `sym`: expected the symbol of an instrument, such as \
         binance:BTCUSDT",
    );
    // Later versions may say anything else differently.
    head(
        r#"{"k":"stream","schema":2,"instruments":{"b:X":[2,3]}}"#,
        "in: line 1: schema version 2 is newer than 1, the newest that this qt reads",
    );
    let body = |last: &str| format!("{STREAM}\n{}\n{last}\n", trade(""));
    check_text(&body(r#"{"k":"end"}"#), 1, "in: line 3: the `end` record: missing field `records`");
    check_text(
        &body(r#"{"k":"end","records":1.5,"digest":""}"#),
        1,
        "in: line 3: the `end` record: invalid type: floating point `1.5`, expected u64",
    );
    check_text(
        &body(STREAM),
        1,
        "in: line 3: the stream is cut: another `stream` record stands before its `end`",
    );
    let end = r#"{"k":"end","records":1,"digest":"xxh3:0"}"#;
    check_text(&body(end), 1, "");
    check_text(&(body(end) + &body(end)), 2, "");
    check_text(
        &(body(end) + &trade("")),
        1,
        "in: line 4: a record stands behind the `end` of the stream",
    );
    let wider = STREAM.replace("\"px_scale\":2", "\"px_scale\":3");
    check_text(
        &(body(end) + &wider),
        1,
        "in: line 4: b:X is in use at px_scale 2, qty_scale 3; a wider scale arrives too late",
    );
}

#[test]
fn the_end_is_compared_when_asked() {
    let (bytes, digest) = write(&[&sample::market(10)], Format::Ndjson, None);
    let text = String::from_utf8(bytes).unwrap();
    let lines: Vec<_> = text.lines().collect();
    let without = |skip: usize| {
        let kept = lines.iter().enumerate().filter(|(at, _)| *at != skip);
        kept.map(|(_, line)| format!("{line}\n")).collect::<String>()
    };
    let message = read(without(4).as_bytes(), verified()).message();
    assert_eq!(message, "in: line 11: the `end` record counts 10 records, 9 were read");
    assert_eq!(read(without(4).as_bytes(), Options::default()).message(), "");
    let changed = text.replacen("60000.00", "60000.01", 1);
    let message = read(changed.as_bytes(), verified()).message();
    let expected = format!(", the `end` record says {digest}");
    assert!(message.starts_with("in: line 12: the records have digest xxh3:"), "{message}");
    assert!(message.ends_with(&expected), "{message}");
    // Without its header it is a stream like any other, and there is nothing to compare.
    assert_eq!(records(without(0).as_bytes(), verified()).len(), 10);
}

#[test]
fn unknown_kinds_and_members_pass_through() {
    let stranger = r#"{"k":"rumour","who":{"a":[1,2]},"px":1e400}"#;
    let text = format!("{STREAM}\n{stranger}\n{}\n", trade(r#","colour":{"x":[]}"#));
    let found = read(text.as_bytes(), Options::default());
    assert_eq!(found.records.len(), 2);
    assert!(found.records[0].contains(&format!("{stranger:?}")), "{}", found.records[0]);
}

#[test]
fn long_lines_are_refused_and_can_be_skipped() {
    let long = trade(&format!(r#","note":"{}""#, "x".repeat(10 << 20)));
    let text = format!("{}\n{long}\n{}\n", trade(""), trade(""));
    check_text(&text, 1, "in: line 2: the line is longer than 4194304 bytes");
    let options = skipping();
    assert_eq!(records(text.as_bytes(), options.clone()).len(), 2);
    assert_eq!(options.tolerance.skipped(), 1);
    // A line below the limit with as many keys as fit is answered at once.
    let many: String = (0..200_000).map(|at| format!(",\"a{at}\":1")).collect();
    check_text(&(trade(&many) + "\n"), 1, "");
    check_text(
        &(trade(&(many + ",\"a7\":2")) + "\n"),
        0,
        "in: line 1: the key `a7` stands twice in one record",
    );
}

#[test]
fn a_header_may_be_longer_than_a_record() {
    let instruments: Vec<_> = (0..60_000)
        .map(|at| {
            let note = "x".repeat(40);
            format!(r#"{{"sym":"b:I{at}","px_scale":2,"qty_scale":3,"note":"{note}"}}"#)
        })
        .collect();
    let header =
        format!(r#"{{"k":"stream","schema":1,"instruments":[{}]}}"#, instruments.join(","));
    assert!(header.len() > crate::lines::LINE_LIMIT);
    let text = format!("{header}\n{}\n", trade(""));
    assert_eq!(records(text.as_bytes(), cut_allowed()).len(), 1);
}

#[test]
fn nothing_is_an_empty_stream_and_other_things_are_not_streams() {
    for text in ["", "\n", " \r\n\t\n", "\u{feff}"] {
        check_text(text, 0, "");
    }
    let unreadable = "in: not a stream of records: expected NDJSON, CSV with a column `k` first, \
                      Arrow or Parquet, plain or in zstd or gzip";
    for text in ["hello\n", "[1]\n", "\0\0\0\0"] {
        check_text(text, 0, unreadable);
    }
    check_text(&format!("\u{feff}{}\r\n\r\n", trade("")), 1, "");
}

#[test]
fn scales_come_from_the_first_records() {
    let text = format!("{}\n{}\n", trade(r#","px":1.5"#), trade(r#","px":1.2345"#));
    check_text(&text, 2, "");
    // An instrument declares itself, also ahead of its trades.
    let declared = r#"{"k":"instrument","ts_recv":1,"sym":"b:X","px_scale":8,"qty_scale":4}"#;
    check_text(&format!("{declared}\n{}\n", trade("")), 2, "");
}

#[test]
fn skipped_lines_leave_the_others_in_order() {
    let text =
        format!("{}\n{{\n{}\n[]\n{}\n", trade(""), trade(r#","seq":8"#), trade(r#","seq":9"#));
    let options = skipping();
    assert_eq!(records(text.as_bytes(), options.clone()).len(), 3);
    assert_eq!(options.tolerance.skipped(), 2);
    let first = "in: line 2: not JSON: EOF while parsing an object (column 1)";
    assert_eq!(options.tolerance.first().as_deref(), Some(first));
    check_text(&text, 1, first);
}

#[test]
fn a_cut_stream_says_so_wherever_it_is_cut() {
    let batch = sample::market(9);
    let (bytes, _) = write(&[&batch], Format::Ndjson, None);
    check_cuts(&bytes, &sample::texts(&batch));
    let zstd = zstd::encode_all(bytes.as_slice(), 3).unwrap();
    check_cuts(&zstd, &sample::texts(&batch));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, &bytes).unwrap();
    check_cuts(&gzip.finish().unwrap(), &sample::texts(&batch));
}

#[test]
fn damaged_compression_is_damage_with_a_place() {
    let (bytes, _) = write(&[&sample::market(2_000)], Format::Ndjson, None);
    let mut zstd = zstd::encode_all(bytes.as_slice(), 3).unwrap();
    let middle = zstd.len() / 2;
    zstd[middle] ^= 0xff;
    let found = read(&zstd, Options::default());
    assert!(matches!(found.error, Some(ReadError::Corrupt { .. })), "{}", found.message());
    let rest = [zstd::encode_all(bytes.as_slice(), 3).unwrap(), b"rest".to_vec()].concat();
    let found = read(&rest, Options::default());
    assert_eq!(found.records.len(), 2_000);
    assert!(found.message().contains("the compressed data"), "{}", found.message());
    let mut wrapped = bytes;
    for _ in 0..5 {
        wrapped = zstd::encode_all(wrapped.as_slice(), 1).unwrap();
    }
    let message = read(&wrapped, Options::default()).message();
    assert_eq!(message, "in: compressed more often than any tool would");
}

#[test]
fn the_last_line_may_lack_its_feed_unless_it_is_cut() {
    check_text(&format!("{}\n{}", trade(""), trade("")), 2, "");
    let cut = format!("{}\n{}", trade(""), &trade("")[..40]);
    check_text(&cut, 1, "in: line 2: not JSON: EOF while parsing a string (column 40)");
    assert_eq!(records(cut.as_bytes(), cut_allowed()).len(), 1);
}

#[test]
fn batches_of_no_records_are_not_asked_for() {
    let batch = only(&sample::market(9), Kind::Trade);
    for format in [Format::Ndjson, Format::Arrow, Format::Parquet, Format::Csv] {
        let (bytes, _) = write(&[&batch], format, Some(&[Kind::Trade]));
        for batch_records in [0, 1, usize::MAX] {
            let options = Options { batch_records, ..Options::default() };
            assert_eq!(records(&bytes, options).len(), 3, "{format:?}");
        }
    }
}
