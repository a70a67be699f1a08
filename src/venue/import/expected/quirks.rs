//! Oddities of real captures, each with its test, here or beside.
//!
//! | oddity | test |
//! | --- | --- |
//! | 1 a snapshot older than the updates above it | `spot_with_a_late_snapshot` |
//! | 2 a local clock behind the venue's, files cut at local midnight | `clocks_may_disagree_and_run_backward` |
//! | 3 a day without a snapshot | `a_day_that_continues_another_…` |
//! | 4 deletes of levels never seen | `deletes_of_levels_never_seen_are_no_gap` |
//! | 5 two rules of sequence, quotes without a time | `futures_leave_holes_in_their_numbers` |
//! | 6 venue times that run backward between streams | `venue_times_run_backward_between_streams` |
//! | 7 local times in microseconds | `spot_in_microseconds_…`, `dollar_margined_in_microseconds_…` |
//! | 8 prints that are no market prints | `what_is_no_market_print_is_counted_and_left_out` |
//! | 9 history in the first message | `hyperliquid_is_pictures_and_prints` |
//! | 10 times as printed floats | `seconds_keep_every_digit_of_their_fraction` |
//! | 11 messages received before they were sent | `messages_are_received_before_they_were_sent` |
//! | 12 checksums over text | `every_checksum_of_…` |
//! | 13 old prints repeated, the maker's side, prices as text and sizes as numbers | `coinbase_…`, `the_second_protocol_of_bybit` |
//! | 14 updates without a price, a number behind every array | `prices_of_bitmex_…`, `bitfinex_…` |
//! | 19 archives with two clocks of the venue | `an_archive_is_received_when_it_was_sent` |
//! | 33 times as numbers, bars without prints, an open bar | `prints_of_kraken_…`, `bars_of_kraken_…` |

use qt_model::record::{Batch, Depth, Kind};
use qt_stream::import::Hints;

use super::{account, data, import};

#[test]
fn deletes_of_levels_never_seen_are_no_gap() {
    let Some((account, _)) = account("hftbacktest-raw/spot_btcusdt_20240808.gz") else { return };
    let one = account.one("BTCUSDT");
    assert!(one.book.absent_deletes() > 11_000, "{}", one.book.absent_deletes());
    assert_eq!(one.gaps, 0);
}

#[test]
fn futures_leave_holes_in_their_numbers() {
    let Some(folder) = data() else { return };
    let (mut holes, mut last) = (0, None);
    let path = folder.join("hftbacktest-raw/usdm_btcusdt_20240718.gz");
    import(&path, &Hints::default(), &mut |batch: &Batch| {
        for depth in batch.rows::<Depth>() {
            let Some(first) = depth.first_id else { continue };
            holes += u64::from(last.is_some_and(|last| first != last + 1));
            last = depth.last_id;
        }
        assert_eq!(batch.count(Kind::Gap), 0);
    });
    assert!(holes > 3000, "{holes}");
}

#[test]
fn venue_times_run_backward_between_streams() {
    let Some(folder) = data() else { return };
    let (mut backward, mut last) = (0, None);
    let path = folder.join("hftbacktest-raw/usdm_btcusdt_20240808.gz");
    import(&path, &Hints::default(), &mut |batch: &Batch| {
        for record in batch.iter().filter(|record| record.head().has_event_time) {
            let ts_event = record.head().ts_event;
            backward += u64::from(last.is_some_and(|last| ts_event < last));
            last = Some(ts_event);
        }
    });
    assert!(backward > 100, "{backward}");
}

#[test]
fn messages_are_received_before_they_were_sent() {
    let Some(folder) = data() else { return };
    let mut early = 0;
    let path = folder.join("cryptofeed-ws/BINANCE.ws.1.0");
    import(&path, &Hints::default(), &mut |batch: &Batch| {
        let heads = batch.iter().map(|record| *record.head());
        early += heads.filter(|head| head.ts_recv < head.ts_event).count();
    });
    assert!(early > 160, "{early}");
}

#[test]
fn an_archive_is_received_when_it_was_sent() {
    let Some(folder) = data() else { return };
    let mut first = None;
    let path = folder.join("bybit-ob500/xrpusdt-ob500.data.zip");
    import(&path, &Hints::default(), &mut |batch: &Batch| {
        first = first.or_else(|| batch.rows::<Depth>().first().map(|row| row.head));
    });
    let head = first.unwrap();
    assert_eq!(head.ts_recv.nanos(), 1_733_011_200_691_000_000);
    assert_eq!(head.ts_event.nanos(), 1_733_011_200_589_000_000);
}
