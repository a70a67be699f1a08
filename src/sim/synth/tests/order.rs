//! Order, counts and independence, over configurations at random.

use std::collections::BTreeMap;

use proptest::prelude::*;
use qt_model::record::{Batch, Kind, Source};

use super::super::{Fault, Faults, Latency, Market, Spec};
use super::{Config, Digest, each, events};

/// Checks the total order and the sequences; returns the number of records.
fn check_order(config: &Config) -> u64 {
    let market = Market::new(config).unwrap();
    let instruments = market.instruments();
    let end_ns = config.duration_ns.map(|duration| config.start.nanos() + duration);
    let mut last = None;
    let mut sequences = BTreeMap::new();
    let mut count = 0;
    each(config, |record| {
        let head = record.head();
        let id = head.instrument.unwrap();
        let symbol = &instruments.get(id).symbol;
        let (venue, name) = (symbol.venue().to_owned(), symbol.name().to_owned());
        let key = (head.ts_recv, venue, record.kind(), name, head.seq);
        assert!(last.as_ref() < Some(&key), "{key:?} behind {last:?}");
        assert!(head.ts_recv >= config.start, "{record:?} before the start");
        assert!(end_ns.is_none_or(|end| head.ts_recv.nanos() < end), "{record:?} after the end");
        let seq = sequences.entry((id, record.kind())).or_insert(0);
        assert_eq!(head.seq, *seq, "{record:?}");
        *seq += 1;
        count += 1;
        last = Some(key);
    });
    count
}

fn specs() -> impl Strategy<Value = Vec<Spec>> {
    let name = prop_oneof![
        Just("sim:BTCUSDT".to_owned()),
        Just("sim:ESZ4".to_owned()),
        Just("sim:PEPEUSDT".to_owned()),
        "[a-c]{1,2}:[A-D]{1,3}",
    ];
    prop::collection::btree_set(name, 1..8)
        .prop_map(|names| names.iter().map(|name| Spec::named(name).unwrap()).collect())
}

fn latencies() -> impl Strategy<Value = Latency> {
    (0_u32..3_000_000, 0_u32..500_000, prop_oneof![Just(0_u32), 1_u32..3_000])
        .prop_map(|(base_ns, jitter_ns, spike_one_in)| Latency { base_ns, jitter_ns, spike_one_in })
}

fn configs() -> impl Strategy<Value = Config> {
    let start = (-2_000_000_000_i64..4_000_000_000).prop_map(|s| s * 1_000_000_000 - 5);
    let faults = prop::collection::vec(prop::sample::select(Fault::ALL), 0..4);
    (any::<u64>(), specs(), start, 1_u64..4_000, latencies(), 5_usize..60, faults).prop_map(
        |(seed, instruments, start, count, latency, depth_levels, faults)| Config {
            seed,
            start: qt_model::time::Ts::from_nanos(start),
            latency,
            depth_levels,
            faults: faults.into_iter().collect::<Faults>(),
            ..events(count, instruments)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_stream_is_in_total_order_and_as_long_as_asked(config in configs()) {
        prop_assert_eq!(check_order(&config), config.events.unwrap());
    }

    #[test]
    fn a_sound_book_never_crosses_and_gives_each_quote(config in configs()) {
        super::book::check(&Config { faults: Faults::NONE, ..config });
    }

    #[test]
    fn batches_may_be_cut_anywhere(config in configs(), batch_records in 1_usize..300) {
        let whole = Digest::of(&config);
        prop_assert_eq!(whole, Digest::of(&config));
        prop_assert_eq!(whole, Digest::of(&Config { batch_records, ..config.clone() }));
        // The first records tell of the instruments, whatever the seed.
        if config.events.is_none_or(|events| events > 100) {
            let other = Config { seed: config.seed ^ 1, ..config };
            prop_assert_ne!(whole, Digest::of(&other));
        }
    }

    #[test]
    fn a_duration_ends_a_stream_where_it_says(config in configs(), seconds in 1_i64..30) {
        let duration_ns = Some(seconds * 1_000_000_000);
        let config = Config { duration_ns, events: None, ..config };
        let count = check_order(&config);
        let cut = Config { events: Some(count / 2), ..config.clone() };
        prop_assert_eq!(check_order(&cut), count / 2);
        let more = Config { events: Some(count + 1), ..config };
        prop_assert_eq!(check_order(&more), count);
    }
}

/// All records of one instrument, as text without the id.
fn of_instrument(config: &Config, symbol: &str) -> Vec<String> {
    let mut market = Market::new(config).unwrap();
    let id = market.instruments().find(symbol).unwrap();
    let mut batch = Batch::default();
    let mut lines = Vec::new();
    while market.next(&mut batch).unwrap() {
        for record in batch.iter().filter(|record| record.head().instrument == Some(id)) {
            lines.push(format!("{record:?}").replace(&format!("{id:?}"), ""));
        }
    }
    lines
}

#[test]
fn another_instrument_changes_nothing_for_the_first() {
    let faults = Faults::NONE.with(Fault::Gaps).with(Fault::Duplicates).with(Fault::ClockSkew);
    let duration_ns = Some(20_000_000_000);
    let alone = Config {
        instruments: vec![Spec::named("sim:ESZ4").unwrap()],
        duration_ns,
        faults,
        ..Config::default()
    };
    let records = of_instrument(&alone, "sim:ESZ4");
    let among = Config { instruments: Spec::known(), ..alone };
    assert!(records.len() > 100);
    assert_eq!(records, of_instrument(&among, "sim:ESZ4"));
}

#[test]
fn many_instruments_open_with_their_terms_and_status() {
    let config = Config { batch_records: 100, ..events(45_000, Spec::many(10_000)) };
    assert_eq!(check_order(&config), 45_000);
    let mut kinds = Vec::new();
    each(&config, |record| kinds.push(record.kind()));
    assert!(kinds[..10_000].iter().all(|kind| *kind == Kind::InstrumentRow));
    assert!(kinds[10_000..20_000].iter().all(|kind| *kind == Kind::Status));
}
