//! What a file in the making holds on to.

#![expect(clippy::unwrap_used, reason = "helpers of tests may stop where they stand, like tests")]

use allocation_counter::measure;
use qt::model::record::{Batch, Equity, Head, Kind};
use qt::model::time::Ts;
use qt::stream::frame::{End, Header};
use qt::stream::parquet_file::ParquetWriter;
use rust_decimal::Decimal;

const ROW_GROUP: usize = 1000;

fn worth(at: i64) -> Equity {
    let ts = Ts::from_nanos(at);
    let amount = |scale| Some(Decimal::new(at * 7919, scale));
    Equity {
        head: Head::new(ts, ts, at.unsigned_abs(), None),
        currency: "USD".to_owned(),
        equity: Decimal::new(at * 104_729, 6),
        cash: amount(2),
        realized: amount(4),
        unrealized: amount(8),
        gross_exposure: amount(3),
        net_exposure: amount(5),
    }
}

/// How many bytes more are held after that many row groups of money.
fn held(groups: usize) -> i64 {
    let header = Header::new(Batch::default().instruments().clone());
    let mut writer = ParquetWriter::new(std::io::sink(), Kind::Equity, &header, ROW_GROUP).unwrap();
    let mut batch = Batch::default();
    let rows = i64::try_from(groups * ROW_GROUP).unwrap();
    let info = measure(|| {
        for at in 0..rows {
            batch.clear();
            batch.push_row(worth(at), &[]);
            writer.write(&batch).unwrap();
        }
    });
    writer.finish(&End::default()).unwrap();
    info.bytes_current
}

#[test]
fn a_file_does_not_hold_on_to_the_amounts_it_has_written() {
    let (few, many) = (held(5), held(25));
    let each = (many - few) / 20;
    // What a footer says of a group of nine columns; the six columns of money alone are 96 000.
    assert!(each < 12_000, "{each} bytes a row group");
}
