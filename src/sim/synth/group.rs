//! What one happening at the venue says: all its records, received at one instant.
//!
//! Invariant: rows are kept by kind and leave in the order of kinds, so a group is in stream order
//! by construction. Heads are filled in on the way out; buffers are reused.

use std::ops::Range;

use qt_model::ids::InstrumentId;
use qt_model::instrument::Instrument;
use qt_model::record::{Batch, Depth, Gap, Head, InstrumentRow, Kind, Level, Quote, Status, Trade};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty};
use qt_model::words::{DepthAction, GapReason, Side, TradingStatus};

/// Mantissas per tick and per lot: how the integers of the market become prices and sizes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Units {
    pub(super) tick: i64,
    pub(super) lot: i64,
}

impl Units {
    #[inline]
    pub(super) fn px(self, ticks: i64) -> Px {
        Px::new(ticks * self.tick)
    }

    #[inline]
    pub(super) fn qty(self, lots: i64) -> Qty {
        Qty::new(lots * self.lot).expect("the book holds no negative size")
    }
}

/// A hole to announce.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hole {
    pub(super) from_ns: i64,
    pub(super) to_ns: i64,
    pub(super) missing: u64,
}

/// How far the sequence of each kind has come.
#[derive(Clone, Debug, Default)]
pub(super) struct Sequences([u64; Kind::Quote.index() + 1]);

impl Sequences {
    #[inline]
    fn take(&mut self, kind: Kind) -> u64 {
        let next = &mut self.0[kind.index()];
        let seq = *next;
        *next += 1;
        seq
    }
}

#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) event_ns: i64,
    pub(super) recv_ns: i64,
    units: Units,
    pub(super) hole: Option<Hole>,
    /// Whether the terms and the status come first.
    pub(super) opens: bool,
    pub(super) is_snapshot: bool,
    pub(super) trades: Vec<Trade>,
    pub(super) depths: Vec<(Depth, Range<usize>)>,
    pub(super) levels: Vec<Level>,
    pub(super) quotes: Vec<Quote>,
    next: Option<Kind>,
    at: usize,
}

/// Stands in a row until the row leaves.
const NO_HEAD: Head = Head {
    ts_event: Ts::from_nanos(0),
    ts_recv: Ts::from_nanos(0),
    seq: 0,
    instrument: None,
    has_event_time: true,
};

impl Group {
    pub(super) fn new(units: Units, depth_levels: usize) -> Self {
        Self {
            event_ns: 0,
            recv_ns: 0,
            units,
            hole: None,
            opens: false,
            is_snapshot: false,
            trades: Vec::with_capacity(8),
            depths: Vec::with_capacity(2),
            levels: Vec::with_capacity(2 * depth_levels + 8),
            quotes: Vec::with_capacity(2),
            next: None,
            at: 0,
        }
    }

    #[inline]
    pub(super) fn clear(&mut self) {
        self.hole = None;
        self.opens = false;
        self.is_snapshot = false;
        self.trades.clear();
        self.depths.clear();
        self.levels.clear();
        self.quotes.clear();
    }

    /// How many records it holds.
    pub(super) fn len(&self) -> usize {
        usize::from(self.hole.is_some())
            + 2 * usize::from(self.opens)
            + self.trades.len()
            + self.depths.len()
            + self.quotes.len()
    }

    pub(super) fn trade(&mut self, id: u64, side: Side, ticks: i64, lots: i64) {
        let (px, qty) = (self.units.px(ticks), self.units.qty(lots));
        self.trades.push(Trade { head: NO_HEAD, px, qty, side: Some(side), id: Some(id) });
    }

    /// Sets a level; a later word on the same level within the group replaces the earlier.
    #[inline]
    pub(super) fn level(&mut self, side: Side, ticks: i64, lots: i64) {
        let level = Level { px: self.units.px(ticks), qty: self.units.qty(lots), side };
        let same = |known: &&mut Level| known.px == level.px && known.side == side;
        match self.levels.iter_mut().find(same) {
            Some(known) => *known = level,
            None => self.levels.push(level),
        }
    }

    /// A level of a snapshot, where each is named once.
    pub(super) fn snapshot_level(&mut self, side: Side, ticks: i64, lots: i64) {
        self.levels.push(Level { px: self.units.px(ticks), qty: self.units.qty(lots), side });
    }

    /// All levels so far become one depth record. A delta states its range of update ids, a
    /// snapshot only the last update it contains.
    #[inline]
    pub(super) fn depth(&mut self, action: DepthAction, last_before: u64, last_id: u64) {
        let (first_id, prev_id) = match action {
            DepthAction::Snapshot => (None, None),
            DepthAction::Delta => (Some(last_before + 1), Some(last_before)),
        };
        let row = Depth { head: NO_HEAD, action, first_id, last_id: Some(last_id), prev_id };
        self.depths.push((row, 0..self.levels.len()));
    }

