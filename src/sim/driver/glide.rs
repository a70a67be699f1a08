//! Batches of which nobody wants to hear record by record.
//!
//! Where lanes live by their own clocks and by reports, a record concerns them in two ways alone: it
//! meets what rests at the venue, or it moves what we see. So up to the next instant at which something
//! happens in a lane, first what happens at the venue passes in one loop over rows, then what is received
//! in another. Invariant: what lanes are told, and when, is what one record after the other would have
//! made of it. Absent on purpose: features, and lanes that wait for them and sleep.

use qt_model::record::Kind;
use qt_model::time::Ts;
use qt_trade::core::Strategy;

use super::observer::Observer;
use super::pass::Pass;
use super::window::Due;
use crate::exchange::News;

impl<S: Strategy, O: Observer> Pass<'_, S, O> {
    /// Whether no lane looks at a record of this batch for its own sake.
    pub(super) fn glides(&self) -> bool {
        self.signals.is_none()
            && self.chunk.records.count(Kind::Feature) == 0
            && self.lanes.iter().all(|lane| !lane.wants_records())
    }

    /// Takes the whole batch.
    pub(super) fn glide(&mut self) {
        let records = self.chunk.records.len();
        let last = self.chunk.received(records - 1);
        let mut at = 0;
        while at < records {
            at = self.happen_until(last, at);
            let now = self.soonest;
            if now > last {
                self.receive_until(at, last);
                return;
            }
            at = self.receive_until(at, now.saturating_sub(1));
            self.advance(now, true);
            at = self.receive_until(at, now);
            // Timers come behind all that is received at their instant, the next batch included.
            if self.soonest == now && now < last {
                self.advance(now + 1, false);
            }
        }
    }

    /// Lets happen at the venue what does before anything in a lane, or at the same instant. Before
    /// a lane is told of it we receive what came earlier, up to the place that is handed back.
    fn happen_until(&mut self, last: i64, from: usize) -> usize {
        let mut at = from;
        let mut until = self.soonest.min(last);
        while let Some(due) = self.window.next_due().filter(|due| due.at <= until) {
            let news = self.happens(due);
            if news != News::Nothing {
                at = self.receive_until(at, due.at.saturating_sub(1));
                self.tell(due, news);
                until = self.soonest.min(last);
            }
            self.window.pass_next();
        }
        at
    }

    /// Lets a record happen: the news, where it is any for a lane.
    #[inline]
    fn happens(&mut self, due: Due) -> News {
        let Self { window, market, front, lag, lanes, .. } = self;
        let Some((row, levels)) = window.depth_of(due) else {
            return window.with(due, |record| {
                let news = market.apply(record);
                let is_heard = news == News::Top
                    || lanes.iter().any(|lane| lane.exchange().is_concerned(market, record));
                if is_heard { news } else { News::Nothing }
            });
        };
        // Most of a day is depth of some instrument.
        let Some(instrument) = row.head.instrument else { return News::Nothing };
        let news = market.depth(instrument, row, levels);
        if front.is_shown() {
            lag.note_depth(window.place_of(due), (instrument, row.action), news, market);
        }
        let is_heard = news == News::Top
            || lanes.iter().any(|lane| lane.exchange().is_met(market, instrument, row, levels));
        if is_heard { news } else { News::Nothing }
    }

    /// Tells all lanes of a record that happened.
    fn tell(&mut self, due: Due, news: News) {
        let Self { window, market, lanes, soonest, .. } = self;
        window.with(due, |record| {
            for lane in lanes.iter_mut() {
                lane.happened(Ts::from_nanos(due.at), record, market, news);
                *soonest = (*soonest).min(lane.next());
            }
        });
    }

    /// Lets us receive what comes until an instant, that one included. The place of what is next.
    fn receive_until(&mut self, from: usize, until: i64) -> usize {
        let Self { front, lag, lanes, chunk, .. } = self;
        let (records, is_shown) = (&chunk.records, front.is_shown());
        let mut at = from;
        while at < records.len() {
            let (now, here) = (chunk.received(at), at);
            if now > until {
                break;
            }
            let place = chunk.place(at);
            at += 1;
            // A record of depth that moved nothing is not looked at again.
            if is_shown && records.kind(here) == Kind::Depth && !lag.is_noted(place) {
                continue;
            }
            records.with(here, |record| lag.receive(place, record, front));
            let Some(instrument) = front.news() else { continue };
            for lane in lanes.iter_mut() {
                lane.moved(Ts::from_nanos(now), instrument, front);
            }
        }
        at
    }
}
