//! What venues show in public, at the time it happens there: one for all lanes of a run.
//!
//! Invariants: it follows from the records alone, never from orders of ours; each record is applied
//! once, however many lanes there are; the best prices are at hand without a look into a book.
//! Absent on purpose: receive times, latencies, and any guess about what is not shown.

use qt_market::book::{OrderBook, OrderChanges, PriceBook, Resting, State};
use qt_model::ids::InstrumentId;
use qt_model::instrument::Instruments;
use qt_model::record::{Bar, Depth, Funding, Level, Mbo, Quote, Record, Trade};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty};
use qt_model::words::{BarClock, DepthAction, MboAction, Side, TradingStatus};
use qt_trade::core::Top as Best;
use rust_decimal::Decimal;

use super::phases::Phases;

/// The best price of a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    pub px: Px,
    /// `None` where the venue does not say, as dealers of currencies do not.
    pub qty: Option<Qty>,
}

/// The best bid and ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Top {
    pub bid: Option<Offer>,
    pub ask: Option<Offer>,
}

impl Top {
    #[inline]
    pub fn of(&self, side: Side) -> Option<Offer> {
        match side {
            Side::Buy => self.bid,
            Side::Sell => self.ask,
        }
    }
}

/// The finest thing that is known of a market, which is what orders execute against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Basis {
    /// Nothing yet, or a book that a gap has ended.
    #[default]
    Nothing,
    Bars,
    Trades,
    Quotes,
    Book,
}

/// What a record changed of what is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum News {
    Nothing,
    /// Something beside the best prices and their sizes.
    Something,
    /// The best prices or their sizes.
    Top,
}

/// A print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Print {
    pub px: Px,
    pub qty: Qty,
    pub side: Option<Side>,
    pub ts_event: Ts,
}

/// A bar, as far as orders are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastBar {
    pub clock: BarClock,
    pub step: Decimal,
    pub open_ts: Ts,
    pub open: Px,
    pub high: Px,
    pub low: Px,
    pub close: Px,
    pub volume: Qty,
}

impl LastBar {
    /// Whether it is that one.
    #[inline]
    pub(super) fn is_of(&self, bar: &Bar) -> bool {
        self.open_ts == bar.open_ts && (self.is_as_long(bar) || self.step == bar.step)
    }

    /// Whether steps are equal as they are written, as most are: that takes no comparison of decimals.
    #[inline]
    fn is_as_long(&self, bar: &Bar) -> bool {
        (self.step.mantissa(), self.step.scale()) == (bar.step.mantissa(), bar.step.scale())
    }
}

/// Funding as it was announced last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announced {
    pub rate: Decimal,
    pub due: Option<Ts>,
}

/// What is shown of one instrument.
#[derive(Clone, Debug, Default)]
pub struct Public {
    pub(super) book: PriceBook,
    /// Order by order, where the data is; boxed, since most is not.
    by_order: Option<Box<ByOrder>>,
    /// Whether the sizes by price come in records of their own: a snapshot of them came.
    has_depth: bool,
    quote: Option<Top>,
    top: Top,
    /// What is best in the book, as it was looked at last.
    best: Best,
    basis: Basis,
    last: Option<Print>,
    bar: Option<LastBar>,
    mark: Option<Decimal>,
    funding: Option<Announced>,
    phases: Phases,
}

/// The orders of a book, and what the last record did to them.
#[derive(Clone, Debug, Default)]
struct ByOrder {
    book: OrderBook,
    changes: OrderChanges,
}

/// All instruments. See the module.
#[derive(Clone, Debug)]
pub struct Market {
    instruments: Vec<Public>,
}

impl Market {
    pub fn new(instruments: &Instruments) -> Self {
        Self { instruments: vec![Public::default(); instruments.len()] }
    }

    /// Applies a record; an exchange has to hear of it unless it is no news.
    #[inline]
    pub fn apply(&mut self, record: &Record<'_>) -> News {
        let Some(instrument) = record.head().instrument else { return self.of_all(record) };
        let Some(public) = self.instruments.get_mut(instrument.index()) else {
            return News::Nothing;
        };
        public.apply(record)
    }

    /// The same for a record of depth, which is what most of a day is.
    #[inline]
    pub fn depth(&mut self, instrument: InstrumentId, row: &Depth, levels: &[Level]) -> News {
        let public = self.instruments.get_mut(instrument.index());
        public.map_or(News::Nothing, |public| public.depth(row, levels))
    }

