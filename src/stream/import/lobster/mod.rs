//! LOBSTER: a message file, with the order book file beside it if it is there.
//!
//! Messages become `mbo` records and, for executions, trades; the states of the order book file
//! become a `depth` snapshot and what changes in it. Times are seconds after midnight in New York,
//! prices ten-thousandths. The direction is that of the resting order, so an execution of -1 is a buy.

mod book;
mod messages;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use qt_model::time::Date;

use super::{About, Hints, ImportInput, Imported, Importer, Likeness, Look, Sorted};
use crate::error::ReadError;
use crate::place::Place;
use crate::read::Options;

#[derive(Debug)]
pub(super) struct Lobster;

static ABOUT: About = About {
    name: "lobster",
    what: "LOBSTER message files, with the order book file beside them",
    example: "qt record import AAPL_2012-06-21_34200000_57600000_message_10.csv",
};

impl Importer for Lobster {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn recognise(&self, look: &Look<'_>) -> Likeness {
        let parts = look.parts();
        let name = parts.last().map_or("", String::as_str);
        if name.contains("_orderbook_") && name.ends_with(".csv") {
            return Likeness::Part;
        }
        match (messages::is_message(look.first_line()), name.contains("_message_")) {
            (true, true) => Likeness::Certain,
            (true, false) => Likeness::Likely,
            (false, _) => Likeness::No,
        }
    }

    fn open(
        &self,
        input: ImportInput,
        hints: &Hints,
        options: &Options,
    ) -> Result<Imported, ReadError> {
        let name = input.name.clone();
        let unreadable =
            |message: String| ReadError::Unreadable { place: Place::whole(&name), message };
        let said = input.path.as_deref().map(Said::of).unwrap_or_default();
        let symbol = hints.symbol.clone().or(said.symbol).ok_or_else(|| {
            unreadable("the instrument stands in the name of the file; pass --symbol".to_owned())
        })?;
        let date = hints.date.or(said.date).ok_or_else(|| {
            unreadable(
                "times are of the day only, and no name of a file says which; pass --date"
                    .to_owned(),
            )
        })?;
        let book = input.path.as_deref().and_then(beside).map(book::Book::open).transpose()?;
        let source = messages::Messages::new(input, (&symbol, date), book, hints, options)
            .map_err(|problem| unreadable(problem.to_string()))?;
        Ok(Box::new(Sorted::new(Box::new(source), &name, options.tolerance.clone())))
    }
}

/// What the name of a file says: `AAPL_2012-06-21_34200000_57600000_message_10.csv`.
#[derive(Debug, Default)]
struct Said {
    symbol: Option<String>,
    date: Option<Date>,
}

impl Said {
    fn of(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let mut words = name.split('_');
        let symbol = words.next().filter(|word| !word.is_empty()).map(str::to_owned);
        let date = words.next().and_then(|word| Date::parse(word).ok());
        // Without a day behind it the first word is any word.
        Self { symbol: symbol.filter(|_| date.is_some()), date }
    }
}

/// The order book file of a message file.
fn beside(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let book = path.with_file_name(name.replace("_message_", "_orderbook_"));
    (book != path && book.is_file()).then_some(book)
}
