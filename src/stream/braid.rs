//! Records on their way through as columns: strands, and braids of them.
//!
//! A strand is a stretch of one input: the columns of a table as they were decoded, or rows where
//! the table wanted a closer look. A braid is the order in which runs of strands follow each other.
//! Who only passes records on, as a replay does, need not make rows of columns to make columns of
//! rows again.
//!
//! Invariant: a braid is what the batch of its records is: the same records, digest and encodings.
//! Absent on purpose: the fields of a record. Who looks at records takes a batch.

use std::ops::Range;
use std::sync::Arc;

use qt_model::instrument::Instruments;
use qt_model::record::{Batch, ColumnTable, Key, Kind, QuoteColumns, Sequence};
use qt_model::time::Ts;

use crate::columns::Plain;
use crate::fibre::Fibre;
use crate::weave::Weave;

/// A stretch of records of one input. Copies share what they show.
#[derive(Clone, Debug)]
pub struct Strand {
    of: Shown,
    records: Range<usize>,
}

/// What a strand shows a part of.
#[derive(Clone, Debug)]
enum Shown {
    One(Fibre),
    Many(Arc<Weave>),
}

impl Strand {
    pub(crate) fn columns(plain: &Arc<Plain>, records: Range<usize>) -> Self {
        Self { of: Shown::One(Fibre::Columns(Arc::clone(plain))), records }
    }

    pub(crate) fn woven(weave: Weave) -> Self {
        let records = 0..weave.len();
        Self { of: Shown::Many(Arc::new(weave)), records }
    }

    /// Rows, where there are no columns.
    pub fn of_rows(batch: Batch) -> Self {
        let records = 0..batch.len();
        Self { of: Shown::One(Fibre::Rows(Arc::new(batch))), records }
    }

    /// Some of the records.
    #[must_use]
    pub fn part(&self, places: Range<usize>) -> Self {
        assert!(
            places.start <= places.end && places.end <= self.len(),
            "{places:?} lies within it"
        );
        let records = self.records.start + places.start..self.records.start + places.end;
        Self { of: self.of.clone(), records }
    }

    /// The records as rows.
    pub fn to_batch(&self) -> Batch {
        let mut braid = Braid::default();
        braid.push(self, 0..self.len());
        braid.to_batch()
    }

    /// The records as columns, where they are quotes of one instrument and lie as such.
    pub fn quotes(&self) -> Option<QuoteColumns<'_>> {
        match &self.of {
            Shown::One(Fibre::Columns(plain)) => plain.quotes(self.records.clone()),
            Shown::One(Fibre::Rows(_)) | Shown::Many(_) => None,
        }
    }
}

impl Default for Strand {
    fn default() -> Self {
        Self::of_rows(Batch::default())
    }
}

impl Sequence for Strand {
    #[inline]
    fn len(&self) -> usize {
        self.records.len()
    }

    fn clear(&mut self) {
        *self = Self::default();
    }

    fn instruments(&self) -> &Arc<Instruments> {
        match &self.of {
            Shown::One(fibre) => fibre.instruments(),
            Shown::Many(weave) => weave.instruments(),
        }
    }

    #[inline]
    fn ts_recv(&self, at: usize) -> Ts {
        let at = self.records.start + at;
        match &self.of {
            Shown::One(Fibre::Columns(plain)) => Ts::from_nanos(plain.recv[plain.start(at)]),
            Shown::One(Fibre::Rows(batch)) => batch.slots()[at].ts_recv,
            Shown::Many(weave) => weave.recv()[at],
        }
    }

    fn rising_end(&self, places: Range<usize>, after: Ts, before: Ts) -> usize {
        let first = self.records.start;
        let records = first + places.start..first + places.end;
        let end = match &self.of {
            Shown::One(Fibre::Columns(plain)) => plain.rising_end(records, after, before),
            Shown::One(Fibre::Rows(batch)) => batch.rising_end(records, after, before),
            Shown::Many(weave) => weave.rising_end(records, after, before),
        };
        end - first
    }

    #[inline]
    fn kind(&self, at: usize) -> Kind {
        let at = self.records.start + at;
        match &self.of {
            Shown::One(fibre) => fibre.kind(at),
            Shown::Many(weave) => weave.kind(at),
        }
    }

    #[inline]
    fn key(&self, at: usize) -> Key {
        let at = self.records.start + at;
        match &self.of {
            Shown::One(fibre) => fibre.key(at),
            Shown::Many(weave) => weave.key(at),
        }
    }

    fn is_same(&self, at: usize, other: &Self, place: usize) -> bool {
        let (mut one, mut two) = (Braid::default(), Braid::default());
        one.push(self, at..at + 1);
        two.push(other, place..place + 1);
        one.to_batch().get(0) == two.to_batch().get(0)
    }
}

