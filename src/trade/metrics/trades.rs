//! From fills to trades: what was opened, closed, and earned by it.
//!
//! A trade is an episode from flat to flat; a fill that turns the position is split at zero. Lots
//! can be matched instead: first in first out, last in first out, or at average cost, one trade for
//! each fill that closes. Profit is the same by each way once the position is flat. All money is
//! exact; shares of it are cut at the last digit and the rest stays with what is left.

use std::collections::VecDeque;

use qt_model::time::Ts;
use qt_model::units::{Px, Qty};
use qt_model::words::Side;

use super::contract::{Contract, Grains};
use super::quoted::Quoted;
use crate::ledger::DoublePx;
use crate::ledger::Money;

/// What makes a trade.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Matching {
    #[default]
    Episode,
    Fifo,
    Lifo,
    Average,
}

/// A closed trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trade {
    pub side: Side,
    pub opened: Ts,
    pub closed: Ts,
    /// The largest size held, in units.
    pub qty: i64,
    pub fills: u64,
    pub gross: Money,
    pub fees: Money,
    pub funding: Money,
    /// Worst and best profit by prices while it was open; of an episode only.
    pub excursion: Option<(Money, Money)>,
    /// Price times size of what opened and what closed, with the sign of the prices.
    pub entry_notional: Money,
    pub exit_notional: Money,
    /// The sizes behind them.
    pub entry_qty: i64,
    pub exit_qty: i64,
}

impl Trade {
    pub fn net(&self) -> Money {
        self.gross - self.fees + self.funding
    }
}

/// One fill as the matcher takes it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    pub ts: Ts,
    pub side: Side,
    pub px: Px,
    pub qty: Qty,
    /// In the account's currency; positive: paid.
    pub fee: Money,
}

/// The position of one instrument, and the trade that it is.
#[derive(Clone, Debug)]
pub(super) struct Position {
    contract: Contract,
    matching: Matching,
    /// In units; negative: short.
    qty: i64,
    /// Of the open episode; of what closes next, where lots are matched.
    open: Open,
    lots: VecDeque<Lot>,
}

/// What is known of the open episode.
#[derive(Clone, Copy, Debug, Default)]
struct Open {
    since: Ts,
    fills: u64,
    qty_max: i64,
    /// Money in by prices less money out: with the worth of the position, the profit so far.
    flow: Grains,
    fees: Money,
    funding: Money,
    worst: Grains,
    best: Grains,
    /// Sizes times prices.
    entry: Grains,
    exit: Grains,
    entry_qty: i64,
    exit_qty: i64,
}

/// What one fill opened and no other has closed yet.
#[derive(Clone, Copy, Debug)]
struct Lot {
    since: Ts,
    /// In units, never negative.
    qty: i64,
    /// The worth at its price, with the sign of the position.
    cost: Money,
    notional: Money,
    fee: Money,
}

impl Lot {
    /// Takes a part off; its shares of cost and fee go with it.
    fn take(&mut self, qty: i64) -> Self {
        let part = Self {
            since: self.since,
            qty,
            cost: self.cost.share(qty, self.qty),
            notional: self.notional.share(qty, self.qty),
            fee: self.fee.share(qty, self.qty),
        };
        self.qty -= qty;
        self.cost -= part.cost;
        self.notional -= part.notional;
        self.fee -= part.fee;
        part
    }

    fn join(&mut self, other: Self) {
        self.qty += other.qty;
        self.cost += other.cost;
        self.notional += other.notional;
        self.fee += other.fee;
    }
}

impl Position {
    pub(super) fn new(contract: Contract, matching: Matching) -> Self {
        Self { contract, matching, qty: 0, open: Open::default(), lots: VecDeque::new() }
    }

    /// In units; negative: short.
    #[inline]
    pub(super) fn qty(&self) -> i64 {
        self.qty
    }

    /// The mid was each of these while a position is held.
    pub(super) fn mark_all(&mut self, quoted: Quoted<'_>) {
        if !self.contract.is_linear() {
            return quoted.mids().for_each(|mid| self.mark(mid));
        }
        // A line has its extremes at the ends.
        if let Some((low, high)) = quoted.ends() {
            self.mark(low);
            self.mark(high);
        }
    }

    /// The mid moved while a position is held.
    #[inline]
    pub(super) fn mark(&mut self, mid: DoublePx) {
        let profit = self.open.flow + self.contract.grains(self.qty, mid);
        self.open.worst = self.open.worst.min(profit);
        self.open.best = self.open.best.max(profit);
    }

    /// Funding, interest, dividends of the position. Without one it belongs to no trade.
    pub(super) fn fund(&mut self, amount: Money) {
        if self.qty != 0 {
            self.open.funding += amount;
        }
    }

    /// Applies a fill; closed trades go to `closed`, at most one.
    pub(super) fn fill(&mut self, fill: &Taken) -> Option<Trade> {
        let (size, sign) = (fill.qty.mantissa(), fill.side.sign());
        assert!(size > 0, "a fill of nothing: {fill:?}");
        let against = self.qty.signum() == -sign;
        let closing = if against { size.min(self.qty.abs()) } else { 0 };
        let fee = fill.fee.share(closing, size);
        let closed = if closing > 0 { self.close(fill, sign, closing, fee) } else { None };
        let opening = size - closing;
        if opening > 0 {
            self.enter(fill, sign, opening, fill.fee - fee);
        }
        closed
    }

