//! The order of depth updates whose snapshots come over REST: which one may follow, and how a
//! snapshot joins them.
//!
//! Binance's spot market numbers its updates without holes: `U` is the last `u` plus one. Futures
//! leave holes and name the update before: `pu` is the last `u`. Bitstamp has times for numbers and
//! no chain, which is the first rule with every update beginning at zero. A snapshot comes over REST, so it stands behind
//! updates that are newer than it; those are kept, bounded, and applied to it when it arrives
//! (`docs/decisions/0007`). Pure: no time, no records.

use std::collections::VecDeque;

use qt_market::book::PriceBook;
use qt_model::record::Level;

/// Which numbers make a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    Spot,
    Futures,
}

/// The numbers of one update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Update {
    pub first: u64,
    pub last: u64,
    pub prev: Option<u64>,
}

/// Whether an update follows those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Next,
    /// All of it is known already.
    Old,
    /// Updates before it are missing, as many as that where it can be told.
    Gap {
        missing: Option<u64>,
    },
}

/// What a snapshot comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Joined {
    /// It is a book, with every update up to that one inside; its levels were put out.
    Book { last: u64 },
    /// It is older than what is kept, and there is a book already.
    Redundant,
    /// It is older than the first update kept: it cannot be joined with what follows.
    Stale,
}

/// Bounds on what is kept while there is no book: eighty seconds and more of the busiest market.
const WAITING: Bound = Bound { updates: 8192, levels: 1 << 18 };

/// Bounds on what is kept beside a book, for a snapshot that comes to refresh it.
const FOLLOWING: Bound = Bound { updates: 256, levels: 1 << 14 };

struct Bound {
    updates: usize,
    levels: usize,
}

/// The chain of one instrument.
#[derive(Debug)]
pub(crate) struct Chain {
    rule: Rule,
    has_book: bool,
    /// The last update, or the snapshot where none came after it.
    last: Option<u64>,
    /// Whether `last` is the number of a snapshot, which updates may straddle.
    is_fresh: bool,
    /// The newest updates without a break between them, and their levels end to end.
    kept: VecDeque<(Update, usize)>,
    kept_levels: VecDeque<Level>,
}

impl Chain {
    pub(crate) fn new(rule: Rule) -> Self {
        Self {
            rule,
            has_book: false,
            last: None,
            is_fresh: false,
            kept: VecDeque::new(),
            kept_levels: VecDeque::new(),
        }
    }

    /// Takes the next update of the stream. One that is old is not kept.
    pub(crate) fn update(&mut self, update: Update, levels: &[Level]) -> Place {
        let place = self.place(update);
        match place {
            Place::Old => return place,
            Place::Gap { .. } => {
                self.has_book = false;
                self.kept.clear();
                self.kept_levels.clear();
            }
            Place::Next => {}
        }
        self.last = Some(update.last);
        self.is_fresh = false;
        self.keep(update, levels);
        place
    }

    fn place(&self, update: Update) -> Place {
        let Some(last) = self.last else { return Place::Next };
        let is_old = match (self.rule, self.is_fresh) {
            // An update that ends at the very number of the snapshot is the one that joins it.
            (Rule::Futures, true) => update.last < last,
            (Rule::Spot, _) | (Rule::Futures, false) => update.last <= last,
        };
        if is_old {
            return Place::Old;
        }
        if self.follows(update, last) {
            return Place::Next;
        }
        let missing = match self.rule {
            Rule::Spot => Some(update.first - last - 1),
            Rule::Futures => None,
        };
        Place::Gap { missing }
    }

    /// Whether nothing is missing between that number and the update. An update that begins before
    /// the number and ends after it holds what is missing, as sizes are absolute.
    fn follows(&self, update: Update, number: u64) -> bool {
        let begins = update.first <= number.saturating_add(1);
        match (self.rule, update.prev) {
            (Rule::Futures, Some(prev)) => prev <= number || update.first <= number,
            (Rule::Spot, _) | (Rule::Futures, None) => begins,
        }
    }

    fn keep(&mut self, update: Update, levels: &[Level]) {
        self.kept.push_back((update, levels.len()));
        self.kept_levels.extend(levels);
        let bound = if self.has_book { FOLLOWING } else { WAITING };
        while self.kept.len() > bound.updates || self.kept_levels.len() > bound.levels {
            let Some((_, count)) = self.kept.pop_front() else { break };
            self.kept_levels.drain(..count);
        }
    }

    /// Takes a snapshot. Where it is a book, `levels` becomes the levels of that book.
    pub(crate) fn snapshot(&mut self, id: u64, levels: &mut Vec<Level>) -> Joined {
        let is_newest = self.last.is_none_or(|last| last <= id);
        if is_newest {
            self.kept.clear();
            self.kept_levels.clear();
            self.has_book = true;
            self.last = Some(id);
            self.is_fresh = true;
            return Joined::Book { last: id };
        }
        let older = match self.rule {
            Rule::Spot => self.kept.iter().take_while(|(update, _)| update.last <= id).count(),
            Rule::Futures => self.kept.iter().take_while(|(update, _)| update.last < id).count(),
        };
        let joins = self.kept.get(older).is_some_and(|(update, _)| self.follows(*update, id));
        let Some(last) = self.last.filter(|_| joins) else {
            return if self.has_book { Joined::Redundant } else { Joined::Stale };
        };
        self.join(older, levels);
        self.has_book = true;
        Joined::Book { last }
    }