    /// A record that names no instrument.
    #[cold]
    fn of_all(&mut self, record: &Record<'_>) -> News {
        let Record::Gap(_) = record else { return News::Nothing };
        let news = self.instruments.iter_mut().map(Public::gap);
        news.fold(News::Something, News::max)
    }

    /// What is shown of an instrument that the table knew at the start.
    #[inline]
    pub fn of(&self, instrument: InstrumentId) -> &Public {
        &self.instruments[instrument.index()]
    }

    #[inline]
    pub fn top(&self, instrument: InstrumentId) -> Top {
        self.of(instrument).top
    }
}

impl Public {
    #[inline]
    pub fn top(&self) -> Top {
        self.top
    }

    #[inline]
    pub fn basis(&self) -> Basis {
        self.basis
    }

    pub fn book(&self) -> &PriceBook {
        &self.book
    }

    /// What is best in the book, where there is one.
    #[inline]
    pub fn best(&self) -> Best {
        if self.basis == Basis::Book { self.best } else { Best::default() }
    }

    /// The orders one by one, where they are known.
    pub fn by_order(&self) -> Option<&OrderBook> {
        self.by_order.as_ref().map(|by_order| &by_order.book)
    }

    /// Whether the sizes by price are those of depth records.
    pub(super) fn has_depth(&self) -> bool {
        self.has_depth
    }

    /// What the last order-by-order record did.
    pub(super) fn order_changes(&self) -> OrderChanges {
        self.by_order.as_ref().map_or([None; 2], |by_order| by_order.changes)
    }

    pub fn last(&self) -> Option<Print> {
        self.last
    }

    #[inline]
    pub fn bar(&self) -> Option<LastBar> {
        self.bar
    }

    /// The venue's own mark price, where it gives one.
    pub fn mark(&self) -> Option<Decimal> {
        self.mark
    }

    pub fn funding(&self) -> Option<Announced> {
        self.funding
    }

    /// `None`: the venue never said, which counts as open.
    #[inline]
    pub fn status(&self) -> Option<TradingStatus> {
        self.phases.status()
    }

    #[inline]
    pub fn is_open(&self) -> bool {
        matches!(self.status(), None | Some(TradingStatus::Open))
    }

    /// The auctions of the venue, as far as it tells of them.
    pub(super) fn phases(&self) -> &Phases {
        &self.phases
    }

    /// The size shown at a price; `None` where the price is too deep to be seen.
    #[inline]
    pub fn shown(&self, side: Side, px: Px) -> Option<Qty> {
        match self.basis {
            Basis::Book => self.in_book(side, px),
            Basis::Quotes => self.at_touch(side, px),
            Basis::Trades | Basis::Bars | Basis::Nothing => None,
        }
    }

    fn in_book(&self, side: Side, px: Px) -> Option<Qty> {
        if let Some(qty) = self.book.at(side, px) {
            return Some(qty);
        }
        let is_deeper = self.book.deepest(side).is_some_and(|deepest| match side {
            Side::Buy => px < deepest,
            Side::Sell => px > deepest,
        });
        (!is_deeper).then_some(Qty::ZERO)
    }

    fn at_touch(&self, side: Side, px: Px) -> Option<Qty> {
        let Some(best) = self.top.of(side) else { return Some(Qty::ZERO) };
        match (side, px.cmp(&best.px)) {
            (_, std::cmp::Ordering::Equal) => best.qty,
            (Side::Buy, std::cmp::Ordering::Less) | (Side::Sell, std::cmp::Ordering::Greater) => {
                None
            }
            (Side::Buy, std::cmp::Ordering::Greater) | (Side::Sell, std::cmp::Ordering::Less) => {
                Some(Qty::ZERO)
            }
        }
    }

    #[inline]
    fn apply(&mut self, record: &Record<'_>) -> News {
        if let Record::Depth(view) = record {
            return self.depth(view.row, view.levels);
        } else if let Record::Trade(view) = record {
            return self.trade(view.row);
        } else if let Record::Quote(view) = record {
            return self.quote(view.row);
        } else if let Record::Mbo(view) = record {
            return self.order(view.row);
        } else if let Record::Bar(view) = record {
            return self.bar_closed(view.row);
        } else if let Record::Gap(_) = record {
            return self.gap();
        } else if let Record::Mark(view) = record {
            self.mark = Some(view.row.mark_px);
        } else if let Record::Funding(view) = record {
            self.announce(view.row);
        } else if let Record::Status(view) = record {
            self.phases.tell(view.row.status);
        } else {
            return News::Nothing;
        }
        News::Something
    }

