//! Whole batches into the catalog, each once, however often it is tried.
//!
//! A batch comes with a name that follows from its content. Each partition it touches gets one file
//! of that name, so that a batch whose writing was cut short anywhere is simply written again:
//! files that stand, or that were folded into others, are left as they are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use qt_model::ids::InstrumentId;
use qt_model::instrument::Instruments;
use qt_model::record::{Batch, Kind};
use qt_model::time::{Date, Ts};

use super::layout::Partition;
use super::lock::WriterLock;
use super::meta::{Meta, MetaFile, sha256_of};
use super::partition::{PART, PartWriter, note, time_digits};
use crate::crash;
use crate::error::WriteError;
use crate::frame::Header;

/// Adds batches under a lock that the caller holds.
#[derive(Clone, Debug)]
pub struct Appender {
    root: PathBuf,
    provenance: BTreeMap<String, String>,
    row_group_records: usize,
    _lock: WriterLock,
}

type Place = (Kind, Option<InstrumentId>, Date);

/// What a batch has for one partition.
#[derive(Clone, Copy, Debug)]
struct Share {
    first: Ts,
    last: Ts,
    rows: u64,
}

impl Appender {
    /// `source` says where the records come from.
    pub fn new(
        lock: &WriterLock,
        root: &Path,
        provenance: &BTreeMap<String, String>,
        row_group_records: usize,
    ) -> Self {
        let (root, provenance) = (root.to_owned(), provenance.clone());
        Self { root, provenance, row_group_records, _lock: lock.clone() }
    }

    /// Adds the records of a batch. Returns how many files were written; 0 if it was there already.
    pub fn append(&self, batch: &Batch, name: &str) -> Result<u64, WriteError> {
        let mut files = 0;
        for (place, share) in shares(batch) {
            files += u64::from(self.append_share(batch, place, share, name)?);
        }
        Ok(files)
    }

    /// The records of a batch whose partitions do not have it yet.
    pub fn missing(&self, batch: &Batch, name: &str) -> Result<Batch, WriteError> {
        let mut missing = Batch::new(Arc::clone(batch.instruments()));
        for (place, share) in shares(batch) {
            let folder = self.root.join(self.describe(batch, place).0.folder());
            let file = file_name(share, name);
            if !is_noted(&folder, &file)? && !folder.join(&file).try_exists()? {
                ordered(batch, place).into_iter().for_each(|at| missing.push(batch.get(at)));
            }
        }
        Ok(missing)
    }

    fn append_share(
        &self,
        batch: &Batch,
        place: Place,
        share: Share,
        name: &str,
    ) -> Result<bool, WriteError> {
        let (partition, header) = self.describe(batch, place);
        let folder = self.root.join(partition.folder());
        let file = file_name(share, name);
        if is_noted(&folder, &file)? {
            return Ok(false);
        }
        let path = folder.join(&file);
        if path.try_exists()? {
            // It stands, and we died before its note was taken.
            let (sha256, provenance) = (sha256_of(&path)?, self.provenance.clone());
            let listed = MetaFile { name: file, rows: share.rows, sha256, provenance };
            note(&self.root, &partition, &header, listed, Some((share.first, share.last)))?;
            return Ok(false);
        }
        let mut part = PartWriter::create(&self.root, &partition, &header, self.row_group_records)?;
        for at in ordered(batch, place) {
            part.push(batch, batch.get(at))?;
        }
        let (listed, span) = part.finish_as(file)?;
        crash::point("catalog.publish");
        note(&self.root, &partition, &header, listed, span)?;
        crash::point("catalog.note");
        Ok(true)
    }

    fn describe(&self, batch: &Batch, (kind, instrument, date): Place) -> (Partition, Header) {
        let mut table = Instruments::default();
        if let Some(id) = instrument {
            let known = batch.instruments().get(id).clone();
            table.declare(known).expect("one instrument fits a table");
        }
        let mut header = Header::new(Arc::new(table)).with_kinds([kind]);
        header.provenance = self.provenance.clone();
        let symbol = instrument.map(|id| batch.instruments().get(id).symbol.clone());
        (Partition { kind, symbol, date }, header)
    }
}

fn file_name(share: Share, name: &str) -> String {
    format!("{PART}{}-{name}.parquet", time_digits(Some(share.first)))
}

/// Whether the note of a folder knows a file, as it is or folded into another.
fn is_noted(folder: &Path, file: &str) -> Result<bool, WriteError> {
    let is_in = |files: &[MetaFile]| files.iter().any(|known| known.name == file);
    let meta = Meta::read(folder)?;
    Ok(meta.is_some_and(|meta| is_in(&meta.files) || is_in(&meta.sources)))
}

/// The places of the records of a partition, in the order that a file has: within one venue, kind
/// and symbol it is that of the clock and the number.
fn ordered(batch: &Batch, place: Place) -> Vec<usize> {
    let key = |at: &usize| (batch.head(*at).ts_recv, batch.head(*at).seq);
    let mut found: Vec<usize> = (0..batch.len())
        .filter(|at| {
            let head = batch.head(*at);
            (batch.slots()[*at].kind, head.instrument, head.ts_recv.date()) == place
        })
        .collect();
    if !found.is_sorted_by_key(key) {
        found.sort_by_key(key);
    }
    found
}

fn shares(batch: &Batch) -> BTreeMap<Place, Share> {
    let mut shares = BTreeMap::new();
    for record in batch.iter() {
        let head = record.head();
        let at = head.ts_recv;
        let share = shares.entry((record.kind(), head.instrument, at.date())).or_insert(Share {
            first: at,
            last: at,
            rows: 0,
        });
        share.first = share.first.min(at);
        share.last = share.last.max(at);
        share.rows += 1;
    }
    shares
}
