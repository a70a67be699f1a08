//! One batch on its way through both clocks: first what happens at the venue, then what we receive.

use qt_market::features::Rows;
use qt_model::ids::InstrumentId;
use qt_model::record::{Kind, Record};
use qt_model::time::Ts;
use qt_trade::core::{Front, Strategy};

use super::lane::{Lane, touch};
use super::observer::Observer;
use super::sleepers::Sleepers;
use super::window::{Chunk, Window};
use crate::exchange::{Market, News};

/// What the records of a batch meet.
pub(super) struct Pass<'a, S, O> {
    pub(super) window: &'a mut Window,
    pub(super) market: &'a mut Market,
    pub(super) front: &'a mut Front,
    pub(super) lanes: &'a mut [Lane<S, O>],
    pub(super) sleepers: &'a mut Sleepers,
    /// Features of these records, where they are computed here.
    pub(super) rows: Option<Rows<'a>>,
    pub(super) chunk: &'a Chunk,
    /// By instrument, the record whose row of features the front has yet to take: while all sleep,
    /// nobody looks.
    pub(super) unseen: Vec<Option<(InstrumentId, usize)>>,
}

impl<S: Strategy, O: Observer> Pass<'_, S, O> {
    pub(super) fn run(mut self) {
        let batch = &self.chunk.batch;
        self.sleepers.begin(batch, self.rows, self.lanes);
        let mut at = 0;
        while at < batch.len() {
            if self.sleepers.awake().is_empty() {
                at = self.quiet(at);
            }
            let Some(slot) = batch.slots().get(at).copied() else { break };
            let now = self.chunk.received(at);
            self.catch_up(now);
            if slot.kind != Kind::Feature || self.rows.is_none() {
                self.receive(at, now, &batch.at(slot));
                self.sleepers.doze(batch, at, self.lanes);
            }
            at += 1;
        }
        self.sleepers.end(self.lanes);
        self.look();
    }

    /// Lets the front take the rows that nobody looked at.
    #[cold]
    fn look(&mut self) {
        for (instrument, at) in self.unseen.iter_mut().filter_map(Option::take) {
            let row = self.rows.as_ref().and_then(|rows| rows.of(at)).expect("it was there");
            let ts = Ts::from_nanos(self.chunk.received(at));
            self.front.features(instrument, ts, row.values);
        }
    }

    /// Lets everything happen at the venue that does until an instant, and what it leads to before.
    #[inline]
    fn catch_up(&mut self, now: i64) {
        while let Some(due) = self.window.next_due().filter(|due| due.at <= now) {
            if self.sleepers.rouse_before(due.at, self.lanes) {
                self.look();
            }
            let Self { window, market, front, lanes, sleepers, .. } = self;
            for lane in sleepers.awake() {
                if lanes[*lane].next() < due.at {
                    lanes[*lane].advance(due.at, false, market, front);
                }
            }
            let record = window.batch_of(due).get(due.index as usize);
            let news = market.apply(&record);
            let is_roused = news != News::Nothing
                && Self::happen(Ts::from_nanos(due.at), &record, news, market, lanes, sleepers);
            window.pass();
            if is_roused {
                self.look();
            }
        }
    }

    /// Whether it rouses anybody.
    #[inline]
    fn happen(
        at: Ts,
        record: &Record<'_>,
        news: News,
        market: &Market,
        lanes: &mut [Lane<S, O>],
        sleepers: &mut Sleepers,
    ) -> bool {
        let Some(instrument) = record.head().instrument else { return false };
        let is_roused = matches!(record.kind(), Kind::Funding | Kind::Status)
            && sleepers.rouse_if(lanes, |lane| lane.is_concerned(instrument));
        if news == News::Top {
            sleepers.show(at, instrument, touch(market.top(instrument)));
        }
        for lane in sleepers.awake() {
            lanes[*lane].happened(at, record, market, news);
        }
        is_roused
    }

    /// Lets a record reach us, and the features that follow from it.
    #[inline]
    fn receive(&mut self, at: usize, now: i64, record: &Record<'_>) {
        let ts = Ts::from_nanos(now);
        if self.sleepers.rouse_before(now.saturating_add(1), self.lanes) {
            self.look();
        }
        let Self { market, front, lanes, sleepers, .. } = self;
        for lane in sleepers.awake() {
            if lanes[*lane].next() <= now {
                lanes[*lane].advance(now, true, market, front);
            }
        }
        front.market(record);
        sleepers.receive(ts, front);
        for lane in sleepers.awake() {
            lanes[*lane].receive(ts, record, front);
        }
        let Some(row) = self.rows.as_ref().and_then(|rows| rows.of(at)) else { return };
        if let Some(instrument) = record.head().instrument {
            if self.sleepers.rouse_at(at, self.lanes) {
                self.look();
            }
            let Self { front, lanes, sleepers, unseen, .. } = self;
            if sleepers.awake().is_empty() {
                unseen[instrument.index()] = Some((instrument, at));
                return;
            }
            front.features(instrument, ts, row.values);
            for lane in sleepers.awake() {
                lanes[*lane].features(ts, instrument, front);
            }
        }
    }
}
