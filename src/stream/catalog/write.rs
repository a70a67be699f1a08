//! Records of any kind into the partitions they belong to.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use qt_model::ids::InstrumentId;
use qt_model::instrument::Instruments;
use qt_model::record::{Batch, Kind, Record};
use qt_model::time::{Date, Ts};

use super::layout::Partition;
use super::lock::WriterLock;
use super::partition::{PART, PartWriter, note, replace};
use super::scan;
use crate::error::WriteError;
use crate::frame::Header;
use crate::parquet_file::ROW_GROUP_RECORDS;

/// Bounds of a writer.
#[derive(Clone, Copy, Debug)]
pub struct WriterOptions {
    /// Records per row group.
    pub row_group_records: usize,
    /// Records that wait in memory, over all partitions.
    pub pending_records: usize,
    /// Records per file: what a reader must know of a file grows with it.
    pub file_records: u64,
    /// Files open at once.
    pub open_files: usize,
    /// Whether what a partition already holds makes way for what is written.
    pub replace: bool,
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self {
            row_group_records: ROW_GROUP_RECORDS,
            pending_records: 2 * ROW_GROUP_RECORDS,
            file_records: 4 << 20,
            open_files: 200,
            replace: false,
        }
    }
}

type Place = (Kind, Option<InstrumentId>, Date);

/// Writes a stream to a catalog. What is written counts once its partition is closed: when the
/// stream has passed its day, or at `finish`.
#[derive(Debug)]
pub struct CatalogWriter {
    root: PathBuf,
    options: WriterOptions,
    provenance: BTreeMap<String, String>,
    open: BTreeMap<Place, PartWriter>,
    instruments: Arc<Instruments>,
    pending: usize,
    /// The last partition written to and the end of its day: the next record mostly goes there.
    day: Option<(Date, Ts, Ts)>,
    /// Partitions that have a file of this writer: what they held before was seen to.
    written: BTreeSet<Place>,
    rows: u64,
    files: u64,
    _lock: WriterLock,
}

/// What a writer did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    pub rows: u64,
    pub files: u64,
}

impl CatalogWriter {
    /// Takes the catalog for writing. `header` says where the records come from.
    pub fn open(root: &Path, header: &Header, options: WriterOptions) -> Result<Self, WriteError> {
        let lock = Self::lock(root)?;
        Ok(Self::under(&lock, root, header, options))
    }

    /// Takes the catalog for writing and clears away what a crash left.
    pub fn lock(root: &Path) -> Result<WriterLock, WriteError> {
        let lock = WriterLock::take(root)?;
        scan::remove_leftovers(root)?;
        Ok(lock)
    }

    /// Writes under a lock that the caller holds already, for a process with several writers.
    pub fn under(lock: &WriterLock, root: &Path, header: &Header, options: WriterOptions) -> Self {
        Self {
            root: root.to_owned(),
            options,
            provenance: header.provenance.clone(),
            open: BTreeMap::new(),
            instruments: Arc::clone(&header.instruments),
            pending: 0,
            day: None,
            written: BTreeSet::new(),
            rows: 0,
            files: 0,
            _lock: lock.clone(),
        }
    }

    pub fn write(&mut self, batch: &Batch) -> Result<(), WriteError> {
        if batch.instruments().len() > self.instruments.len() {
            self.instruments = Arc::clone(batch.instruments());
        }
        for record in batch.iter() {
            let head = record.head();
            let place = (record.kind(), head.instrument, self.day_of(head.ts_recv)?);
            self.push(place, batch, record)?;
        }
        Ok(())
    }

    /// The day of a time; closes the partitions of days that the stream has left behind.
    #[inline]
    fn day_of(&mut self, ts: Ts) -> Result<Date, WriteError> {
        if let Some((date, from, to)) = self.day
            && from <= ts
            && ts < to
        {
            return Ok(date);
        }
        let date = ts.date();
        let is_later = self.day.is_none_or(|(known, ..)| date > known);
        self.day = Some((date, date.start(), date.plus_days(1).start()));
        if is_later {
            self.close_before(date)?;
        }
        Ok(date)
    }

    fn push(&mut self, place: Place, batch: &Batch, record: Record<'_>) -> Result<(), WriteError> {
        let part = match self.open.entry(place) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(_) => {
                self.make_room()?;
                let part = self.create(place, record.head().ts_recv)?;
                self.open.entry(place).or_insert(part)
            }
        };
        let before = part.pending();
        part.push(batch, record)?;
        // A full row group leaves the waiting room; anything else adds to it.
        self.pending = (self.pending + part.pending()).saturating_sub(before);
        self.rows += 1;
        if part.rows() >= self.options.file_records {
            return self.close(place);
        }
        if self.pending > self.options.pending_records {
            self.relieve()?;
        }
        Ok(())
    }

    fn partition(&self, (kind, instrument, date): Place) -> Partition {
        let symbol = instrument.map(|id| self.instruments.get(id).symbol.clone());
        Partition { kind, symbol, date }
    }

    fn header(&self, (kind, instrument, _): Place) -> Header {
        let mut table = Instruments::default();
        if let Some(id) = instrument {
            table.declare(self.instruments.get(id).clone()).expect("one instrument fits a table");
        }
        let mut header = Header::new(Arc::new(table)).with_kinds([kind]);
        header.provenance = self.provenance.clone();
        header
    }

    fn create(&self, place: Place, first: Ts) -> Result<PartWriter, WriteError> {
        let partition = self.partition(place);
        if !self.options.replace && !self.written.contains(&place) {
            scan::refuse_overlap(&self.root, &partition, first)?;
        }
        PartWriter::create(
            &self.root,
            &partition,
            &self.header(place),
            self.options.row_group_records,
        )
    }

    /// Closes the file that holds least when too many are open.
    fn make_room(&mut self) -> Result<(), WriteError> {
        if self.open.len() < self.options.open_files {
            return Ok(());
        }
        let least =
            self.open.iter().min_by_key(|(_, part)| part.pending()).map(|(place, _)| *place);
        least.map_or(Ok(()), |place| self.close(place))
    }

    /// Writes out the partition with most records waiting.
    fn relieve(&mut self) -> Result<(), WriteError> {
        if let Some(part) = self.open.values_mut().max_by_key(|part| part.pending()) {
            self.pending -= part.pending();
            part.flush()?;
        }
        Ok(())
    }

    fn close_before(&mut self, date: Date) -> Result<(), WriteError> {
        let past: Vec<Place> =
            self.open.keys().copied().filter(|(_, _, day)| *day < date).collect();
        past.into_iter().try_for_each(|place| self.close(place))
    }

    fn close(&mut self, place: Place) -> Result<(), WriteError> {
        let Some(part) = self.open.remove(&place) else { return Ok(()) };
        self.pending -= part.pending();
        self.files += 1;
        let (partition, header) = (self.partition(place), self.header(place));
        if self.written.insert(place) && self.options.replace {
            return replace(&self.root, &partition, &header, part).map(|_| ());
        }
        let (file, span) = part.finish(PART)?;
        note(&self.root, &partition, &header, file, span)
    }

    /// Closes all files at hand: what was written so far counts, whatever happens next.
    pub fn cut(&mut self) -> Result<(), WriteError> {
        let all: Vec<Place> = self.open.keys().copied().collect();
        all.into_iter().try_for_each(|place| self.close(place))
    }

    /// Closes all partitions.
    pub fn finish(mut self) -> Result<Written, WriteError> {
        self.cut()?;
        Ok(Written { rows: self.rows, files: self.files })
    }
}
