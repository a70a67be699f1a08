//! From the records of one symbol to the columns that expressions begin with.

mod columns;
mod deep;
mod plain;
mod quotes;
mod tops;
mod touch;

use qt_model::instrument::Instrument;
use qt_model::record::{Bar, Depth, Head, Level, Quote, Record, Trade};
use qt_model::time::Ts;
use qt_model::units::Scale;
use qt_model::words::Side;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::base::Base;
use super::books::{Books, Turn};
use super::flags;
use super::graph::Plan;
use super::value::{NONE, finite};
use crate::aggressor::Classifier;
use columns::bits;
use deep::Deep;
use tops::{Best, Top, Tops, seconds};
use touch::Touches;

pub(super) use columns::Columns;
pub(super) use quotes::Quotes;

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
    /// Sound book events that have no columns yet.
    tops: Tops,
    touches: Touches,
    trade_ts: Option<Ts>,
    /// The first event, and how long ago that is.
    began: Option<Ts>,
    now: i64,
    /// The same of each of the quotes at hand, where that is asked for.
    nows: Vec<i64>,
    classifier: Classifier,
    last_recv: Ts,
    /// Flags that the next event carries.
    pending: u64,
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

impl Fed {
    /// The same with more flags, if it is a row.
    pub(super) fn with(self, more: u64) -> Self {
        match self {
            Self::Nothing => Self::Nothing,
            Self::Row { flags } => Self::Row { flags: flags | more },
            Self::Reset { flags } => Self::Reset { flags: flags | more },
        }
    }
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
            tops: Tops::new(instrument.px_scale, instrument.qty_scale),
            touches: Touches::default(),
            trade_ts: None,
            began: None,
            now: 0,
            nows: Vec::new(),
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
        self.in_order(record.head(), |feed| match record {
            Record::Mbo(view) => {
                let turn = feed.book.order(view.row);
                feed.turn(turn, view.row.head.ts_event, clocks, columns)
            }
            Record::Trade(view) => feed.trade(view.row, clocks.trade, columns),
            Record::Gap(_) => {
                feed.gap();
                Fed::Nothing
            }
            _ => Fed::Nothing,
        })
    }

    /// Takes a quote, likewise.
    #[inline]
    pub(super) fn quote(&mut self, row: &Quote, clocks: Clocks, columns: &mut Columns) -> Fed {
        self.in_order(&row.head, |feed| match feed.from {
            BookFrom::Quotes => feed.best(row, clocks.book, columns),
            BookFrom::Depth | BookFrom::Orders => Fed::Nothing,
        })
    }

    /// Takes a record of depth, likewise.
    #[inline]
    pub(super) fn depth(
        &mut self,
        row: &Depth,
        levels: &[Level],
        clocks: Clocks,
        columns: &mut Columns,
    ) -> Fed {
        self.in_order(&row.head, |feed| {
            let turn = feed.book.depth(row, levels);
            feed.turn(turn, row.head.ts_event, clocks, columns)
        })
    }

    /// Takes a bar, likewise.
    #[inline]
    pub(super) fn bar(&mut self, row: &Bar, clocks: Clocks, columns: &mut Columns) -> Fed {
        self.in_order(&row.head, |feed| match clocks.bar {
            true => feed.closed(row, columns),
            false => Fed::Nothing,
        })
    }

    /// Leaves records out that were received before the last event.
    #[inline]
    fn in_order(&mut self, head: &Head, take: impl FnOnce(&mut Self) -> Fed) -> Fed {
        if head.ts_recv < self.last_recv {
            self.pending |= flags::OUT_OF_ORDER;
            return Fed::Nothing;
        }
        let fed = take(self);
        if fed != Fed::Nothing {
            self.last_recv = head.ts_recv;
        }
        fed
    }

    /// Data is missing from here on.
    pub(super) fn gap(&mut self) {
        self.pending |= flags::GAP;
        self.book.gap();
    }

    /// Gives the events that wait for it their columns. Needed before anything else is said of
    /// what they say, and before somebody looks.
    #[inline(never)]
    pub(super) fn flush(&mut self, columns: &mut Columns) {
        if let Some(best) = self.tops.flush(columns) {
            self.classifier.quote(best.bid.0, best.ask.0);
        }
    }

    /// Ends the columns of a batch.
    pub(super) fn close(&mut self, columns: &mut Columns) {
        self.flush(columns);
        columns.close();
    }

    /// Nanoseconds from the first event to this one. A clock that steps back stands still.
    #[inline]
    fn at(&mut self, ts: Ts) -> i64 {
        let began = *self.began.get_or_insert(ts);
        self.now = self.now.max(ts.since(began));
        self.now
    }

    #[inline]
    fn row(&mut self, more: u64) -> Fed {
        Fed::Row { flags: std::mem::take(&mut self.pending) | more }
    }

    /// Opens the row of an event that is none of a sound book.
    fn open(&mut self, ts: Ts, columns: &mut Columns) {
        self.flush(columns);
        columns.open();
        let now = self.at(ts);
        columns.put_with(Base::Now, || now as f64);
    }

    /// Takes the best prices of a quote.
    #[inline]
    fn best(&mut self, row: &Quote, is_event: bool, columns: &mut Columns) -> Fed {
        let (best, ts) = (Best::of_quote(row), row.head.ts_event);
        if !is_event {
            self.stand(best, ts, columns);
            return Fed::Nothing;
        }
        let Some(best) = best.filter(Best::is_sound) else { return self.partial(ts, columns) };
        self.top(&best, ts, columns);
        if columns.wants(Deep::WANTED) {
            Deep::of_best(best.bid.1, best.ask.1).fill(self.qty, columns);
        }
        self.row(0)
    }

    /// What became of the book by a record of depth or orders.
    #[inline]
    fn turn(&mut self, turn: Turn, ts: Ts, clocks: Clocks, columns: &mut Columns) -> Fed {
        if turn == Turn::Nothing {
            return Fed::Nothing;
        }
        if turn == Turn::Anew {
            self.flush(columns);
            self.tops.begin_anew();
            self.touches = Touches::default();
        }
        let best = self.best_of_book();
        if !clocks.book {
            self.stand(best, ts, columns);
            return Fed::Nothing;
        }
        let fed = match best.filter(Best::is_sound) {
            None => self.partial(ts, columns),
            Some(best) => {
                self.top(&best, ts, columns);
                if columns.wants(BEHIND) {
                    self.behind(&best, columns);
                }
                self.row(0)
            }
        };
        match fed {
            Fed::Row { flags } if turn == Turn::Anew => {
                Fed::Reset { flags: flags | flags::STATE_RESET }
            }
            fed => fed,
        }
    }

    /// Takes best prices that are no event of their own: prints ask for the quote in force.
    fn stand(&mut self, best: Option<Best>, ts: Ts, columns: &Columns) {
        let Some(best) = best else { return };
        if columns.wants(Touches::WANTED) && best.is_sound() {
            self.touches.book([best.bid, best.ask], ts);
        }
        self.classifier.quote(best.bid.0, best.ask.0);
    }

    fn best_of_book(&self) -> Option<Best> {
        let (bid, ask) = self.book.prices().best_bid().zip(self.book.prices().best_ask())?;
        Some(Best { bid: (bid.px, bid.qty), ask: (ask.px, ask.qty) })
    }

    /// Opens the row of an event of a sound book.
    #[inline]
    fn top(&mut self, best: &Best, ts: Ts, columns: &mut Columns) {
        columns.open();
        let top = Top { best: *best, ts, now: self.at(ts) };
        if columns.wants(Touches::WANTED) {
            self.touch(best, ts, columns);
        }
        let (_, is_full) = self.tops.extend(columns.rows() - 1, |at| (at == 0).then_some(top));
        if is_full {
            self.flush(columns);
        }
    }

    /// Opens the row of a book that is crossed or has one side.
    #[inline(never)]
    fn partial(&mut self, ts: Ts, columns: &mut Columns) -> Fed {
        self.open(ts, columns);
        self.row(flags::PARTIAL)
    }

    /// Fills what happened at the best prices.
    #[inline(never)]
    fn touch(&mut self, best: &Best, ts: Ts, columns: &mut Columns) {
        self.touches.book([best.bid, best.ask], ts).fill(self.qty, columns);
    }

    /// Fills what lies behind the best prices of the book.
    #[inline(never)]
    fn behind(&self, best: &Best, columns: &mut Columns) {
        if columns.wants(Deep::WANTED) {
            Deep::of_book(self.book.prices(), self.tick).fill(self.qty, columns);
        }
        if let Some(orders) = self.book.orders() {
            let count = |side, px| f64::from(orders.orders_at(side, px));
            columns.put(Base::BidOrders, count(Side::Buy, best.bid.0));
            columns.put(Base::AskOrders, count(Side::Sell, best.ask.0));
        }
    }

    fn trade(&mut self, row: &Trade, is_event: bool, columns: &mut Columns) -> Fed {
        let absorbed = match columns.wants(Touches::WANTED) {
            true => self.touches.trade(row.px, row.qty),
            false => None,
        };
        if !is_event {
            return Fed::Nothing;
        }
        let ts = row.head.ts_event;
        self.open(ts, columns);
        let direction = f64::from(self.classifier.trade(row.px, row.side).direction);
        if let Some(absorbed) = absorbed {
            columns.put(Base::Absorption, absorbed);
        }
        let (px, qty) = (row.px.to_f64(self.px), row.qty.to_f64(self.qty));
        columns.put(Base::Px, px);
        columns.put(Base::Qty, qty);
        columns.put(Base::Direction, direction);
        columns.put(Base::SignedQty, direction * qty);
        columns.put(Base::Notional, finite(px * qty));
        let gap = self.trade_ts.replace(ts).map_or(NONE, |before| seconds(before, ts));
        columns.put(Base::TradeGap, gap);
        self.row(0)
    }

    fn closed(&mut self, row: &Bar, columns: &mut Columns) -> Fed {
        self.open(row.head.ts_event, columns);
        for (base, px) in [
            (Base::Open, row.open),
            (Base::High, row.high),
            (Base::Low, row.low),
            (Base::Close, row.close),
        ] {
            columns.put_with(base, || px.to_f64(self.px));
        }
        columns.put_with(Base::Volume, || row.volume.to_f64(self.qty));
        self.row(0)
    }
}

/// Columns of what lies behind the best prices.
const BEHIND: u64 = Deep::WANTED | bits(&[Base::BidOrders, Base::AskOrders]);

/// Which records are events of a plan.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clocks {
    pub(super) book: bool,
    pub(super) trade: bool,
    pub(super) bar: bool,
}
