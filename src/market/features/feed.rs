//! From the records of one symbol to the columns that expressions begin with.

mod columns;
mod deep;
mod touch;

use qt_model::instrument::Instrument;
use qt_model::record::{Bar, Quote, Record, Trade};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::Side;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::base::Base;
use super::books::{Books, Turn};
use super::flags;
use super::graph::Plan;
use super::value::{NONE, double, finite};
use crate::aggressor::Classifier;
use columns::{bit, bits};
use deep::Deep;
use touch::Touches;

pub(super) use columns::Columns;

/// Which records say what the best bid and ask are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookFrom {
    Quotes,
    Depth,
    /// Order by order.
    Orders,
}

/// What is remembered of one symbol.
#[derive(Debug)]
pub(super) struct Feed {
    from: BookFrom,
    px: Scale,
    qty: Scale,
    /// The smallest step of a price, in units of it.
    tick: f64,
    book: Books,
    /// The best levels of the last sound book event.
    best: Option<Best>,
    touches: Touches,
    book_ts: Option<Ts>,
    trade_ts: Option<Ts>,
    /// The first event, and how long ago that is.
    began: Option<Ts>,
    now: i64,
    classifier: Classifier,
    last_recv: Ts,
    /// Flags that the next event carries.
    pending: u64,
}

#[derive(Clone, Copy, Debug)]
struct Best {
    bid: (Px, Qty),
    ask: (Px, Qty),
}

/// What a record became.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fed {
    /// No event of this plan.
    Nothing,
    /// The next row, with its flags.
    Row { flags: u64 },
    /// The same, after which nothing of before counts.
    Reset { flags: u64 },
}

impl Feed {
    pub(super) fn new(instrument: &Instrument, from: BookFrom) -> Self {
        let unit = Decimal::new(1, u32::from(instrument.px_scale.digits()));
        let steps = instrument.terms.tick.and_then(|tick| tick.checked_div(unit));
        Self {
            from,
            px: instrument.px_scale,
            qty: instrument.qty_scale,
            tick: steps.and_then(|steps| steps.to_f64()).filter(|tick| *tick > 0.0).unwrap_or(1.0),
            book: Books::new(from),
            best: None,
            touches: Touches::default(),
            book_ts: None,
            trade_ts: None,
            began: None,
            now: 0,
            classifier: Classifier::default(),
            last_recv: Ts::MIN,
            pending: 0,
        }
    }

    /// The columns for a plan.
    pub(super) fn columns(plan: &Plan) -> Columns {
        Columns::new(plan)
    }

    /// Takes a record; an event of the plan becomes a row of the columns.
    pub(super) fn record(
        &mut self,
        record: &Record<'_>,
        clocks: Clocks,
        columns: &mut Columns,
    ) -> Fed {
        let head = record.head();
        if head.ts_recv < self.last_recv {
            self.pending |= flags::OUT_OF_ORDER;
            return Fed::Nothing;
        }
        let fed = match record {
            Record::Quote(view) if self.from == BookFrom::Quotes => match clocks.book {
                true => self.quote(view.row, columns),
                false => {
                    self.stand(best_of(view.row), head.ts_event, columns);
                    Fed::Nothing
                }
            },
            Record::Depth(view) => {
                let turn = self.book.depth(view.row, view.levels);
                self.turn(turn, head.ts_event, clocks, columns)
            }
            Record::Mbo(view) => {
                let turn = self.book.order(view.row);
                self.turn(turn, head.ts_event, clocks, columns)
            }
            Record::Trade(view) => self.trade(view.row, clocks.trade, columns),
            Record::Bar(view) if clocks.bar => self.bar(view.row, columns),
            Record::Gap(_) => {
                self.gap();
                Fed::Nothing
            }
            _ => Fed::Nothing,
        };
        if fed != Fed::Nothing {
            columns.close();
            self.last_recv = head.ts_recv;
        }
        fed
    }

    /// Data is missing from here on.
    pub(super) fn gap(&mut self) {
        self.pending |= flags::GAP;
        self.book.gap();
    }

