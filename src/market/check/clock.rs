//! The venue's clock beside ours: how far apart, and whether they drift.

use qt_model::record::{Head, Kind};
use qt_model::time::Ts;

use super::rule::{Limits, Rule};
use super::tally::{Tallies, Tally, add};

/// Offsets of one instrument.
#[derive(Debug, Default)]
pub(super) struct Clock {
    hour: Option<Hour>,
    /// Messages that came before their own time.
    behind: Option<Tally>,
}

#[derive(Clone, Copy, Debug)]
struct Hour {
    end: i64,
    start: Ts,
    /// The smallest offset in it: the quickest message.
    least: i64,
    /// The same of the hour before.
    before: Option<i64>,
}

const HOUR: i64 = 3_600 * 1_000_000_000;

/// 2000-01-01.
pub(super) const EARLIEST: i64 = 946_684_800 * 1_000_000_000;

impl Clock {
    #[inline]
    pub(super) fn see(&mut self, head: &Head, kind: Kind, limits: &Limits, tallies: &mut Tallies) {
        let (event, recv) = (head.ts_event.nanos(), head.ts_recv.nanos());
        if event < EARLIEST || recv < EARLIEST {
            tallies.note(Rule::TimeRange, kind, head.ts_recv, 0);
            return;
        }
        if !head.has_event_time {
            return;
        }
        // Both lie after 2000, so the difference of two `i64` fits.
        let offset = recv - event;
        if offset < 0 {
            add(&mut self.behind, Tally::new(head.ts_recv, -offset));
            if -offset > limits.threshold(Rule::TimeRange) {
                tallies.note(Rule::TimeRange, kind, head.ts_recv, -offset);
            }
        } else if offset > limits.threshold(Rule::Latency) {
            tallies.note(Rule::Latency, kind, head.ts_recv, offset);
        }
        match &mut self.hour {
            Some(hour) if recv < hour.end => hour.least = hour.least.min(offset),
            _ => self.turn(head.ts_recv, offset, limits, tallies),
        }
    }

    /// When the hour of the last message ends.
    pub(super) fn hour_end(&self) -> Option<i64> {
        self.hour.map(|hour| hour.end)
    }

    /// Takes the smallest offset of messages of this hour that came neither early nor late.
    pub(super) fn saw(&mut self, least: i64) {
        if let Some(hour) = &mut self.hour {
            hour.least = hour.least.min(least);
        }
    }

    /// An hour begins, and the one before is compared with its own.
    #[cold]
    fn turn(&mut self, ts: Ts, offset: i64, limits: &Limits, tallies: &mut Tallies) {
        let before = self.hour.map(|hour| hour.least);
        self.close_hour(limits, tallies);
        let end = (ts.nanos() / HOUR + 1) * HOUR;
        self.hour = Some(Hour { end, start: ts, least: offset, before });
    }

    fn close_hour(&self, limits: &Limits, tallies: &mut Tallies) {
        let Some(Hour { start, least, before: Some(before), .. }) = self.hour else { return };
        let drift = (least - before).abs();
        if drift > limits.threshold(Rule::ClockDrift) {
            tallies.note(Rule::ClockDrift, Kind::InstrumentRow, start, drift);
        }
    }

    pub(super) fn finish(&self, limits: &Limits, tallies: &mut Tallies) {
        self.close_hour(limits, tallies);
        if let Some(behind) = &self.behind {
            tallies.merge(Rule::ClockBehind, Kind::InstrumentRow, behind);
        }
    }
}
