//! How far the records of a venue can be trusted on a day, as somebody judged it.
//!
//! The last word on a day counts. A day of which nobody said anything has no grade.

use std::collections::BTreeMap;

use qt_model::instrument::Symbol;
use qt_model::record::Kind;
use qt_model::time::{Date, Ts};
use qt_model::words::{Grade, Word};

use crate::error::StoreError;
use crate::store::Store;
use crate::tables::{GRADES, literal};

/// A venue and a day with a grade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    pub venue: String,
    pub date: Date,
    pub grade: Grade,
}

/// What is known of the days of venues.
#[derive(Clone, Debug, Default)]
pub struct Grades(BTreeMap<(String, Date), Grade>);

impl Grades {
    /// What was said of a day of a series. Only records of a market are judged.
    pub fn of(&self, kind: Kind, symbol: Option<&Symbol>, date: Date) -> Option<Grade> {
        let venue = symbol.filter(|_| kind.is_market())?.venue().to_owned();
        self.0.get(&(venue, date)).copied()
    }
}

impl Store {
    /// Notes grades. They take the place of what was said of these days before.
    pub fn set_grades(&self, judged: &[Judged]) -> Result<(), StoreError> {
        if judged.is_empty() {
            return Ok(());
        }
        let row =
            |it: &Judged| format!("({}, '{}', '{}')", literal(&it.venue), it.date, it.grade.word());
        let rows: Vec<String> = judged.iter().map(row).collect();
        // A word that was said before is no repetition: another may have been said between.
        self.client.add(&format!(
            "INSERT INTO {} (venue, date, grade) SETTINGS async_insert = 0, insert_deduplicate = \
             0 VALUES {}",
            self.place(GRADES),
            rows.join(", ")
        ))
    }

    /// The grades of the days from `from` to `to`.
    pub fn grades(&self, from: Ts, to: Ts) -> Result<Grades, StoreError> {
        let first = (from != Ts::MIN).then(|| format!("date >= '{}'", from.date()));
        let last = (to != Ts::MAX).then(|| format!("date <= '{}'", to.date()));
        let bounds: Vec<String> = [first, last].into_iter().flatten().collect();
        let wanted = match bounds.is_empty() {
            true => String::new(),
            false => format!(" WHERE {}", bounds.join(" AND ")),
        };
        let rows = self.client.rows(&format!(
            "SELECT toString(venue), toString(date), toString(argMax(grade, said_at)) FROM \
             {}{wanted} GROUP BY venue, date",
            self.place(GRADES)
        ))?;
        let judged = |row: &Vec<String>| match row.as_slice() {
            [venue, date, grade] => {
                Some(((venue.clone(), Date::parse(date).ok()?), Grade::from_word(grade)?))
            }
            _ => None,
        };
        let grades: Option<BTreeMap<_, _>> = rows.iter().map(judged).collect();
        grades
            .map(Grades)
            .ok_or_else(|| self.client.misread("makes no sense where days are graded"))
    }
}
