//! Runs of records of one instrument and kind whose heads say nothing new.
//!
//! Nearly every record is like the one before it: a little later by both clocks, in the same hour and
//! window. One comparison with bounds tells, and what the rules about time remember is brought up to
//! date once for the whole run. Invariant: a record that any of those rules could have a word about
//! does not follow, and takes the careful road; so runs and single records give one report.

use qt_model::record::{Batch, Depth, Head, Kind, Mbo, Quote, Slot, Table, Trade};
use qt_model::time::Ts;

use super::Checker;
use super::clock::{Clock, EARLIEST};
use super::days::OFFLINE_NANOS;
use super::market::Market;
use super::presence::Presence;
use super::rule::{Limits, Rule};
use crate::calendar::Calendar;

/// Where a run stands, and how far the next record may be from there.
#[derive(Debug)]
pub(super) struct Pace {
    pub(super) recv: Ts,
    pub(super) event: Ts,
    /// The smallest offset of the run.
    pub(super) least: i64,
    /// Receive times stay before it.
    until: i64,
    /// The longest step between receive times.
    quiet_ns: i64,
    /// The longest a message may be under way.
    latency_ns: i64,
}

impl Pace {
    /// From what is remembered behind a record; `None` if there is nothing to go on from.
    pub(super) fn behind(
        presence: &Presence,
        clock: &Clock,
        event: Ts,
        window_end: i64,
        limits: &Limits,
    ) -> Option<Self> {
        let quiet = limits.threshold(Rule::Silence).min(limits.threshold(Rule::Stale));
        Some(Self {
            recv: presence.last()?,
            event,
            least: i64::MAX,
            until: clock.hour_end()?.min(window_end),
            quiet_ns: quiet.min(OFFLINE_NANOS),
            latency_ns: limits.threshold(Rule::Latency),
        })
    }

    /// Whether a record follows without a word to be said about its times.
    #[inline]
    pub(super) fn follows(&mut self, head: &Head) -> bool {
        let (event, recv) = (head.ts_event.nanos(), head.ts_recv.nanos());
        let step = recv.saturating_sub(self.recv.nanos());
        let offset = recv.saturating_sub(event);
        let is_calm = head.has_event_time
            && (0..=self.quiet_ns).contains(&step)
            && recv < self.until
            && event >= self.event.nanos().max(EARLIEST)
            && (0..=self.latency_ns).contains(&offset);
        if is_calm {
            (self.recv, self.event) = (head.ts_recv, head.ts_event);
            self.least = self.least.min(offset);
        }
        is_calm
    }
}

impl Checker {
    /// Looks at the records behind one, as far as they follow it; how many they are.
    pub(super) fn run(&mut self, batch: &Batch, slot: Slot, run: usize) -> usize {
        let first = slot.index as usize;
        let rows = first + 1..first + 1 + run;
        match slot.kind {
            Kind::Depth => {
                let all = batch.rows::<Depth>();
                self.follow(&all[first].head, &all[rows], |market, calendar, step, row| {
                    market.depth(row, batch.levels(first + 1 + step), calendar);
                })
            }
            Kind::Trade => {
                let all = batch.rows::<Trade>();
                self.follow(&all[first].head, &all[rows], |market, _, _, row| market.trade(row))
            }
            Kind::Quote => {
                let all = batch.rows::<Quote>();
                self.follow(&all[first].head, &all[rows], |market, calendar, _, row| {
                    market.quote(row, calendar);
                })
            }
            Kind::Mbo => {
                let all = batch.rows::<Mbo>();
                self.follow(&all[first].head, &all[rows], |market, _, _, row| market.order(row))
            }
            _ => 0,
        }
    }

    #[inline]
    fn follow<T: Table>(
        &mut self,
        first: &Head,
        rows: &[T],
        mut look: impl FnMut(&mut Market, &Calendar, usize, &T),
    ) -> usize {
        let Some(id) = first.instrument else { return 0 };
        let (Some(Some(market)), Some(Some(venue))) =
            (self.markets.get_mut(id.index()), self.venues.get(id.index()))
        else {
            return 0;
        };
        let days = &mut self.days[*venue].1;
        let Some(mut pace) = market.pace(T::KIND, days.window_end()) else { return 0 };
        let mut count = 0;
        for row in rows {
            if row.head().instrument != first.instrument || !pace.follows(row.head()) {
                break;
            }
            look(market, &self.calendar, count, row);
            count += 1;
        }
        if count > 0 {
            market.settle(T::KIND, &pace);
            days.saw(pace.recv);
            self.last_recv = Some(pace.recv);
        }
        count
    }
}

