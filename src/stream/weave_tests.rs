//! Streams of several kinds as columns, against the same streams as rows.

use std::io::Cursor;
use std::sync::Arc;

use qt_model::instrument::Instruments;
use qt_model::record::{Batch, Kind, Sequence};

use crate::annotated::Annotated;
use crate::annotated_tests::rows;
use crate::braid::{Braid, Strand};
use crate::braid_tests::smooth;
use crate::frame::{End, Header};
use crate::input::{AnyReader, Input};
use crate::parquet_file::Span;
use crate::read::Options;
use crate::sample;
use crate::trial;
use crate::write::{Format, StreamWriter};

/// Batches of several kinds in runs of that length, in which nothing is missing.
fn batches(run: usize) -> Vec<Batch> {
    let lanes =
        [Kind::Depth, Kind::Trade, Kind::Quote].map(|kind| smooth(kind, "b:BTCUSDT", 1, 120));
    let mut batches = Vec::new();
    for part in (0..120).step_by(40) {
        let mut batch = Batch::new(Arc::clone(lanes[0].instruments()));
        for start in (part..part + 40).step_by(run) {
            // The third kind is not in every batch.
            for lane in &lanes[..if part == 40 { 2 } else { 3 }] {
                batch.push_range(lane, start, (start + run).min(part + 40));
            }
        }
        batches.push(batch);
    }
    batches
}

/// These as a stream whose prices are all of one scale.
fn stream(batches: &[Batch]) -> Vec<u8> {
    let all = sample::instruments();
    let mut own = Instruments::default();
    own.declare(all.get(all.find("b:BTCUSDT").unwrap()).clone()).unwrap();
    let header = Header::new(Arc::new(own));
    let mut writer = StreamWriter::new(Vec::new(), Format::Arrow, &header, 100).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.finish(End::default()).unwrap().0
}

fn strands(bytes: &[u8]) -> Vec<Strand> {
    let input = Input::Pipe("in", Box::new(Cursor::new(bytes.to_vec())));
    let options = Options { verify: true, ..Options::default() };
    let reader = AnyReader::open(input, Span::ALL, options).unwrap();
    trial::strands(reader)
}

fn braid_of(strand: &Strand) -> Braid {
    let mut braid = Braid::default();
    braid.push(strand, 0..strand.len());
    braid
}

#[test]
fn a_stream_of_several_kinds_comes_as_columns() {
    for run in [1, 3, 40] {
        let batches = batches(run);
        let bytes = stream(&batches);
        let strands = strands(&bytes);
        assert_eq!(strands.len(), batches.len(), "a strand for what stands before each `flush`");
        for (strand, batch) in strands.iter().zip(&batches) {
            let braid = braid_of(strand);
            assert!(braid.columns().is_some(), "nothing is missing");
            assert_eq!(sample::texts(&braid.to_batch()), sample::texts(batch));
            for at in 0..strand.len() {
                assert_eq!(strand.key(at), Sequence::key(batch, at));
                assert_eq!(strand.kind(at), batch.slots()[at].kind);
            }
            // A part of it, from within a run.
            let (mut part, mut rows) = (Braid::default(), Batch::default());
            part.push(&strand.part(3..strand.len()), 2..strand.len() - 5);
            rows.set_instruments(Arc::clone(batch.instruments()));
            rows.push_range(batch, 5, batch.len() - 2);
            assert_eq!(sample::texts(&part.to_batch()), sample::texts(&rows));
        }
    }
}

#[test]
fn a_cut_is_said_by_both_roads() {
    let batches = batches(7);
    let whole: Vec<String> = batches[1..].iter().flat_map(sample::texts).collect();
    let bytes = stream(&batches[1..]);
    for length in (0..bytes.len()).step_by(bytes.len() / 200) {
        let cut = trial::read(&bytes[..length], Options::default());
        assert_eq!(cut.records, whole[..cut.records.len()], "cut at {length}: {}", cut.message());
        assert!(length == 0 || cut.error.is_some(), "cut at {length}");
    }
}

#[test]
fn records_that_came_as_columns_are_written_as_rows_are() {
    let batches = batches(3);
    let bytes = stream(&batches);
    for (each, only) in [(1, false), (3, false), (1, true)] {
        let mut header = Header::new(sample::instruments());
        if only {
            header = header.with_kinds([Kind::Feature]);
        }
        let open = || StreamWriter::new(Vec::new(), Format::Arrow, &header, 100).unwrap();
        let (mut columns, mut records) = (open(), open());
        for strand in strands(&bytes) {
            let braid = braid_of(&strand);
            let batch = braid.to_batch();
            let found = rows(&batch, 15, each);
            let annotated = Annotated { batch: &batch, rows: &found, only };
            columns.write_annotated(&annotated, Some(&braid)).unwrap();
            records.write_annotated(&annotated, None).unwrap();
        }
        let (columns, records) = (columns.finish(End::default()), records.finish(End::default()));
        assert!(columns.unwrap().0 == records.unwrap().0, "the bytes are the same: {each} {only}");
    }
}

/// Every number of every frame changed: whatever is said of it, both roads say it.
#[test]
fn damaged_numbers_are_left_to_the_road_of_rows() {
    let batches = batches(3);
    let bytes = stream(&batches[..2]);
    let (mut refused, mut at) = (0, 0);
    while at < bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        // Reads both roads and compares what they say.
        refused += usize::from(trial::read(&damaged, Options::default()).error.is_some());
        at += 1 + bytes.len() / 200;
    }
    assert!(refused > 10, "{refused}");
}