/// Runs of strands in the order of a stream.
#[derive(Debug, Default)]
pub struct Braid {
    fibres: Vec<Fibre>,
    runs: Vec<Run>,
    len: usize,
}

/// Neighbours of one strand.
#[derive(Clone, Copy, Debug)]
struct Run {
    fibre: u32,
    from: u32,
    to: u32,
}

/// How many of the latest strands are asked whether a run goes on with them. One that is not found
/// is noted again, which costs a little and bends nothing.
const LOOK_BACK: usize = 8;

/// How many records a table has at least, on average.
const TABLE_RECORDS: usize = 64;

impl Braid {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Forgets the records and keeps the memory.
    pub fn clear(&mut self) {
        self.fibres.clear();
        self.runs.clear();
        self.len = 0;
    }

    /// Appends some records of a strand.
    pub fn push(&mut self, strand: &Strand, places: Range<usize>) {
        let records = strand.records.start + places.start..strand.records.start + places.end;
        match &strand.of {
            Shown::One(fibre) => self.push_run(fibre, records),
            Shown::Many(weave) => weave.runs(records, |fibre, run| self.push_run(fibre, run)),
        }
    }

    fn push_run(&mut self, fibre: &Fibre, records: Range<usize>) {
        if records.is_empty() {
            return;
        }
        self.len += records.len();
        let (from, to) = (records.start as u32, records.end as u32);
        let known = self.fibres.iter().rev().take(LOOK_BACK).position(|it| it.is(fibre));
        let fibre = match known {
            Some(back) => self.fibres.len() - 1 - back,
            None => {
                self.fibres.push(fibre.clone());
                self.fibres.len() - 1
            }
        } as u32;
        match self.runs.last_mut() {
            Some(last) if last.fibre == fibre && last.to == from => last.to = to,
            Some(_) | None => self.runs.push(Run { fibre, from, to }),
        }
    }

    /// Leaves out what comes behind so many records.
    pub fn truncate(&mut self, len: usize) {
        while self.len > len
            && let Some(last) = self.runs.last_mut()
        {
            let over = (self.len - len).min((last.to - last.from) as usize);
            last.to -= over as u32;
            self.len -= over;
            if last.from == last.to {
                self.runs.pop();
            }
        }
    }

    /// The place of the last record.
    pub fn last_key(&self) -> Option<Key> {
        let last = self.runs.last()?;
        Some(self.fibres[last.fibre as usize].key(last.to as usize - 1))
    }

    /// The instruments of the records. The tables of strands only grow, so one has them all.
    pub fn instruments(&self) -> Arc<Instruments> {
        let tables = self.fibres.iter().map(Fibre::instruments);
        tables.max_by_key(|table| table.len()).cloned().unwrap_or_default()
    }

    /// The runs, where all of them are columns that are written as such. Bars are written from rows.
    pub(crate) fn columns(&self) -> Option<impl Iterator<Item = (&Arc<Plain>, Range<usize>)>> {
        let is_written = |fibre: &Fibre| match fibre {
            Fibre::Columns(plain) => Plain::is_written(plain.kind()),
            Fibre::Rows(_) => false,
        };
        self.fibres.iter().all(is_written).then(|| self.plains())
    }

    /// The runs that are columns.
    fn plains(&self) -> impl Iterator<Item = (&Arc<Plain>, Range<usize>)> {
        self.runs.iter().filter_map(|run| match &self.fibres[run.fibre as usize] {
            Fibre::Columns(plain) => Some((plain, run.from as usize..run.to as usize)),
            Fibre::Rows(_) => None,
        })
    }

    /// The records as tables, where all are quotes or bars that lie as columns in runs of one instrument,
    /// long enough to be worth a table each.
    pub fn tables(&self) -> Option<Vec<ColumnTable>> {
        let are_columns = self.fibres.iter().all(|fibre| matches!(fibre, Fibre::Columns(_)));
        if !are_columns || self.len < self.runs.len() * TABLE_RECORDS {
            return None;
        }
        self.plains().map(|(plain, records)| plain.table(records)).collect()
    }

    /// The records as rows.
    pub fn to_batch(&self) -> Batch {
        let mut batch = Batch::default();
        self.rows(&mut batch);
        batch
    }

    /// The same in a batch that is used again.
    pub fn rows(&self, batch: &mut Batch) {
        batch.clear();
        // A braid of nothing knows no instruments.
        if !self.is_empty() {
            batch.set_instruments(self.instruments());
        }
        for run in &self.runs {
            let (from, to) = (run.from as usize, run.to as usize);
            match &self.fibres[run.fibre as usize] {
                Fibre::Columns(plain) => {
                    let first = batch.count(plain.kind());
                    plain.extend(from..to, batch);
                    let rows = first..batch.count(plain.kind());
                    rows.for_each(|row| batch.place(plain.kind(), row as u32));
                }
                Fibre::Rows(rows) => batch.push_range(rows, from, to),
            }
        }
    }
}