    #[inline]
    fn depth(&mut self, depth: &Depth, levels: &[Level]) -> News {
        if !self.has_depth {
            // A delta amends what a snapshot began, and not what follows from orders.
            if depth.action == DepthAction::Delta {
                return News::Something;
            }
            self.has_depth = true;
        }
        self.book.apply(depth, levels);
        self.refresh()
    }

    /// One order of somebody. The sizes by price follow from it where nothing else tells them.
    fn order(&mut self, row: &Mbo) -> News {
        let by_order = self.by_order.get_or_insert_default();
        by_order.book.apply(row);
        by_order.changes = by_order.book.changes();
        if self.has_depth {
            return News::Something;
        }
        if row.action == MboAction::Clear || self.book.state() != State::Live {
            self.book.replace(&[]);
        }
        for change in by_order.changes.into_iter().flatten() {
            let here = self.book.at(change.side, change.px).unwrap_or(Qty::ZERO).mantissa();
            let units = here - change.before.mantissa() + change.after.mantissa();
            let qty = Qty::new(units).unwrap_or(Qty::ZERO);
            self.book.set(Level { px: change.px, qty, side: change.side });
        }
        self.refresh()
    }

    /// Recalls what is best. A book that stands is finer than quotes beside it.
    #[inline]
    fn refresh(&mut self) -> News {
        if self.book.state() != State::Live {
            return self.without_book();
        }
        let best = Best::of(&self.book);
        if self.basis == Basis::Book && self.best == best {
            return News::Something;
        }
        (self.basis, self.best) = (Basis::Book, best);
        let offer = |best: Resting| Offer { px: best.px, qty: Some(best.qty) };
        self.shows(Top { bid: best.bid.map(offer), ask: best.ask.map(offer) })
    }

    #[inline]
    fn shows(&mut self, top: Top) -> News {
        if self.top == top {
            return News::Something;
        }
        self.top = top;
        News::Top
    }

    fn without_book(&mut self) -> News {
        self.basis = match () {
            () if self.quote.is_some() => Basis::Quotes,
            // After a gap nobody knows where the market stands, whatever traded before.
            () if self.book.state() == State::Broken => Basis::Nothing,
            () if self.last.is_some() => Basis::Trades,
            () if self.bar.is_some() => Basis::Bars,
            () => Basis::Nothing,
        };
        self.shows(self.quote.unwrap_or_default())
    }

    fn quote(&mut self, quote: &Quote) -> News {
        let offer = |px: Option<Px>, qty: Option<Qty>| {
            // A size of zero is how some sources say that they do not know it.
            Some(Offer { px: px?, qty: qty.filter(|qty| !qty.is_zero()) })
        };
        let bid = offer(quote.bid_px, quote.bid_qty);
        let ask = offer(quote.ask_px, quote.ask_qty);
        self.quote = Some(Top { bid, ask });
        if self.basis == Basis::Book { News::Something } else { self.refresh() }
    }

    fn trade(&mut self, trade: &Trade) -> News {
        let (px, qty, side) = (trade.px, trade.qty, trade.side);
        self.phases.print(px, qty);
        self.last = Some(Print { px, qty, side, ts_event: trade.head.ts_event });
        if self.basis < Basis::Trades { self.refresh() } else { News::Something }
    }

    /// Of bars of several lengths, the shortest counts.
    fn bar_closed(&mut self, bar: &Bar) -> News {
        let is_coarser = |last: &LastBar| {
            last.clock == bar.clock && !last.is_as_long(bar) && bar.step > last.step
        };
        if self.bar.as_ref().is_some_and(is_coarser) {
            return News::Something;
        }
        self.bar = Some(LastBar {
            clock: bar.clock,
            step: bar.step,
            open_ts: bar.open_ts,
            open: bar.open,
            high: bar.high,
            low: bar.low,
            close: bar.close,
            volume: bar.volume,
        });
        if self.basis < Basis::Bars { self.refresh() } else { News::Something }
    }

    fn announce(&mut self, funding: &Funding) {
        self.funding = Some(Announced { rate: funding.rate, due: funding.due });
    }

    fn gap(&mut self) -> News {
        self.book.gap();
        self.by_order = None;
        self.quote = None;
        self.refresh()
    }
}
