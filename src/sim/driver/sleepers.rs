//! Lanes that wait for a rule to be met: they sleep, and hear of what they missed all at once.
//!
//! A lane may sleep while nothing of its own is under way, nothing of it stands at a venue, and its
//! strategy says which columns of features it waits for. It is roused by the first row in which one of
//! them is met, by a time of its own, and by what concerns a position; until then a record costs it
//! nothing. What the market showed meanwhile, and what positions were marked at, is kept once for all
//! sleepers and told to each in its order, when it is roused and at the end of a batch.
//! Invariant: what a lane asks for and what its observer is told do not depend on whether it slept.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;

use qt_model::ids::InstrumentId;
use qt_model::record::ColumnTable;
use qt_model::time::Ts;
use qt_model::units::Px;
use qt_trade::core::{Front, MarkRule, Strategy};
use qt_trade::ledger::DoublePx;
use qt_trade::metrics::Touch;

use super::lane::Lane;
use super::met::Met;
use super::missed::{AtHand, Marked, Missed, Notes, Read, Shown};
use super::observer::Observer;
use super::quiet::Bounds;
use super::records::{Records, Signals};
use super::window::Chunk;

/// A lane that sleeps.
#[derive(Clone, Copy, Debug)]
struct Nap {
    /// How much it has heard of what was missed: shown, and marked.
    heard: (Read, Read),
    /// The record of the batch at which it is roused, if there is one.
    until: Option<u32>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Sleepers {
    /// By lane: whether it may sleep at all.
    may: Vec<bool>,
    naps: Vec<Option<Nap>>,
    /// Whether anybody may, and features are computed that could rouse them.
    is_used: bool,
    /// The lanes that do not sleep, in no order that matters.
    awake: Vec<usize>,
    alarms: BinaryHeap<Reverse<(u32, usize)>>,
    /// The earliest instant at which something happens in a lane that sleeps, or before it.
    earliest: i64,
    met: Met,
    mark: Option<MarkRule>,
    /// What sleepers missed in this batch.
    shown: Notes<Shown>,
    marked: Notes<Marked>,
    /// The batch at hand, where it is columns.
    columns: Option<Chunk>,
    /// By instrument, what was told last.
    last: Vec<(Option<Touch>, Option<DoublePx>)>,
}

impl Sleepers {
    pub(super) fn add<S: Strategy, O: Observer>(&mut self, lane: &Lane<S, O>) {
        let rule = lane.desk().mark_rule();
        // What a position of either sign is valued at by its exit is not one number.
        let is_common = *self.mark.get_or_insert(rule) == rule && rule != MarkRule::ExitSide;
        self.may.push(is_common && lane.observer().may_wait());
        self.awake.push(self.naps.len());
        self.naps.push(None);
    }

    pub(super) fn awake(&self) -> &[usize] {
        &self.awake
    }

    /// Whether anybody may sleep at all.
    pub(super) fn are_any(&self) -> bool {
        self.may.contains(&true)
    }

    #[inline]
    fn is_anyone_asleep(&self) -> bool {
        self.awake.len() < self.naps.len()
    }

    /// What positions of all lanes are valued at, if there are lanes.
    pub(super) fn mark_rule(&self) -> Option<MarkRule> {
        self.mark
    }

    /// Up to where nobody is roused by a rule or by a time, of a batch with so many records.
    pub(super) fn bounds(&mut self, records: usize) -> Bounds {
        let mut record = records;
        while let Some(Reverse((due, lane))) = self.alarms.peek().copied() {
            if self.naps[lane].is_some_and(|nap| nap.until == Some(due)) {
                record = due as usize;
                break;
            }
            self.alarms.pop();
        }
        Bounds { record, instant: self.earliest }
    }

