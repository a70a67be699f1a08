//! The merge against the obvious way: gather everything and sort.

use std::convert::Infallible;
use std::sync::Arc;

use proptest::prelude::*;
use qt_model::instrument::{Instrument, Instruments, Symbol};
use qt_model::record::{Batch, Feature, Head, Quote, Record, Source, Trade};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};

use crate::merge::{Merge, MergeError, OrderRule};
use crate::order::{Key, Violation};

/// A source of given records, cut into pieces of a given size.
struct Pieces {
    records: Batch,
    at: usize,
    size: usize,
}

impl Source for Pieces {
    type Error = Infallible;

    fn next(&mut self, batch: &mut Batch) -> Result<bool, Infallible> {
        batch.clear();
        batch.set_instruments(Arc::clone(self.records.instruments()));
        let end = self.records.len().min(self.at + self.size);
        (self.at..end).for_each(|at| batch.push(self.records.get(at)));
        self.at = end;
        Ok(!batch.is_empty())
    }
}

fn table() -> Arc<Instruments> {
    let mut table = Instruments::default();
    for symbol in ["z:A", "a:Z", "a:B"] {
        let symbol = Symbol::new(symbol).unwrap();
        table.declare(Instrument::new(symbol, Scale::ZERO, Scale::ZERO)).unwrap();
    }
    Arc::new(table)
}

/// (`ts_recv`, instrument, is a quote, seq).
type Spec = (i64, usize, bool, u64);

fn batch_of(specs: &[Spec], table: &Arc<Instruments>) -> Batch {
    let mut batch = Batch::new(Arc::clone(table));
    let ids: Vec<_> = table.by_symbol().map(|(id, _)| id).collect();
    for &(ts, instrument, is_quote, seq) in specs {
        let ts = Ts::from_nanos(ts);
        let head = Head::new(ts, ts, seq, Some(ids[instrument]));
        if is_quote {
            let none = (None, None);
            let quote = Quote {
                head,
                bid_px: none.0,
                bid_qty: none.1,
                ask_px: None,
                ask_qty: None,
                id: None,
            };
            batch.push_row(quote, &[]);
        } else {
            let trade = Trade { head, px: Px::new(1), qty: Qty::ZERO, side: None, id: None };
            batch.push_row(trade, &[]);
        }
    }
    batch
}

fn keys(batch: &Batch) -> Vec<Key> {
    batch.iter().map(|record| Key::of(&record)).collect()
}

fn merge(lanes: &[Vec<Spec>], size: usize, out: usize, rule: OrderRule) -> Merge<Pieces> {
    let table = table();
    let sources = lanes.iter().map(|lane| {
        let records = batch_of(lane, &table);
        let bound = lane.first().map(|spec| Ts::from_nanos(spec.0));
        (Pieces { records, at: 0, size }, bound)
    });
    Merge::new(sources, rule, out)
}

/// All records of a merge by both roads, which must show the same.
fn merged(
    lanes: &[Vec<Spec>],
    size: usize,
    out: usize,
    rule: OrderRule,
) -> Result<Vec<Key>, MergeError<Infallible>> {
    let mut source = merge(lanes, size, out, rule);
    let mut batch = Batch::default();
    let mut all = Vec::new();
    while source.next(&mut batch)? {
        all.extend(keys(&batch));
    }
    if rule != OrderRule::DropRepeats {
        let mut shown = Vec::new();
        let mut source = merge(lanes, size, out, rule);
        let mut show = |batch: &Batch, places: std::ops::Range<usize>| {
            shown.extend(places.map(|at| Key::of(&batch.get(at))));
        };
        while source.visit(&mut show)? > 0 {}
        assert_eq!(shown, all);
    }
    Ok(all)
}

fn sorted(lanes: &[Vec<Spec>]) -> Vec<Key> {
    let table = table();
    let all: Vec<Spec> = lanes.iter().flatten().copied().collect();
    let mut keys = keys(&batch_of(&all, &table));
    keys.sort_by(|a, b| a.compare(b, &table));
    keys
}

proptest! {
    #[test]
    fn merging_is_sorting(
        specs in proptest::collection::btree_set((0_i64..20, 0_usize..3, any::<bool>(), 0_u64..4), 0..60),
        lane_of in proptest::collection::vec(0_usize..4, 60),
        size in 1_usize..9,
        out in 1_usize..9,
    ) {
        let table = table();
        let mut lanes = vec![Vec::new(); 4];
        for (spec, lane) in specs.iter().zip(&lane_of) {
            lanes[*lane].push(*spec);
        }
        for lane in &mut lanes {
            lane.sort_by(|a, b| {
                let pair = batch_of(&[*a, *b], &table);
                Key::of(&pair.get(0)).compare(&Key::of(&pair.get(1)), &table)
            });
        }
        prop_assert_eq!(merged(&lanes, size, out, OrderRule::Strict).unwrap(), sorted(&lanes));
    }
}

#[test]
fn a_regression_and_a_duplicate_are_named_with_their_place() {
    let lanes = [vec![(5, 0, false, 1), (4, 0, false, 2)]];
    let error = merged(&lanes, 9, 9, OrderRule::Strict).unwrap_err();
    let MergeError::Order { lane: 0, record: 1, violation: Violation::Regression, .. } = error
    else {
        panic!("{error}")
    };
    let lanes = [vec![(5, 0, false, 1)], vec![(5, 0, false, 1)]];
    let error = merged(&lanes, 9, 9, OrderRule::Strict).unwrap_err();
    let MergeError::Order { violation: Violation::Duplicate, .. } = error else {
        panic!("{error}")
    };
    assert!(error.to_string().starts_with("ORDERING_VIOLATION_DUPLICATE: record 0 ("), "{error}");
    assert_eq!(merged(&lanes, 9, 9, OrderRule::Warn).unwrap().len(), 2);
    assert_eq!(merged(&lanes, 9, 9, OrderRule::DropRepeats).unwrap().len(), 1);
}

#[test]
fn records_before_an_error_are_handed_out_first() {
    let table = table();
    let records = batch_of(&[(1, 0, false, 0), (2, 0, false, 1), (1, 0, false, 2)], &table);
    let mut merge = Merge::new([(Pieces { records, at: 0, size: 9 }, None)], OrderRule::Strict, 9);
    let mut batch = Batch::default();
    assert!(merge.next(&mut batch).unwrap());
    assert_eq!(batch.len(), 2);
    assert!(merge.next(&mut batch).is_err());
}

#[test]
fn a_derived_record_stays_behind_its_cause() {
    let table = table();
    let mut with_feature = batch_of(&[(7, 1, true, 0)], &table);
    let head = *with_feature.head(0);
    let feature = Feature { head, set: "s".into(), values: vec![], warm: None, flags: None };
    with_feature.push_row(feature, &[]);
    let other = batch_of(&[(7, 1, false, 0), (7, 2, true, 0)], &table);
    let sources = [with_feature, other].map(|records| (Pieces { records, at: 0, size: 1 }, None));
    let mut merge = Merge::new(sources, OrderRule::Strict, 1);
    let mut batch = Batch::default();
    let mut kinds = Vec::new();
    while merge.next(&mut batch).unwrap() {
        kinds.extend(batch.iter().map(|record: Record<'_>| record.kind().name()));
    }
    assert_eq!(kinds, ["trade", "quote", "feature", "quote"]);
}
