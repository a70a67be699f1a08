//! Resting orders while the market moves.
//!
//! A trade beyond our price fills us; a trade at our price moves the queue and then fills us; the
//! best opposite price reaching ours (or passing it, as the model says) fills us. The orders of a
//! level share one queue: what the earlier one was filled with, the later one did not see. While
//! the venue does not trade, sizes change and nothing fills.

use qt_market::book::{OrderBook, OrderChange};
use qt_model::ids::InstrumentId;
use qt_model::record::{Depth, Level, Mbo, Trade};
use qt_model::units::{Px, Qty};
use qt_model::words::{CancelReason, DepthAction, Liquidity, MboAction, Side};

use super::booking::{is_beyond, qty_of};
use super::fills::{Cross, QueueModel};
use super::market::{Basis, Market, Public};
use super::queue::Place;
use super::{Exchange, Turn};

/// Who was executed by a trade.
#[derive(Clone, Copy, Debug)]
enum Executed {
    Anybody,
    /// An order with that stamp, where it is known.
    Order(Option<u64>),
    /// Nobody knows of a queue: all of the trade reaches us.
    Bare,
}

impl Exchange {
    /// Whether a record of depth can do anything to us: it tells of a price of ours, or a best price
    /// reaches one.
    #[inline]
    pub fn is_met(
        &self,
        market: &Market,
        instrument: InstrumentId,
        depth: &Depth,
        levels: &[Level],
    ) -> bool {
        let Some(pit) = self.pits.get(instrument.index()) else { return false };
        if pit.is_idle() {
            return false;
        }
        let public = market.of(instrument);
        let is_plain = depth.action == DepthAction::Delta && public.basis() == Basis::Book;
        let reaches = |side: Side| {
            let best = public.top().of(side.opposite());
            best.is_some_and(|best| pit.is_reached(side, best.px))
        };
        !(is_plain && pit.is_plain())
            || levels.iter().any(|level| pit.ranks(level.side).find(level.px).is_some())
            || reaches(Side::Buy)
            || reaches(Side::Sell)
    }

    /// Whether a trade can do anything to us: it reaches a price of ours.
    #[inline]
    pub(super) fn is_hit(&self, market: &Market, instrument: InstrumentId, trade: &Trade) -> bool {
        let Some(pit) = self.pits.get(instrument.index()) else { return false };
        if pit.is_idle() {
            return false;
        }
        let is_plain = market.of(instrument).basis() >= Basis::Quotes && pit.is_plain();
        let hits = |side: Side| trade.side != Some(side) && pit.is_reached(side, trade.px);
        !is_plain || hits(Side::Buy) || hits(Side::Sell)
    }

    pub(super) fn depth(
        &mut self,
        turn: &mut Turn<'_>,
        instrument: InstrumentId,
        depth: &Depth,
        levels: &[Level],
    ) {
        let public = turn.market.of(instrument);
        if public.basis() != Basis::Book || !public.has_depth() {
            return;
        }
        match depth.action {
            DepthAction::Delta => {
                for level in levels {
                    self.level_shown(instrument, level.side, level.px, level.qty);
                }
            }
            DepthAction::Snapshot => self.all_shown(instrument, public),
        }
        self.forget_taken(instrument, public);
        self.crossed(turn, instrument);
    }

    pub(super) fn quote(&mut self, turn: &mut Turn<'_>, instrument: InstrumentId) {
        let public = turn.market.of(instrument);
        if public.basis() == Basis::Quotes {
            self.all_shown(instrument, public);
            self.forget_taken(instrument, public);
            self.crossed(turn, instrument);
        }
    }

    /// What one order of somebody else did.
    pub(super) fn others_order(
        &mut self,
        turn: &mut Turn<'_>,
        instrument: InstrumentId,
        row: &Mbo,
    ) {
        let public = turn.market.of(instrument);
        if row.action == MboAction::Fill && public.is_open() {
            self.others_fill(turn, instrument, row);
        }
        for change in public.order_changes().into_iter().flatten() {
            self.order_changed(instrument, &change);
            if let Some(shown) = public.shown(change.side, change.px) {
                self.level_shown(instrument, change.side, change.px, shown);
            }
        }
        // In the middle of an event the book may be what it never was.
        if !row.more {
            self.forget_taken(instrument, public);
            self.crossed(turn, instrument);
        }
    }

    /// An order of another was executed: those of ours that stood before it would have been.
    fn others_fill(&mut self, turn: &mut Turn<'_>, instrument: InstrumentId, row: &Mbo) {
        let public = turn.market.of(instrument);
        let other = public.by_order().and_then(|orders| orders.order(row.order_id).copied());
        let side = row.side.or(other.map(|other| other.side));
        let px = row.px.or(other.map(|other| other.px));
        let (Some(side), Some(px), Some(qty)) = (side, px, row.qty) else { return };
        self.traded_through(turn, instrument, side, px);
        let whose = Executed::Order(other.map(|other| other.stamp));
        self.traded_at(turn, instrument, side, (px, qty), whose);
    }

