//! The same form of the same records, from columns.
//!
//! Invariant: the words are those of `update` over the rows of these columns; a test compares them.

use std::ops::Range;
use std::sync::Arc;

use qt_model::record::Kind;

use super::{Digest, GATHER, HAS_EVENT_TIME};
use crate::braid::{Braid, Strand};
use crate::columns::{Depths, Own, Plain, Quotes, Trades, Whole};

impl Digest {
    /// Takes in the records of a braid.
    pub fn braid(&mut self, braid: &Braid) {
        let Some(runs) = braid.columns() else { return self.update(&braid.to_batch()) };
        let mut known: Option<&Arc<Plain>> = None;
        for (plain, records) in runs {
            if known.is_none_or(|known| !Arc::ptr_eq(known, plain)) {
                self.know(plain.instruments());
                known = Some(plain);
            }
            self.run(plain, records);
        }
    }

    /// Takes in the records of a strand.
    pub(crate) fn strand(&mut self, strand: &Strand) {
        let mut braid = Braid::default();
        braid.push(strand, 0..qt_model::record::Sequence::len(strand));
        self.braid(&braid);
    }

    /// Neighbours of one table, whose instruments are known.
    fn run(&mut self, plain: &Plain, records: Range<usize>) {
        self.records += records.len() as u64;
        for start in records.clone().step_by(STRETCH) {
            let stretch = start..records.end.min(start + STRETCH);
            match &plain.own {
                Own::Trade(own) => self.trades(plain, own, stretch),
                Own::Quote(own) => self.quotes(plain, own, stretch),
                Own::Depth(own) => self.depths(plain, own, stretch),
                Own::Bar(_) => unreachable!("bars are written from rows"),
            }
            if self.gathered.len() >= GATHER {
                self.hash.update(&self.gathered);
                self.gathered.clear();
            }
        }
    }

    /// The words before the mask of a row.
    #[inline(always)]
    fn opening(&self, plain: &Plain, kind: u64, row: usize) -> [u64; 5] {
        let symbol = plain.instrument(row).map_or(0, |id| self.symbols[id.index()]);
        let (event, recv) = (plain.event[row] as u64, plain.recv[row] as u64);
        [kind, symbol, event, recv, plain.seq[row]]
    }

    fn trades(&mut self, plain: &Plain, own: &Trades, rows: Range<usize>) {
        let kind = self.kinds[Kind::Trade.index()];
        for row in rows {
            let [a, b, c, d, e] = self.opening(plain, kind, row);
            let (px, qty, side) = (own.px[row] as u64, own.qty[row] as u64, own.side[row] as u64);
            match own.id.get(row) {
                Some(id) => {
                    let mask = HAS_EVENT_TIME | 0b1111;
                    self.words(&[a, b, c, d, e, mask, px, qty, side, id]);
                }
                None => self.words(&[a, b, c, d, e, HAS_EVENT_TIME | 0b111, px, qty, side]),
            }
        }
    }

    fn quotes(&mut self, plain: &Plain, own: &Quotes, rows: Range<usize>) {
        let kind = self.kinds[Kind::Quote.index()];
        let known = if matches!(own.id, Whole::All(_)) { 0b1_1111 } else { 0b1111 };
        for row in rows {
            let [a, b, c, d, e] = self.opening(plain, kind, row);
            let (bid_px, bid_qty) = (own.bid_px[row] as u64, own.bid_qty[row] as u64);
            let (ask_px, ask_qty) = (own.ask_px[row] as u64, own.ask_qty[row] as u64);
            let mask = HAS_EVENT_TIME | known;
            self.words(&[a, b, c, d, e, mask, bid_px, bid_qty, ask_px, ask_qty]);
            self.optional(&[own.id.get(row)]);
        }
    }

    fn depths(&mut self, plain: &Plain, own: &Depths, records: Range<usize>) {
        let kind = self.kinds[Kind::Depth.index()];
        let [first, last, prev] = &own.ids;
        let is_bare = [first, last, prev].iter().all(|ids| matches!(ids, Whole::None));
        let level = |row: usize| [own.side[row] as u64, own.px[row] as u64, own.qty[row] as u64];
        for record in records {
            let (row, end) = (plain.start(record), plain.start(record + 1));
            let [a, b, c, d, e] = self.opening(plain, kind, row);
            let (action, count) = (own.action[row] as u64, (end - row) as u64);
            if is_bare && count == 1 {
                let [side, px, qty] = level(row);
                let mask = HAS_EVENT_TIME | 1;
                self.words(&[a, b, c, d, e, mask, action, count, side, px, qty]);
                continue;
            }
            let ids = [first.get(row), last.get(row), prev.get(row)];
            let known = (0..)
                .zip(ids)
                .fold(1, |mask, (bit, id)| mask | u64::from(id.is_some()) << (bit + 1));
            self.words(&[a, b, c, d, e, HAS_EVENT_TIME | known, action]);
            self.optional(&ids);
            self.words(&[count]);
            for row in row..end {
                self.words(&level(row));
            }
        }
    }
}

/// How many records are looked at before what gathered is weighed.
const STRETCH: usize = 64;
