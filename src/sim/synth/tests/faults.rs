//! Each fault shows when asked for, and only then.

use std::collections::BTreeMap;

use qt_model::ids::InstrumentId;
use qt_model::record::{Depth, Level, Record};
use qt_model::words::DepthAction;

use super::super::{Fault, Faults, Spec};
use super::book::{Book, touch_of};
use super::{Config, each, events, one};

/// What a suspicious reader counts.
#[derive(Debug, Default)]
struct Findings {
    gap_records: usize,
    missing_told: u64,
    skipped_ids: usize,
    repeated_trades: usize,
    repeated_updates: usize,
    late_records: usize,
    backward_event_times: usize,
    crossed_quotes: usize,
    crossed_books: usize,
    long_silences: usize,
    venue_ahead: usize,
    venue_far_behind: usize,
}

#[derive(Default)]
struct Reader {
    book: Book,
    last_update: u64,
    last_trade: u64,
    last_event_ns: i64,
    last_recv_ns: i64,
}

fn findings(config: &Config) -> Findings {
    let mut found = Findings::default();
    let mut readers: BTreeMap<InstrumentId, Reader> = BTreeMap::new();
    each(config, |record| {
        let reader = readers.entry(record.head().instrument.unwrap()).or_default();
        reader.see_clocks(record, &mut found);
        reader.see_ids(record, &mut found);
    });
    found
}

impl Reader {
    fn see_clocks(&mut self, record: Record<'_>, found: &mut Findings) {
        let (event_ns, recv_ns) = (record.head().ts_event.nanos(), record.head().ts_recv.nanos());
        found.backward_event_times += usize::from(event_ns < self.last_event_ns);
        found.long_silences +=
            usize::from(self.last_recv_ns > 0 && recv_ns - self.last_recv_ns > 10_000_000_000);
        found.venue_ahead += usize::from(event_ns > recv_ns);
        found.venue_far_behind += usize::from(recv_ns - event_ns > 200_000_000);
        (self.last_event_ns, self.last_recv_ns) = (event_ns, recv_ns);
    }

    fn see_ids(&mut self, record: Record<'_>, found: &mut Findings) {
        if let Record::Gap(gap) = record {
            found.gap_records += 1;
            found.missing_told += gap.missing.unwrap();
            assert!(gap.from < gap.to && gap.to == gap.head.ts_recv, "{gap:?}");
        } else if let Record::Trade(trade) = record {
            let id = trade.id.unwrap();
            found.repeated_trades += usize::from(id == self.last_trade);
            found.late_records += usize::from(id < self.last_trade);
            self.last_trade = id;
        } else if let Record::Depth(depth) = record {
            self.see_depth(depth.row, depth.levels, found);
        } else if let Record::Quote(quote) = record {
            found.crossed_quotes += usize::from(quote.is_crossed());
            assert!(touch_of(quote.row).is_some());
        }
    }

    fn see_depth(&mut self, row: &Depth, levels: &[Level], found: &mut Findings) {
        let last_id = row.last_id.unwrap();
        if let Some(first_id) = row.first_id {
            found.skipped_ids += usize::from(first_id > self.last_update + 1);
            found.repeated_updates += usize::from(last_id == self.last_update);
            found.late_records += usize::from(last_id < self.last_update);
        }
        self.last_update = last_id;
        self.book.apply(row, levels);
        let is_crossed = self.book.touch().is_some_and(|(bid, ask)| bid.0 > ask.0);
        found.crossed_books += usize::from(is_crossed);
    }
}

fn with(fault: Fault) -> Findings {
    findings(&Config { faults: Faults::NONE.with(fault), ..events(200_000, Spec::known()) })
}

#[test]
fn a_sound_feed_has_no_finding() {
    let found = format!("{:?}", findings(&events(200_000, Spec::known())));
    assert_eq!(found, format!("{:?}", Findings::default()));
}

