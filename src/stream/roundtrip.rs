//! Every encoding, there and back.

use std::io::{Cursor, Write};
use std::sync::Arc;

use qt_model::record::{Batch, Kind, Source};

use crate::error::ReadError;
use crate::frame::{End, Header};
use crate::input::{AnyReader, Input};
use crate::parquet_file::Span;
use crate::read::Options;
use crate::sample;
use crate::write::{Format, StreamWriter};

fn write(batches: &[&Batch], format: Format, kinds: Option<Vec<Kind>>) -> Vec<u8> {
    let mut header = Header::new(sample::instruments());
    if let Some(kinds) = kinds {
        header = header.with_kinds(kinds);
    }
    let mut writer = StreamWriter::new(Vec::new(), format, &header, 100).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    writer.finish(End::default()).unwrap().0
}

fn read(bytes: Vec<u8>, options: Options) -> Result<Vec<String>, ReadError> {
    // Held until the end: the file goes with it.
    let mut held = None;
    let input = if bytes.starts_with(b"PAR1") {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&bytes).unwrap();
        let path = held.insert(file.into_temp_path());
        Input::File(path.to_path_buf())
    } else {
        Input::Pipe("bytes", Box::new(Cursor::new(bytes)))
    };
    let mut reader = AnyReader::open(input, Span::ALL, options)?;
    let mut batch = Batch::default();
    let mut all = Vec::new();
    while reader.next(&mut batch)? {
        all.extend(sample::texts(&batch));
    }
    Ok(all)
}

fn verified() -> Options {
    Options { verify: true, batch_records: 7, ..Options::default() }
}

fn only(batch: &Batch, kind: Kind) -> Batch {
    let mut part = Batch::new(Arc::clone(batch.instruments()));
    batch.iter().filter(|record| record.kind() == kind).for_each(|record| part.push(record));
    part
}

#[test]
fn streams_of_every_kind_come_back_whole() {
    for batch in [sample::every_kind(), sample::market(1_000)] {
        for format in [Format::Ndjson, Format::Arrow] {
            let bytes = write(&[&batch, &batch], format, None);
            let back = read(bytes, verified()).unwrap();
            let mut expected = sample::texts(&batch);
            expected.extend(expected.clone());
            assert_eq!(back.len(), expected.len(), "{format:?}");
            for (back, expected) in back.iter().zip(&expected) {
                assert_eq!(back, expected, "{format:?}");
            }
        }
    }
}

#[test]
fn streams_of_one_kind_come_back_whole() {
    let batch = sample::every_kind();
    for kind in Kind::ALL.iter().copied().filter(|kind| *kind != Kind::Other) {
        let part = only(&batch, kind);
        for format in [Format::Ndjson, Format::Arrow, Format::Parquet, Format::Csv] {
            let bytes = write(&[&part], format, Some(vec![kind]));
            let back = read(bytes, verified()).unwrap();
            assert_eq!(back, sample::texts(&part), "{kind:?} as {format:?}");
        }
    }
}

#[test]
fn a_market_as_csv_comes_back_whole() {
    let batch = sample::market(500);
    let bytes = write(&[&batch], Format::Csv, Some(vec![Kind::Trade, Kind::Depth, Kind::Quote]));
    assert_eq!(read(bytes, verified()).unwrap(), sample::texts(&batch));
}

#[test]
fn one_stream_has_one_digest_in_every_encoding() {
    let part = only(&sample::market(3_000), Kind::Depth);
    let digest = |format| {
        let header = Header::new(sample::instruments()).with_kinds([Kind::Depth]);
        let mut writer = StreamWriter::new(Vec::new(), format, &header, 64).unwrap();
        writer.write(&part).unwrap();
        writer.finish(End::default()).unwrap().1.digest
    };
    let ndjson = digest(Format::Ndjson);
    for format in [Format::Arrow, Format::Parquet, Format::Csv] {
        assert_eq!(digest(format), ndjson, "{format:?}");
    }
}

#[test]
fn compression_is_taken_off_by_its_mark() {
    let batch = sample::market(300);
    let plain = write(&[&batch], Format::Ndjson, None);
    let zstd = zstd::encode_all(plain.as_slice(), 3).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&zstd).unwrap();
    for bytes in [zstd, gzip.finish().unwrap()] {
        assert_eq!(read(bytes, verified()).unwrap(), sample::texts(&batch));
    }
}

#[test]
fn an_empty_stream_is_whole() {
    for format in [Format::Ndjson, Format::Arrow, Format::Parquet, Format::Csv] {
        let bytes = write(&[], format, Some(vec![Kind::Trade]));
        assert_eq!(read(bytes, verified()).unwrap(), Vec::<String>::new(), "{format:?}");
    }
}
