//! Broken and odd Arrow streams, with the message of each.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray, UInt64Array,
};
use qt_model::instrument::{Instrument, Instruments, Symbol};
use qt_model::record::{Batch, Head, Kind, Other, Trade};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};

use crate::error::ReadError;
use crate::frame::Header;
use crate::read::Options;
use crate::sample;
use crate::trial::{
    check_cuts, cut_allowed, header_of, only, read, records, skipping, verified, write,
};
use crate::write::{Format, StreamWriter};

type Frames = Vec<(u32, Vec<u8>)>;

fn frames(bytes: &[u8]) -> Frames {
    let mut rest = bytes.strip_prefix(super::MARK).unwrap();
    let mut frames = Vec::new();
    while !rest.is_empty() {
        let channel = u32::from_le_bytes(rest[..4].try_into().unwrap());
        let length = u64::from_le_bytes(rest[4..12].try_into().unwrap()) as usize;
        frames.push((channel, rest[12..12 + length].to_vec()));
        rest = &rest[12 + length..];
    }
    frames
}

fn joined(frames: &Frames) -> Vec<u8> {
    let mut bytes = super::MARK.to_vec();
    for (channel, payload) in frames {
        bytes.extend(channel.to_le_bytes());
        bytes.extend((payload.len() as u64).to_le_bytes());
        bytes.extend(payload);
    }
    bytes
}

fn interleaved() -> (Batch, Vec<u8>) {
    let batch = sample::market(30);
    let bytes = write(&[&batch, &batch], Format::Arrow, None).0;
    (batch, bytes)
}

fn control(line: &str) -> (u32, Vec<u8>) {
    (0, line.as_bytes().to_vec())
}

/// Changes the frames of a good stream; how many of its 60 records are read, and the complaint.
fn check(change: impl FnOnce(&mut Frames), count: usize, expected: &str) {
    let mut frames = frames(&interleaved().1);
    change(&mut frames);
    let found = read(&joined(&frames), Options::default());
    let message = found.message();
    let message = message.split_once(": ").map_or("", |(_, message)| message);
    let message = message.split_once(": ").map_or(message, |(place, message)| {
        if place.starts_with("byte ") { message } else { panic!("no place in {message}") }
    });
    assert_eq!((message, found.records.len()), (expected, count));
}

