//! Braids against the batches of their records.

use std::io::Write;
use std::sync::Arc;

use qt_model::instrument::Instruments;
use qt_model::record::{Bar, Batch, Depth, Head, Key, Kind, Level, Quote, Sequence, Trade};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty};
use qt_model::words::{DepthAction, Side};

use crate::braid::{Braid, Strand};
use crate::frame::{End, Header};
use crate::parquet_file::{ParquetReader, Span, describe};
use crate::read::Options;
use crate::sample;
use crate::trial;
use crate::write::{Format, StreamWriter};

/// Records of one kind and instrument in which nothing is missing; depth of one to four levels,
/// with as many update ids as `ids` says.
pub(crate) fn smooth(kind: Kind, symbol: &str, ids: usize, records: i64) -> Batch {
    let table = sample::instruments();
    let instrument = table.find(symbol);
    let mut batch = Batch::new(table);
    for at in 0..records {
        let ts = |delay| Ts::from_nanos(1_723_075_200_000_000_000 + at * 1_000_003 + delay);
        let head = Head::new(ts(0), ts(777), at as u64, instrument);
        let (px, qty) = (Px::new(6_000_000 + at % 97), Qty::new(at % 1_009).unwrap());
        let id = |place: usize| (place < ids).then_some(at as u64 + place as u64);
        let side = if at % 3 == 0 { Side::Buy } else { Side::Sell };
        match kind {
            Kind::Trade => {
                batch.push_row(Trade { head, px, qty, side: Some(side), id: id(0) }, &[]);
            }
            Kind::Quote => {
                let (bid_px, bid_qty, ask_px, ask_qty) = (Some(px), Some(qty), Some(px), Some(qty));
                batch.push_row(Quote { head, bid_px, bid_qty, ask_px, ask_qty, id: id(0) }, &[]);
            }
            Kind::Bar => {
                let [low, high] = [0, 50].map(|more| Px::new(6_000_000 + at % 97 + more));
                let mut bar = Bar::timed(head, 60, ts(-60), [low, high, low, px], qty);
                bar.buy_volume = (ids > 0).then_some(qty);
                batch.push_row(bar, &[]);
            }
            _ => {
                let action = if at == 0 { DepthAction::Snapshot } else { DepthAction::Delta };
                let (first_id, last_id, prev_id) = (id(0), id(1), id(2));
                let level = |side| Level { px, qty, side };
                let levels = [Side::Buy, side, Side::Sell, Side::Sell].map(level);
                let from = at as usize % 4;
                batch.push_row(
                    Depth { head, action, first_id, last_id, prev_id },
                    &levels[from.min(3)..],
                );
            }
        }
    }
    batch
}

/// A file of these records, as a catalog has it: its header names their instrument alone.
fn file(batch: &Batch, kind: Kind) -> tempfile::NamedTempFile {
    let mut own = Instruments::default();
    for record in batch.iter() {
        let id = record.head().instrument.unwrap();
        own.declare(batch.instruments().get(id).clone()).unwrap();
    }
    let header = Header::new(Arc::new(own)).with_kinds([kind]);
    let mut writer = StreamWriter::new(Vec::new(), Format::Parquet, &header, 90).unwrap();
    writer.write(batch).unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&writer.finish(End::default()).unwrap().0).unwrap();
    file
}

fn strands(file: &tempfile::NamedTempFile, options: &Options) -> Vec<Strand> {
    describe(file.path(), options).unwrap();
    let reader = ParquetReader::new(file.path(), Span::ALL, options.clone());
    trial::strands(reader)
}

/// Braids of about a hundred records: runs of one file after the other, whatever their times.
fn braids(batches: &[(Kind, Batch)], run: usize, batch_records: usize) -> Vec<Braid> {
    let options = Options { verify: true, batch_records, ..Options::default() };
    let mut lanes = Vec::new();
    for (kind, batch) in batches {
        let each = |strand: Strand| (0..strand.len()).map(move |at| (strand.clone(), at));
        lanes.push(strands(&file(batch, *kind), &options).into_iter().flat_map(each));
    }
    let mut braids = vec![Braid::default()];
    loop {
        let mut braid = Braid::default();
        while braid.len() < 100 {
            let before = braid.len();
            for lane in &mut lanes {
                lane.take(run).for_each(|(strand, at)| braid.push(&strand, at..at + 1));
            }
            if braid.len() == before {
                braids.push(braid);
                return braids;
            }
        }
        braids.push(braid);
    }
}

fn check(batches: &[(Kind, Batch)], run: usize, header: &Header) {
    // Records that go on from one short table to the next, and tables that have them whole.
    check_cut(batches, (run, 3), header);
    check_cut(batches, (run, 200), header);
}

