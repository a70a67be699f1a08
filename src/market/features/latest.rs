//! The newest values of one symbol, by name or by place, and how old they are.

use qt_model::time::Ts;

use super::work::{Program, UnknownFeature, Work};

/// What is known of a symbol after the last batch.
#[derive(Clone, Copy, Debug)]
pub struct Latest<'a> {
    pub(super) program: &'a Program,
    pub(super) work: &'a Work,
    pub(super) ts: Ts,
}

/// Why nothing is known of a symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoFeatures {
    #[error("the symbol has had no event yet")]
    NoEvent,
    #[error("features of the symbol were not asked for")]
    Unwanted,
}

impl Latest<'_> {
    /// The last value of a feature; `None` before it has one.
    pub fn value(&self, name: &str) -> Result<Option<f64>, UnknownFeature> {
        self.program.place(name).map(|place| self.at(place))
    }

    /// The same by its place in a row.
    pub fn at(&self, place: usize) -> Option<f64> {
        self.work.value(place).filter(|value| !value.is_nan())
    }

    /// All of a row.
    pub fn values(&self) -> impl Iterator<Item = Option<f64>> {
        (0..self.program.width()).map(|place| self.at(place))
    }

    /// How long ago the last event was received.
    pub fn age_ns(&self, now: Ts) -> i64 {
        now.since(self.ts)
    }

    pub fn is_stale(&self, now: Ts, age_ns_max: i64) -> bool {
        self.age_ns(now) > age_ns_max
    }
}
