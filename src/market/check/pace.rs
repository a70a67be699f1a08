//! Runs of records of one instrument and kind whose heads say nothing new.
//!
//! Nearly every record is like the one before it: a little later by both clocks, in the same hour and
//! window. One comparison with bounds tells, and what the rules about time remember is brought up to
//! date once for the whole run. Invariant: a record that any of those rules could have a word about
//! does not follow, and takes the careful road; so runs and single records give one report.

use qt_model::record::{Batch, Depth, Head, Kind, Mbo, Quote, Slot, Table, Trade};
use qt_model::time::Ts;

use super::Checker;
use super::clock::EARLIEST;
use super::days::Days;
use super::market::Market;
use super::rule::Rule;
use crate::calendar::Calendar;

/// Where a run stands, and how far it may go.
#[derive(Debug)]
pub(super) struct Pace {
    recv: Ts,
    event: Ts,
    /// The smallest offset of the run.
    least: i64,
    /// Receive times stay before it.
    until: i64,
    /// The longest a message may be under way.
    latency_ns: i64,
}

impl Pace {
    /// Whether a record follows without a word to be said about its times.
    #[inline]
    fn follows(&mut self, head: &Head) -> bool {
        let (event, recv) = (head.ts_event.nanos(), head.ts_recv.nanos());
        let offset = recv.saturating_sub(event);
        let is_calm = head.has_event_time
            && recv >= self.recv.nanos()
            && recv < self.until
            && event >= self.event.nanos()
            && (0..=self.latency_ns).contains(&offset);
        if is_calm {
            (self.recv, self.event) = (head.ts_recv, head.ts_event);
            self.least = self.least.min(offset);
        }
        is_calm
    }
}

impl Checker {
    /// Looks at records of one kind that follow what came before, from the first of these places on;
    /// how many they are.
    #[inline]
    pub(super) fn run(&mut self, batch: &Batch, slots: &[Slot]) -> usize {
        let first = slots[0].index as usize;
        match slots[0].kind {
            Kind::Depth => {
                let rows = &batch.rows::<Depth>()[first..];
                self.follow(slots, rows, |market, calendar, step, row| {
                    market.depth(row, batch.levels(first + step), calendar);
                })
            }
            Kind::Trade => {
                let rows = &batch.rows::<Trade>()[first..];
                self.follow(slots, rows, |market, _, _, row| market.trade(row))
            }
            Kind::Quote => {
                let rows = &batch.rows::<Quote>()[first..];
                self.follow(slots, rows, |market, calendar, _, row| market.quote(row, calendar))
            }
            Kind::Mbo => {
                let rows = &batch.rows::<Mbo>()[first..];
                self.follow(slots, rows, |market, _, _, row| market.order(row))
            }
            _ => 0,
        }
    }

    /// `rows` begin with the row of the first place; those of one kind stand as their places do.
    #[inline]
    fn follow<T: Table>(
        &mut self,
        slots: &[Slot],
        rows: &[T],
        mut look: impl FnMut(&mut Market, &Calendar, usize, &T),
    ) -> usize {
        let Some(id) = rows[0].head().instrument else { return 0 };
        let (Some(Some(market)), Some(Some(venue))) =
            (self.markets.get_mut(id.index()), self.venues.get(id.index()))
        else {
            return 0;
        };
        let days = &mut self.days[*venue].1;
        let last = self.last_recv.unwrap_or(Ts::MIN);
        let Some(mut pace) = market.pace(T::KIND, last, days) else { return 0 };
        // Rows of one kind keep their order, so neighbours of a kind lie one behind the other. Times
        // first, in a loop of their own: it is short, and nothing in it waits for a book.
        let followers = slots.iter().zip(rows).take_while(|(slot, row)| {
            let head = row.head();
            slot.kind == T::KIND && head.instrument == Some(id) && pace.follows(head)
        });
        let count = followers.count();
        for (step, row) in rows[..count].iter().enumerate() {
            look(market, &self.calendar, step, row);
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
    /// How records of a kind may go on; `None` if there is nothing to go on from. The bounds hold for
    /// the first record of a run, so they hold for those behind it, which are nearer to one another.
    #[inline]
    fn pace(&self, kind: Kind, last: Ts, days: &Days) -> Option<Pace> {
        let Self { limits, presence, clock, .. } = self;
        let (silence, stale) = (limits.threshold(Rule::Silence), limits.threshold(Rule::Stale));
        let until = presence.silent_from(silence)?.min(presence.stale_from(kind, stale)?);
        let (from, end) = days.calm();
        Some(Pace {
            recv: last.max(Ts::from_nanos(from)),
            event: self.events[kind.index()].max(Ts::from_nanos(EARLIEST)),
            least: i64::MAX,
            until: until.min(end).min(clock.hour_end()?),
            latency_ns: limits.threshold(Rule::Latency),
        })
    }

    /// Remembers a run as its records one by one would have been.
    fn settle(&mut self, kind: Kind, pace: &Pace) {
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
        assert_eq!(checker.run(&batch, batch.slots()), 0, "nothing came before it");
        checker.range(&batch, 0..1);
        assert_eq!(checker.run(&batch, &batch.slots()[1..]), 99);
    }
}
