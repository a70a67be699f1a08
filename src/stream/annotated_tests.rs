//! Annotated batches are what the batches of their records are, byte for byte.

use std::sync::Arc;

use qt_model::record::{Batch, Kind};

use crate::annotated::{Annotated, FeatureRows};
use crate::frame::{End, Header};
use crate::sample;
use crate::write::{Format, StreamWriter};

/// Rows behind some records of a batch: all of them, or those whose place a number divides.
pub(crate) fn rows(batch: &Batch, width: usize, each: usize) -> FeatureRows {
    let mut rows = FeatureRows::new(&Arc::from("a set"), width);
    let is_named = |at: &usize| batch.head(*at).instrument.is_some();
    for at in (0..batch.len()).step_by(each).filter(is_named) {
        let absent = |feature: usize| (at + feature).is_multiple_of(7);
        // Whichever NaN it is, it says that there is no value.
        let none = f64::from_bits(f64::NAN.to_bits() | at as u64);
        let value = |feature| if absent(feature) { none } else { (at * feature) as f64 / 3.0 };
        let values: Vec<f64> = (0..width).map(value).collect();
        rows.push(at, &values, (width <= 64).then_some(at as u64), at as u64 % 3);
    }
    rows
}

fn check(batches: &[&Batch], format: Format, width: usize, each: usize, only: bool) {
    let mut header = Header::new(sample::instruments());
    if only {
        header = header.with_kinds([Kind::Feature]);
    }
    let open = || StreamWriter::new(Vec::new(), format, &header, 100).unwrap();
    let (mut beside, mut records) = (open(), open());
    for batch in batches {
        let rows = rows(batch, width, each);
        let annotated = Annotated { batch, rows: &rows, only };
        beside.write_annotated(&annotated, None).unwrap();
        let mut all = Batch::default();
        annotated.records(&mut all);
        assert_eq!(all.len(), annotated.len());
        records.write(&all).unwrap();
    }
    let (beside, records) = (beside.finish(End::default()), records.finish(End::default()));
    let ((beside, end), (records, expected)) = (beside.unwrap(), records.unwrap());
    let what = format!("{format:?} {width} {each} {only}");
    assert_eq!((end.records, &end.digest), (expected.records, &expected.digest), "{what}");
    assert!(beside == records, "the bytes are the same: {what}");
}

#[test]
fn rows_beside_records_are_written_as_records_are() {
    let (market, every_kind) = (sample::market(700), sample::every_kind());
    for format in [Format::Arrow, Format::Ndjson] {
        for (width, each) in [(1, 1), (15, 1), (15, 3), (64, 50), (65, 2), (3, 10_000)] {
            for only in [false, true] {
                check(&[&market, &market], format, width, each, only);
                // There are rows of features among the records themselves.
                check(&[&every_kind, &market], format, width, each, only);
            }
        }
    }
    check(&[&Batch::new(sample::instruments()), &market], Format::Arrow, 4, 1, false);
}

#[test]
#[should_panic(expected = "each row has its record in the batch")]
fn a_row_without_a_record_is_none() {
    let mut rows = FeatureRows::new(&Arc::from("a set"), 1);
    rows.push(3, &[1.0], Some(1), 0);
    let batch = sample::market(3);
    Annotated { batch: &batch, rows: &rows, only: false }.records(&mut Batch::default());
}