    fn join(&self, older: usize, levels: &mut Vec<Level>) {
        let mut book = PriceBook::default();
        book.replace(levels);
        let passed: usize = self.kept.iter().take(older).map(|(_, count)| count).sum();
        self.kept_levels.iter().skip(passed).for_each(|level| book.set(*level));
        levels.clear();
        levels.extend(book.levels(usize::MAX));
    }
}

#[cfg(test)]
mod tests {
    use qt_model::units::{Px, Qty};
    use qt_model::words::Side;

    use super::*;

    fn spot(first: u64, last: u64) -> Update {
        Update { first, last, prev: None }
    }

    fn futures(first: u64, last: u64, prev: u64) -> Update {
        Update { first, last, prev: Some(prev) }
    }

    fn bid(px: i64, qty: i64) -> Level {
        Level { px: Px::new(px), qty: Qty::new(qty).unwrap(), side: Side::Buy }
    }

    fn check(rule: Rule, updates: &[(Update, Place)]) {
        let mut chain = Chain::new(rule);
        for (update, expected) in updates {
            assert_eq!(chain.update(*update, &[]), *expected, "{update:?}");
        }
    }

    #[test]
    fn spot_goes_on_at_the_last_number_plus_one() {
        check(
            Rule::Spot,
            &[
                (spot(5, 9), Place::Next),
                (spot(10, 10), Place::Next),
                (spot(10, 10), Place::Old),
                (spot(7, 9), Place::Old),
                (spot(9, 12), Place::Next),
                (spot(15, 16), Place::Gap { missing: Some(2) }),
                (spot(17, 18), Place::Next),
            ],
        );
    }

    #[test]
    fn futures_go_on_at_the_number_that_they_name() {
        check(
            Rule::Futures,
            &[
                (futures(100, 110, 90), Place::Next),
                // Numbers of other instruments lie between: `U` is not the last `u` plus one.
                (futures(130, 140, 110), Place::Next),
                (futures(130, 140, 110), Place::Old),
                (futures(160, 170, 150), Place::Gap { missing: None }),
                (futures(180, 190, 170), Place::Next),
            ],
        );
    }

    #[test]
    fn a_late_snapshot_takes_the_updates_that_are_newer() {
        let mut chain = Chain::new(Rule::Spot);
        chain.update(spot(8, 9), &[bid(1, 1)]);
        chain.update(spot(10, 14), &[bid(2, 0), bid(3, 7)]);
        chain.update(spot(15, 16), &[bid(4, 1)]);
        let mut levels = vec![bid(2, 5), bid(0, 5)];
        assert_eq!(chain.snapshot(11, &mut levels), Joined::Book { last: 16 });
        assert_eq!(levels, [bid(4, 1), bid(3, 7), bid(0, 5)]);
        assert_eq!(chain.update(spot(17, 17), &[]), Place::Next);
    }

    #[test]
    fn the_update_that_ends_at_the_snapshot_joins_on_futures_and_is_old_on_spot() {
        for (rule, update, expected) in [
            (Rule::Futures, futures(15, 20, 12), Place::Next),
            (Rule::Futures, futures(15, 19, 12), Place::Old),
            (Rule::Futures, futures(25, 30, 20), Place::Next),
            (Rule::Futures, futures(25, 30, 22), Place::Gap { missing: None }),
            (Rule::Spot, spot(15, 20), Place::Old),
            (Rule::Spot, spot(15, 21), Place::Next),
            (Rule::Spot, spot(22, 23), Place::Gap { missing: Some(1) }),
        ] {
            let mut chain = Chain::new(rule);
            assert_eq!(chain.snapshot(20, &mut Vec::new()), Joined::Book { last: 20 });
            assert_eq!(chain.update(update, &[]), expected, "{rule:?} {update:?}");
        }
    }

    #[test]
    fn a_snapshot_older_than_all_that_is_kept_is_no_book() {
        let mut chain = Chain::new(Rule::Spot);
        chain.update(spot(50, 51), &[]);
        assert_eq!(chain.snapshot(40, &mut Vec::new()), Joined::Stale);
        assert_eq!(chain.snapshot(49, &mut Vec::new()), Joined::Book { last: 51 });
        assert_eq!(chain.snapshot(40, &mut Vec::new()), Joined::Redundant);
    }

    #[test]
    fn what_came_before_a_gap_never_joins_a_snapshot() {
        let mut chain = Chain::new(Rule::Spot);
        chain.update(spot(1, 5), &[bid(1, 1)]);
        assert_eq!(chain.update(spot(8, 9), &[bid(2, 1)]), Place::Gap { missing: Some(2) });
        assert_eq!(chain.snapshot(4, &mut Vec::new()), Joined::Stale);
        let mut levels = vec![bid(5, 1)];
        assert_eq!(chain.snapshot(7, &mut levels), Joined::Book { last: 9 });
        assert_eq!(levels, [bid(5, 1), bid(2, 1)]);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut chain = Chain::new(Rule::Spot);
        for number in 1..=20_000 {
            chain.update(spot(number, number), &[bid(1, 1); 40]);
        }
        assert!(chain.kept.len() <= WAITING.updates && chain.kept_levels.len() <= WAITING.levels);
        assert_eq!(chain.snapshot(3, &mut Vec::new()), Joined::Stale);
        assert_eq!(chain.snapshot(19_000, &mut Vec::new()), Joined::Book { last: 20_000 });
        chain.update(spot(20_001, 20_001), &[]);
        assert!(chain.kept.len() <= FOLLOWING.updates);
    }
}
