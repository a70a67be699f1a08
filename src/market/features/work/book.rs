//! The integer features: a row for each event of the book.

use qt_model::instrument::Instrument;
use qt_model::record::{Depth, Head, Level, Quote, Record};
use qt_model::time::Ts;
use qt_model::units::Scale;

use super::super::books::{Books, Turn};
use super::super::feed::{BookFrom, Fed};
use super::super::flags;
use super::super::lob::{Lob, LobSet, Sides};
use super::super::rows::Sheet;
use crate::aggressor::Classifier;

#[derive(Debug)]
pub(crate) struct BookWork {
    set: LobSet,
    from: BookFrom,
    scale: Scale,
    book: Books,
    classifier: Classifier,
    lob: Lob,
    last_recv: Ts,
    pending: u64,
}

impl BookWork {
    pub(super) fn new(set: LobSet, instrument: &Instrument, from: BookFrom) -> Self {
        let scale = instrument.px_scale;
        Self {
            set,
            from,
            scale,
            book: Books::new(from),
            classifier: Classifier::default(),
            lob: Lob::new(set, scale),
            last_recv: Ts::MIN,
            pending: 0,
        }
    }

    /// The row of a book event; without a sound book it repeats the one before.
    fn event(&mut self, sides: Option<Sides>, ts: Ts, more: u64) -> Fed {
        let mut flags = std::mem::take(&mut self.pending) | more;
        match sides {
            Some(sides) => {
                if !self.lob.book(&sides, ts.nanos()) {
                    flags |= flags::STATE_RESET;
                }
            }
            None => flags |= flags::PARTIAL,
        }
        Fed::Row { flags }
    }

    fn best(&mut self, row: &Quote) -> Fed {
        let side = |px: Option<_>, qty: Option<_>| px.map(|px| (px, qty.unwrap_or_default()));
        let bid = side(row.bid_px, row.bid_qty);
        let ask = side(row.ask_px, row.ask_qty);
        if let Some(((bid, _), (ask, _))) = bid.zip(ask) {
            self.classifier.quote(bid, ask);
        }
        self.event(Sides::of(bid.into_iter(), ask.into_iter()), row.head.ts_event, 0)
    }

    /// What became of the book by a record of depth or orders.
    fn turn(&mut self, turn: Turn, ts: Ts) -> Fed {
        let more = match turn {
            Turn::Nothing => return Fed::Nothing,
            Turn::Event => 0,
            Turn::Anew => {
                self.lob = Lob::new(self.set, self.scale);
                flags::STATE_RESET
            }
        };
        let book = self.book.prices();
        if let Some((bid, ask)) = book.best_bid().zip(book.best_ask()) {
            self.classifier.quote(bid.px, ask.px);
        }
        let bids = book.bids().map(|it| (it.px, it.qty));
        let sides = Sides::of(bids, book.asks().map(|it| (it.px, it.qty)));
        self.event(sides, ts, more)
    }

    pub(super) fn record(&mut self, record: &Record<'_>) -> Fed {
        self.in_order(record.head(), |work| match record {
            Record::Mbo(view) => {
                let turn = work.book.order(view.row);
                work.turn(turn, view.row.head.ts_event)
            }
            Record::Trade(view) => {
                let found = work.classifier.trade(view.row.px, view.row.side);
                work.lob.trade(found.direction, found.confidence, view.row.qty.mantissa());
                Fed::Nothing
            }
            Record::Gap(_) => {
                work.gap();
                Fed::Nothing
            }
            _ => Fed::Nothing,
        })
    }

    pub(super) fn quote(&mut self, row: &Quote) -> Fed {
        self.in_order(&row.head, |work| match work.from {
            BookFrom::Quotes => work.best(row),
            BookFrom::Depth | BookFrom::Orders => Fed::Nothing,
        })
    }

    pub(super) fn depth(&mut self, row: &Depth, levels: &[Level]) -> Fed {
        self.in_order(&row.head, |work| {
            let turn = work.book.depth(row, levels);
            work.turn(turn, row.head.ts_event)
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

    pub(super) fn value(&self, feature: usize) -> Option<f64> {
        let is_there = self.lob.warm() & 1 == 1 && feature < self.set.len();
        self.lob.values().get(feature).filter(|_| is_there).map(|value| *value as f64)
    }

    pub(super) fn gap(&mut self) {
        self.pending |= flags::GAP;
        self.book.gap();
    }

    pub(super) fn forget(&mut self) {
        self.book = Books::new(self.from);
        self.classifier = Classifier::default();
        self.lob = Lob::new(self.set, self.scale);
    }

    /// Fills the row of the last event.
    #[inline]
    pub(super) fn put(&mut self, row: Option<usize>, sheet: &mut Sheet) {
        let Some(row) = row else { return };
        let (warm, mask) = (self.lob.warm(), (1 << self.set.len()) - 1);
        let values = sheet.values_of(row);
        // Every value is present from the first event on; the mask says which may be used.
        if warm & 1 == 1 {
            for (value, found) in values.iter_mut().zip(self.lob.values()) {
                *value = *found as f64;
            }
        } else {
            values.fill(f64::NAN);
        }
        sheet.warm_up(row..row + 1, warm & mask, warm & mask == mask);
    }
}
