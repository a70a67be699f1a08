//! Formats that are plain tables: a map of their columns, and a rule that recognises them.
//!
//! The instrument stands in the name of the file, as far as anywhere. Bars of bids and bars of asks
//! are bars of two instruments, `GBPUSD.bid` and `GBPUSD.ask`: neither is the price that was traded.

mod bars;
mod fx;
#[cfg(test)]
mod tests;

use std::fmt;

use qt_model::time::Ts;

use super::map::{self, Plan};
use super::{About, Hints, ImportInput, Imported, Importer, Likeness, Look};
use crate::error::{ReadError, excerpt};
use crate::place::Place;
use crate::read::Options;

pub(super) use bars::BARS;
pub(super) use fx::{FXCM, HISTDATA, TRUEFX};

/// A format that a map describes.
pub(super) struct Plain {
    about: About,
    /// What a file of it begins with, in words.
    begins: &'static str,
    /// What a file is, by its first lines and its name.
    find: fn(&Look<'_>) -> Option<Found>,
}

/// Whether a line has these names and no others, in any order.
fn has_names(line: &[u8], names: &[&str]) -> bool {
    let mut found: Vec<&[u8]> = line.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).collect();
    let mut wanted: Vec<&[u8]> = names.iter().map(|name| name.as_bytes()).collect();
    found.sort_unstable();
    wanted.sort_unstable();
    found == wanted
}

/// A file that was recognised.
struct Found {
    likeness: Likeness,
    plan: Plan,
    /// What is missing where `plan` has no instrument or step.
    lacks: Option<&'static str>,
}

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plain").field("name", &self.about.name).finish_non_exhaustive()
    }
}

impl Importer for Plain {
    fn about(&self) -> &'static About {
        // Every one of these is a constant of this folder.
        [&HISTDATA, &TRUEFX, &FXCM, &BARS]
            .into_iter()
            .find(|it| it.about.name == self.about.name)
            .map_or(&BARS.about, |it| &it.about)
    }

    fn recognise(&self, look: &Look<'_>) -> Likeness {
        (self.find)(look).map_or(Likeness::No, |found| found.likeness)
    }

    fn survey(
        &self,
        input: ImportInput,
        hints: &Hints,
        options: &Options,
    ) -> Result<Option<Ts>, ReadError> {
        let (plan, input) = self.plan(input)?;
        map::survey(plan, input, hints, options)
    }

    fn open(
        &self,
        input: ImportInput,
        hints: &Hints,
        options: &Options,
    ) -> Result<Imported, ReadError> {
        let (plan, input) = self.plan(input)?;
        map::open(plan, input, hints, options)
    }
}

impl Plain {
    /// Looks at an input once more, since what a file is depends on its beginning.
    fn plan(&self, mut input: ImportInput) -> Result<(Plan, ImportInput), ReadError> {
        let place = Place::whole(&input.name);
        let start = input.peek()?;
        let look = Look { start: &start, path: input.path.as_deref() };
        let found = (self.find)(&look).ok_or_else(|| ReadError::Unreadable {
            place: place.clone(),
            message: format!(
                "not a file of format {} ({}): expected {}, found {}",
                self.about.name,
                self.about.what,
                self.begins,
                excerpt(look.first_line())
            ),
        })?;
        if let Some(lacks) = found.lacks {
            let message = lacks.to_owned();
            return Err(ReadError::Unreadable { place, message });
        }
        Ok((found.plan, input))
    }
}
