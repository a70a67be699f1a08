//! The grades of the days that a ledger knows, told to the database as they change.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use qt_model::time::Date;
use qt_model::words::Grade;
use qt_store::{Judged, Store, StoreError};

use super::ledger::{days, graded, length};

#[derive(Debug, thiserror::Error)]
pub enum TellError {
    #[error("reading the ledger: {0}")]
    Ledger(#[from] io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was told so far of the ledger below a root.
#[derive(Debug)]
pub(super) struct Judgement {
    root: PathBuf,
    /// How long the file of a day was when it was last looked at: it only ever grows.
    seen: BTreeMap<Date, u64>,
    told: BTreeMap<(String, Date), Grade>,
}

impl Judgement {
    pub(super) fn of(root: &Path) -> Self {
        Self { root: root.to_owned(), seen: BTreeMap::new(), told: BTreeMap::new() }
    }

    /// Tells what is new. Returns how many grades that is; what cannot be told stays new.
    pub(super) fn tell(&mut self, store: &Store) -> Result<usize, TellError> {
        let (mut news, mut seen) = (Vec::new(), self.seen.clone());
        for date in days(&self.root)? {
            let bytes = length(&self.root, date)?;
            if seen.insert(date, bytes) == Some(bytes) {
                continue;
            }
            for (venue, day) in graded(&self.root, date)? {
                let grade = day.graded.grade;
                if self.told.get(&(venue.clone(), date)) != Some(&grade) {
                    news.push(Judged { venue, date, grade });
                }
            }
        }
        if !news.is_empty() {
            store.prepare()?;
            store.set_grades(&news)?;
        }
        self.seen = seen;
        let count = news.len();
        self.told.extend(news.into_iter().map(|it| ((it.venue, it.date), it.grade)));
        Ok(count)
    }
}
