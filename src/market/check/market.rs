//! What is remembered of one instrument, and what each record is held against.

use std::sync::Arc;

use qt_model::instrument::Instrument;
use qt_model::record::{
    Bar, Depth, Gap, Head, InstrumentRow, Kind, Level, Mbo, Quote, Record, Status, Trade,
};
use qt_model::time::Ts;
use qt_model::units::{Px, Scale};
use qt_model::words::{BarClock, DepthAction, GapReason, TradingStatus};
use rust_decimal::Decimal;

use super::clock::Clock;
use super::presence::Presence;
use super::rule::{Limits, Rule};
use super::tally::{Chain, Tallies};
use crate::book::{Applied, PriceBook};
use crate::calendar::Calendar;

/// The state of one instrument.
#[derive(Debug)]
pub(super) struct Market {
    pub(super) limits: Arc<Limits>,
    pub(super) tallies: Tallies,
    pub(super) presence: Presence,
    pub(super) clock: Clock,
    scales: (Scale, Scale),
    /// The tick in units of a price; one where every price is a multiple.
    tick: i64,
    status: Option<TradingStatus>,
    /// The latest event time of each kind.
    pub(super) events: [Ts; Kind::ALL.len()],
    trades: Trades,
    quotes: Quotes,
    depth: Changes,
    bars: Option<(BarClock, Decimal, Ts)>,
}

#[derive(Debug, Default)]
struct Trades {
    ids: Chain,
    last: Option<Px>,
    count: u64,
    /// The sum of all sizes.
    traded: i128,
}

#[derive(Debug, Default)]
struct Quotes {
    seqs: Chain,
    last: Option<(Option<Px>, Option<Px>)>,
    /// When the prices or sizes last changed.
    changed: Option<(Ts, Quote)>,
}

#[derive(Debug, Default)]
struct Changes {
    ids: Chain,
    last_id: Option<u64>,
    book: PriceBook,
}

impl Market {
    pub(super) fn new(instrument: &Instrument, limits: Arc<Limits>) -> Self {
        Self {
            limits,
            tallies: Tallies::default(),
            presence: Presence::default(),
            clock: Clock::default(),
            scales: (instrument.px_scale, instrument.qty_scale),
            tick: tick(instrument.terms.tick, instrument.px_scale),
            status: None,
            events: [Ts::MIN; Kind::ALL.len()],
            trades: Trades::default(),
            quotes: Quotes::default(),
            depth: Changes::default(),
            bars: None,
        }
    }

    /// Looks at one record of this instrument.
    pub(super) fn record(&mut self, record: &Record<'_>, calendar: &Calendar) {
        let (head, kind) = (record.head(), record.kind());
        match record {
            Record::Trade(view) => self.trade(view.row),
            Record::Quote(view) => self.quote(view.row, calendar),
            Record::Depth(view) => self.depth(view.row, view.levels, calendar),
            Record::Mbo(view) => self.order(view.row),
            Record::Bar(view) => return self.bar(view.row, calendar),
            Record::Gap(view) => return self.gap(view.row),
            Record::InstrumentRow(view) => return self.terms(view.row),
            Record::Status(view) => return self.status(view.row),
            Record::Other(_) => return self.note(Rule::UnknownKind, kind, head, 0),
            _ => return,
        }
        let Self { presence, clock, limits, tallies, .. } = self;
        presence.see(head.ts_recv, kind, limits, calendar, tallies);
        clock.see(head, kind, limits, tallies);
        self.event_order(head, kind);
    }

    #[inline]
    fn event_order(&mut self, head: &Head, kind: Kind) {
        let last = &mut self.events[kind.index()];
        if head.ts_event < *last {
            let back = last.since(head.ts_event);
            self.note(Rule::OrderEvent, kind, head, back);
        } else {
            *last = head.ts_event;
        }
    }

    /// Forgets what a break in the data makes doubtful.
    pub(super) fn forget(&mut self) {
        self.depth.book.gap();
        self.depth.ids.restart(None);
        self.depth.last_id = None;
    }

    fn note(&mut self, rule: Rule, kind: Kind, head: &Head, measure: i64) {
        self.tallies.note(rule, kind, head.ts_recv, measure);
    }

    fn terms(&mut self, row: &InstrumentRow) {
        let scales = (u64::from(self.scales.0.digits()), u64::from(self.scales.1.digits()));
        if scales != (row.px_scale, row.qty_scale) {
            self.note(Rule::Schema, Kind::InstrumentRow, &row.head, 0);
        }
        if row.tick.is_some() {
            self.tick = tick(row.tick, self.scales.0);
        }
    }

    fn status(&mut self, row: &Status) {
        self.status = Some(row.status);
    }

    /// Whether orders should meet at once, so that a crossed book is wrong.
    fn is_open(&self, calendar: &Calendar, ts: Ts) -> bool {
        match self.status {
            Some(status) => status == TradingStatus::Open,
            None => calendar.is_open(ts),
        }
    }

