//! History into the store: large batches, and nothing over what is there from before.
//!
//! Records gather by kind and day and go in pieces of one size, so that the same import again, after
//! whatever ended the first, makes the same blocks, which are known. A block that is not known must
//! not lie in a stretch of time that the store already covers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use qt_model::ids::InstrumentId;
use qt_model::record::{Batch, Kind};
use qt_model::time::{Date, Ts};

use crate::error::StoreError;
use crate::insert::{Inserted, Known, Share, shares};
use crate::store::Store;
use crate::tables::literal;

/// Rows of a piece.
const PIECE_ROWS: usize = 1 << 17;

/// Levels of a piece, beyond which it is cut early.
const PIECE_LEVELS: usize = 1 << 20;

/// Rows that wait over all pieces: then the largest goes early. Reached only with many kinds or days at a time.
const WAITING_ROWS: usize = 1 << 20;

/// Adds a stream of records.
#[derive(Debug)]
pub struct Bulk {
    store: Arc<Store>,
    pieces: BTreeMap<(Kind, Date), Batch>,
    waiting: usize,
    /// Series of a day that were compared with the store.
    compared: BTreeSet<(Kind, Option<InstrumentId>, Date)>,
    inserted: Inserted,
}

impl Bulk {
    pub fn open(store: &Arc<Store>) -> Result<Self, StoreError> {
        store.prepare()?;
        let (pieces, compared) = (BTreeMap::new(), BTreeSet::new());
        let (store, inserted) = (Arc::clone(store), Inserted::default());
        Ok(Self { store, pieces, waiting: 0, compared, inserted })
    }

    pub fn write(&mut self, batch: &Batch) -> Result<(), StoreError> {
        for (at, slot) in batch.slots().iter().enumerate() {
            let place = (slot.kind, slot.ts_recv.date());
            let piece = self.pieces.entry(place).or_default();
            if piece.instruments().len() < batch.instruments().len() {
                piece.set_instruments(Arc::clone(batch.instruments()));
            }
            piece.push(batch.get(at));
            self.waiting += 1;
            if piece.len() >= PIECE_ROWS || piece.all_levels().len() >= PIECE_LEVELS {
                self.send(place)?;
            } else if self.waiting >= WAITING_ROWS {
                self.relieve()?;
            }
        }
        Ok(())
    }

    fn relieve(&mut self) -> Result<(), StoreError> {
        let largest = self.pieces.iter().max_by_key(|(_, piece)| piece.len());
        largest.map(|(place, _)| *place).map_or(Ok(()), |place| self.send(place))
    }

    fn send(&mut self, place: (Kind, Date)) -> Result<(), StoreError> {
        let Some(piece) = self.pieces.remove(&place) else { return Ok(()) };
        self.waiting -= piece.len();
        for share in shares(&piece) {
            let block = self.store.block(&piece, &share)?;
            let known = self.store.known(share.kind, &block)?;
            if known == Known::Done {
                self.inserted.repeats += 1;
                continue;
            }
            if known == Known::No {
                self.refuse_overlap(&piece, &share, place.1)?;
                // From here on, what lies there may be ours.
                self.store.note(&share, &block.hash, false)?;
            }
            self.store.put(&piece, &share, block)?;
            self.inserted.blocks += 1;
            self.inserted.rows += share.places.len() as u64;
            let series = share.places.iter().map(|at| piece.head(*at).instrument);
            self.compared.extend(series.map(|id| (share.kind, id, place.1)));
        }
        Ok(())
    }

    /// Refuses records of a time from which on the store has some of the same series.
    fn refuse_overlap(&self, piece: &Batch, share: &Share, date: Date) -> Result<(), StoreError> {
        let mut firsts: BTreeMap<&str, (Ts, u64)> = BTreeMap::new();
        for at in &share.places {
            let head = piece.head(*at);
            if self.compared.contains(&(share.kind, head.instrument, date)) {
                continue;
            }
            let symbol = head.instrument.map(|id| piece.instruments().get(id).symbol.as_str());
            let first = firsts.entry(symbol.unwrap_or("")).or_insert((head.ts_recv, head.seq));
            *first = (*first).min((head.ts_recv, head.seq));
        }
        if firsts.is_empty() {
            return Ok(());
        }
        let last = self.store.last_of_day(share.kind, date, firsts.keys().copied())?;
        for (symbol, first) in firsts {
            if last.get(symbol).is_some_and(|last| *last >= first) {
                return Err(StoreError::Exists {
                    store: self.store.name().to_owned(),
                    kind: share.kind.name(),
                    symbol: if symbol.is_empty() { "nobody" } else { symbol }.to_owned(),
                    first: first.0.to_string(),
                });
            }
        }
        Ok(())
    }

    /// Inserts what waits.
    pub fn finish(mut self) -> Result<Inserted, StoreError> {
        while let Some(place) = self.pieces.keys().next().copied() {
            self.send(place)?;
        }
        Ok(self.inserted)
    }
}

impl Store {
    /// The last time and number of some series on a day.
    fn last_of_day<'s>(
        &self,
        kind: Kind,
        date: Date,
        symbols: impl Iterator<Item = &'s str>,
    ) -> Result<BTreeMap<String, (Ts, u64)>, StoreError> {
        let symbols: Vec<String> = symbols.map(literal).collect();
        let (from, to) = (date.start().nanos(), date.plus_days(1).start().nanos());
        let rows = self.client.rows(&format!(
            "SELECT toString(sym), toUnixTimestamp64Nano(max(ts_recv)), argMax(seq, (ts_recv, \
             seq)) FROM {} WHERE sym IN ({}) AND ts_recv >= fromUnixTimestamp64Nano({from}, 'UTC') \
             AND ts_recv < fromUnixTimestamp64Nano({to}, 'UTC') GROUP BY sym",
            self.place(kind.name()),
            symbols.join(", ")
        ))?;
        let known = rows.into_iter().map(|row| match <[String; 3]>::try_from(row) {
            Ok([symbol, last, seq]) => {
                Some((symbol, (Ts::from_nanos(last.parse().ok()?), seq.parse().ok()?)))
            }
            Err(_) => None,
        });
        known
            .collect::<Option<_>>()
            .ok_or_else(|| self.client.misread("makes no sense where a series ends"))
    }
}
