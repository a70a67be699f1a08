//! Whether data comes at all: silences, kinds that stop, and how much of the open hours has data.

use qt_model::record::Kind;
use qt_model::time::Ts;

use super::rule::{Limits, Rule};
use super::tally::Tallies;
use crate::calendar::Calendar;

/// When data of one instrument came.
#[derive(Debug, Default)]
pub(super) struct Presence {
    first: Option<Ts>,
    last: Option<Ts>,
    /// Open time without any data, as far as it is long enough to count.
    silent_ns: i64,
    /// For trades, quotes and depth: the last of each, and `silent_ns` then.
    kinds: [Option<(Ts, i64)>; 3],
}

fn place(kind: Kind) -> Option<usize> {
    match kind {
        Kind::Trade => Some(0),
        Kind::Quote => Some(1),
        Kind::Depth => Some(2),
        _ => None,
    }
}

impl Presence {
    #[inline]
    pub(super) fn see(
        &mut self,
        ts: Ts,
        kind: Kind,
        limits: &Limits,
        calendar: &Calendar,
        tallies: &mut Tallies,
    ) {
        let Some(last) = self.last.replace(ts) else {
            self.first = Some(ts);
            if let Some(at) = place(kind) {
                self.kinds[at] = Some((ts, 0));
            }
            return;
        };
        if ts.nanos().saturating_sub(last.nanos()) > limits.threshold(Rule::Silence) {
            self.silence(last, ts, kind, limits, calendar, tallies);
        }
        let Some(at) = place(kind) else { return };
        if let Some((last, silent)) = self.kinds[at].replace((ts, self.silent_ns))
            && ts.nanos().saturating_sub(last.nanos()) > limits.threshold(Rule::Stale)
        {
            // What was silent as a whole is not said again for each kind.
            let open = calendar.open_ns(last, ts) - (self.silent_ns - silent);
            if open > limits.threshold(Rule::Stale) {
                tallies.note(Rule::Stale, kind, ts, open);
            }
        }
    }

    /// From when on it was silent for too long.
    #[inline]
    pub(super) fn silent_from(&self, bound: i64) -> Option<i64> {
        self.last.map(|last| last.nanos().saturating_add(bound))
    }

    /// From when on a kind was. One that is not waited for never is.
    #[inline]
    pub(super) fn stale_from(&self, kind: Kind, bound: i64) -> Option<i64> {
        let Some(at) = place(kind) else { return Some(i64::MAX) };
        self.kinds[at].map(|(last, _)| last.nanos().saturating_add(bound))
    }

    /// Takes the last of records that came without a silence between them.
    pub(super) fn saw(&mut self, kind: Kind, ts: Ts) {
        self.last = Some(ts);
        if let Some(at) = place(kind) {
            self.kinds[at] = Some((ts, self.silent_ns));
        }
    }

    #[cold]
    fn silence(
        &mut self,
        from: Ts,
        to: Ts,
        kind: Kind,
        limits: &Limits,
        calendar: &Calendar,
        tallies: &mut Tallies,
    ) {
        let open = calendar.open_ns(from, to);
        if open > limits.threshold(Rule::Silence) {
            self.silent_ns = self.silent_ns.saturating_add(open);
            tallies.note(Rule::Silence, kind, from, open);
        }
    }

    /// `span` is what was asked for; without it the data itself says where it begins and ends.
    pub(super) fn finish(
        &mut self,
        limits: &Limits,
        calendar: &Calendar,
        span: Option<(Ts, Ts)>,
        tallies: &mut Tallies,
    ) {
        let (Some(first), Some(last)) = (self.first, self.last) else { return };
        let (from, to) = span.unwrap_or((first, last));
        self.silence(from, first, Kind::InstrumentRow, limits, calendar, tallies);
        self.silence(last, to, Kind::InstrumentRow, limits, calendar, tallies);
        let open = calendar.open_ns(from, to);
        if open <= 0 {
            return;
        }
        let part = i128::from(open - self.silent_ns.min(open)) * 1_000_000 / i128::from(open);
        let part = i64::try_from(part).unwrap_or(0);
        if part < limits.threshold(Rule::Coverage) {
            tallies.note(Rule::Coverage, Kind::InstrumentRow, from, 1_000_000 - part);
        }
    }
}