    #[inline]
    pub(super) fn quote(&mut self, bid: (i64, i64), ask: (i64, i64), id: u64) {
        self.quotes.push(Quote {
            head: NO_HEAD,
            bid_px: Some(self.units.px(bid.0)),
            bid_qty: Some(self.units.qty(bid.1)),
            ask_px: Some(self.units.px(ask.0)),
            ask_qty: Some(self.units.qty(ask.1)),
            id: Some(id),
        });
    }

    /// Levels named after the depth record was made become part of it.
    pub(super) fn include_late_levels(&mut self) {
        for (_, levels) in &mut self.depths {
            levels.end = self.levels.len();
        }
    }

    /// Shows another best bid than there is.
    pub(super) fn raise_bid(&mut self, ticks: i64, lots: i64) {
        for quote in &mut self.quotes {
            quote.bid_px = Some(self.units.px(ticks));
            quote.bid_qty = Some(self.units.qty(lots));
        }
    }

    /// Nothing more goes in; points at the first record.
    #[inline]
    pub(super) fn seal(&mut self) {
        self.at = 0;
        self.next = if self.hole.is_some() {
            Some(Kind::Gap)
        } else if self.opens {
            Some(Kind::InstrumentRow)
        } else {
            self.first_from_trades()
        };
    }

    /// The kind of the record that leaves next; none once all have left.
    #[inline]
    pub(super) fn next_kind(&self) -> Option<Kind> {
        self.next
    }

    #[inline]
    fn first_from_trades(&self) -> Option<Kind> {
        if self.trades.is_empty() { self.first_from_depths() } else { Some(Kind::Trade) }
    }

    #[inline]
    fn first_from_depths(&self) -> Option<Kind> {
        if !self.depths.is_empty() {
            Some(Kind::Depth)
        } else if !self.quotes.is_empty() {
            Some(Kind::Quote)
        } else {
            None
        }
    }

    /// Sends the next record out and returns the kind of the one after.
    #[inline]
    pub(super) fn emit(
        &mut self,
        id: InstrumentId,
        sequences: &mut Sequences,
        batch: &mut Batch,
    ) -> Option<Kind> {
        let kind = self.next?;
        let (event, recv) = (Ts::from_nanos(self.event_ns), Ts::from_nanos(self.recv_ns));
        let head = Head::new(event, recv, sequences.take(kind), Some(id));
        let at = self.at;
        self.at += 1;
        self.next = if kind == Kind::Depth {
            let (row, levels) = &self.depths[at];
            batch.push_row(Depth { head, ..*row }, &self.levels[levels.clone()]);
            let after = (!self.quotes.is_empty()).then_some(Kind::Quote);
            self.step(kind, self.depths.len(), after)
        } else if kind == Kind::Quote {
            batch.push_row(Quote { head, ..self.quotes[at] }, &[]);
            self.step(kind, self.quotes.len(), None)
        } else if kind == Kind::Trade {
            batch.push_row(Trade { head, ..self.trades[at] }, &[]);
            self.step(kind, self.trades.len(), self.first_from_depths())
        } else {
            self.emit_rare(kind, head, batch)
        };
        self.next
    }

    /// The same kind again while rows are left, then the kind `after`.
    #[inline]
    fn step(&mut self, kind: Kind, rows: usize, after: Option<Kind>) -> Option<Kind> {
        if self.at < rows {
            return Some(kind);
        }
        self.at = 0;
        after
    }

    #[cold]
    fn emit_rare(&mut self, kind: Kind, head: Head, batch: &mut Batch) -> Option<Kind> {
        self.at = 0;
        if kind == Kind::Gap {
            let hole = self.hole.take().expect("a gap leaves only where there is a hole");
            batch.push_row(gap_row(head, hole), &[]);
            return if self.opens { Some(Kind::InstrumentRow) } else { self.first_from_trades() };
        }
        if kind == Kind::InstrumentRow {
            let id = head.instrument.expect("every record here names its instrument");
            let row = instrument_row(head, batch.instruments().get(id));
            batch.push_row(row, &[]);
            return Some(Kind::Status);
        }
        assert_eq!(kind, Kind::Status, "no other kind is synthesised");
        batch.push_row(Status { head, status: TradingStatus::Open, reason: None }, &[]);
        self.first_from_trades()
    }
}

fn gap_row(head: Head, hole: Hole) -> Gap {
    Gap {
        head,
        from: Ts::from_nanos(hole.from_ns),
        to: Ts::from_nanos(hole.to_ns),
        reason: GapReason::Sequence,
        missing: Some(hole.missing),
    }
}

fn instrument_row(head: Head, instrument: &Instrument) -> InstrumentRow {
    let terms = &instrument.terms;
    let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
    InstrumentRow {
        head,
        px_scale: u64::from(instrument.px_scale.digits()),
        qty_scale: u64::from(instrument.qty_scale.digits()),
        class: terms.class,
        payoff: terms.payoff,
        tick: terms.tick,
        lot: terms.lot,
        multiplier: terms.multiplier,
        base: text(&terms.base),
        quote: text(&terms.quote),
        settle: text(&terms.settle),
        root: text(&terms.root),
        expiry: terms.expiry,
    }
}