    /// Nanoseconds from the first event to this one. A clock that steps back stands still.
    fn at(&mut self, ts: Ts) -> f64 {
        let began = *self.began.get_or_insert(ts);
        self.now = self.now.max(ts.since(began));
        self.now as f64
    }

    fn row(&mut self, more: u64) -> Fed {
        Fed::Row { flags: std::mem::take(&mut self.pending) | more }
    }

    fn quote(&mut self, row: &Quote, columns: &mut Columns) -> Fed {
        columns.set(Base::Now, self.at(row.head.ts_event));
        let best = best_of(row);
        let is_sound = self.top(best, row.head.ts_event, columns);
        if let Some(best) = best.filter(|_| is_sound) {
            Deep::of_best(best.bid.1, best.ask.1).fill(self.qty, columns);
        }
        self.row(if is_sound { 0 } else { flags::PARTIAL })
    }

    /// What became of the book by a record of depth or orders.
    fn turn(&mut self, turn: Turn, ts: Ts, clocks: Clocks, columns: &mut Columns) -> Fed {
        if turn == Turn::Nothing {
            return Fed::Nothing;
        }
        if turn == Turn::Anew {
            (self.best, self.book_ts) = (None, None);
            self.touches = Touches::default();
        }
        let best = self.best_of_book();
        if !clocks.book {
            self.stand(best, ts, columns);
            return Fed::Nothing;
        }
        columns.set(Base::Now, self.at(ts));
        let is_sound = self.top(best, ts, columns);
        if let Some(best) = best.filter(|_| is_sound) {
            if columns.wants(Deep::WANTED) {
                Deep::of_book(self.book.prices(), self.tick).fill(self.qty, columns);
            }
            if let Some(orders) = self.book.orders() {
                let count = |side, px| f64::from(orders.orders_at(side, px));
                columns.set(Base::BidOrders, count(Side::Buy, best.bid.0));
                columns.set(Base::AskOrders, count(Side::Sell, best.ask.0));
            }
        }
        let more = if is_sound { 0 } else { flags::PARTIAL };
        if turn == Turn::Anew {
            let flags = std::mem::take(&mut self.pending) | more | flags::STATE_RESET;
            return Fed::Reset { flags };
        }
        self.row(more)
    }

    /// Takes best prices that are no event of their own: prints ask for the quote in force.
    fn stand(&mut self, best: Option<Best>, ts: Ts, columns: &Columns) {
        let Some(best) = best else { return };
        if columns.wants(Touches::WANTED) && best.bid.0 <= best.ask.0 {
            self.touches.book([best.bid, best.ask], ts);
        }
        self.hold(best);
    }

    fn hold(&mut self, best: Best) {
        self.classifier.quote(best.bid.0, best.ask.0);
        self.best = Some(best);
    }

    fn best_of_book(&self) -> Option<Best> {
        let (bid, ask) = self.book.prices().best_bid().zip(self.book.prices().best_ask())?;
        Some(Best { bid: (bid.px, bid.qty), ask: (ask.px, ask.qty) })
    }

    /// Fills the columns of a book event; `false` where the book is crossed or has a side only.
    fn top(&mut self, best: Option<Best>, ts: Ts, columns: &mut Columns) -> bool {
        let Some(best) = best.filter(|best| best.bid.0 <= best.ask.0) else { return false };
        // The sum is exact and rounded once: middles that are equal are equal to the bit.
        let sum = i128::from(best.bid.0.mantissa()) + i128::from(best.ask.0.mantissa());
        let mid = double(sum) / (2.0 * self.px.unit() as f64);
        columns.set(Base::Mid, mid);
        let wide = best.ask.0.checked_sub(best.bid.0).unwrap_or_default();
        columns.set(Base::Spread, wide.to_f64(self.px));
        if columns.wants(SIDES) {
            self.sides(&best, mid, columns);
        }
        if columns.wants(bit(Base::Ofi)) {
            let ofi = self.best.map_or(0, |before| order_flow(&before, &best));
            columns.set(Base::Ofi, ofi as f64 / self.qty.unit() as f64);
        }
        let gap = self.book_ts.replace(ts).map_or(NONE, |before| seconds(before, ts));
        columns.set(Base::BookGap, gap);
        columns.set(Base::BookTime, self.now as f64);
        if columns.wants(Touches::WANTED) {
            self.touches.book([best.bid, best.ask], ts).fill(self.qty, columns);
        }
        self.hold(best);
        true
    }