    /// A contract paid out at that mid: the position is closed without a fill or a fee.
    pub(super) fn settle(&mut self, ts: Ts, mid: DoublePx) -> Option<Trade> {
        let side = if self.qty > 0 { Side::Sell } else { Side::Buy };
        if self.qty == 0 {
            return None;
        }
        // Half a price unit is lost where a mid lies between two.
        let px = Px::new(mid.units().div_euclid(2));
        let qty = Qty::new(self.qty.abs()).expect("a size without its sign is none below zero");
        self.fill(&Taken { ts, side, px, qty, fee: Money::ZERO })
    }

    fn enter(&mut self, fill: &Taken, sign: i64, qty: i64, fee: Money) {
        let px = DoublePx::of(fill.px);
        let (cost, product) = (self.contract.grains(sign * qty, px), Grains::product(qty, px));
        if self.qty == 0 {
            self.open = Open { since: fill.ts, ..Open::default() };
        }
        self.qty = self.qty.checked_add(sign * qty).expect("a position fits its units");
        let open = &mut self.open;
        open.fills += 1;
        open.flow -= cost;
        open.fees += fee;
        open.qty_max = open.qty_max.max(self.qty.abs());
        open.entry += product;
        open.entry_qty += qty;
        if self.matching != Matching::Episode {
            self.keep(fill.ts, qty, (cost, product), fee);
        }
    }

    /// Keeps a lot, where lots are matched.
    #[inline(never)]
    fn keep(&mut self, since: Ts, qty: i64, (cost, product): (Grains, Grains), fee: Money) {
        let (cost, notional) = (self.contract.money(cost), self.contract.notional_of(product));
        let lot = Lot { since, qty, cost, notional, fee };
        match (self.matching, self.lots.back_mut()) {
            (Matching::Average, Some(lots)) => lots.join(lot),
            (_, _) => self.lots.push_back(lot),
        }
    }

    fn close(&mut self, fill: &Taken, sign: i64, qty: i64, fee: Money) -> Option<Trade> {
        let px = DoublePx::of(fill.px);
        let worth = self.contract.grains(sign * qty, px);
        self.qty += sign * qty;
        let open = &mut self.open;
        open.fills += 1;
        open.flow -= worth;
        open.fees += fee;
        open.exit += Grains::product(qty, px);
        open.exit_qty += qty;
        match self.matching {
            Matching::Episode if self.qty == 0 => Some(self.end(fill, sign)),
            Matching::Episode => None,
            Matching::Fifo | Matching::Lifo | Matching::Average => {
                Some(self.matched(fill, sign, qty, fee, self.contract.money(-worth)))
            }
        }
    }

    /// The episode is over.
    fn end(&mut self, fill: &Taken, sign: i64) -> Trade {
        let (open, contract) = (std::mem::take(&mut self.open), &self.contract);
        let [worst, best] = [open.worst.min(open.flow), open.best.max(open.flow)];
        Trade {
            // What closes it goes against it.
            side: if sign > 0 { Side::Sell } else { Side::Buy },
            opened: open.since,
            closed: fill.ts,
            qty: open.qty_max,
            fills: open.fills,
            gross: contract.money(open.flow),
            fees: open.fees,
            funding: open.funding,
            excursion: Some((contract.money(worst), contract.money(best))),
            entry_notional: contract.notional_of(open.entry),
            exit_notional: contract.notional_of(open.exit),
            entry_qty: open.entry_qty,
            exit_qty: open.exit_qty,
        }
    }

    /// Lots of that size are taken out and sold for `proceeds`.
    #[inline(never)]
    fn matched(&mut self, fill: &Taken, sign: i64, qty: i64, fee: Money, proceeds: Money) -> Trade {
        let mut taken: Option<Lot> = None;
        let (mut left, mut lots) = (qty, 0);
        while left > 0 {
            let is_last = self.matching == Matching::Lifo;
            let lot = if is_last { self.lots.back_mut() } else { self.lots.front_mut() };
            let lot = lot.expect("lots add up to the position");
            let part = lot.take(left.min(lot.qty));
            left -= part.qty;
            lots += 1;
            if lot.qty == 0 {
                if is_last {
                    self.lots.pop_back()
                } else {
                    self.lots.pop_front()
                };
            }
            match &mut taken {
                Some(taken) => {
                    taken.since = taken.since.min(part.since);
                    taken.join(part);
                }
                None => taken = Some(part),
            }
        }
        let taken = taken.expect("something was closed");
        // The cost stands with the sign of the position; what came in is its opposite's worth.
        Trade {
            side: if sign > 0 { Side::Sell } else { Side::Buy },
            opened: taken.since,
            closed: fill.ts,
            qty,
            fills: lots + 1,
            gross: proceeds - taken.cost,
            fees: taken.fee + fee,
            funding: std::mem::take(&mut self.open.funding),
            excursion: None,
            entry_notional: taken.notional,
            exit_notional: self.contract.notional(qty, DoublePx::of(fill.px)),
            entry_qty: qty,
            exit_qty: qty,
        }
    }
}