fn check_cut(batches: &[(Kind, Batch)], (run, batch_records): (usize, usize), header: &Header) {
    let open = |format| StreamWriter::new(Vec::new(), format, header, 100).unwrap();
    let (mut columns, mut rows) = (open(Format::Arrow), open(Format::Arrow));
    let mut lines = open(Format::Ndjson);
    let mut all = Vec::new();
    for braid in braids(batches, run, batch_records) {
        let batch = braid.to_batch();
        assert_eq!(batch.len(), braid.len());
        let last = batch.len().checked_sub(1).map(|at| Key::of(&batch.get(at)));
        assert_eq!(braid.last_key(), last);
        all.extend(sample::texts(&batch));
        assert!(braid.columns().is_some(), "records in which nothing is missing are columns");
        columns.write_braid(&braid).unwrap();
        lines.write_braid(&braid).unwrap();
        rows.write(&batch).unwrap();
    }
    assert_eq!(all.len(), batches.iter().map(|(_, batch)| batch.len()).sum::<usize>());
    let (columns, end) = columns.finish(End::default()).unwrap();
    let (rows, expected) = rows.finish(End::default()).unwrap();
    let (_, of_lines) = lines.finish(End::default()).unwrap();
    assert_eq!((end.records, &end.digest), (expected.records, &expected.digest));
    assert_eq!((of_lines.records, &of_lines.digest), (end.records, &end.digest));
    assert!(columns == rows, "the same bytes");
    let back = trial::read(&columns, trial::verified());
    assert_eq!((back.message().as_str(), &back.records), ("", &all));
}

#[test]
fn a_braid_is_the_batch_of_its_records() {
    let lane = |kind, symbol, ids| (kind, smooth(kind, symbol, ids, 300));
    let many = [
        lane(Kind::Trade, "b:BTCUSDT", 1),
        lane(Kind::Depth, "b:BTCUSDT", 0),
        lane(Kind::Quote, "b:BTCUSDT", 0),
        lane(Kind::Trade, "a:TOKEN", 0),
        lane(Kind::Depth, "a:TOKEN", 2),
        lane(Kind::Quote, "a:TOKEN", 1),
    ];
    for run in [1, 9, 1_000] {
        // One instrument, and several of different scales.
        let of = |symbol| {
            let (all, mut own) = (sample::instruments(), Instruments::default());
            own.declare(all.get(all.find(symbol).unwrap()).clone()).unwrap();
            Header::new(Arc::new(own))
        };
        check(&many[..3], run, &of("b:BTCUSDT"));
        check(&many[1..2], run, &of("b:BTCUSDT").with_kinds([Kind::Depth]));
        check(&many[3..], run, &of("a:TOKEN"));
        check(&many, run, &Header::new(sample::instruments()));
        check(&[lane(Kind::Depth, "c:XBT/USD", 3)], run, &of("c:XBT/USD"));
    }
}

#[test]
fn a_braid_can_be_cut() {
    let batches = [Kind::Trade, Kind::Depth].map(|kind| (kind, smooth(kind, "b:BTCUSDT", 1, 60)));
    for len in [0, 1, 7, 30, 1_000] {
        let mut braid = braids(&batches, 4, 3).remove(1);
        let mut expected = sample::texts(&braid.to_batch());
        expected.truncate(len);
        braid.truncate(len);
        assert_eq!(sample::texts(&braid.to_batch()), expected);
        assert_eq!(braid.len(), expected.len());
    }
}

#[test]
fn quotes_and_bars_are_tables_and_bars_are_written_from_rows() {
    let lane = |kind, ids| [(kind, smooth(kind, "b:BTCUSDT", ids, 1_000))];
    let whole = |lane: &[(Kind, Batch)]| {
        let mut braid = Braid::default();
        for strand in strands(&file(&lane[0].1, lane[0].0), &Options::default()) {
            braid.push(&strand, 0..strand.len());
        }
        braid
    };
    for kind in [Kind::Quote, Kind::Bar] {
        let lane = lane(kind, 0);
        let braid = whole(&lane);
        assert_eq!(braid.columns().is_some(), kind != Kind::Bar);
        let tables = braid.tables().expect("nothing is missing");
        let found = tables.iter().flat_map(|table| sample::texts(&table.to_batch()));
        assert_eq!(found.collect::<Vec<_>>(), sample::texts(&lane[0].1));
        let batches = braids(&lane, 9, 200);
        let found = batches.iter().flat_map(|braid| sample::texts(&braid.to_batch()));
        assert_eq!(found.collect::<Vec<_>>(), sample::texts(&lane[0].1));
    }
    // Bars that say more than every bar does are rows.
    assert!(whole(&lane(Kind::Bar, 1)).tables().is_none());
    assert!(whole(&lane(Kind::Trade, 0)).tables().is_none());
}