#[test]
fn frames_that_make_no_sense() {
    check(|_| {}, 60, "");
    check(|frames| drop(frames.remove(0)), 0, "expected the `stream` record first");
    check(|frames| frames.insert(1, frames[0].clone()), 0, "a second `stream` record");
    check(|frames| frames.push(control("{}")), 60, "bytes stand behind the `end` record");
    check(|frames| frames.insert(1, (9, vec![1])), 0, "channel 9 was never opened");
    let nonsense = "a control line that makes no sense: ";
    check(
        |frames| frames.insert(1, control(r#"{"k":"dance"}"#)),
        0,
        &format!(
            "{nonsense}unknown variant `dance`, expected one of `stream`, `channel`, `flush`, `end` \
             at line 1 column 12"
        ),
    );
    check(
        |frames| frames.insert(1, control("")),
        0,
        &format!("{nonsense}EOF while parsing a value at line 1 column 0"),
    );
    check(|frames| frames.insert(2, frames[1].clone()), 0, "channel 1 is opened twice");
    let channel = |number: u32, kind: &str| {
        control(&format!(r#"{{"k":"channel","channel":{number},"kind":"{kind}"}}"#))
    };
    check(|frames| frames.insert(2, channel(9, "trade")), 0, "a second channel of kind `trade`");
    check(|frames| frames.insert(1, channel(0, "bar")), 0, "channel 0 is for control lines");
    check(
        |frames| frames.insert(1, channel(9, "rumour")),
        0,
        "a channel of kind `rumour`, which this qt does not know",
    );
    check(|frames| frames.insert(1, control(r#"{"k":"flush","n":0}"#)), 60, "");
    let end = control(r#"{"k":"end"}"#);
    check(
        |frames| *frames.last_mut().unwrap() = end,
        60,
        "expected the `end` record and nothing else: the `end` record: missing field `records`",
    );
    check(|frames| drop(frames.pop()), 60, "the stream is cut: its `end` record is missing");
}

#[test]
fn a_number_comes_once_and_in_its_place() {
    let tables = |frames: &Frames| -> Vec<usize> {
        (0..frames.len()).filter(|at| frames[*at].0 == 1 && frames[*at].1.len() > 200).collect()
    };
    check(
        |frames| {
            let at = tables(frames)[1];
            let copy = frames[at].clone();
            frames.insert(at + 1, copy);
        },
        31,
        "record number 30 came again, or too late for its place",
    );
}

#[test]
fn absurd_lengths_reserve_nothing() {
    let (_, bytes) = interleaved();
    for length in [u64::MAX, 1 << 40, (1 << 30) + 1] {
        let mut bytes = bytes.clone();
        bytes[12..20].copy_from_slice(&length.to_le_bytes());
        let message = read(&bytes, Options::default()).message();
        assert!(message.ends_with("bytes, above any that is written"), "{message}");
    }
    let mut bytes = bytes;
    bytes[12..20].copy_from_slice(&(1_u64 << 30).to_le_bytes());
    let message = read(&bytes, Options::default()).message();
    assert!(message.contains("the stream is cut: 1073741824 bytes were announced"), "{message}");
}

#[test]
fn a_later_schema_is_refused_by_its_number() {
    let expected = "schema version 2 is newer than 1, the newest that this qt reads";
    check(|frames| frames[0] = control(r#"{"k":"stream","schema":2,"qt":{}}"#), 0, expected);
}

#[test]
fn a_cut_stream_says_so_wherever_it_is_cut() {
    let (batch, bytes) = interleaved();
    let mut expected = sample::texts(&batch);
    expected.extend(expected.clone());
    check_cuts(&bytes, &expected);
    for kind in [Kind::Trade, Kind::Depth] {
        let part = only(&batch, kind);
        check_cuts(&write(&[&part], Format::Arrow, Some(&[kind])).0, &sample::texts(&part));
    }
}

#[test]
fn a_changed_byte_never_panics_and_never_hangs() {
    let batch = sample::market(6);
    let part = only(&batch, Kind::Depth);
    let plain = write(&[&part], Format::Arrow, Some(&[Kind::Depth])).0;
    // Not every byte of the longer one: the fuzzer has more time than we do.
    for (bytes, step) in [(write(&[&batch], Format::Arrow, None).0, 5), (plain, 2)] {
        for at in (0..bytes.len()).step_by(step) {
            let mut changed = bytes.clone();
            changed[at] ^= [0x01, 0x80, 0xff][at % 3];
            read(&changed, skipping());
        }
    }
}

#[test]
fn others_may_end_a_stream_by_closing_it() {
    let table = RecordBatch::try_from_iter([
        ("ts_recv", Arc::new(TimestampNanosecondArray::from(vec![1, 2])) as ArrayRef),
        ("sym", Arc::new(StringArray::from(vec!["b:X"; 2]))),
        ("px", Arc::new(Int64Array::from(vec![1, 2]))),
        ("qty", Arc::new(Int64Array::from(vec![1, 2]))),
    ])
    .unwrap();
    let mut writer =
        arrow::ipc::writer::StreamWriter::try_new(Vec::new(), &table.schema()).unwrap();
    writer.write(&table).unwrap();
    writer.flush().unwrap();
    let open = writer.get_ref().clone();
    let closed = writer.into_inner().unwrap();
    for bytes in [&open, &closed] {
        assert_eq!(records(bytes, Options::default()).len(), 2);
    }
    let twice = [closed.clone(), closed].concat();
    let found = read(&twice, Options::default());
    assert!(found.message().contains("expected the `end` record and nothing else"));
    assert_eq!(found.records.len(), 2);
}

#[test]
fn one_channel_alone_is_a_plain_stream() {
    let (batch, bytes) = interleaved();
    let names = frames(&bytes);
    let opening = names.iter().find(|(_, line)| line.ends_with(b"\"trade\"}\n")).unwrap();
    let line: serde_json::Value = serde_json::from_slice(&opening.1).unwrap();
    let number = line["channel"].as_u64().unwrap() as u32;
    let payloads = names.iter().filter(|(channel, _)| *channel == number);
    let plain: Vec<u8> = payloads.flat_map(|(_, payload)| payload.clone()).collect();
    assert_eq!(records(&plain, Options::default()).len(), 2 * batch.count(Kind::Trade));
}

/// A channel as a stranger would write it: columns in any types.
fn channel(number: u32, kind: &str, columns: &[(&str, ArrayRef)]) -> Frames {
    let columns = columns.iter().map(|(name, array)| (*name, Arc::clone(array), true));
    let table = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let mut writer =
        arrow::ipc::writer::StreamWriter::try_new(Vec::new(), &table.schema()).unwrap();
    writer.write(&table).unwrap();
    let line = format!(r#"{{"k":"channel","channel":{number},"kind":"{kind}"}}"#);
    vec![control(&line), (number, writer.into_inner().unwrap())]
}

fn numbers(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

#[test]
fn a_refused_book_leaves_the_numbers_of_the_others_alone() {
    let mut frames = vec![control(r#"{"k":"stream","schema":1}"#)];
    frames.extend(channel(
        1,
        "depth",
        &[
            ("n", numbers(&[0, 0, 2, 2, 4])),
            ("ts_recv", numbers(&[1, 1, 3, 3, 5])),
            ("sym", texts(&["b:X"; 5])),
            ("action", texts(&["delta"; 5])),
            ("level", numbers(&[0, 1, 0, 1, 0])),
            ("side", texts(&["buy", "both", "buy", "sell", "buy"])),
            ("px", numbers(&[1, 1, 1, 2, 1])),
            ("qty", numbers(&[1, 1, 1, 1, -1])),
        ],
    ));
    frames.extend(channel(
        2,
        "trade",
        &[
            ("n", numbers(&[1, 3])),
            ("ts_recv", numbers(&[2, 4])),
            ("sym", texts(&["b:X"; 2])),
            ("px", numbers(&[7, 8])),
            ("qty", numbers(&[1, 1])),
        ],
    ));
    frames.push(control(r#"{"k":"end","records":3,"digest":""}"#));
    let options = skipping();
    let found = records(&joined(&frames), options.clone());
    let kinds: Vec<_> = found.iter().map(|text| text.split(' ').next().unwrap()).collect();
    assert_eq!(kinds, ["Trade", "Depth", "Trade"]);
    assert!(found[0].contains("Px(7)") && found[2].contains("Px(8)"), "{found:?}");
    assert_eq!(options.tolerance.skipped(), 2);
    // Without that, nothing of the flush can be in order.
    let found = read(&joined(&frames), Options::default());
    let expected = "in: depth: row 1: field `side`: expected one of buy, sell, found both";
    assert_eq!((found.message().as_str(), found.records.len()), (expected, 0));
}

#[test]
fn a_channel_without_numbers_has_no_place() {
    let mut frames = vec![control(r#"{"k":"stream","schema":1}"#)];
    let columns = [
        ("ts_recv", numbers(&[1])),
        ("sym", texts(&["b:X"])),
        ("px", numbers(&[7])),
        ("qty", numbers(&[1])),
    ];
    frames.extend(channel(1, "trade", &columns));
    let message = read(&joined(&frames), skipping()).message();
    assert!(message.ends_with("channel 1 has no column `n` to order it by"), "{message}");
    let absent: ArrayRef = Arc::new(UInt64Array::from(vec![None::<u64>]));
    let columns = [&[("n", absent)], columns.as_slice()].concat();
    frames.truncate(1);
    frames.extend(channel(1, "trade", &columns));
    let message = read(&joined(&frames), skipping()).message();
    assert_eq!(message, "in: trade: field `n`: expected a number in every row, found a null");
}

#[test]
fn a_cut_in_a_flush_leaves_no_hole() {
    // Channels come one after the other: where the last is missing, only the beginning of the
    // others is in order.
    let (batch, bytes) = interleaved();
    let mut frames = frames(&bytes);
    let flush = frames.iter().rposition(|(_, line)| line.starts_with(b"{\"k\":\"flush\"")).unwrap();
    frames.truncate(flush - 1);
    let found = read(&joined(&frames), cut_allowed());
    assert_eq!(found.message(), "");
    let mut expected = sample::texts(&batch);
    expected.extend(expected.clone());
    assert!(found.records.len() >= 30, "{}", found.records.len());
    assert_eq!(found.records, expected[..found.records.len()]);
}

fn table(symbols: &[(&str, u8, u8)]) -> Arc<Instruments> {
    let mut table = Instruments::default();
    for (symbol, px, qty) in symbols {
        let scale = |digits: u8| Scale::new(digits).unwrap();
        let symbol = Symbol::new(symbol).unwrap();
        table.declare(Instrument::new(symbol, scale(*px), scale(*qty))).unwrap();
    }
    Arc::new(table)
}

fn trade_of(table: &Arc<Instruments>, symbol: &str, px: i64) -> Batch {
    let mut batch = Batch::new(Arc::clone(table));
    let head = Head::new(Ts::from_nanos(1), Ts::from_nanos(2), 0, table.find(symbol));
    let (px, qty) = (Px::new(px), Qty::new(1).unwrap());
    batch.push_row(Trade { head, px, qty, side: None, id: None }, &[]);
    batch
}

#[test]
fn symbols_may_join_if_the_columns_hold_them() {
    let early = table(&[("b:X", 2, 0)]);
    let late = table(&[("b:X", 2, 0), ("b:Y", 1, 0)]);
    let first = trade_of(&early, "b:X", 150);
    for kinds in [None, Some(&[Kind::Trade][..])] {
        let second = trade_of(&late, "b:Y", 15);
        let (bytes, _) = write(&[&first, &second, &first], Format::Arrow, kinds);
        let found = records(&bytes, verified_if(kinds.is_none()));
        assert_eq!(found.len(), 3);
        assert!(found[1].contains("b:Y"), "{}", found[1]);
    }
}

// A plain stream says its instruments once, so one that joins takes the scale of its column.
fn verified_if(verify: bool) -> Options {
    Options { verify: false, ..if verify { verified() } else { Options::default() } }
}

#[test]
fn what_a_column_cannot_hold_is_refused_when_written() {
    let refused = |first: &Batch, second: &Batch| {
        let mut messages = Vec::new();
        for format in [Format::Arrow, Format::Parquet] {
            let header = header_of(first, Some(&[Kind::Trade]));
            let mut writer = StreamWriter::new(Vec::new(), format, &header, 1).unwrap();
            writer.write(first).unwrap();
            messages.push(writer.write(second).unwrap_err().to_string());
        }
        assert_eq!(messages[0], messages[1]);
        messages.remove(0)
    };
    let early = table(&[("b:X", 2, 0)]);
    let first = trade_of(&early, "b:X", 150);
    let wider = table(&[("b:X", 2, 0), ("b:Y", 3, 0)]);
    assert_eq!(
        refused(&first, &trade_of(&wider, "b:Y", 15)),
        "b:Y has 3 decimals and joined after the columns were fixed at 2"
    );
    let coarse = table(&[("b:X", 2, 0), ("b:Y", 0, 0)]);
    let message = "column `px`: a value has more than 18 digits at the scale of its column";
    assert_eq!(refused(&first, &trade_of(&coarse, "b:Y", 99_999_999_999_999_999)), message);
    assert_eq!(refused(&first, &trade_of(&early, "b:X", i64::MAX)), message);
    assert_eq!(refused(&first, &trade_of(&early, "b:X", i64::MIN)), message);
}

#[test]
fn a_stranger_does_not_fit_into_a_stream_of_one_kind() {
    let mut batch = Batch::new(sample::instruments());
    let head = Head::new(Ts::from_nanos(1), Ts::from_nanos(2), 0, None);
    let json = r#"{"k":"rumour"}"#.to_owned();
    batch.push_row(Other { head, kind: "rumour".to_owned(), json }, &[]);
    let header = Header::new(sample::instruments()).with_kinds([Kind::Trade]);
    let message = |format| {
        let mut writer = StreamWriter::new(Vec::new(), format, &header, 1).unwrap();
        writer.write(&batch).unwrap_err().to_string()
    };
    let expected = "a record of kind `rumour` among trade records: ";
    assert_eq!(
        message(Format::Arrow),
        format!("{expected}a plain Arrow stream holds one kind; choose it with --kinds")
    );
    assert_eq!(
        message(Format::Parquet),
        format!("{expected}a Parquet file holds one kind; choose it with --kinds")
    );
    assert_eq!(
        message(Format::Csv),
        "a record of kind `rumour` came after the columns were fixed; name the kinds with --kinds"
    );
}

#[test]
fn the_end_is_compared_when_asked() {
    let (_, bytes) = interleaved();
    let mut changed = frames(&bytes);
    let end = changed.last_mut().unwrap();
    end.1 = String::from_utf8(end.1.clone()).unwrap().replace(":60,", ":61,").into_bytes();
    let found = read(&joined(&changed), verified());
    assert!(matches!(found.error, Some(ReadError::Mismatch { .. })), "{}", found.message());
    assert!(found.message().ends_with("the `end` record counts 61 records, 60 were read"));
    assert_eq!(found.records.len(), 60);
}
