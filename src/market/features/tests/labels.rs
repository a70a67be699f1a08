//! Labels against what a look ahead finds, and their places in the stream.

use proptest::prelude::*;
use qt_model::record::{Batch, Kind, Label};
use qt_model::words::Side;

use super::history::{market, steps};
use super::program;
use super::tape::Tape;
use crate::features::{BookFrom, Engine, EngineOptions};
use crate::labels::{LabelSpec, Labels};

fn labelled(tape: &Tape, features: &str, labels: &str, pieces: usize, only: bool) -> Batch {
    let specs = labels.split(',').map(|text| LabelSpec::parse(text).unwrap()).collect();
    let mut labels = Labels::new(specs, BookFrom::Quotes, only);
    let mut engine = Engine::new(program(features), EngineOptions::default(), Box::new(|_| true));
    let mut out = Batch::default();
    for start in (0..tape.batch.len()).step_by(pieces) {
        let mut piece = Batch::new(std::sync::Arc::clone(tape.batch.instruments()));
        piece.push_range(&tape.batch, start, tape.batch.len().min(start + pieces));
        let mut rows = Batch::default();
        engine.batch(&piece, &mut rows);
        labels.batch(&rows, &mut out);
    }
    labels.finish(&mut out);
    out
}

fn values(batch: &Batch, name: &str) -> Vec<Option<f64>> {
    let of = |label: &&Label| label.name == name;
    batch.rows::<Label>().iter().filter(of).map(|label| label.value).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn labels_are_what_a_look_ahead_finds(steps in steps(1..150), pieces in 1_usize..40) {
        let (tape, history) = market(&steps);
        let out = labelled(&tape, "mid", "dir_3s,fwd_3s", pieces, false);
        let (mids, ts) = (history.mids(), &history.ts);
        let later = |event: usize| {
            let due = ts[event] + 3.0 - 1e-9;
            (event..mids.len()).find(|at| ts[*at] >= due).map(|at| mids[at])
        };
        let direction: Vec<_> = (0..mids.len()).map(|at| later(at).map(|it| f64::from(u8::from(it > mids[at])))).collect();
        prop_assert_eq!(values(&out, "dir_3s"), direction);
        for (at, found) in values(&out, "fwd_3s").into_iter().enumerate() {
            match (found, later(at).map(|it| (it / mids[at]).ln())) {
                (Some(found), Some(expected)) => prop_assert!((found - expected).abs() < 1e-12),
                (found, expected) => prop_assert_eq!(found, expected),
            }
        }
        // Each record, its row, its labels.
        let kinds: Vec<Kind> = out.iter().map(|record| record.kind()).collect();
        let expected = [Kind::Quote, Kind::Feature, Kind::Label, Kind::Label].repeat(mids.len());
        prop_assert_eq!(kinds, expected);
        let whole = labelled(&tape, "mid", "dir_3s,fwd_3s", 10_000, false);
        prop_assert!(whole.iter().eq(out.iter()), "batches change nothing");
    }

    #[test]
    fn labels_change_no_feature(steps in steps(1..80)) {
        let (tape, _) = market(&steps);
        let out = labelled(&tape, "ema(mid, 3), ret(mid, 2s)", "dir_3s", 7, true);
        let rows = tape.rows("ema(mid, 3), ret(mid, 2s)");
        prop_assert_eq!(out.rows::<qt_model::record::Feature>(), &rows[..]);
        prop_assert_eq!(out.count(Kind::Quote), 0, "only rows and labels");
    }
}

#[test]
fn markouts_follow_the_aggressor() {
    let tape = Tape::new()
        .quote((9_990, 5), (10_010, 5))
        .trade(10_010, 1, Some(Side::Buy))
        .trade(9_990, 1, None)
        .wait(1_000_000_000)
        .quote((10_000, 5), (10_030, 5));
    let out = labelled(&tape, "mid, px", "markout_1s,dir_1s", 9, true);
    let found = values(&out, "markout_1s");
    assert_eq!(found.len(), 2, "a quote has none");
    // The middle goes to 100.15: 5 cents for who bought at 100.10, 25 against who sold at 99.90.
    assert!((found[0].unwrap() - 0.05).abs() < 1e-12 && (found[1].unwrap() + 0.25).abs() < 1e-12);
    assert_eq!(values(&out, "dir_1s"), [Some(1.0), Some(1.0), Some(1.0), None]);
}

#[test]
fn names_of_labels_are_read_or_refused() {
    assert_eq!(LabelSpec::parse("dir_500ms").unwrap().horizon_ns, 500_000_000);
    for text in ["", "dir", "dir_", "dir_10", "up_10s", "fwd_0s", "markout_-1s"] {
        assert!(LabelSpec::parse(text).is_err(), "{text}");
    }
}
