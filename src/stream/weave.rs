//! Records of several tables of one input that lie between each other, as columns.
//!
//! Invariants: the records stand in the order of their numbers, each number once; each table is whole
//! and in its own order.

use std::ops::Range;
use std::sync::Arc;

use qt_model::instrument::Instruments;
use qt_model::record::{Key, Kind};
use qt_model::time::Ts;

use crate::columns::Plain;
use crate::fibre::Fibre;

/// See the module.
#[derive(Debug)]
pub(crate) struct Weave {
    tables: Vec<Fibre>,
    places: Vec<Place>,
    /// When each record was received: what a merge asks most.
    recv: Vec<Ts>,
}

/// Where a record lies.
#[derive(Clone, Copy, Debug)]
struct Place {
    table: u32,
    record: u32,
}

/// A table, and the numbers of its records.
#[derive(Debug)]
pub(crate) struct Numbered {
    pub(crate) plain: Arc<Plain>,
    pub(crate) numbers: Vec<u64>,
}

impl Weave {
    /// Tables as one, with the number that may come next. Nothing where a number is less than `next`, comes
    /// twice, or falls within its table.
    pub(crate) fn of(tables: Vec<Numbered>, mut next: u64) -> Option<(Self, u64)> {
        let count = tables.iter().map(|table| table.numbers.len()).sum();
        let (mut places, mut recv) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let mut at = vec![0; tables.len()];
        while let Some((table, bound)) = first_due(&tables, &at) {
            let Numbered { plain, numbers } = &tables[table];
            let rest = &numbers[at[table]..];
            // Up to where another table's are due, or numbers do not rise.
            let mut is_next = |number: &u64| {
                let is_next = *number >= next && *number < bound;
                next = number.saturating_add(1);
                is_next
            };
            let len = rest.iter().take_while(|number| is_next(number)).count();
            // The one that ended the run moved this on as well.
            next = rest[..len].last()?.saturating_add(1);
            for record in at[table]..at[table] + len {
                places.push(Place { table: table as u32, record: record as u32 });
                recv.push(Ts::from_nanos(plain.recv[plain.start(record)]));
            }
            at[table] += len;
        }
        let tables = tables.into_iter().map(|table| Fibre::Columns(table.plain)).collect();
        Some((Self { tables, places, recv }, next))
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// The tables of a stream only grow, so one has the instruments of all.
    pub(crate) fn instruments(&self) -> &Arc<Instruments> {
        let tables = self.tables.iter().map(Fibre::instruments);
        tables.max_by_key(|table| table.len()).expect("a weave is of one table at least")
    }

    #[inline]
    pub(crate) fn recv(&self) -> &[Ts] {
        &self.recv
    }

    /// See `Sequence::rising_end`.
    pub(crate) fn rising_end(&self, records: Range<usize>, after: Ts, before: Ts) -> usize {
        let (start, mut last) = (records.start, after);
        let rises = |time: &&Ts| {
            let rises = **time > last && **time < before;
            last = **time;
            rises
        };
        start + self.recv[records].iter().take_while(rises).count()
    }

    #[inline]
    pub(crate) fn kind(&self, at: usize) -> Kind {
        self.tables[self.places[at].table as usize].kind(self.places[at].record as usize)
    }

    pub(crate) fn key(&self, at: usize) -> Key {
        let Place { table, record } = self.places[at];
        self.tables[table as usize].key(record as usize)
    }

    /// Shows some records as runs of neighbours of one table.
    #[inline]
    pub(crate) fn runs(&self, records: Range<usize>, mut look: impl FnMut(&Fibre, Range<usize>)) {
        let mut rest = &self.places[records];
        while let Some(first) = rest.first() {
            let goes_on = |(place, record): (&Place, u32)| {
                place.table == first.table && place.record == record
            };
            let len = rest.iter().zip(first.record..).take_while(|it| goes_on(*it)).count();
            let from = first.record as usize;
            look(&self.tables[first.table as usize], from..from + len);
            rest = &rest[len..];
        }
    }
}

/// The table whose record has the least number, and the least number of all others.
fn first_due(tables: &[Numbered], at: &[usize]) -> Option<(usize, u64)> {
    let mut first: Option<(usize, u64)> = None;
    let mut bound = u64::MAX;
    for (table, Numbered { numbers, .. }) in tables.iter().enumerate() {
        let Some(number) = numbers.get(at[table]).copied() else { continue };
        match first {
            Some((_, least)) if number >= least => bound = bound.min(number),
            _ => {
                bound = bound.min(first.map_or(u64::MAX, |(_, least)| least));
                first = Some((table, number));
            }
        }
    }
    first.map(|(table, _)| (table, bound))
}