    #[inline]
    pub(super) fn order(&mut self, row: &Mbo) {
        if let Some(px) = row.px {
            self.price(px, Kind::Mbo, &row.head);
        }
    }

    #[inline]
    pub(super) fn trade(&mut self, row: &Trade) {
        let head = &row.head;
        match row.id {
            Some(id) => self.trades.ids.see(id, id, head.ts_recv),
            None => self.trades.ids.see(head.seq, head.seq, head.ts_recv),
        }
        self.price(row.px, Kind::Trade, head);
        if row.qty.is_zero() {
            self.note(Rule::ZeroSize, Kind::Trade, head, 0);
            return;
        }
        let moved = self.trades.last.replace(row.px).map_or(0, |last| apart_ppm(last, row.px));
        if moved > self.limits.threshold(Rule::Jump) {
            self.note(Rule::Jump, Kind::Trade, head, moved);
        }
        let size = i128::from(row.qty.mantissa());
        // Size against the mean, without a division a trade.
        let mass = size * i128::from(self.trades.count);
        let bound = self.trades.traded * i128::from(self.limits.threshold(Rule::Size));
        if self.trades.count >= ENOUGH_TRADES && mass > bound {
            let times = i64::try_from(mass / self.trades.traded.max(1)).unwrap_or(i64::MAX);
            self.note(Rule::Size, Kind::Trade, head, times);
        }
        self.trades.count += 1;
        self.trades.traded += size;
    }

    #[inline]
    fn price(&mut self, px: Px, kind: Kind, head: &Head) {
        let mantissa = px.mantissa();
        if mantissa <= 0 {
            let rule = if mantissa == 0 { Rule::ZeroPrice } else { Rule::NegativePrice };
            self.note(rule, kind, head, 0);
        }
        if self.tick != 1 && mantissa % self.tick != 0 {
            self.note(Rule::Tick, kind, head, 0);
        }
    }

    #[inline]
    pub(super) fn quote(&mut self, row: &Quote, calendar: &Calendar) {
        let head = &row.head;
        self.quotes.seqs.see(head.seq, head.seq, head.ts_recv);
        self.note_unchanged(row, calendar);
        // Prices that were looked at a moment ago need no second look, but for what they are.
        if self.quotes.last.replace((row.bid_px, row.ask_px)) != Some((row.bid_px, row.ask_px)) {
            for px in [row.bid_px, row.ask_px].into_iter().flatten() {
                self.price(px, Kind::Quote, head);
            }
        }
        match (row.bid_px, row.ask_px) {
            (Some(bid), Some(ask)) => {
                if let Some((rule, measure)) = self.spread(bid, ask, calendar, head.ts_recv) {
                    self.note(rule, Kind::Quote, head, measure);
                }
            }
            (None, None) => self.note(Rule::EmptyQuote, Kind::Quote, head, 0),
            _ => self.note(Rule::OneSided, Kind::Quote, head, 0),
        }
    }

    fn note_unchanged(&mut self, row: &Quote, calendar: &Calendar) {
        let same = |old: &Quote| {
            (old.bid_px, old.bid_qty, old.ask_px, old.ask_qty)
                == (row.bid_px, row.bid_qty, row.ask_px, row.ask_qty)
        };
        let ts = row.head.ts_recv;
        match &self.quotes.changed {
            Some((since, old)) if same(old) => {
                let bound = self.limits.threshold(Rule::Stale);
                if ts.nanos().saturating_sub(since.nanos()) > bound {
                    let open = calendar.open_ns(*since, ts);
                    if open > bound {
                        self.note(Rule::Stale, Kind::Quote, &row.head, open);
                        self.quotes.changed = Some((ts, *row));
                    }
                }
            }
            _ => self.quotes.changed = Some((ts, *row)),
        }
    }

    /// What is to be said of a best bid and ask.
    #[inline]
    fn spread(&self, bid: Px, ask: Px, calendar: &Calendar, ts: Ts) -> Option<(Rule, i64)> {
        if bid < ask {
            let wide = i128::from(ask.mantissa()) - i128::from(bid.mantissa());
            let bound = i128::from(self.limits.threshold(Rule::Spread));
            // Against the ask, which is the larger: no division for the many that are narrow.
            let is_wide = wide * 1_000_000 > bound * i128::from(ask.mantissa()).abs();
            return is_wide.then(|| (Rule::Spread, apart_ppm(ask, bid)));
        }
        if bid == ask {
            return Some((Rule::Locked, 0));
        }
        let rule = if self.is_open(calendar, ts) { Rule::Crossed } else { Rule::CrossedPreOpen };
        Some((rule, apart_ppm(ask, bid)))
    }

