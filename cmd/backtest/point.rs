//! One point of a sweep as a line of JSON, which is how sweeps are kept.
//!
//! Invariant: a line that was read is written as it was, to the digit; only what follows from the
//! number of trials is ever worked out anew.

use std::collections::BTreeMap;

use qt_model::time::Ts;
use qt_stream::runs::members;
use qt_trade::metrics::{Measured, Trials};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::lanes::Ran;
use super::summary::outline_json;

/// See the module. The members stand in the order of their names.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Point {
    metrics: BTreeMap<String, Box<RawValue>>,
    outline: Box<RawValue>,
    params: BTreeMap<String, Box<RawValue>>,
    /// From one on.
    pub(super) point: usize,
}

impl Point {
    pub(super) fn of(result: &Ran, end: Ts) -> Self {
        let metrics = result.figures.as_ref().map_or_else(Vec::new, |it| it.metrics(end));
        let member = |(name, text)| (name, RawValue::from_string(text).expect("it is JSON"));
        let values = result.variant.values.iter();
        Self {
            metrics: metrics.iter().flat_map(members).map(member).collect(),
            outline: raw(&outline_json(&result.outline)),
            params: values.map(|(name, value)| (name.clone(), raw(&json!(value)))).collect(),
            point: result.variant.number + 1,
        }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.params.keys().map(String::as_str)
    }

    pub(super) fn param(&self, name: &str) -> Option<f64> {
        number(self.params.get(name)?)
    }

    /// A member of the outline, as text.
    pub(super) fn outlined(&self, name: &str) -> String {
        let outline: Value = serde_json::from_str(self.outline.get()).unwrap_or_default();
        let value = &outline[name];
        value.as_str().map_or_else(|| value.to_string(), str::to_owned)
    }

    /// A metric as JSON, and why it has no value if it has none.
    pub(super) fn metric(&self, name: &str) -> Option<(&str, Option<String>)> {
        let reason = self.metrics.get(&reason_of(name));
        let reason = reason.and_then(|raw| serde_json::from_str(raw.get()).ok());
        Some((self.metrics.get(name)?.get(), reason))
    }

    /// Works out anew what follows from the trials of the family.
    pub(super) fn set_trials(&mut self, trials: Trials) {
        let expected = trials.expected_max();
        let deflated = self.measured().and_then(|measured| measured.psr(expected).ok());
        let new = [("trials", Some(trials.count)), ("sr0", Some(expected)), ("dsr", deflated)];
        for (name, value) in new {
            if let Some((metric, value)) = self.metrics.get_mut(name).zip(value) {
                *metric = raw(&json!(value));
                self.metrics.remove(&reason_of(name));
            }
        }
    }

    fn measured(&self) -> Option<Measured> {
        let value = |name: &str| number(self.metrics.get(name)?);
        Some(Measured {
            sharpe: value("sharpe_period")?,
            skew: value("skew")?,
            kurtosis: value("kurtosis")?,
            count: value("periods")? as usize,
        })
    }
}

fn reason_of(name: &str) -> String {
    format!("{name}_reason")
}

fn raw(value: &Value) -> Box<RawValue> {
    to_raw_value(value).expect("a value of JSON is JSON")
}

/// A number, or the text of one, to the last bit.
fn number(raw: &RawValue) -> Option<f64> {
    raw.get().trim_matches('"').parse().ok()
}
