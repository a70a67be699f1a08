//! The grades of what is read: a bad day is refused unless it was asked for, and the worst is told.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io;
use std::path::Path;

use qt_live::recorder::ledger;
use qt_model::time::Date;
use qt_model::words::{Grade, Word};
use qt_stream::catalog::{Part, Partition};

use super::source::Rules;
use crate::failure::Failure;

/// The worst of what was met. The variants of a grade stand from the best to the worst.
#[derive(Debug, Default)]
pub(super) struct Grades {
    worst: Option<Grade>,
}

impl Grades {
    pub(super) fn worst(&self) -> Option<Grade> {
        self.worst
    }

    /// Takes note of a grade; `what` names the data that has it.
    pub(super) fn meet(
        &mut self,
        grade: Option<Grade>,
        rules: &Rules,
        what: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        self.worst = self.worst.max(grade);
        if grade == Some(Grade::Bad) && !rules.allow_bad_data {
            return Err(Failure::no(format!("{} is graded bad", what()))
                .with_hint("`qt check` says why; `--allow-bad-data` reads it all the same"));
        }
        Ok(())
    }
}

/// The grades of the days of a catalog: what the note of a partition says, or else what the ledger
/// of the recorder says of its venue on that day.
#[derive(Debug)]
pub(super) struct OfCatalog<'a> {
    root: &'a Path,
    ledger: BTreeMap<Date, BTreeMap<String, Grade>>,
}

impl<'a> OfCatalog<'a> {
    pub(super) fn new(root: &'a Path) -> Self {
        Self { root, ledger: BTreeMap::new() }
    }

    pub(super) fn grade(&mut self, part: &Part) -> io::Result<Option<Grade>> {
        match part.grade.as_deref().and_then(Grade::from_word) {
            Some(noted) => Ok(Some(noted)),
            None => self.of_ledger(&part.partition),
        }
    }

    fn of_ledger(&mut self, partition: &Partition) -> io::Result<Option<Grade>> {
        let symbol = partition.symbol.as_ref().filter(|_| partition.kind.is_market());
        let Some(symbol) = symbol else { return Ok(None) };
        let of_day = match self.ledger.entry(partition.date) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let days = ledger::graded(self.root, partition.date)?;
                let grades = days.into_iter().map(|(venue, day)| (venue, day.graded.grade));
                place.insert(grades.collect())
            }
        };
        Ok(of_day.get(symbol.venue()).copied())
    }
}