    /// Begins a batch: those who sleep find out whether it rouses them.
    pub(super) fn begin<S: Strategy, O: Observer>(
        &mut self,
        chunk: &Chunk,
        signals: Option<Signals<'_>>,
        lanes: &[Lane<S, O>],
    ) {
        self.met.clear();
        let Some(signals) = signals.filter(|_| self.are_any()) else { return };
        self.is_used = true;
        let records = &chunk.records;
        self.columns = matches!(records, Records::Columns(_)).then(|| chunk.clone());
        self.met.fill(records.len(), signals);
        for (lane, of) in lanes.iter().enumerate() {
            if self.naps[lane].is_some() {
                self.set_alarm(lane, of, records, 0);
            }
        }
    }

    fn set_alarm<S: Strategy, O: Observer>(
        &mut self,
        lane: usize,
        of: &Lane<S, O>,
        records: &Records,
        from: usize,
    ) {
        let until = of.met().iter().filter_map(|wait| self.met.next(records, *wait, from)).min();
        let until = until.map(|at| at as u32);
        let heard = (self.shown.read(), self.marked.read());
        self.naps[lane] = Some(Nap { heard, until });
        self.alarms.extend(until.map(|at| Reverse((at, lane))));
    }

    /// Rouses a lane, which hears what it missed.
    fn rouse<S: Strategy, O: Observer>(&mut self, lane: usize, lanes: &mut [Lane<S, O>]) {
        let nap = self.naps[lane].take().expect("who is roused was asleep");
        lanes[lane].hear_of(self.missed(nap.heard));
        self.awake.push(lane);
    }

    /// What was missed by who has heard so much.
    fn missed(&self, (shown, marked): (Read, Read)) -> Missed<'_> {
        let at_hand = self.columns.as_ref().and_then(AtHand::of);
        let (shown, marked) = (self.shown.since(shown), self.marked.since(marked));
        Missed { shown, marked, at_hand: at_hand.unwrap_or_default() }
    }

    /// Rouses those in whose lanes something happens before an instant. Whether there were any.
    #[inline]
    pub(super) fn rouse_before<S: Strategy, O: Observer>(
        &mut self,
        to: i64,
        lanes: &mut [Lane<S, O>],
    ) -> bool {
        if self.earliest >= to || !self.is_anyone_asleep() {
            return false;
        }
        self.rouse_if(lanes, |lane| lane.next() < to)
    }

    /// Rouses those for whom something holds. Whether there were any.
    pub(super) fn rouse_if<S: Strategy, O: Observer>(
        &mut self,
        lanes: &mut [Lane<S, O>],
        holds: impl Fn(&Lane<S, O>) -> bool,
    ) -> bool {
        let before = self.awake.len();
        self.earliest = i64::MAX;
        for lane in 0..lanes.len() {
            if self.naps[lane].is_none() {
                continue;
            }
            if holds(&lanes[lane]) {
                self.rouse(lane, lanes);
            } else {
                self.earliest = self.earliest.min(lanes[lane].next());
            }
        }
        self.awake.len() > before
    }

    /// Rouses those who waited for the row of a record. Whether there were any.
    #[inline]
    pub(super) fn rouse_at<S: Strategy, O: Observer>(
        &mut self,
        at: usize,
        lanes: &mut [Lane<S, O>],
    ) -> bool {
        let before = self.awake.len();
        while let Some(Reverse((due, lane))) = self.alarms.peek().copied() {
            if due as usize > at {
                break;
            }
            self.alarms.pop();
            // An alarm that was set before an earlier waking is one of the past.
            if self.naps[lane].is_some_and(|nap| nap.until == Some(due)) {
                self.rouse(lane, lanes);
            }
        }
        self.awake.len() > before
    }

    /// Lets those fall asleep who may, behind a record.
    #[inline]
    pub(super) fn doze<S: Strategy, O: Observer>(
        &mut self,
        records: &Records,
        at: usize,
        lanes: &mut [Lane<S, O>],
    ) {
        if self.met.is_empty() {
            return;
        }
        let mut place = 0;
        while let Some(lane) = self.awake.get(place).copied() {
            if !self.may[lane] || !lanes[lane].waits() {
                place += 1;
                continue;
            }
            self.awake.swap_remove(place);
            self.set_alarm(lane, &lanes[lane], records, at + 1);
            self.earliest = self.earliest.min(lanes[lane].next());
        }
    }

