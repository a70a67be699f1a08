//! The nearest centre against one found by hand, and models that are none.

use super::tape::Tape;
use super::*;

fn model() -> Clusters {
    Clusters {
        features: vec!["mid".to_owned(), "spread".to_owned()],
        means: vec![100.0, 0.02],
        deviations: vec![0.5, 0.01],
        centres: vec![vec![0.0, 0.0], vec![2.0, 0.0], vec![-2.0, 1.0]],
        radii: vec![1.0, 4.0, 2.0],
        confidence_min: 0.3,
    }
}

/// The definition, step by step.
fn nearest(model: &Clusters, event: [f64; 2]) -> Option<f64> {
    let normal: Vec<f64> =
        (0..2).map(|at| (event[at] - model.means[at]) / model.deviations[at]).collect();
    let distance = |centre: &Vec<f64>| {
        normal.iter().zip(centre).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
    };
    let distances: Vec<f64> = model.centres.iter().map(distance).collect();
    let best = (0..3).rev().min_by(|a, b| distances[*a].total_cmp(&distances[*b])).unwrap();
    let best = (0..3).find(|at| distances[*at] <= distances[best]).unwrap();
    let confidence = (1.0 - distances[best] / model.radii[best]).max(0.0);
    (confidence >= model.confidence_min).then_some(best as f64)
}

#[test]
fn an_event_belongs_to_the_nearest_centre_or_to_none() {
    let model = model();
    let quotes: Vec<(i64, i64)> =
        (9_800..10_300).step_by(7).map(|mid| (mid, 1 + mid % 3)).collect();
    let tape = quotes
        .iter()
        .fold(Tape::new(), |tape, (mid, half)| tape.quote((mid - half, 5), (mid + half, 5)));
    let members = [Named { name: "regime_cluster".to_owned(), expr: model.expr().unwrap() }];
    let program = Program::new(Plan::new(&members).unwrap());
    let found: Vec<_> =
        tape.run(program, 99, EngineOptions::default()).iter().map(|row| row.values[0]).collect();
    let events = tape.rows("mid, spread");
    let expected: Vec<_> = events
        .iter()
        .map(|row| nearest(&model, [row.values[0].unwrap(), row.values[1].unwrap()]))
        .collect();
    assert_eq!(found, expected);
    for class in [None, Some(0.0), Some(1.0), Some(2.0)] {
        assert!(found.contains(&class), "{class:?} comes up");
    }
}

#[test]
fn a_model_that_is_none_says_why() {
    let check = |change: fn(&mut Clusters), expected: &str| {
        let mut model = model();
        change(&mut model);
        assert_eq!(model.expr().unwrap_err().to_string(), expected);
    };
    check(|it| it.centres.clear(), "a model needs a feature and a centre at least");
    check(|it| it.means.push(1.0), "means has 3 numbers, expected 2: one for each feature");
    check(|it| it.radii[1] = 0.0, "radii has 0, expected a number above zero");
    check(|it| it.centres[2][0] = f64::NAN, "centre 2 has NaN, expected a finite number");
    check(|it| _ = it.centres[1].pop(), "centre 1 has 1 numbers, expected 2: one for each feature");
    check(|it| it.confidence_min = 2.0, "confidence_min has 2, expected a number from 0 to 1");
    let mut model = model();
    model.features[0] = "mid +".to_owned();
    assert!(model.expr().unwrap_err().to_string().starts_with("feature `mid +`: "));
}
