//! Stretches of the stream in which all lanes sleep, taken as a whole.
//!
//! Nobody looks, so of what the venue and the front show only the last counts, and of what was shown
//! on the way only what sleepers are owed: best prices and marks, each at its instant. Invariant: the
//! market, the front and what is owed are those that one record after the other would have left.
//! Absent on purpose: anything that could rouse a lane. Such a record ends the stretch and is left to
//! the ordinary way.

use std::ops::Range;

use qt_model::ids::InstrumentId;
use qt_model::record::{Bar, Batch, Kind, Quote, Table};
use qt_model::time::Ts;
use qt_model::words::BarClock;
use qt_trade::core::{Front, MarkRule, Strategy};
use qt_trade::ledger::DoublePx;
use qt_trade::metrics::Touch;

use super::lane::touch;
use super::observer::Observer;
use super::pass::Pass;
use super::records::Records;
use super::window::Due;
use crate::exchange::{Basis, Market, News};

/// Where a stretch ends at the latest: before a record, and before an instant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) record: usize,
    pub(super) instant: i64,
}

/// A kind of which many records of one instrument come to the last of them.
pub(super) trait Plain: Table {
    /// What two records have in common if the later one leaves nothing of the earlier.
    type Likeness: PartialEq + Copy;

    fn likeness(&self) -> Self::Likeness;

    /// Whether these records change the best prices that a venue shows of an instrument.
    fn is_shown(market: &Market, instrument: InstrumentId) -> bool;

    /// The best prices, where the record tells them.
    fn touch(&self) -> Option<Touch>;

    /// Whether these records move the mark of an instrument.
    fn is_marking(front: &Front, rule: MarkRule, instrument: InstrumentId) -> bool;

    /// The mark that the record makes, where there is this last price.
    fn mark(&self, last: Option<DoublePx>) -> Option<DoublePx>;
}

impl Plain for Bar {
    type Likeness = (BarClock, i128, u32);

    #[inline]
    fn likeness(&self) -> Self::Likeness {
        (self.clock, self.step.mantissa(), self.step.scale())
    }

    fn is_shown(_market: &Market, _instrument: InstrumentId) -> bool {
        false
    }

    fn touch(&self) -> Option<Touch> {
        None
    }

    fn is_marking(front: &Front, rule: MarkRule, instrument: InstrumentId) -> bool {
        rule != MarkRule::Mid || front.seen(instrument).top().mid().is_none()
    }

    #[inline]
    fn mark(&self, _last: Option<DoublePx>) -> Option<DoublePx> {
        Some(DoublePx::of(self.close))
    }
}

impl Plain for Quote {
    type Likeness = ();

    fn likeness(&self) {}

    fn is_shown(market: &Market, instrument: InstrumentId) -> bool {
        market.of(instrument).basis() != Basis::Book
    }

    #[inline]
    fn touch(&self) -> Option<Touch> {
        Some(Touch { bid: self.bid_px?, ask: self.ask_px? })
    }

    fn is_marking(front: &Front, rule: MarkRule, _instrument: InstrumentId) -> bool {
        front.is_quoted() && rule == MarkRule::Mid
    }

    #[inline]
    fn mark(&self, last: Option<DoublePx>) -> Option<DoublePx> {
        self.touch().and_then(Touch::mid).or(last)
    }
}