    #[inline]
    pub(super) fn depth(&mut self, row: &Depth, levels: &[Level], calendar: &Calendar) {
        let head = &row.head;
        self.chain(row);
        if self.tick != 1 {
            for level in levels {
                self.price(level.px, Kind::Depth, head);
            }
        } else if let Some(low) = levels.iter().find(|level| level.px.mantissa() <= 0) {
            self.price(low.px, Kind::Depth, head);
        }
        if self.depth.book.apply(row, levels) == Applied::Ignored {
            self.note(Rule::NoSnapshot, Kind::Depth, head, 0);
            return;
        }
        let best = (self.depth.book.best_bid(), self.depth.book.best_ask());
        if let (Some(bid), Some(ask)) = best
            && bid.px > ask.px
        {
            let rule = match self.is_open(calendar, head.ts_recv) {
                true => Rule::CrossedBook,
                false => Rule::CrossedPreOpen,
            };
            self.note(rule, Kind::Depth, head, apart_ppm(ask.px, bid.px));
        }
    }

    /// Holds the update numbers of a change against those before it.
    fn chain(&mut self, row: &Depth) {
        let (depth, ts) = (&mut self.depth, row.head.ts_recv);
        let known = std::mem::replace(&mut depth.last_id, row.last_id);
        if row.action == DepthAction::Snapshot {
            depth.ids.restart(row.last_id.or(Some(row.head.seq)));
            return;
        }
        match (row.prev_id, row.first_id, row.last_id) {
            (Some(prev), ..) => {
                let Some(known) = known.filter(|known| *known != prev) else { return };
                let is_old = row.last_id.is_some_and(|last| last <= known);
                if is_old {
                    depth.last_id = Some(known);
                }
                let rule = if is_old { Rule::Duplicate } else { Rule::Sequence };
                self.note(rule, Kind::Depth, &row.head, 0);
            }
            (None, Some(first), Some(last)) => depth.ids.see(first, last, ts),
            (None, None, Some(last)) => depth.ids.see(last, last, ts),
            (None, _, None) => depth.ids.see(row.head.seq, row.head.seq, ts),
        }
    }

    fn gap(&mut self, row: &Gap) {
        self.forget();
        self.note(gap_rule(row), Kind::Gap, &row.head, missing(row));
    }

    fn bar(&mut self, row: &Bar, calendar: &Calendar) {
        let head = &row.head;
        let (low, high) = (row.low, row.high);
        let is_sound = low <= row.open.min(row.close)
            && high >= row.open.max(row.close)
            && row.open_ts <= head.ts_event
            && row.buy_volume.is_none_or(|bought| bought <= row.volume);
        if !is_sound {
            self.note(Rule::Bar, Kind::Bar, head, 0);
        }
        for px in [row.open, high, low, row.close] {
            self.price(px, Kind::Bar, head);
        }
        let before = self.bars.replace((row.clock, row.step, head.ts_event));
        let Some((clock, step, end)) = before else { return };
        if (clock, step) != (row.clock, row.step) || clock != BarClock::Time {
            return;
        }
        let step: i64 = step.try_into().unwrap_or(0);
        let hole = calendar.open_ns(end, row.open_ts);
        if step > 0 && hole >= step {
            self.note(Rule::BarMissing, Kind::Bar, head, hole / step);
        }
    }

    /// What only the end can tell.
    pub(super) fn finish(&mut self, calendar: &Calendar, span: Option<(Ts, Ts)>) {
        let chains = [
            (Kind::Trade, &self.trades.ids),
            (Kind::Quote, &self.quotes.seqs),
            (Kind::Depth, &self.depth.ids),
        ];
        for (kind, chain) in chains {
            if let Some(holes) = chain.holes() {
                self.tallies.merge(Rule::Sequence, kind, holes);
            }
            if let Some(repeats) = chain.repeats() {
                self.tallies.merge(Rule::Duplicate, kind, repeats);
            }
        }
        self.clock.finish(&self.limits, &mut self.tallies);
        self.presence.finish(&self.limits, calendar, span, &mut self.tallies);
    }
}

/// What a stated gap is about.
pub(super) fn gap_rule(row: &Gap) -> Rule {
    match row.reason {
        GapReason::Corrupt => Rule::Checksum,
        GapReason::Sequence
        | GapReason::Disconnect
        | GapReason::Overload
        | GapReason::NoSnapshot
        | GapReason::NotRecorded => Rule::Gap,
    }
}

/// How many records a stated gap leaves out, where it says so.
pub(super) fn missing(row: &Gap) -> i64 {
    row.missing.and_then(|count| i64::try_from(count).ok()).unwrap_or(0)
}

/// Before that many trades an average says little.
const ENOUGH_TRADES: u64 = 100;

/// A tick at the scale of prices; one where it is unknown or finer than the scale.
fn tick(tick: Option<Decimal>, scale: Scale) -> i64 {
    let units = tick.and_then(|tick| tick.checked_mul(Decimal::from(scale.unit())));
    let units = units.filter(Decimal::is_integer).and_then(|units| i64::try_from(units).ok());
    units.filter(|units| *units > 0).unwrap_or(1)
}

/// How far two prices are apart, in millionths of the first.
fn apart_ppm(from: Px, to: Px) -> i64 {
    let (from, to) = (i128::from(from.mantissa()), i128::from(to.mantissa()));
    let ppm = (to - from).abs() * 1_000_000 / from.abs().max(1);
    i64::try_from(ppm).unwrap_or(i64::MAX)
}