    /// Fills what the two sides are each, and what pulls between them.
    fn sides(&self, best: &Best, mid: f64, columns: &mut Columns) {
        let (bid, ask) = (best.bid.0.to_f64(self.px), best.ask.0.to_f64(self.px));
        let (bid_qty, ask_qty) = (best.bid.1.to_f64(self.qty), best.ask.1.to_f64(self.qty));
        let both = bid_qty + ask_qty;
        let has_size = both > 0.0;
        columns.set(Base::Bid, bid);
        columns.set(Base::Ask, ask);
        columns.set(Base::BidQty, bid_qty);
        columns.set(Base::AskQty, ask_qty);
        let micro = if has_size { (bid * ask_qty + ask * bid_qty) / both } else { mid };
        columns.set(Base::Microprice, finite(micro));
        let imbalance = if has_size { (bid_qty - ask_qty) / both } else { NONE };
        columns.set(Base::Imbalance, imbalance);
    }

    fn trade(&mut self, row: &Trade, is_event: bool, columns: &mut Columns) -> Fed {
        let direction = f64::from(self.classifier.trade(row.px, row.side).direction);
        let absorbed = match columns.wants(Touches::WANTED) {
            true => self.touches.trade(row.px, row.qty),
            false => None,
        };
        if !is_event {
            return Fed::Nothing;
        }
        columns.set(Base::Now, self.at(row.head.ts_event));
        if let Some(absorbed) = absorbed {
            columns.set(Base::Absorption, absorbed);
        }
        let (px, qty) = (row.px.to_f64(self.px), row.qty.to_f64(self.qty));
        columns.set(Base::Px, px);
        columns.set(Base::Qty, qty);
        columns.set(Base::Direction, direction);
        columns.set(Base::SignedQty, direction * qty);
        columns.set(Base::Notional, finite(px * qty));
        let ts = row.head.ts_event;
        let gap = self.trade_ts.replace(ts).map_or(NONE, |before| seconds(before, ts));
        columns.set(Base::TradeGap, gap);
        self.row(0)
    }

    fn bar(&mut self, row: &Bar, columns: &mut Columns) -> Fed {
        columns.set(Base::Now, self.at(row.head.ts_event));
        for (base, px) in [
            (Base::Open, row.open),
            (Base::High, row.high),
            (Base::Low, row.low),
            (Base::Close, row.close),
        ] {
            columns.set(base, px.to_f64(self.px));
        }
        columns.set(Base::Volume, row.volume.to_f64(self.qty));
        self.row(0)
    }
}

/// Columns of either side.
const SIDES: u64 =
    bits(&[Base::Bid, Base::Ask, Base::BidQty, Base::AskQty, Base::Microprice, Base::Imbalance]);

/// Which records are events of a plan.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clocks {
    pub(super) book: bool,
    pub(super) trade: bool,
    pub(super) bar: bool,
}

fn best_of(row: &Quote) -> Option<Best> {
    let qty = Option::unwrap_or_default;
    let (bid, ask) = row.bid_px.zip(row.ask_px)?;
    Some(Best { bid: (bid, qty(row.bid_qty)), ask: (ask, qty(row.ask_qty)) })
}

/// Order flow imbalance of the best levels, in units of size.
fn order_flow(before: &Best, now: &Best) -> i64 {
    let flow =
        |(old_px, old_qty): (Px, Qty), (px, qty): (Px, Qty), is_better: fn(Px, Px) -> bool| {
            let (old, new) = (old_qty.mantissa(), qty.mantissa());
            if px == old_px {
                new - old
            } else if is_better(px, old_px) {
                new
            } else {
                -old
            }
        };
    let bid = flow(before.bid, now.bid, |px, old| px > old);
    let ask = flow(before.ask, now.ask, |px, old| px < old);
    bid.saturating_sub(ask)
}

fn seconds(before: Ts, now: Ts) -> f64 {
    now.nanos().saturating_sub(before.nanos()).max(0) as f64 / 1e9
}
