//! Strategies that are types: code in place of rules, a strategy file for all the rest.
//!
//! What a type cannot be asked for without knowing it stands in its file: parameters with their bounds,
//! features, symbols, limits, money, terms of venues. So a native strategy is swept, kept with a run and
//! given other terms like one that is text alone. Invariant: a type takes nothing from its file by
//! place, only by name, and a name that is not there is an error.
//! Absent on purpose: a list of all strategies; the program that has them says so, a line for each.

use std::collections::BTreeMap;
use std::sync::Arc;

use qt_market::features::unknown;
use qt_model::ids::InstrumentId;
use qt_model::instrument::{Instrument, Instruments};

use crate::core::Strategy;

/// A strategy that is a type.
pub trait Native: Strategy + Sized + 'static {
    /// What strategy files and command lines call it.
    const NAME: &'static str;
    /// The strategy file that comes along under this name; it says `native = "NAME"`.
    const FILE: &'static str;
    /// The text of its code, `include_str!("name.rs")`. A run keeps it, so that what decided can be read
    /// later, and other code counts as another trial.
    const SOURCE: &'static str;

    /// Builds it for one run.
    fn new(setup: &Setup) -> Result<Self, SetupError>;
}

/// One line of a program's list of strategies.
#[derive(Clone, Copy, Debug)]
pub struct Registration {
    pub name: &'static str,
    pub file: &'static str,
    pub source: &'static str,
    build: fn(&Setup) -> Result<Box<dyn Strategy>, SetupError>,
}

impl Registration {
    pub const fn of<N: Native>() -> Self {
        Self {
            name: N::NAME,
            file: N::FILE,
            source: N::SOURCE,
            build: |setup| Ok(Box::new(N::new(setup)?)),
        }
    }

    pub fn build(&self, setup: &Setup) -> Result<Box<dyn Strategy>, SetupError> {
        (self.build)(setup)
    }
}

/// Why a strategy cannot be built from its file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// The file does not have what the type asks for.
    #[error("{0}")]
    Missing(String),
    /// A parameter that counts something has a value that does not.
    #[error("the parameter `{name}` is {value}; expected a whole number from 0 on")]
    NotWhole { name: String, value: String },
    /// What a type has to say about values that do not go together.
    #[error("{0}")]
    Refused(String),
}

/// Where the value of a feature stands in the rows of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column(usize);

impl Column {
    pub fn new(place: usize) -> Self {
        Self(place)
    }

    /// The value in a row, where there is one.
    #[inline]
    pub fn of(self, row: &[f64]) -> Option<f64> {
        row.get(self.0).copied().filter(|value| !value.is_nan())
    }
}

/// What a run gives to a strategy before it begins.
#[derive(Clone, Debug)]
pub struct Setup {
    pub params: BTreeMap<String, f64>,
    /// The features of the file by name.
    pub columns: BTreeMap<String, Column>,
    pub instruments: Arc<Instruments>,
    /// The instruments that the file's symbols choose; a stream may have more.
    pub traded: Vec<InstrumentId>,
    /// For strategies that draw: the same seed, the same draws.
    pub seed: u64,
}

impl Setup {
    /// The value of a parameter.
    pub fn param(&self, name: &str) -> Result<f64, SetupError> {
        let known = || unknown("parameter", name, self.params.keys().map(String::as_str));
        self.params.get(name).copied().ok_or_else(|| SetupError::Missing(known()))
    }

    /// The value of a parameter that counts something.
    pub fn whole(&self, name: &str) -> Result<u64, SetupError> {
        /// Up to here a double tells each whole number from the next.
        const MOST: f64 = 9_007_199_254_740_992.0;
        let value = self.param(name)?;
        if (0.0..=MOST).contains(&value) && value.fract() == 0.0 {
            return Ok(value as u64);
        }
        Err(SetupError::NotWhole { name: name.to_owned(), value: value.to_string() })
    }

    /// Where a feature of the file stands.
    pub fn column(&self, name: &str) -> Result<Column, SetupError> {
        let known = || unknown("feature", name, self.columns.keys().map(String::as_str));
        self.columns.get(name).copied().ok_or_else(|| SetupError::Missing(known()))
    }

    /// A state for each instrument that is traded.
    pub fn each<T>(&self, state: impl Fn(InstrumentId, &Instrument) -> T) -> PerInstrument<T> {
        let mut slots: Vec<Option<T>> = Vec::new();
        slots.resize_with(self.instruments.len(), || None);
        for id in &self.traded {
            slots[id.index()] = Some(state(*id, self.instruments.get(*id)));
        }
        PerInstrument(slots)
    }
}

/// A value for each instrument that is traded, found without a search.
#[derive(Clone, Debug)]
pub struct PerInstrument<T>(Vec<Option<T>>);

impl<T> PerInstrument<T> {
    /// `None` where the instrument is not traded.
    #[inline]
    pub fn get(&self, instrument: InstrumentId) -> Option<&T> {
        self.0.get(instrument.index())?.as_ref()
    }

    #[inline]
    pub fn get_mut(&mut self, instrument: InstrumentId) -> Option<&mut T> {
        self.0.get_mut(instrument.index())?.as_mut()
    }
}

#[cfg(test)]
mod tests {
    use qt_model::instrument::Symbol;
    use qt_model::units::Scale;

    use super::*;

    fn setup() -> Setup {
        let mut table = Instruments::default();
        let mut declare = |symbol: &str| {
            let symbol = Symbol::new(symbol).unwrap();
            table.declare(Instrument::new(symbol, Scale::ZERO, Scale::ZERO)).unwrap()
        };
        let (_, traded) = (declare("x:A"), declare("x:B"));
        Setup {
            params: [("n".to_owned(), 20.0), ("k".to_owned(), 0.5), ("least".to_owned(), -1.0)]
                .into(),
            columns: [("fast".to_owned(), Column::new(1))].into(),
            instruments: Arc::new(table),
            traded: vec![traded],
            seed: 1,
        }
    }

    #[test]
    fn what_a_file_does_not_have_is_an_error_that_knows_the_names() {
        let setup = setup();
        assert_eq!((setup.param("k"), setup.whole("n")), (Ok(0.5), Ok(20)));
        let says = |error: SetupError, part: &str| {
            assert!(error.to_string().contains(part), "{error}");
        };
        says(
            setup.param("lest").unwrap_err(),
            "there is no parameter `lest`; did you mean `least`?",
        );
        says(setup.whole("k").unwrap_err(), "`k` is 0.5; expected a whole number");
        says(setup.whole("least").unwrap_err(), "`least` is -1; expected a whole number");
        says(
            setup.column("fasst").unwrap_err(),
            "there is no feature `fasst`; did you mean `fast`?",
        );
    }

    #[test]
    fn a_column_without_a_value_is_none() {
        let fast = setup().column("fast").unwrap();
        assert_eq!(fast.of(&[1.0, 2.0]), Some(2.0));
        assert_eq!((fast.of(&[1.0, f64::NAN]), fast.of(&[1.0]), fast.of(&[])), (None, None, None));
    }

    #[test]
    fn only_what_is_traded_has_a_state() {
        let setup = setup();
        let mut states = setup.each(|_, instrument| instrument.symbol.to_string());
        let traded = setup.traded[0];
        let other =
            setup.instruments.by_symbol().map(|(id, _)| id).find(|id| *id != traded).unwrap();
        states.get_mut(traded).unwrap().push('!');
        assert_eq!(
            (states.get(traded).map(String::as_str), states.get(other)),
            (Some("x:B!"), None)
        );
    }
}
