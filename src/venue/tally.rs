//! What a decoder met and did not turn into records, by name: nothing is dropped without a count.

use std::collections::BTreeMap;

/// Counts by reason, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    counts: BTreeMap<&'static str, u64>,
}

impl Tally {
    pub(crate) fn add(&mut self, reason: &'static str) {
        self.add_many(reason, 1);
    }

    pub(crate) fn add_many(&mut self, reason: &'static str, count: u64) {
        if count > 0 {
            *self.counts.entry(reason).or_default() += count;
        }
    }

    pub fn get(&self, reason: &str) -> u64 {
        self.counts.get(reason).copied().unwrap_or(0)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.counts.iter().map(|(reason, count)| (*reason, *count))
    }
}

/// Reasons that many venues share.
pub(crate) mod left {
    pub(crate) const CONTROL: &str = "answers to our own requests";
    pub(crate) const OTHER_EVENT: &str = "events of kinds that become no record";
    pub(crate) const HISTORY: &str = "prints from before the subscription, repeated by the venue";
    pub(crate) const NO_BOOK: &str = "changes of a book before its snapshot";
    pub(crate) const CHECKSUM: &str = "checksums that do not fit the book";
    pub(crate) const CHECKED: &str = "checksums that fit the book";
    pub(crate) const GAP: &str = "gaps in the sequence of depth updates";
}