    /// What a venue shows, for those who sleep.
    #[inline]
    pub(super) fn show(&mut self, at: Ts, instrument: InstrumentId, touch: Option<Touch>) {
        if self.is_used {
            self.owed(instrument).show(at, touch);
        }
    }

    /// What the front shows, likewise.
    #[inline]
    pub(super) fn receive(&mut self, now: Ts, front: &Front) {
        if !self.is_used {
            return;
        }
        let Some((instrument, rule)) = front.news().zip(self.mark) else { return };
        self.owed(instrument).mark(now, front.seen(instrument).mark(rule, 0));
    }

    /// Where news of an instrument is kept for those who sleep.
    #[inline]
    pub(super) fn owed(&mut self, instrument: InstrumentId) -> Owed<'_> {
        let (place, is_heard) = (instrument.index(), self.is_anyone_asleep());
        if self.last.len() <= place {
            self.last.resize(place + 1, (None, None));
        }
        let Self { last, shown, marked, .. } = self;
        Owed { instrument, is_heard, last: &mut last[place], shown, marked }
    }

    /// Ends a batch: everybody hears of everything.
    pub(super) fn end<S: Strategy, O: Observer>(&mut self, lanes: &mut [Lane<S, O>]) {
        for (at, lane) in lanes.iter_mut().enumerate() {
            if let Some(nap) = self.naps[at] {
                lane.hear_of(self.missed(nap.heard));
                self.naps[at] = Some(Nap { heard: Default::default(), until: None });
            }
        }
        self.shown.clear();
        self.marked.clear();
        self.alarms.clear();
        self.columns = None;
    }
}

/// News of one instrument, of which what is as before is none.
#[derive(Debug)]
pub(super) struct Owed<'a> {
    instrument: InstrumentId,
    /// Whether anybody sleeps who is owed it.
    is_heard: bool,
    last: &'a mut (Option<Touch>, Option<DoublePx>),
    shown: &'a mut Notes<Shown>,
    marked: &'a mut Notes<Marked>,
}

impl Owed<'_> {
    #[inline]
    pub(super) fn show(&mut self, at: Ts, touch: Option<Touch>) {
        if self.last.0 != touch {
            self.last.0 = touch;
            if self.is_heard {
                self.shown.push(Shown { at, instrument: self.instrument, touch });
            }
        }
    }

    #[inline]
    pub(super) fn mark(&mut self, now: Ts, mark: Option<DoublePx>) {
        if self.last.1 != mark {
            self.last.1 = mark;
            if let Some(mark) = mark.filter(|_| self.is_heard) {
                self.marked.mark(now, self.instrument, mark, self.shown.read());
            }
        }
    }

    /// What records of the batch at hand show, of which there is one at least.
    pub(super) fn show_stretch(&mut self, table: &ColumnTable, places: Range<usize>) {
        self.last.0 = Some(touch_of(table, places.end - 1));
        self.shown.stretch(places);
    }

    /// The same of records of another batch, one by one.
    pub(super) fn show_each(&mut self, table: &ColumnTable, places: Range<usize>) {
        for at in places {
            self.show(Ts::from_nanos(table.ts_event()[at]), Some(touch_of(table, at)));
        }
    }

    /// What they are marked at; none of them is crossed.
    pub(super) fn mark_stretch(&mut self, table: &ColumnTable, places: Range<usize>) {
        let Touch { bid, ask } = touch_of(table, places.end - 1);
        self.last.1 = Some(DoublePx::mid(bid, ask));
        self.marked.stretch(places);
    }
}

/// The prices between which a record lies.
fn touch_of(table: &ColumnTable, at: usize) -> Touch {
    let (bid, ask) = table.prices();
    Touch { bid: Px::new(bid[at]), ask: Px::new(ask[at]) }
}
