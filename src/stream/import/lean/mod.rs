//! Lean: folders of zip archives, by asset, market, resolution and symbol.
//!
//! All that a file does not say stands in its path. Times are of the zone that the folder is in.
//! Prices are raw: factor and map files become records of kind `factor` and `mapping`, and nothing is
//! adjusted. A bar of quotes becomes a bar of bids, one of asks, and the quote at its close. Exchanges
//! and sale conditions of ticks have no place in a record and are not kept.

mod place;
mod table;
#[cfg(test)]
mod tests;

use qt_model::time::Ts;

use super::rows;
use super::{About, Hints, ImportInput, Imported, Importer, Likeness, Look};
use crate::error::ReadError;
use crate::place::Place;
use crate::read::Options;
use place::Spot;
use table::Rows;

#[derive(Debug)]
pub(super) struct Lean;

static ABOUT: About = About {
    name: "lean",
    what: "Lean folders: equity, forex, crypto, futures; ticks, bars, open interest, factor and map files",
    example: "qt record import Data/equity/usa/minute/ibm/20131007_trade.zip",
};

impl Importer for Lean {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn recognise(&self, look: &Look<'_>) -> Likeness {
        let is_plain = look.first_line().first().is_some_and(u8::is_ascii_digit);
        match Spot::of(&look.parts()) {
            Some(_) if is_plain => Likeness::Certain,
            Some(_) | None => Likeness::No,
        }
    }

    fn survey(
        &self,
        input: ImportInput,
        hints: &Hints,
        options: &Options,
    ) -> Result<Option<Ts>, ReadError> {
        rows::survey(prepare(&input, hints)?, input, hints, options)
    }

    fn open(
        &self,
        input: ImportInput,
        hints: &Hints,
        options: &Options,
    ) -> Result<Imported, ReadError> {
        prepare(&input, hints)?;
        let (path, hints) = (input.path.clone(), hints.clone());
        let of = hints.clone();
        let again = move || {
            let look = Look { start: b"", path: path.as_deref() };
            let spot = Spot::of(&look.parts()).expect("the path was understood before");
            Rows::new(spot, &of).expect("the zone was known before")
        };
        rows::open(again, input, &hints, options)
    }
}

fn prepare(input: &ImportInput, hints: &Hints) -> Result<Rows, ReadError> {
    let unreadable =
        |message: String| ReadError::Unreadable { place: Place::whole(&input.name), message };
    let look = Look { start: b"", path: input.path.as_deref() };
    let spot = Spot::of(&look.parts()).ok_or_else(|| {
        let message = "what a file holds stands in its path; expected one such as \
                       equity/usa/minute/ibm/20131007_trade.zip";
        unreadable(message.to_owned())
    })?;
    Rows::new(spot, hints).map_err(|problem| unreadable(problem.to_string()))
}