    /// The size of an order of another changed: that of one ahead brings us forward.
    fn order_changed(&mut self, instrument: InstrumentId, change: &OrderChange) {
        let pit = &self.pits[instrument.index()];
        let Some(at) = pit.ranks(change.side).find(change.px) else { return };
        if self.queue_model(instrument) != QueueModel::Exact {
            return;
        }
        let lost = change.before.mantissa() - change.after.mantissa();
        let mut next = Some(pit.ranks(change.side).level(at).first);
        while let Some(slot) = next.filter(|_| lost > 0) {
            let place = &mut self.orders.get_mut(slot).place;
            if place.is_behind(change.stamp) {
                place.lose(lost, change.by_trade);
            }
            next = self.orders.after(slot);
        }
    }

    fn queue_model(&self, instrument: InstrumentId) -> QueueModel {
        self.venues[self.terms[instrument.index()].venue].config.fills.queue
    }

    /// The size at one price is a new one.
    #[inline]
    fn level_shown(&mut self, instrument: InstrumentId, side: Side, px: Px, after: Qty) {
        let pit = &mut self.pits[instrument.index()];
        let Some(at) = pit.ranks(side).find(px) else { return };
        let terms = &self.terms[instrument.index()];
        let model = self.venues[terms.venue].config.fills.queue;
        let level = pit.ranks_mut(side).level_mut(at);
        let before = level.seen.replace(after).unwrap_or(Qty::ZERO);
        let mut next = Some(level.first);
        while let Some(slot) = next {
            let place = &mut self.orders.get_mut(slot).place;
            place.shown(model, before.mantissa(), after.mantissa(), terms.qty_scale);
            next = self.orders.after(slot);
        }
    }

    /// Looks at the book at each price of ours, since any of them may have changed.
    fn all_shown(&mut self, instrument: InstrumentId, public: &Public) {
        for side in [Side::Buy, Side::Sell] {
            for at in 0..self.pits[instrument.index()].ranks(side).len() {
                let ranks = self.pits[instrument.index()].ranks(side);
                let px = ranks.level_px(at);
                let seen = ranks.level(at).seen;
                if let Some(shown) = public.shown(side, px).filter(|shown| Some(*shown) != seen) {
                    self.level_shown(instrument, side, px, shown);
                }
            }
        }
    }

    /// What the venue shows anew can be taken anew.
    fn forget_taken(&mut self, instrument: InstrumentId, public: &Public) {
        let pit = &mut self.pits[instrument.index()];
        if !pit.taken.is_empty() {
            pit.taken.retain(|taken| public.shown(taken.side, taken.px) == Some(taken.shown));
        }
    }

    /// Fills what the best opposite price has reached.
    #[inline]
    pub(super) fn crossed(&mut self, turn: &mut Turn<'_>, instrument: InstrumentId) {
        let public = turn.market.of(instrument);
        if !public.is_open() {
            return;
        }
        let top = public.top();
        let fills = &self.venues[self.terms[instrument.index()].venue].config.fills;
        let cross = fills.cross;
        for side in [Side::Buy, Side::Sell] {
            let Some(opposite) = top.of(side.opposite()) else { continue };
            while let Some((px, slot)) = self.pits[instrument.index()].ranks(side).best() {
                let is_reached = match cross {
                    Cross::Touch => !is_beyond(side, opposite.px, px),
                    Cross::Through => is_beyond(side.opposite(), opposite.px, px),
                };
                if !is_reached {
                    break;
                }
                self.fill_whole(turn, slot, px);
            }
        }
    }

    /// Fills all that may be filled of a resting order.
    fn fill_whole(&mut self, turn: &mut Turn<'_>, slot: u32, px: Px) {
        match self.open_units(slot) {
            0 => self.cancel_slot(turn, slot, CancelReason::NothingToReduce),
            units => self.fill(turn, slot, px, qty_of(units), Liquidity::Maker),
        }
    }

    pub(super) fn trade(&mut self, turn: &mut Turn<'_>, instrument: InstrumentId, trade: &Trade) {
        let public = turn.market.of(instrument);
        // Where orders are known one by one, their executions have said it already.
        if !public.is_open() || public.by_order().is_some() {
            return;
        }
        match public.basis() {
            Basis::Book | Basis::Quotes => {
                if let Some(aggressor) = trade.side.or_else(|| guess(public, trade.px)) {
                    let side = aggressor.opposite();
                    self.traded_through(turn, instrument, side, trade.px);
                    self.traded_at(
                        turn,
                        instrument,
                        side,
                        (trade.px, trade.qty),
                        Executed::Anybody,
                    );
                }
            }
            // After a gap the trades still say where the market is.
            Basis::Trades | Basis::Nothing => self.traded_bare(turn, instrument, trade),
            Basis::Bars => {}
        }
    }