impl<S: Strategy, O: Observer> Pass<'_, S, O> {
    /// Takes records from a place on while nothing can happen to any lane. The place of the first
    /// that it left.
    pub(super) fn quiet(&mut self, from: usize) -> usize {
        let records = &self.chunk.records;
        let bounds = self.sleepers.bounds(records.len());
        let mut at = from;
        while at < bounds.record && self.chunk.received(at) < bounds.instant {
            let kind = records.kind(at);
            let taken = match records {
                Records::Columns(table) => self.columns(table, at, bounds),
                Records::Rows(batch) if kind == Kind::Bar => self.stretch::<Bar>(batch, at, bounds),
                Records::Rows(batch) if kind == Kind::Quote => {
                    self.stretch::<Quote>(batch, at, bounds)
                }
                Records::Rows(_) => 0,
            };
            at += taken;
            if taken == 0 {
                if !self.pass_by(at) {
                    break;
                }
                at += 1;
            }
        }
        at
    }

    /// Takes records of one kind and instrument, as long as what happens at the venue meanwhile is of
    /// that kind and instrument too. How many they were.
    fn stretch<T: Plain>(&mut self, batch: &Batch, from: usize, bounds: Bounds) -> usize {
        let Self { window, market, front, sleepers, chunk, .. } = self;
        let Some(rule) = sleepers.mark_rule() else { return 0 };
        let slots = &batch.slots()[..bounds.record];
        // What lies behind the list of dues is looked at one by one.
        let instant = bounds.instant.min(window.first_of_runs().unwrap_or(i64::MAX));
        // Neighbours of one kind lie side by side in its table as well.
        let table = &batch.rows::<T>()[slots[from].index as usize..];
        let Some(id) = table[0].head().instrument else { return 0 };
        let last = front.seen(id).last().map(DoublePx::of);
        let (is_marking, is_shown) = (T::is_marking(front, rule, id), T::is_shown(market, id));
        let mut happened: Option<(Due, T::Likeness)> = None;
        let (dues, mut passed, mut at) = (window.dues(), 0, from);
        let mut owed = sleepers.owed(id);
        'records: for (slot, row) in slots[from..].iter().zip(table) {
            let now = chunk.received(at);
            let is_alike = slot.kind == T::KIND && row.head().instrument == Some(id);
            if !is_alike || now >= instant {
                break;
            }
            while let Some(due) = dues.get(passed).filter(|due| due.at <= now) {
                let Some(row) = window.row_of::<T>(*due, chunk) else { break 'records };
                if row.head().instrument != Some(id) {
                    break 'records;
                }
                let likeness = row.likeness();
                if is_shown {
                    owed.show(Ts::from_nanos(due.at), row.touch());
                }
                if let Some((before, _)) = happened.filter(|(_, before)| *before != likeness) {
                    window.with(before, |record| market.apply(record));
                }
                happened = Some((*due, likeness));
                passed += 1;
            }
            if is_marking {
                owed.mark(Ts::from_nanos(now), row.mark(last));
            }
            at += 1;
        }
        window.pass(passed);
        if let Some((due, _)) = happened {
            window.with(due, |record| market.apply(record));
        }
        if at > from {
            front.market(&batch.get(at - 1));
        }
        self.leave_rows(from..at, id);
        at - from
    }

    /// The front takes the last row of features of these records once somebody looks.
    pub(super) fn leave_rows(&mut self, records: Range<usize>, instrument: InstrumentId) {
        let signals = self.signals.as_ref();
        let has_row = |at: &usize| signals.is_some_and(|signals| signals.has_row(*at));
        if let Some(last) = records.rev().find(has_row) {
            self.unseen[instrument.index()] = Some((instrument, last));
        }
    }

    /// Takes one record of any kind; `false` where what happens before could rouse somebody.
    fn pass_by(&mut self, at: usize) -> bool {
        let Self { window, market, front, lag, sleepers, chunk, signals, .. } = self;
        let now = chunk.received(at);
        while let Some(due) = window.next_due().filter(|due| due.at <= now) {
            let is_taken = window.with(due, |record| {
                if matches!(record.kind(), Kind::Funding | Kind::Status) {
                    return false;
                }
                let instrument = record.head().instrument;
                let news = market.apply(record);
                if front.is_shown() {
                    lag.note(window.place_of(due), record, news, market);
                }
                if let (News::Top, Some(instrument)) = (news, instrument) {
                    let touch = touch(market.top(instrument));
                    sleepers.show(Ts::from_nanos(due.at), instrument, touch);
                }
                true
            });
            if !is_taken {
                return false;
            }
            window.pass_next();
        }
        if chunk.records.kind(at) == Kind::Feature && signals.is_some() {
            return true;
        }
        chunk.records.with(at, |record| lag.receive(chunk.place(at), record, front));
        sleepers.receive(Ts::from_nanos(now), front);
        if let Some(instrument) = chunk.records.instrument(at) {
            self.leave_rows(at..at + 1, instrument);
        }
        true
    }
}
