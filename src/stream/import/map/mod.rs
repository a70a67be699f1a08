//! Tables and JSON lines of no known format, by a map of their columns. A table is text, or a file of
//! Parquet or Arrow, whose rows become such a text.
//!
//! `--map columns.toml` says what the columns are; `docs/import.md` has every key. Formats that are
//! plain tables are a map of their own with a rule to recognise them: see `plain`.

mod decode;
mod json;
mod plan;
mod table;
#[cfg(test)]
mod tests;
mod times;

use std::sync::Arc;

use qt_model::time::Ts;

use super::rows;
use super::{About, Hints, ImportInput, Imported, Importer, Likeness, Look};
use crate::error::ReadError;
use crate::place::Place;
use crate::read::Options;
use decode::Mapped;
pub(super) use plan::Plan;

#[derive(Debug)]
pub(super) struct Map;

static ABOUT: About = About {
    name: "map",
    what: "any CSV, JSON lines, Parquet or Arrow, by a map of their columns",
    example: "qt record import --map columns.toml prices.csv",
};

impl Importer for Map {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    /// Nothing looks like it; `--map` asks for it.
    fn recognise(&self, _: &Look<'_>) -> Likeness {
        Likeness::No
    }

    fn survey(
        &self,
        input: ImportInput,
        hints: &Hints,
        options: &Options,
    ) -> Result<Option<Ts>, ReadError> {
        survey(named(&input, hints)?, input, hints, options)
    }

    fn open(
        &self,
        input: ImportInput,
        hints: &Hints,
        options: &Options,
    ) -> Result<Imported, ReadError> {
        open(named(&input, hints)?, input, hints, options)
    }
}

/// The plan in the file that `--map` names.
fn named(input: &ImportInput, hints: &Hints) -> Result<Plan, ReadError> {
    let Some(path) = &hints.map else {
        let message = "the format `map` needs --map FILE, which says what the columns mean";
        let place = Place::whole(&input.name);
        return Err(ReadError::Told { place, message: message.to_owned() });
    };
    let name: Arc<str> = path.display().to_string().into();
    let text = std::fs::read_to_string(path).map_err(|source| ReadError::io(&name, source))?;
    Plan::parse(&text).map_err(|message| ReadError::Told { place: Place::whole(&name), message })
}

pub(super) fn survey(
    plan: Plan,
    input: ImportInput,
    hints: &Hints,
    options: &Options,
) -> Result<Option<Ts>, ReadError> {
    let (plan, input) = table::as_lines(plan, input)?;
    let mapped = prepare(plan, &input, hints)?;
    rows::survey(mapped, input, hints, options)
}

pub(super) fn open(
    plan: Plan,
    input: ImportInput,
    hints: &Hints,
    options: &Options,
) -> Result<Imported, ReadError> {
    // What is wrong with the plan is said before anything is read.
    prepare(plan.clone(), &input, hints)?;
    let (plan, input) = table::as_lines(plan, input)?;
    let (name, of) = (input.name.clone(), hints.clone());
    let again = move || {
        Mapped::new(plan.clone(), &of)
            .unwrap_or_else(|problem| panic!("{name}: a plan that was good is bad: {problem}"))
    };
    rows::open(again, input, hints, options)
}

fn prepare(plan: Plan, input: &ImportInput, hints: &Hints) -> Result<Mapped, ReadError> {
    Mapped::new(plan, hints).map_err(|problem| ReadError::Told {
        place: Place::whole(&input.name),
        message: problem.to_string(),
    })
}