impl Market {
    /// The pace of records of a kind behind the last one, which was of that kind.
    pub(super) fn pace(&self, kind: Kind, window_end: i64) -> Option<Pace> {
        let event = self.events[kind.index()];
        Pace::behind(&self.presence, &self.clock, event, window_end, &self.limits)
    }

    /// Remembers a run as its records one by one would have been.
    pub(super) fn settle(&mut self, kind: Kind, pace: &Pace) {
        self.presence.saw(kind, pace.recv);
        self.clock.saw(pace.least);
        self.events[kind.index()] = pace.event;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use qt_model::ids::InstrumentId;
    use qt_model::instrument::{Instrument, Instruments, Symbol};
    use qt_model::record::Level;
    use qt_model::units::{Px, Qty, Scale};
    use qt_model::words::{DepthAction, Side};

    use super::*;

    const SECOND: i64 = 1_000_000_000;

    /// What comes next: a step of the receive clock, how long the message took, and what it says.
    type Step = (i64, i64, u8, i64, usize);

    fn step() -> impl Strategy<Value = Step> {
        let step = prop_oneof![
            20 => 0..SECOND,
            1 => -SECOND..0,
            1 => 50 * SECOND..1_000 * SECOND,
            1 => Just(3_000 * SECOND),
        ];
        let offset = prop_oneof![20 => 0..SECOND / 100, 1 => -SECOND..0, 1 => 0..100 * SECOND];
        (step, offset, 0_u8..4, 1_i64..40, 0_usize..2)
    }

    fn stream(steps: &[Step]) -> Batch {
        let mut table = Instruments::default();
        let ids: Vec<InstrumentId> = ["x:A", "x:B"]
            .map(|name| Instrument::new(Symbol::new(name).unwrap(), Scale::ZERO, Scale::ZERO))
            .map(|instrument| table.declare(instrument).unwrap())
            .to_vec();
        let mut batch = Batch::new(Arc::new(table));
        let mut now = 1_704_153_600 * SECOND;
        for ((step, offset, kind, px, who), seq) in steps.iter().copied().zip(0..) {
            now += step;
            let (event, recv) = (Ts::from_nanos(now - offset), Ts::from_nanos(now));
            let head = Head::new(event, recv, seq, Some(ids[who]));
            let (px, qty) = (Px::new(px), Qty::new(px % 5).unwrap());
            let level =
                Level { px, qty, side: if px.mantissa() < 20 { Side::Buy } else { Side::Sell } };
            match kind {
                0 => batch.push_row(Trade { head, px, qty, side: None, id: None }, &[]),
                1 => {
                    let (bid_px, ask_px) = (Some(px), Some(Px::new(20)));
                    let (bid_qty, ask_qty) = (Some(qty), Some(qty));
                    batch.push_row(Quote { head, bid_px, bid_qty, ask_px, ask_qty, id: None }, &[]);
                }
                _ => {
                    let is_first = seq < 3;
                    let action = if is_first { DepthAction::Snapshot } else { DepthAction::Delta };
                    let (first_id, last_id, prev_id) = (None, Some(seq), None);
                    batch.push_row(Depth { head, action, first_id, last_id, prev_id }, &[level]);
                }
            }
        }
        batch
    }

    fn checker() -> Checker {
        Checker::new(Calendar::default(), Arc::default(), Box::new(|_| Arc::default()))
    }

    proptest! {
        #[test]
        fn runs_and_single_records_give_one_report(
            steps in prop::collection::vec(step(), 0..120),
        ) {
            let batch = stream(&steps);
            let (mut whole, mut single) = (checker(), checker());
            whole.batch(&batch);
            (0..batch.len()).for_each(|at| single.range(&batch, at..at + 1));
            let finish = |checker: Checker| checker.finish(None, batch.instruments());
            let (whole, single) = (finish(whole), finish(single));
            prop_assert_eq!(whole.findings, single.findings);
            prop_assert_eq!(whole.days, single.days);
            prop_assert_eq!(whole.records, single.records);
        }
    }

    #[test]
    fn a_calm_stream_is_one_run() {
        let steps: Vec<Step> = (0..100).map(|_| (SECOND / 10, 1_000, 2, 7, 0)).collect();
        let (batch, mut checker) = (stream(&steps), checker());
        checker.range(&batch, 0..1);
        assert_eq!(checker.run(&batch, batch.slots()[0], 99), 99);
    }
}
