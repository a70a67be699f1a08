//! Both sides of the generator's book, and what the venue says of each change.
//!
//! Invariants: bid below ask; both sides hold a level; every change is a level of the group in the
//! making, so that deltas miss nothing. Update ids count levels changed and have no holes.

use qt_model::words::{DepthAction, Side};

use super::group::Group;
use super::ladder::{Ladder, Rung, key};

#[derive(Clone, Debug)]
pub(super) struct Book {
    bids: Ladder,
    asks: Ladder,
    update_id: u64,
    /// Best bid and ask as last told.
    quoted: Option<(Rung, Rung)>,
}

impl Book {
    /// A book of at most so many levels on a side and lots in a level.
    pub(super) fn new(levels_max: usize, lots_max: i64, update_id: u64) -> Self {
        let side = Ladder::new(levels_max, lots_max);
        Self { bids: side.clone(), asks: side, update_id, quoted: None }
    }

    #[inline]
    pub(super) fn side(&self, side: Side) -> &Ladder {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    #[inline]
    fn side_mut(&mut self, side: Side) -> &mut Ladder {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    /// Best bid and best ask in ticks.
    #[inline]
    pub(super) fn touch(&self) -> (i64, i64) {
        (self.bids.best().key, -self.asks.best().key)
    }

    /// Adds a level before anybody watches.
    pub(super) fn open(&mut self, side: Side, at: i64, lots: i64) {
        let ladder = self.side_mut(side);
        // A bid below one tick is no bid; the last level grows instead.
        let at = if key(side, at) >= 1 { at } else { ladder.worst().key };
        ladder.add(at, lots);
    }

    /// An order comes in at that key.
    #[inline]
    pub(super) fn place(&mut self, side: Side, at: i64, lots: i64, out: &mut Group) {
        let ladder = self.side_mut(side);
        // No price below one tick, and no level that would leave as it comes.
        let worst = ladder.worst().key;
        let is_kept = key(side, at) >= 1 && (at > worst || ladder.has_room());
        let at = if is_kept { at } else { worst };
        let total = ladder.add(at, lots);
        let trimmed = ladder.trim();
        out.level(side, key(side, at), total);
        if let Some(rung) = trimmed {
            out.level(side, key(side, rung.key), 0);
        }
    }

    #[inline]
    pub(super) fn resize(&mut self, side: Side, depth: usize, lots: i64, out: &mut Group) {
        let rung = self.side_mut(side).set_lots(depth, lots);
        out.level(side, key(side, rung.key), lots);
    }

    #[inline]
    pub(super) fn remove(&mut self, side: Side, depth: usize, out: &mut Group) -> Rung {
        let rung = self.side_mut(side).remove(depth);
        out.level(side, key(side, rung.key), 0);
        rung
    }

    /// Sums up what changed: one delta, and a quote if the touch is another.
    #[inline]
    pub(super) fn tell(&mut self, out: &mut Group) {
        debug_assert!(!out.levels.is_empty(), "an action changes the book");
        let before = self.update_id;
        self.update_id += out.levels.len() as u64;
        out.depth(DepthAction::Delta, before, self.update_id);
        let (bid, ask) = (self.bids.best(), self.asks.best());
        debug_assert!(bid.key < -ask.key, "the book crossed at {bid:?} {ask:?}");
        if self.quoted != Some((bid, ask)) {
            self.quote(out);
        }
    }

    /// The whole book, best first, and the quote that belongs to it.
    pub(super) fn snapshot(&mut self, out: &mut Group) {
        for side in [Side::Buy, Side::Sell] {
            for rung in self.side(side).best_first() {
                out.snapshot_level(side, key(side, rung.key), rung.lots);
            }
        }
        out.depth(DepthAction::Snapshot, self.update_id, self.update_id);
        out.is_snapshot = true;
        self.quote(out);
    }

    #[inline]
    pub(super) fn quote(&mut self, out: &mut Group) {
        let (bid, ask) = (self.bids.best(), self.asks.best());
        self.quoted = Some((bid, ask));
        out.quote((bid.key, bid.lots), (-ask.key, ask.lots), self.update_id);
    }
}
