//! Batches into the store, each once, however often it is tried.
//!
//! A batch falls into blocks: one for each kind and day, and no larger than a bound, so that the same
//! batch falls into the same blocks. A block is known by its hash: a table of hashes remembers it for
//! a month, and the server itself refuses a block of a name that it has seen lately, which decides
//! where an insert has happened and nobody heard of it.

use std::collections::BTreeMap;

use qt_model::record::{Batch, Kind};
use qt_model::time::Date;

use crate::error::StoreError;
use crate::native;
use crate::store::Store;
use crate::tables::{LEDGER, literal};

/// Rows and levels of a block: well below what the server splits by itself.
const BLOCK_MAX: usize = 1 << 19;

/// What inserting a batch came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inserted {
    pub rows: u64,
    pub blocks: u64,
    /// Blocks that were there already.
    pub repeats: u64,
}

/// A part of a batch that becomes a block.
pub(crate) struct Share {
    pub(crate) kind: Kind,
    pub(crate) places: Vec<usize>,
}

/// A block on its way.
pub(crate) struct Block {
    pub(crate) hash: String,
    bytes: Vec<u8>,
}

/// What is known of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    No,
    /// It was about to be inserted; whether it was, the server knows.
    Begun,
    Done,
}

impl Store {
    /// Adds a batch; what of it was added before is left out.
    pub fn insert(&self, batch: &Batch) -> Result<Inserted, StoreError> {
        self.prepare()?;
        let mut inserted = Inserted::default();
        for share in shares(batch) {
            let block = self.block(batch, &share)?;
            if self.known(share.kind, &block)? == Known::Done {
                inserted.repeats += 1;
                continue;
            }
            self.put(batch, &share, block)?;
            inserted.blocks += 1;
            inserted.rows += share.places.len() as u64;
        }
        Ok(inserted)
    }

    pub(crate) fn block(&self, batch: &Batch, share: &Share) -> Result<Block, StoreError> {
        let table = self.table(share.kind);
        let bytes = native::encode(table, batch, &share.places)
            .map_err(|unfit| self.unfit(&unfit.to_string()))?;
        Ok(Block { hash: native::hash(table, &bytes), bytes })
    }

    /// Inserts a block and remembers it.
    pub(crate) fn put(&self, batch: &Batch, share: &Share, block: Block) -> Result<(), StoreError> {
        self.declare(batch, &share.places)?;
        let table = self.table(share.kind);
        self.client.insert(&self.into(table), block.bytes, &block.hash)?;
        self.note(share, &block.hash, true)
    }

    pub(crate) fn known(&self, kind: Kind, block: &Block) -> Result<Known, StoreError> {
        let rows = self.client.rows(&format!(
            "SELECT count(), max(is_done) FROM {} WHERE table = {} AND hash = {}",
            self.place(LEDGER),
            literal(kind.name()),
            literal(&block.hash)
        ))?;
        let cells = rows.first().map(Vec::as_slice);
        match cells {
            Some([count, _]) if count == "0" => Ok(Known::No),
            Some([_, done]) if done == "true" || done == "1" => Ok(Known::Done),
            Some([_, _]) => Ok(Known::Begun),
            Some(_) | None => Err(self.client.misread("makes no sense where a hash is asked for")),
        }
    }

    pub(crate) fn note(&self, share: &Share, hash: &str, is_done: bool) -> Result<(), StoreError> {
        let (kind, rows) = (literal(share.kind.name()), share.places.len());
        self.client.add(&format!(
            "INSERT INTO {} (table, hash, rows, is_done) SETTINGS async_insert = 0, \
             insert_deduplication_token = '{hash}-{is_done}' VALUES ({kind}, '{hash}', {rows}, \
             {is_done})",
            self.place(LEDGER)
        ))
    }
}

/// The parts of a batch that become blocks, in the order of kinds and days.
pub(crate) fn shares(batch: &Batch) -> Vec<Share> {
    let mut all: BTreeMap<(Kind, Date), Vec<usize>> = BTreeMap::new();
    for (at, slot) in batch.slots().iter().enumerate() {
        all.entry((slot.kind, slot.ts_recv.date())).or_default().push(at);
    }
    let mut shares = Vec::new();
    for ((kind, _), places) in all {
        let (mut weight, mut start) = (0, 0);
        for (at, place) in places.iter().enumerate() {
            let own = 1 + batch.get(*place).levels().len();
            if weight + own > BLOCK_MAX && at > start {
                shares.push(Share { kind, places: places[start..at].to_vec() });
                (weight, start) = (0, at);
            }
            weight += own;
        }
        shares.push(Share { kind, places: places[start..].to_vec() });
    }
    shares
}
