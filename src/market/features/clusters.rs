//! Clusters that an analysis found, as an expression: which of some centres is nearest to an event.
//!
//! Values are normalised with the means and deviations of the analysis, and distances taken there.
//! Confidence is one less the distance over the farthest that the analysis saw in the cluster; where
//! it is too small, there is no value. Absent on purpose: finding the centres.

use super::expr::{Expr, ExprError, parse};

/// What a model of clusters says. Each feature has a mean and a deviation; each centre has a place
/// for every feature, in deviations from the mean, and a radius.
#[derive(Clone, Debug, PartialEq)]
pub struct Clusters {
    pub features: Vec<String>,
    pub means: Vec<f64>,
    pub deviations: Vec<f64>,
    pub centres: Vec<Vec<f64>>,
    pub radii: Vec<f64>,
    pub confidence_min: f64,
}

/// What is wrong with a model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClustersError {
    #[error("{what} has {found} numbers, expected {expected}: one for each {each}")]
    Length { what: String, found: usize, expected: usize, each: &'static str },
    #[error("a model needs a feature and a centre at least")]
    Empty,
    #[error("{what} has {value}, expected {expected}")]
    Number { what: String, value: String, expected: &'static str },
    #[error("feature `{feature}`: {error}")]
    Feature { feature: String, error: ExprError },
}

impl Clusters {
    /// The number of the nearest centre; of two that are as near, the first.
    pub fn expr(&self) -> Result<Expr, ClustersError> {
        self.check()?;
        let parts = self.features.iter().zip(&self.means).zip(&self.deviations);
        let normal: Vec<String> = parts
            .map(|((feature, mean), deviation)| format!("((({feature}) - ({mean})) / {deviation})"))
            .collect();
        let distance = |centre: &Vec<f64>| {
            let apart = normal.iter().zip(centre).map(|(it, at)| format!("({it} - ({at}))"));
            let squares: Vec<String> = apart.map(|apart| format!("{apart} * {apart}")).collect();
            format!("sqrt({})", squares.join(" + "))
        };
        let distances: Vec<String> = self.centres.iter().map(distance).collect();
        let nearest = distances[1..]
            .iter()
            .fold(distances[0].clone(), |near, next| format!("min({near}, {next})"));
        // From the last on, so that the first of those that are as near decides.
        let confident = (0..distances.len()).rev().fold("log(-1)".to_owned(), |otherwise, at| {
            let (distance, radius) = (&distances[at], self.radii[at]);
            let sure = format!("1 - {distance} / {radius} >= {}", self.confidence_min);
            format!("if({distance} <= {nearest}, if({sure}, {at}, log(-1)), {otherwise})")
        });
        Ok(parse(&confident).expect("what is made of sound parts is sound"))
    }

    fn check(&self) -> Result<(), ClustersError> {
        let (features, centres) = (self.features.len(), self.centres.len());
        if features == 0 || centres == 0 {
            return Err(ClustersError::Empty);
        }
        for feature in &self.features {
            parse(feature)
                .map_err(|error| ClustersError::Feature { feature: feature.clone(), error })?;
        }
        let rows = self.centres.iter().enumerate();
        let rows = rows.map(|(at, centre)| (format!("centre {at}"), centre, features, "feature"));
        let lists = [
            ("means".to_owned(), &self.means, features, "feature"),
            ("deviations".to_owned(), &self.deviations, features, "feature"),
            ("radii".to_owned(), &self.radii, centres, "centre"),
        ];
        for (what, list, expected, each) in lists.into_iter().chain(rows) {
            if list.len() != expected {
                return Err(ClustersError::Length { what, found: list.len(), expected, each });
            }
            let is_width = what == "deviations" || what == "radii";
            let is_good = |value: &f64| value.is_finite() && (!is_width || *value > 0.0);
            if let Some(value) = list.iter().find(|value| !is_good(value)) {
                let expected = if is_width { "a number above zero" } else { "a finite number" };
                return Err(ClustersError::Number { what, value: value.to_string(), expected });
            }
        }
        if !(0.0..=1.0).contains(&self.confidence_min) {
            let (what, value) = ("confidence_min".to_owned(), self.confidence_min.to_string());
            return Err(ClustersError::Number { what, value, expected: "a number from 0 to 1" });
        }
        Ok(())
    }
}
