//! One batch on its way through both clocks: first what happens at the venue, then what we receive.

use qt_model::ids::InstrumentId;
use qt_model::record::{Kind, Record};
use qt_model::time::Ts;
use qt_trade::core::{Front, Strategy};

use super::lag::Lag;
use super::lane::{Lane, touch};
use super::observer::Observer;
use super::records::Signals;
use super::sleepers::Sleepers;
use super::window::{Chunk, Window};
use crate::exchange::{Market, News};

/// What the records of a batch meet.
pub(super) struct Pass<'a, S, O> {
    pub(super) window: &'a mut Window,
    pub(super) market: &'a mut Market,
    pub(super) front: &'a mut Front,
    pub(super) lag: &'a mut Lag,
    pub(super) lanes: &'a mut [Lane<S, O>],
    pub(super) sleepers: &'a mut Sleepers,
    /// Features of these records, where they are computed here.
    pub(super) signals: Option<Signals<'a>>,
    pub(super) chunk: &'a Chunk,
    /// By instrument, the record whose row of features the front has yet to take: while all sleep,
    /// nobody looks.
    pub(super) unseen: Vec<Option<(InstrumentId, usize)>>,
    /// Nothing happens in a lane that is awake before this instant.
    pub(super) soonest: i64,
}

impl<S: Strategy, O: Observer> Pass<'_, S, O> {
    pub(super) fn run(mut self) {
        if self.glides() {
            return self.glide();
        }
        let records = &self.chunk.records;
        self.sleepers.begin(self.chunk, self.signals, self.lanes);
        let mut at = 0;
        while at < records.len() {
            if self.sleepers.awake().is_empty() {
                at = self.quiet(at);
                if at == records.len() {
                    break;
                }
            }
            let now = self.chunk.received(at);
            self.catch_up(now);
            if records.kind(at) != Kind::Feature || self.signals.is_none() {
                records.with(at, |record| self.receive(at, now, record));
                self.sleepers.doze(records, at, self.lanes);
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
            let signals = self.signals.as_ref().expect("it was there");
            let now = Ts::from_nanos(self.chunk.received(at));
            signals.show(at, instrument, now, self.front);
        }
    }

    /// Lets everything happen at the venue that does until an instant, and what it leads to before.
    #[inline]
    fn catch_up(&mut self, now: i64) {
        while let Some(due) = self.window.next_due().filter(|due| due.at <= now) {
            if self.sleepers.rouse_before(due.at, self.lanes) {
                self.roused();
            }
            if self.soonest < due.at {
                self.advance(due.at, false);
            }
            let Self { window, market, front, lag, lanes, sleepers, soonest, .. } = self;
            let is_roused = window.with(due, |record| {
                let news = market.apply(record);
                if front.is_shown() {
                    lag.note(window.place_of(due), record, news, market);
                }
                let (at, here) = (Ts::from_nanos(due.at), (&mut **lanes, &mut **sleepers));
                news != News::Nothing && Self::happen(at, record, news, market, here, soonest)
            });
            if is_roused {
                self.roused();
            }
            self.window.pass_next();
        }
    }

    /// Somebody woke up: he may be next, and sees all that is there.
    #[cold]
    fn roused(&mut self) {
        self.soonest = i64::MIN;
        self.look();
    }

    /// Lets happen in the lanes that are awake what comes before an instant; see [`Lane::advance`].
    #[inline(never)]
    pub(super) fn advance(&mut self, to: i64, with_arrivals: bool) {
        let Self { market, front, lanes, sleepers, .. } = self;
        let mut soonest = i64::MAX;
        for lane in sleepers.awake() {
            let lane = &mut lanes[*lane];
            if lane.next() < to || lane.next() == to && with_arrivals {
                lane.advance(to, with_arrivals, market, front);
            }
            soonest = soonest.min(lane.next());
        }
        self.soonest = soonest;
    }

    /// Whether it rouses anybody.
    #[inline]
    fn happen(
        at: Ts,
        record: &Record<'_>,
        news: News,
        market: &Market,
        (lanes, sleepers): (&mut [Lane<S, O>], &mut Sleepers),
        soonest: &mut i64,
    ) -> bool {
        let Some(instrument) = record.head().instrument else { return false };
        let is_roused = matches!(record.kind(), Kind::Funding | Kind::Status)
            && sleepers.rouse_if(lanes, |lane| lane.is_concerned(instrument));
        if news == News::Top {
            sleepers.show(at, instrument, touch(market.top(instrument)));
        }
        for lane in sleepers.awake() {
            let lane = &mut lanes[*lane];
            lane.happened(at, record, market, news);
            *soonest = (*soonest).min(lane.next());
        }
        is_roused
    }

    /// Lets a record reach us, and the features that follow from it.
    #[inline]
    fn receive(&mut self, at: usize, now: i64, record: &Record<'_>) {
        let ts = Ts::from_nanos(now);
        if self.sleepers.rouse_before(now.saturating_add(1), self.lanes) {
            self.roused();
        }
        if self.soonest <= now {
            self.advance(now, true);
        }
        let Self { front, lag, chunk, lanes, sleepers, soonest, .. } = self;
        lag.receive(chunk.place(at), record, front);
        sleepers.receive(ts, front);
        for lane in sleepers.awake() {
            let lane = &mut lanes[*lane];
            lane.receive(ts, record, front);
            *soonest = (*soonest).min(lane.next());
        }
        let Some(signals) = self.signals.filter(|signals| signals.has_row(at)) else { return };
        if let Some(instrument) = record.head().instrument {
            if self.sleepers.rouse_at(at, self.lanes) {
                self.roused();
            }
            let Self { front, lanes, sleepers, unseen, soonest, .. } = self;
            if sleepers.awake().is_empty() {
                unseen[instrument.index()] = Some((instrument, at));
                return;
            }
            signals.show(at, instrument, ts, front);
            for lane in sleepers.awake() {
                let lane = &mut lanes[*lane];
                lane.features(ts, instrument, front);
                *soonest = (*soonest).min(lane.next());
            }
        }
    }
}
