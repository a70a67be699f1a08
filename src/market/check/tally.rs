//! What was found, summed up: one line for a rule, an instrument and a kind, however often.

use std::collections::BTreeMap;

use qt_model::record::Kind;
use qt_model::time::Ts;

use super::rule::Rule;

/// How often, from when to when, and the worst of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    pub count: u64,
    pub first: Ts,
    pub last: Ts,
    /// The largest measure, in the unit of the rule.
    pub worst: i64,
    pub worst_at: Ts,
}

impl Tally {
    pub(super) fn new(ts: Ts, measure: i64) -> Self {
        Self { count: 1, first: ts, last: ts, worst: measure, worst_at: ts }
    }

    fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        if other.worst > self.worst {
            (self.worst, self.worst_at) = (other.worst, other.worst_at);
        }
    }
}

/// All tallies of one instrument.
#[derive(Clone, Debug, Default)]
pub(super) struct Tallies(BTreeMap<(Rule, Kind), Tally>);

impl Tallies {
    #[cold]
    pub(super) fn note(&mut self, rule: Rule, kind: Kind, ts: Ts, measure: i64) {
        self.merge(rule, kind, &Tally::new(ts, measure));
    }

    pub(super) fn merge(&mut self, rule: Rule, kind: Kind, more: &Tally) {
        self.0.entry((rule, kind)).and_modify(|tally| tally.add(more)).or_insert(*more);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Rule, Kind, &Tally)> {
        self.0.iter().map(|((rule, kind), tally)| (*rule, *kind, tally))
    }
}

/// Numbers that should rise by one. Whether they do is known at the end: only a source whose
/// numbers do so nearly always can be said to leave one out, or to repeat one.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    last: Option<u64>,
    /// Numbers seen of late, each at its place.
    recent: [u64; RECENT],
    steps: u64,
    ones: u64,
    rises: u64,
    holes: Option<Tally>,
    repeats: Option<Tally>,
}

const RECENT: usize = 64;

/// Of a hundred steps, so many must be as expected before the others mean anything.
const MOST: u64 = 95;

impl Default for Chain {
    fn default() -> Self {
        let recent = [u64::MAX; RECENT];
        Self { last: None, recent, steps: 0, ones: 0, rises: 0, holes: None, repeats: None }
    }
}

impl Chain {
    /// A record that covers the numbers `first..=last`.
    #[inline]
    pub(super) fn see(&mut self, first: u64, last: u64, ts: Ts) {
        let seen = std::mem::replace(&mut self.recent[last as usize % RECENT], last);
        let Some(known) = self.last.replace(last) else { return };
        self.steps += 1;
        if first == known.wrapping_add(1) {
            self.ones += 1;
            self.rises += 1;
        } else {
            self.jump(known, first, last, seen == last, ts);
        }
    }

    #[cold]
    fn jump(&mut self, known: u64, first: u64, last: u64, was_seen: bool, ts: Ts) {
        if first > known {
            self.rises += 1;
            let missing = i64::try_from(first - known - 1).unwrap_or(i64::MAX);
            add(&mut self.holes, Tally::new(ts, missing));
            return;
        }
        // Numbers that were there before: those behind them still follow the highest.
        self.last = Some(known.max(last));
        if was_seen {
            add(&mut self.repeats, Tally::new(ts, 0));
        }
    }

    /// Begins anew: what follows is not measured against what was.
    pub(super) fn restart(&mut self, last: Option<u64>) {
        self.last = last;
    }

    /// What numbers were left out, if they rise by one often enough for that to mean something.
    pub(super) fn holes(&self) -> Option<&Tally> {
        self.holes.as_ref().filter(|_| self.ones > 0 && self.is_most(self.ones))
    }

    /// What numbers stand twice, if they rise often enough for that to mean something.
    pub(super) fn repeats(&self) -> Option<&Tally> {
        let is_series =
            |repeats: &&Tally| self.rises > 0 && self.is_most(self.rises + repeats.count);
        self.repeats.as_ref().filter(is_series)
    }

    fn is_most(&self, part: u64) -> bool {
        part.saturating_mul(100) >= self.steps.saturating_mul(MOST)
    }
}

/// Adds to a tally that may not have begun.
pub(super) fn add(to: &mut Option<Tally>, more: Tally) {
    match to {
        Some(tally) => tally.add(&more),
        None => *to = Some(more),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(numbers: impl IntoIterator<Item = u64>) -> Chain {
        let mut chain = Chain::default();
        for number in numbers {
            chain.see(number, number, Ts::from_nanos(number.cast_signed()));
        }
        chain
    }

    #[test]
    fn a_hole_counts_only_among_numbers_that_rise_by_one() {
        let dense = chain((0..100).chain(103..200));
        let holes = dense.holes().expect("a hole of three");
        assert_eq!((holes.count, holes.worst, holes.first), (1, 3, Ts::from_nanos(103)));
        assert_eq!(chain((0..100).map(|number| number * 7)).holes(), None);
    }

    #[test]
    fn numbers_that_come_again_are_repeated_and_numbers_that_come_late_are_not() {
        let twice = chain((0..50).chain([48, 49]).chain(50..90));
        assert_eq!(twice.repeats().map(|repeats| repeats.count), Some(2));
        assert_eq!(twice.holes(), None);
        let late = chain((0..50).chain([51, 50]).chain(52..90));
        assert_eq!(late.repeats(), None);
        let any = chain([9, 3, 9, 3, 9, 3, 9, 3]);
        assert_eq!((any.repeats(), any.holes()), (None, None), "these are no numbers of a series");
    }
}