#[test]
fn gaps_skip_ids_and_some_are_announced() {
    let found = with(Fault::Gaps);
    assert!(found.gap_records > 5 && found.skipped_ids > 5, "{found:?}");
    assert!(found.missing_told > 20 * found.gap_records as u64, "{found:?}");
    assert_eq!((found.repeated_updates, found.late_records), (0, 0), "{found:?}");
    assert_eq!((found.venue_ahead, found.long_silences), (0, 0), "{found:?}");
}

#[test]
fn a_snapshot_follows_each_announced_gap() {
    let faults = Faults::NONE.with(Fault::Gaps);
    let (mut told, mut count) = (None, 0);
    each(&Config { faults, ..events(100_000, one("sim:BTCUSDT")) }, |record| {
        if let Record::Gap(gap) = record {
            told = Some(gap.head.ts_recv);
            count += 1;
        } else if let Record::Depth(depth) = record
            && let Some(told) = told.take()
        {
            assert_eq!((depth.action, depth.head.ts_recv), (DepthAction::Snapshot, told));
        }
    });
    assert!(count > 3, "{count} gaps");
}

#[test]
fn duplicates_repeat_ids() {
    let found = with(Fault::Duplicates);
    assert!(found.repeated_updates > 30 && found.repeated_trades > 1, "{found:?}");
    assert_eq!((found.skipped_ids, found.late_records), (0, 0), "{found:?}");
}

#[test]
fn reorder_turns_ids_and_event_times_back() {
    let found = with(Fault::Reorder);
    assert!(found.late_records > 50 && found.backward_event_times > 50, "{found:?}");
    assert_eq!((found.repeated_updates, found.venue_ahead), (0, 0), "{found:?}");
}

#[test]
fn crossed_shows_in_quotes_and_in_the_book_and_passes() {
    let found = with(Fault::Crossed);
    assert!(found.crossed_quotes > 30 && found.crossed_books > 30, "{found:?}");
    assert!(found.crossed_quotes < 1_000 && found.crossed_books < 1_000, "{found:?}");
    assert_eq!((found.skipped_ids, found.late_records), (0, 0), "{found:?}");
}

#[test]
fn stale_is_silence_and_then_life() {
    let found = with(Fault::Stale);
    assert!((2..100).contains(&found.long_silences), "{found:?}");
    assert_eq!((found.skipped_ids, found.gap_records), (0, 0), "{found:?}");
}

#[test]
fn clock_skew_puts_the_venue_ahead_and_behind() {
    let faults = Faults::NONE.with(Fault::ClockSkew);
    let instruments: Vec<_> = Spec::known().into_iter().map(|spec| spec.at_pace(5.0)).collect();
    let duration_ns = Some(1_500_000_000_000);
    let sound = Config { instruments, duration_ns, ..Config::default() };
    let found = findings(&Config { faults, ..sound.clone() });
    assert!(found.venue_ahead > 10_000 && found.venue_far_behind > 10_000, "{found:?}");
    let found = findings(&sound);
    assert_eq!((found.venue_ahead, found.venue_far_behind), (0, 0), "{found:?}");
}

#[test]
fn faults_do_not_change_what_happened() {
    let quotes = |faults| {
        let mut ids = BTreeMap::new();
        each(&Config { faults, ..events(60_000, one("sim:ESZ4")) }, |record| {
            if let Record::Quote(quote) = record {
                ids.insert(quote.id, touch_of(quote.row));
            }
        });
        ids
    };
    let faults = [Fault::Gaps, Fault::Duplicates, Fault::Reorder, Fault::ClockSkew];
    let (sound, faulty) = (quotes(Faults::NONE), quotes(faults.into_iter().collect()));
    let shared = faulty.iter().filter(|(id, _)| sound.contains_key(id));
    let equal = shared.clone().filter(|(id, touch)| sound[id] == **touch).count();
    assert!(equal > 10_000 && equal == shared.count(), "{equal} quotes in common");
}
