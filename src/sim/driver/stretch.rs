//! A stretch of records that lie as columns, in which all lanes sleep: its end is found by its times, what
//! it shows is noted by its places, and a row is made of its last record alone.
//!
//! Invariant: as in [`super::quiet`], of which this is the case without rows.

use qt_model::record::{Bar, ColumnTable, Kind, Quote};
use qt_trade::core::Strategy;

use super::observer::Observer;
use super::pass::Pass;
use super::quiet::{Bounds, Plain};

impl<S: Strategy, O: Observer> Pass<'_, S, O> {
    /// Takes records from a place on, as long as what happens at the venue meanwhile goes on with the
    /// same. How many they were.
    pub(super) fn columns(&mut self, table: &ColumnTable, from: usize, bounds: Bounds) -> usize {
        let Self { window, market, front, sleepers, chunk, .. } = self;
        let (id, times) = (table.instrument(), chunk.times(table));
        // What has its place in a list is looked at one by one.
        let rule = sleepers.mark_rule().filter(|_| window.dues().is_empty());
        let Some(rule) = rule else { return 0 };
        let others = window.first_of_others(table).unwrap_or(i64::MAX);
        let instant = bounds.instant.min(others);
        let count = times[from..bounds.record].partition_point(|now| *now < instant);
        let to = from + count;
        let Some(now) = times[from..to].last().copied() else { return 0 };
        let is_bars = table.kind() == Kind::Bar;
        let (is_shown, is_marking) = match is_bars {
            true => (Bar::is_shown(market, id), Bar::is_marking(front, rule, id)),
            false => (Quote::is_shown(market, id), Quote::is_marking(front, rule, id)),
        };
        let mut owed = sleepers.owed(id);
        let last = window.happen_until(now, chunk, |of, is_at_hand, places| {
            if is_shown && is_at_hand {
                owed.show_stretch(of, places);
            } else if is_shown {
                // They have happened, and are received with a later batch.
                owed.show_each(of, places);
            }
        });
        if is_marking {
            owed.mark_stretch(table, from..to);
        }
        if let Some(due) = last {
            window.with(due, |record| market.apply(record));
        }
        chunk.records.with(to - 1, |record| front.market(record));
        self.leave_rows(from..to, id);
        count
    }
}
