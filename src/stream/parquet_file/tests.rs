//! Broken Parquet files, with the message of each.

use std::collections::BTreeSet;

use qt_model::record::{Batch, Kind, Source};
use qt_model::time::Ts;

use super::{ParquetReader, Span};
use crate::error::ReadError;
use crate::read::Options;
use crate::sample;
use crate::trial::{only, read, read_span, records, skipping, verified, write};
use crate::write::Format;

fn file(kind: Kind, records: usize) -> (Vec<String>, Vec<u8>) {
    let part = only(&sample::market(records), kind);
    (sample::texts(&part), write(&[&part], Format::Parquet, Some(&[kind])).0)
}

/// The message, without the name of the file.
fn message(bytes: &[u8], options: Options) -> String {
    let shown = read(bytes, options).message();
    shown.split_once(": ").map_or(shown.clone(), |(_, message)| message.to_owned())
}

#[test]
fn files_that_are_cut_or_no_files() {
    let (_, bytes) = file(Kind::Trade, 30);
    for length in 4..bytes.len() {
        let found = read(&bytes[..length], Options::default());
        assert!(matches!(found.error, Some(ReadError::Corrupt { .. })), "{length}");
        assert!(found.message().contains("a damaged footer: "), "{}", found.message());
        assert_eq!(found.records.len(), 0);
    }
    let expected = "a damaged footer: Parquet error: Invalid Parquet file. Corrupt footer";
    let mut changed = bytes;
    *changed.last_mut().unwrap() = b'?';
    assert_eq!(message(&changed, Options::default()), expected);
    assert_eq!(
        message(b"PAR1PAR1", Options::default()).split(':').next(),
        Some("a damaged footer")
    );
}

#[test]
fn a_changed_byte_never_panics_and_never_hangs() {
    let (whole, bytes) = file(Kind::Depth, 12);
    let mut seen = BTreeSet::new();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= [0x01, 0x80, 0xff][at % 3];
        let found = read(&changed, skipping());
        assert!(found.records.len() <= 4 * whole.len(), "records out of nowhere at {at}");
        seen.insert(found.error.map(|error| std::mem::discriminant(&error)).is_some());
    }
    assert_eq!(seen.len(), 2, "some changes are found, and some hit nothing that matters");
}

#[test]
fn changed_values_are_found_when_asked() {
    let (_, bytes) = file(Kind::Trade, 30);
    let mut found = 0;
    for at in 4..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        found += usize::from(read(&changed, verified()).error.is_some());
    }
    assert!(found > bytes.len() / 4, "{found} of {}", bytes.len());
}

#[test]
fn damage_in_a_page_comes_after_the_records_before_it() {
    // Row groups of a hundred: damage in the last one leaves the others.
    let (whole, bytes) = file(Kind::Trade, 900);
    let found = read(&bytes, Options::default());
    assert_eq!(found.records, whole);
    let mut damaged = None;
    for at in (bytes.len() / 2..bytes.len()).step_by(97) {
        let mut changed = bytes.clone();
        changed[at..].iter_mut().take(8).for_each(|byte| *byte = 0xff);
        let found = read(&changed, Options { batch_records: 50, ..Options::default() });
        if found.message().contains("damaged data") {
            assert_eq!(found.records, whole[..found.records.len()]);
            damaged = damaged.max(Some(found.records.len()));
        }
    }
    assert!(damaged.is_some_and(|records| records >= 100), "{damaged:?}");
}

#[test]
fn nothing_follows_a_refused_record() {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
    let number = |values: Vec<i64>| Arc::new(Int64Array::from(values)) as ArrayRef;
    let table = RecordBatch::try_from_iter([
        ("ts_recv", number((0..10).collect())),
        ("sym", Arc::new(StringArray::from(vec!["b:X"; 10]))),
        ("px", number(vec![1; 10])),
        ("qty", number((0..10).map(|at| if at == 3 { -1 } else { at }).collect())),
    ]);
    let table = table.unwrap();
    let mut bytes = Vec::new();
    let mut writer =
        parquet::arrow::ArrowWriter::try_new(&mut bytes, table.schema(), None).unwrap();
    writer.write(&table).unwrap();
    writer.close().unwrap();
    for batch_records in [1, 2, 3, 4, 100] {
        let options = || Options { batch_records, ..Options::default() };
        let found = read(&bytes, options());
        assert_eq!(found.records.len(), 3, "{batch_records}");
        let expected = "row 3: field `qty`: expected a size of zero or more, found -1";
        assert!(found.message().ends_with(expected), "{}", found.message());
        let tolerant = Options { batch_records, ..skipping() };
        assert_eq!(records(&bytes, tolerant).len(), 9);
    }
}

#[test]
fn a_snapshot_may_be_longer_than_a_batch() {
    let whole = only(&sample::market(60), Kind::Depth);
    let bytes = write(&[&whole], Format::Parquet, Some(&[Kind::Depth])).0;
    for batch_records in [1, 2, 5, usize::MAX] {
        let options = Options { batch_records, verify: true, ..Options::default() };
        assert_eq!(records(&bytes, options), sample::texts(&whole));
    }
}

#[test]
fn a_range_takes_whole_records_and_no_others() {
    let part = only(&sample::market(3_000), Kind::Depth);
    let bytes = write(&[&part], Format::Parquet, Some(&[Kind::Depth])).0;
    let times: Vec<Ts> = part.iter().map(|record| record.head().ts_recv).collect();
    for (from, to) in [(0, 1), (99, 101), (100, 200), (350, 351), (700, 1_000)] {
        let to_ts = times.get(to).copied().unwrap_or(Ts::MAX);
        let span = Span { from: times[from], to: to_ts };
        let found = read_span(&bytes, span, Options::default());
        assert_eq!(found.message(), "");
        let to = to.min(times.len());
        assert_eq!(found.records, sample::texts(&part)[from..to], "{from}..{to}");
    }
}

#[test]
fn a_file_that_is_not_there_says_so_once() {
    let path = std::path::Path::new("no/such/file.parquet");
    let mut reader = ParquetReader::new(path, Span::ALL, Options::default());
    let mut batch = Batch::default();
    let error = reader.next(&mut batch).unwrap_err();
    assert!(matches!(error, ReadError::Io { .. }), "{error}");
    assert!(!reader.next(&mut batch).unwrap());
}

#[test]
fn a_file_ends_where_it_ends() {
    use std::io::{Read, Write};

    use parquet::file::reader::ChunkReader;

    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"PAR1 and more").unwrap();
    let chunks = super::chunks::Chunks::new(file).unwrap();
    assert_eq!(&chunks.get_bytes(4, 4).unwrap()[..], b" and");
    let error = chunks.get_bytes(4, 1 << 50).unwrap_err().to_string();
    assert_eq!(error, "EOF: 1125899906842624 bytes were announced at 4, 9 are there");
    // Skipping a list of two thousand million members that is not there.
    let mut section = chunks.get_read(4).unwrap();
    let skipped = (0..i32::MAX).try_for_each(|_| section.read(&mut [0]).map(|_| ()));
    assert_eq!(skipped.unwrap_err().to_string(), "read far behind the end");
}