    /// Fills the orders of a side that a trade has passed by.
    fn traded_through(
        &mut self,
        turn: &mut Turn<'_>,
        instrument: InstrumentId,
        side: Side,
        traded: Px,
    ) {
        while let Some((px, slot)) = self.pits[instrument.index()].ranks(side).best() {
            if !is_beyond(side.opposite(), traded, px) {
                return;
            }
            self.fill_whole(turn, slot, px);
        }
    }

    /// A trade at a price of ours takes those ahead, then us.
    fn traded_at(
        &mut self,
        turn: &mut Turn<'_>,
        instrument: InstrumentId,
        side: Side,
        (px, qty): (Px, Qty),
        whose: Executed,
    ) {
        let ranks = self.pits[instrument.index()].ranks(side);
        let Some(at) = ranks.find(px) else { return };
        let mut next = Some(ranks.level(at).first);
        // What an iceberg shows anew stands behind this one, for later trades.
        let last = ranks.level(at).last;
        let terms = &self.terms[instrument.index()];
        let (lot, venue) = (terms.lot(), terms.venue);
        let fills = self.venues[venue].config.fills;
        let is_exact = fills.queue == QueueModel::Exact;
        let printed = qty.mantissa();
        let mut reaching = printed;
        while let Some(slot) = next {
            next = self.orders.after(slot).filter(|_| slot != last);
            let resting = self.orders.get_mut(slot);
            let excess = match whose {
                Executed::Order(stamp) if is_exact => {
                    // One that nobody knows was there before the data began.
                    let is_behind_us = stamp.is_some_and(|stamp| !resting.place.is_behind(stamp));
                    if is_behind_us { reaching } else { 0 }
                }
                Executed::Bare => reaching,
                Executed::Order(_) | Executed::Anybody => {
                    resting.place.trade(printed, reaching);
                    resting.place.excess(lot)
                }
            };
            if excess == 0 {
                continue;
            }
            let (showing, open) = (resting.showing.mantissa(), self.open_units(slot));
            let units = if fills.is_partial { excess.min(showing).min(open) } else { open };
            if units == 0 {
                self.cancel_slot(turn, slot, CancelReason::NothingToReduce);
                continue;
            }
            reaching = (reaching - units).max(0);
            let qty = qty_of(units);
            self.fill(turn, slot, px, qty, Liquidity::Maker);
            self.show_next(turn, slot, qty);
        }
    }

    /// An iceberg whose shown part was filled shows the next, at the end of the queue.
    pub(super) fn show_next(&mut self, turn: &Turn<'_>, slot: u32, filled: Qty) {
        let resting = self.orders.get_mut(slot);
        // The slot may be free by now; then there is nothing left to show.
        if resting.leaves().is_zero() {
            return;
        }
        let showing = resting.showing.checked_sub(filled).filter(|left| left.mantissa() > 0);
        if let Some(showing) = showing {
            resting.showing = showing;
            return;
        }
        let (new, leaves) = (resting.new, resting.leaves());
        resting.showing = new.display.map_or(leaves, |display| display.min(leaves));
        let px = resting.limit().expect("a queued order has a limit");
        let public = turn.market.of(new.instrument);
        let stamp = public.by_order().map_or(0, OrderBook::next_stamp);
        let seen = public.shown(new.side, px);
        let place = Place::join(self.queue_model(new.instrument), seen).stamped(stamp);
        self.orders.get_mut(slot).place = place;
        let ranks = self.pits[new.instrument.index()].ranks_mut(new.side);
        ranks.unlink(&mut self.orders, slot, px);
        ranks.push(&mut self.orders, slot, px, seen);
    }

    /// Without a book only the trades say where the market is.
    fn traded_bare(&mut self, turn: &mut Turn<'_>, instrument: InstrumentId, trade: &Trade) {
        let fills = self.venues[self.terms[instrument.index()].venue].config.fills;
        for side in [Side::Buy, Side::Sell] {
            self.traded_through(turn, instrument, side, trade.px);
            let is_possible = trade.side.is_none_or(|aggressor| aggressor != side);
            if fills.fills_at_limit && is_possible {
                self.traded_at(turn, instrument, side, (trade.px, trade.qty), Executed::Bare);
            }
        }
    }
}

/// The aggressor of a trade that names none, from the prices that were best.
fn guess(public: &Public, traded: Px) -> Option<Side> {
    let top = public.top();
    if top.ask.is_some_and(|ask| traded >= ask.px) {
        return Some(Side::Buy);
    }
    top.bid.is_some_and(|bid| traded <= bid.px).then_some(Side::Sell)
}
